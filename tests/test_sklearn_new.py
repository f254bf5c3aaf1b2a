"""What fastnet's estimators have and scikit-learn's have not."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from fitted_estimators import PART, REST, X, Y, fitted, rng
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, make_scorer, r2_score, recall_score

import fastnet
from fastnet.nn import activations
from fastnet.sklearn import MLPClassifier, MLPRegressor

# ---- weights of classes


def test_class_weights_are_weights_of_the_examples():
    by_class = fitted(class_weight={0: 1.0, 2: 5.0})
    weights = np.where(PART[1] == 2, 5.0, 1.0)
    by_example = fitted(fit={"sample_weight": weights})
    both = fitted(class_weight={2: 2.5}, fit={"sample_weight": np.where(PART[1] == 2, 2.0, 1.0)})
    for one in (by_example, both):
        np.testing.assert_array_equal(one.coefs_[0], by_class.coefs_[0])
    assert (fitted().coefs_[0] != by_class.coefs_[0]).any()


def test_balanced_weights_find_the_rare_class():
    rare = np.r_[np.flatnonzero(Y == 1), np.flatnonzero(Y == 2)[:6]]
    data, labels = (X[rare], Y[rare]), Y[rare] == 2
    recalls = [
        recall_score(labels, fitted(data, class_weight=w, max_iter=15).predict(X[rare]) == 2)
        for w in (None, "balanced")
    ]
    assert recalls[1] > recalls[0] + 0.3
    strings = (X[rare], np.where(labels, "rare", "usual"))
    assert fitted(strings, class_weight={"rare": 1e9}).predict(X).tolist() == ["rare"] * 150


def test_balanced_weights_are_refused_by_partial_fit():
    with pytest.raises(ValueError, match=r"^class_weight: expected a dict or None for partial_fit"):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


def test_class_weights_count_where_a_batch_or_a_split_lacks_their_class():
    options = dict(hidden_layer_sizes=(5,), random_state=0)
    names = np.array(["a", "b", "c"])[Y]
    learner, expected = (
        MLPClassifier(class_weight={"b": 3.0, "c": 9.0}, **options),
        MLPClassifier(**options),
    )
    for part in (Y < 1, Y < 2, Y > 0):
        weights = np.array([1.0, 3.0, 9.0])[Y[part]]
        learner.partial_fit(X[part], names[part], classes=["a", "b", "c"])
        expected.partial_fit(X[part], names[part], weights, classes=["a", "b", "c"])
    np.testing.assert_array_equal(learner.coefs_[0], expected.coefs_[0])
    # a fold without the class 2, of a dict that names all
    two = (X[Y < 2], Y[Y < 2])
    fold = fitted(two, class_weight={0: 1.0, 1: 3.0, 2: 9.0})
    np.testing.assert_array_equal(fold.coefs_[0], fitted(two, class_weight={1: 3.0}).coefs_[0])


def test_several_labels_have_class_weights_each():
    labels = np.c_[Y == 0, Y > 1].astype(int)
    by_class = fitted((X, labels), class_weight=[{1: 3.0}, {0: 2.0, 1: 5.0}])
    weights = np.where(Y == 0, 3.0, 1.0) * np.where(Y > 1, 5.0, 2.0)
    expected = fitted((X, labels), fit={"sample_weight": weights})
    np.testing.assert_array_equal(by_class.coefs_[0], expected.coefs_[0])
    one = MLPClassifier(class_weight=[{1: 3.0}, None], random_state=0)
    one.partial_fit(X[:50], labels[:50], classes=[0, 1])
    assert one.n_outputs_ == 2


# ---- losses and outputs


@pytest.mark.parametrize(
    ("labels", "options", "n_outputs", "activation", "cost"),
    [
        (Y, {}, 3, "softmax", "LogLikelihoodCost"),
        (Y, {"output": "logistic"}, 3, "logistic", "CrossEntropyCost"),
        (Y, {"loss": "squared_error"}, 3, "logistic", "QuadraticCost"),
        (Y > 0, {}, 1, "logistic", "CrossEntropyCost"),
        (Y > 0, {"output": "softmax"}, 2, "softmax", "LogLikelihoodCost"),
        (Y > 0, {"loss": "squared_error"}, 1, "logistic", "QuadraticCost"),
    ],
)
def test_a_classifier_s_losses_and_outputs(labels, options, n_outputs, activation, cost):
    net = fitted((X, labels), max_iter=100, **options)
    assert (net.n_outputs_, net.out_activation_) == (n_outputs, activation)
    assert net.network_.cost.__name__ == cost
    probabilities = net.predict_proba(X)
    assert probabilities.shape == (150, len(net.classes_))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(net.classes_[probabilities.argmax(axis=1)], net.predict(X))
    assert net.score(X, labels) > 0.9
    assert net.loss_curve_[-1] < net.loss_curve_[0]


@pytest.mark.parametrize(
    ("options", "activation", "cost"),
    [
        ({}, "identity", "QuadraticCost"),
        ({"output": "logistic"}, "logistic", "QuadraticCost"),
        ({"loss": "log_loss"}, "logistic", "CrossEntropyCost"),
        ({"loss": "absolute_error"}, "identity", "AbsoluteCost"),
        ({"loss": "huber"}, "identity", "HuberCost"),
        ({"loss": "poisson"}, "exp", "PoissonCost"),
        ({"loss": fastnet.HuberCost, "output": "identity"}, "identity", "HuberCost"),
    ],
)
def test_a_regressor_s_losses_and_outputs(options, activation, cost):
    targets = (X[:, 3] - 0.1) / 2.4  # from 0 to 1
    net = fitted((X[:, :3], targets), kind=MLPRegressor, max_iter=200, **options)
    assert net.out_activation_ == activation
    assert net.network_.cost.__name__ == cost
    assert net.score(X[:, :3], targets) > 0.85


def test_the_absolute_error_takes_no_notice_of_outliers():
    inputs = np.linspace(-1, 1, 200)[:, None]
    targets = inputs[:, 0].copy()
    targets[::10] += 100
    options = dict(kind=MLPRegressor, max_iter=200)
    robust = fitted((inputs, targets), loss="absolute_error", **options)
    squared = fitted((inputs, targets), **options)
    assert r2_score(inputs[:, 0], robust.predict(inputs)) > 0.9
    assert r2_score(inputs[:, 0], squared.predict(inputs)) < 0


def test_a_cost_class_of_the_user_s_own_is_a_loss():
    class Fourth:
        @staticmethod
        def fn(a, y):
            return float(((a - y) ** 4).sum() / 4)

        @staticmethod
        def delta(z, a, y):
            return (a - y) ** 3

    targets = X[:, 3]
    net = fitted((X[:, :3], targets), kind=MLPRegressor, loss=Fourth, max_iter=100)
    assert net.network_.cost is Fourth
    expected = Fourth.fn(net.predict(X[:, :3]), targets) / 150
    penalty = 0.5e-4 * sum((w**2).sum() for w in net.coefs_) * 8 / 150
    assert net.loss_ == pytest.approx(expected + penalty, rel=1e-10)


def test_dropout_leaves_neurons_out_and_is_repeatable():
    one, two = fitted(dropout=0.5), fitted(dropout=[0.5])
    np.testing.assert_array_equal(one.coefs_[0], two.coefs_[0])
    assert (one.coefs_[0] != fitted(dropout=0.4).coefs_[0]).any()
    assert fitted(dropout=0.2, max_iter=100).score(*REST) > 0.9


@pytest.mark.parametrize("activation", activations.HIDDEN)
def test_fastnet_s_activations_are_there(activation):
    net = fitted(activation=activation, max_iter=100)
    assert net.network_.hidden == [activation]
    assert net.score(*REST) > 0.9


def test_the_type_is_float32_for_mini_batches_and_float64_for_one_of_all_examples():
    for data, batch_size, dtype in (
        (PART, 20, np.float32),
        (PART, "auto", np.float64),
        ((X.astype(np.float32), Y), "auto", np.float32),
    ):
        net = fitted(data, dtype="auto", batch_size=batch_size)
        assert net.coefs_[0].dtype == net.network_.dtype == dtype
    single, double = (fitted(dtype=dtype) for dtype in ("float32", "float64"))
    assert (single.network_.dtype, double.network_.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-3)


def test_bytes_are_taken_as_they_lie():
    pixels = rng.integers(0, 256, (100, 20), np.uint8)
    labels = (pixels[:, 0] > 127).astype(int)
    by_bytes, by_numbers = fitted((pixels, labels)), fitted((pixels.astype(float), labels))
    np.testing.assert_array_equal(by_bytes.coefs_[0], by_numbers.coefs_[0])


# ---- held-out examples


def test_the_losses_of_each_epoch_are_in_the_history():
    net = fitted(fit={"eval_set": REST}, alpha=0.0)
    assert set(net.history_) == {"training_loss", "validation_loss", "validation_score"}
    assert {len(figures) for figures in net.history_.values()} == {net.n_iter_}
    assert net.history_["training_loss"] == net.loss_curve_
    assert net.history_["validation_score"] == net.validation_scores_
    best = int(np.argmax(net.validation_scores_))
    measured = log_loss(REST[1], net.predict_proba(REST[0]))
    assert net.history_["validation_loss"][best] == pytest.approx(measured, rel=1e-10)
    # of one mini-batch the cost before its step, which is the one after the epoch before
    net = fitted(alpha=0.0, batch_size=100, max_iter=4)
    measured = log_loss(PART[1], net.predict_proba(PART[0]))
    assert fitted(alpha=0.0, batch_size=100, max_iter=5).loss_ == pytest.approx(measured, rel=1e-10)
    assert set(fitted().history_) == {"training_loss"}


def test_the_weights_of_the_best_epoch_are_restored():
    scores = [0.1, 0.9, 0.5, 0.9, 0.2]
    seen = []

    def metric(estimator, inputs, labels):
        seen.append(estimator.coefs_[0].copy())
        return scores[len(seen) - 1]

    net = fitted(fit={"eval_set": REST}, eval_metric=metric, max_iter=5)
    assert net.validation_scores_ == scores
    assert net.best_validation_score_ == 0.9
    np.testing.assert_array_equal(net.coefs_[0], seen[1])
    assert (seen[1] != seen[4]).any()


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (None, lambda net: net.score(*REST)),
        ("accuracy", lambda net: net.score(*REST)),
        ("neg_log_loss", lambda net: -log_loss(REST[1], net.predict_proba(REST[0]))),
        ("loss", lambda net: -log_loss(REST[1], net.predict_proba(REST[0]))),
        (
            make_scorer(recall_score, average="macro"),
            lambda net: recall_score(REST[1], net.predict(REST[0]), average="macro"),
        ),
    ],
    ids=["none", "accuracy", "neg_log_loss", "loss", "scorer"],
)
def test_the_score_is_the_metric_that_was_chosen(metric, expected):
    net = fitted(fit={"eval_set": REST}, eval_metric=metric)
    assert net.best_validation_score_ == pytest.approx(expected(net), rel=1e-10)
    assert net.best_validation_score_ == max(net.validation_scores_)


def test_early_stopping_follows_the_metric_on_the_eval_set():
    options = dict(early_stopping=True, max_iter=1000, n_iter_no_change=5)
    net = fitted(fit={"eval_set": REST}, eval_metric="loss", tol=0.0, **options)
    assert net.n_iter_ < 1000
    assert net.n_iter_ - 1 - int(np.argmax(net.validation_scores_)) == 6
    assert fitted(fit={"eval_set": REST}, **options).n_iter_ != net.n_iter_


def test_a_score_that_is_not_a_number_is_no_improvement():
    options = dict(early_stopping=True, n_iter_no_change=3, eval_metric=lambda *_: np.nan)
    assert fitted(fit={"eval_set": REST}, **options).n_iter_ == 4


def test_the_history_of_a_warm_start_has_lists_of_one_length():
    net = fitted(warm_start=True, max_iter=3)
    with pytest.warns(ConvergenceWarning):
        net.fit(*PART, eval_set=REST)
    with pytest.warns(ConvergenceWarning):
        net.fit(*PART)
    assert {len(figures) for figures in net.history_.values()} == {9}
    for name in ("validation_loss", "validation_score"):
        missing = np.isnan(net.history_[name])
        assert missing.tolist() == [True] * 3 + [False] * 3 + [True] * 3
    assert len(net.validation_scores_) == 3


def test_without_any_score_the_last_weights_are_kept():
    net = fitted(fit={"eval_set": REST}, eval_metric=lambda *_: np.nan)
    np.testing.assert_array_equal(net.coefs_[0], fitted().coefs_[0])


def test_a_regressor_has_held_out_examples_too():
    data, rest = (X[:100, :3], X[:100, 3]), (X[100:, :3], X[100:, 3])
    net = fitted(data, kind=MLPRegressor, fit={"eval_set": rest}, eval_metric="r2")
    plain = fitted(data, kind=MLPRegressor, fit={"eval_set": rest})
    np.testing.assert_allclose(net.validation_scores_, plain.validation_scores_, rtol=1e-12)
    assert net.score(*rest) == pytest.approx(max(net.validation_scores_))
