"""Data sets whose arrays are memory maps of files: pickled as the place in the file."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import fastnet

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
