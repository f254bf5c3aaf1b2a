"""Networks of scikit-learn's estimators: equal outputs and names; what does not fit is refused."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from conftest import OTHER_ACTIVATIONS
from sklearn import neural_network
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import fastnet
import fastnet.sklearn
from fastnet import Network
from fastnet.nn.activations import HIDDEN
from fastnet.sklearn import losses

RANDOM = np.random.default_rng(8)
X = 2 * RANDOM.standard_normal((60, 5))
RAW = X * 20 + 70
CODES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)  # 0, 1 and 2
TWO = (X[:, 0] > X[:, 1]).astype(int)
SEVERAL = (X[:, :3] > 0).astype(int)
POSITIVE = np.exp(X[:, 0] / 4)
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
CLOSE = {"float32": 2e-6, "float64": 1e-13}
SETTINGS = {"hidden_layer_sizes": (6, 4), "max_iter": 8, "random_state": 1}


def fitted(estimator, X=X, y=CODES, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.set_params(**{**SETTINGS, **options}).fit(X, y)


def classifier(y=CODES, X=X, **options):
    return fitted(neural_network.MLPClassifier(), X, y, **options)


def regressor(y=X[:, 0], X=X, **options):
    return fitted(neural_network.MLPRegressor(), X, y, **options)


def probabilities(estimator, X=X):
    """``predict_proba``, with one column for two classes, as a network's outputs are."""
    made = estimator.predict_proba(X)
    return made[:, 1:] if estimator.n_outputs_ == 1 else made


def assert_same(net, expected, X=X):
    a = net.feedforward(X)
    assert a.shape == expected.shape
    assert np.ptp(a, axis=0).min() > 1e-3
    close = CLOSE[net.dtype.name]
    np.testing.assert_allclose(a, expected, rtol=close, atol=close)


# ---- of scikit-learn


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    ("y", "output", "cost"),
    [(CODES, "softmax", "log-likelihood"), (TWO, "sigmoid", "cross-entropy"),
     (SEVERAL, "sigmoid", "cross-entropy")],
    ids=["multiclass", "binary", "multilabel"],
)  # fmt: skip
def test_a_classifier_becomes_a_network_with_its_probabilities(y, output, cost, activation, solver):
    theirs = classifier(y, activation=activation, solver=solver)
    net = Network.from_sklearn(theirs)
    kind = {"identity": "linear", "logistic": "sigmoid"}.get(activation, activation)
    assert net.sizes == [5, 6, 4, theirs.n_outputs_]
    assert (net.hidden, net.output, net.cost.name) == ([kind, kind], output, cost)
    assert_same(net, probabilities(theirs))
    if y.ndim == 1:
        assert net.classes == tuple(range(y.max() + 1))
        np.testing.assert_array_equal(net.predict_labels(X), theirs.predict(X))
    else:
        assert net.classes is None


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("y", [X[:, 0], X[:, :3]], ids=["one", "three"])
def test_a_regressor_becomes_a_network_with_its_predictions(y, activation):
    theirs = regressor(y, activation=activation)
    net = Network.from_sklearn(theirs)
    assert (net.output, net.cost.name, net.classes) == ("linear", "quadratic", None)
    assert_same(net, theirs.predict(X).reshape(60, -1))


@pytest.mark.skipif("loss" not in neural_network.MLPRegressor().get_params(), reason="before 1.7")
def test_a_regressor_with_the_poisson_loss_has_exponential_outputs():
    theirs = regressor(POSITIVE, loss="poisson")
    net = Network.from_sklearn(theirs)
    assert (net.output, net.cost.name) == ("exponential", "poisson")
    assert_same(net, theirs.predict(X)[:, None])


def test_float32_parameters_make_a_float32_network():
    for dtype in CLOSE:
        inputs = X.astype(dtype)
        theirs = classifier(X=inputs)
        net = Network.from_sklearn(theirs)
        assert net.dtype == dtype
        assert_same(net, probabilities(theirs, inputs), inputs)
        for l in range(3):
            np.testing.assert_array_equal(net.weights[l], theirs.coefs_[l].T)
            np.testing.assert_array_equal(net.biases[l][:, 0], theirs.intercepts_[l])


def test_a_network_without_hidden_layers_is_converted():
    theirs = classifier(hidden_layer_sizes=())
    net = Network.from_sklearn(theirs)
    assert net.sizes == [5, 3]
    assert_same(net, probabilities(theirs))


@pytest.mark.parametrize(
    "names",
    [["ham", "spam", "eggs"], [3, 5, 11], [-1.0, 0.0, 3.0],
     np.array(["b", "a", "c"], object), [2, 1, 0]],
    ids=str,
)  # fmt: skip
def test_the_classes_keep_their_names_and_their_order(names):
    theirs = classifier(np.asarray(names)[CODES])
    net = Network.from_sklearn(theirs)
    assert net.classes == tuple(sorted(names))
    assert {type(name) for name in net.classes} <= {str, int, float}
    np.testing.assert_array_equal(net.predict_labels(X), theirs.predict(X))
    assert len({*net.predict_labels(X)}) > 1
    assert net.accuracy((X, np.asarray(names)[CODES])) == round(
        60 * theirs.score(X, np.asarray(names)[CODES])
    )


def test_two_classes_that_are_booleans_or_strings_keep_their_names():
    for y in (TWO == 1, np.array(["no", "yes"])[TWO]):
        theirs = classifier(y, max_iter=60)
        net = Network.from_sklearn(theirs)
        assert net.classes == tuple(sorted({*y.tolist()}))
        np.testing.assert_array_equal(net.predict_labels(X), theirs.predict(X))
        assert len({*net.predict_labels(X)}) == 2


def test_names_of_columns_become_features():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[*"abcde"])
    theirs = classifier(X=frame)
    net = Network.from_sklearn(theirs)
    assert net.features == tuple("abcde")
    assert_same(net, probabilities(theirs, frame), frame[[*"edcba"]])
    scaler = StandardScaler().fit(frame)
    pipe = make_pipeline(scaler, classifier(X=scaler.transform(frame)))
    assert Network.from_sklearn(pipe).features == tuple("abcde")
    assert Network.from_sklearn(classifier()).features is None


def test_the_network_has_copies_and_goes_on_alone():
    theirs = classifier()
    net, other = (Network.from_sklearn(theirs, seed=3) for _ in range(2))
    before = [w.copy() for w in theirs.coefs_]
    for each in (net, other):
        each.SGD((X, CODES), 2, 10, 0.1, verbose=False)
    assert net == other != Network.from_sklearn(theirs)
    for w, old in zip(theirs.coefs_, before, strict=True):
        np.testing.assert_array_equal(w, old)


def test_a_subclass_makes_its_own_kind():
    class Mine(Network):
        pass

    assert type(Mine.from_sklearn(classifier())) is Mine


# ---- of fastnet.sklearn


@pytest.mark.parametrize("activation", [*HIDDEN, *OTHER_ACTIVATIONS], ids=str)
@pytest.mark.parametrize("dtype", CLOSE)
def test_our_classifier_becomes_a_network_with_names(activation, dtype):
    names = np.array(["x", "y", "z"])[CODES]
    ours = fitted(fastnet.sklearn.MLPClassifier(), X, names, activation=activation, dtype=dtype)
    net = Network.from_sklearn(ours)
    assert net.classes == ("x", "y", "z")
    assert (net.dtype, net.hidden) == (dtype, ours.network_.hidden)
    np.testing.assert_array_equal(net.feedforward(X), ours.network_.feedforward(X))
    np.testing.assert_array_equal(net.predict_labels(X), ours.predict(X))
    assert ours.network_.classes is None
    assert net.weights[0] is not ours.network_.weights[0]


@pytest.mark.parametrize(("loss", "output"), [
    (loss, output) for loss, pairs in losses.LOSSES.items() for output in pairs
    if output != "softmax"
])  # fmt: skip
def test_our_regressor_keeps_its_cost(loss, output):
    y = 1 / (1 + POSITIVE)
    ours = fitted(fastnet.sklearn.MLPRegressor(loss=loss, output=output), X, y)
    net = Network.from_sklearn(ours)
    assert (net.cost, net.output) == (ours.network_.cost, ours.network_.output)
    assert net == ours.network_


def test_our_classifier_of_several_labels_or_one_against_the_rest_is_converted():
    ours = fitted(fastnet.sklearn.MLPClassifier(dtype="float64"), X, SEVERAL)
    net = Network.from_sklearn(ours)
    assert net.classes is None
    assert_same(net, ours.predict_proba(X))
    for names, classes in ((["p", "q", "r"], ("p", "q", "r")), ([0, 1, 2], None)):
        y = np.array(names)[CODES]
        ours = fitted(fastnet.sklearn.MLPClassifier(output="logistic"), X, y)
        net = Network.from_sklearn(ours)
        assert net.classes == classes
        np.testing.assert_array_equal(net.predict_labels(X), ours.predict(X))


def test_our_classifier_of_two_classes_with_softmax_outputs_is_converted():
    ours = fitted(fastnet.sklearn.MLPClassifier(output="softmax"), X, TWO)
    net = Network.from_sklearn(ours)
    assert (net.sizes[-1], net.classes) == (2, (0, 1))
    np.testing.assert_array_equal(net.predict_labels(X), ours.predict(X))


# ---- Pipelines


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_a_standard_scaler_becomes_the_inputs_of_the_network(with_mean, with_std):
    scaler = StandardScaler(with_mean=with_mean, with_std=with_std)
    pipe = make_pipeline(scaler, neural_network.MLPClassifier(**SETTINGS, solver="lbfgs"))
    raw = RAW / 20 if not with_std else RAW
    raw[:, 4] = 3.0  # a constant column
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipe.fit(raw, TWO)
    net = Network.from_sklearn(pipe)
    assert net.inputs.with_mean == with_mean
    assert_same(net, pipe.predict_proba(raw)[:, 1:], raw)
    np.testing.assert_array_equal(net.predict_labels(raw), pipe.predict(raw))


def test_pipelines_in_pipelines_and_steps_that_pass_are_read():
    scaler, ours = StandardScaler(), fastnet.sklearn.MLPRegressor(**SETTINGS, dtype="float64")
    pipe = Pipeline([
        ("first", Pipeline([("nothing", "passthrough"), ("scale", scaler)])),
        ("none", None),
        ("last", make_pipeline(ours)),
    ])  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipe.fit(RAW, X[:, 0])
    assert_same(Network.from_sklearn(pipe), pipe.predict(RAW)[:, None], RAW)
    plain = make_pipeline("passthrough", neural_network.MLPRegressor(**SETTINGS, solver="lbfgs"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        plain.fit(X, X[:, 0])
    assert Network.from_sklearn(plain).inputs is None


# ---- what is refused


def changed(estimator, **attributes):
    vars(estimator).update(attributes)
    return estimator


def with_step(*steps):
    return lambda: make_pipeline(*steps, classifier())


class Cautious(neural_network.MLPClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X) / 2


class Negative(fastnet.sklearn.MLPRegressor):
    def predict(self, X):
        return -super().predict(X)


NOT_FINITE = [np.full((5, 6), np.nan), np.ones((6, 4)), np.ones((4, 3))]
REFUSED = {
    "another estimator": (PCA, TypeError, "estimator: expected an MLPClassifier or MLPRegressor of "
                          "scikit-learn or of fastnet.sklearn", "PCA"),
    "a network": (lambda: Network([2, 1]), TypeError, "estimator: expected an MLPC", "Network"),
    "a class": (lambda: neural_network.MLPClassifier, TypeError, "estimator: expected",
                "the class MLPClassifier"),
    "unfitted": (neural_network.MLPClassifier, ValueError,
                 "estimator: expected a fitted MLPClassifier", "not fitted"),
    "ours, unfitted": (fastnet.sklearn.MLPRegressor, ValueError,
                       "estimator: expected a fitted MLPRegressor", "not fitted"),
    "a single class": (lambda: classifier(np.ones(60)), ValueError,
                       "estimator: expected a classifier of two or more classes", "got [1.0]"),
    "predictions": (lambda: make_pipeline(changed(Cautious(), **vars(classifier()))),
                    TypeError, "from_sklearn: expected the predict_proba of scikit-learn or of",
                    "Cautious overrides"),
    "our predictions": (lambda: Negative(solver="lbfgs").fit(X, X[:, 0]), TypeError,
                        "from_sklearn: expected the predict of scikit-learn", "Negative overrides"),
    "another scaler": (with_step(MinMaxScaler()), TypeError, "estimator: expected a Pipeline of at "
                       "most one StandardScaler", "'minmaxscaler', a MinMaxScaler"),
    "two scalers": (with_step(StandardScaler(), StandardScaler()), TypeError,
                    "estimator: expected a Pipeline of at most one", "'standardscaler-2'"),
    "another end": (lambda: make_pipeline(StandardScaler(), PCA()), TypeError,
                    "estimator: expected an MLPC", "PCA"),
    "an unfitted scaler": (with_step(StandardScaler()), ValueError,
                           "estimator: expected a fitted StandardScaler", "not fitted"),
    "outputs": (lambda: changed(classifier(), out_activation_="relu"), ValueError,
                "out_activation_: expected one of logistic, softmax, identity, exp", "'relu'"),
    "neurons": (lambda: changed(classifier(), activation="cubic"), ValueError,
                "activation: expected one of logistic, identity, tanh", "'cubic'"),
    "NaN": (lambda: changed(classifier(), coefs_=NOT_FINITE), ValueError,
            "coefs_[0]: expected finite parameters", "NaN"),
    "shapes": (lambda: changed(classifier(), coefs_=[np.ones((5, 6)), *[np.ones((4, 3))] * 2]),
               ValueError, "coefs_[1]: expected 6 inputs, the outputs of coefs_[0]", "got 4"),
    "integers": (lambda: changed(classifier(), coefs_=[w.astype(int) for w in classifier().coefs_]),
                 TypeError, "coefs_[0]: expected parameters in float32 or float64", "int64"),
    "classes": (lambda: changed(classifier(), classes_=[(1,), (2,), (3,)]), TypeError,
                "classes[0]: expected a string, a finite number or a boolean", "(1,)"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_by_name(name):
    make, kind, begin, end = REFUSED[name]
    with pytest.raises(kind) as caught:
        Network.from_sklearn(make())
    message = str(caught.value)
    assert message.startswith(begin)
    assert end in message
    assert "\n" not in message
