"""Arrays with a description in .npz files (fastnet/io/npz.py)."""

import zipfile

import numpy as np
import pytest

from fastnet.io import npz, zip_members

ARRAYS = {
    "reals": np.arange(12.0).reshape(3, 4) / 7,
    "other order": np.arange(12, dtype=np.int16).reshape(3, 4).T,
    "every second": np.arange(10.0)[::2],
    "number": np.array(3.5, np.float32),
    "none": np.empty((0, 4)),
    "texts": np.array(["x", "yé"]),
    "bytes": np.array([b"a", b"bc"]),
    "truth": np.array([True, False]),
    "other bytes": np.arange(3, dtype=">i4"),
    "a/name with.dots": np.arange(2, dtype=np.uint64),
}


def test_arrays_of_all_kinds_come_back(tmp_path):
    npz.write(tmp_path / "a.npz", ARRAYS, {"kind": "test", "numbers": [1.5, None]})
    arrays, meta = npz.read(tmp_path / "a.npz")
    assert meta == {"kind": "test", "numbers": [1.5, None]}
    assert [*arrays] == [*ARRAYS]
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(arrays[name], array)
            assert arrays[name].shape == array.shape == file[name].shape
            assert arrays[name].dtype == array.dtype.newbyteorder("=")
            assert file[name].dtype == array.dtype
    with npz.opened(tmp_path / "a.npz") as archive:
        for name, array in ARRAYS.items():
            out = np.empty(array.shape, array.dtype)
            archive.read_into(name, out)
            np.testing.assert_array_equal(out, array, strict=True)


def test_arrays_that_numpy_wrote_come_back_in_either_order(tmp_path):
    arrays = {name: a if a.ndim < 2 else np.asfortranarray(a) for name, a in ARRAYS.items()}
    np.savez(tmp_path / "a.npz", fastnet=np.array(b"{}"), **arrays)
    found, meta = npz.read(tmp_path / "a.npz")
    assert meta == {}
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)


def test_archives_beyond_four_gigabytes_have_fields_of_64_bits(tmp_path, monkeypatch):
    """With a limit of a thousand bytes in place of 4 GiB."""
    monkeypatch.setattr(zip_members, "LIMIT", 1000)
    large = {"large": np.arange(1000.0), "small": np.arange(3), "last": np.arange(500)}
    npz.write(tmp_path / "a.npz", large, {})
    with zipfile.ZipFile(tmp_path / "a.npz") as file:
        assert file.testzip() is None
        assert file.getinfo("large.npy").extract_version == 45
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["last"], large["last"])
    arrays, _ = npz.read(tmp_path / "a.npz")
    for name, array in large.items():
        np.testing.assert_array_equal(arrays[name], array, strict=True)


@pytest.mark.parametrize(
    ("array", "name"),
    [(np.array([None]), "a"), (np.zeros(3), "fastnet"), (np.zeros(2, "f4,i4"), "a"),
     (np.zeros(2, "M8[s]"), "a"), (np.zeros(2, complex), "a"), (np.zeros(2, "V3"), "a")],
)  # fmt: skip
def test_what_is_no_plain_array_is_not_written(tmp_path, array, name):
    with pytest.raises(ValueError, match=f"^{name}: expected an array of numbers or strings"):
        npz.write(tmp_path / "a.npz", {name: array}, {})
    with pytest.raises(ValueError, match="JSON"):
        npz.write(tmp_path / "a.npz", {}, {"x": np.nan})
    assert list(tmp_path.iterdir()) == []
