"""Data sets of compressed rows: from CSR arrays, and from the matrices of SciPy."""

import copy
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from compressed_examples import (
    LABELS,
    TARGETS,
    N,
    X,
    all_ways,
    assert_read_only,
    bits,
    csr,
    csr_arrays,
    dense,
    mostly_zero,
    trained,
)

from fastnet import Dataset, Network
from fastnet.data.sparse_rows import Compressed, compress

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
    for one in (-1, np.int64(-1), np.array(-1)):
        np.testing.assert_array_equal(rows[one], X[-1])
    for wrong in (N, -N - 1):
        with pytest.raises(
            IndexError, match=rf"^rows: expected an index from -60 to 59, got {wrong}"
        ):
            rows[wrong]


def test_compressed_rows_have_no_constructor_that_could_be_told_anything():
    with pytest.raises(TypeError, match=r"^Compressed: expected a call of Dataset\.from_csr"):
        Compressed(np.ones(2, np.float32), np.array([0, 1, 2]), np.array([9, 9]), None, 10)


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
    with pytest.raises(ValueError, match=r"at least one of the 60 examples"):
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
