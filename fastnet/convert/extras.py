"""Optional packages, imported when a conversion needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

TORCH = 'pip install "torch>=2.2"'
SKLEARN = 'pip install "scikit-learn>=1.6"'


def needed(use: str, module: str, package: str, command: str) -> Any:
    """The module of an optional package that the method ``use`` needs.

    Raises
    ------
    ImportError
        If it is missing; the message names the package and the command that installs it.

    Examples
    --------
    >>> needed("to_x", "xyz_of_nobody", "XYZ", "pip install xyz")
    Traceback (most recent call last):
    ImportError: to_x: expected XYZ to be installed: pip install xyz
    """
    try:
        return import_module(module)
    except ImportError:
        raise ImportError(f"{use}: expected {package} to be installed: {command}") from None
