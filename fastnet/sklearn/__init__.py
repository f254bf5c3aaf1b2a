"""Estimators of scikit-learn on fastnet's networks: ``MLPClassifier`` and ``MLPRegressor``.

This is the only package of fastnet that needs scikit-learn; no other module imports it. It uses
``fastnet.network`` and the modules below that.
"""

import importlib

from fastnet.core import extras

try:
    importlib.import_module("sklearn.utils.validation").validate_data  # noqa: B018  # since 1.6
except (ImportError, AttributeError):
    raise ImportError(
        "fastnet.sklearn: expected scikit-learn 1.6 or newer to be installed: "
        f"{extras.installation('sklearn')}"
    ) from None

from fastnet.sklearn.classifier import MLPClassifier
from fastnet.sklearn.onnx_registry import register_if_imported, register_onnx
from fastnet.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "register_onnx"]


register_if_imported()


def __dir__() -> list[str]:
    """The public names only."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
