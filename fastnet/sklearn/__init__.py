"""Estimators of scikit-learn on fastnet's networks: ``MLPClassifier`` and ``MLPRegressor``.

The one place that needs scikit-learn. It stands on ``fastnet.network`` and what is below;
nothing else of fastnet imports it.
"""

import importlib

try:
    importlib.import_module("sklearn.utils.validation").validate_data  # noqa: B018  # since 1.6
except (ImportError, AttributeError):
    raise ImportError(
        "fastnet.sklearn: expected scikit-learn 1.6 or newer to be installed: "
        'pip install "scikit-learn>=1.6"'
    ) from None

from fastnet.sklearn.classifier import MLPClassifier
from fastnet.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]


def __dir__() -> list[str]:
    """The public names only."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
