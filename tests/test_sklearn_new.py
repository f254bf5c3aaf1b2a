"""What fastnet's estimators have and scikit-learn's have not; and what is refused."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss, make_scorer, r2_score, recall_score

import fastnet
from fastnet.sklearn import MLPClassifier, MLPRegressor

X, Y = load_iris(return_X_y=True)
rng = np.random.default_rng(0)
ORDER = rng.permutation(150)
TRAINING, HELD_OUT = ORDER[:100], ORDER[100:]
PART, REST = (X[TRAINING], Y[TRAINING]), (X[HELD_OUT], Y[HELD_OUT])


def fitted(data=PART, fit=(), kind=MLPClassifier, **told):
    told = {
        "hidden_layer_sizes": (20,), "max_iter": 30, "learning_rate_init": 0.01,
        "batch_size": 20, "random_state": 0, "dtype": "float64", **told,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(**told).fit(*data, **dict(fit))


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
    told = dict(hidden_layer_sizes=(5,), random_state=0)
    names = np.array(["a", "b", "c"])[Y]
    learner, expected = (
        MLPClassifier(class_weight={"b": 3.0, "c": 9.0}, **told),
        MLPClassifier(**told),
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


@pytest.mark.parametrize(
    ("labels", "given", "message"),
    [
        (Y, {0: -1}, r"class_weight\[0\]: expected a finite number of 0 or more, got -1"),
        (Y, {0: 1, 7: 2.0}, r"class_weight: expected classes among \[0 1 2\], got 7"),
        (Y, "blanced", "class_weight: expected a dict {class: weight}, 'balanced' or None; got 'b"),
        (Y, [{0: 1}], "class_weight: expected a dict {class: weight}, 'balanced' or None; got"),
        (
            Y,
            {0: 0, 1: 0, 2: 0},
            "class_weight: expected weights with a positive, finite sum, got 0",
        ),
        (
            np.eye(3, dtype=int)[Y],
            {0: 2},
            "class_weight: expected 'balanced', None, or a list with",
        ),
        (np.eye(3, dtype=int)[Y], [{2: 2}] * 3, r"class_weight\[0\]: expected classes among"),
    ],
)
def test_a_class_weight_that_does_not_fit_is_named(labels, given, message):
    with pytest.raises(ValueError, match="^" + message):
        fitted((X, labels), class_weight=given)


# ---- losses and outputs


@pytest.mark.parametrize(
    ("labels", "told", "n_outputs", "activation", "cost"),
    [
        (Y, {}, 3, "softmax", "LogLikelihoodCost"),
        (Y, {"output": "logistic"}, 3, "logistic", "CrossEntropyCost"),
        (Y, {"loss": "squared_error"}, 3, "logistic", "QuadraticCost"),
        (Y > 0, {}, 1, "logistic", "CrossEntropyCost"),
        (Y > 0, {"output": "softmax"}, 2, "softmax", "LogLikelihoodCost"),
        (Y > 0, {"loss": "squared_error"}, 1, "logistic", "QuadraticCost"),
    ],
)
def test_a_classifier_s_losses_and_outputs(labels, told, n_outputs, activation, cost):
    net = fitted((X, labels), max_iter=100, **told)
    assert (net.n_outputs_, net.out_activation_) == (n_outputs, activation)
    assert net.network_.cost.__name__ == cost
    probabilities = net.predict_proba(X)
    assert probabilities.shape == (150, len(net.classes_))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(net.classes_[probabilities.argmax(axis=1)], net.predict(X))
    assert net.score(X, labels) > 0.9
    assert net.loss_curve_[-1] < net.loss_curve_[0]


@pytest.mark.parametrize(
    ("told", "activation", "cost"),
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
def test_a_regressor_s_losses_and_outputs(told, activation, cost):
    targets = (X[:, 3] - 0.1) / 2.4  # from 0 to 1
    net = fitted((X[:, :3], targets), kind=MLPRegressor, max_iter=200, **told)
    assert net.out_activation_ == activation
    assert net.network_.cost.__name__ == cost
    assert net.score(X[:, :3], targets) > 0.85


def test_the_absolute_error_takes_no_notice_of_outliers():
    inputs = np.linspace(-1, 1, 200)[:, None]
    targets = inputs[:, 0].copy()
    targets[::10] += 100
    told = dict(kind=MLPRegressor, max_iter=200)
    robust = fitted((inputs, targets), loss="absolute_error", **told)
    squared = fitted((inputs, targets), **told)
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


@pytest.mark.parametrize("activation", ["leaky-relu", "gelu", "sigmoid"])
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
        assert net.predict_proba(X).dtype == net.coefs_[0].dtype == net.network_.dtype == dtype
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
    told = dict(early_stopping=True, max_iter=1000, n_iter_no_change=5)
    net = fitted(fit={"eval_set": REST}, eval_metric="loss", tol=0.0, **told)
    assert net.n_iter_ < 1000
    assert net.n_iter_ - 1 - int(np.argmax(net.validation_scores_)) == 6
    assert fitted(fit={"eval_set": REST}, **told).n_iter_ != net.n_iter_


def test_a_score_that_is_not_a_number_is_no_improvement():
    told = dict(early_stopping=True, n_iter_no_change=3, eval_metric=lambda *_: np.nan)
    assert fitted(fit={"eval_set": REST}, **told).n_iter_ == 4


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


# ---- what is refused


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"solver": "lbfgs"}, "solver: expected one of sgd, adam; got 'lbfgs', which needs"),
        ({"activation": "identity"}, "activation: expected one of logistic, tanh, relu, sigmoid, "),
        ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes: expected an integer over 0, or"),
        ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes: expected an integer over 0, or"),
        ({"alpha": -1}, "alpha: expected a finite number of 0 or more, got -1"),
        ({"batch_size": 0}, "batch_size: expected 1 or more, got 0"),
        ({"batch_size": "all"}, "batch_size: expected an integer or 'auto', got 'all'"),
        ({"learning_rate": "cosine"}, "learning_rate: expected one of constant, invscaling, "),
        ({"learning_rate_init": 0}, "learning_rate_init: expected a positive number, got 0"),
        ({"power_t": -1}, "power_t: expected a finite number"),
        ({"max_iter": 0}, "max_iter: expected 1 or more, got 0"),
        ({"shuffle": 1}, "shuffle: expected True or False, got 1"),
        ({"tol": np.inf}, "tol: expected a finite number"),
        ({"momentum": 1.0}, "momentum: expected a number from 0 to below 1, got 1.0"),
        ({"beta_2": 1.0}, "beta_2: expected a number from 0 to below 1, got 1.0"),
        ({"epsilon": 0}, "epsilon: expected a positive number, got 0"),
        ({"n_iter_no_change": 0}, "n_iter_no_change: expected 1 or more, got 0"),
        ({"validation_fraction": 0}, "validation_fraction: expected a positive number, got 0"),
        ({"validation_fraction": 0.001, "early_stopping": True}, "validation_fraction: expected"),
        ({"dropout": 1}, "dropout: expected a number from 0 to below 1, got 1"),
        ({"dtype": "float16"}, "dtype: expected one of auto, float32, float64; got 'float16'"),
        ({"loss": "hinge"}, "loss: expected one of log_loss, squared_error, or a cost class"),
        ({"output": "identity"}, "output: expected one of auto, softmax, logistic for the log_"),
        ({"output": "linear"}, "output: expected one of auto, identity, logistic, softmax, exp;"),
        ({"loss": "squared_error", "output": "softmax"}, "output: expected one of auto, logistic"),
        ({"eval_metric": "accurate"}, "eval_metric: expected 'loss', the name of a scorer"),
        ({"eval_metric": 3}, "eval_metric: expected 'loss', the name of a scorer"),
        ({"verbose": -1}, "verbose: expected 0"),
        ({"verbose": "much"}, "verbose: expected 0"),
        ({"random_state": "x"}, "'x' cannot be used to seed"),
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_fit_is_named(told, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        fitted(**told)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        ({"sample_weight": -np.ones(100)}, "sample_weight: expected finite numbers of 0 or more"),
        ({"sample_weight": np.zeros(100)}, ".*weight.*zero"),
        ({"eval_set": X}, "eval_set: expected a pair"),
        ({"eval_set": ([], [])}, "eval_set: "),
        ({"eval_set": [(X, Y), (X, Y)]}, "eval_set: expected one pair .*, got a list of pairs"),
        ({"eval_set": (X, Y + 1)}, r"eval_set: y: expected classes among \[0 1 2\], got \[3\]"),
        ({"eval_set": (X[:, :2], Y)}, "eval_set: X has 2 features"),
    ],
)
def test_so_is_an_argument_of_fit(fit, message):
    with pytest.raises((ValueError, TypeError), match=message):
        fitted(fit=fit)


def test_an_eval_set_may_be_of_lists():
    lists = fitted(fit={"eval_set": [REST[0].tolist(), REST[1].tolist()]})
    assert lists.history_ == fitted(fit={"eval_set": REST}).history_
    two = fitted(fit={"eval_set": (((5.0, 3.0, 1.0, 0.0), (6.0, 3.0, 5.0, 2.0)), (0, 2))})
    assert len(two.validation_scores_) == two.n_iter_


def test_early_stopping_needs_examples_on_both_sides():
    for n in (1, 2, 10):
        with pytest.raises(ValueError, match=rf"^validation_fraction: .*, got 0\.1 of {n}$"):
            MLPRegressor(early_stopping=True).fit(X[:n, :3], X[:n, 3])
    with pytest.raises(ValueError, match=r"^validation_fraction: .*, got 0\.95 of 3$"):
        MLPRegressor(early_stopping=True, validation_fraction=0.95).fit(X[:3, :3], X[:3, 3])


def test_a_part_without_any_weight_is_refused():
    told = dict(early_stopping=True, random_state=0)
    for example in range(10):  # of which some are held out, and then the others weigh nothing
        weights = np.zeros(150)
        weights[example] = 1
        for kind, data in ((MLPRegressor, (X, X[:, 3])), (MLPClassifier, (X, Y))):
            with pytest.raises(ValueError, match=r"^sample_weight, validation_fraction: expected"):
                kind(**told).fit(*data, sample_weight=weights)


def test_targets_that_fit_no_loss_are_refused():
    with pytest.raises(ValueError, match=r"^X, y: expected targets of 0 or more for the poisson"):
        fitted((X, X[:, 0] - 6), kind=MLPRegressor, loss="poisson")
    with pytest.raises(ValueError, match=r"^y: expected labels \(n,\), or zeros and ones"):
        fitted((X, np.array([Y, Y]).T))


def test_a_warm_start_needs_the_network_of_the_first_fit():
    net = fitted(warm_start=True)
    net.set_params(hidden_layer_sizes=(5,))
    with pytest.raises(ValueError, match=r"^warm_start, partial_fit: expected the network of the"):
        net.fit(*PART)
    with pytest.raises(ValueError, match=r"^y: expected classes among"):
        fitted(warm_start=True).fit(X, Y + 1)


def test_too_many_examples_in_a_mini_batch_are_warned_of():
    with pytest.warns(UserWarning, match=r"^batch_size: expected at most the 100 examples, got"):
        fitted(batch_size=1000)


def test_the_end_of_max_iter_is_warned_of_where_the_fit_was_called():
    for estimator in (MLPClassifier(max_iter=2), MLPRegressor(max_iter=2)):
        with pytest.warns(ConvergenceWarning, match=r"^max_iter: 2 epochs are over") as caught:
            estimator.fit(*PART)
        assert caught[0].filename == __file__


def test_a_divergence_is_an_error():
    with pytest.raises(fastnet.DivergenceError):
        fitted((X * 1e6, X[:, 0]), kind=MLPRegressor, solver="sgd", learning_rate_init=1e6)
    learner = MLPRegressor(solver="sgd", random_state=0).partial_fit(X[:, :3], X[:, 3])
    before = learner.coefs_[0].copy()
    with pytest.raises(fastnet.DivergenceError):
        learner.partial_fit(X[:, :3] * 1e200, X[:, 3])
    np.testing.assert_array_equal(learner.coefs_[0], before)
    assert learner.partial_fit(X[:, :3], X[:, 3]).loss_ < 10


# ---- what an error leaves behind


def wrong_metric(*_):
    raise ValueError("wrong")


@pytest.mark.parametrize(
    ("told", "fit", "message"),
    [
        ({"dropout": 1}, {}, "dropout: "),
        ({"solver": "lbfgs"}, {}, "solver: "),
        ({}, {"sample_weight": -np.ones(60)}, "sample_weight: "),
        ({}, {"eval_set": (X[:, :2], Y)}, "eval_set: "),
        ({"eval_metric": wrong_metric}, {"eval_set": (X[:10], Y[:10])}, "wrong"),
        ({"solver": "sgd", "learning_rate_init": 1e300}, {}, "epoch 1: "),
    ],
)
def test_a_fit_that_fails_leaves_the_estimator_as_it_was(told, fit, message):
    two = (X[:60] * (1e200 if "learning_rate_init" in told else 1), Y[:60])
    new = MLPClassifier(max_iter=5, random_state=0, dtype="float64").set_params(**told)
    attributes = dict(vars(new))
    with pytest.raises((ValueError, fastnet.DivergenceError), match=message):
        new.fit(*two, **fit)
    assert vars(new) == attributes
    old = fitted()
    outputs, attributes = old.predict_proba(X), dict(vars(old.set_params(**told)))
    with pytest.raises((ValueError, fastnet.DivergenceError), match=message):
        old.fit(*two, **fit)
    assert vars(old).keys() == attributes.keys()
    assert all(vars(old)[name] is it for name, it in attributes.items())
    np.testing.assert_array_equal(old.predict_proba(X), outputs)


def test_a_partial_fit_that_failed_can_be_corrected():
    learner = MLPClassifier(random_state=0, dropout=1)
    with pytest.raises(ValueError, match=r"^dropout: "):
        learner.partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(NotFittedError):
        learner.predict(X)
    learner.set_params(dropout=0.0).partial_fit(X, Y, classes=[0, 1, 2])
    expected = MLPClassifier(random_state=0).partial_fit(X, Y, classes=[0, 1, 2])
    np.testing.assert_array_equal(learner.coefs_[0], expected.coefs_[0])


def test_after_a_divergence_adam_begins_again():
    told = dict(random_state=0, shuffle=False, learning_rate_init=0.01, dtype="float64")
    learner = MLPRegressor(**told)
    for _ in range(5):
        learner.partial_fit(X[:, :3], X[:, 3])
    new = MLPRegressor(warm_start=True, max_iter=1, **told)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        new.fit(X[:, :3], X[:, 3])
        new.coefs_, new.intercepts_ = learner.coefs_, learner.intercepts_
        with pytest.raises(fastnet.DivergenceError):
            learner.partial_fit(X[:, :3] * 1e200, X[:, 3])
        learner.partial_fit(X[:, :3], X[:, 3])
        new.fit(X[:, :3], X[:, 3])
    np.testing.assert_array_equal(learner.coefs_[0], new.coefs_[0])
