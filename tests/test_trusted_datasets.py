"""No attribute, pickle or argument of a data set makes the kernels read or write out of bounds."""

import mmap
import pickle
import subprocess
import sys

import numpy as np
import pytest
from compressed_examples import LABELS, TARGETS, N, X, csr, csr_arrays, dense, trained

from fastnet import Dataset, Network
from fastnet.data import sparse_rows
from fastnet.data.sparse_rows import Compressed, compress


@pytest.mark.parametrize("name", ["X", "y", "scale", "sparse", "largest", "target_range"])
def test_a_data_set_s_attributes_are_not_assigned(name):
    data = Dataset(X, LABELS, 1 / 256)
    before = getattr(data, name)
    with pytest.raises(AttributeError, match=rf"^{name}: expected no assignment"):
        setattr(data, name, before)
    with pytest.raises(AttributeError, match=rf"^{name}: expected no deletion"):
        delattr(data, name)
    assert getattr(data, name) is before
    data.note = "what else a user keeps there"
    assert pickle.loads(pickle.dumps(data)).note == data.note


def test_a_data_set_without_its_constructor_is_refused():
    class Own(Dataset):
        pass

    for kind in (Dataset, Own):
        with pytest.raises(AttributeError):
            Network([4, 3], seed=1).SGD(kind.__new__(kind), 1, 1, 0.1, verbose=False)
        with pytest.raises(AttributeError):
            kind.__new__(kind).operand([4, 3], "float32")


STATES = {
    "no dict": [],
    "no X": {"y": LABELS, "scale": 1.0, "sparse": "auto"},
    "a list as X": {"X": X.tolist()},
    "a type that no kernel reads": {"X": X.astype(np.int32)},
    "a vector as X": {"X": X[0]},
    "no examples": {"X": X[:0], "y": LABELS[:0]},
    "no features": {"X": X[:, :0]},
    "fewer inputs than targets": {"X": X[:-1]},
    "NaN in X": {"X": np.where(X > 250, np.nan, X)},
    "masks": {"X": compress(X, "masks")},
    "negative labels": {"y": LABELS - 1},
    "labels beyond all networks": {"y": LABELS + 2**31},
    "real labels": {"y": LABELS + 0.5},
    "NaN in y": {"y": TARGETS * np.nan},
    "a number as y": {"y": np.int64(3)},
    "a scale below zero": {"scale": -1.0},
    "a scale beyond all numbers": {"scale": 1e308, "X": X * 1.0},
    "an option of no meaning": {"sparse": "never"},
}


@pytest.mark.parametrize("case", STATES)
def test_the_state_of_a_data_set_is_checked_as_the_constructor_checks(case):
    state = STATES[case]
    if isinstance(state, dict) and case != "no X":
        state = {"X": X, "y": LABELS, "scale": 1.0, "sparse": "auto", **state}
    made = Dataset.__new__(Dataset)
    with pytest.raises((TypeError, ValueError)):
        made.__setstate__(state)


def test_what_can_be_made_again_is_not_taken_from_a_state():
    data = Dataset(X.astype(float), LABELS)
    wrong = {"largest": 0.0, "target_range": (0.0, 0.0), "_stored": 10**9, "_in_flight": {0: 1},
             "_forms": {("columns", np.dtype("f4")): csr(X[:3], LABELS[:3]).X},
             "_mappings": (1,)}  # fmt: skip
    made = Dataset.__new__(Dataset)
    made.__setstate__(data.__getstate__() | wrong)
    assert (made.largest, made.target_range) == (X.max(), (0, 2))
    assert made._stored == np.count_nonzero(X)
    assert made._forms == made._in_flight == {}
    assert trained(made) == trained(data)


# Flips each byte of a pickle, in steps, and trains on what still loads, in a process of its own.
FLIPPED = """
import pickle, resource, sys, warnings
import numpy as np
from fastnet import Dataset, Network
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))  # a damaged length may be any
pickled = bytearray(sys.stdin.buffer.read())
sound = 0
for i in range(0, len(pickled), int(sys.argv[1])):
    for change in (0x01, 0x80, 0xFF):
        before, pickled[i] = pickled[i], pickled[i] ^ change
        try:
            data = pickle.loads(bytes(pickled))
            if isinstance(data, Dataset):
                n_in = data.X.shape[1]
                n_out = data.y.shape[1] if data.y.ndim == 2 else 3
                if n_in < 10_000:
                    net = Network([n_in, 4, n_out], "quadratic", seed=1)
                    net.SGD(data, 1, 5, 0.1, verbose=False)
                    net.accuracy(data), data[3], data[[1, 2]], data[1:].largest
                    sound += 1
        except Exception:
            pass
        finally:
            pickled[i] = before
print(sound)
"""


def damaged(data, protocol, n=2500):
    pickled = pickle.dumps(data, protocol)
    step = max(1, len(pickled) // n)
    done = subprocess.run(
        [sys.executable, "-P", "-c", FLIPPED, str(step)], input=pickled, capture_output=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize("kind", ["dense", "targets", "csr", "options"])
def test_a_pickle_with_a_damaged_byte_is_refused_or_sound(kind, protocol):
    few, labels = X[:12, :9], LABELS[:12]
    made = {
        "dense": lambda: Dataset(few, labels, 1 / 256),
        "targets": lambda: Dataset(few / 7, TARGETS[:12]),
        "csr": lambda: csr(few, labels),
        "options": lambda: Dataset(few.astype("f4"), labels, sparse=True),
    }
    assert damaged(made[kind](), protocol) > 0


def test_a_pickle_of_a_file_with_a_damaged_byte_is_refused_or_sound(tmp_path):
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", LABELS)
    files = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "Xy"]
    assert damaged(Dataset(*files)[2:], 4) > 0


# ---- odd arguments


@pytest.mark.parametrize("which", [
    2**63, -(2**63), 2**200, np.uint64(2**64 - 1), slice(2**70), slice(None, None, 2**40),
    [2**40], [-(2**40)], np.array([2**63], np.uint64), [0.5], [[1, 2], [3, 4]], [None], "ab",
    np.zeros(61, bool), np.ones(59, bool), {1: 2}, b"1", True, object(), Ellipsis, np.array(3.0),
], ids=lambda v: repr(v)[:20])  # fmt: skip
@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_odd_indices_give_an_error_or_examples_that_are_there(which, kind):
    data = csr(X) if kind == "csr" else Dataset(X, LABELS)
    for indexed in (data, data.X):
        try:
            part = indexed[which]
        except (IndexError, TypeError, ValueError, OverflowError):
            continue
        if isinstance(part, (Dataset, Compressed)):
            assert len(part) <= N
            if isinstance(part, Dataset):
                assert trained(part) == trained(part[:])


@pytest.mark.parametrize("sizes", [[20], [], [0, 0], [20, 0], [-1, 3], ["a", 2], None, [2**70, 2]])
@pytest.mark.parametrize("dtype", ["float32", "int8", None])
def test_odd_arguments_of_operand_give_an_error_or_the_inputs(sizes, dtype):
    for data in (Dataset(X, LABELS), Dataset(X, LABELS, sparse=True), csr(X)):
        try:
            found = data.operand(sizes, dtype)
        except (IndexError, TypeError, ValueError, OverflowError, MemoryError):
            continue
        assert found.shape == X.shape


@pytest.mark.parametrize("n_in", [2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**64, -1, 0, 1.5, "7"])
def test_widths_at_the_limits_are_taken_or_refused(n_in):
    last = n_in - 1 if isinstance(n_in, int) and 0 < n_in <= 2**63 else 0
    if n_in == 2**31 - 1:
        data = Dataset.from_csr([1.0], [last], [0, 1], n_in, [0])
        assert data.X.columns.tolist() == [last]
        with pytest.raises((MemoryError, ValueError)):
            Network([n_in, 2], seed=1).SGD(data, 1, 1, 0.1, verbose=False)
        return
    with pytest.raises((TypeError, ValueError)):
        Dataset.from_csr([1.0], [last], [0, 1], n_in, [0])


@pytest.mark.parametrize("index", [2**31, 2**32 + 1, 2**63 - 1, 2**63, 2**64 - 1, -1, -(2**63)])
def test_indices_beyond_the_types_of_the_kernels_are_refused(index):
    dtype = np.uint64 if index >= 2**63 else np.int64
    with pytest.raises(ValueError, match=r"^indices: expected columns from 0 to 4, got"):
        Dataset.from_csr([1.0], np.array([index], dtype), [0, 1], 5, [0])
    with pytest.raises(ValueError, match=r"^indptr: expected"):
        Dataset.from_csr([1.0], [0], np.array([0, index], dtype), 5, [0])


def test_csr_arrays_of_any_layout_are_taken():
    data, indices, indptr = csr_arrays(X)
    backwards = [np.ascontiguousarray(a[::-1])[::-1] for a in (data, indices, indptr)]
    views = memoryview(data), memoryview(indices), memoryview(indptr)
    packed = np.zeros(len(data), [("pad", "u1"), ("value", "f8")])
    packed["value"] = data
    for given in (backwards, views, (packed["value"], indices, indptr)):
        np.testing.assert_array_equal(dense(Dataset.from_csr(*given, 20, LABELS).X), X)


def test_compressed_values_may_end_where_memory_ends():
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, page)
    for dtype in ("uint8", "float32", "float64"):
        n = page // np.dtype(dtype).itemsize
        values = np.frombuffer(memory, dtype)
        values[...] = 1
        data = Dataset.from_csr(values, np.arange(n) % 8, np.arange(0, n + 1, 8), 8,
                                np.zeros(n // 8, int))  # fmt: skip
        for part in (data, data[-3:]):
            assert trained(part, (8, 5, 3)) is not None
        assert sparse_rows.max_abs_and_count(data.X.stored.astype("f8")) == (1.0, n)
