"""Small feed-forward neural networks, trained on CPUs, fast."""

from typing import TYPE_CHECKING

from fastnet._load import show_config, version

# isort: split
from fastnet import mnist_loader
from fastnet.costs import CrossEntropyCost, LogLikelihoodCost, QuadraticCost
from fastnet.data import Dataset, load_mnist, read_idx
from fastnet.functions import sigmoid, sigmoid_prime, softmax, vectorized_result
from fastnet.network import Network, load
from fastnet.training import DivergenceError, History

__all__ = [
    "CrossEntropyCost",
    "Dataset",
    "DivergenceError",
    "History",
    "LogLikelihoodCost",
    "Network",
    "QuadraticCost",
    "__version__",
    "load",
    "load_mnist",
    "mnist_loader",
    "read_idx",
    "show_config",
    "sigmoid",
    "sigmoid_prime",
    "softmax",
    "vectorized_result",
]

__version__: str

if not TYPE_CHECKING:

    def __getattr__(name):
        """The version, when it is asked for."""
        if name == "__version__":
            return version()
        raise AttributeError(f"module 'fastnet' has no attribute {name!r}")
