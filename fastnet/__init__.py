"""Fast training of small feed-forward neural networks on CPUs."""

from importlib import import_module
from typing import TYPE_CHECKING

from fastnet.core.load import show_config, version

# isort: split
from fastnet import augment, mnist_loader
from fastnet.core import moved, reporting
from fastnet.core.execution import get_num_threads, set_num_threads
from fastnet.data.dataset import Dataset
from fastnet.data.idx import load_mnist, read_idx, write_idx
from fastnet.data.input_transform import Standardize
from fastnet.learning_rate import find_learning_rate
from fastnet.network import Network, load
from fastnet.nn import activations, costs, optimizers
from fastnet.nn.activations import *  # noqa: F403
from fastnet.nn.costs import *  # noqa: F403
from fastnet.nn.functions import sigmoid, sigmoid_prime, softmax, vectorized_result
from fastnet.nn.optimizers import *  # noqa: F403
from fastnet.training.early_stopping import EarlyStopping
from fastnet.training.errors import DivergenceError
from fastnet.training.history import History
from fastnet.training.schedules import CosineDecay, ExponentialDecay, HalveOnPlateau, StepDecay

__all__ = [
    "CosineDecay",
    "Dataset",
    "DivergenceError",
    "EarlyStopping",
    "ExponentialDecay",
    "HalveOnPlateau",
    "History",
    "Network",
    "Standardize",
    "StepDecay",
    "Table",
    "__version__",
    "augment",
    "find_learning_rate",
    "fit_as_completed",
    "fit_many",
    "fit_table",
    "get_num_threads",
    "load",
    "load_mnist",
    "mnist_loader",
    "read_idx",
    "set_num_threads",
    "show_config",
    "sigmoid",
    "sigmoid_prime",
    "softmax",
    "vectorized_result",
    "write_idx",
]
__all__ += activations.__all__ + costs.__all__ + optimizers.__all__

__version__: str

moved.install()
reporting.make_curves = lambda: import_module("fastnet.plots").live()

# Imported on first access; sklearn needs scikit-learn.
_SUBMODULES = ("augment", "demo", "mnist_loader", "plots", "reference", "sklearn")

if TYPE_CHECKING:
    from fastnet import demo as demo
    from fastnet import plots as plots
    from fastnet import reference as reference
    from fastnet import sklearn as sklearn
    from fastnet.data.table import Table
    from fastnet.own_data import fit_table
    from fastnet.sweep.many import fit_as_completed, fit_many
else:

    def __getattr__(name):
        """Import names that not every program needs at their first use."""
        if name == "__version__":
            return version()
        if name in ("fit_as_completed", "fit_many"):
            return getattr(import_module("fastnet.sweep.many"), name)
        if name == "fit_table":
            return import_module("fastnet.own_data").fit_table
        if name == "Table":
            return import_module("fastnet.data.table").Table
        if name in _SUBMODULES:
            try:
                return import_module(f"fastnet.{name}")
            except ImportError as error:  # hasattr and inspect expect an AttributeError
                raise AttributeError(str(error)) from error
        raise AttributeError(f"module 'fastnet' has no attribute {name!r}")

    def __dir__():
        """The public names, including those imported lazily, without internal modules."""
        from importlib.util import find_spec

        missing = {"sklearn"} if find_spec("sklearn") is None else set()
        dunders = {name for name in globals() if name.startswith("__")}
        return sorted({*__all__, *_SUBMODULES, *dunders} - missing)
