"""Estimators of scikit-learn on fastnet's networks: ``MLPClassifier`` and ``MLPRegressor``.

The one place that needs scikit-learn. It stands on ``fastnet.network`` and what is below;
nothing else of fastnet imports it.
"""

try:
    from sklearn.utils.validation import validate_data as _  # of 1.6 and newer
except ImportError:
    raise ImportError(
        "fastnet.sklearn: expected scikit-learn 1.6 or newer to be installed: "
        'pip install "scikit-learn>=1.6"'
    ) from None

from fastnet.sklearn.classifier import MLPClassifier
from fastnet.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
