"""The implementations that are compared, all behind the interface of `peers.base`.

Each is in a module of its own that imports its library at the top, so a
module is imported only if that library is installed.
"""

import importlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One implementation in the list.

    Parameters
    ----------
    name : str
        Its column in the table.
    module : str
        The module of this package that holds its class `Peer`.
    library : str
        The name of the library that does the work, for the reader.
    imported_as : str
        The name under which it is imported.
    distribution : str
        The name under which it is installed.
    how_to_install : str
        The command that installs it.
    """

    name: str
    module: str
    library: str
    imported_as: str
    distribution: str
    how_to_install: str

    def absence(self):
        """Why this peer cannot run: a sentence for the reader, or None if it can."""
        if importlib.util.find_spec(self.imported_as) is not None:
            return None
        return f"{self.library} is not installed: {self.how_to_install}"

    def version(self):
        """The library's version, such as "2.4.0"."""
        return importlib.metadata.version(self.distribution)

    def load(self):
        """The class `Peer`; imports the library."""
        return importlib.import_module(f"{__name__}.{self.module}").Peer


_NUMPY = ("NumPy", "numpy", "numpy", "pip install numpy")
_PYTORCH = (
    "PyTorch",
    "torch",
    "torch",
    "pip install torch --index-url https://download.pytorch.org/whl/cpu",
)

# In the order of the table's columns. The first one is what the others are divided by.
PEERS = (
    Entry("fastnet", "fastnet_network", "fastnet", "fastnet", "fastnet", "see README.md"),
    Entry("reference", "numpy_reference", *_NUMPY),
    Entry("NumPy", "numpy_by_hand", *_NUMPY),
    Entry("book's loop", "book_loop", *_NUMPY),
    Entry("scikit-learn", "scikit_learn", "scikit-learn", "sklearn", "scikit-learn",
          "pip install scikit-learn"),
    Entry("JAX", "jax_scan", "JAX", "jax", "jax", "pip install jax"),
    Entry("PyTorch", "pytorch_by_hand", *_PYTORCH),
    Entry("PyTorch autograd", "pytorch_autograd", *_PYTORCH),
)  # fmt: skip
