"""What fastnet's estimators refuse, and what an error leaves behind."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import scipy.sparse
from fitted_estimators import PART, REST, X, Y, fitted
from sklearn import neural_network as theirs
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import fastnet
from fastnet import sklearn as ours
from fastnet.nn import optimizers
from fastnet.sklearn import MLPClassifier, MLPRegressor

SOLVERS = ", ".join(one.sklearn_name for one in optimizers.CLASSES)

# ---- what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "newton"}, f"solver: expected one of {SOLVERS}, lbfgs; got 'newton'"),
        ({"activation": "cube"}, "activation: expected one of logistic, identity, tanh, relu, "),
        ({"solver": "lbfgs", "dropout": 0.2}, "dropout: expected 0 for the solver 'lbfgs'"),
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
        ({"max_fun": 0}, "max_fun: expected 1 or more, got 0"),
        ({"max_fun": 1e4}, "max_fun: expected an integer, got 10000.0"),
        ({"epsilon": 1e-40, "dtype": "float32"}, "epsilon: expected at least 1.18e-38 in float32"),
        ({"loss": "hinge"}, "loss: expected one of log_loss, squared_error, or a cost class"),
        ({"output": "identity"}, "output: expected one of auto, softmax, logistic for the log_"),
        ({"output": "linear"}, "output: expected one of auto, logistic, softmax, identity, exp;"),
        ({"loss": "squared_error", "output": "softmax"}, "output: expected one of auto, logistic"),
        ({"eval_metric": "accurate"}, "eval_metric: expected 'loss', the name of a scorer"),
        ({"eval_metric": 3}, "eval_metric: expected 'loss', the name of a scorer"),
        ({"verbose": -1}, "verbose: expected 0"),
        ({"verbose": "much"}, "verbose: expected 0"),
        ({"random_state": "x"}, "'x' cannot be used to seed"),
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_fit_is_named(options, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        fitted(**options)
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
    options = dict(early_stopping=True, random_state=0)
    for example in range(10):  # of which some are held out, and then the others weigh nothing
        weights = np.zeros(150)
        weights[example] = 1
        for kind, data in ((MLPRegressor, (X, X[:, 3])), (MLPClassifier, (X, Y))):
            with pytest.raises(ValueError, match=r"^sample_weight, validation_fraction: expected"):
                kind(**options).fit(*data, sample_weight=weights)


def test_targets_that_fit_no_loss_are_refused():
    with pytest.raises(ValueError, match=r"^y: expected targets of 0 or more for the poisson"):
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
    with pytest.warns(
        UserWarning, match=r"^Got `batch_size` less than 1 or larger than sample size"
    ):
        fitted(batch_size=1000)


SCIKIT_LEARN_S = (
    r"^Stochastic Optimizer: Maximum iterations \(2\) reached and the optimization hasn't "
    r"converged yet\."
)


def test_the_end_of_max_iter_is_warned_of_where_the_fit_was_called():
    for estimator in (MLPClassifier(max_iter=2), MLPRegressor(max_iter=2)):
        with pytest.warns(ConvergenceWarning, match=SCIKIT_LEARN_S) as caught:
            estimator.fit(*PART)
        assert caught[0].filename == __file__


def test_a_divergence_is_an_error_that_names_the_estimator_s_parameters():
    with pytest.raises(fastnet.DivergenceError, match=r"\(a smaller learning_rate_init .* X and y"):
        fitted((X * 1e6, X[:, 0]), kind=MLPRegressor, solver="sgd", learning_rate_init=1e6)
    learner = MLPRegressor(solver="sgd", random_state=0).partial_fit(X[:, :3], X[:, 3])
    before = learner.coefs_[0].copy()
    with pytest.raises(fastnet.DivergenceError):
        learner.partial_fit(X[:, :3] * 1e200, X[:, 3])
    np.testing.assert_array_equal(learner.coefs_[0], before)
    assert learner.partial_fit(X[:, :3], X[:, 3]).loss_ < 10


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


# ---- errors name the argument


LISTS = [[1.0, 2, 3, 4], [1, 2]]
WRONG_X = {
    "too large": (X[:9] * 1e39, "expected inputs within the range of float32"),
    "NaN": (np.full((9, 4), np.nan), "contains NaN"),
    "infinite": (np.full((9, 4), np.inf), "contains infinity"),
    "strings": ([["a", "b", "c", "d"]] * 9, "could not convert string to float"),
    "ragged": (LISTS * 3, "inhomogeneous shape"),
    "one dimension": (X[:9, 0], "Expected 2D array, got 1D array"),
    "three dimensions": (np.zeros((9, 2, 2)), "dim 3"),
    "none": (np.zeros((0, 4)), r"0 sample\(s\)"),
    "complex": (X[:9] * 1j, "Complex data not supported"),
    "None": (None, "Expected 2D array"),
    "a number": (3.0, "Expected 2D array, got scalar"),
    "masked": (np.ma.masked_less(X[:9], 1), "got one with masked elements"),
    "masked rows": ([np.ma.masked_less(row, 1) for row in X[:9]], "got one with masked elements"),
    "an integer beyond float64": ([[10**400] * 4] * 9, "int too large to convert to float"),
    "dates": (np.full((9, 4), np.datetime64("2020-01-01")), "expected numbers, got datetime64"),
    "times": (np.full((9, 4), np.timedelta64("NaT", "s")), "expected numbers, got timedelta64"),
    "sparse and NaN": (scipy.sparse.csr_array(np.full((9, 4), np.nan)), "contains NaN"),
    "sparse and large": (scipy.sparse.csr_array(X[:9] * 1e39), "expected inputs within the range"),
}
NAMES_X = r"^(Input )?X\b.*"
KINDS = [MLPClassifier, MLPRegressor]


@pytest.mark.covering(1)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", WRONG_X)
def test_an_x_that_does_not_fit_is_named_by_each_method(kind, wrong):
    given, message = WRONG_X[wrong]
    net = fitted(kind=kind, dtype="float32")
    calls = [
        lambda: net.predict(given),
        lambda: net.score(given, Y[:9]),
        lambda: net.fit(given, Y[:9]),
        lambda: net.partial_fit(given, Y[:9]),
    ]
    if kind is MLPClassifier:
        calls += [lambda: net.predict_proba(given), lambda: net.predict_log_proba(given)]
    for call in calls:
        with pytest.raises((ValueError, TypeError), match=f"(?s){NAMES_X}{message}"):
            call()
    with pytest.raises((ValueError, TypeError), match=f"(?s)^eval_set: (Input )?X.*{message}"):
        net.fit(*PART, eval_set=(given, Y[:9]))


@pytest.mark.parametrize("kind", KINDS)
def test_an_x_with_other_features_is_named_by_each_method(kind):
    net = fitted(kind=kind)
    for call in (net.predict, lambda x: net.score(x, Y[:9]), lambda x: net.partial_fit(x, Y[:9])):
        with pytest.raises(ValueError, match=r"^X has 2 features, but MLP"):
            call(X[:9, :2])


WRONG_Y = {
    "NaN": ([np.nan] * 9, "contains NaN", KINDS),
    "too few": (Y[:8], "expected as many examples as X, 9, got 8", KINDS),
    "a number": (3, "", KINDS),
    "None": (None, "requires y to be passed, but the target y is None", KINDS),
    "ragged": (LISTS * 4 + LISTS[:1], "", KINDS),
    "complex": (Y[:9] * 1j, "", KINDS),
    "masked": (np.ma.masked_equal(Y[:9], 0), "got one with masked elements", KINDS),
    "too large": (np.full(9, 1e39), "expected targets within the range of", [MLPRegressor]),
    "strings": (["a"] * 9, "expected numbers, got <U1", [MLPRegressor]),
    "dates": (np.full(9, np.datetime64("2020-01-01")), "expected numbers, got", [MLPRegressor]),
    "an integer beyond float64": ([10**400] * 9, "int too large to convert", [MLPRegressor]),
    "sparse": (scipy.sparse.csr_array(X[:9, :1]), "", [MLPRegressor]),
    "records": (np.zeros(9, "i4,i4"), "", KINDS),
    "continuous": (X[:9, 0], "Unknown label type: continuous", [MLPClassifier]),
}


@pytest.mark.covering(1)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score", "eval_set"])
@pytest.mark.parametrize(
    ("kind", "wrong"), [(kind, wrong) for wrong, (*_, kinds) in WRONG_Y.items() for kind in kinds]
)
def test_a_y_that_does_not_fit_is_named_by_each_method(kind, wrong, method):
    given, message, _ = WRONG_Y[wrong]
    if method == "score":
        message = {"continuous": "Classification metrics", "too large": ""}.get(wrong, message)
    net = fitted(kind=kind, dtype="float32")
    if method == "eval_set":
        with pytest.raises((ValueError, TypeError), match=f"(?s)^eval_set: (Input )?y.*{message}"):
            net.fit(*PART, eval_set=(X[:9], given))
    elif (method, wrong) == ("score", "too large"):
        assert net.score(X[:9], np.append(given[1:], 0)) < 0
    else:
        with pytest.raises((ValueError, TypeError), match=rf"(?s)^(Input )?y\b.*{message}"):
            getattr(net, method)(X[:9], given)


@pytest.mark.covering(1)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "given",
    [
        np.ones(8), np.full(9, np.nan), ["a"] * 9, np.ones((9, 2)), "balanced", {0: 1.0},
        np.ma.masked_less(np.arange(9.0), 3), LISTS, np.ones(9) * 1j, [10**400] * 9,
        np.full(9, np.datetime64("2020-01-01")),
    ],
    ids=[
        "few", "nan", "strings", "columns", "name", "dict", "masked", "ragged", "complex",
        "large", "dates",
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_named_by_each_method(kind, method, given):
    net = fitted(kind=kind)
    with pytest.raises((ValueError, TypeError), match=r"^(Input )?sample_weight\b"):
        getattr(net, method)(X[:9], Y[:9], sample_weight=given)


@pytest.mark.parametrize(
    "given", [3, ["a", 1], [], [0.5, 1.5], np.ma.masked_equal([0, 1, 2], 1), [[0, 1], [1, 0, 1]]]
)
def test_classes_that_are_none_are_named(given):
    for net in (MLPClassifier(), fitted()):
        with pytest.raises((ValueError, TypeError), match=r"^classes\b"):
            net.partial_fit(X, Y, classes=given)


def test_classes_of_several_labels_are_their_numbers():
    labels = np.eye(3, dtype=int)[Y]
    for wrong in ([0, 1], [0, 1, 2, 3], ["a", "b", "c"], np.unique(labels), [1, 2, 3]):
        learner = MLPClassifier()
        with pytest.raises(
            ValueError, match=r"^classes: expected \[0 1 2\], one for each label of"
        ):
            learner.partial_fit(X, labels, classes=wrong)
        assert not hasattr(learner, "classes_")
    assert MLPClassifier().partial_fit(X, labels, classes=[2, 0, 1]).n_outputs_ == 3


def test_a_data_frame_of_dates_is_refused():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    dates = pandas.DataFrame({"a": pandas.date_range("2020-01-01", periods=9)})
    with pytest.raises(TypeError, match=r"^X: expected numbers, got datetime64"):
        MLPClassifier().fit(dates, Y[:9])
    labels = fitted((X[:9], dates.a), batch_size=9).predict(X[:9])
    assert set(labels) <= set(dates.a.to_numpy())  # which are labels like any others


def test_masked_arrays_without_masked_elements_are_arrays():
    plain = fitted(fit={"sample_weight": np.ones(100), "eval_set": REST})
    masked = fitted(
        (np.ma.array(PART[0]), np.ma.array(PART[1])),
        fit={"sample_weight": np.ma.ones(100), "eval_set": tuple(map(np.ma.array, REST))},
    )
    np.testing.assert_array_equal(plain.coefs_[0], masked.coefs_[0])
    assert masked.score(np.ma.array(REST[0]), np.ma.array(REST[1])) == plain.score(*REST)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_filters_for_the_warnings_of_scikit_learn_s_networks_apply(name):
    texts = []
    for library in (ours, theirs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            getattr(library, name)(max_iter=2, batch_size=1000).fit(X[:50], Y[:50])
        texts.append([(str(it.message), it.category) for it in caught])
    assert len(texts[0]) == len(texts[1]) == 2
    for (mine, category), (original, expected) in zip(*texts, strict=True):
        assert mine.startswith(original)
        assert category is expected


# ---- what an error leaves behind


def wrong_metric(*_):
    raise ValueError("wrong")


@pytest.mark.parametrize(
    ("options", "fit", "message"),
    [
        ({"dropout": 1}, {}, "dropout: "),
        ({"solver": "newton"}, {}, "solver: "),
        ({"solver": "lbfgs", "dropout": 0.2}, {}, "dropout: "),
        ({}, {"sample_weight": -np.ones(60)}, "sample_weight: "),
        ({}, {"eval_set": (X[:, :2], Y)}, "eval_set: "),
        ({"eval_metric": wrong_metric}, {"eval_set": (X[:10], Y[:10])}, "wrong"),
        (
            {"eval_metric": lambda *_: "9"},
            {"eval_set": (X[:10], Y[:10])},
            "eval_metric: .* got '9'",
        ),
        ({"solver": "sgd", "learning_rate_init": 1e300}, {}, "epoch 1: "),
    ],
)
def test_a_fit_that_fails_leaves_the_estimator_as_it_was(options, fit, message):
    two = (X[:60] * (1e200 if "learning_rate_init" in options else 1), Y[:60])
    new = MLPClassifier(max_iter=5, random_state=0, dtype="float64").set_params(**options)
    attributes = dict(vars(new))
    with pytest.raises((ValueError, TypeError, fastnet.DivergenceError), match=message):
        new.fit(*two, **fit)
    assert vars(new) == attributes
    old = fitted()
    outputs, attributes = old.predict_proba(X), dict(vars(old.set_params(**options)))
    with pytest.raises((ValueError, TypeError, fastnet.DivergenceError), match=message):
        old.fit(*two, **fit)
    assert vars(old).keys() == attributes.keys()
    assert all(vars(old)[name] is it for name, it in attributes.items())
    np.testing.assert_array_equal(old.predict_proba(X), outputs)


def test_attributes_that_there_are_once_it_is_fitted_are_missed_by_name():
    for name in ("coefs_", "intercepts_"):
        assert not hasattr(MLPClassifier(), name)
        with pytest.raises(AttributeError, match=rf"^MLPClassifier: no {name} before fit$"):
            getattr(MLPClassifier(), name)


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
    options = dict(random_state=0, shuffle=False, learning_rate_init=0.01, dtype="float64")
    learner = MLPRegressor(**options)
    for _ in range(5):
        learner.partial_fit(X[:, :3], X[:, 3])
    new = MLPRegressor(warm_start=True, max_iter=1, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        new.fit(X[:, :3], X[:, 3])
        new.coefs_, new.intercepts_ = learner.coefs_, learner.intercepts_
        with pytest.raises(fastnet.DivergenceError):
            learner.partial_fit(X[:, :3] * 1e200, X[:, 3])
        learner.partial_fit(X[:, :3], X[:, 3])
        new.fit(X[:, :3], X[:, 3])
    np.testing.assert_array_equal(learner.coefs_[0], new.coefs_[0])
