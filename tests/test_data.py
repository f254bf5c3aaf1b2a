"""Dataset: what it takes, what it shares, what it refuses; and the forms that data may have."""

import pickle
import tracemalloc

import numpy as np
import pytest

import fastnet
from fastnet import Dataset, Network

PIXELS = np.random.default_rng(5).integers(256, size=(30, 6)).astype(np.uint8)
LABELS = np.arange(30) % 3
TARGETS = np.eye(3)[LABELS]


def train(data, evaluation=None, dtype="float32", **options):
    """The network that learns ``data`` from a fixed start."""
    net = Network([6, 4, 3], dtype=dtype, seed=1, **options)
    net.SGD(data, 3, 7, 0.5, 0.1, evaluation, verbose=False)
    return net


# ---- what is shared


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_inputs_are_used_where_they_lie(dtype):
    X = PIXELS.astype(dtype)
    for rows in (X, X[5:], X[::2], X[:, :4], X[:, 2:3], np.broadcast_to(X[0], (30, 6))):
        data = Dataset(rows, LABELS[: len(rows)])
        assert np.shares_memory(data.X, X)
        assert data.X.dtype == dtype
        np.testing.assert_array_equal(data.X, rows)


@pytest.mark.parametrize("y", [LABELS, TARGETS, TARGETS.astype(np.float32), TARGETS[::2]])
def test_targets_are_used_where_they_lie(y):
    assert np.shares_memory(Dataset(PIXELS[: len(y)], y).y, y)


def test_slices_are_data_sets_that_share_all_memory():
    data = Dataset(PIXELS, LABELS, 1 / 256)
    for which in (slice(10), slice(5, 25), slice(None, None, 3), slice(-4, None)):
        part = data[which]
        assert isinstance(part, Dataset)
        assert len(part) == len(LABELS[which])
        assert np.shares_memory(part.X, PIXELS)
        assert part.scale == 1 / 256
        np.testing.assert_array_equal(part.X, PIXELS[which])
        np.testing.assert_array_equal(part.y, LABELS[which])
        assert train(part) == train(Dataset(PIXELS[which].copy(), LABELS[which], 1 / 256))


def test_a_slice_backwards_and_chosen_examples_keep_each_input_with_its_target():
    data = Dataset(PIXELS, TARGETS)
    for which in (slice(None, None, -1), [7, 3, 3], np.array([29, 0]), LABELS == 2):
        part = data[which]
        np.testing.assert_array_equal(part.X, PIXELS[which])
        np.testing.assert_array_equal(part.y, TARGETS[which])
        assert part.X.strides[0] > 0
        np.testing.assert_array_equal(
            Network([6, 3], seed=1).feedforward(part),
            Network([6, 3], seed=1).feedforward(PIXELS[which]),
        )


@pytest.mark.parametrize("n_out", [1, 2])
def test_chosen_examples_are_judged_by_what_they_hold_and_not_by_what_was_left_out(n_out):
    X, two = PIXELS * 1.0, LABELS < 2
    X[29] = 1e200  # beyond float32, and of class 2
    targets = np.where(two[:, None], np.eye(2)[LABELS * two][:, :n_out], 7.0)
    for y in (LABELS, targets):
        part = Dataset(X, y, 1 / 256)[two]
        nets = [Network([6, n_out], seed=1) for _ in range(2)]
        nets[0].SGD(part, 2, 3, 0.5, verbose=False)
        nets[1].SGD(Dataset(X[two], y[two], 1 / 256), 2, 3, 0.5, verbose=False)
        assert nets[0] == nets[1]


def test_an_index_gives_the_pair_of_the_book():
    data = Dataset(PIXELS, LABELS, 1 / 256)
    for i in (0, 7, -1, np.int64(7)):
        x, y = data[i]
        np.testing.assert_array_equal(x, PIXELS[i][:, None] / 256)
        assert y == LABELS[i]
        assert type(y) is int
    x, y = Dataset(PIXELS, TARGETS)[4]
    assert x.shape == (6, 1)
    np.testing.assert_array_equal(y, TARGETS[4][:, None])
    assert [y for _, y in data] == LABELS.tolist()


@pytest.mark.parametrize("which", [30, -31, "a", None, (0, 1), (slice(None), slice(3)), 1.5])
@pytest.mark.parametrize("y", [LABELS, TARGETS])
def test_any_other_index_raises_an_error(which, y):
    with pytest.raises((IndexError, TypeError)):
        Dataset(PIXELS, y)[which]


def test_a_slice_without_examples_raises_an_error():
    with pytest.raises(ValueError, match=r"at least one of the 30 examples"):
        Dataset(PIXELS, LABELS)[30:]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_read_only_memory_map_is_read_where_it_lies(tmp_path, dtype):
    n, n_in = 20_000, 784
    with open(tmp_path / "pixels", "wb") as file:
        file.truncate(n * n_in * np.dtype(dtype).itemsize)  # zeros that take no room on disk
    X, y = np.memmap(tmp_path / "pixels", dtype, "r", shape=(n, n_in)), np.zeros(n, np.int64)
    net = Network([n_in, 3, 2], seed=1)
    tracemalloc.start()
    data = Dataset(X, y, 1 / 256)
    net.SGD(data[:2000], 1, 10, 0.5, evaluation_data=data, monitor_evaluation_accuracy=True,
            verbose=False)  # fmt: skip
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.shares_memory(data.X, X)
    assert peak < X.nbytes / 4
    assert net.accuracy(data[:1]) == 1


def test_arrays_that_are_read_only_train_like_others_and_stay_as_they_are():
    X, y = PIXELS / 256, TARGETS.copy()
    expected = train((X, y))
    X.flags.writeable = y.flags.writeable = False
    assert train((X, y)) == expected


# ---- equal data, equal networks


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1 / 256, 1 / 255, 0.1, 0.0, 3])
def test_bytes_and_a_scale_are_the_products_each_rounded_once_from_float64(dtype, scale):
    products = PIXELS * np.float64(scale)
    expected = train((products, LABELS), dtype=dtype)
    assert train(Dataset(PIXELS, LABELS, scale), dtype=dtype) == expected
    assert train((products.astype(dtype), LABELS), dtype=dtype) == expected
    assert train(Dataset(PIXELS.astype("f"), LABELS, scale), dtype=dtype) == expected
    assert train(Dataset(PIXELS.astype("d"), LABELS, scale), dtype=dtype) == expected


def packed(X, y):
    """The columns X and y of an array of records, which are not aligned."""
    fields = [("byte", "u1"), ("X", X.dtype, X.shape[1:]), ("y", y.dtype, y.shape[1:])]
    records = np.zeros(len(X), fields)
    records["X"], records["y"] = X, y
    return records["X"], records["y"]


FRACTIONS = PIXELS / 256  # exact in float16
LAYOUTS = {
    "float32": lambda X, y: (X.astype("f"), y),
    "float16": lambda X, y: (X.astype("e"), y),
    "long double": lambda X, y: (X.astype("g"), y),
    "big-endian": lambda X, y: (X.astype(">f8"), y.astype(y.dtype.newbyteorder(">"))),
    "big-endian float32": lambda X, y: (X.astype(">f4"), y),
    "Fortran order": lambda X, y: (np.asfortranarray(X), np.asfortranarray(y)),
    "strided rows": lambda X, y: (np.repeat(X, 2, axis=0)[::2], np.repeat(y, 2, axis=0)[::2]),
    "strided columns": lambda X, y: (np.repeat(X, 2, axis=1)[:, ::2], y),
    "rows backwards": lambda X, y: (X[::-1].copy()[::-1], y[::-1].copy()[::-1]),
    "packed records": packed,
    "packed float32 records": lambda X, y: packed(X.astype("f"), y),
    "lists": lambda X, y: (X.tolist(), y.tolist()),
    "tuples in lists": lambda X, y: ([tuple(x) for x in X.tolist()], tuple(y.tolist())),
    "read-only": lambda X, y: (np.frombuffer(X.tobytes()).reshape(X.shape), y),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("y", [LABELS, TARGETS], ids=["labels", "targets"])
def test_the_layout_and_type_of_equal_numbers_make_no_difference(layout, y):
    X, y = LAYOUTS[layout](FRACTIONS, y)
    assert train((X, y)) == train((FRACTIONS, TARGETS))


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int16, np.uint16, np.int64, np.uint64, ">i4"])
def test_integers_and_booleans_are_numbers_too(dtype):
    X = PIXELS > 99 if dtype is bool else PIXELS // 2
    expected = train((X.astype(np.float64), LABELS))
    assert train((X.astype(dtype), LABELS)) == expected
    assert train(((X * 1).tolist(), LABELS)) == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, np.uint64, ">i4", ">i8"])
def test_labels_may_have_any_integer_type(dtype):
    assert train((FRACTIONS, LABELS.astype(dtype))) == train((FRACTIONS, LABELS))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64, np.uint8, bool, ">f4", ">f8"])
def test_targets_may_have_any_real_type(dtype):
    assert train((FRACTIONS, TARGETS.astype(dtype))) == train((FRACTIONS, TARGETS))


def pairs(y, column=True, wrap=list):
    """The book's list of pairs; y labels or targets."""
    xs = [x[:, None] if column else x for x in FRACTIONS]
    ys = [t[:, None] if column and np.ndim(t) else t for t in y]
    return wrap(zip(xs, ys, strict=True))


FORMS = {
    "a Dataset": lambda: Dataset(FRACTIONS, LABELS),
    "bytes with a scale": lambda: Dataset(PIXELS, LABELS, 1 / 256),
    "(X, labels)": lambda: (FRACTIONS, LABELS),
    "(X, targets)": lambda: (FRACTIONS, TARGETS),
    "columns and digits": lambda: pairs(LABELS),
    "columns and ints": lambda: pairs(LABELS.tolist()),
    "columns and columns": lambda: pairs(TARGETS),
    "vectors and vectors": lambda: pairs(TARGETS, column=False),
    "vectors and digits": lambda: pairs(LABELS, column=False),
    "a tuple of pairs": lambda: pairs(LABELS, wrap=tuple),
    "a zip": lambda: pairs(TARGETS, wrap=iter),
    "a generator": lambda: (pair for pair in pairs(LABELS)),
    "a map": lambda: map(tuple, pairs(LABELS)),
    "lists in lists": lambda: [[x.tolist(), y.tolist()] for x, y in pairs(TARGETS)],
    "pairs of a Dataset": lambda: [Dataset(PIXELS, LABELS, 1 / 256)[i] for i in range(30)],
}


@pytest.mark.parametrize("form", FORMS)
def test_data_of_every_form_is_taken_everywhere_and_gives_equal_results(form):
    make, data = FORMS[form], (FRACTIONS, LABELS)
    net, twin = train(make()), train(data)
    assert net == twin
    flags = {"verbose": False, "evaluation_data": make()}
    history = net.SGD(make(), 1, 7, 0.5, 0.1, **flags, monitor_evaluation_cost=True,
                      monitor_evaluation_accuracy=True)  # fmt: skip
    twin.SGD(data, 1, 7, 0.5, 0.1, verbose=False)
    assert net == twin
    assert history.evaluation_accuracy == [twin.accuracy(data)] == [net.accuracy(make())]
    assert history.evaluation_cost == [twin.total_cost(data, 0.1)] == [net.total_cost(make(), 0.1)]
    net.update_mini_batch(make(), 0.5, 0.1, 30)
    twin.update_mini_batch(data, 0.5, 0.1, 30)
    assert net == twin


def test_two_pairs_in_a_tuple_are_two_examples():
    data = tuple(pairs(LABELS)[:2])
    assert train(data) == train(list(data)) == train((FRACTIONS[:2], LABELS[:2]))


def test_with_one_output_targets_may_be_columns_or_numbers():
    x = FRACTIONS[:4]
    nets = [Network([6, 1], seed=1) for _ in range(4)]
    column = [(c[:, None], [[t]]) for c, t in zip(x, [0.0, 1.0, 1.0, 0.0], strict=True)]
    for net, data in zip(nets, [
        (x, [0, 1, 1, 0]), (x, [[0.0], [1.0], [1.0], [0.0]]), column,
        [(c, t) for c, t in zip(x, [0, 1, 1, 0], strict=True)],
    ], strict=True):  # fmt: skip
        net.SGD(data, 2, 3, 0.5, verbose=False)
    assert nets[0] == nets[1] == nets[2] == nets[3]


# ---- as an object


def test_the_text_of_a_data_set_says_what_is_in_it():
    text = repr(Dataset(PIXELS, LABELS, 1 / 256))
    for word in ("30", "6", "uint8", "labels", "0.00390625"):
        assert word in text
    assert "3" in repr(Dataset(PIXELS, TARGETS))


BAD = {
    "no array": (5, [0], "X: expected shape (n, n_in), got ()"),
    "a vector": ([1, 2, 3], [0, 1, 2], "X: expected shape (n, n_in), got (3,)"),
    "images": (np.ones((3, 28, 28)), [0, 1, 2], "X: expected shape (n, n_in), got (3, 28, 28)"),
    "no features": (np.ones((3, 0)), [0, 1, 2], "(3, 0)"),
    "no examples": (np.ones((0, 3)), np.zeros(0, int), "(0, 3)"),
    "ragged": ([[1, 2], [3]], [0, 1], "X: expected"),
    "words": ([["a", "b"]], [0], "X: expected numbers, got <U1"),
    "dates": (np.zeros((1, 2), "M8[D]"), [0], "X: expected numbers, got datetime64"),
    "lengths": (np.ones((3, 2)), [0, 1], "y: expected as many examples as X, 3, got 2"),
    "negative label": (np.ones((2, 2)), [0, -1], "y: expected labels from 0 to 2147483647, got -1"),
    "float labels": (np.ones((2, 2)), [0.0, 1.0], "y: expected integer labels"),
    "label columns of columns": (np.ones((2, 2)), np.ones((2, 2, 1)), "(2, 2, 1)"),
    "no targets": (np.ones((2, 2)), np.ones((2, 0)), "(2, 0)"),
    "ragged targets": (np.ones((2, 2)), [[1], [1, 2]], "y: expected"),
    "NaN": ([[1.0, np.nan]], [0], "X: expected finite numbers, got NaN"),
    "infinite target": ([[1.0, 1.0]], [[np.inf]], "y: expected finite targets, got NaN or inf"),
}


@pytest.mark.parametrize("case", BAD)
def test_data_of_wrong_shape_or_type_raises_an_error_that_names_what_came(case):
    X, y, words = BAD[case]
    with pytest.raises((ValueError, TypeError)) as caught:
        Dataset(X, y)
    assert words in str(caught.value)


def test_a_single_nan_far_back_in_the_data_is_found():
    X = np.zeros((3000, 800), np.float32)  # more than is looked at together
    X[2900, 700] = np.nan
    with pytest.raises(ValueError, match="X: expected finite numbers, got NaN"):
        Dataset(X, np.zeros(3000, int))


@pytest.mark.parametrize(
    "scale", [-1, np.nan, np.inf, "1", None, 10**400, True, [1.0]], ids=lambda v: repr(v)[:9]
)
def test_a_scale_that_is_no_finite_number_of_0_or_more_raises_an_error(scale):
    with pytest.raises((ValueError, TypeError), match=r"^scale: expected") as caught:
        Dataset(PIXELS, LABELS, scale)
    assert repr(scale)[:9] in str(caught.value)


def test_a_scale_that_takes_the_inputs_beyond_all_numbers_raises_an_error():
    with pytest.raises(ValueError, match="expected finite"):
        Dataset([[1e200, 1.0]], [0], 1e200)


def test_mnist_is_shared_by_its_parts_and_never_copied(mnist):
    training, validation, test = mnist
    assert np.shares_memory(training[:1000].X, training.X)
    assert fastnet.Dataset(training.X, training.y, training.scale).X is training.X
    assert {data.X.dtype for data in mnist} == {np.dtype(np.uint8)}
    assert (len(training), len(validation), len(test)) == (50_000, 10_000, 10_000)


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_a_data_set_out_of_a_message_trains_wherever_its_arrays_begin(form):
    """Processes that send data do not all put arrays where their type wants them."""
    X = np.arange(12, dtype=np.float32).reshape(4, 3)
    data = fastnet.Dataset(X, [0, 1, 1, 0])
    if form == "sparse":
        data = fastnet.Dataset.from_csr(X.ravel(), [0, 1, 2] * 4, [0, 3, 6, 9, 12], 3, [0, 1, 1, 0])
    buffers = []
    pickled = pickle.dumps(data, protocol=5, buffer_callback=buffers.append)
    shifted = [memoryview(b"." + bytes(buffer.raw()))[1:] for buffer in buffers]
    again = pickle.loads(pickled, buffers=shifted)
    networks = [fastnet.Network([3, 2], seed=1) for _ in range(2)]
    for network, one in zip(networks, (data, again), strict=True):
        network.SGD(one, 2, 2, 0.1, verbose=False)
    assert networks[0] == networks[1]
