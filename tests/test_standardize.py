"""Standardize, and networks with inputs=: the same bits wherever the inputs are standardized."""

import copy
import inspect
import json
import math
import pickle
import threading
import tracemalloc
import types
import warnings
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse

import fastnet
from fastnet import Dataset, Network, Standardize
from fastnet.core import single_flight
from fastnet.data import input_transform, moments

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(60, 6)) * [1, 10, 1e-3, 5, 1e4, 0] + [0, 5, 2, -3, 1e6, 0.1]
Y = np.arange(60) % 3
BYTES = RANDOM.integers(0, 256, (60, 6)).astype(np.uint8)
SPARSE = np.where(RANDOM.random((60, 6)) < 0.3, X, 0)
SCALE = 1 / 256
INPUTS = Standardize.fit(X)
SPEC = {"sizes": [6, 4, 3], "epochs": 2, "mini_batch_size": 5, "eta": 0.5, "seed": 1}


def network(inputs=INPUTS, kind=Network, **options):
    return kind([6, 4, 3], seed=1, inputs=inputs, **options)


def trained(data, inputs=INPUTS, **options):
    net = network(inputs, **options)
    net.SGD(data, 2, 5, 0.5, verbose=False)
    return net


def equal(first, second):
    """Whether two arrays, numbers or nested lists of arrays have the same bits."""
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    return np.array_equal(first, second)


def same_parameters(net, other):
    return net.weights == other.weights and net.biases == other.biases


# ---- the object


def exact_moments(column):
    """Mean and standard deviation in exact arithmetic, but for the root."""
    numbers = [Fraction(float(one)) for one in column]
    mean = sum(numbers) / len(numbers)
    variance = sum((one - mean) ** 2 for one in numbers) / len(numbers)
    return float(mean), math.sqrt(variance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8])
def test_means_and_deviations_are_those_of_exact_arithmetic_but_for_rounding(dtype):
    inputs = (np.abs(X) if dtype == np.uint8 else X).astype(dtype, casting="unsafe")
    fitted = Standardize.fit(inputs)
    for j, column in enumerate(inputs.T):
        mean, deviation = exact_moments(column)
        assert fitted.mean[j] == pytest.approx(mean, rel=4e-16)
        assert fitted.deviation[j] == pytest.approx(deviation or 1.0, rel=1e-14)


def test_a_mean_far_from_zero_does_not_cost_digits_of_the_deviation():
    column = 1e9 + RANDOM.random((1000, 1))
    assert Standardize.fit(column).deviation[0] == pytest.approx(
        exact_moments(column[:, 0])[1], rel=1e-12
    )


def test_means_and_deviations_are_those_of_scikit_learn():
    scaler = pytest.importorskip("sklearn.preprocessing").StandardScaler().fit(X)
    np.testing.assert_allclose(INPUTS.mean, scaler.mean_, rtol=1e-14)
    np.testing.assert_allclose(INPUTS.deviation, scaler.scale_, rtol=1e-13)
    np.testing.assert_allclose(INPUTS.transform(X), scaler.transform(X), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("value", [0.1, 1e300, -7.0, 1e-310])
def test_a_constant_feature_has_the_deviation_1_and_becomes_exactly_0(value):
    fitted = Standardize.fit(np.full((7, 1), value))
    assert (fitted.mean[0], fitted.deviation[0]) == (value, 1)
    assert fitted.transform([value]).item() == 0
    assert Standardize([3.0], [0.0]).deviation[0] == 1


def test_a_data_set_is_fitted_with_its_scale():
    assert Standardize.fit(Dataset(BYTES, Y, SCALE)) == Standardize.fit(BYTES * SCALE)
    assert Standardize.fit(Dataset(BYTES, Y, SCALE)) != Standardize.fit(BYTES)


def test_rows_in_pieces_have_the_moments_of_all(monkeypatch):
    whole = Standardize.fit(X)
    monkeypatch.setattr(moments, "_PIECE", 30)
    fitted = Standardize.fit(X)
    np.testing.assert_allclose(fitted.mean, whole.mean, rtol=1e-15)
    np.testing.assert_allclose(fitted.deviation, whole.deviation, rtol=1e-14)


def test_without_means_nothing_is_subtracted_and_the_deviation_is_the_same():
    fitted = Standardize.fit(X, with_mean=False)
    assert not fitted.with_mean
    assert INPUTS.with_mean
    assert equal(fitted.mean, np.zeros(6))
    assert equal(fitted.deviation, INPUTS.deviation)
    assert equal(fitted.transform(X), X / INPUTS.deviation)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_sparse_data_have_the_moments_of_the_dense_ones(form):
    sparse = scipy.sparse.csr_array(SPARSE).asformat(form)
    dense = Standardize.fit(SPARSE, with_mean=False)
    fitted = Standardize.fit(sparse, with_mean=False)
    np.testing.assert_allclose(fitted.deviation, dense.deviation, rtol=1e-14)
    part = Dataset(scipy.sparse.csr_array(SPARSE), Y)[10:30]
    np.testing.assert_allclose(
        Standardize.fit(part, with_mean=False).deviation,
        Standardize.fit(SPARSE[10:30], with_mean=False).deviation,
        rtol=1e-14,
    )


def test_a_constant_column_of_sparse_data_counts_as_deviation_1():
    sparse = scipy.sparse.csr_array([[0.1, 0.0, 0.1], [0.1, 0.0, 0.0], [0.1, 0.0, 0.1]])
    deviation = Standardize.fit(sparse, with_mean=False).deviation
    assert deviation[:2].tolist() == [1, 1]
    assert deviation[2] == pytest.approx(0.1 * math.sqrt(2) / 3)


def test_the_numbers_cannot_be_changed():
    for array in (INPUTS.mean, INPUTS.deviation):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
    for name in ("mean", "deviation", "with_mean", "features"):
        with pytest.raises(AttributeError):
            setattr(INPUTS, name, None)
    mean = np.ones(2)
    made = Standardize(mean, [1, 2])
    mean[0] = 7
    assert made.mean[0] == 1


@pytest.mark.parametrize(
    "inputs",
    [INPUTS, Standardize.fit(X, with_mean=False), Standardize([0.1], [1 / 3], features=["a"])],
)
def test_copies_pickles_and_json_are_equal_and_exact(inputs):
    state = json.loads(json.dumps(input_transform.to_json(inputs)))
    for again in (pickle.loads(pickle.dumps(inputs)), copy.copy(inputs), copy.deepcopy(inputs),
                  input_transform.from_json(state)):  # fmt: skip
        assert again == inputs
        assert hash(again) == hash(inputs)
        assert again.key == inputs.key
        assert (again.with_mean, again.features) == (inputs.with_mean, inputs.features)


def test_a_second_transform_of_the_same_name_is_refused():
    with pytest.raises(TypeError, match=r"^name: expected one that no other .* got 'standardize'"):
        type("Other", (Standardize,), {"name": "standardize"})
    assert input_transform.from_json(input_transform.to_json(INPUTS)) == INPUTS


def test_other_numbers_names_and_types_are_not_equal():
    one = Standardize([1.0], [2.0])
    assert one != Standardize([1.5], [2.0])
    assert one != Standardize([1.0], [2.5])
    assert Standardize([0.0], [2.0]) != Standardize(None, [2.0])
    assert one != Standardize([1.0], [2.0], features=["a"])
    assert one != "standardize"


def test_the_repr_has_the_ranges():
    assert repr(Standardize([1, 2], [3, 4])) == (
        "<Standardize: 2 features, mean 1 to 2, deviation 3 to 4>"
    )
    assert repr(Standardize(None, [3])) == "<Standardize: 1 feature, no mean, deviation 3>"


@pytest.mark.parametrize("shape", [(6,), (6, 1), (60, 6)])
def test_transform_keeps_the_shape_and_rounds_once(shape):
    inputs = X if shape == (60, 6) else X[7].reshape(shape)
    made = INPUTS.transform(inputs, dtype="float32")
    assert made.shape == shape
    assert made.dtype == np.float32
    exact = ((inputs.reshape(-1, 6) * 1.0 - INPUTS.mean) / INPUTS.deviation).astype(np.float32)
    assert equal(made, exact.reshape(shape))


# ---- bad input


def at(place, value):
    changed = X.copy()
    changed[place] = value
    return changed


BAD_FITS = {
    "NaN": (at((7, 2), np.nan), {}, "X: expected finite numbers, got nan in row 7, column 2"),
    "infinity": (at((59, 5), -np.inf), {}, "got -inf in row 59, column 5"),
    "a frame": ({"a": [1, 2], "b": [3, np.nan]}, {}, "got nan in row 1, column 1 ('b')"),
    "sparse with means": (scipy.sparse.csr_array(SPARSE), {}, "with_mean: expected False for"),
    "no truth": (X, {"with_mean": 1}, "with_mean: expected True or False, got 1"),
    "a vector": (X[0], {}, "X: expected shape (n, n_in), got (6,)"),
    "no rows": (X[:0], {}, "X: expected at least one example"),
    "words": ([["a"]], {}, "X: expected numbers, got <U1"),
    "text": ({"a": [1, 2], "b": ["x", "y"]}, {}, "X: column 'b': expected numbers, got 'x'"),
    "a missing value": ({"a": [1, 2], "b": [3, None]}, {}, "got nan in row 1, column 1 ('b')"),
    "too wide": ([[1e300], [-1e300]], {}, "within the range of float64, got others in column 0"),
    "None": (None, {}, "X: expected"),
}


@pytest.mark.parametrize("case", BAD_FITS)
def test_what_cannot_be_fitted_is_refused_by_name(case):
    data, options, words = BAD_FITS[case]
    with pytest.raises((TypeError, ValueError)) as caught:
        Standardize.fit(data, **options)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_missing_value_in_a_frame_is_refused_by_row_and_column(name):
    module = pytest.importorskip(name)
    columns = {"a": [1, 2, 3], "b": [3, 4, None]}
    frames = {"floats": module.DataFrame(columns)}
    if name == "pandas":
        frames["nullable"] = frames["floats"].astype("Int64")
    for frame in frames.values():
        with pytest.raises((TypeError, ValueError), match=r"row 2, column .*'b'"):
            Standardize.fit(frame)


def test_not_finite_numbers_among_sparse_ones_are_refused_by_row_and_column():
    values = SPARSE.copy()
    values[41, 3] = np.inf
    with pytest.raises(ValueError, match=r"got inf in row 41, column 3$"):
        Standardize.fit(scipy.sparse.csr_array(values), with_mean=False)


def test_a_piece_that_is_not_the_first_names_the_row_of_all(monkeypatch):
    monkeypatch.setattr(moments, "_PIECE", 30)
    with pytest.raises(ValueError, match=r"row 57, column 4$"):
        Standardize.fit(at((57, 4), np.nan))


BAD_ARGUMENTS = {
    "lengths": (([1.0], [1.0, 2.0]), {}, "mean: expected as many as there are deviations, 2"),
    "a negative deviation": (([1, 2], [1, -2]), {}, r"deviation[1]: expected a number of 0 or"),
    "NaN": (([np.nan], [1]), {}, "mean[0]: expected a finite number, got nan"),
    "infinity": (([1], [np.inf]), {}, "deviation[0]: expected a finite number, got inf"),
    "a number": ((1, 2), {}, "deviation: expected shape (n_in,), got ()"),
    "a matrix": ((X, X), {}, "deviation: expected shape (n_in,), got (60, 6)"),
    "words": ((["a"], ["b"]), {}, "deviation: expected real numbers, got <U1"),
    "nothing": (([], []), {}, "deviation: expected"),
    "a name too few": (([1, 2], [1, 2]), {"features": ["a"]}, "features: expected 2, got 1"),
    "a name twice": (([1, 2], [1, 2]), {"features": ["a", "a"]}, "got 'a' twice"),
    "one text": (([1, 2], [1, 2]), {"features": "ab"}, "features: expected a list of strings"),
    "no text": (([1, 2], [1, 2]), {"features": ["a", 2]}, "features[1]: expected a string, got 2"),
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_arguments_that_do_not_fit_are_refused_by_name(case):
    arguments, options, words = BAD_ARGUMENTS[case]
    with pytest.raises((TypeError, ValueError)) as caught:
        Standardize(*arguments, **options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"name": "os.system"}, "expected one of .*standardize.*, found 'os.system'"),
        ({"name": "standardize", "mean": [1]}, "expected an object with mean and deviation"),
        ({"name": "standardize", "mean": [1], "deviation": ["a"]}, "deviation: expected real"),
        ({"name": "standardize", "mean": [1], "deviation": [1, 2]}, "mean: expected as many"),
        ({"mean": [1], "deviation": [1]}, "expected an object with a name"),
        ([1], r"expected an object with a name, found \[1\]"),
    ],
)
def test_a_damaged_state_is_refused(value, words):
    with pytest.raises(ValueError, match=words):
        input_transform.from_json(value)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (
            Standardize([1, 2], [1, 2]),
            "inputs: expected 6 features, the inputs of the network, got 2",
        ),
        ("standardize", "inputs: expected a Standardize, a Table or None, got 'standardize'"),
        (Standardize, "inputs: expected a Standardize, a Table or None"),
        ((INPUTS.mean, INPUTS.deviation), "inputs: expected a Standardize, a Table or None"),
    ],
)
def test_a_network_refuses_inputs_that_do_not_fit(inputs, words):
    with pytest.raises((TypeError, ValueError), match=words):
        network(inputs)


CALLS = {
    "training_data": lambda net, data: net.SGD(data, 1, 5, 0.5, verbose=False),
    "mini_batch": lambda net, data: net.update_mini_batch(data, 0.5, 0.0, 60),
    "data": lambda net, data: net.accuracy(data),
    "a": lambda net, data: net.feedforward(data[0]),
    "X": lambda net, data: net.predict_labels(data[0]),
}


@pytest.mark.parametrize("name", CALLS)
def test_sparse_data_are_refused_if_there_are_means_and_nothing_has_changed(name):
    net, twin = network(), network()
    with pytest.raises(ValueError, match=f"^{name}: expected dense inputs, .*with_mean=False"):
        CALLS[name](net, (scipy.sparse.csr_array(SPARSE), Y))
    assert net == twin


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_array])
def test_another_number_of_features_is_refused(name, kind):
    net = network(Standardize.fit(X, with_mean=False))
    with pytest.raises(ValueError, match=rf"^{name}: expected .*6.*got .*5"):
        CALLS[name](net, (kind(SPARSE[:, :5]), Y))


@pytest.mark.parametrize("name", [*CALLS, "x"])
def test_standardized_inputs_beyond_the_range_of_the_dtype_are_refused(name):
    net = network(Standardize(np.zeros(6), np.full(6, 1e-30)))
    call = CALLS.get(name, lambda net, data: net.predictor()(data[0][0]))
    with pytest.raises(
        ValueError, match=rf"^{name}: expected .*inputs within the range of float32"
    ):
        call(net, (np.full((60, 6), 1e20), Y))
    call(network(net.inputs, dtype="float64"), (np.full((60, 6), 1e20), Y))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float64, list])
def test_a_predictor_refuses_what_is_not_finite(value, kind):
    predict = network().predictor()
    x = [1, 2, 3, value, 5, 6]
    with pytest.raises(ValueError, match=r"^x: expected finite numbers, got NaN or infinity"):
        predict(x if kind is list else np.array(x, kind))
    assert np.isfinite(predict(X[0])).all()


def test_random_shifts_are_refused_beside_inputs_which_differ_by_pixel():
    net = Network([9, 3], seed=1, inputs=Standardize(np.zeros(9), np.ones(9)))
    with pytest.raises(ValueError, match=r"^shift: expected 0 for a network that standardizes"):
        net.SGD((np.zeros((6, 9)), np.arange(6) % 3), 1, 2, 0.5, shift=1, verbose=False)


# ---- the same bits as from inputs that were standardized before


FORMS = {
    "float64": (lambda: X, INPUTS, 1.0),
    "float32": (lambda: X.astype(np.float32), INPUTS, 1.0),
    "integers": (lambda: X.astype(np.int64), INPUTS, 1.0),
    "lists": (lambda: X.tolist(), INPUTS, 1.0),
    "bytes": (lambda: BYTES, Standardize.fit(BYTES * SCALE), SCALE),
    "Fortran order": (lambda: np.asfortranarray(X), INPUTS, 1.0),
    "without means": (lambda: SPARSE, Standardize.fit(SPARSE, with_mean=False), 1.0),
    "sparse": (
        lambda: scipy.sparse.csr_array(SPARSE), Standardize.fit(SPARSE, with_mean=False), 1.0
    ),
    "sparse bytes": (
        lambda: scipy.sparse.csr_array(BYTES * (SPARSE != 0)),
        Standardize.fit(BYTES * (SPARSE != 0) * SCALE, with_mean=False),
        SCALE,
    ),
}  # fmt: skip


def dense_of(form):
    given = FORMS[form][0]()
    return given.toarray() if scipy.sparse.issparse(given) else np.array(given)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS)
def test_every_method_gives_the_bits_of_inputs_that_were_standardized_before(form, dtype):
    make, inputs, scale = FORMS[form]
    rows = inputs.transform(dense_of(form), scale, dtype)
    assert np.abs(rows).max() > 1
    net, twin = network(inputs, dtype=dtype), Network([6, 4, 3], seed=1, dtype=dtype)
    options = {"monitor_training_cost": True, "monitor_evaluation_accuracy": True}
    data, before = Dataset(make(), Y, scale), Dataset(rows, Y)
    history = net.SGD(data, 3, 7, 0.5, 0.1, evaluation_data=data, verbose=False, **options)
    assert history == twin.SGD(
        before, 3, 7, 0.5, 0.1, evaluation_data=before, verbose=False, **options
    )
    assert same_parameters(net, twin)
    net.update_mini_batch(data, 0.5, 0.1, 60)
    twin.update_mini_batch(before, 0.5, 0.1, 60)
    assert same_parameters(net, twin)
    for given in (data, (make(), Y)):
        assert net.accuracy(given) == twin.accuracy(before)
        assert net.total_cost(given, 0.5) == twin.total_cost(before, 0.5)
        assert equal(net.gradient(given), twin.gradient(before))
        assert net.gradient_check(given) == twin.gradient_check(before)
        inputs_alone = given if given is data else given[0]
        assert equal(net.feedforward(inputs_alone), twin.feedforward(rows))
        assert equal(net.predict_labels(inputs_alone), twin.predict_labels(rows))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["float64", "float32", "integers", "lists", "bytes"])
def test_one_example_gives_the_bits_of_all_in_every_method(form, dtype):
    make, inputs, scale = FORMS[form]
    given = make()
    net = trained(Dataset(given, Y, scale), inputs, dtype=dtype)
    outputs, predict = net.feedforward(Dataset(given, Y, scale)), net.predictor()
    assert len(np.unique(outputs)) > 90
    for i in range(60):
        x = given[i]
        assert equal(predict(x), outputs[i])
        assert equal(net.feedforward(x), outputs[i])
        assert equal(net.feedforward(np.array(x)[:, None])[:, 0], outputs[i])
    twin = Network([6, 4, 3], seed=1, dtype=dtype)
    twin.weights, twin.biases = net.weights, net.biases
    standardized = inputs.transform(np.array(given[3]), scale, dtype)
    assert equal(net.backprop(given[3], 1), twin.backprop(standardized, 1))
    shown, expected = net.explain(given[3], 1), twin.explain(standardized, 1)
    assert shown.cost == expected.cost
    assert equal(shown.x, expected.x)
    assert all(map(equal, shown.layers, expected.layers))
    assert equal(shown.raw[:, 0], np.array(given[3], np.float64) * scale)
    assert "a^1 = (x - mean) / deviation" in str(shown)
    assert expected.raw is None


def test_a_predictor_standardizes_without_allocating():
    predict, rows = network().predictor(), [X[0].copy(), X[1].astype(np.float32)]
    for x in rows:
        predict(x)
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[1]
        for _ in range(100):
            for x in rows:
                predict(x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - before < 600  # a float or two of the loop; a row of arrays takes more


def test_a_predictor_does_not_write_to_its_argument():
    x = X[0].copy()
    network().predictor()(x)
    network().feedforward(x)
    assert equal(x, X[0])


def test_bytes_after_a_training_are_scaled_then_standardized():
    inputs = Standardize.fit(Dataset(BYTES, Y, SCALE))
    net = trained(Dataset(BYTES, Y, SCALE), inputs)
    assert net.input_scale == SCALE
    assert equal(net.feedforward(BYTES), net.feedforward(BYTES * SCALE))
    assert net.accuracy((BYTES, Y)) == net.accuracy((BYTES * SCALE, Y))
    assert equal(net.predictor()(BYTES[5]), net.feedforward(BYTES)[5])


def test_bytes_that_are_standardized_raise_no_warning_of_their_scale():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained((BYTES, Y), Standardize.fit(BYTES))


def test_weights_are_those_on_standardized_inputs():
    """The same outputs follow from the weights of a network on raw inputs, w / deviation."""
    net = trained((X, Y), dtype="float64")
    raw = Network([6, 4, 3], seed=1, dtype="float64")
    w, b = net.weights[0], net.biases[0]
    scaled = w / INPUTS.deviation
    raw.weights = [scaled, net.weights[1]]
    raw.biases = [b - scaled @ INPUTS.mean[:, None], net.biases[1]]
    np.testing.assert_allclose(raw.feedforward(X), net.feedforward(X), rtol=1e-6)


def test_without_inputs_nothing_is_standardized():
    net, twin = network(None), Network([6, 4, 3], seed=1)
    assert net.inputs is None
    assert equal(net.feedforward(X), twin.feedforward(X))
    assert repr(net) == repr(twin)


# ---- once per data set


@pytest.fixture
def standardizations(monkeypatch):
    """The shapes of the arrays that are standardized whole."""
    found, standardize = [], moments.standardized

    def counted(by, X, *rest):
        found.append(X.shape)
        return standardize(by, X, *rest)

    monkeypatch.setattr(moments, "standardized", counted)
    return found


def test_a_data_set_is_standardized_once_for_all_calls_and_equal_standardizations(
    standardizations,
):
    data = Dataset(X, Y)
    for inputs in (INPUTS, Standardize.fit(X), pickle.loads(pickle.dumps(INPUTS))):
        net = network(inputs)
        net.SGD(data, 2, 5, 0.5, evaluation_data=data, verbose=False)
        net.accuracy(data)
        net.feedforward(data)
        net.predict_labels(data)
    assert standardizations == [(60, 6)]
    network(dtype="float64").accuracy(data)
    assert standardizations == [(60, 6)] * 2


def test_two_networks_with_other_means_on_one_data_set_do_not_mix():
    other = Standardize.fit(X[:7])
    data = Dataset(X, Y)
    nets = [network(inputs, dtype=d) for inputs in (INPUTS, other) for d in ("float32", "float64")]
    expected = [net.feedforward(X) for net in nets]
    for _ in range(2):
        for net, outputs in zip(nets, expected, strict=True):
            assert equal(net.feedforward(data), outputs)
    assert not equal(expected[0], expected[2])


def test_a_data_set_keeps_a_few_standardized_forms_only():
    data = Dataset(X, Y)
    for k in range(20):
        network(Standardize.fit(X + k)).feedforward(data)
    assert len(data._standardized) == 4


def test_threads_that_begin_together_standardize_once(standardizations):
    data, nets, outputs = Dataset(X, Y), [network() for _ in range(6)], {}
    start = threading.Barrier(6)

    def run(k):
        start.wait()
        nets[k].SGD(data, 2, 5, 0.5, verbose=False)
        outputs[k] = nets[k].feedforward(data)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert standardizations == [(60, 6)]
    assert all(equal(outputs[k], trained((X, Y)).feedforward(X)) for k in range(6))


def test_a_signal_handler_in_the_middle_standardizes_for_itself(monkeypatch):
    """It runs in the thread that computes, which cannot wait for itself."""
    data, standardize, seen = Dataset(X, Y), moments.standardized, []

    def interrupted(*given):
        if not seen:
            seen.append(None)
            seen.append(network().feedforward(data))
        return standardize(*given)

    monkeypatch.setattr(moments, "standardized", interrupted)
    outputs = network().feedforward(data)
    assert equal(seen[1], outputs)
    assert data._in_flight == {}
    assert single_flight.STALL_TIMEOUT > 0


def test_slices_pickles_and_copies_of_a_data_set_are_standardized_as_it_is():
    data, net = Dataset(X, Y), network()
    outputs = net.feedforward(data)
    assert equal(net.feedforward(data[10:30]), outputs[10:30])
    assert equal(net.feedforward(data[[5, 3]]), outputs[[5, 3]])
    for again in (pickle.loads(pickle.dumps(data)), copy.deepcopy(data), copy.copy(data)):
        assert equal(net.feedforward(again), outputs)
    assert len(pickle.dumps(data)) < 2 * X.nbytes  # without the standardized form


def test_standardized_data_are_not_standardized_again():
    data = Dataset(X, Y).standardized(INPUTS, "float32")
    assert data.standardized(INPUTS, "float32") is data
    assert equal(network().feedforward(data), network().feedforward(X))
    assert equal(network().feedforward(data[5:9]), network().feedforward(X[5:9]))
    assert equal(Network([6, 4, 3], seed=1).feedforward(data), network(None).feedforward(X))


def test_pickles_of_standardized_data_are_not_standardized_again():
    data = Dataset(X, Y).standardized(INPUTS, "float32")
    for again in (pickle.loads(pickle.dumps(data)), copy.copy(data)):
        assert equal(again.X, data.X)
        assert equal(network().feedforward(again), network().feedforward(X))
    with pytest.raises(TypeError, match=r"^expected the state of a data set"):
        Dataset.__new__(Dataset).__setstate__({**data.__getstate__(), "_source": 3})


def test_a_memory_map_is_standardized_in_memory(tmp_path):
    np.save(tmp_path / "X.npy", X)
    data = Dataset(np.load(tmp_path / "X.npy", mmap_mode="r"), Y)
    assert same_parameters(trained(data), trained((X, Y)))
    (tmp_path / "X.npy").write_bytes(b"")
    with pytest.raises(ValueError, match=r"truncated|expected"):
        network(Standardize.fit(X[:9])).feedforward(data)


def test_zeros_that_stay_zeros_are_compressed():
    inputs = np.zeros((400, 200))
    inputs[:, ::40] = RANDOM.random((400, 5))
    data = Dataset(inputs, np.arange(400) % 3, sparse=True)
    fitted = Standardize.fit(inputs, with_mean=False)
    net, twin = (Network([200, 5, 3], seed=1, inputs=one) for one in (fitted, None))
    net.SGD(data, 2, 10, 0.5, verbose=False)
    twin.SGD((fitted.transform(inputs, dtype="float32"), data.y), 2, 10, 0.5, verbose=False)
    assert same_parameters(net, twin)
    (kept,) = data._standardized.values()
    assert len(kept["_forms"]) == 1


# ---- files, pickles, copies


@pytest.mark.parametrize("inputs", [INPUTS, Standardize.fit(X, with_mean=False)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_files_pickles_and_copies_keep_the_inputs(inputs, dtype, tmp_path):
    net = trained((X, Y), inputs, dtype=dtype)
    net.save(tmp_path / "net.json")
    for again in (fastnet.load(tmp_path / "net.json"), pickle.loads(pickle.dumps(net)),
                  copy.deepcopy(net), copy.copy(net), net.copy()):  # fmt: skip
        assert again == net
        assert again.inputs == inputs
        assert repr(again) == repr(net)
        assert equal(again.feedforward(X), net.feedforward(X))
        assert equal(again.predictor()(X[0]), net.predictor()(X[0]))
        for each in (copied := net.copy(), again):
            each.reseed(3)
            each.SGD((X, Y), 1, 5, 0.5, verbose=False)
        assert same_parameters(copied, again)


def test_the_book_s_reader_reads_the_file_and_ignores_the_new_keys(tmp_path):
    net = trained((X, Y), dtype="float64")
    net.save(tmp_path / "net.json")
    data = json.loads((tmp_path / "net.json").read_text())  # as network2.load does
    assert data["inputs"]["name"] == "standardize"
    book = Network(data["sizes"], data["cost"].removesuffix("Cost").lower().replace(
        "crossentropy", "cross-entropy"), dtype="float64")  # fmt: skip
    book.weights, book.biases = data["weights"], data["biases"]
    assert equal(book.feedforward(INPUTS.transform(X)), net.feedforward(X))
    assert "book's reader ignores" in inspect.getdoc(Network.save)


def test_files_and_pickles_of_networks_without_inputs_are_as_before(tmp_path):
    net = Network([6, 4, 3], seed=1)
    net.save(tmp_path / "net.json")
    fields = json.loads((tmp_path / "net.json").read_text())
    versions = ["kind", "format_version", "fastnet_version"]
    assert [key for key in fields if key not in versions] == [
        "sizes", "weights", "biases", "cost", "own_cost", "output", "hidden", "dtype",
        "input_scale",
    ]  # fmt: skip
    state = net.__getstate__()["fastnet.Network"]
    assert state["version"] == 2
    assert "schema" not in state


def test_releases_that_know_no_inputs_refuse_the_pickle():
    state = network().__getstate__()["fastnet.Network"]
    assert state["version"] == 3


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("inputs", {"name": "os.system"}, "inputs: expected one of .*, found 'os.system'"),
        ("inputs", {"name": "standardize", "mean": None, "deviation": [1.0]},
         "inputs: expected 6 features, the inputs of the network, got 1"),
        ("inputs", {"name": "standardize", "mean": None, "deviation": [-1.0] * 6},
         r"inputs: deviation\[0\]: expected a number of 0 or more"),
        ("inputs", "standardize", "inputs: expected an object with a name"),
        ("classes", ["a", "b"], "classes: expected 3, .* got 2"),
        ("classes", "abc", "classes: expected a list of labels"),
        ("classes", ["a", "b", None], r"classes\[2\]: expected a string, a finite number"),
        ("features", ["a"] * 6, "features: expected different names, got 'a' twice"),
        ("features", {"a": 1}, "features: expected 6, got 1"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_by_its_name_and_the_key(key, value, words, tmp_path):
    file = tmp_path / "net.json"
    network().save(file)
    fields = json.loads(file.read_text())
    file.write_text(json.dumps({**fields, key: value}))
    with pytest.raises(ValueError, match=words) as caught:
        fastnet.load(file)
    assert str(caught.value).startswith(f"{file}: ")


@pytest.mark.parametrize("schema", [3, {}, {"inputs": None}, {"inputs": 3, "classes": None,
                                    "features": None}])  # fmt: skip
def test_a_damaged_pickle_is_refused(schema):
    state = network().__getstate__()
    state["fastnet.Network"] = {**state["fastnet.Network"], "schema": schema}
    with pytest.raises((TypeError, ValueError), match=r"^(schema|inputs): expected"):
        Network.__new__(Network).__setstate__(state)


def test_networks_that_standardize_otherwise_are_not_equal():
    assert network() == network(Standardize.fit(X))
    assert network() != network(None)
    assert network() != network(Standardize.fit(X[:9]))


def test_the_repr_shows_that_inputs_are_standardized():
    assert repr(network()) == (
        "<Network [6, 4, 3]: sigmoid outputs, cross-entropy cost, float32; standardized inputs>"
    )
    with pytest.raises(AttributeError):
        network().inputs = None


# ---- overridden methods, many networks, the learning rate


class OwnStep(Network):
    """Its methods call the package's, with the columns that they were given."""

    def backprop(self, x, y):
        assert x.shape == (6, 1)
        assert x.dtype == np.float64
        return super().backprop(x, y)


class OwnUpdate(Network):
    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        super().update_mini_batch(mini_batch, eta, lmbda, n)


class OwnOutputs(Network):
    def feedforward(self, a):
        return super().feedforward(a)


class OwnFigures(Network):
    def accuracy(self, data, convert=False):
        return super().accuracy(data)

    def total_cost(self, data, lmbda, convert=False):
        return super().total_cost(data, lmbda)


@pytest.mark.parametrize("kind", [OwnUpdate, OwnOutputs, OwnFigures])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["float64", "bytes", "sparse"])
def test_a_subclass_that_calls_the_package_s_methods_trains_the_same_bits(kind, dtype, form):
    make, inputs, scale = FORMS[form]
    data = Dataset(make(), Y, scale)
    options = {"evaluation_data": data, "monitor_training_cost": True, "verbose": False,
               "monitor_evaluation_accuracy": True, "monitor_training_accuracy": True}  # fmt: skip
    net, twin = (network(inputs, k, dtype=dtype) for k in (kind, Network))
    history, expected = (each.SGD(data, 2, 5, 0.5, **options) for each in (net, twin))
    assert same_parameters(net, twin)
    assert history.evaluation_accuracy == expected.evaluation_accuracy
    assert history.training_accuracy == expected.training_accuracy
    assert history.training_cost == pytest.approx(expected.training_cost, rel=1e-6)
    assert equal(net.predict_labels(data), twin.predict_labels(data))
    assert net.accuracy(data) == twin.accuracy(data)


def test_an_overridden_backprop_is_given_columns_that_are_not_standardized():
    net, twin = (network(kind=k, dtype="float64") for k in (OwnStep, Network))
    for each in (net, twin):
        each.SGD((X, Y), 2, 5, 0.5, verbose=False)
    for one, other in zip(net.weights, twin.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_a_backprop_of_the_book_standardizes_by_itself():
    """With the same result: an own loop over the layers begins with net.inputs.transform(x)."""

    def backprop(self, x, y):
        seen.append(x)
        plain.weights, plain.biases = self.weights, self.biases
        return plain.backprop(self.inputs.transform(x), y)

    seen, plain = [], Network([6, 4, 3], seed=1, dtype="float64")
    net, twin = network(dtype="float64"), network(dtype="float64")
    net.backprop = types.MethodType(backprop, net)
    for each in (net, twin):
        each.update_mini_batch((X, Y), 0.5, 0.0, 60)
    assert equal(seen[3][:, 0], X[3])
    for one, other in zip(net.weights, twin.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def alone(spec, data, evaluation):
    of_network = ("sizes", "seed", "dtype", "inputs", "classes", "features")
    net = Network(**{k: v for k, v in spec.items() if k in of_network})
    options = {k: v for k, v in spec.items() if k not in of_network}
    return net, net.SGD(
        data, evaluation_data=evaluation, monitor_evaluation_accuracy=True, verbose=False, **options
    )


SPECS = [
    {**SPEC, "inputs": INPUTS},
    {**SPEC, "inputs": Standardize.fit(X[:9]), "dtype": "float64"},
    {**SPEC, "inputs": Standardize.fit(X, with_mean=False)},
    SPEC,
]


@pytest.mark.parametrize("given", [(X, Y), Dataset(X, Y)], ids=["arrays", "Dataset"])
def test_many_networks_in_threads_are_those_trained_alone(given):
    fits = fastnet.fit_many(SPECS, given, (X[:20], Y[:20]), verbose=False)
    for fit, spec in zip(fits, SPECS, strict=True):
        net, history = alone(spec, given, (X[:20], Y[:20]))
        assert fit.error is None
        assert fit.network == net
        assert fit.history == history
        assert fit.network.inputs == spec.get("inputs")


def test_many_networks_in_processes_are_those_trained_alone(spawning):
    with ProcessPoolExecutor(1, mp_context=spawning) as pool:
        fits = fastnet.fit_many(SPECS, (X, Y), (X[:20], Y[:20]), executor=pool, verbose=False)
    for fit, spec in zip(fits, SPECS, strict=True):
        net, history = alone(spec, (X, Y), (X[:20], Y[:20]))
        assert fit.error is None
        assert fit.network == net
        assert fit.history == history


def test_many_networks_say_which_spec_has_inputs_that_do_not_fit():
    bad = {**SPEC, "inputs": Standardize([1], [1])}
    with pytest.raises(ValueError, match=r"^specs\[1\]: inputs: expected 6 features"):
        fastnet.fit_many([SPEC, bad], (X, Y))


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_change_no_bit(n_threads):
    wide = RANDOM.normal(size=(600, 300)) + 3
    inputs, labels = Standardize.fit(wide), np.arange(600) % 3
    nets = [Network([300, 64, 3], seed=1, inputs=inputs, n_threads=n) for n in (1, n_threads)]
    for net in nets:
        net.SGD((wide, labels), 1, 100, 0.1, verbose=False)
    assert nets[0] == nets[1]
    assert equal(nets[0].feedforward(wide), nets[1].feedforward(wide))


def test_the_search_for_a_rate_is_that_on_standardized_inputs():
    options = {"mini_batch_size": 5, "verbose": False}
    found = fastnet.find_learning_rate(network(), (X, Y), (X, Y), **options)
    rows = INPUTS.transform(X, dtype="float32")
    expected = fastnet.find_learning_rate(network(None), (rows, Y), (rows, Y), **options)
    assert found[:2] == expected[:2]
    for one, other in zip(found.trials, expected.trials, strict=True):
        assert one.costs == other.costs
        assert one.evaluation_accuracy == other.evaluation_accuracy


def test_pictures_show_the_images_as_they_were_given():
    pytest.importorskip("matplotlib").use("Agg")
    from fastnet import plots

    net, plain = network(), network(None)
    plain.weights, plain.biases = net.weights, net.biases
    net.biases[1] = plain.biases[1] = [[0], [0], [100]]  # all are of the last class
    one, other = (plots.digits(each, (X, Y), shape=(2, 3)).images[0] for each in (net, plain))
    assert equal(one.get_array().filled(-1), other.get_array().filled(-1))
    assert plots.confusion(net, (X, Y)).get_title() == plots.confusion(plain, (X, Y)).get_title()


def test_the_page_of_a_network_that_standardizes_is_refused(mnist):
    from fastnet.demo import page

    inputs = Standardize(np.zeros(784), np.ones(784))
    net = Network([784, 10], seed=1, inputs=inputs)
    with pytest.raises(ValueError, match=r"^net: expected a network without inputs=, which"):
        page.page(net, mnist[2], "")


def test_the_reference_s_predictor_standardizes_as_the_kernels_do():
    from fastnet import reference

    net = trained((X, Y), dtype="float64")
    core = reference.NetworkCore(net.sizes, "sigmoid", "cross-entropy", net._model.values)
    predict = core.predictor(None, (INPUTS.mean, INPUTS.deviation), lambda x: np.array(x["x"]))
    for x in X[:5]:
        np.testing.assert_allclose(predict(x), net.feedforward(x), rtol=1e-12)
        np.testing.assert_allclose(predict({"x": x}), net.feedforward(x), rtol=1e-12)
