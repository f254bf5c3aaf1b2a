"""Checkpoints of each format that was released are resumed."""

import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parent / "data"
MAKER = runpy.run_path(str(DATA / "make_checkpoints.py"))


@pytest.fixture
def kept(tmp_path):
    """A copy of a kept file."""
    return lambda name: shutil.copy(DATA / "checkpoints" / name, tmp_path)


def stored(name):
    with np.load(DATA / "checkpoints" / name, allow_pickle=False) as file:
        return dict(file)


def test_a_kept_checkpoint_of_sgd_is_resumed(kept):
    net, history = MAKER["sgd"](kept("1_sgd.npz"))
    arrays = stored("1_sgd.npz")
    assert history.training_cost == arrays["training_cost"].tolist()
    assert len(history.training_accuracy) == MAKER["EPOCHS"]
    assert np.array_equal(net.weights[1], arrays["best_weights_1"])
    _, longer = MAKER["sgd"](kept("1_sgd.npz"), 7)
    assert longer.training_cost[:4] == history.training_cost
    assert len(longer.training_cost) == 7


def test_a_kept_checkpoint_of_an_estimator_is_resumed(kept):
    pytest.importorskip("sklearn")
    made = MAKER["fit"](kept("1_fit.npz"))
    arrays = stored("1_fit.npz")
    assert made.loss_curve_ == arrays["training_loss"].tolist()
    assert np.array_equal(made.coefs_[0].T, arrays["best_weights_0"])
    assert MAKER["fit"](kept("1_fit.npz"), 7).loss_curve_[:4] == made.loss_curve_
