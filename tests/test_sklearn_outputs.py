"""What the estimators return: its type, probabilities and their logarithms, labels, scores."""

import json
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import scipy.sparse
from fitted_estimators import PART, REST, X, Y, fitted
from scipy import special
from sklearn import neural_network as theirs
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils._testing import ignore_warnings

import fastnet
from fastnet.nn import activations
from fastnet.sklearn import MLPClassifier, MLPRegressor, losses, outputs, regressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SEVERAL = np.array([Y == 0, Y > 0, X[:, 0] > 6]).T.astype(int)


def with_weighted_inputs(z, y, **options):
    """A classifier whose weighted inputs are its inputs, each of them z for one example."""
    inputs = np.zeros((len(y), len(z)))
    made = MLPClassifier((), max_iter=1, random_state=0, **options).fit(inputs, y)
    made.network_.weights[0][...] = np.eye(len(z))[: made.n_outputs_]
    made.network_.biases[0][...] = 0
    return made


class Linear(fastnet.QuadraticCost):
    pass


class Softplus(activations.Activation):
    """An output layer that defines no more than docs/adding-things.md requires."""

    name = "softplus"
    roles = ("output",)

    @staticmethod
    def value(z):
        return np.logaddexp(0, z)


class Probit(Softplus):
    """The same with classes: a Gaussian distribution function."""

    name = "probit"
    value = staticmethod(special.ndtr)


@pytest.mark.parametrize("kind", [Softplus(), Probit()], ids=["softplus", "probit"])
def test_what_is_computed_of_an_added_output_layer_follows_from_its_values(kind, monkeypatch):
    monkeypatch.setitem(activations.ACTIVATIONS, kind.name, kind)
    z = np.random.default_rng(1).normal(0, 2, (40, 3))
    a = kind.value(z)
    shares = a / a.sum(axis=1, keepdims=True)
    assert 0 < np.count_nonzero(a > 0.5) < a.size
    np.testing.assert_array_equal(outputs.activations(kind.name, z), a)
    np.testing.assert_array_equal(outputs.above_half(kind.name, z), a > 0.5)
    np.testing.assert_allclose(outputs.log_activations(kind.name, z), np.log(a))
    np.testing.assert_allclose(outputs.probabilities(kind.name, z), shares)
    np.testing.assert_allclose(outputs.log_probabilities(kind.name, z), np.log(shares))
    one, two = outputs.probabilities(kind.name, z[:, :1]), np.hstack([1 - a, a])[:, [0, 3]]
    np.testing.assert_allclose(one, two)


def test_the_output_layers_of_the_estimators_follow_from_the_classes():
    kinds = activations.ACTIVATIONS.values()
    of_classes = {kind.sklearn_name for kind in kinds if kind.of_layer}
    labels = {kind.sklearn_name for kind in kinds if kind.classifies and not kind.of_layer}
    assert (set(losses.OF_CLASSES), set(losses.OF_LABELS)) == (of_classes, labels)
    assert of_classes == {"softmax"}
    assert labels == {"logistic"}
    offered = {output for pairs in regressor.ALLOWED.values() for output in pairs}
    assert offered == set(losses.OUTPUTS) - of_classes


# ---- types


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("labels", [Y, Y > 0, SEVERAL, np.zeros(150)], ids=["3", "2", "many", "1"])
def test_probabilities_have_the_type_of_x_and_not_that_of_the_arithmetic(dtype, labels):
    net = fitted((X, labels), dtype=dtype)
    for inputs, expected in (
        (X, np.float64),
        (X.tolist(), np.float64),
        (X.astype(int), np.float64),
        (X.astype(np.uint8), np.float64),
        (X > 3, np.float64),
        (X.astype(np.float16), np.float64),
        (scipy.sparse.csr_array(X), np.float64),
        (X.astype(np.float32), np.float32),
        (scipy.sparse.csr_array(X.astype(np.float32)), np.float32),
    ):
        assert net.predict_proba(inputs).dtype == expected
        assert net.predict_log_proba(inputs).dtype == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", ["identity", "logistic", "exp"])
def test_predictions_have_the_type_of_x_and_not_that_of_the_arithmetic(dtype, output):
    loss = "poisson" if output == "exp" else "squared_error"
    net = fitted((X[:, :3], X[:, 3]), kind=MLPRegressor, dtype=dtype, loss=loss, output=output)
    for inputs in (X[:, :3], X[:, :3].astype(int), (X[:, :3] * 9).astype(np.uint8)):
        assert net.predict(inputs).dtype == np.float64
    assert net.predict(X[:, :3].astype(np.float32)).dtype == np.float32
    assert type(net.score(X[:, :3], X[:, 3])) is float


def test_a_data_frame_gives_the_type_of_its_columns():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    net = MLPClassifier(max_iter=2, random_state=0).fit(frame, Y)
    assert net.predict_proba(frame).dtype == np.float64
    assert net.predict_proba(frame.astype(np.float32)).dtype == np.float32


def test_the_type_of_an_output_is_no_hindrance_to_json():
    net = MLPRegressor(max_iter=2, batch_size=20, random_state=0, early_stopping=True)
    net.fit(X[:, :3], X[:, 3])
    assert net.network_.dtype == np.float32
    assert json.loads(json.dumps(net.predict(X[:, :3])[0])) == net.predict(X[:, :3])[0]


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("weighted", [False, True])
def test_figures_of_the_training_are_python_s_numbers(kind, weighted):
    options = dict(tol=np.float32(1e-4), max_iter=np.int64(3), batch_size=np.int32(20))
    weights = np.ones(len(X), np.float32) if weighted else None
    for early_stopping in (False, True):
        net = kind(early_stopping=early_stopping, random_state=0, **options)
        net.fit(X.astype(np.float32), Y, weights)
        for name, value in vars(net).items():
            if name.endswith("_") and name not in ("classes_", "network_"):
                numbers = value if isinstance(value, list) else [value]
                assert {type(it) for it in numbers} <= {int, float, str, dict, type(None)}, name
                json.dumps(value)
        assert type(net.score(X, Y)) is float


# ---- probabilities


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_probabilities_sum_to_one_in_float64(dtype):
    digits, labels = load_digits(return_X_y=True)
    net = MLPClassifier(dtype=dtype, batch_size=32, max_iter=5, random_state=0).fit(digits, labels)
    probabilities = net.predict_proba(digits)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-14)
    rng = np.random.default_rng(0)
    for row in probabilities:  # multinomial refuses a sum over 1 + 1e-12
        assert rng.multinomial(1, row).sum() == 1


@pytest.mark.thorough
def test_no_probability_of_breast_cancer_is_zero():
    inputs, labels = load_breast_cancer(return_X_y=True)
    inputs = StandardScaler().fit_transform(inputs)
    net = MLPClassifier(random_state=0).fit(inputs, labels)
    assert net.network_.dtype == np.float32
    assert net.predict_proba(inputs).min() > 0
    logs = net.predict_log_proba(inputs)
    assert np.isfinite(logs).all()
    np.testing.assert_allclose(logs, np.log(net.predict_proba(inputs)), rtol=1e-7, atol=1e-15)
    original = theirs.MLPClassifier(random_state=0).fit(inputs, labels)
    assert original.predict_proba(inputs).min() > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_classes_have_sigma_of_z_and_of_minus_z(dtype):
    net = with_weighted_inputs([1.0], [0, 1], dtype=dtype)
    z = np.array([-800.0, -100, -40, -1, 0, 1, 40, 100, 800])
    probabilities = net.predict_proba(z[:, None])
    np.testing.assert_array_equal(probabilities, special.expit(np.c_[-z, z]))
    assert (probabilities[1:-1] > 0).all()
    logs = net.predict_log_proba(z[:, None])
    np.testing.assert_allclose(logs, special.log_expit(np.c_[-z, z]), rtol=1e-14)
    assert logs[-1].tolist() == [-800.0, 0.0]
    assert net.predict(z[:, None]).tolist() == [0] * 5 + [1] * 4


@pytest.mark.parametrize("output", ["sigmoid", "softmax", "exponential"])
@pytest.mark.parametrize("n", [1, 3])
def test_outputs_do_not_depend_on_seterr(output, n):
    """Packages such as emlearn make NumPy raise errors of rounding in the whole program."""
    z = np.array([[-800.0], [-100], [0], [100], [800]]).repeat(n, axis=1) * np.arange(1.0, n + 1)
    functions = (outputs.activations, outputs.probabilities, outputs.log_probabilities)
    usual = [function(output, z) for function in functions]
    with np.errstate(all="raise"):
        for function, expected in zip(functions, usual, strict=True):
            np.testing.assert_array_equal(function(output, z), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_many_classes_have_a_softmax_in_float64(dtype):
    net = with_weighted_inputs([1.0] * 3, [0, 1, 2], dtype=dtype)
    z = np.array([[0.0, 0, 0], [1, 2, 4], [0, -200, 500], [1e30, 0, -1e30]])
    np.testing.assert_allclose(net.predict_proba(z), special.softmax(z, axis=1), rtol=1e-6)
    np.testing.assert_allclose(net.predict_log_proba(z), special.log_softmax(z, axis=1), rtol=1e-6)
    assert net.predict(z).tolist() == [0, 2, 2, 0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2], [[0, 1, 1], [1, 0, 0]]])
@pytest.mark.parametrize("output", ["auto", "logistic"])
def test_logarithms_are_finite_even_where_weighted_inputs_are_infinite(dtype, labels, output):
    net = with_weighted_inputs([1.0] * 3, labels, dtype=dtype, output=output)
    net.network_.weights[0][...] *= 1e10
    largest = float(np.finfo(dtype).max)
    z = np.array([[largest] * 3, [-largest] * 3, [largest, -largest, 0], [-largest, largest, 1]])
    single = np.clip(z, *(np.finfo(np.float32).max * np.array([-1.0, 1]))).astype(np.float32)
    for inputs in (z, single):
        logs, probabilities = net.predict_log_proba(inputs), net.predict_proba(inputs)
        assert np.isfinite(logs).all()
        assert np.isfinite(probabilities).all()
        assert logs.max() <= 0
        if np.ndim(labels) == 1:
            np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_labels_of_sigmoids_one_against_all_are_of_the_largest_weighted_input():
    """All outputs are 1 in float32, and the first of them was taken."""
    net = with_weighted_inputs([1.0] * 3, [0, 1, 2], output="logistic", dtype="float32")
    z = np.array([[20.0, 40, 30], [-500, -400, -300], [1, 2, 3]])
    assert net.predict(z).tolist() == [1, 2, 2]
    assert net.score(z, [1, 2, 2]) == 1.0
    expected = special.softmax(special.log_expit(z), axis=1)
    np.testing.assert_allclose(net.predict_proba(z), expected, rtol=1e-14)
    outputs = special.expit(z[2])
    np.testing.assert_allclose(net.predict_proba(z)[2], outputs / outputs.sum(), rtol=1e-14)
    assert np.isfinite(net.predict_log_proba(z)).all()


def test_several_labels_have_a_probability_and_its_logarithm_each():
    net = with_weighted_inputs([1.0] * 2, [[0, 1], [1, 0]], dtype="float32")
    z = np.array([[-200.0, 200], [0.5, -0.5], [1e-9, -1e-9]])
    np.testing.assert_allclose(net.predict_proba(z), special.expit(z), rtol=1e-6)
    np.testing.assert_allclose(net.predict_log_proba(z), special.log_expit(z), rtol=1e-6)
    assert net.predict(z).tolist() == [[0, 1], [1, 0], [1, 0]]


@pytest.mark.parametrize("label", [7, "seven"])
@pytest.mark.parametrize("options", [{"solver": "lbfgs"}, {"solver": "sgd"}], ids=str)
def test_a_single_class_has_the_probabilities_of_scikit_learn(options, label):
    labels = np.full(150, label)
    net = fitted((X, labels), **options)
    options = net.get_params().keys() & theirs.MLPClassifier().get_params().keys()
    original = theirs.MLPClassifier(**{name: getattr(net, name) for name in options})
    with ignore_warnings(category=ConvergenceWarning):
        original.fit(X, labels)
    assert net.predict_proba(X).shape == original.predict_proba(X).shape == (150, 2)
    for method in ("predict_proba", "predict_log_proba"):
        mine, expected = getattr(net, method)(X), getattr(original, method)(X)
        np.testing.assert_allclose(mine, expected, rtol=1e-6, atol=1e-9)
    assert net.predict_proba(X)[:, 0].min() > 0.9
    assert set(net.predict(X)) == set(original.predict(X)) == {label}
    assert net.score(X, labels) == 1


def test_a_single_class_with_softmax_outputs_has_two_probabilities():
    net = fitted((X, np.full(150, 7)), output="softmax")
    assert net.predict_proba(X).shape == (150, 2)
    assert net.predict_proba(X)[:, 0].min() > 0.9
    assert set(net.predict(X)) == {7}


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2]])
@pytest.mark.parametrize("output", ["identity", "exp"])
def test_outputs_that_are_no_probabilities_are_shared_out_as_before(labels, output):
    net = with_weighted_inputs([1.0] * 3, labels, loss=Linear, output=output, dtype="float32")
    z = np.array([[0.25, 0.5, 0.125], [0.75, 0.0, 0.25]])
    a = np.exp(z) if output == "exp" else z
    if len(labels) == 2:
        a = a[:, :1]
        expected = np.hstack([1 - a, a])
        assert net.predict(z).tolist() == (a[:, 0] > 0.5).astype(int).tolist()
    else:
        expected = a / a.sum(axis=1, keepdims=True)
        assert net.predict(z).tolist() == [1, 0]
    np.testing.assert_allclose(net.predict_proba(z), expected, rtol=1e-14)
    with np.errstate(divide="ignore", invalid="ignore"):
        np.testing.assert_allclose(net.predict_log_proba(z), np.log(expected), rtol=1e-14)


def test_a_weighted_input_that_is_no_number_has_no_label():
    net = fitted(dtype="float32")
    net.network_.weights[0][...] = 1e30
    net.network_.weights[1][...] = [[1e10, -1e10] * 10] * 3
    huge = np.full((2, 4), [[1e30], [0.0]])
    for method in (net.predict, net.predict_proba, net.predict_log_proba):
        with pytest.raises(ValueError, match=r"^X: expected inputs .* in float32, got NaN for exa"):
            method(huge)
        method(huge[1:])


# ---- scores and predictions


def test_scores_are_those_of_the_predictions():
    for dtype in ("float32", "float64"):
        net = fitted(dtype=dtype)
        weights = np.linspace(0, 1, len(REST[1]))
        assert net.score(*REST) == accuracy_score(REST[1], net.predict(REST[0]))
        assert net.score(*REST, weights) == accuracy_score(
            REST[1], net.predict(REST[0]), sample_weight=weights
        )
        several = fitted((X, SEVERAL), dtype=dtype)
        assert several.score(X, SEVERAL) == accuracy_score(SEVERAL, several.predict(X))
        assert several.score(X, scipy.sparse.csr_array(SEVERAL)) == several.score(X, SEVERAL)
        net = fitted((X[:, :2], X[:, 2:]), kind=MLPRegressor, dtype=dtype)
        assert net.score(X[:, :2], X[:, 2:]) == r2_score(X[:, 2:], net.predict(X[:, :2]))


def test_a_score_of_float32_targets_does_not_overflow():
    inputs, targets = X[:, :3].astype(np.float32), (X[:, 3] * 1e25).astype(np.float32)
    options = dict(kind=MLPRegressor, dtype="float32", solver="sgd", learning_rate_init=1e-30)
    net = fitted((inputs, targets), early_stopping=True, n_iter_no_change=2, **options)
    assert np.isfinite(net.validation_scores_).all()
    assert net.score(inputs, targets) < 0


def test_predictions_beyond_the_range_of_the_type_are_warned_of():
    net = fitted((X[:, :3], X[:, 3]), kind=MLPRegressor, dtype="float32")
    for weights in net.network_.weights:
        weights[...] = 1
    with pytest.warns(RuntimeWarning, match=r"^X: 1 of 2 .* not finite: .* of float32$") as caught:
        predicted = net.predict([[3e38] * 3, [1.0] * 3])
    assert caught[0].filename == __file__
    assert np.isfinite(predicted).tolist() == [False, True]
    with pytest.warns(RuntimeWarning), pytest.raises(ValueError, match=r"^X: expected inputs for"):
        net.score([[3e38] * 3, [1.0] * 3], [1.0, 2.0])


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_score_that_overflow_makes_no_number_is_warned_of(kind):
    huge = np.array([[3e38, -3e38, 3e38, -3e38], [3e38, 3e38, -3e38, 3e38]])
    options = dict(kind=kind, dtype="float32", max_iter=3, hidden_layer_sizes=(20, 20))
    with pytest.warns(RuntimeWarning, match=r"^the score on held-out examples is not") as caught:
        net = fitted((X, Y), fit={"eval_set": (huge, [0, 1])}, **options)
    assert caught[0].filename.endswith("fitted_estimators.py")
    assert np.isnan(net.validation_scores_).all()


def test_the_score_of_early_stopping_is_that_of_score():
    options = dict(early_stopping=True, max_iter=8, n_iter_no_change=20)
    for data, kind in ((REST, MLPClassifier), ((REST[0][:, :3], REST[0][:, 3]), MLPRegressor)):
        for dtype in ("float32", "float64"):
            for inputs in (data[0], data[0].astype(np.float32), scipy.sparse.csr_array(data[0])):
                net = fitted(
                    data, fit={"eval_set": (inputs, data[1])}, kind=kind, dtype=dtype, **options
                )
                score = net.score(inputs.astype(np.float64), data[1])
                assert net.best_validation_score_ == score


def test_bytes_are_taken_at_a_scale_of_one_and_without_a_warning():
    pixels = np.random.default_rng(0).integers(0, 256, (100, 20), np.uint8)
    labels = (pixels[:, 0] > 127).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for dtype in ("float32", "float64"):
            net = fitted((pixels, labels), dtype=dtype, fit={"eval_set": (pixels, labels)})
            for bare in (pixels, scipy.sparse.csr_array(pixels)):
                for name in ("predict_proba", "predict_log_proba", "predict"):
                    expected = getattr(net, name)(pixels.astype(float))
                    np.testing.assert_array_equal(getattr(net, name)(bare), expected)
            assert net.score(pixels, labels) == net.best_validation_score_ > 0.9
            assert net.network_.input_scale == 1


def test_all_that_is_predicted_comes_from_the_same_weighted_inputs():
    for labels in (Y, Y > 0):
        net = fitted((X, labels), dtype="float32")
        a = net.network_.feedforward(X)
        probabilities = net.predict_proba(X)
        np.testing.assert_allclose(probabilities[:, -1], a[:, -1], rtol=1e-5)
        np.testing.assert_allclose(np.exp(net.predict_log_proba(X)), probabilities, rtol=1e-12)
        np.testing.assert_array_equal(net.classes_[probabilities.argmax(axis=1)], net.predict(X))
        assert PART[0].shape[1] == net.n_features_in_
