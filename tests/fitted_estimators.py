"""Iris in two parts, and estimators fitted to one of them, for the tests of fastnet.sklearn."""

import warnings

import numpy as np
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from fastnet.sklearn import MLPClassifier

X, Y = load_iris(return_X_y=True)
rng = np.random.default_rng(0)
ORDER = rng.permutation(150)
TRAINING, HELD_OUT = ORDER[:100], ORDER[100:]
PART, REST = (X[TRAINING], Y[TRAINING]), (X[HELD_OUT], Y[HELD_OUT])


def fitted(data=PART, fit=(), kind=MLPClassifier, **options):
    options = {
        "hidden_layer_sizes": (20,), "max_iter": 30, "learning_rate_init": 0.01,
        "batch_size": 20, "random_state": 0, "dtype": "float64", **options,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(**options).fit(*data, **dict(fit))
