"""The estimators compute what scikit-learn's do: the same weights, but for rounding."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", "1.7", "scikit-learn 1.7, whose networks know sample_weight")

from sklearn import neural_network as theirs
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

import fastnet
from fastnet import sklearn as ours

X, LABELS = load_iris(return_X_y=True)
X, LABELS = X[:147], LABELS[:147]  # of 20, the last mini-batch has 7
WEIGHTS = np.random.default_rng(0).random(len(X))
TASKS = {
    "three classes": ("MLPClassifier", X, LABELS),
    "two classes": ("MLPClassifier", X, LABELS > 0),
    "several labels": ("MLPClassifier", X, np.array([LABELS > 0, LABELS == 1]).T.astype(int)),
    "one number": ("MLPRegressor", X[:, :3], X[:, 3]),
    "two numbers": ("MLPRegressor", X[:, :2], X[:, 2:]),
}
SOLVERS = {
    "plain": {"solver": "sgd", "momentum": 0},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "Nesterov": {"solver": "sgd"},
    "a rate that falls": {"solver": "sgd", "learning_rate": "invscaling"},
    # scikit-learn adds epsilon elsewhere, see below: so small, it is of no account in either
    "Adam": {"solver": "adam", "epsilon": 1e-20},
}


def fitted(library, task, fit=(), **options):
    name, inputs, targets = TASKS[task]
    options = {
        "hidden_layer_sizes": (7, 5),
        "alpha": 0.3,
        "batch_size": 20,
        "max_iter": 4,
        "random_state": 3,
        **options,
    }
    if library is ours:
        options["dtype"] = "float64"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return getattr(library, name)(**options).fit(inputs, targets, **dict(fit))


def assert_same_parameters(one, other, rtol):
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol / 100)


def pair(task, rtol=1e-10, fit=(), **options):
    """Both fitted alike, and checked that their weights have moved, and to the same place."""
    mine, original = (fitted(library, task, fit, **options) for library in (ours, theirs))
    start = fitted(ours, task, fit, **{**options, "solver": "sgd", "learning_rate_init": 1e-300})
    assert abs(mine.coefs_[0] - start.coefs_[0]).max() > 1e-3
    assert_same_parameters(mine, original, rtol)
    return mine, original


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_the_weights_are_scikit_learn_s_after_epochs_with_weight_decay(task, solver):
    mine, original = pair(task, learning_rate_init=0.02, **SOLVERS[solver])
    assert (mine.n_iter_, mine.t_, mine.n_layers_, mine.n_outputs_, mine.out_activation_) == (
        original.n_iter_, original.t_, original.n_layers_, original.n_outputs_,
        original.out_activation_,
    )  # fmt: skip


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ["logistic", "tanh"])
def test_so_are_those_of_other_activations_without_shuffling(activation, solver):
    pair(
        "three classes", activation=activation, learning_rate_init=0.02, shuffle=False,
        **SOLVERS[solver],
    )  # fmt: skip


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_so_are_those_of_weighted_examples(task, solver):
    pair(
        task, fit={"sample_weight": WEIGHTS}, learning_rate_init=0.02, **SOLVERS[solver]
    )  # fmt: skip


def test_one_step_on_all_examples_is_scikit_learn_s():
    pair("three classes", batch_size=147, max_iter=1, solver="sgd", learning_rate_init=0.5)


def test_adam_adds_epsilon_to_the_corrected_root():
    """scikit-learn adds it before the correction, which is an epsilon / sqrt(1 - beta_2^t)."""
    options = dict(task="three classes", batch_size=147, max_iter=1)
    mine = fitted(ours, **options, epsilon=0.01 / np.sqrt(1 - 0.999))
    assert_same_parameters(mine, fitted(theirs, **options, epsilon=0.01), rtol=1e-10)
    other = fitted(ours, **options, epsilon=0.01)
    assert abs(mine.coefs_[0] - other.coefs_[0]).max() > 1e-4


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_the_losses_are_scikit_learn_s(task, weights):
    """Its penalty is that of the weights before each step, in place of those after the epoch."""
    options = dict(solver="sgd", learning_rate_init=0.02, fit={"sample_weight": weights})
    mine, original = pair(task, alpha=0.0, **options)
    np.testing.assert_allclose(mine.loss_curve_, original.loss_curve_, rtol=1e-12)
    mine, original = pair(task, alpha=0.01, **options)
    np.testing.assert_allclose(mine.loss_curve_, original.loss_curve_, rtol=5e-3)
    assert mine.loss_curve_ != pair(task, alpha=0.0, **options)[0].loss_curve_


def test_the_poisson_loss_and_its_value_are_scikit_learn_s():
    options = dict(solver="sgd", learning_rate_init=0.01, loss="poisson", alpha=0.0)
    mine, original = pair("one number", **options)
    np.testing.assert_allclose(mine.loss_curve_, original.loss_curve_, rtol=1e-12)


@pytest.mark.parametrize("task", ["three classes", "two classes", "one number"])
@pytest.mark.parametrize("solver", ["Nesterov", "Adam"])
def test_training_ends_when_scikit_learn_s_does(task, solver):
    options = dict(
        learning_rate_init=0.05, max_iter=200, tol=0.01, n_iter_no_change=2, **SOLVERS[solver]
    )
    mine, original = pair(task, rtol=1e-6, alpha=1e-4, **options)
    assert 3 < mine.n_iter_ == original.n_iter_ < 200
    assert mine.best_loss_ == pytest.approx(original.best_loss_, rel=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_the_examples_held_out_and_their_scores_are_scikit_learn_s(task):
    options = dict(
        solver="sgd", early_stopping=True, learning_rate_init=0.02, max_iter=50, tol=0.01
    )
    mine, original = pair(task, n_iter_no_change=5, **options)
    assert mine.n_iter_ < 50
    np.testing.assert_allclose(mine.validation_scores_, original.validation_scores_, rtol=1e-10)
    assert mine.best_validation_score_ == pytest.approx(original.best_validation_score_, rel=1e-10)


def test_outputs_are_scikit_learn_s():
    for task in ("three classes", "two classes", "several labels"):
        mine, original = pair(task, solver="sgd", learning_rate_init=0.02)
        np.testing.assert_allclose(mine.predict_proba(X), original.predict_proba(X), rtol=1e-10)
        np.testing.assert_array_equal(mine.predict(X), original.predict(X))
        logs = original.predict_log_proba(X)
        np.testing.assert_allclose(mine.predict_log_proba(X), logs, rtol=1e-10)
        assert mine.predict(X).dtype == original.predict(X).dtype
    for task in ("one number", "two numbers"):
        mine, original = pair(task, solver="sgd", learning_rate_init=0.02)
        inputs = TASKS[task][1]
        assert mine.predict(inputs).shape == original.predict(inputs).shape
        np.testing.assert_allclose(mine.predict(inputs), original.predict(inputs), rtol=1e-9)


@pytest.mark.parametrize("solver", ["momentum", "Adam"])
def test_partial_fit_keeps_the_moments_as_scikit_learn_does(solver):
    options = dict(
        hidden_layer_sizes=(6,), batch_size=20, shuffle=False, random_state=0, **SOLVERS[solver]
    )
    mine, original = ours.MLPClassifier(dtype="float64", **options), theirs.MLPClassifier(**options)
    for part in (slice(0, 60), slice(40, 100), slice(100, 147)):
        for estimator in (mine, original):
            estimator.partial_fit(X[part], LABELS[part], classes=[0, 1, 2])
    assert_same_parameters(mine, original, rtol=1e-10)
    assert (mine.t_, len(mine.loss_curve_)) == (original.t_, 3)


def test_warm_start_trains_on_from_the_last_weights_as_scikit_learn_does():
    both = []
    for library in (ours, theirs):
        estimator = fitted(library, "three classes", solver="sgd", warm_start=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            both.append(estimator.fit(X, LABELS))
    assert_same_parameters(*both, rtol=1e-10)
    assert len(both[0].loss_curve_) == 8


def test_an_adaptive_rate_falls_when_scikit_learn_s_does():
    options = dict(
        solver="sgd", learning_rate="adaptive", tol=0.02, n_iter_no_change=1, max_iter=60
    )
    mine, original = pair("three classes", alpha=1e-4, learning_rate_init=0.05, **options)
    assert original._optimizer.learning_rate < 0.01
    assert mine.n_iter_ == original.n_iter_


def test_lambda_of_the_text_is_alpha_times_the_mini_batches_of_an_epoch():
    """The same network by ``Network.SGD`` where all mini-batches have one size."""
    mine = fitted(ours, "one number", solver="sgd", momentum=0, batch_size=21, max_iter=1)
    net = fastnet.Network([3, 7, 5, 1], "quadratic", output="linear", dtype="float64",
                          hidden="relu")  # fmt: skip
    start = fitted(ours, "one number", solver="sgd", momentum=0, batch_size=21, max_iter=1,
                   learning_rate_init=1e-300)  # fmt: skip
    net.weights, net.biases = start.network_.weights, start.network_.biases
    random = np.random.RandomState(3)
    for coef, intercept in zip(start.coefs_, start.intercepts_, strict=True):
        random.uniform(size=coef.size + intercept.size)
    order = random.permutation(147)
    for first in range(0, 147, 21):
        rows = order[first : first + 21]
        net.update_mini_batch((X[rows, :3], X[rows, 3:]), 0.001, lmbda=0.3 * 7, n=147)
    for one, other in zip(mine.network_.weights, net.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)
