"""Saving and loading networks."""

import errno
import json
import os
import pathlib
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import fastnet
from fastnet import Network
from fastnet.core import files
from fastnet.io import persistence
from fastnet.nn import costs

PAIRS = [(output, cost.name, cost.__name__) for cost in costs.COSTS for output in cost.errors]


def trained(**options):
    net = Network([3, 4, 2], seed=1, **options)
    net.SGD(fastnet.Dataset(np.eye(3, dtype=np.uint8), [0, 1, 1], 0.3), 2, 2, 0.5, verbose=False)
    return net


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.json"


@pytest.fixture
def fields(path):
    """The content of a good file, to be spoilt."""
    trained(dtype="float64").save(path)
    return json.loads(path.read_text())


# ---- there and back


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "cost", "name"), PAIRS)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_saved_network_is_loaded_to_the_last_bit(path, dtype, output, cost, name, as_text):
    net = trained(cost=cost, output=output, dtype=dtype)
    net.save(str(path) if as_text else path)
    loaded = fastnet.load(str(path) if as_text else path)
    assert loaded == net
    assert (loaded.output, loaded.cost.__name__, loaded.dtype) == (output, name, dtype)
    assert loaded.input_scale == 0.3
    for array, expected in zip(loaded.weights, net.weights, strict=True):
        assert array.tobytes() == expected.tobytes()


def test_a_loaded_network_can_be_trained_and_saved_again(path):
    net = trained()
    net.save(path)
    loaded = fastnet.load(path)
    loaded.SGD(([[1.0, 2.0, 3.0]], [1]), 2, 1, 0.5, verbose=False)
    assert loaded != net
    loaded.save(path)
    assert fastnet.load(path) == loaded


def test_a_network_that_was_never_trained_has_no_scale(path):
    Network([3, 2], seed=1).save(path)
    assert fastnet.load(path).input_scale is None


@pytest.mark.parametrize(
    ("dtype", "scale", "expected"),
    [(np.uint8, 0.5, 0.5), (np.uint8, 1, 1), (np.float32, 0.5, 0.5), (np.float32, 1, None)],
)
def test_the_scale_is_kept_unless_real_numbers_were_taken_as_they_are(path, dtype, scale, expected):
    net = Network([3, 2], seed=1)
    net.SGD(fastnet.Dataset(np.eye(3, dtype=dtype), [0, 1, 1], scale), 1, 3, 0.5, verbose=False)
    net.save(path)
    assert fastnet.load(path).input_scale == expected


# ---- the book's format


def test_a_file_of_the_books_network2_is_loaded_in_float64(path):
    random = np.random.default_rng(1)
    weights = [random.normal(size=shape) for shape in ((4, 3), (2, 4))]
    biases = [random.normal(size=shape) for shape in ((4, 1), (2, 1))]
    data = {
        "sizes": [3, 4, 2],
        "weights": [w.tolist() for w in weights],
        "biases": [b.tolist() for b in biases],
        "cost": "CrossEntropyCost",
    }
    with open(path, "w") as file:
        json.dump(data, file)
    net = fastnet.load(path)
    assert (net.sizes, net.cost, net.output) == ([3, 4, 2], fastnet.CrossEntropyCost, "sigmoid")
    assert net.dtype == np.float64
    for array, expected in zip([*net.weights, *net.biases], weights + biases, strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(("output", "cost", "name"), PAIRS)
def test_the_books_reader_finds_its_keys_in_a_saved_file(path, output, cost, name):
    net = trained(cost=cost, output=output)
    net.save(path)
    with open(path) as file:
        data = json.load(file)
    assert data["sizes"] == [3, 4, 2]
    assert data["cost"] == name
    for key, arrays in (("weights", net.weights), ("biases", net.biases)):
        for rows, array in zip(data[key], arrays, strict=True):
            np.testing.assert_array_equal(np.array(rows), array)  # as the book's reader does


# ---- saving is all or nothing


def test_a_failure_while_writing_leaves_the_old_file_and_no_litter(path, monkeypatch):
    trained().save(path)
    before = path.read_bytes()

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    for name in ("replace", "rename", "fsync", "chmod"):
        monkeypatch.setattr(os, name, full)
    with pytest.raises(OSError, match="No space"):
        Network([3, 2], seed=2).save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_folder_that_does_not_exist_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        trained().save(tmp_path / "nowhere" / "net.json")
    assert os.listdir(tmp_path) == []


def test_a_saved_file_may_be_read_by_those_whom_the_system_allows(path):
    trained().save(path)
    plain = path.with_name("plain")
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode


def test_a_link_is_followed_when_its_file_is_saved_anew(path, tmp_path):
    trained().save(path)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    net = Network([3, 2], seed=2)
    net.save(link)
    assert link.is_symlink()
    assert fastnet.load(path) == net


def test_the_permissions_of_a_file_stay_when_it_is_saved_anew(path):
    net = Network([2, 1], seed=1)
    net.save(path)
    path.chmod(0o640)
    net.save(path)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="this system has no /dev/fd")
def test_a_pipe_without_a_name_is_written_to():
    net = Network([2, 1], seed=1)
    read, write = os.pipe()
    net.save(f"/dev/fd/{write}")
    os.close(write)
    with open(read) as pipe:
        assert json.load(pipe)["sizes"] == [2, 1]


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="this system has no /dev/fd")
def test_a_network_on_the_standard_output_goes_where_the_shell_redirects_it(tmp_path):
    code = (
        "from fastnet import Network; net = Network([2, 1], seed=1); print('before', flush=True); "
        "net.save('/dev/stdout'); print(); net.save('/dev/fd/1'); print('\\nafter')"
    )
    with open(tmp_path / "output", "wb") as output:
        subprocess.run([sys.executable, "-P", "-c", code], stdout=output, check=True)
    before, first, second, after = (tmp_path / "output").read_text().splitlines()
    assert (before, after) == ("before", "after")
    assert json.loads(first)["sizes"] == json.loads(second)["sizes"] == [2, 1]
    assert os.listdir(tmp_path) == ["output"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_device_without_space_is_an_error_that_names_it():
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        Network([2, 1]).save("/dev/full")


def test_links_that_lead_back_to_themselves_are_the_systems_error(tmp_path):
    place = tmp_path / "net.json"
    place.symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(place)
    for use in (Network([2, 1]).save, files.check_writable, fastnet.load):
        with pytest.raises(OSError, match="links") as caught:
            use(place)
        assert (caught.value.errno, caught.value.filename) == (errno.ELOOP, str(place))
    assert place.is_symlink()


@pytest.mark.parametrize("name", ["", "a\0b.npz"])
@pytest.mark.parametrize("use", [Network([2, 1]).save, fastnet.load])
def test_a_name_that_no_file_can_have_is_refused(use, name):
    with pytest.raises(ValueError, match=r"^filename: expected the path of a file, got '"):
        use(name)


def test_the_systems_errors_name_the_file_that_was_asked_for(tmp_path):
    place = tmp_path / "nowhere" / "net.json"
    for write in (Network([2, 1]).save, files.check_writable):
        with pytest.raises(FileNotFoundError) as caught:
            write(place)
        assert caught.value.filename == str(place)
    with pytest.raises(IsADirectoryError):
        files.check_writable(tmp_path)


def test_checking_that_a_file_can_be_written_leaves_no_trace(path, tmp_path):
    files.check_writable(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("use", [Network([2, 1]).save, fastnet.load])
def test_a_filename_that_is_none_raises_an_error_that_names_the_argument(use):
    with pytest.raises(TypeError, match=r"filename: expected a str or a path, got None"):
        use(None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_what_is_no_ordinary_file_is_written_to_and_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    net = Network([3, 2], seed=2)
    net.save(tmp_path / "pipe")
    written = os.read(reader, 100_000)
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    assert json.loads(written)["weights"] == [net.weights[0].tolist()]


def test_a_network_that_is_not_finite_is_not_saved(path):
    trained().save(path)
    before = path.read_bytes()
    net = Network([3, 2])
    net.weights[0][1, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        net.save(path)
    assert path.read_bytes() == before


# ---- JSON piece by piece


@pytest.mark.parametrize("sizes", [[3, 2], [5000, 3], [2, 5000], [4096, 2, 4097], [70, 130, 1]])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_file_has_the_bytes_of_json_dumps(path, sizes, dtype):
    net = Network(sizes, "quadratic", seed=1, dtype=dtype)
    net.biases[0][0] = -0.0
    net.save(path)
    fields = {
        "kind": "network",
        "format_version": 1,
        "fastnet_version": fastnet.__version__,
        "sizes": sizes,
        "weights": [w.tolist() for w in net.weights],
        "biases": [b.tolist() for b in net.biases],
        "cost": "QuadraticCost",
        "own_cost": False,
        "output": "sigmoid",
        "hidden": ["sigmoid"] * (len(sizes) - 2),
        "dtype": dtype,
        "input_scale": None,
    }
    assert path.read_text() == json.dumps(fields)


@pytest.mark.thorough
@pytest.mark.parametrize("sizes", [[784, 500, 10], [200_000, 2], [2, 200_000]])
def test_saving_takes_no_more_than_twice_the_memory_of_the_parameters(path, sizes):
    net = Network(sizes, seed=1)
    Network([2, 1], seed=1).save(path)  # what is imported at the first call
    parameters = sum(array.nbytes for array in [*net.weights, *net.biases])
    tracemalloc.start()
    net.save(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < parameters
    assert fastnet.load(path) == net


# ---- the suffix


@pytest.mark.parametrize(
    "name",
    ["net.NPY", "net.onnx", "net.c", "a.b.Pt", "net.pth", "net.pkl",
     "net.pickle", "net.joblib", "net.h5", "net.hdf5", "net.keras", "net.mat", "net.tflite",
     "net.pb", "net.ckpt", "net.msgpack", "net.csv", "net.parquet", "net.json.gz", "net.zip"],
)  # fmt: skip
def test_a_name_of_another_format_is_refused_before_anything_is_written(tmp_path, name):
    (tmp_path / name).write_text("what stands here")
    suffix = pathlib.Path(name).suffix.lower()
    for given in (tmp_path / name, str(tmp_path / name)):
        with pytest.raises(
            ValueError, match=r"filename: expected .*JSON.*net\.json, .*; got"
        ) as caught:
            Network([2, 1]).save(given)
        assert str(caught.value).endswith(suffix)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "what stands here"


@pytest.mark.parametrize("name", ["net", "net.json", "net.JSON", "net.txt", "npz", ".npz", "v1.2"])
def test_other_names_are_written_as_json(tmp_path, name):
    net = Network([2, 1], seed=1)
    net.save(tmp_path / name)
    assert fastnet.load(tmp_path / name) == net


def test_the_check_of_a_suffix_names_the_option():
    persistence.check_suffix("--save", "net.json")
    persistence.check_suffix("--save", "net.npz")
    with pytest.raises(ValueError, match=r"^--save: expected a name for JSON"):
        persistence.check_suffix("--save", "net.onnx")
    with pytest.raises(TypeError, match="--save: expected a str or a path, got 3"):
        persistence.check_suffix("--save", 3)


# ---- loading


def test_a_file_that_is_not_there_is_the_systems_error(path):
    with pytest.raises(FileNotFoundError, match=pathlib.Path(path).name):
        fastnet.load(path)


@pytest.mark.parametrize("cost", ["quadratic", fastnet.QuadraticCost, "log-likelihood", "mse", 5])
def test_a_cost_given_to_load_replaces_that_of_the_file_if_it_goes_with_the_output(
    path, fields, cost
):
    path.write_text(json.dumps(fields))
    if cost in ("quadratic", fastnet.QuadraticCost):
        net = fastnet.load(path, cost=cost)
        assert (net.cost, net.output) == (fastnet.QuadraticCost, "sigmoid")
    else:
        with pytest.raises(ValueError, match="log-likelihood"):
            fastnet.load(path, cost=cost)


def test_a_wrong_argument_of_load_is_not_blamed_on_the_file(tmp_path):
    Network([2, 1], seed=1).save(tmp_path / "net.json")
    with pytest.raises(TypeError, match=r"^seed: expected None"):
        fastnet.load(tmp_path / "net.json", seed="x")
    with pytest.raises(ValueError, match=r"^cost: expected one of"):
        fastnet.load(tmp_path / "net.json", cost="bogus")
