"""Nothing that a user can reach makes the kernels read or write out of bounds: compressed rows and
arrays that are changed."""

import copy
import gc
import pickle
import threading

import kernel_calls
import numpy as np
import pytest
from compressed_examples import LABELS, X, csr, csr_arrays, dense, trained

from fastnet import Dataset, Network
from fastnet.core import _kernels
from fastnet.data.sparse_rows import Compressed, compress

# ---- compressed rows cannot be changed


def all_forms():
    return [csr(X).X, compress(X, "columns"), compress(X, "masks"), csr(X).X[5:30],
            compress(X, "masks")[5:30], csr(X).X[[3, 9, 1]], pickle.loads(pickle.dumps(csr(X).X)),
            copy.deepcopy(compress(X, "masks"))]  # fmt: skip


def arrays_of(rows):
    """offsets, and columns or masks: what leads the kernels through memory."""
    return [a for a in (rows.offsets, rows.columns, rows.masks, rows.values) if a is not None]


@pytest.mark.parametrize(
    "name", ["values", "offsets", "columns", "masks", "shape", "longest", "dtype", "new"]
)
def test_no_attribute_of_compressed_rows_can_be_assigned_or_deleted(name):
    for rows in all_forms():
        with pytest.raises(AttributeError):
            setattr(rows, name, 0)
        with pytest.raises(AttributeError):
            delattr(rows, name)
    with pytest.raises(TypeError):
        vars(csr(X).X)


def test_the_longest_row_cannot_be_made_out_shorter():
    data = csr(X)
    with pytest.raises(AttributeError):
        data.X.longest = 0
    assert trained(data) == trained(csr(X))


def owners(array):
    """The array and all that it is a view of."""
    while array is not None:
        yield array
        array = array.obj if isinstance(array, memoryview) else getattr(array, "base", None)


def test_no_array_that_leads_through_memory_can_be_made_writable():
    for rows in all_forms():
        for array in arrays_of(rows):
            for owner in owners(array):
                if isinstance(owner, np.ndarray):
                    with pytest.raises(ValueError, match="WRITEABLE"):
                        owner.flags.writeable = True
                with pytest.raises((TypeError, BufferError, ValueError)):
                    memoryview(owner)[0] = 1
                with pytest.raises((BufferError, TypeError, ValueError)):
                    np.frombuffer(owner, np.uint8)[0] = 1


def test_the_garbage_collector_does_not_lead_to_the_arrays_either():
    for rows in (compress(X, "columns"), compress(X, "masks")):
        arrays = list(owners(rows.offsets))[-1], rows._arrays
        assert [gc.get_referents(one) for one in arrays] == [[], []]


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")  # NumPy 2.5
def test_what_is_done_to_the_shape_of_an_array_changes_nothing():
    for rows in all_forms():
        expected = dense(rows)
        for array in arrays_of(rows):
            for owner in owners(array):
                if isinstance(owner, np.ndarray) and owner.ndim == 1 and owner.size % 2 == 0:
                    owner.shape = (2, owner.size // 2)
        np.testing.assert_array_equal(dense(rows), expected)
        np.testing.assert_array_equal(dense(rows[1:]), expected[1:])
        np.testing.assert_array_equal(dense(rows[[2, 0]]), expected[[2, 0]])


def test_arrays_that_were_given_may_be_changed_afterwards():
    data, indices, indptr = csr_arrays(X)
    indices, indptr = indices.astype("u2"), indptr.astype("i8")
    made = Dataset.from_csr(data, indices, indptr, 20, LABELS)
    twin = trained(made)
    indices[...], indptr[...] = 9999, 10**9
    assert trained(made) == twin
    np.testing.assert_array_equal(dense(made.X), X)
    data[...] = 0  # the user's own
    assert trained(made) != twin


def test_the_memory_of_compressed_rows_cannot_be_resized():
    for rows in all_forms():
        for array in (*arrays_of(rows), rows.stored):
            for owner in owners(array):
                if isinstance(owner, np.ndarray):
                    with pytest.raises(ValueError, match="resize"):
                        owner.resize(0, refcheck=False)
    data, indices, indptr = csr_arrays(X)
    made = Dataset.from_csr(data, indices, indptr, 20, LABELS)
    for _ in (made, made[3:]):
        with pytest.raises(ValueError, match="resize"):
            data.resize(0, refcheck=False)  # the user's own


@pytest.mark.parametrize("which", [slice(None), slice(3, 9), [4, 2]])
def test_the_memory_of_a_data_set_cannot_be_resized(which):
    for inputs in (X, X.tolist(), X.astype(np.int32)):
        data = Dataset(inputs, LABELS.tolist())[which]
        for array in (data.X, data.y):
            for owner in owners(array):
                with pytest.raises(ValueError, match="resize"):
                    owner.resize(0, refcheck=False)


def test_values_that_become_anything_lead_nowhere():
    data, indices, indptr = csr_arrays(X.astype(float))
    made = Dataset.from_csr(data, indices, indptr, 20, LABELS)
    net = Network([20, 8, 3], dtype="float64", seed=1)
    for value in (0.0, 1e300, np.inf, np.nan):
        data[...] = value
        net.feedforward(made)
    assert np.shares_memory(made.X.values, data)


def test_slices_of_slices_do_not_pile_up():
    rows = compress(np.ones((3000, 3), np.uint8), "columns")
    for _ in range(2990):
        rows = rows[1:]
    assert len(rows) == 10
    assert len(list(owners(rows.offsets))) == 4  # as of all rows
    assert len(list(owners(rows.values))) == 3


class Liar(Compressed):
    shape, dtype, columns, longest, density = (5, 3), np.dtype("u1"), np.zeros(9, "u2"), 0, 0.1
    offsets, values, stored = np.arange(6) * 10**9, np.ones(3, "u1"), np.ones(3, "u1")

    def __len__(self):
        return 5


def test_compressed_rows_without_a_constructor_are_refused():
    with pytest.raises(AttributeError):
        Dataset(Compressed.__new__(Compressed), LABELS)
    net = Network([3, 2], seed=1)
    for call in (lambda X: net.feedforward(X), lambda X: trained(Dataset(X, [0] * 5), (3, 2))):
        with pytest.raises((AttributeError, TypeError)):
            call(Liar.__new__(Liar))


def test_the_kernels_take_no_other_object_as_compressed_rows():
    class Stranger:
        def __init__(self, arrays):
            self._arrays, self.offsets = arrays, np.arange(6) * 10**9

    out = np.empty((5, 2), np.float32)
    for arrays in (None, 1, np.zeros(5), _kernels.CompressedArrays(*[None] * 5)):
        with pytest.raises((TypeError, ValueError)):
            kernel_calls.feedforward(
                ([3, 2], "sigmoid", None, Network([3, 2], seed=1)._model.values),
                (Stranger(arrays), 1.0),
                out,
            )


BROKEN = {
    "offsets that descend": dict(offsets=[0, 3, 2, 4]),
    "offsets beyond the values": dict(offsets=[0, 2, 3, 400]),
    "negative offsets": dict(offsets=[-5, 2, 3, 4]),
    "no offsets": dict(offsets=[]),
    "offsets of another type": dict(offsets=[0.0, 2.0, 3.0, 4.0]),
    "a column out of range": dict(columns=[0, 70, 1, 2]),
    "a column twice": dict(columns=[3, 3, 1, 2]),
    "columns that descend": dict(columns=[3, 1, 1, 2]),
    "too few columns": dict(columns=[0, 3]),
    "columns of another type": dict(columns=np.array([0, 3, 1, 2], np.int64)),
    "both": dict(masks=np.array([[3, 0], [1, 0], [1, 0]], np.uint64)),
    "none": dict(columns=None),
    "no width": dict(n_in=0),
    "too wide": dict(n_in=2**31),
    "a width of no number": dict(n_in="9"),
    "values of another type": dict(values=np.zeros(400, np.int32)),
    "too few values": dict(values=np.zeros(3, np.float32)),
    "no array": dict(values=[1.0, 2.0, 3.0, 4.0]),
    "masks of too many bits": dict(columns=None, masks=[[3, 1], [1, 0], [1, 0]]),
    "masks of too few bits": dict(columns=None, masks=[[3, 0], [0, 0], [1, 0]]),
    "masks behind the last input": dict(columns=None, masks=[[3, 0], [1, 0], [0, 64]]),
    "masks of another width": dict(columns=None, masks=[[3], [1], [1]]),
    "no values to read behind": dict(
        columns=None, masks=[[3, 0], [1, 0], [1, 0]], values=np.zeros(20, np.float32)
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_pickle_of_compressed_rows_is_checked(case):
    sound = {"values": np.ones(400, np.float32), "offsets": [0, 2, 3, 4], "columns": [0, 3, 1, 2],
             "masks": None, "n_in": 70}  # fmt: skip
    types = {"offsets": np.int64, "columns": np.uint16, "masks": np.uint64}

    def made(options):
        whole = dict(sound, **options)
        for name, dtype in types.items():
            value = whole[name]
            if isinstance(value, list):
                floats = bool(value) and isinstance(value[0], float)
                whole[name] = np.array(value, None if floats else dtype)
        return Compressed._of(*whole.values())

    assert made({}).longest == 2
    assert made({"columns": None, "masks": [[3, 0], [1, 0], [0, 32]]}).longest == 2
    with pytest.raises((TypeError, ValueError)):
        made(BROKEN[case])


def test_wide_rows_are_checked_with_four_bytes_a_column_too():
    values, offsets = np.ones(200, np.uint8), np.array([0, 2, 2])
    columns = np.array([5, 99_999], np.uint32)
    assert Compressed._of(values, offsets, columns, None, 100_000).shape == (2, 100_000)
    with pytest.raises(
        ValueError, match=r"^columns, masks: expected ascending columns from 0 to 99998"
    ):
        Compressed._of(values, offsets, columns, None, 99_999)


# ---- arrays that change while they are looked at


def test_csr_arrays_that_another_thread_changes_are_taken_as_one_copy_or_refused():
    data, indices, indptr = csr_arrays(np.ones((300, 40), np.uint8))
    indices, indptr = indices.astype("u2"), indptr.astype("i8")
    sound, goes_on = (indices.copy(), indptr.copy()), threading.Event()
    goes_on.set()

    def change():
        while goes_on.is_set():
            indices[5000:6000], indptr[100:200] = 60_000, 10**12
            indices[...], indptr[...] = sound

    thread = threading.Thread(target=change)
    thread.start()
    try:
        taken = 0
        for _ in range(300):
            try:
                rows = Dataset.from_csr(data, indices, indptr, 40, np.zeros(300, int)).X
            except ValueError:
                continue
            taken += 1
            assert rows.columns.max() < 40
            assert rows.offsets.max() == len(data)
    finally:
        goes_on.clear()
        thread.join()


@pytest.mark.parametrize("form", ["dense", "auto", "csr"])
def test_inputs_and_labels_may_change_while_a_network_trains(form):
    X = np.random.default_rng(1).random((400, 30)).astype(np.float32)
    X[X < 0.8] = 0
    y, goes_on = np.arange(400) % 3, threading.Event()
    data = csr(X, y) if form == "csr" else Dataset(X, y, sparse="auto" if form == "auto" else False)
    own = data.X._values.base if form == "csr" else X
    goes_on.set()

    def change():
        while goes_on.is_set():
            own[...] = own[::-1] * 0.5
            y[::2] = 2**40
            y[1::3] = -(2**40)

    thread = threading.Thread(target=change)
    thread.start()
    net = Network([30, 20, 3], seed=1)
    try:
        for _ in range(5):
            try:
                net.SGD(data, 5, 7, 0.1, verbose=False)
                net.accuracy(data)
            except RuntimeError as error:  # a compression has noticed the change
                if form != "auto" or "an array that does not change" not in str(error):
                    raise
    finally:
        goes_on.clear()
        thread.join()
    assert np.isfinite(net.weights[0]).all()


@pytest.mark.parametrize("name", ["shape", "dtype"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_user_s_own_array_whose_layout_is_changed_is_refused(name):
    X, y = np.ones((6, 4), np.float32), np.zeros(6, int)
    data, net = Dataset(X, y, sparse=False), Network([4, 3], seed=1)
    setattr(X, name, {"shape": (3, 8), "dtype": np.uint8}[name])
    with pytest.raises((TypeError, ValueError)):
        net.SGD(data, 1, 2, 0.1, verbose=False)
