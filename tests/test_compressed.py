"""Inputs of which only what is not zero is stored: the same networks, to the last bit."""

import copy
import itertools
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from fastnet import Dataset, Network, _kernels, compressed, reference
from fastnet.compressed import Compressed, compress

N = 60
LABELS = np.arange(N) % 3
TARGETS = np.eye(3)[LABELS]


def mostly_zero(n=N, n_in=20, dtype="uint8", density=0.2, seed=5):
    """Dense rows, the first and the last of them empty."""
    random = np.random.default_rng(seed)
    X = random.integers(1, 256, (n, n_in)) * (random.random((n, n_in)) < density)
    X[[0, -1]] = 0
    return X.astype(dtype) if dtype == "uint8" else (X / 7 - 3 * (X > 99)).astype(dtype)


X = mostly_zero()


def csr_arrays(X):
    """(data, indices, indptr) of dense rows."""
    rows, columns = X.nonzero()
    return X[rows, columns], columns, np.searchsorted(rows, np.arange(len(X) + 1))


def csr(X, y=LABELS, scale=1.0):
    return Dataset.from_csr(*csr_arrays(X), X.shape[1], y, scale)


def dense(rows):
    """Compressed rows with their zeros."""
    return np.array([rows[s] for s in range(len(rows))])


def bits(*arrays):
    """As integers, +0 and -0 alike."""
    return [(array + 0.0).view(f"u{array.itemsize}").tolist() for array in arrays]


# ---- from dense rows


@pytest.mark.parametrize("form", ["columns", "masks"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("n_in", [1, 7, 15, 16, 17, 63, 64, 65, 100, 784])
@pytest.mark.parametrize("density", [0.0, 0.2, 1.0])
def test_compressed_rows_hold_what_is_not_zero_in_order_and_nothing_else(
    form, dtype, n_in, density
):
    X = mostly_zero(9, n_in, dtype, density)
    rows = compress(X, form)
    assert (rows.shape, rows.dtype, len(rows)) == (X.shape, X.dtype, 9)
    np.testing.assert_array_equal(rows.stored, X[X != 0])
    np.testing.assert_array_equal(np.diff(rows.offsets), (X != 0).sum(axis=1))
    np.testing.assert_array_equal(dense(rows), X)
    if form == "columns":
        np.testing.assert_array_equal(rows.columns, X.nonzero()[1])
    assert rows.longest == (X != 0).sum(axis=1).max()


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("n_in", [5, 64, 70])
def test_compression_fills_its_arrays_and_not_a_byte_more(dtype, n_in, guarded):
    X = mostly_zero(9, n_in, dtype)
    stored = np.count_nonzero(X)
    for columns_dtype in ("uint16", "uint32"):
        values, columns = np.zeros(stored, dtype), np.zeros(stored, columns_dtype)
        values, columns = guarded.vector(values, dtype), guarded.vector(columns, columns_dtype)
        _kernels.compress(X, values, columns, None)
        guarded.check()
        np.testing.assert_array_equal(values, X[X != 0])
        np.testing.assert_array_equal(columns, X.nonzero()[1])
    words = -(-n_in // 64)
    masks = guarded.vector(np.zeros(9 * words, "uint64"), "uint64").reshape(9, words)
    _kernels.compress(X, values, None, masks)
    guarded.check()
    bits = np.unpackbits(masks.astype("<u8").view("u1"), axis=1, bitorder="little")
    np.testing.assert_array_equal(bits[:, :n_in], X != 0)
    assert not bits[:, n_in:].any()


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_the_kernels_compress_as_their_twins_in_numpy_do(dtype):
    X = mostly_zero(9, 150, dtype)
    offsets = _kernels.count(X)
    np.testing.assert_array_equal(offsets, reference.count(X))
    made = []
    for module in (_kernels, reference):
        values, columns = np.zeros(offsets[-1], dtype), np.zeros(offsets[-1], "uint32")
        masks = np.ones((9, 3), "uint64")
        module.compress(X, values, columns, masks)
        made.append([values.tolist(), columns.tolist(), masks.tolist()])
    assert made[0] == made[1]


@pytest.mark.parametrize("form", ["columns", "masks"])
def test_the_twins_in_numpy_read_compressed_rows_too(form, random_parameters):
    sizes = (20, 9, 3)
    start, order = random_parameters(sizes, "float64", 3), np.arange(N)[::-1].copy()
    trained = []
    for rows in (X, compress(X, form)):
        parameters = start.copy()
        reference.train(sizes, "sigmoid", "quadratic", parameters, rows, 0.1, LABELS, order, 7,
                        0.5, 0.2)  # fmt: skip
        out = np.empty((N, 3))
        reference.feedforward(sizes, "sigmoid", parameters, rows, 0.1, out)
        trained.append(bits(parameters, out))
    assert trained[0] == trained[1]


@pytest.mark.parametrize("form", ["columns", "masks"])
def test_large_data_are_compressed_in_pieces_to_the_same_arrays(form, monkeypatch):
    whole = compress(X, form)
    pieces = [slice(first, min(first + 4, len(X))) for first in range(0, len(X), 4)]
    monkeypatch.setattr(compressed, "_pieces", lambda X: pieces)
    parts = compress(X, form)
    np.testing.assert_array_equal(parts.offsets, whole.offsets)
    stored = slice(0, whole.offsets[-1])
    np.testing.assert_array_equal(parts.values[stored], whole.values[stored])
    np.testing.assert_array_equal(parts.columns, whole.columns)
    np.testing.assert_array_equal(parts.masks, whole.masks)


def test_rows_of_any_stride_are_compressed():
    for rows in (X[::3], X[:, 3:11], X[5:], np.broadcast_to(X[3], (4, 20))):
        for form in ("columns", "masks"):
            np.testing.assert_array_equal(dense(compress(rows, form)), rows)


def test_zeros_with_a_minus_are_zeros():
    X = np.array([[-0.0, 1.0, 0.0, -2.0]])
    assert compress(X, "columns").columns.tolist() == [1, 3]
    assert compress(X, "masks").masks.tolist() == [[0b1010]]


def test_columns_take_four_bytes_only_where_two_are_too_few():
    for n_in, dtype in ((1 << 16, "uint16"), ((1 << 16) + 1, "uint32")):
        X = np.zeros((2, n_in), np.uint8)
        X[1, -1] = 7
        rows = compress(X, "columns")
        assert rows.columns.dtype == dtype
        assert rows.columns.tolist() == [n_in - 1]
        assert csr(X, [0, 1]).X.columns.dtype == dtype


def test_density_and_memory_are_those_of_the_rows_and_of_a_part_those_of_the_part():
    for form in ("columns", "masks"):
        rows = compress(X, form)
        assert rows.density == np.mean(X != 0)
        stored = np.count_nonzero(X)
        where = 2 * stored if form == "columns" else 8 * N
        assert rows.nbytes == stored + where + 8 * (N + 1)
        assert rows[:30].density == np.mean(X[:30] != 0)
        assert rows[:30].nbytes < rows.nbytes


# ---- the same bits


SHAPES = [(1, 3), (20, 3), (20, 9, 3), (70, 30, 10), (65, 130, 3)]


@pytest.fixture(params=["columns", "quickest"])
def forms(request):
    """forms(X, sizes, dtype): X compressed, with columns or as is quickest here."""

    def make(X, sizes, dtype):
        form = request.param
        if form == "quickest":
            form = _kernels.way(sizes, dtype, 0.2)
        if form == "dense":
            pytest.skip(f"dense rows are quickest here for {sizes}")
        return compress(X, form)

    return make


@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("inputs", ["uint8", "float32", "float64"])
def test_compressed_rows_train_to_the_bits_of_dense_ones(
    isa, dtype, forms, random_parameters, sizes, inputs
):
    X = mostly_zero(n_in=sizes[0], dtype=inputs, density=0.5 if sizes[0] == 1 else 0.2)
    compressed = forms(X, sizes, dtype)
    start = random_parameters(sizes, dtype, 3)
    order = np.random.default_rng(1).permutation(N)
    for m, scale in itertools.product((1, 7, 60), (1 / 256, 1 / 3)):  # exact in float32, and not
        trained = []
        for rows in (X, compressed):
            parameters = start.copy()
            _kernels.train(sizes, "sigmoid", "cross-entropy", parameters, rows, scale, LABELS,
                           order, m, 0.5, 0.02)  # fmt: skip
            trained.append(parameters)
        assert (trained[0] != start).any()
        assert bits(trained[0]) == bits(trained[1])


@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("inputs", ["uint8", "float32", "float64"])
def test_compressed_rows_have_the_outputs_costs_and_gradients_of_dense_ones(
    isa, dtype, forms, random_parameters, sizes, inputs
):
    X = mostly_zero(n_in=sizes[0], dtype=inputs)
    parameters = random_parameters(sizes, dtype, 3)
    results = []
    for rows in (X, forms(X, sizes, dtype)):
        out, nabla = np.empty((N, sizes[-1]), dtype), np.empty_like(parameters)
        _kernels.feedforward(sizes, "sigmoid", parameters, rows, 0.1, out)
        _kernels.gradient(sizes, "sigmoid", "quadratic", parameters, rows, 0.1, LABELS, nabla)
        counted = _kernels.evaluate(sizes, "sigmoid", "quadratic", parameters, rows, 0.1, LABELS)
        results.append((bits(out, nabla), counted))
    assert len(np.unique(out)) > 9
    assert results[0] == results[1]


@pytest.mark.parametrize("m", [1, 1500])
def test_more_than_65536_features_train_to_the_bits_of_dense_ones(isa, dtype, m):
    n_in = (1 << 16) + 70
    X = np.zeros((12, n_in), np.float32)
    X[np.arange(11), np.arange(11) * 6560] = 1.5
    X[:8, -1] = -2
    nets = [Network([n_in, 2], dtype=dtype, seed=1) for _ in range(2)]
    for net, data in zip(nets, (Dataset(X, LABELS[:12] % 2, sparse=False),
                                csr(X, LABELS[:12] % 2)), strict=True):  # fmt: skip
        net.SGD(data, 2, m, 0.5, verbose=False)
    assert nets[0] == nets[1]


def all_ways(X, y, scale=1.0):
    """The same examples, dense and compressed in every manner."""
    return [Dataset(X, y, scale, sparse=False), Dataset(X, y, scale), csr(X, y, scale),
            Dataset(X, y, scale, sparse=True)]  # fmt: skip


@pytest.mark.parametrize("y", [LABELS, TARGETS], ids=["labels", "targets"])
@pytest.mark.parametrize("inputs", ["uint8", "float32", "float64"])
def test_a_network_learns_the_same_from_every_form(isa, pair, dtype, y, inputs):
    output, cost = pair
    X, outcomes = mostly_zero(dtype=inputs), []
    for data in all_ways(X, y, 1 / 50):
        net = Network([20, 8, 3], cost, output=output, dtype=dtype, seed=1)
        history = net.SGD(data, 3, 7, 0.01, 0.1, data, True, True, True, True, verbose=False)
        net.update_mini_batch(data, 0.01, 0.1, N)
        net.update_mini_batch(data[3:9], 0.01, 0.1, N)
        figures = (net.accuracy(data), net.total_cost(data, 0.3), *history)
        outcomes.append((bits(*net.weights, *net.biases, net.feedforward(data)), figures))
    assert all(outcome == outcomes[0] for outcome in outcomes[1:])


@pytest.mark.parametrize("density", [0.0, 1.0])
def test_inputs_of_nothing_but_zeros_and_without_any_zero_train_too(isa, density):
    X = mostly_zero(density=density)[1:-1]
    assert np.mean(X != 0) == density
    nets = []
    for data in all_ways(X, LABELS[1:-1], 1 / 256):
        nets.append(Network([20, 8, 3], seed=1))
        nets[-1].SGD(data, 2, 7, 0.5, verbose=False)
    assert nets[0] == nets[1] == nets[2] == nets[3]


def test_one_example_trains_too(isa):
    for row in (X[3:4], X[:1]):
        nets = []
        for data in all_ways(row, [1]):
            nets.append(Network([20, 3], seed=1))
            nets[-1].SGD(data, 2, 10, 0.5, verbose=False)
        assert nets[0] == nets[1] == nets[2] == nets[3]


def test_a_cost_of_the_users_own_sees_the_same_numbers(isa):
    class Own:
        @staticmethod
        def fn(a, y):
            return np.sum((a - y) ** 4)

        @staticmethod
        def delta(z, a, y):
            return (a - y) ** 3

    X = mostly_zero(n=2500)  # fn is handed pieces
    outcomes = []
    for data in all_ways(X, np.arange(2500) % 3, 1 / 256):
        net = Network([20, 4, 3], Own, dtype="float64", seed=1)
        history = net.SGD(data, 2, 100, 0.5, monitor_training_cost=True, verbose=False)
        outcomes.append((bits(*net.weights), history, net.total_cost(data, 0.1)))
    assert outcomes[0] == outcomes[1] == outcomes[2] == outcomes[3]


def test_explicit_zeros_change_nothing(isa):
    # the same row with and without them
    with_zeros = Dataset.from_csr([0, 3, 0, 5, 0], [0, 1, 3, 6, 19], [0, 5], 20, [1])
    without = Dataset.from_csr([3, 5], [1, 6], [0, 2], 20, [1])
    nets = [Network([20, 4, 3], seed=1) for _ in range(2)]
    for net, data in zip(nets, (with_zeros, without), strict=True):
        net.SGD(data, 3, 1, 0.5, verbose=False)
    assert nets[0] == nets[1]
    np.testing.assert_array_equal(with_zeros[0][0], without[0][0])


def test_mnist_trains_to_the_same_bits_in_every_form(isa, dtype, mnist):
    X, y, scale = mnist[0].X[:1500], mnist[0].y[:1500], mnist[0].scale
    nets = []
    for data in all_ways(X, y, scale):
        nets.append(Network([784, 30, 10], dtype=dtype, seed=1))
        nets[-1].SGD(data, 1, 10, 0.5, 5.0, verbose=False)
    assert nets[0] == nets[1] == nets[2] == nets[3]


# ---- when dense inputs are compressed


def trained(data, sizes=(20, 8, 3), epochs=1):
    net = Network(sizes, seed=1)
    net.SGD(data, epochs, 10, 0.5, verbose=False)
    return net


SIZES, DTYPE = [784, 30, 10], "float32"


@pytest.fixture
def images(mnist):
    """MNIST's first 500, a Dataset of its own."""
    return Dataset(mnist[0].X[:500], mnist[0].y[:500], mnist[0].scale)


def test_the_compressed_form_is_made_once_when_first_needed(images, monkeypatch):
    made = []
    monkeypatch.setattr(
        "fastnet.compressed.compress", lambda *given: made.append(given) or compress(*given)
    )
    net = Network(SIZES, seed=1)
    net.SGD(images, 0, 10, 0.5, verbose=False)
    assert len(made) == 0
    net.SGD(images, 3, 10, 0.5, evaluation_data=images, monitor_evaluation_accuracy=True,
            verbose=False)  # fmt: skip
    net.total_cost(images, 0.1)
    net.feedforward(images)
    Network(SIZES, seed=2).SGD(images, 1, 5, 0.5, verbose=False)
    assert len(made) == 1
    assert isinstance(images.operand(SIZES, DTYPE), Compressed)
    assert images.operand(SIZES, DTYPE) is images.operand(SIZES, DTYPE)


def test_what_is_read_once_is_not_compressed_for_that(images, monkeypatch):
    def refuse(*given):
        raise AssertionError("compressed")

    monkeypatch.setattr("fastnet.compressed.compress", refuse)
    monkeypatch.setattr(_kernels, "count", refuse)
    net, pair = Network(SIZES, seed=1), (images.X, images.y)
    net.update_mini_batch(images[:10], 0.5, 0.0, 500)
    net.update_mini_batch(pair, 0.5, 0.0, 500)
    net.backprop(images.X[0], 1)
    net.feedforward(images.X)
    net.accuracy(pair)
    net.total_cost(pair, 0.0)
    with pytest.raises(AssertionError, match="compressed"):
        net.SGD(pair, 1, 10, 0.5, verbose=False)


def test_inputs_with_few_zeros_stay_dense_unless_told(images):
    X = np.ones((500, 784), np.uint8)
    assert Dataset(X, images.y).operand(SIZES, DTYPE) is X
    assert isinstance(Dataset(X, images.y, sparse=True).operand(SIZES, DTYPE), Compressed)


def test_the_option_decides_and_a_part_keeps_it(images):
    y = images.y
    for sparse, kind in ((True, Compressed), (False, np.ndarray)):
        data = Dataset(images.X, y, sparse=sparse)
        for part in (data, data[10:20], data[[3, 1]], pickle.loads(pickle.dumps(data))):
            assert part.sparse is sparse
            for once in (True, False):
                assert isinstance(part.operand(SIZES, DTYPE, once), kind)
    assert images[10:].sparse == images.sparse == "auto"


@pytest.mark.parametrize("sparse", ["yes", "", None, 1, 0.5, [True], "Auto", np.array([1, 2])])
def test_an_unknown_option_is_refused(sparse):
    with pytest.raises(ValueError, match=r"^sparse: expected 'auto', True or False; got") as caught:
        Dataset(X, LABELS, sparse=sparse)
    assert repr(sparse) in str(caught.value)


def test_inputs_that_were_changed_lead_no_kernel_astray():
    X = mostly_zero()
    data = Dataset(X, LABELS, sparse=True)
    assert data.operand([20, 3], DTYPE).density < 0.3
    X[...] = 1  # not allowed, but no reason to write where nothing is
    data._forms.clear()
    assert data.operand([20, 3], DTYPE).density == 1


def test_memory_maps_are_compressed_only_when_told(tmp_path):
    X.tofile(tmp_path / "pixels")
    whole = np.memmap(tmp_path / "pixels", np.uint8, "r", shape=X.shape)
    for mapped in (whole, whole[5:], np.asarray(whole), np.asarray(whole)[::2][1:],
                   whole.view(np.ndarray).reshape(-1, 20)):  # fmt: skip
        y = LABELS[: len(mapped)]
        assert isinstance(Dataset(np.array(mapped), y).operand([20, 30, 3], DTYPE), Compressed)
        for data in (Dataset(mapped, y), Dataset(mapped, y)[1:]):
            assert data.operand([20, 30, 3], DTYPE) is data.X
        told = Dataset(mapped, y, sparse=True)
        assert isinstance(told.operand([20, 30, 3], DTYPE), Compressed)
        assert trained(told) == trained(Dataset(np.array(mapped), y))


def test_a_copy_from_a_memory_map_is_an_array_like_others(tmp_path):
    X.tofile(tmp_path / "pixels")
    whole = np.memmap(tmp_path / "pixels", np.uint8, "r", shape=X.shape)
    for copied in (whole[np.arange(len(X))], whole.astype(np.float32)):
        data = Dataset(copied, LABELS)
        assert isinstance(data.operand([20, 30, 3], DTYPE), Compressed)


def test_a_form_for_another_instruction_set_is_not_taken_for_this_one(images):
    before, nets = _kernels.isa(), []
    try:
        for name in [name for name in _kernels.available() if name != "baseline"]:
            _kernels.select(name)
            nets.append(trained(images, SIZES))
    finally:
        _kernels.select(before)
    assert all(net == nets[0] for net in nets)


# ---- read-only


def assert_read_only(*arrays):
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1


def test_a_data_set_s_own_arrays_are_read_only_and_the_caller_s_stay_writable():
    given, y = X.copy(), LABELS.copy()
    data = Dataset(given, y)
    assert data.X is given
    given[0, 0] = given[0, 0]
    y[0] = y[0]
    for made in (Dataset(X.tolist(), y.tolist()), Dataset(X.astype("i4"), y.astype("i4")),
                 data[[1, 2]], pickle.loads(pickle.dumps(data))):  # fmt: skip
        assert_read_only(made.X, made.y)
    for rows in (compress(X, "columns"), compress(X, "masks"), csr(X).X):
        for array in (rows.values, rows.offsets, rows.columns, rows.masks):
            if array is not None:
                assert_read_only(array)
    values, columns, offsets = csr_arrays(X)
    Dataset.from_csr(values, columns, offsets, 20, y)
    values[0] = values[0]
    offsets[0] = offsets[0]


# ---- a data set of compressed rows


def test_csr_values_are_read_where_they_lie_and_what_leads_to_them_is_copied():
    for dtype in ("uint8", "float32", "float64"):
        data, indices, indptr = csr_arrays(mostly_zero(dtype=dtype))
        rows = Dataset.from_csr(data, indices, indptr, 20, LABELS).X
        assert np.shares_memory(rows.values, data)
        assert not np.shares_memory(rows.offsets, indptr)
        columns = indices.astype("u2")
        narrow = Dataset.from_csr(data, columns, indptr, 20, LABELS).X
        assert not np.shares_memory(narrow.columns, columns)
        assert (rows.dtype, rows.shape) == (dtype, (N, 20))


@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "uint64", "float16", ">f4", ">f8", "g"])
def test_csr_values_of_any_real_type_are_taken_as_dense_ones_are(dtype):
    X = np.minimum(mostly_zero(), 100).astype(dtype)
    data = csr(X)
    assert data.X.dtype == Dataset(X, LABELS).X.dtype
    assert trained(data) == trained(Dataset(X, LABELS))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "uint64", ">i4"])
def test_csr_indices_may_have_any_integer_type(dtype):
    data, indices, indptr = csr_arrays(X[:12])
    for given in ((indices.astype(dtype), indptr.astype(dtype)),
                  (indices.tolist(), indptr.tolist()),
                  (np.repeat(indices, 2)[::2], np.repeat(indptr, 2)[::2])):  # fmt: skip
        made = Dataset.from_csr(np.repeat(data, 2)[::2], *given, 20, LABELS[:12])
        np.testing.assert_array_equal(dense(made.X), X[:12])


def test_csr_without_any_value_is_rows_of_zeros():
    data = Dataset.from_csr([], [], [0, 0, 0], 4, [0, 1])
    assert data.largest == 0
    np.testing.assert_array_equal(dense(data.X), np.zeros((2, 4)))
    assert trained(data, (4, 3)) == trained(([[0.0] * 4] * 2, [0, 1]), (4, 3))


def test_slices_of_csr_share_all_values_and_are_data_sets():
    data = csr(X, scale=1 / 256)
    for which in (slice(10), slice(5, 25), slice(-4, None), slice(None), slice(50, 99)):
        part = data[which]
        assert np.shares_memory(part.X.values, data.X.values)
        assert np.shares_memory(part.X.columns, data.X.columns)
        assert np.shares_memory(part.X.offsets, data.X.offsets)
        np.testing.assert_array_equal(dense(part.X), X[which])
        np.testing.assert_array_equal(part.y, LABELS[which])
        assert part.scale == 1 / 256
        assert trained(part) == trained(Dataset(X[which], LABELS[which], 1 / 256))


@pytest.mark.parametrize("which", [
    slice(None, None, -1), slice(3, 50, 7), [7, 3, 3, 0], np.array([29, -1]), LABELS == 2,
], ids=str)  # fmt: skip
def test_chosen_rows_of_csr_are_gathered(which):
    for data in (csr(X), csr(X)[:], csr(np.vstack([X, X]), np.tile(LABELS, 2))[N:]):
        part = data[which]
        np.testing.assert_array_equal(dense(part.X), X[which])
        np.testing.assert_array_equal(part.y, LABELS[which])
        assert trained(part) == trained(Dataset(X[which], LABELS[which]))
        np.testing.assert_array_equal(dense(part[1:].X), X[which][1:])


@pytest.mark.parametrize("form", ["columns", "masks"])
def test_compressed_rows_are_sliced_gathered_and_pickled(form):
    rows = compress(X, form)
    for which in (slice(5, 25), slice(None, None, -1), [7, 3, 3], LABELS == 2):
        for part in (rows[which], pickle.loads(pickle.dumps(rows[which])), rows[:][which],
                     copy.deepcopy(rows[which])):  # fmt: skip
            np.testing.assert_array_equal(dense(part), X[which])
            assert_read_only(part.values)
    assert len(rows[60:]) == len(rows[9:3]) == 0
    assert len(pickle.dumps(rows[:2])) < len(pickle.dumps(rows))
    with pytest.raises(IndexError):
        rows[N]


def test_an_index_gives_the_pair_of_the_book_from_csr_too():
    for data, row in ((csr(X, scale=1 / 256), 3), (csr(X, scale=1 / 256)[2:], 1)):
        x, y = data[row]
        np.testing.assert_array_equal(x, X[3][:, None] / 256)
        assert y == LABELS[3]
    assert [y for _, y in csr(X)] == LABELS.tolist()
    np.testing.assert_array_equal(csr(X, TARGETS)[4][1], TARGETS[4][:, None])


@pytest.mark.parametrize("which", [60, -61, "a", None, (0, 1), 1.5])
def test_any_other_index_of_csr_raises_an_error(which):
    with pytest.raises((IndexError, TypeError)):
        csr(X)[which]


def test_a_slice_of_csr_without_examples_raises_an_error():
    with pytest.raises(ValueError, match=r"at least one example.* of 60"):
        csr(X)[60:]


def test_a_part_of_csr_is_judged_by_what_it_holds():
    X = mostly_zero(dtype="float64")
    X[40, 3] = 1e200  # beyond float32
    data = csr(X)
    with pytest.raises(ValueError, match="range of float32"):
        trained(data)
    assert trained(data[:40]) == trained(Dataset(X[:40], LABELS[:40]))
    assert data[:40].largest == np.abs(X[:40]).max()
    assert data.largest == 1e200


def test_the_text_of_csr_says_so():
    text = repr(csr(X, scale=0.5))
    for word in ("60 examples", "20 uint8 features", f"{np.mean(X != 0):.0%} stored", "0.5"):
        assert word in text
    assert "stored" not in repr(Dataset(X, LABELS))


def test_data_sets_are_pickled_and_copied_with_what_they_are_made_of():
    for data in [*all_ways(X, LABELS, 1 / 256), csr(X, scale=1 / 256)[:]]:
        net = trained(data)
        for twin in (pickle.loads(pickle.dumps(data)), copy.copy(data), copy.deepcopy(data)):
            assert repr(twin) == repr(data)
            assert trained(twin) == net
    data = Dataset(X, LABELS, sparse=True)
    size = len(pickle.dumps(data))
    trained(data)
    assert len(pickle.dumps(data)) < size + 100  # compressed anew where it is needed


def test_a_data_set_may_be_made_from_another_s_inputs():
    data = csr(X)
    assert Dataset(data.X, TARGETS).X is data.X
    with pytest.raises(ValueError, match="X: expected compressed rows with columns, got masks"):
        Dataset(compress(X, "masks"), LABELS)


# ---- scipy.sparse, which need not be there


@pytest.fixture(scope="module")
def sparse():
    return pytest.importorskip("scipy.sparse", reason="scipy is not installed")


FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"]


@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("form", FORMATS)
def test_matrices_and_arrays_of_scipy_are_taken_wherever_data_is(sparse, kind, form, monkeypatch):
    S = getattr(sparse, f"{form}_{kind}")(X / 256)
    for name in ("toarray", "todense", "__array__"):
        monkeypatch.setattr(type(S), name, None, raising=False)
    expected, net = trained((X / 256, LABELS)), trained((S, LABELS))
    assert net == expected == trained(Dataset(S, LABELS))
    flags = {"monitor_evaluation_cost": True, "monitor_evaluation_accuracy": True}
    history = net.SGD((S, LABELS), 1, 9, 0.5, 0.1, (S, LABELS), **flags, verbose=False)
    assert history == expected.SGD((X / 256, LABELS), 1, 9, 0.5, 0.1, (X / 256, LABELS), **flags,
                                   verbose=False)  # fmt: skip
    net.update_mini_batch((S, LABELS), 0.5, 0.1, N)
    expected.update_mini_batch((X / 256, LABELS), 0.5, 0.1, N)
    assert net == expected
    assert bits(net.feedforward(S)) == bits(expected.feedforward(X / 256))
    assert net.accuracy((S, LABELS)) == expected.accuracy((X / 256, LABELS))
    assert net.total_cost((S, LABELS), 0.1) == expected.total_cost((X / 256, LABELS), 0.1)


def test_a_canonical_csr_matrix_is_read_where_it_lies(sparse):
    S = sparse.csr_matrix(X)
    assert np.shares_memory(Dataset(S, LABELS).X.values, S.data)


def test_repeated_and_unsorted_entries_are_put_in_order_in_a_copy(sparse):
    columns, values = np.array([3, 1, 3, 0, 2]), np.array([1.0, 2, 4, 8, 16])
    S = sparse.csr_matrix((values, columns, [0, 3, 5]), shape=(2, 4))
    np.testing.assert_array_equal(dense(Dataset(S, [0, 1]).X), [[0, 2, 0, 5], [8, 0, 16, 0]])
    assert S.indices.tolist() == columns.tolist()
    assert S.data.tolist() == values.tolist()
    S = sparse.coo_matrix((values, ([0, 0, 0, 1, 1], columns)), shape=(2, 4))
    np.testing.assert_array_equal(dense(Dataset(S, [0, 1]).X), [[0, 2, 0, 5], [8, 0, 16, 0]])


def test_what_a_matrix_has_behind_its_last_row_is_left_out(sparse):
    S = sparse.csr_matrix(X)
    S.data, S.indices = np.append(S.data, [0, 7]), np.append(S.indices, [99, 99])
    np.testing.assert_array_equal(dense(Dataset(S, LABELS).X), X)


def test_rows_that_do_not_fit_are_refused_by_feedforward(sparse):
    net = Network([20, 3], seed=1)
    for bad, words in (
        (sparse.csr_matrix(X[:, :19]), "a: expected 20 features per example, got 19"),
        (sparse.csr_matrix(X * 1e39), "a: expected inputs within the range of float32"),
        (sparse.csr_matrix(X * np.nan), "a: expected finite numbers, got NaN or infinity"),
        (sparse.csr_matrix(X * 1j), "a.data: expected numbers, got complex128"),
    ):
        with pytest.raises((ValueError, TypeError)) as caught:
            net.feedforward(bad)
        assert str(caught.value).startswith(words)
    assert net.feedforward(sparse.csr_matrix((0, 20))).shape == (0, 3)


def test_arrays_of_scipy_with_another_number_of_dimensions_or_nothing_are_refused(sparse):
    for bad, came in (
        (sparse.coo_array(np.arange(5)), "(5,)"),
        (sparse.csr_matrix((0, 5)), "(0, 5)"),
        (sparse.csr_matrix((5, 0)), "(5, 0)"),
    ):
        with pytest.raises(ValueError, match=r"^X: expected") as caught:
            Dataset(bad, np.zeros(5, int))
        assert came in str(caught.value)


def test_sparse_false_is_refused_for_what_is_never_made_dense(sparse):
    for given in (sparse.csr_matrix(X), csr(X).X):
        with pytest.raises(ValueError, match=r"^sparse: expected 'auto' or True.*got False"):
            Dataset(given, LABELS, sparse=False)
        assert trained(Dataset(given, LABELS, sparse=True)) == trained(csr(X))


def test_importing_fastnet_does_not_import_scipy():
    code = "import fastnet, sys; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code]).returncode == 0


def test_the_memory_that_csr_takes_is_that_of_what_is_stored():
    n, n_in = 200, 200_000  # 160 MB if it were made dense
    columns = np.arange(10 * n) % 10 * 9_999
    net = Network([n_in, 2], seed=1)
    tracemalloc.start()
    data = Dataset.from_csr(
        np.ones(10 * n, np.float32), columns, np.arange(n + 1) * 10, n_in, np.arange(n) % 2
    )
    net.accuracy(data)
    net.accuracy(data[::2])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.X.nbytes == 10 * n * (4 + 4) + 8 * (n + 1)
    assert peak < 500_000


def test_a_first_layer_beyond_32_bits_is_not_read_by_lists():
    assert _kernels.way((2**29, 3), "float32", 0.01) == "dense"
    assert _kernels.way((2**27, 3), "float32", 0.01) != "dense"
