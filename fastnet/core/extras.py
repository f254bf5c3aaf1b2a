"""Optional packages, which are imported where they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# By the name of the import: what messages call the package, and what pip installs.
PACKAGES = {
    "matplotlib": ("matplotlib", "matplotlib>=3.8"),
    "narwhals": ("narwhals", "narwhals>=1.10"),
    "onnx": ("onnx", "onnx>=1.16"),
    "safetensors": ("safetensors", "safetensors>=0.4"),
    "scipy": ("SciPy", "scipy>=1.11"),
    "skl2onnx": ("skl2onnx", "skl2onnx>=1.17"),
    "sklearn": ("scikit-learn", "scikit-learn>=1.6"),
    "torch": ("PyTorch", "torch>=2.2"),
    "tqdm": ("tqdm", "tqdm>=4.66"),
}


def needed(use: str, module: str) -> Any:
    """A module of an optional package, such as "scipy.optimize", which ``use`` needs.

    Raises
    ------
    ImportError
        If the package is missing: names it and the command that installs it.

    Examples
    --------
    >>> needed("fit_lbfgs", "scipy.optimize").minimize.__name__
    'minimize'
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name not in (module, package):  # it is there, but lacks a package of its own
            raise
        name = PACKAGES[package][0]
        raise ImportError(
            f"{use}: expected {name} to be installed: {installation(package)}"
        ) from None


def installation(package: str) -> str:
    """The command that installs one of ``PACKAGES``.

    Examples
    --------
    >>> installation("torch")
    'pip install "torch>=2.2"'
    """
    return f'pip install "{PACKAGES[package][1]}"'
