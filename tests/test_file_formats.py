"""Networks as .npz, .safetensors and JSON: there and back, as others read them, all or nothing."""

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

import fastnet
from fastnet import Network, Standardize, Table
from fastnet.cli import main
from fastnet.io import network_fields, npz, persistence
from fastnet.nn import costs
from fastnet.nn.activations import ACTIVATIONS

PAIRS = [(output, cost.name) for cost in costs.COSTS for output in cost.errors]
PEOPLE = {"age": [31, 47, None], "sex": ["f", "m", "ü"], "vote": ["yes", "no", "yes"]}


@pytest.fixture(params=persistence.FORMATS)
def suffix(request):
    """The suffix of each format."""
    if request.param == ".safetensors":
        pytest.importorskip("safetensors", reason="safetensors is not installed")
    return request.param


@pytest.fixture
def path(tmp_path, suffix):
    return tmp_path / f"net{suffix}"


def same(net, other):
    """Whether a file gives all that the network has, to the last bit."""
    assert net == other
    for name in ("sizes", "cost", "output", "hidden", "dtype", "input_scale", "inputs", "classes",
                 "features"):  # fmt: skip
        assert getattr(net, name) == getattr(other, name), name
    for a, b in zip([*net.weights, *net.biases], [*other.weights, *other.biases], strict=True):
        assert a.tobytes() == b.tobytes()


# ---- there and back


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_every_cost_and_output_comes_back(path, dtype, output, cost):
    net = Network([3, 4, 2], cost, output=output, dtype=dtype, seed=1)
    net.save(path)
    same(fastnet.load(path), net)


def test_every_kind_of_hidden_neurons_comes_back(path, kind):
    net = Network([3, 4, 5, 2], hidden=[kind, ACTIVATIONS["tanh"]], seed=1)
    net.save(path)
    same(fastnet.load(path), net)
    assert fastnet.load(path).hidden[0] == kind.name_or_self


@pytest.mark.parametrize("cost", [fastnet.HuberCost(0.3), fastnet.QuantileCost(0.9)])
def test_the_parameters_of_a_cost_come_back(path, cost):
    net = Network([3, 1], cost, output="linear", seed=1)
    net.save(path)
    same(fastnet.load(path), net)
    assert fastnet.load(path).cost == cost


def test_scale_standardization_and_names_come_back(path):
    inputs = Standardize([1 / 3, -2.0], [0.1, 7.0], features=["ä", 'a "quoted" name'])
    net = Network([2, 3, 3], inputs=inputs, classes=[1.5, 2.5, True], seed=1)
    net.SGD(fastnet.Dataset([[1, 2], [3, 4]], [0, 1], 0.3), 1, 1, 0.5, verbose=False)
    assert net.input_scale == 0.3
    net.save(path)
    same(fastnet.load(path), net)
    assert [*map(type, fastnet.load(path).classes)] == [float, float, bool]


def test_a_standardization_without_mean_comes_back(path):
    net = Network([2, 3], inputs=Standardize(None, [0.1, 7.0]), features=["a", "b"], seed=1)
    net.save(path)
    same(fastnet.load(path), net)
    assert fastnet.load(path).inputs.with_mean is False


def test_a_table_comes_back_and_reads_the_same_rows(path):
    fitted = Table.fit(PEOPLE, "vote")
    net = Network([fitted.n_out, 4, 2], inputs=fitted, seed=1)
    net.save(path)
    loaded = fastnet.load(path)
    same(loaded, net)
    rows = {key: PEOPLE[key] for key in ("age", "sex")}
    np.testing.assert_array_equal(loaded.feedforward(rows), net.feedforward(rows))


def test_the_network_of_fit_table_comes_back(path):
    rows = {"x": [*range(40)], "y": [2.5 * x for x in range(40)]}
    net = fastnet.fit_table(rows, "y", epochs=2, seed=1, verbose=False).net
    net.save(path)
    same(fastnet.load(path), net)


def test_the_smallest_largest_and_negative_numbers_come_back(path):
    for dtype in (np.float32, np.float64):
        info = np.finfo(dtype)
        net = Network([5, 1], dtype=dtype)
        net.weights[0] = [[info.max, -info.max, info.tiny, info.smallest_subnormal, -0.0]]
        net.save(path)
        assert fastnet.load(path).weights[0].tobytes() == net.weights[0].tobytes()


@pytest.mark.parametrize(
    "sizes",
    [[1, 1], [70_000, 1], [1, 70_000], [700, 513, 3, 17]]
    + [pytest.param(sizes, marks=pytest.mark.thorough) for sizes in ([300_000, 2], [2, 300_000])],
)
def test_layers_of_all_shapes_come_back(path, sizes):
    net = Network(sizes, seed=1)
    net.biases = [b + np.arange(b.size)[:, None] / 7 for b in net.biases]
    net.save(path)
    same(fastnet.load(path), net)


def test_a_loaded_network_trains_to_the_same_bits(path):
    net = Network([3, 4, 2], seed=1)
    net.save(path)
    data = fastnet.Dataset(np.eye(3, dtype=np.float32), [0, 1, 1])
    nets = [net, fastnet.load(path)]
    for one in nets:
        one.reseed(5)
        one.SGD(data, 3, 1, 0.5, optimizer=fastnet.Adam(), dropout=0.2, verbose=False)
    same(*nets)


class Own:
    """A cost of one's own."""

    @staticmethod
    def fn(a, y):
        return 0.5 * np.sum((a - y) ** 2)

    @staticmethod
    def delta(z, a, y):
        return a - y


def test_a_cost_of_ones_own_must_be_given_again(path):
    net = Network([3, 2], Own, seed=1)
    net.save(path)
    same(fastnet.load(path, cost=Own), net)
    with pytest.raises(ValueError, match=r"net\..*: cost: expected one of .* found 'Own'; for a"):
        fastnet.load(path)


def test_a_cost_given_to_load_replaces_that_of_the_file(path):
    Network([3, 2], seed=1).save(path)
    assert fastnet.load(path, cost="quadratic").cost is fastnet.QuadraticCost
    with pytest.raises(ValueError, match=r"net\..*: output: sigmoid does not go with the log-like"):
        fastnet.load(path, cost="log-likelihood")
    with pytest.raises(ValueError, match=r"^cost: expected one of"):
        fastnet.load(path, cost="bogus")


def test_the_content_shows_the_format_whatever_the_name(path, tmp_path):
    net = Network([3, 2], seed=1)
    net.save(path)
    for name in ("net", "net.json", "net.npz", "net.safetensors", "net.txt"):
        (tmp_path / name).write_bytes(path.read_bytes())
        same(fastnet.load(tmp_path / name), net)


@pytest.mark.parametrize("n", [1, 123, 0x7B - 60, 300, 700])
def test_a_header_whose_length_looks_like_text_is_still_recognized(tmp_path, n):
    """The first byte of the length may be that of a brace."""
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    seen = set()
    for more in range(0, 264, 8):
        net = Network([1, 1], classes=["a" * (n + more), "b"], seed=1)
        net.save(tmp_path / "net.safetensors")
        seen.add((tmp_path / "net.safetensors").read_bytes()[0])
        same(fastnet.load(tmp_path / "net.safetensors"), net)
    assert len(seen) == 32  # every multiple of 8


def test_a_suffix_may_be_in_capitals(tmp_path):
    net = Network([3, 2], seed=1)
    net.save(tmp_path / "net.NPZ")
    assert (tmp_path / "net.NPZ").read_bytes().startswith(b"PK")
    same(fastnet.load(tmp_path / "net.NPZ"), net)


def test_the_same_network_gives_the_same_bytes(path):
    contents = set()
    for _ in range(2):
        Network([30, 20, 10], seed=1).save(path)
        contents.add(path.read_bytes())
    assert len(contents) == 1


# ---- as others read them


def described(net):
    """What the description of every format says."""
    fields = {
        "kind": "network",
        "format_version": network_fields.FORMAT_VERSION,
        "fastnet_version": fastnet.__version__,
        "sizes": net.sizes,
        "cost": {"class": "HuberCost", "threshold": 2.5},
        "own_cost": False,
        "output": "linear",
        "hidden": ["sigmoid", {"name": "leaky-relu", "slope": 0.2}],
        "dtype": net.dtype.name,
        "input_scale": None,
    }
    if net.inputs is not None:
        inputs = {"mean": [1.0, 2.0], "deviation": [3.0, 4.0], "features": ["a", "b"]}
        fields["inputs"] = {"name": "standardize", **inputs}
        fields["features"] = ["a", "b"]
    return fields


@pytest.fixture(params=[False, True], ids=["plain", "standardized"])
def net(request):
    inputs = Standardize([1.0, 2.0], [3.0, 4.0], features=["a", "b"]) if request.param else None
    hidden = ["sigmoid", fastnet.LeakyReLU(0.2)]
    return Network([2, 3, 4, 1], fastnet.HuberCost(2.5), output="linear", hidden=hidden,
                   inputs=inputs, seed=1)  # fmt: skip


def test_numpy_reads_npz_without_pickles(net, tmp_path):
    net.save(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz", allow_pickle=False) as file:
        arrays = dict(file)
    assert json.loads(arrays.pop("fastnet").item()) == described(net)
    assert [*arrays] == [f"{name}_{l}" for l in range(3) for name in ("weights", "biases")]
    for l in range(3):
        np.testing.assert_array_equal(arrays[f"weights_{l}"], net.weights[l], strict=True)
        np.testing.assert_array_equal(arrays[f"biases_{l}"], net.biases[l], strict=True)


def test_the_library_reads_safetensors(net, tmp_path):
    safetensors = pytest.importorskip("safetensors", reason="safetensors is not installed")
    net.save(tmp_path / "net.safetensors")
    with safetensors.safe_open(tmp_path / "net.safetensors", framework="np") as file:
        assert json.loads(file.metadata()["fastnet"]) == described(net)
        assert file.metadata().keys() == {"fastnet"}
        assert {*file.keys()} == {f"{name}_{l}" for l in range(3) for name in ("weights", "biases")}
        for l in range(3):
            weights, biases = (file.get_tensor(f"{name}_{l}") for name in ("weights", "biases"))
            np.testing.assert_array_equal(weights, net.weights[l], strict=True)
            np.testing.assert_array_equal(biases, net.biases[l], strict=True)


def test_json_has_the_same_description_beside_the_books_lists(net, tmp_path):
    net.save(tmp_path / "net")
    fields = json.loads((tmp_path / "net").read_text())
    weights, biases = fields.pop("weights"), fields.pop("biases")
    assert fields == described(net)
    assert weights == [w.tolist() for w in net.weights]
    assert biases == [b.tolist() for b in net.biases]


def test_the_bytes_of_arrays_are_aligned_and_uncompressed(net, tmp_path):
    net.save(tmp_path / "net.npz")
    with zipfile.ZipFile(tmp_path / "net.npz") as file:
        assert file.testzip() is None
        for info in file.infolist():
            assert (info.compress_type, info.compress_size) == (0, info.file_size)
            assert info.flag_bits & 8 == 0  # sizes precede the data, for readers in one pass


def test_what_numpy_writes_with_the_same_names_is_read(net, tmp_path):
    text = json.dumps(described(net)).encode()
    arrays = {f"weights_{l}": w for l, w in enumerate(net.weights)}
    arrays |= {f"biases_{l}": np.ascontiguousarray(b) for l, b in enumerate(net.biases)}
    arrays["weights_1"] = np.asfortranarray(arrays["weights_1"])
    np.savez(tmp_path / "net.npz", fastnet=np.array(text), **arrays)
    same(fastnet.load(tmp_path / "net.npz"), net)


def test_what_the_library_writes_with_the_same_names_is_read(net, tmp_path):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    from safetensors.numpy import save_file

    arrays = {f"weights_{l}": np.ascontiguousarray(w) for l, w in enumerate(net.weights)}
    arrays |= {f"biases_{l}": np.ascontiguousarray(b) for l, b in enumerate(net.biases)}
    metadata = {"fastnet": json.dumps(described(net)), "note": "of the user"}
    save_file(arrays, tmp_path / "net.safetensors", metadata)
    same(fastnet.load(tmp_path / "net.safetensors"), net)


# ---- versions and kinds


def respoken(path, net, **changed):
    """The file of a network, with other fields in its description."""
    fields = {**network_fields.of(net._model), **changed}
    fields = {key: value for key, value in fields.items() if value is not ...}
    arrays = {f"weights_{l}": w for l, w in enumerate(net.weights)}
    arrays |= {f"biases_{l}": b for l, b in enumerate(net.biases)}
    if path.suffix == ".json":
        lists = {name: [a.tolist() for a in getattr(net, name)] for name in ("weights", "biases")}
        path.write_text(json.dumps({**fields, **lists}))
    elif path.suffix == ".npz":
        npz.write(path, arrays, fields)
    else:
        from safetensors.numpy import save_file

        arrays = {name: np.ascontiguousarray(a) for name, a in arrays.items()}
        save_file(arrays, path, {"fastnet": json.dumps(fields)})


def test_a_newer_version_of_the_format_is_one_clear_error(path):
    respoken(path, Network([3, 2], seed=1), format_version=2, fastnet_version="7.1")
    with pytest.raises(ValueError, match=r"net\..*: format_version: ") as caught:
        fastnet.load(path)
    assert str(caught.value).endswith(
        f"format_version: expected at most 1, which fastnet {fastnet.__version__} reads, found 2, "
        f"written by fastnet '7.1'"
    )


@pytest.mark.parametrize("version", [-1, 1.0, "1", True, None, [], 10**30])
def test_a_version_that_is_none_is_refused(path, version):
    respoken(path, Network([3, 2], seed=1), format_version=version)
    with pytest.raises(ValueError, match=r"net\..*: format_version: expected .* found "):
        fastnet.load(path)


@pytest.mark.parametrize("kind", ["checkpoint", "Network", "", None, 1, ["network"]])
def test_a_file_of_another_kind_is_refused_by_name(path, kind):
    respoken(path, Network([3, 2], seed=1), kind=kind)
    with pytest.raises(ValueError, match=r"net\..*: kind: expected 'network', found ") as caught:
        fastnet.load(path)
    hint = ", which a training with resume=True reads" if kind == "checkpoint" else ""
    assert str(caught.value).endswith(f"found {kind!r}{hint}")


def test_a_program_without_the_metadata_of_the_package_saves_and_loads(path, monkeypatch):
    """As packed programs are."""

    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    net = Network([3, 2], seed=1)
    net.save(path)
    same(fastnet.load(path), net)
    assert b"unknown" in path.read_bytes()
    assert fastnet.__version__ == "unknown"
    checkpoint = path.with_name("run.npz")
    for epochs in (1, 2):
        net.SGD(
            ([[0.0] * 3] * 2, [0, 1]), epochs, 1, 0.5, verbose=False, checkpoint=checkpoint,
            resume=epochs == 2,
        )  # fmt: skip
    assert b"unknown" in checkpoint.read_bytes()


def test_further_keys_of_a_description_are_passed_over(path):
    net = Network([3, 2], seed=1)
    respoken(path, net, comment="made by hand", fastnet_version=...)
    same(fastnet.load(path), net)


# ---- names of files


CALLS = {
    "net.onnx": r"net\.to_onnx\(filename\) writes ONNX",
    "net.pt": r"torch\.save\(net\.to_torch\(\), filename\)",
    "a.b.PTH": r"torch\.save\(net\.to_torch\(\), filename\)",
    "net.pkl": r"pickle\.dump\(net, file\)",
    "net.pickle": r"pickle\.dump\(net, file\)",
    "net.joblib": r"joblib\.dump\(net, filename\)",
    "net.c": r"net\.to_c\(filename\)",
    "net.h": r"net\.to_c\(filename\)",
}


@pytest.mark.parametrize("name", CALLS)
def test_a_suffix_of_another_format_is_refused_with_the_call_that_writes_it(tmp_path, name):
    with pytest.raises(ValueError, match=rf"filename: expected .*; {CALLS[name]}.*; got one that"):
        Network([2, 1]).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["net.h5", "net.keras", "net.hdf5", "net.zip", "net.csv"])
def test_a_suffix_that_no_call_writes_is_refused_without_one(tmp_path, name):
    with pytest.raises(ValueError, match=r"net\.safetensors; got one that ends in \.\w+$"):
        Network([2, 1]).save(tmp_path / name)


# ---- a missing library


@pytest.fixture
def without_safetensors(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "safetensors"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "safetensors", None)


MISSING = r'to be installed: pip install "safetensors>=0\.4"$'


def test_a_missing_library_is_named_with_the_line_that_installs_it(tmp_path, without_safetensors):
    net = Network([2, 1], seed=1)
    with pytest.raises(ImportError, match=MISSING):
        net.save(tmp_path / "net.safetensors")
    assert list(tmp_path.iterdir()) == []
    kept = pathlib.Path(__file__).parent / "data" / "files" / "1_named.safetensors"
    with pytest.raises(ImportError, match=MISSING):
        fastnet.load(kept)
    for suffix in (".npz", ".json"):  # which need no library
        net.save(tmp_path / f"net{suffix}")
        same(fastnet.load(tmp_path / f"net{suffix}"), net)


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """A CSV file in the current folder."""
    monkeypatch.chdir(tmp_path)
    lines = [f"{x},{2 * x}" for x in range(40)]
    (tmp_path / "rows.csv").write_text("\n".join(["x,y", *lines]))
    return tmp_path


def test_a_missing_library_ends_a_command_before_it_trains(rows, without_safetensors, capsys):
    with pytest.raises(SystemExit):
        main(["train", "rows.csv", "--save", "net.safetensors"])
    shown = capsys.readouterr()
    assert 'pip install "safetensors>=0.4"' in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("name", ["nowhere/net.npz", "nowhere/net.safetensors", "net.onnx"])
def test_a_file_that_cannot_be_written_ends_a_command_before_it_trains(rows, capsys, name):
    with pytest.raises(SystemExit):
        main(["train", "rows.csv", "--save", name])
    shown = capsys.readouterr()
    assert "error: --save: expected a " in shown.err
    assert shown.out == ""
    assert [entry.name for entry in rows.iterdir()] == ["rows.csv"]


# ---- the command line


def test_the_commands_take_files_of_each_format(rows, suffix, capsys):
    file = f"net{suffix}"
    assert main(["train", "rows.csv", "--epochs", "3", "--seed", "1", "--save", file]) == 0
    assert f"Saved to {file}" in capsys.readouterr().out
    assert main(["predict", file, "rows.csv"]) == 0
    predicted = capsys.readouterr().out.split()
    net = fastnet.load(file)
    assert predicted == [*map(str, net.feedforward("rows.csv").ravel())]
    assert main(["evaluate", file, "rows.csv"]) == 0
    assert capsys.readouterr().out.startswith("40 examples: ")


def test_the_page_takes_files_of_each_format(rows, suffix, capsys):
    Network([784, 5, 10], seed=1).save(f"net{suffix}")
    assert main(["demo", "--html", "page.html", "--model", f"net{suffix}"]) == 0
    assert (rows / "page.html").stat().st_size > 10_000


# ---- all or nothing


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="this system has no /dev/fd")
def test_a_file_that_is_replaced_while_it_is_read_gives_the_first_network(path):
    first = Network([3, 2], seed=1)
    first.save(path)
    with open(path, "rb") as file:
        Network([3, 4, 2], seed=2).save(path)
        found = persistence.read(file)
    assert [w.tolist() for w in found.parameters.arrays("weights")] == [first.weights[0].tolist()]


@pytest.mark.parametrize("failing", ["replace", "fsync"])
def test_a_failure_while_writing_leaves_the_old_file_and_no_other(path, monkeypatch, failing):
    Network([3, 2], seed=1).save(path)
    before = path.read_bytes()

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(OSError, match="No space"):
        Network([3, 4, 2], seed=2).save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


SAVE_UNTIL_KILLED = """
import os, signal, sys
import fastnet
from fastnet.core import files

def stopped(path, chunks, write=files.write):
    def some():
        for i, chunk in enumerate(chunks):
            if i == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
            yield chunk
    write(path, some())

files.write = stopped
fastnet.Network([300, 200, 2], seed=2).save(sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is one of POSIX")
@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_a_process_that_is_killed_while_it_writes_leaves_the_old_file(path, pieces):
    net = Network([3, 2], seed=1)
    net.save(path)
    command = [sys.executable, "-P", "-c", SAVE_UNTIL_KILLED, str(path), str(pieces)]
    assert subprocess.run(command, timeout=60).returncode == -9
    same(fastnet.load(path), net)
    assert len([*path.parent.iterdir()]) == 2
    net.save(path)  # removes what was left behind
    assert os.listdir(path.parent) == [path.name]


def test_a_network_that_is_not_finite_is_not_saved(path):
    net = Network([3, 2])
    net.weights[0][1, 1] = np.nan
    with pytest.raises(ValueError, match="weights, biases: expected finite numbers"):
        net.save(path)
    assert os.listdir(path.parent) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_written_to_and_not_read(tmp_path, suffix):
    fifo = tmp_path / f"pipe{suffix}"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    net = Network([3, 2], seed=2)
    net.save(fifo)
    (tmp_path / "copy").write_bytes(os.read(reader, 100_000))
    os.close(reader)
    same(fastnet.load(tmp_path / "copy"), net)
    with pytest.raises(ValueError, match="expected a regular file, found a pipe"):
        fastnet.load(fifo)


# ---- memory


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize(
    "sizes", [[784, 1024, 1024, 10], [1024, 1024], [500_000, 1], [1, 500_000], [100_000, 20]]
)
def test_saving_and_loading_take_at_most_twice_the_memory_of_the_parameters(
    tmp_path, sizes, suffix
):
    """The parameters of the network, which it pads to whole cache lines, and once more."""
    if suffix == ".safetensors":
        pytest.importorskip("safetensors", reason="safetensors is not installed")
    net = Network(sizes, seed=1)
    file = tmp_path / f"net{suffix}"
    Network([2, 1], seed=1).save(file)  # what is imported at the first call
    fastnet.load(file)
    parameters = net._model.values.nbytes
    some = 50_000  # beside arrays: headers, descriptions, objects of Python

    def peak(call):
        tracemalloc.start()
        kept = call()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most, kept

    beside, _ = peak(lambda: net.save(file))
    assert parameters + beside <= 2 * parameters + some
    total, loaded = peak(lambda: fastnet.load(file))
    assert total >= 0.9 * parameters  # it is measured
    assert total <= 2 * parameters + some
    same(loaded, net)


LOAD_AND_MEASURE = """
import sys
import fastnet

def resident(name):
    with open("/proc/self/status") as file:
        return 1024 * next(int(line.split()[1]) for line in file if line.startswith(name))

fastnet.load(sys.argv[1])  # imports what the format needs
before = resident("VmRSS")
net = fastnet.load(sys.argv[2])
print((resident("VmHWM") - before) / sum(a.nbytes for a in [*net.weights, *net.biases]))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the system has no /proc")
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_the_memory_of_a_process_grows_by_at_most_twice_the_parameters(tmp_path, suffix):
    """Also what libraries and maps of files take."""
    if suffix == ".safetensors":
        pytest.importorskip("safetensors", reason="safetensors is not installed")
    Network([3, 2], seed=1).save(tmp_path / f"small{suffix}")
    Network([4000, 2000], seed=1).save(tmp_path / f"large{suffix}")
    files = [str(tmp_path / f"{size}{suffix}") for size in ("small", "large")]
    command = [sys.executable, "-P", "-c", LOAD_AND_MEASURE, *files]
    grown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert 0.9 < float(grown) <= 2
