"""Properties that hold for any network and any data: random shapes, kinds and forms."""

import contextlib
import copy
import json
import pickle
import re

import numpy as np
import pytest
import scipy.sparse

pytest.importorskip("hypothesis", reason="hypothesis is not installed")

import oracle
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import bits, dtypes, isas, problems, using

import fastnet
from fastnet.training.loop import DivergenceError

# Of the norm of all that is compared. Rounding stayed below a tenth of these in 4,500 examples;
# a product too few or an element in a wrong place is far above.
TOLERANCE = {"float32": 2e-5, "float64": 1e-13}


def assert_near(result, expected, dtype):
    """Lists of arrays are equal but for rounding, in terms of the norm of all of them."""
    difference = sum(np.linalg.norm(a - b) ** 2 for a, b in zip(result, expected, strict=True))
    size = sum(np.linalg.norm(b) ** 2 for b in expected)
    assert [a.shape for a in result] == [b.shape for b in expected]
    assert difference**0.5 <= TOLERANCE[dtype] * size**0.5


def attempt(function, *arguments, **options):
    """(result, None), or (None, error) where the arguments are refused."""
    try:
        return function(*arguments, **options), None
    except (TypeError, ValueError) as error:
        return None, error


# ---- against the reference ---------------------------------------------------


@given(problems(), isas)
def test_the_outputs_are_those_of_the_reference(problem, isa):
    net, X = problem.network(), problem.X()
    with using(isa):
        a = net.feedforward(problem.data())
    assert_near([a], [oracle.outputs(net, X, problem.scale)], problem.dtype)


@given(problems(), isas)
def test_the_gradient_is_that_of_the_reference(problem, isa):
    net, X, y = problem.network(), problem.X(), problem.y()
    with using(isa):
        nabla_b, nabla_w = net.gradient(problem.data())
    expected_b, expected_w = oracle.gradient(net, X, problem.scale, y)
    assert_near(nabla_b + nabla_w, expected_b + expected_w, problem.dtype)


@given(problems(), isas, st.sampled_from([0.0, 3.0]))
def test_a_few_steps_are_those_of_the_reference(problem, isa, lmbda):
    net, X, y = problem.network(), problem.X(), problem.y()
    data, batches, eta = problem.data(), problem.batches()[:3], 0.01
    l2 = lmbda / problem.n
    expected_b, expected_w = oracle.steps(net, X, problem.scale, y, batches, eta, l2)
    with using(isa):
        for batch in batches:
            net.update_mini_batch(data[batch], eta, lmbda, problem.n)
    after = [*net.biases, *net.weights]
    assert_near(after, expected_b + expected_w, problem.dtype)


# ---- the same bits -------------------------------------------------------------


def trained(problem, data, isa, n_threads=1, **options):
    """The bits after two epochs, or after as many as there are before the training diverges."""
    net = problem.network(n_threads=n_threads)
    with using(isa), contextlib.suppress(DivergenceError):
        net.SGD(data, 2, problem.m, 0.01, lmbda=0.1, verbose=False, **options)
    return bits(net)


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "optimizer": st.sampled_from(
            [fastnet.Momentum(0.9), fastnet.Momentum(0.5, nesterov=True), fastnet.Adam()]
        ),
        "l1": st.just(0.05),
    },
)


@given(problems(), isas, OPTIONS, st.integers(1, 3))
def test_every_form_of_the_inputs_trains_to_the_same_bits(problem, isa, options, n_threads):
    """Dense rows, dense rows that are compressed, and compressed sparse rows that were given."""
    X, y, scale = problem.X(), problem.y(), problem.scale
    dense = trained(problem, problem.data(sparse=False), isa, **options)
    assert trained(problem, problem.data(sparse=True), isa, n_threads, **options) == dense
    rows = [np.flatnonzero(row) for row in X]
    indptr = np.cumsum([0] + [len(row) for row in rows])
    csr = fastnet.Dataset.from_csr(
        X[X != 0], np.concatenate(rows).astype(np.int32), indptr, X.shape[1], y, scale=scale
    )
    assert trained(problem, csr, isa, n_threads, **options) == dense
    net = problem.network()
    with using(isa):
        outputs = [net.feedforward(data).tobytes() for data in (csr, problem.data(sparse=False))]
        gradients = [
            [part.tobytes() for parts in net.gradient(data) for part in parts]
            for data in (csr, problem.data(sparse=False))
        ]
    assert outputs[0] == outputs[1]
    assert gradients[0] == gradients[1]


FUSED = [isa for isa in fastnet.core._kernels.available() if isa != "baseline"]


@pytest.mark.skipif(len(FUSED) < 2, reason="fewer than two instruction sets with multiply-add")
@given(problems(), OPTIONS, st.floats(0, 0.9))
def test_every_instruction_set_with_fused_multiply_add_trains_to_the_same_bits(
    problem, options, dropout
):
    if len(problem.sizes) > 2:
        options = {**options, "dropout": dropout}
    results = [trained(problem, problem.data(), isa, **options) for isa in FUSED]
    assert results[1:] == results[:-1]


# ---- the forms of data -----------------------------------------------------------


def on_disk(array, folder):
    """A read-only memory map of a copy of the array."""
    path = folder / f"{len(list(folder.iterdir()))}.npy"
    np.save(path, array)
    return np.load(path, mmap_mode="r")


ARRAYS = {
    "rows not contiguous": lambda a, folder: np.repeat(a, 2, axis=-1)[..., ::2],
    "every other row": lambda a, folder: np.repeat(a, 2, axis=0)[::2],
    "backwards": lambda a, folder: a[::-1].copy()[::-1],
    "columns first": lambda a, folder: np.asfortranarray(a),
    "other byte order": lambda a, folder: a.astype(a.dtype.newbyteorder()),
    "misaligned": lambda a, folder: np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(
        a.shape
    ),
    "read-only": lambda a, folder: fastnet.core.checks.read_only(a.copy()),
    "lists": lambda a, folder: a if a.dtype == np.uint8 else a.tolist(),
    "memory map": on_disk,
}


@given(problems(), st.sampled_from(sorted(ARRAYS)), st.sampled_from(sorted(ARRAYS)))
def test_every_layout_of_arrays_trains_to_the_same_bits(tmp_path_factory, problem, of_x, of_y):
    X, y, folder = problem.X(), problem.y(), tmp_path_factory.mktemp("maps")
    expected = trained(problem, fastnet.Dataset(X, y, scale=problem.scale), "baseline")
    given_x, given_y = ARRAYS[of_x](X, folder), ARRAYS[of_y](y, folder)
    data = fastnet.Dataset(given_x, given_y, scale=problem.scale)
    assert trained(problem, data, "baseline") == expected
    del data, given_x, given_y


@given(problems())
def test_the_books_list_of_columns_trains_as_arrays_do(problem):
    X, y = problem.X(), problem.y()
    X = X.astype(np.float32) / 4 if X.dtype == np.uint8 else X
    pairs = [(x[:, None], t if problem.labels else t[:, None]) for x, t in zip(X, y, strict=True)]
    arrays = trained(problem, (X, y), "baseline")
    assert trained(problem, pairs, "baseline") == arrays
    assert trained(problem, iter(pairs), "baseline") == arrays
    assert trained(problem, fastnet.Dataset(X, y), "baseline") == arrays


@given(problems(), st.sampled_from("bhilqBHILQ?"), st.sampled_from("bhilqBHILQ?"))
def test_whole_numbers_of_every_type_train_as_float64_does(problem, of_x, of_y):
    """But for the bytes of uint8, which are those of pixels: test_scale_of_bytes.py."""
    assume(problem.labels and of_x != "B")
    random = np.random.default_rng(problem.seed)
    X = random.integers(0, 2 if of_x == "?" else 100, problem.X().shape).astype(of_x)
    y = problem.y()
    assume(y.max() <= (1 if of_y == "?" else 127))
    whole = trained(problem, (X, y.astype(of_y)), "baseline")
    assert whole == trained(problem, (X.astype(np.float64), y), "baseline")


@given(
    problems(),
    st.sampled_from(["X", "y"]),
    st.lists(st.integers(0, 3), max_size=3),
    st.sampled_from(["float64", "int64", "complex64", "object", "U3", "datetime64[s]", "float16"]),
    st.sampled_from([0.0, 1.0, np.nan, np.inf, -1.0, 1e300]),
)
def test_wrong_data_are_one_error_and_change_nothing(problem, which, shape, dtype, value):
    """An array of any shape, type and value: it is trained on, or refused in one sentence."""
    X, y = problem.X().astype(np.float64) / 256, problem.y()
    with np.errstate(all="ignore"):
        try:
            wrong = np.full(shape, value).astype(dtype)
        except (ValueError, TypeError):
            assume(False)
    net = problem.network()
    before = bits(net)
    data = (wrong, y) if which == "X" else (X, wrong)
    _, error = attempt(net.SGD, data, 1, problem.m, 0.01, verbose=False)
    if error is None:
        assert len(wrong) == problem.n
    else:
        assert re.match(r"training_data: .*(expected|got)", str(error), re.DOTALL), str(error)
        assert bits(net) == before


# ---- standardized inputs ------------------------------------------------------------


def moments(problem, with_mean):
    """Means and deviations for a problem that are no round numbers, some of them 0."""
    random = np.random.default_rng(problem.seed + 3)
    mean, deviation = random.normal(size=(2, problem.sizes[0]))
    deviation[random.random(len(deviation)) < 0.2] = 0
    return fastnet.Standardize(mean if with_mean else None, np.abs(deviation) * 7)


@given(problems(), isas, st.booleans(), st.integers(1, 3))
def test_inputs_that_the_network_standardizes_train_to_the_bits_of_those_that_were_before(
    problem, isa, with_mean, n_threads
):
    inputs, X = moments(problem, with_mean), problem.X()
    deviation = inputs.deviation
    rows = ((X * np.float64(problem.scale) - inputs.mean) / deviation).astype(problem.dtype)
    before = fastnet.Dataset(rows, problem.y())
    expected = trained(problem, before, isa)
    given = {"dense": X} if with_mean else {"dense": X, "sparse": scipy.sparse.csr_array(X)}
    for form in given.values():
        net = problem.network(n_threads=n_threads, inputs=inputs)
        data = fastnet.Dataset(form, problem.y(), problem.scale)
        with using(isa), contextlib.suppress(DivergenceError):
            net.SGD(data, 2, problem.m, 0.01, lmbda=0.1, verbose=False)
        assert bits(net) == expected
        net, plain = problem.network(inputs=inputs), problem.network()
        with using(isa):
            assert net.feedforward(data).tobytes() == plain.feedforward(rows).tobytes()


@given(problems(), isas, st.booleans())
def test_a_predictor_standardizes_to_the_bits_of_all_examples_together(problem, isa, with_mean):
    net, X = problem.network(inputs=moments(problem, with_mean)), problem.X()
    if X.dtype == np.uint8:
        X = X * problem.scale
    with using(isa):
        outputs, predict = net.feedforward(X), net.predictor()
        for x, a in zip(X, outputs, strict=True):
            assert predict(x).tobytes() == a.tobytes()
            assert net.feedforward(x).tobytes() == a.tobytes()


@given(problems(), st.data())
def test_standardizations_and_names_come_back_from_files_pickles_and_copies(
    tmp_path_factory, problem, data
):
    n_in, numbers = problem.sizes[0], st.floats(allow_nan=False, allow_infinity=False)
    mean = data.draw(st.none() | st.lists(numbers, min_size=n_in, max_size=n_in))
    deviation = data.draw(st.lists(numbers.map(abs), min_size=n_in, max_size=n_in))
    n = problem.network()._model.classes
    labels = st.text() | st.integers() | numbers | st.booleans()
    classes = data.draw(st.none() | st.lists(labels, min_size=n, max_size=n, unique=True))
    features = data.draw(st.none() | st.lists(st.text(), min_size=n_in, max_size=n_in, unique=True))
    inputs = fastnet.Standardize(mean, deviation, features=features)
    net = problem.network(inputs=inputs, classes=classes)
    path = tmp_path_factory.mktemp("saved") / "net.json"
    net.save(path)
    for other in (fastnet.load(path), pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert other == net
        assert other.inputs.key == inputs.key
        assert (other.features, other.inputs.features) == (net.features, inputs.features)
        if classes is not None:
            assert [*map(repr, other.classes)] == [*map(repr, classes)]


# ---- files ------------------------------------------------------------------------


NUMBERS = {
    dtype: st.floats(allow_nan=False, allow_infinity=False, width=int(dtype[-2:]))
    for dtype in ("float32", "float64")
}


@given(problems(), st.data())
def test_a_network_comes_back_to_the_last_bit_from_files_pickles_and_copies(
    tmp_path_factory, problem, data
):
    net = problem.network()
    for layer in (*net.weights, *net.biases):
        i, j = (data.draw(st.integers(0, n - 1)) for n in layer.shape)
        layer[i, j] = data.draw(NUMBERS[problem.dtype])
    path = tmp_path_factory.mktemp("saved") / "net.json"
    net.save(path)
    for other in (fastnet.load(path), pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert other == net
        assert bits(other) == bits(net)
        for name in ("sizes", "output", "hidden", "cost", "dtype", "input_scale"):
            assert getattr(other, name) == getattr(net, name)


@given(problems(), st.data(), dtypes)
def test_a_damaged_file_is_one_error_that_names_it(tmp_path_factory, problem, data, dtype):
    """One value of the file is another one: it is loaded, or refused in one sentence."""
    path = tmp_path_factory.mktemp("saved") / "net.json"
    problem.network().save(path)
    fields = json.loads(path.read_text())
    key = data.draw(st.sampled_from(sorted(fields)))
    fields[key] = data.draw(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2)
            ),
            max_leaves=6,
        )
    )
    path.write_text(json.dumps(fields))
    loaded, error = attempt(fastnet.load, path)
    if error is None:
        assert isinstance(loaded, fastnet.Network)
    else:
        assert str(path) in str(error)
        assert len(str(error)) < 500
