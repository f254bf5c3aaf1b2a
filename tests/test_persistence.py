"""Saving and loading networks."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
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


def test_the_smallest_largest_and_negative_numbers_come_back(path):
    for dtype in (np.float32, np.float64):
        info = np.finfo(dtype)
        net = Network([5, 1], dtype=dtype)
        net.weights[0] = [[info.max, -info.max, info.tiny, info.smallest_subnormal, -0.0]]
        net.save(path)
        assert fastnet.load(path).weights[0].tobytes() == net.weights[0].tobytes()


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
    ["net.npz", "net.NPY", "net.safetensors", "net.onnx", "a.b.Pt", "net.pth", "net.pkl",
     "net.pickle", "net.joblib", "net.h5", "net.hdf5", "net.keras", "net.mat", "net.tflite",
     "net.pb", "net.ckpt", "net.msgpack", "net.csv", "net.parquet", "net.json.gz", "net.zip"],
)  # fmt: skip
def test_a_name_of_another_format_is_refused_before_anything_is_written(tmp_path, name):
    (tmp_path / name).write_text("what stands here")
    suffix = pathlib.Path(name).suffix.lower()
    for given in (tmp_path / name, str(tmp_path / name)):
        with pytest.raises(
            ValueError, match=r"filename: expected .*JSON.*net\.json; got"
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
    with pytest.raises(ValueError, match=r"^--save: expected a name for JSON"):
        persistence.check_suffix("--save", "net.npz")
    with pytest.raises(TypeError, match="--save: expected a str or a path, got 3"):
        persistence.check_suffix("--save", 3)


# ---- temporary files

HALFWAY = """
import sys
from fastnet.core import files

def chunks():
    yield b"half of it"
    print("begun", flush=True)
    sys.stdin.read(1)
    yield b" and the rest"

files.write(sys.argv[1], chunks())
"""


@pytest.fixture
def halfway(tmp_path):
    """Starts processes that are in the midst of writing a file."""
    running = []

    def start(path):
        command = [sys.executable, "-P", "-c", HALFWAY, str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, **pipes)
        running.append(process)
        assert process.stdout.readline() == b"begun\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def parts(folder):
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".part"))


@pytest.mark.skipif(files.fcntl is None, reason="the system cannot lock files")
def test_what_a_killed_save_leaves_behind_is_removed_by_the_next_of_the_same_file(
    path, tmp_path, halfway
):
    for _ in range(2):
        halfway(path).send_signal(signal.SIGKILL)
    other = halfway(tmp_path / "other.json")
    others = {f"net.json.{'0' * 15}.part", f"net.json.{'g' * 16}.part", f"net_json.{'0' * 16}.part",
              f"net.json.{'A' * 16}.part", f"a.net.json.{'0' * 16}.part"}  # fmt: skip
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / f"net.json.{'1' * 16}.part").mkdir()
    (tmp_path / f"net.json.{'2' * 16}.part").symlink_to(path)
    (tmp_path / f"net.json.{'3' * 16}.part").touch()
    for process in tmp_path.glob("net.json.*"):
        assert process.exists() or process.is_symlink()
    net = Network([2, 1], seed=1)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    net.save(link)
    assert fastnet.load(path) == net
    left = set(parts(tmp_path)) - others
    (of_other,) = {name for name in left if name.startswith("other.json.")}
    assert left == {of_other, f"net.json.{'1' * 16}.part", f"net.json.{'2' * 16}.part"}
    other.communicate(b"\n")
    assert (tmp_path / "other.json").read_bytes() == b"half of it and the rest"
    assert of_other not in parts(tmp_path)


@pytest.mark.skipif(files.fcntl is None, reason="the system cannot lock files")
def test_two_processes_that_save_the_same_file_leave_each_others_temporary_files(path, halfway):
    first, second = halfway(path), halfway(path)
    assert len(parts(path.parent)) == 2
    files.check_writable(path)
    Network([2, 1], seed=1).save(path)
    assert len(parts(path.parent)) == 2
    for process in (first, second):
        process.communicate(b"\n")
        assert process.returncode == 0
        assert path.read_bytes() == b"half of it and the rest"
    assert parts(path.parent) == []


def test_many_threads_save_the_same_file_at_the_same_time(path):
    nets = [Network([3, 2], seed=seed) for seed in range(4)]
    errors = []

    def save(net):
        try:
            for _ in range(50):
                net.save(path)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=save, args=(net,)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert fastnet.load(path) in nets
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(files.fcntl is None, reason="the system cannot lock files")
@pytest.mark.parametrize("how", ["removed", "locked"])
def test_a_temporary_file_that_another_takes_before_it_is_locked_is_begun_anew(
    path, monkeypatch, how
):
    flock, taken = files.fcntl.flock, []

    def late(file, operation):
        if not taken:
            taken.extend(path.parent.glob("*.part"))
            if how == "locked":
                raise BlockingIOError(11, "Resource temporarily unavailable")
            taken[0].unlink()
        flock(file, operation)

    monkeypatch.setattr(files.fcntl, "flock", late)
    net = Network([2, 1], seed=1)
    net.save(path)
    assert len(taken) == 1
    assert fastnet.load(path) == net
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("lacking", ["the module", "the file system's locks"])
def test_where_files_cannot_be_locked_saving_goes_on_and_nothing_is_removed(
    path, monkeypatch, lacking
):
    def none(*arguments):
        raise OSError(37, "No locks available")

    if lacking == "the module":
        monkeypatch.setattr(files, "fcntl", None)
    elif files.fcntl is not None:
        monkeypatch.setattr(files.fcntl, "flock", none)
    abandoned = path.with_name(f"net.json.{'0' * 16}.part")
    abandoned.touch()
    net = Network([2, 1], seed=1)
    net.save(path)
    assert fastnet.load(path) == net
    assert sorted(path.parent.iterdir()) == [path, abandoned]


# ---- damage


def refused(path, content, *words):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=r"net\.json: ") as caught:
        fastnet.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert "expected" in message or "allowed" in message
    for word in words:
        assert word in message


def test_a_file_cut_off_anywhere_is_refused(path, fields):
    whole = json.dumps(fields)
    for length in range(0, len(whole), 7):
        refused(path, whole[:length], "JSON")


@pytest.mark.parametrize(
    "content",
    [
        "", "net", "{", "[1, 2", b"\x80\x04\x95 a pickle", b"\xff\xfe\x00", b"\x00" * 100,
        "import os", "{'sizes': [3, 2]}", "[" * 200_000, '{"a":' * 200_000, "1" * 5000,
    ],
    ids=lambda c: repr(c[:9]),
)  # fmt: skip
def test_a_file_that_is_not_json_is_refused(path, content):
    refused(path, content)


@pytest.mark.parametrize("content", ["[]", "5", "null", "true", '"net"', "NaN", '[{"sizes": 3}]'])
def test_json_that_is_no_object_is_refused(path, content):
    refused(path, content, "object")


@pytest.mark.parametrize("key", ["sizes", "weights", "biases", "cost"])
def test_a_missing_key_is_named(path, fields, key):
    del fields[key]
    refused(path, json.dumps(fields), repr(key))


@pytest.mark.parametrize(
    "sizes",
    [[], [3], [3, 4], [4, 3, 2], [3, 4, 2, 2], [3, 4, 0], [3, -4, 2], [3.0, 4, 2], [True, 4, 2],
     ["3", 4, 2], [None, 4, 2], "342", 3, None, {}, [10**30, 4, 2], [3, 10**9, 2], [[3, 4, 2]]],
)  # fmt: skip
def test_sizes_that_are_wrong_or_do_not_fit_the_arrays_are_refused(path, fields, sizes):
    refused(path, json.dumps({**fields, "sizes": sizes}))


NO_NUMBERS = ["true", "false", '"1.0"', "null", "[1.0]", "{}", "NaN", "Infinity", "-Infinity",
              "1e999", "-1e999", "1" * 400, "1" * 4299, "1" * 5000]  # fmt: skip


@pytest.mark.parametrize("number", NO_NUMBERS, ids=lambda n: n[:9])
@pytest.mark.parametrize(("key", "l"), [("weights", 0), ("weights", 1), ("biases", 1)])
def test_anything_but_finite_numbers_is_refused(path, fields, key, l, number):
    fields[key][l][-1][-1] = "here"
    words = () if number == "1" * 5000 else (f"{key}[{l}]", "number")
    refused(path, json.dumps(fields).replace('"here"', number), *words)


def test_a_number_beyond_the_type_that_the_file_names_is_refused(path, fields):
    fields["weights"][0][0][0] = 1e300
    path.write_text(json.dumps(fields))
    assert fastnet.load(path).weights[0][0, 0] == 1e300
    refused(path, json.dumps({**fields, "dtype": "float32"}), "weights[0]", "float32")


@pytest.mark.covering(1)
@pytest.mark.parametrize("key", ["weights", "biases"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda arrays: [],
        lambda arrays: None,
        lambda arrays: {"0": arrays[0]},
        lambda arrays: "arrays",
        lambda arrays: 1.0,
        lambda arrays: arrays[:1],
        lambda arrays: [*arrays, arrays[0]],
        lambda arrays: [arrays[0], arrays[0]],
        lambda arrays: arrays[::-1],
        lambda arrays: [arrays[0], []],
        lambda arrays: [arrays[0], None],
        lambda arrays: [arrays[0], [[]] * 2],
        lambda arrays: [arrays[0], arrays[1][:1]],
        lambda arrays: [arrays[0], [*arrays[1], arrays[1][0]]],
        lambda arrays: [arrays[0], [arrays[1][0], arrays[1][1][:-1]]],
        lambda arrays: [arrays[0], [arrays[1][0], [*arrays[1][1], 1.0]]],
        lambda arrays: [arrays[0], [row[0] for row in arrays[1]]],
        lambda arrays: [arrays[0], [[row] for row in arrays[1]]],
    ],
)
def test_arrays_of_wrong_shape_are_refused(path, fields, key, spoil):
    fields[key] = spoil(fields[key])
    refused(path, json.dumps(fields), key)


class Innocent:
    """Must not be found by its name."""

    fn = delta = staticmethod(print)


@pytest.mark.parametrize(
    "cost",
    ["Innocent", "test_persistence.Innocent", "os.system", "Network", "__import__", "quadratic",
     "crossentropycost", "", "CrossEntropyCost ", "fn", "PAIRS", 5, None, True, [], {},
     ["CrossEntropyCost"]],
)  # fmt: skip
def test_a_cost_that_is_not_in_the_fixed_table_is_refused(path, fields, cost, monkeypatch):
    # not even where the reader could find it
    for module in (fastnet, fastnet.network, fastnet.nn.costs, fastnet.io.persistence):
        monkeypatch.setattr(module, "Innocent", Innocent, raising=False)
    refused(path, json.dumps({**fields, "cost": cost}), "cost", repr(cost))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("output", v) for v in ("relu", "", 5, True, [], {}, ["sigmoid"], "softmax")),
        *(("dtype", v) for v in ("float16", "int32", "", 64, True, [], {}, "object", "f8")),
        *(("own_cost", v) for v in (1, "true", [])),
        *(("input_scale", v) for v in (-1, "1", True, [], {}, [1.0])),
    ],
)
def test_wrong_values_of_the_further_keys_are_refused(path, fields, key, value):
    refused(path, json.dumps({**fields, key: value}), key, repr(value).strip("'"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" * 400])
def test_a_scale_that_is_not_finite_is_refused(path, fields, number):
    text = json.dumps({**fields, "input_scale": "here"})
    refused(path, text.replace('"here"', number), "input_scale")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sizes", ["3"] * 500_000), ("sizes", "3" * 500_000), ("hidden", {"a": "b" * 500_000}),
        ("cost", "c" * 500_000), ("cost", ["c"] * 500_000), ("output", "o" * 500_000),
        ("dtype", "f" * 500_000), ("own_cost", [1] * 500_000), ("input_scale", [1] * 500_000),
        ("weights", [["w" * 500_000]]),
        ("weights", [[[0.0] * n for n in range(800)], []]), ("input_scale", -(10**4000)),
    ],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
def test_messages_about_long_values_stay_short(path, fields, key, value):
    path.write_text(json.dumps({**fields, key: value}))
    with pytest.raises(ValueError, match=rf"net\.json: .*{key}") as caught:
        fastnet.load(path)
    assert len(str(caught.value)) < 400 + len(str(path))


def test_a_message_about_a_missing_key_names_the_first_of_many(path):
    path.write_text(json.dumps(dict.fromkeys(map(str, range(300_000)))))
    with pytest.raises(ValueError, match="expected the key 'sizes', found ") as caught:
        fastnet.load(path)
    assert len(str(caught.value)) < 200 + len(str(path))


def test_keys_of_later_versions_are_passed_over(path, fields):
    path.write_text(json.dumps({**fields, "momentum": 0.9}))
    assert fastnet.load(path).weights[0].tolist() == fields["weights"][0]


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
