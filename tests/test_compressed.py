"""Inputs of which only what is not zero is stored: what is made of dense ones, and when."""

import pickle

import kernel_calls
import numpy as np
import pytest
from compressed_examples import (
    LABELS,
    N,
    X,
    assert_read_only,
    bits,
    csr,
    csr_arrays,
    dense,
    mostly_zero,
    trained,
)

from fastnet import Dataset, Network, reference
from fastnet.core import _kernels
from fastnet.data import sparse_rows
from fastnet.data.sparse_rows import Compressed, compress

pytestmark = pytest.mark.covering(3)

# ---- from dense rows


@pytest.mark.parametrize("form", ["columns", "masks"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("n_in", [1, 7, 15, 16, 17, 63, 64, 65, 100, 784])
@pytest.mark.parametrize("density", [0.0, 0.2, 1.0])
def test_compressed_rows_hold_what_is_not_zero_in_order_and_nothing_else(
    form, dtype, n_in, density, isa
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
def test_compression_fills_its_arrays_and_not_a_byte_more(dtype, n_in, guarded, isa):
    X = mostly_zero(9, n_in, dtype)
    stored = np.count_nonzero(X)
    for columns_dtype in ("uint16", "uint32"):
        values, columns = np.zeros(stored, dtype), np.zeros(stored, columns_dtype)
        values, columns = guarded.vector(values, dtype), guarded.vector(columns, columns_dtype)
        offsets = guarded.vector(np.zeros(10, "int64"), "int64")
        assert _kernels.compress(X, offsets, values, columns, None)
        guarded.check()
        np.testing.assert_array_equal(np.diff(offsets), (X != 0).sum(axis=1))
        np.testing.assert_array_equal(values, X[X != 0])
        np.testing.assert_array_equal(columns, X.nonzero()[1])
    words = -(-n_in // 64)
    masks = guarded.vector(np.zeros(9 * words, "uint64"), "uint64").reshape(9, words)
    assert _kernels.compress(X, np.zeros(10, "int64"), values, None, masks)
    guarded.check()
    bits = np.unpackbits(masks.astype("<u8").view("u1"), axis=1, bitorder="little")
    np.testing.assert_array_equal(bits[:, :n_in], X != 0)
    assert not bits[:, n_in:].any()


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_the_kernels_compress_as_their_twins_in_numpy_do(dtype, isa):
    X = mostly_zero(9, 150, dtype)
    stored = np.count_nonzero(X)
    made = []
    for module in (_kernels, reference):
        offsets = np.full(10, 3)
        values, columns = np.zeros(3 + stored, dtype), np.zeros(3 + stored, "uint32")
        masks = np.ones((9, 3), "uint64")
        assert module.compress(X, offsets, values, columns, masks)
        made.append([a.tolist() for a in (offsets, values, columns, masks)])
        assert not module.compress(X, offsets, values, columns[1:], masks)
    assert made[0] == made[1]


@pytest.mark.parametrize("form", ["columns", "masks"])
def test_the_twins_in_numpy_read_compressed_rows_too(form, random_parameters):
    sizes = (20, 9, 3)
    start, order = random_parameters(sizes, "float64", 3), np.arange(N)[::-1].copy()
    trained = []
    for rows in (X, compress(X, form)):
        parameters = start.copy()
        kernel_calls.train(
            (sizes, "sigmoid", "quadratic", parameters),
            (rows, 0.1, LABELS),
            order,
            7,
            0.5,
            l2=0.2,
            kernels=reference,
        )
        out = np.empty((N, 3))
        kernel_calls.feedforward(
            (sizes, "sigmoid", None, parameters), (rows, 0.1), out, kernels=reference
        )
        trained.append(bits(parameters, out))
    assert trained[0] == trained[1]


@pytest.mark.parametrize("form", ["columns", "masks"])
def test_large_data_are_compressed_in_pieces_to_the_same_arrays(form, monkeypatch, isa):
    X = mostly_zero(90, 150)
    whole = compress(X, form)
    pieces = [slice(first, min(first + 4, len(X))) for first in range(0, len(X), 4)]
    monkeypatch.setattr(sparse_rows, "pieces", lambda X: pieces)
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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zeros_with_a_minus_are_zeros_and_subnormal_numbers_are_not(dtype, isa):
    X = np.zeros((1, 80), dtype)
    X[0, :5] = -0.0, 1.0, 0.0, -2.0, np.finfo(dtype).smallest_subnormal
    assert compress(X, "columns").columns.tolist() == [1, 3, 4]
    assert compress(X, "masks").masks.tolist() == [[0b11010, 0]]
    np.testing.assert_array_equal(compress(X, "columns").stored, X[0, [1, 3, 4]])


@pytest.mark.parametrize("form", ["columns", "masks"])
def test_float64_is_rounded_to_float32_where_told(form, isa):
    X = mostly_zero(9, 150, "float64") / 3
    rows = compress(X, form, None, "float32")
    np.testing.assert_array_equal(rows.stored, X[X != 0].astype("float32"))


@pytest.mark.parametrize("form", ["columns", "masks"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_a_wrong_number_of_stored_inputs_is_found_out(form, dtype, isa):
    X = mostly_zero(9, 150, dtype)
    stored = np.count_nonzero(X)
    for known in (0, 10, stored - 1, stored, stored + 1, 1000):
        rows = compress(X, form, known)
        np.testing.assert_array_equal(rows.stored, X[X != 0])
        np.testing.assert_array_equal(dense(rows), X)


def test_an_array_that_changes_meanwhile_is_refused(monkeypatch):
    monkeypatch.setattr("fastnet.data.sparse_rows.count", lambda X: 1)
    with pytest.raises(RuntimeError, match=r"^X: expected an array that does not change"):
        compress(X, "columns")


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


# ---- when dense inputs are compressed


SIZES, DTYPE = [784, 30, 10], "float32"


@pytest.fixture
def images(mnist):
    """MNIST's first 500, a Dataset of its own."""
    return Dataset(mnist[0].X[:500], mnist[0].y[:500], mnist[0].scale)


def test_the_compressed_form_is_made_once_when_first_needed(images, monkeypatch):
    made = []
    monkeypatch.setattr(
        "fastnet.data.sparse_rows.compress", lambda *given: made.append(given) or compress(*given)
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

    monkeypatch.setattr("fastnet.data.sparse_rows.compress", refuse)
    monkeypatch.setattr("fastnet.data.sparse_rows.count", refuse)
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
            for single_use in (True, False):
                assert isinstance(part.operand(SIZES, DTYPE, single_use=single_use), kind)
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


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_part_is_counted_once_at_most(dtype, monkeypatch):
    calls, max_abs_and_count = [], sparse_rows.max_abs_and_count
    monkeypatch.setattr(
        sparse_rows, "max_abs_and_count", lambda X: calls.append(len(X)) or max_abs_and_count(X)
    )
    part = Dataset(X.astype(dtype), LABELS)[3:]
    calls.clear()
    assert part.largest == (255 if dtype == "uint8" else X[3:].max())
    assert part.operand([20, 3], DTYPE).stored.size == np.count_nonzero(X[3:])
    assert len(calls) == (dtype == "float32")


def test_memory_maps_are_compressed_only_when_told(tmp_path):
    X.tofile(tmp_path / "pixels")
    whole = np.memmap(tmp_path / "pixels", np.uint8, "r", shape=X.shape)
    for mapped in (whole, whole[5:], np.asarray(whole), np.asarray(whole)[::2][1:],
                   whole.view(np.ndarray).reshape(-1, 20)):  # fmt: skip
        y = LABELS[: len(mapped)]
        assert isinstance(Dataset(np.array(mapped), y).operand([20, 30, 3], DTYPE), Compressed)
        for data in (Dataset(mapped, y), Dataset(mapped, y)[1:]):
            assert data.operand([20, 30, 3], DTYPE) is data.X
        options = Dataset(mapped, y, sparse=True)
        assert isinstance(options.operand([20, 30, 3], DTYPE), Compressed)
        assert trained(options) == trained(Dataset(np.array(mapped), y))


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


def test_a_first_layer_beyond_32_bits_is_not_read_by_lists():
    assert _kernels.choose_input_format((2**29, 3), "float32", 0.01) == "dense"
    assert _kernels.choose_input_format((2**27, 3), "float32", 0.01) != "dense"


# ---- read-only


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
