"""Short epochs of fastnet's estimators, of which many are one call of the kernels."""

import itertools
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from fitted_estimators import PART, X, fitted
from sklearn.exceptions import ConvergenceWarning

import fastnet
from fastnet.core import reporting
from fastnet.sklearn import MLPClassifier, MLPRegressor

N = len(PART[0])


def left(estimator):
    """All that a training has left, and what the next one starts from."""
    solver = estimator._optimizer
    moments = solver._step_options.moments
    random = estimator._random_state.get_state()
    return {
        "parameters": estimator.network_._model.values.tobytes(),
        "moments": b"" if moments is None else moments.tobytes(),
        "steps": solver.t,
        "rate": solver._rate,
        "random": (random[1].tobytes(), random[2]),
        "losses": estimator.loss_curve_,
        "best": estimator.best_loss_,
        "epochs": (estimator.n_iter_, estimator.t_, estimator._no_improvement_count),
    }


@pytest.mark.parametrize(
    ("most", "options"),
    [
        (11, {}),
        (163, {"solver": "sgd", "tol": 1e-3, "max_iter": 300, "n_iter_no_change": 1000}),
        (11, {"solver": "sgd", "max_iter": 300, "tol": 1e-2}),
        (4, {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 3, "tol": 0.05}),
        (1, {"solver": "sgd", "learning_rate": "invscaling"}),
        (11, {"dropout": 0.3, "alpha": 0.1}),
        (11, {"shuffle": False, "momentum": 0.0, "solver": "sgd"}),
        (11, {"fit": {"sample_weight": np.linspace(0, 2, N)}}),
        (1, {"early_stopping": True}),
        (1, {"loss": type("Own", (fastnet.CrossEntropyCost,), {})}),
    ],
)  # fmt: skip
def test_epochs_leave_the_same_whether_they_are_one_call_or_many(calls, capsys, most, options):
    together = fitted(**options)
    assert max(passes for passes, _ in calls) == most
    calls.clear()
    alone = fitted(**options, verbose=1)
    assert {passes for passes, _ in calls} == {1}
    assert len(capsys.readouterr().out.splitlines()) >= alone.n_iter_ > 1
    assert left(together) == left(alone)


def test_no_epoch_is_trained_in_vain(calls):
    stopped = fitted(max_iter=300, tol=1e-2)
    assert len(calls) < sum(passes for passes, _ in calls) == stopped.n_iter_ < 300


def test_a_training_that_goes_on_counts_the_epochs_without_improvement(calls):
    both = [MLPClassifier(max_iter=20, random_state=0, warm_start=True, tol=1.0) for _ in range(2)]
    for estimator, verbose in zip(both, (0, 1), strict=True):
        for _ in range(3):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                estimator.set_params(verbose=verbose).fit(*PART)
    assert left(both[0]) == left(both[1])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_divergence_leaves_the_epochs_before(momentum):
    """A rate that is far too large: the error grows manyfold in each mini-batch."""
    found = []
    for verbose in (0, 1):
        learner = MLPRegressor(
            hidden_layer_sizes=(), solver="sgd", momentum=momentum, learning_rate_init=0.1,
            batch_size=10, n_iter_no_change=1000, dtype="float64", random_state=0,
            verbose=verbose,
        )  # fmt: skip
        with pytest.raises(fastnet.DivergenceError) as caught:
            learner.fit(X[:, :3] * 10, X[:, 3])
        found.append((caught.value.epoch, left(learner)))
    assert found[0] == found[1]
    assert found[0][0] == len(learner.loss_curve_) + 1 > 3


@pytest.mark.parametrize(("epochs", "mini_batches"), [(0, 1), (1, 2), (4, 3), (10, 4)])
def test_an_interrupt_leaves_the_epochs_and_mini_batches_done(always, epochs, mini_batches):
    found = []
    for verbose in (0, 1):  # a call of one epoch is not asked at its end, as those in between are
        asked = epochs * (4 if verbose else 5) + mini_batches
        times = itertools.count(1)
        before = reporting.stop_requested.set(lambda asked=asked, times=times: next(times) == asked)
        try:
            with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
                found.append(left(fitted(verbose=verbose)))
        finally:
            reporting.stop_requested.reset(before)
    assert found[0] == found[1]
    assert len(found[0]["losses"]) == epochs


def test_a_loss_beyond_the_range_of_float64_is_infinite():
    """Each mini-batch's costs are 4e307 in sum, those of an epoch 2e308."""
    options = {"solver": "sgd", "learning_rate_init": 1e-200, "max_iter": 2}
    learner = fitted((PART[0], np.full(N, 2e153)), kind=MLPRegressor, **options)
    assert learner.loss_curve_ == [np.inf] * 2
    smaller = fitted((PART[0], np.full(N, 1e153)), kind=MLPRegressor, **options)
    assert smaller.loss_curve_ == pytest.approx([5e305] * 2, rel=1e-12)
