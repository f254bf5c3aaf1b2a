"""Files that are damaged, wrong or made to harm: one clear error, and no more memory than a few
times their size (tests/hostile_files.py)."""

import builtins
import io
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from hostile_files import ARRAYS, FILES, MAKERS, SIZES, archive, member, npy

import fastnet
from fastnet.cli import own_files
from fastnet.io import npz


@pytest.fixture(autouse=True)
def safetensors(request):
    """For the files that only the library reads."""
    parameters = getattr(request.node, "callspec", None)
    if parameters is not None and parameters.params.get("suffix") == ".safetensors":
        pytest.importorskip("safetensors", reason="safetensors is not installed")


def of(files):
    return pytest.mark.parametrize(
        ("suffix", "name", "content", "word"), files, ids=[f"{s}: {n[:60]}" for s, n, *_ in files]
    )


@of([file for file in FILES if file[3] is None])
def test_the_files_are_right_but_for_their_fault(tmp_path, suffix, name, content, word):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    net = loader(suffix)(path)
    assert net.sizes == SIZES
    for l in (0, 1):
        np.testing.assert_array_equal(net.weights[l], ARRAYS[f"weights_{l}"], strict=True)
        np.testing.assert_array_equal(net.biases[l], ARRAYS[f"biases_{l}"], strict=True)


def loader(suffix):
    """The function that reads files of this suffix."""
    return fastnet.Network.from_onnx if suffix == ".onnx" else fastnet.load


def error_of(path, load=fastnet.load):
    with pytest.raises(ValueError, match=r"expected|allowed") as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) < 600 + len(str(path))
    return message.removeprefix(f"{path}: ")


@of([file for file in FILES if file[3] is not None])
def test_a_wrong_file_is_one_clear_error_within_its_size(tmp_path, suffix, name, content, word):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    before = {*sys.modules}
    error_of(path, loader(suffix))  # imports what the format needs
    tracemalloc.start()
    message = error_of(path, loader(suffix))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert word in message
    assert peak < 300_000 + 60 * len(content)
    assert not hasattr(builtins, "harmed")
    assert "this" not in {*sys.modules} - before


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".json"])
def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path, suffix):
    content = next(content for name, content, _ in MAKERS[suffix]() if name == "good")
    path = tmp_path / f"net{suffix}"
    for length in range(0, len(content), 5):
        path.write_bytes(content[:length])
        error_of(path)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".json"])
def test_a_file_under_the_name_of_another_format_is_read_by_its_content(tmp_path, suffix):
    content = next(content for name, content, _ in MAKERS[suffix]() if name == "good")
    for name in ("net.json", "net.npz", "net.safetensors", "net.onnx", "net.pkl", "net"):
        (tmp_path / name).write_bytes(content)
        assert fastnet.load(tmp_path / name).sizes == SIZES


@of([file for file in FILES if file[0] == ".npz" and file[1] in ("zip bomb", "pickled objects")])
def test_arrays_are_read_as_strictly_as_networks(tmp_path, suffix, name, content, word):
    path = tmp_path / "run.npz"
    path.write_bytes(content)
    error_of(path, npz.read)
    assert not hasattr(builtins, "harmed")


def test_a_flipped_byte_of_npz_is_noticed_or_has_no_effect(tmp_path):
    """The checksums cover all arrays, and the description."""
    content = next(content for name, content, _ in MAKERS[".npz"]() if name == "good")
    path = tmp_path / "net.npz"
    path.write_bytes(content)
    net, accepted = fastnet.load(path), 0
    for place in range(0, len(content), 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        loaded = loaded_or_refused(path)
        if loaded is not None:
            accepted += 1
            assert loaded == net
    assert 0 < accepted < len(content) / 12  # dates, modes and local sizes have no effect


def loaded_or_refused(path):
    """The network, or None after an error that names the file."""
    try:
        return fastnet.load(path)
    except ValueError as error:
        if not str(error).startswith(f"{path}: "):
            raise
        return None


# ---- arrays as data of the command line


def compressed(*, size):
    """An array of a million zeros, compressed, whose directory says another size."""
    name = b"X.npy"
    path = io.BytesIO()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("X.npy", npy(np.zeros((1000, 1000))))
    content = bytearray(path.getvalue())
    entry = content.rindex(b"PK\x01\x02")
    assert content[entry + 46 : entry + 46 + len(name)] == name
    content[entry + 24 : entry + 28] = size.to_bytes(4, "little")
    return bytes(content)


WRONG_DATA = {
    "huge.npy": npy(shape="(1000000000000, 4)"),
    "beyond 64 bits.npy": npy(shape=f"({2**62}, {2**62})"),
    "cut off.npy": npy(np.eye(100))[:-8],
    "signs.npy": npy(header="-" * 9000),
    "long.npy": npy(header=" " * 60_000),
    "huge.npz": archive([member("X.npy", npy(shape="(1000000000000, 4)"))]),
    "cut off.npz": archive([member("X.npy", npy(np.eye(100))[:-8])]),
    "other.npz": archive([member("X.npy", npy(np.eye(3))), member("z.npy", b"no array")]),
    "compressed to nothing.npz": compressed(size=2**31),
}


@pytest.mark.parametrize("name", WRONG_DATA)
def test_data_of_numpy_are_read_within_the_size_of_the_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(WRONG_DATA[name])
    tracemalloc.start()
    with pytest.raises(ValueError, match=rf"^DATA: {name}: .*expected .*, found "):
        own_files.read_arrays("DATA", [name], with_targets=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000 + 3 * len(WRONG_DATA[name])


def test_compressed_data_of_numpy_are_read(tmp_path):
    np.savez_compressed(tmp_path / "data.npz", X=np.zeros((1000, 300)), y=np.zeros(1000))
    found = own_files.read_arrays("DATA", [str(tmp_path / "data.npz")], with_targets=True)
    assert (found.X.shape, found.y.shape) == ((1000, 300), (1000,))
