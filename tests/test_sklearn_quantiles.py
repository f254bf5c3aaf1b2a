"""``MLPRegressor(loss="quantile", quantile=...)``: prediction intervals, beside scikit-learn."""

import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import d2_pinball_score, make_scorer, mean_pinball_loss, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastnet
from fastnet.sklearn import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

INTERVAL = [0.05, 0.5, 0.95]
SMALL = dict(hidden_layer_sizes=(30,), activation="tanh", learning_rate_init=0.01, batch_size=100)
SOLVERS = {
    "adam": dict(max_iter=200, learning_rate_init=0.002),
    "early stopping": dict(early_stopping=True, learning_rate_init=0.002),
    "lbfgs": dict(solver="lbfgs", max_iter=1000),
}


def noisy(n, seed):
    """A sine with noise whose deviation grows from 0.1 to 0.9: (X, y)."""
    random = np.random.default_rng(seed)
    X = random.uniform(-1, 1, (n, 1))
    return X, np.sin(3 * X[:, 0]) + (0.5 + 0.4 * X[:, 0]) * random.standard_normal(n)


def fitted(quantile=INTERVAL, n=600, **more):
    options = {**SMALL, "max_iter": 20, "random_state": 0, **more}
    return MLPRegressor("quantile", quantile=quantile, **options).fit(*noisy(n, 0))


# ---- coverage


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_90_percent_interval_covers_86_to_94_percent_of_held_out_examples(solver, seed):
    """The bound is 4 standard errors. Of 2,000 held-out examples a true interval covers 90 % with
    a standard error of sqrt(0.09 / 2000) = 0.7 %; that it is learned from 4,000 examples adds
    sqrt(0.09 / 4000) = 0.5 %, as for sample quantiles: 0.82 % together. Over 40 seeds the standard
    deviation was 0.81 % for L-BFGS, and 1.0 % for Adam, whose last mini-batches add noise."""
    X, y = noisy(4000, seed)
    X_test, y_test = noisy(2000, 100 + seed)
    regressor = MLPRegressor(
        "quantile", quantile=INTERVAL, random_state=seed, **SMALL | SOLVERS[solver]
    )
    low, middle, high = regressor.fit(X, y).predict(X_test).T
    covered = np.mean((low <= y_test) & (y_test <= high))
    assert 0.86 < covered < 0.94
    if solver == "lbfgs":  # 4 sqrt(0.25 / 2000 + 0.25 / 4000)
        assert np.mean(y_test <= middle) == pytest.approx(0.5, abs=0.055)


def test_intervals_are_wide_where_the_noise_is_and_cover_both_halves():
    """An interval of constant width would cover 100 % where the noise is small."""
    X, y = noisy(4000, 0)
    X_test, y_test = noisy(4000, 100)
    regressor = MLPRegressor(
        "quantile", quantile=INTERVAL, random_state=0, **SMALL | SOLVERS["lbfgs"]
    )
    low, _, high = regressor.fit(X, y).predict(X_test).T
    inside = (low <= y_test) & (y_test <= high)
    for half in (X_test[:, 0] < 0, X_test[:, 0] >= 0):
        assert 0.85 < inside[half].mean() < 0.95
    at = [float(np.diff(regressor.predict([[x]])[0, [0, 2]])[0]) for x in (-0.8, 0.8)]
    true = [2 * 1.6449 * (0.5 + 0.4 * x) for x in (-0.8, 0.8)]  # between the normal's quantiles
    assert at == pytest.approx(true, rel=0.3)


# ---- the loss


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("quantile", [0.2, INTERVAL])
def test_the_loss_is_scikit_learn_s_mean_pinball_loss_summed_over_the_quantiles(quantile, weighted):
    X, y = noisy(300, 0)
    weights = np.random.default_rng(1).uniform(0, 2, 300) if weighted else None
    regressor = MLPRegressor(
        "quantile", quantile=quantile, alpha=0, solver="lbfgs", max_iter=15, random_state=0
    ).fit(X, y, sample_weight=weights)
    predicted = regressor.predict(X).reshape(300, -1)
    losses = [
        mean_pinball_loss(y, each, alpha=q, sample_weight=weights)
        for q, each in zip(np.atleast_1d(quantile), predicted.T, strict=True)
    ]
    assert regressor.loss_ == pytest.approx(sum(losses), rel=1e-12)
    assert predicted.std() > 0
    data = fastnet.Dataset(X, y[:, None])
    if not weighted:
        assert regressor.network_.total_cost(data, 0.0) == pytest.approx(sum(losses), rel=1e-12)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_without_hidden_layers_it_finds_the_lines_of_scikit_learn_s_quantile_regressor(quantile):
    """The data have a kink in the loss at each example, so that L-BFGS comes near only."""
    X, y = noisy(500, 3)
    exact = QuantileRegressor(quantile=quantile, alpha=0).fit(X, y)
    ours = MLPRegressor(
        "quantile", (), quantile=quantile, alpha=0, random_state=0, learning_rate_init=0.01,
        max_iter=1000, n_iter_no_change=100, tol=0, batch_size=500,
    ).fit(X, y)  # fmt: skip
    least = mean_pinball_loss(y, exact.predict(X), alpha=quantile)
    assert least <= mean_pinball_loss(y, ours.predict(X), alpha=quantile) < 1.001 * least + 1e-12
    assert ours.coefs_[0].item() == pytest.approx(exact.coef_[0], abs=0.1)


def test_sorted_quantiles_do_not_cross_and_cost_no_more():
    """The rearrangement of Chernozhukov, Fernández-Val and Galichon (2010)."""
    quantile = np.linspace(0.05, 0.95, 19).tolist()
    predicted = fitted(quantile, n=200, max_iter=5).predict(noisy(500, 1)[0])
    ordered = np.sort(predicted, axis=1)
    assert (np.diff(predicted, axis=1) < 0).any()
    assert (np.diff(ordered, axis=1) >= 0).all()

    def loss(each):
        y = noisy(500, 1)[1]
        return sum(
            mean_pinball_loss(y, one, alpha=q) for q, one in zip(quantile, each.T, strict=True)
        )

    assert loss(ordered) < loss(predicted)


# ---- shapes and scores


def test_predictions_have_a_column_for_each_quantile_in_their_order():
    X, _ = noisy(50, 1)
    assert fitted(0.9).predict(X).shape == (50,)
    assert fitted([0.9]).predict(X).shape == (50,)
    np.testing.assert_array_equal(fitted([0.9]).predict(X), fitted(0.9).predict(X))
    two = fitted([0.95, 0.05], max_iter=100)
    predicted = two.predict(X)
    assert predicted.shape == (50, 2)
    assert predicted[:, 0].mean() > predicted[:, 1].mean()
    assert two.n_outputs_ == 2
    assert two.network_.cost == fastnet.QuantileCost([0.95, 0.05])
    np.testing.assert_allclose(two.network_.feedforward(X), predicted, rtol=1e-5, atol=1e-6)


def test_one_quantile_is_that_of_all_targets_and_several_may_be_of_one_target_each():
    X, y = noisy(600, 0)
    targets = np.stack([y, y + 3], axis=1)
    options = dict(SMALL, max_iter=60, random_state=0)
    for quantile in (0.9, [0.9, 0.1]):
        regressor = MLPRegressor("quantile", quantile=quantile, **options).fit(X, targets)
        below = (targets <= regressor.predict(X)).mean(axis=0)
        np.testing.assert_allclose(below, np.broadcast_to(quantile, 2), atol=0.06)
        expected = r2_score(targets, regressor.predict(X))
        assert regressor.score(X, targets) == pytest.approx(expected, rel=1e-12)


def test_the_score_of_one_quantile_is_r2_and_of_several_the_mean_d2():
    X, y = noisy(300, 1)
    weights = np.random.default_rng(1).uniform(0, 2, 300)
    one, several = fitted(0.9), fitted(max_iter=60)
    assert one.score(X, y, weights) == r2_score(y, one.predict(X), sample_weight=weights)
    expected = np.mean([
        d2_pinball_score(y, each, alpha=q, sample_weight=weights)
        for q, each in zip(INTERVAL, several.predict(X).T, strict=True)
    ])  # fmt: skip
    assert several.score(X, y, weights) == pytest.approx(expected, rel=1e-12)
    assert 0.2 < expected < 1
    assert several.score(X, y) == several.score(X, y[:, None])


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("quantile", [0.95, [0.95, 0.05]], ids=str)
def test_early_stopping_chooses_the_epoch_with_the_best_d2_of_the_quantiles(quantile, n):
    """By R^2, which is largest for the mean, 0.95 of one target would become a quantile near the
    middle."""
    X, y = noisy(4000, 0)
    X_test, y_test = noisy(2000, 1)
    y, y_test = (each if n == 1 else np.stack([each, 1 - each], axis=1) for each in (y, y_test))
    regressor = MLPRegressor(
        "quantile", quantile=quantile, early_stopping=True, random_state=0, **SMALL
    ).fit(X, y, eval_set=(X_test, y_test))
    predicted = regressor.predict(X_test).reshape(2000, -1)
    n_out = predicted.shape[1]
    targets = np.broadcast_to(y_test.reshape(2000, -1), (2000, n_out))
    quantiles = np.broadcast_to(quantile, n_out)
    expected = np.mean([
        d2_pinball_score(targets[:, j], predicted[:, j], alpha=quantiles[j]) for j in range(n_out)
    ])  # fmt: skip
    assert regressor.best_validation_score_ == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose((targets <= predicted).mean(axis=0), quantiles, atol=0.03)


def test_a_warm_start_with_another_quantile_is_refused_with_both():
    regressor = fitted(0.1, warm_start=True).set_params(quantile=0.9)
    words = r"^warm_start.* quantile:0\.1 cost.*, got .* linear outputs, quantile:0\.9 cost$"
    with pytest.raises(ValueError, match=words):
        regressor.fit(*noisy(600, 0))


# ---- with the rest of scikit-learn


def test_the_default_is_the_median_by_the_class_and_by_the_name():
    X, y = noisy(200, 0)
    fits = [
        MLPRegressor(loss, random_state=0, max_iter=5, **SMALL).fit(X, y)
        for loss in ("quantile", fastnet.QuantileCost, fastnet.QuantileCost(0.5))
    ]
    assert fits[0].network_ == fits[1].network_ == fits[2].network_
    assert MLPRegressor().quantile == 0.5


def test_a_cost_object_with_quantiles_is_the_same_as_the_parameter():
    X, y = noisy(200, 0)
    by_object = MLPRegressor(
        fastnet.QuantileCost(INTERVAL), random_state=0, max_iter=5, **SMALL
    ).fit(X, y)
    by_name = fitted(n=200, max_iter=5)
    assert by_object.network_ == by_name.network_
    assert by_object.score(X, y) == by_name.score(X, y)


def test_the_parameter_counts_for_the_loss_quantile_only():
    X, y = noisy(200, 0)
    options = dict(SMALL, random_state=0, max_iter=5)
    usual = MLPRegressor(**options).fit(X, y)
    assert MLPRegressor(quantile=INTERVAL, **options).fit(X, y).network_ == usual.network_


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_clones_pickles_and_copies_of_parameters_keep_the_quantiles(solver):
    X, y = noisy(300, 0)
    regressor = MLPRegressor(
        "quantile", quantile=INTERVAL, solver=solver, max_iter=5, random_state=0
    ).fit(X, y)
    again = clone(regressor)
    assert again.get_params()["quantile"] == INTERVAL
    np.testing.assert_array_equal(again.fit(X, y).predict(X), regressor.predict(X))
    kept = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(kept.predict(X), regressor.predict(X))
    assert "quantile=[0.05, 0.5, 0.95]" in repr(regressor)
    regressor.set_params(quantile=0.1)
    assert regressor.fit(X, y).predict(X).shape == (300,)


def test_a_state_without_the_parameter_has_the_default():
    regressor = MLPRegressor(max_iter=5, random_state=0).fit(*noisy(100, 0))
    state = dict(regressor.__getstate__())
    del state["quantile"]
    old = MLPRegressor.__new__(MLPRegressor)
    old.__setstate__(state)
    assert old.quantile == 0.5
    assert clone(old).get_params() == regressor.get_params()


def test_searches_and_cross_validation_take_several_quantiles():
    X, y = noisy(300, 0)
    regressor = MLPRegressor("quantile", quantile=INTERVAL, max_iter=30, random_state=0, **SMALL)
    search = GridSearchCV(regressor, {"quantile": [0.1, 0.5, 0.9]}, cv=2, scoring=make_scorer(
        mean_pinball_loss, greater_is_better=False, alpha=0.9)).fit(X, y)  # fmt: skip
    assert search.best_params_ == {"quantile": 0.9}
    scores = cross_val_score(regressor, X, y, cv=3)
    assert scores.shape == (3,)
    assert ((scores > 0) & (scores < 1)).all()
    assert cross_val_predict(regressor, X, y, cv=3).shape == (300, 3)
    pipeline = make_pipeline(StandardScaler(), regressor).fit(X, y)
    assert pipeline.predict(X).shape == (300, 3)


@pytest.mark.parametrize("metric", [None, "loss", "own"])
def test_held_out_examples_choose_the_epoch_by_any_metric(metric):
    X, y = noisy(600, 0)
    X_test, y_test = noisy(300, 1)

    def own(estimator, X, y):
        return -mean_pinball_loss(y, estimator.predict(X)[:, 2], alpha=0.95)

    regressor = MLPRegressor(
        "quantile", quantile=INTERVAL, eval_metric=own if metric == "own" else metric,
        early_stopping=True, max_iter=40, random_state=0, **SMALL,
    ).fit(X, y, eval_set=(X_test, y_test))  # fmt: skip
    best = max(regressor.history_["validation_score"])
    now = {
        None: regressor.score(X_test, y_test),
        "loss": -regressor.network_.total_cost((X_test, y_test[:, None]), 0.0),
        "own": own(regressor, X_test, y_test),
    }[metric]
    assert best == regressor.best_validation_score_ == pytest.approx(now, rel=1e-5)
    assert len(set(regressor.history_["validation_score"])) > 5


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_weights_of_zero_leave_examples_out(solver):
    X, y = noisy(200, 0)
    outside = np.concatenate([X, X]), np.concatenate([y, y + 100])
    weights = np.repeat([1.0, 0.0], 200)
    options = dict(quantile=INTERVAL, solver=solver, max_iter=10, random_state=0, batch_size=400,
                   shuffle=False, dtype="float64", alpha=0)  # fmt: skip
    weighted = MLPRegressor("quantile", **options).fit(*outside, sample_weight=weights)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Got `batch_size`")
        alone = MLPRegressor("quantile", **options).fit(X, y)
    np.testing.assert_allclose(weighted.predict(X), alone.predict(X), rtol=1e-6, atol=1e-8)


def test_partial_fit_and_warm_start_continue_with_the_same_quantiles_only():
    X, y = noisy(200, 0)
    regressor = MLPRegressor("quantile", quantile=INTERVAL, random_state=0, **SMALL)
    first = regressor.partial_fit(X, y).predict(X)
    assert not np.array_equal(regressor.partial_fit(X, y).predict(X), first)
    regressor.set_params(quantile=[0.1, 0.5, 0.9])
    with pytest.raises(ValueError, match=r"^warm_start, partial_fit: expected the network of the"):
        regressor.partial_fit(X, y)


# ---- wrong parameters


@pytest.mark.parametrize("loss", ["quantile", "squared_error"])
@pytest.mark.parametrize(
    ("quantile", "words"),
    [
        (0, r"^quantile: expected a positive number, got 0$"),
        (1.0, r"^quantile: expected a number over 0 and below 1, got 1.0$"),
        ("0.5", r"^quantile: expected a number"),
        (None, r"^quantile: expected a number"),
        ([], r"^quantile: expected a number, or one for each output, got \[\]$"),
        ([0.1, 2], r"^quantile\[1\]: expected a number over 0 and below 1, got 2$"),
    ],
)
def test_a_wrong_quantile_is_refused_by_name_before_training(quantile, words, loss):
    regressor = MLPRegressor(loss, quantile=quantile)
    with pytest.raises((TypeError, ValueError), match=words):
        regressor.fit(*noisy(20, 0))
    assert not hasattr(regressor, "network_")


@pytest.mark.parametrize("loss", ["quantile", fastnet.QuantileCost(INTERVAL)])
def test_another_number_of_quantiles_than_targets_is_refused(loss):
    X, y = noisy(20, 0)
    regressor = MLPRegressor(loss, quantile=INTERVAL)
    name = "quantile" if isinstance(loss, str) else "loss"
    words = rf"^{name}: expected one quantile for all 2 targets, or one for each, got 3: "
    with pytest.raises(ValueError, match=words):
        regressor.fit(X, np.stack([y, y], axis=1))


@pytest.mark.parametrize("output", ["logistic", "exp"])
def test_quantiles_have_linear_outputs(output):
    with pytest.raises(ValueError, match=r"output: expected one of auto, identity|does not go"):
        MLPRegressor("quantile", quantile=INTERVAL, output=output).fit(*noisy(20, 0))
