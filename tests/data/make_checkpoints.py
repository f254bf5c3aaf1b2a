"""Writes the checkpoints that tests/test_kept_checkpoints.py resumes, one for each format.

    python -P tests/data/make_checkpoints.py FOLDER

A file in tests/data/checkpoints/ is never written again; a new version of the format gets new files
beside them.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

import fastnet

EPOCHS = 4


def examples():
    """(X, y): eighths, and three classes."""
    numbers = np.arange(90)
    return (numbers * numbers % 17).reshape(30, 3) / 8, numbers[:30] % 3


def sgd(path, epochs=EPOCHS):
    """(network, history) of a training with all that a checkpoint may have."""
    net = fastnet.Network([3, 4, 3], hidden="tanh", seed=1)
    history = net.SGD(
        examples(), epochs, 5, 0.01, dropout=0.25, optimizer=fastnet.Adam(),
        schedule=fastnet.HalveOnPlateau(2, monitor="training_cost"), verbose=False,
        early_stopping=fastnet.EarlyStopping("training_accuracy", 9), checkpoint=path, resume=True,
    )  # fmt: skip
    return net, history


def fit(path, max_iter=EPOCHS):
    """An estimator after a fit."""
    from fastnet.sklearn import MLPClassifier

    made = MLPClassifier((4,), max_iter=max_iter, early_stopping=True, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return made.fit(*examples(), checkpoint=path, resume=True)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sgd(folder / "1_sgd.npz")
    fit(folder / "1_fit.npz")
