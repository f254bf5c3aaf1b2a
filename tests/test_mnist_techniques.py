"""The book's results on regularization, on MNIST, over several seeds.

tests/mnist_techniques.json holds what tools/measure_regularization.py measured, seed by seed.
Here the first FASTNET_TEST_SEEDS of them (3 unless it is set, 5 at most; half as many for
the 60 epochs) are trained anew: to the same figures, since the bits are
the same, and so that a change of bits that is meant (and recorded anew) still has to give
what the book gives.
"""

import json
import os
import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fastnet.core import _kernels

pytestmark = pytest.mark.thorough

MEASURED = json.loads(Path(__file__).with_name("mnist_techniques.json").read_text())
TOOL = runpy.run_path(str(Path(__file__).parent.parent / "tools" / "measure_regularization.py"))
SEEDS = min(int(os.environ.get("FASTNET_TEST_SEEDS", "3")), 5)
HALF, TENTH = MEASURED["all"]  # eta
WITHOUT, WITH = MEASURED["few"]
SAME_BITS = _kernels.isa() != "baseline"


def over_seeds(job, seeds):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(job, range(seeds)))


def median_band(counts, seeds):
    """Four standard errors of a median over so many seeds around that of the counts.

    For a median of normally distributed numbers the error is sqrt(pi / 2) times a mean's.
    """
    error = np.sqrt(np.pi / 2 / seeds) * np.std(counts, ddof=1)
    return np.median(counts) - 4 * error, np.median(counts) + 4 * error


# ---- all training images: 97.9 and 98.04 %


@pytest.mark.parametrize(
    ("experiment", "seeds"),
    [(HALF, SEEDS), (TENTH, (SEEDS + 1) // 2)],
    ids=["eta 0.5, 30 epochs", "eta 0.1, 60 epochs"],
)
def test_a_hundred_neurons_with_l2_reach_what_they_reached_when_measured(experiment, seeds, mnist):
    training, validation, _ = mnist
    counts = over_seeds(
        lambda seed: TOOL["best_epoch"](training, validation, experiment, seed), seeds
    )
    if SAME_BITS:
        assert counts == experiment["best"][:seeds]
    low, high = median_band(experiment["best"], seeds)
    assert low <= np.median(counts) <= high, counts


# ---- 1,000 training images: overfitting and its cure


@pytest.fixture(scope="module")
def histories(mnist):
    """(without L2, with L2), a history for each seed."""
    training, _, test = mnist
    return [
        over_seeds(
            lambda seed, lmbda=experiment["lmbda"]: TOOL["curves"](training, test, lmbda, seed),
            SEEDS,
        )
        for experiment in (WITHOUT, WITH)
    ]


def test_the_curves_are_those_that_were_measured(histories):
    for experiment, of_seeds in zip((WITHOUT, WITH), histories, strict=True):
        judged = [TOOL["judged"](history) for history in of_seeds]
        if SAME_BITS:
            for figure in judged[0]:
                expected = pytest.approx(experiment[figure][:SEEDS], rel=1e-3)
                assert [one[figure] for one in judged] == expected
        low, high = median_band(experiment["best"], SEEDS)
        assert low <= np.median([one["best"] for one in judged]) <= high


def test_without_l2_all_training_images_are_learned_and_the_evaluation_stands_still(histories):
    for history in histories[0]:
        accuracy = history.evaluation_accuracy
        learned = history.training_accuracy.index(1000)
        assert learned < 200
        assert min(history.training_accuracy[200:]) == 1000
        assert max(accuracy) - max(accuracy[:200]) < 60
        assert np.ptp(accuracy[300:]) < 30


def test_without_l2_the_evaluation_cost_rises_while_the_accuracy_does_not_fall(histories):
    for history in histories[0]:
        cost = np.array(history.evaluation_cost)
        lowest = int(cost.argmin())
        assert lowest < 50
        assert cost[-1] > 1.25 * cost[lowest]
        assert (np.diff(cost[100::50]) > 0).all()
        assert history.evaluation_accuracy[-1] > history.evaluation_accuracy[lowest]


def test_with_l2_the_evaluation_goes_on_improving_and_ends_higher(histories):
    for without, with_l2 in zip(*histories, strict=True):
        accuracy = with_l2.evaluation_accuracy
        assert max(accuracy) - max(accuracy[:200]) > 60
        assert accuracy[-1] > max(without.evaluation_accuracy) + 250
