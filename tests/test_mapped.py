"""Data sets whose arrays are memory maps of files: pickled as the place in the file."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import fastnet
import fastnet.core.memmap

X = np.random.default_rng(0).integers(0, 256, (2000, 30)).astype(np.uint8)
Y = np.arange(2000) % 10


@pytest.fixture
def files(tmp_path):
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", Y)
    return tmp_path / "X.npy", tmp_path / "y.npy"


@pytest.fixture
def data(files):
    return fastnet.Dataset(*(np.load(file, mmap_mode="r") for file in files), scale=1 / 256)


def test_a_pickle_holds_the_path_and_not_the_numbers(data):
    pickled = pickle.dumps(data)
    assert len(pickled) < 1500
    again = pickle.loads(pickled)
    assert (again.X == X).all()
    assert (again.y == Y).all()
    assert again.scale == data.scale
    assert len(pickle.dumps(again)) < 1500
    assert not again.X.flags.writeable


@pytest.mark.parametrize(
    "part",
    [slice(10, 500), slice(0, None, 3), slice(1999, None)],
    ids=["some rows", "every third row", "the last row"],
)
def test_a_slice_is_pickled_as_a_place_in_the_file_too(data, part):
    pickled = pickle.dumps(data[part])
    labels = 0 if part.step is None else len(data[part]) * 8  # a copy, then
    assert len(pickled) < 1500 + labels
    again = pickle.loads(pickled)
    assert (X[part] == again.X).all()
    assert (again.y == Y[part]).all()


@pytest.mark.parametrize("part", [np.s_[:, 3:17], np.s_[5:, 29:]], ids=["columns", "one column"])
def test_columns_of_a_file_are_a_place_in_it(files, part):
    data = fastnet.Dataset(np.load(files[0], mmap_mode="r")[part], Y[: len(X[part])])
    assert (X[part] == pickle.loads(pickle.dumps(data)).X).all()
    assert len(pickle.dumps(data.X)) > 1500 > len(pickle.dumps(data)) - Y.nbytes


def test_chosen_examples_are_a_copy_in_memory_and_pickled_as_that(data, files):
    pickled = pickle.dumps(data[[5, 1, 7]])
    for file in files:
        file.unlink()
    assert (X[[5, 1, 7]] == pickle.loads(pickled).X).all()


def test_a_raw_file_with_an_offset_is_mapped_anew_in_another_process(tmp_path):
    (tmp_path / "pixels").write_bytes(b"head" + X.tobytes())
    mapped = np.memmap(tmp_path / "pixels", np.uint8, "r", offset=4, shape=X.shape)
    (tmp_path / "pickle").write_bytes(pickle.dumps(fastnet.Dataset(mapped, Y)[100:]))
    code = "import pickle, sys; d = pickle.load(open('pickle', 'rb')); print(d.X.sum(), d.y.sum())"
    printed = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert printed == f"{X[100:].sum()} {Y[100:].sum()}\n"


def test_a_map_stays_as_it_is_when_it_was_pickled_and_memory_is_compressed(data):
    """Which is the meaning of sparse="auto"."""
    again = pickle.loads(pickle.dumps(data))
    assert again.operand([30, 10], "float32") is again.X
    thin = np.where(X < 230, 0, X)
    in_memory = pickle.loads(pickle.dumps(fastnet.Dataset(thin, Y)))
    assert in_memory.operand([30, 10], "float32") is not in_memory.X


@pytest.mark.parametrize("how", ["another size", "another time", "another file"])
def test_a_file_that_has_changed_is_refused(data, files, how):
    pickled = pickle.dumps(data)
    if how == "another size":
        with open(files[0], "ab") as file:
            file.write(b"more")
    elif how == "another time":
        os.utime(files[0], (0, 1e9))
    else:
        files[0].unlink()
        np.save(files[0], X[:100])
    with pytest.raises(ValueError, match=r"X.npy: expected the file as the data set was made from"):
        pickle.loads(pickled)
    if how == "another file":  # what was mapped is not what has this name now
        with pytest.raises(ValueError, match=r"X.npy: expected the file as the data set was made"):
            copy.deepcopy(data)


def test_a_file_that_is_not_there_is_refused_by_name(data, files):
    pickled = pickle.dumps(data)
    files[1].unlink()
    with pytest.raises(FileNotFoundError, match=r"y.npy: expected the file of the data set"):
        pickle.loads(pickled)


def test_a_map_whose_file_is_gone_is_pickled_as_numbers(data, files):
    for file in files:
        file.unlink()
    again = pickle.loads(pickle.dumps(data))
    assert (again.X == X).all()
    assert (again.y == Y).all()


def test_a_map_that_does_not_write_to_its_file_is_pickled_as_numbers(files):
    mapped = np.load(files[0], mmap_mode="c")
    mapped[0] = 1
    again = pickle.loads(pickle.dumps(fastnet.Dataset(mapped, Y)))
    assert (again.X[0] == 1).all()
    assert (again.X[1:] == X[1:]).all()


def test_a_network_trains_to_the_same_bits_from_memory_and_from_its_file(data):
    spec = {"sizes": [30, 10], "epochs": 1, "mini_batch_size": 10, "eta": 0.5, "seed": 1}
    in_memory = fastnet.Dataset(X, Y, scale=1 / 256)
    networks = []
    for one in (in_memory, data, pickle.loads(pickle.dumps(data))):
        net = fastnet.Network([30, 10], seed=1)
        net.SGD(one, 2, 10, 0.5, verbose=False)
        networks.append(net)
    assert networks[0] == networks[1] == networks[2]
    assert fastnet.fit_many([spec], data)[0].network is not None


# ---- files that are cut while they are mapped

# Each line of a program is a pass over a file that has been cut; in a process of its own, which
# it would end.
CUT = """
import mmap, os, sys
import numpy as np
import fastnet
import fastnet.core.memmap
from fastnet import Dataset, Network, augment

def mapped(name, mode="r"):
    return np.load(name, mmap_mode=mode)

def cut(name, size=4096):
    os.truncate(name, size)

def refused(call, *words):
    try:
        call()
    except ValueError as error:
        for word in ("expected a file of", *words):
            assert word in str(error), error
    else:
        raise AssertionError("taken")

X, y = mapped("X.npy"), mapped("y.npy")
in_memory, labels = np.array(X), np.array(y)
net = Network([900, 10], seed=1)
quick = {"epochs": 1, "mini_batch_size": 50, "eta": 0.1, "verbose": False}
"""

PASSES = {
    "every call of a network": """
data = Dataset(X, labels, 1 / 256)
net.SGD(data, **quick)
cut("X.npy")
for call in (lambda: net.SGD(data, **quick), lambda: net.accuracy(data),
             lambda: net.total_cost(data, 0.1), lambda: net.feedforward(data),
             lambda: net.update_mini_batch(data, 0.1, 0.0, 50), lambda: net.gradient(data),
             lambda: net.gradient_check(data)):
    refused(call, "X: ", "X.npy", "4096 bytes", f"{128 + X.nbytes} bytes or more")
""",
    "targets": """
np.save("t.npy", np.eye(10)[labels])
data = Dataset(in_memory, mapped("t.npy"), 1 / 256)
softmax = Network([900, 10], "log-likelihood", seed=1)
softmax.SGD(data, **quick)
cut("t.npy")
for one in (net, softmax):
    refused(lambda: one.SGD(data, **quick), "y: ", "t.npy")
""",
    "labels": """
data = Dataset(in_memory, y, 1 / 256)
net.accuracy(data)
cut("y.npy", 200)
refused(lambda: net.accuracy(data), "y: ", "y.npy")
""",
    "evaluation data": """
data = Dataset(in_memory, labels, 1 / 256)
evaluated = Dataset(X, labels, 1 / 256)
net.SGD(data, evaluation_data=evaluated, monitor_evaluation_accuracy=True, **quick)
cut("X.npy")
refused(lambda: net.SGD(data, evaluation_data=evaluated, monitor_evaluation_accuracy=True, **quick))
""",
    "targets that are looked at before a pass": """
from fastnet import Network as N
one_hot, linear = np.eye(10)[y % 10], N([900, 10], "quadratic", output="linear", seed=1)
class Steps(N):
    def backprop(self, x, y):
        return super().backprop(x, y)
class Forward(N):
    def feedforward(self, a):
        return super().feedforward(a)
np.save("t.npy", one_hot)
for call in (
    lambda data: linear.accuracy(data),
    lambda data: linear.SGD(data, monitor_training_accuracy=True, **quick),
    lambda data: Steps([900, 10]).SGD(data, **quick),
    lambda data: Forward([900, 10]).accuracy(data),
    lambda data: Forward([900, 10]).total_cost(data, 0.0),
):
    np.save("t.npy", one_hot)
    data = Dataset(in_memory, mapped("t.npy"))
    cut("t.npy")
    refused(lambda: call(data), "y: ")
data = Dataset(in_memory, y)
cut("y.npy", 200)
refused(lambda: net.SGD(data, class_weight="balanced", **quick), "y: ")
refused(lambda: net.SGD(data, class_weight={1: 2.0}, **quick), "y: ")
""",
    "other arrays": """
from fastnet.sklearn import MLPClassifier
rows, weights = [(x, 0) for x in X[1900:]], mapped("X.npy")[:10]
real = np.save("w.npy", np.ones(2000)) or mapped("w.npy")
cut("X.npy")
cut("w.npy", 200)
refused(lambda: net.accuracy(rows), "data: ")
refused(lambda: net.weights.__setitem__(0, X[1000:1010]), "weights[0]: ")
refused(lambda: net.SGD((in_memory, labels), sample_weight=real, **quick), "sample_weight: ")
refused(lambda: MLPClassifier().fit(X, labels), "X: ")
refused(lambda: MLPClassifier().fit(in_memory, labels, real), "sample_weight: ")
""",
    "a new data set": """
cut("X.npy")
cut("y.npy", 200)
refused(lambda: Dataset(X, labels), "X: ")
refused(lambda: Dataset(np.asarray(X)[10:], labels[10:]), "X: ")
refused(lambda: Dataset(in_memory, y), "y: ")
refused(lambda: net.SGD((X, labels), **quick), "X: ")
""",
    "real inputs, which the constructor looks at": """
np.save("f.npy", in_memory / 256)
f = mapped("f.npy")
cut("f.npy")
refused(lambda: Dataset(f, labels), "X: ")
""",
    "compression": """
data = Dataset(X, labels, 1 / 256, sparse=True)
cut("X.npy")
refused(lambda: net.accuracy(data), "X: ")
""",
    "a compressed form in memory and the file beside it": """
data = Dataset(X, labels, 1 / 256, sparse=True)
net.accuracy(data)
cut("X.npy")
refused(lambda: net.accuracy(data), "X: ")
""",
    "examples and parts": """
data = Dataset(X, labels)
part, few = data[1000:], data[:4]
cut("X.npy")
for call in (lambda: data[1999], lambda: data[[5, 1999]], lambda: part[3], lambda: list(data),
             lambda: part.largest, lambda: net.accuracy(part)):
    refused(call, "X: ")
assert len(few) == 4 and net.feedforward(few).shape == (4, 10)  # they are still there
""",
    "arrays that are no data set": """
for dtype in (np.uint8, np.float32):
    np.save("a.npy", in_memory.astype(dtype))
    a = mapped("a.npy")
    net.feedforward(a)
    cut("a.npy")
    for taken in (a, np.asarray(a), a[1000:]):
        refused(lambda: net.feedforward(taken), "a: ", "a.npy")
""",
    "other modes, and files without a name": """
for mode in ("r", "r+", "c"):
    np.save("m.npy", in_memory)
    data = Dataset(mapped("m.npy", mode), labels, 1 / 256)
    net.accuracy(data)
    cut("m.npy")
    refused(lambda: net.accuracy(data), "X: ")
np.save("m.npy", in_memory)
file = open("m.npy", "r+b")
data = Dataset(np.load("m.npy", mmap_mode="r"), labels, 1 / 256)
os.unlink("m.npy")
net.accuracy(data)
file.truncate(4096)
refused(lambda: net.accuracy(data), "X: ")
""",
    "maps that are not NumPy's": """
in_memory.tofile("raw")
with open("raw", "rb") as file:
    raw = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    later = mmap.mmap(file.fileno(), 900 * 1000, access=mmap.ACCESS_READ,
                      offset=mmap.ALLOCATIONGRANULARITY)
whole = Dataset(np.frombuffer(raw, np.uint8).reshape(2000, 900), labels)
part = Dataset(np.frombuffer(memoryview(later), np.uint8).reshape(1000, 900), labels[:1000])
net.accuracy(whole), net.accuracy(part)
cut("raw")
refused(lambda: net.accuracy(whole), "X: ", "of no known name")
refused(lambda: net.accuracy(part), "X: ", "of no known name")
""",
    "compressed sparse rows": """
np.save("values.npy", in_memory.ravel())
columns, starts = np.tile(np.arange(900), 2000), np.arange(2001) * 900
data = Dataset.from_csr(mapped("values.npy"), columns, starts, 900, labels, 1 / 256)
net.SGD(data, **quick)
cut("values.npy")
refused(lambda: net.accuracy(data), "X: ", "values.npy")
refused(lambda: data[1999], "X: ")
refused(lambda: Dataset(data.X, labels), "X: ")
refused(lambda: net.feedforward(data.X), "a: ")
for name, array in (("indices", columns), ("indptr", starts)):
    np.save("index.npy", array)
    taken = {"indices": columns, "indptr": starts, name: mapped("index.npy")}
    cut("index.npy")
    refused(lambda: Dataset.from_csr(in_memory.ravel(), n_in=900, y=labels, **taken), name)
""",
    "pickles, and images that are moved": """
import pickle
data = Dataset(X, labels)
cut("X.npy")
refused(lambda: pickle.dumps(data), "X: ")
refused(lambda: augment.shift(data, 1, 1), "X: ")
""",
    "a data set that a pickle has mapped anew": """
import pickle
data = pickle.loads(pickle.dumps(Dataset(X, y, 1 / 256)))
net.accuracy(data)
cut("X.npy")
refused(lambda: net.accuracy(data), "X: ", "X.npy")
""",
    "what is left is enough": """
data = Dataset(X[:4], labels[:4])
cut("X.npy")
net.accuracy(data)
with open("X.npy", "ab") as file:
    file.write(bytes(10**7))
net.accuracy(Dataset(X, labels))
anonymous = np.frombuffer(mmap.mmap(-1, 9000), np.uint8).reshape(10, 900)
net.accuracy(Dataset(anonymous, labels[:10]))
""",
}


@pytest.mark.parametrize("case", PASSES)
def test_a_file_that_has_been_cut_is_refused_before_each_pass(case, tmp_path):
    random = np.random.default_rng(0)
    np.save(tmp_path / "X.npy", random.integers(0, 256, (2000, 900)).astype(np.uint8))
    np.save(tmp_path / "y.npy", np.arange(2000) % 10)
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", CUT + PASSES[case]], cwd=tmp_path,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_map_that_does_not_keep_its_file_open_is_looked_for_by_name(files, monkeypatch):
    class Unknown:  # as of mmap.mmap(..., trackfd=False)
        def size(self):
            raise ValueError("can't get size with trackfd=False")

    data = fastnet.Dataset(np.load(files[0], mmap_mode="r"), Y)
    monkeypatch.setattr(data._mappings[0], "_buffer", Unknown())
    data.check_files()
    os.truncate(files[0], 1000)
    with pytest.raises(
        ValueError, match=r"^X: expected a file of 60128 bytes or more, .* got 1000"
    ):
        data.check_files()
    files[0].unlink()  # nobody can say
    data.check_files()


PLACES = {
    "another type": {"dtype": np.dtype(object)},
    "no type": {"dtype": "u1"},
    "beyond the file": {"offset": 10**6},
    "before the file": {"offset": -1},
    "more rows than there are": {"shape": (10**9, 30)},
    "no rows": {"shape": (0, 30)},
    "steps backwards": {"strides": (-30, 1)},
    "three dimensions": {"shape": (2, 2, 2), "strides": (4, 2, 1)},
    "no file": {"file": None},
    "no shape": {"shape": 7},
}


@pytest.mark.parametrize("case", PLACES)
def test_a_place_in_a_file_is_checked(data, case):
    made = data.__getstate__()["X"]
    made.__setstate__(vars(made))
    with pytest.raises((TypeError, ValueError)):
        made.__setstate__(vars(made) | PLACES[case])
    with pytest.raises(TypeError):
        made.__setstate__([])
    for wrong in ({"path": 3}, {"size": -1}, {"modified": "today"}, {"modified": float("nan")}):
        with pytest.raises((TypeError, ValueError)):
            made.file.__setstate__(vars(made.file) | wrong)


def test_a_mapped_pickle_of_an_earlier_release_loads(tmp_path):
    X = np.arange(12, dtype=np.float32).reshape(4, 3)
    X.tofile(tmp_path / "X")
    data = fastnet.Dataset(np.memmap(tmp_path / "X", np.float32, "r", shape=(4, 3)), [0, 1, 0, 1])
    today = pickle.dumps(data, 2)
    assert today.count(b"fastnet.core.memmap\nMemmapRef\n") == 1
    earlier = today.replace(b"fastnet.core.memmap\nMemmapRef\n", b"fastnet.mapped\nPlace\n")
    made = pickle.loads(earlier)
    np.testing.assert_array_equal(made.X, X)


def test_a_mapped_pickle_is_not_read_before_it_is_used(tmp_path):
    with open(tmp_path / "X", "wb") as file:
        file.truncate(2**33)  # of no room on disk
    X = np.memmap(tmp_path / "X", np.float32, "r", shape=(2**21, 2**10))
    made = fastnet.Dataset.__new__(fastnet.Dataset)
    file = fastnet.core.memmap.file_of(X)
    place = fastnet.core.memmap.reference_to(X, file)
    made.__setstate__({"X": place, "y": np.zeros(2**21, int), "scale": 1.0, "sparse": "auto"})
    assert {"largest", "target_range"}.isdisjoint(vars(made))
    assert len(made) == 2**21
