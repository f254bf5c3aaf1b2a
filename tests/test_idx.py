"""read_idx and write_idx."""

import gzip
import os
import tracemalloc
import zlib

import numpy as np
import pytest
from idx_files import TYPES, idx

import fastnet
from fastnet import read_idx, write_idx


def numbers(dtype, shape):
    if np.dtype(dtype).kind == "f":
        return np.random.default_rng(1).normal(size=shape).astype(dtype)
    info = np.iinfo(dtype)
    return np.random.default_rng(1).integers(info.min, info.max, shape, dtype, endpoint=True)


IMAGES = idx(numbers("u1", (5, 4, 3)))


def written(tmp_path, content, name="data"):
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


# ---- what is read


@pytest.mark.parametrize("dtype", TYPES.values())
@pytest.mark.parametrize("shape", [(7,), (4, 3), (5, 4, 3), (2, 3, 4, 5), (1,) * 7])
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gz"])
def test_every_type_and_number_of_dimensions_is_read_plain_and_compressed(
    tmp_path, dtype, shape, compress
):
    array = numbers(dtype, shape)
    read = read_idx(written(tmp_path, compress(idx(array))))
    assert read.shape == shape
    assert read.dtype == np.dtype(dtype)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


def test_compression_is_seen_from_the_content_and_not_from_the_name(tmp_path):
    expected = numbers("u1", (5, 4, 3))
    for name, content in (("a.gz", IMAGES), ("b", gzip.compress(IMAGES))):
        np.testing.assert_array_equal(read_idx(written(tmp_path, content, name)), expected)


def test_the_path_may_be_text(tmp_path):
    assert read_idx(str(written(tmp_path, IMAGES))).shape == (5, 4, 3)


def test_a_gzip_file_of_several_parts_is_one_file(tmp_path):
    content = gzip.compress(IMAGES[:30]) + gzip.compress(IMAGES[30:])
    assert read_idx(written(tmp_path, content)).shape == (5, 4, 3)


@pytest.mark.parametrize("dtype", TYPES.values())
def test_what_is_read_is_read_only_whatever_its_type(tmp_path, dtype):
    read = read_idx(written(tmp_path, idx(numbers(dtype, (3,)))))
    assert not read.flags.writeable


@pytest.mark.parametrize("shape", [(0,), (0, 28, 28), (5, 0), (3, 0, 2)])
def test_a_dimension_may_be_zero(tmp_path, shape):
    assert read_idx(written(tmp_path, idx(np.zeros(shape, "u1")))).shape == shape


# ---- what is refused


def refused(tmp_path, content, *words):
    path = written(tmp_path, content, "bad-file")
    with pytest.raises(ValueError, match="bad-file: expected") as caught:
        read_idx(path)
    for word in ("found", *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gz"])
def test_a_file_that_ends_early_is_refused_wherever_it_ends(tmp_path, compress):
    for length in range(len(IMAGES)):
        refused(tmp_path, compress(IMAGES[:length]))


def test_a_truncated_or_too_long_file_says_how_many_bytes_were_expected_and_found(tmp_path):
    refused(tmp_path, IMAGES[:-1], "60 bytes", "(5, 4, 3)", "59")
    refused(tmp_path, IMAGES + b"\0", "60 bytes", "(5, 4, 3)", "61")
    refused(tmp_path, gzip.compress(IMAGES + b"\0" * 40), "60 bytes", "found more")
    refused(tmp_path, gzip.compress(IMAGES[:-1]), "60 bytes", "59")
    refused(tmp_path, idx(numbers("f8", (3,)))[:-8], "24 bytes", "16")


def test_a_type_that_idx_does_not_have_is_refused(tmp_path):
    for code in set(range(256)) - set(TYPES):
        refused(tmp_path, idx(np.zeros(3, "u1"), code=code), f"{code:02X}")


def test_a_type_that_does_not_fit_the_length_is_refused(tmp_path):
    refused(tmp_path, idx(np.zeros(6, "u1"), code=0x0D), "24 bytes", "6")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"\0\0\x08", b"PK\3\4 a zip", b"\x93NUMPY\1\0", b"\0\1\x08\1\0\0\0\0", b"y,x\n"],
)
def test_a_file_that_is_no_idx_file_is_refused(tmp_path, content):
    refused(tmp_path, content, "IDX", repr(content[:4]))


def test_a_file_without_dimensions_is_refused(tmp_path):
    refused(tmp_path, b"\0\0\x08\0" + b"\7", "dimensions")


@pytest.mark.parametrize("shape", [(2**32 - 1,), (2**32 - 1,) * 3, (60_000, 28, 28)])
def test_enormous_sizes_in_a_small_file_are_refused_before_anything_is_allocated(tmp_path, shape):
    content = idx(np.zeros(5, "u1"), code=0x0E, shape=shape)
    tracemalloc.start()
    refused(tmp_path, content, str(shape), "5")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("shape", [(1,) * 65, (1,) * 255, (0, *(2**32 - 1,) * 3)])
def test_dimensions_that_no_array_can_have_are_refused(tmp_path, shape):
    refused(tmp_path, idx(np.zeros(0 if 0 in shape else 1, "u1"), shape=shape))


def test_a_gzip_file_that_ends_early_is_refused(tmp_path):
    whole = gzip.compress(IMAGES)
    for length in range(2, len(whole)):
        refused(tmp_path, whole[:length], "gzip")


def test_a_gzip_file_with_any_byte_damaged_is_refused_or_reads_the_same(tmp_path):
    whole = gzip.compress(IMAGES, mtime=0)
    expected, messages = numbers("u1", (5, 4, 3)), []
    for place in range(2, len(whole)):
        content = bytearray(whole)
        content[place] ^= 0x55
        path = written(tmp_path, bytes(content))
        try:
            read = read_idx(path)  # the date and the system, say, are of no consequence
        except ValueError as error:
            messages.append(str(error))
        else:
            np.testing.assert_array_equal(read, expected)
    assert len(messages) > len(whole) - 20
    assert all("data: expected" in message for message in messages)


def test_rubbish_behind_a_gzip_file_is_refused(tmp_path):
    refused(tmp_path, gzip.compress(IMAGES) + b"rubbish", "gzip")


def test_a_file_that_cannot_be_read_raises_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing-here"):
        read_idx(tmp_path / "nothing-here")
    with pytest.raises(OSError, match=tmp_path.name):
        read_idx(tmp_path)


class CountedInflate:
    """Counts the bytes that zlib gives out, as its decompression objects."""

    total = 0
    make = staticmethod(zlib.decompressobj)

    def __init__(self, *options):
        self.object = self.make(*options)

    def decompress(self, *arguments):
        found = self.object.decompress(*arguments)
        CountedInflate.total += len(found)
        return found

    def __getattr__(self, name):
        return getattr(self.object, name)


@pytest.mark.parametrize("parts", [1, 3])
def test_a_gzip_file_is_never_inflated_beyond_the_declared_size_and_one_byte(
    tmp_path, monkeypatch, parts
):
    rest = b"".join(gzip.compress(bytes(10_000_000)) for _ in range(parts))
    whole = (
        gzip.compress(IMAGES + bytes(10_000_000)) if parts == 1 else gzip.compress(IMAGES) + rest
    )
    path = written(tmp_path, whole, "bad-file")
    monkeypatch.setattr(CountedInflate, "total", 0)
    monkeypatch.setattr(zlib, "decompressobj", CountedInflate)
    tracemalloc.start()
    refused(tmp_path, whole, "60 bytes", "more")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert CountedInflate.total == len(IMAGES) + 1
    assert peak < 1_000_000
    assert path.exists()


def test_a_gzip_file_that_declares_more_than_it_can_hold_takes_no_memory(tmp_path):
    content = gzip.compress(idx(np.zeros(5, "u1"), shape=(2**10, 2**30)))
    tracemalloc.start()
    refused(tmp_path, content, "1099511627776 bytes", f"a gzip file of {len(content)} bytes")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_memory_for_a_compressed_array_is_enlarged_as_bytes_arrive(tmp_path, monkeypatch):
    monkeypatch.setattr("fastnet.data.idx._STEP", 1000)
    monkeypatch.setattr("fastnet.data.idx._BLOCK", 300)
    array = numbers("i4", (50, 11, 9))
    path = written(tmp_path, gzip.compress(idx(array)))
    np.testing.assert_array_equal(read_idx(path), array)
    refused(
        tmp_path, gzip.compress(idx(array)[:-2001]), f"{array.nbytes}", f"{array.nbytes - 2001}"
    )


def test_reading_holds_the_elements_once(tmp_path):
    array = numbers("f4", (1000, 500))
    for name, content in (("plain", idx(array)), ("zipped", gzip.compress(idx(array), 1))):
        path = written(tmp_path, content, name)
        tracemalloc.start()
        read = read_idx(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        np.testing.assert_array_equal(read, array)
        assert array.nbytes < peak < 1.3 * array.nbytes


def test_zeros_that_pad_a_gzip_file_are_passed_over(tmp_path):
    whole = gzip.compress(IMAGES[:30]) + bytes(100_000) + gzip.compress(IMAGES[30:]) + bytes(700)
    assert read_idx(written(tmp_path, whole)).shape == (5, 4, 3)
    parts = [gzip.compress(part) for part in (b"", IMAGES[:2], b"", IMAGES[2:9], IMAGES[9:], b"")]
    np.testing.assert_array_equal(read_idx(written(tmp_path, b"".join(parts))).ravel()[:3],
                                  numbers("u1", (5, 4, 3)).ravel()[:3])  # fmt: skip


def test_messages_about_many_dimensions_stay_short(tmp_path):
    for n in (9, 64, 255):
        path = written(tmp_path, idx(np.zeros(3, "u1"), shape=(2**32 - 1,) * n))
        with pytest.raises(ValueError, match=f"found of {n} dimensions") as caught:
            read_idx(path)
        assert len(str(caught.value)) < 200 + len(str(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("read", [read_idx, fastnet.load])
def test_pipes_and_devices_are_refused_by_name_before_they_are_opened(tmp_path, monkeypatch, read):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    opened = []
    monkeypatch.setattr("builtins.open", lambda *arguments, **options: opened.append(arguments))
    for path, kind in (
        (tmp_path / "pipe", "a pipe"),
        (tmp_path / "link", "a pipe"),
        ("/dev/zero", "a device"),
    ):
        with pytest.raises(ValueError, match=f"{path}: expected a regular file, found {kind}"):
            read(path)
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        read(tmp_path)
    assert opened == []


@pytest.mark.parametrize("read", [read_idx, lambda path: read_idx(str(path))])
def test_a_link_to_a_file_is_followed(tmp_path, read):
    (tmp_path / "link").symlink_to(written(tmp_path, IMAGES))
    assert read(tmp_path / "link").shape == (5, 4, 3)


# ---- what is written


@pytest.mark.parametrize("dtype", TYPES.values())
@pytest.mark.parametrize(
    "shape", [(1,), (7,), (4, 3), (5, 4, 3), (2, 3, 4, 5), (1,) * 7, (0,), (3, 0, 2), (300, 401)]
)
@pytest.mark.parametrize("name", ["data", "data.gz", "data.GZ"])
def test_every_type_and_shape_is_written_and_read_back(tmp_path, dtype, shape, name):
    array = numbers(dtype, shape)
    assert write_idx(tmp_path / name, array) is None
    content = (tmp_path / name).read_bytes()
    assert (gzip.decompress(content) if name != "data" else content) == idx(array)
    read = read_idx(str(tmp_path / name))
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("dtype", ["u1", ">i2", "<i4", ">f8", "f4"])
def test_any_memory_layout_and_byte_order_is_written(tmp_path, dtype):
    array = numbers(np.dtype(dtype).newbyteorder("="), (40, 30, 20)).astype(dtype)
    for view in (array.T, array[::-1, ::3, ::-2], np.asfortranarray(array), array[:, 1],
                 array[0, 0], np.broadcast_to(array[0, 0], (5, 20))):  # fmt: skip
        write_idx(tmp_path / "data", view)
        np.testing.assert_array_equal(read_idx(tmp_path / "data"), view)


def test_lists_of_numpys_numbers_and_read_only_arrays_are_written(tmp_path):
    write_idx(tmp_path / "data", [np.uint8(3), np.uint8(4)])
    write_idx(tmp_path / "again", read_idx(tmp_path / "data"))
    assert read_idx(tmp_path / "again").tolist() == [3, 4]


def test_equal_arrays_give_equal_compressed_files(tmp_path, monkeypatch):
    array = numbers("u1", (50, 28, 28))
    write_idx(tmp_path / "one.gz", array)
    monkeypatch.setattr("time.time", lambda: 5e8)
    write_idx(tmp_path / "two.gz", np.asfortranarray(array))
    content = (tmp_path / "one.gz").read_bytes()
    assert content == (tmp_path / "two.gz").read_bytes()
    assert content[4:8] == bytes(4)  # the time


@pytest.mark.parametrize(
    ("array", "kind", "words"),
    [
        (np.zeros(3, bool), TypeError, "uint8, int8, int16, int32, float32, float64; got.*bool"),
        (np.zeros(3, np.int64), TypeError, "int64"),
        (np.zeros(3, np.uint16), TypeError, "uint16"),
        (np.zeros(3, np.float16), TypeError, "float16"),
        (np.zeros(3, complex), TypeError, "complex128"),
        (np.array(["a"]), TypeError, "expected one of uint8"),
        (np.array([None]), TypeError, "expected one of uint8"),
        (np.zeros(3, [("a", "u1")]), TypeError, "expected one of uint8"),
        ([1, 2], TypeError, "int64"),
        ("text", TypeError, "expected an array"),
        (None, TypeError, "expected an array"),
        ([[1], [1, 2]], ValueError, "rows of different lengths"),
        (np.uint8(3), ValueError, "one dimension or more, got none"),
        (
            np.broadcast_to(np.uint8(0), (2, 2**32)),
            ValueError,
            r"less than 2\*\*32, got 4294967296",
        ),
        (np.ma.masked_equal(np.arange(3, dtype="u1"), 1), ValueError, "masked"),
    ],
)
def test_an_array_that_idx_cannot_hold_is_refused_and_nothing_is_written(
    tmp_path, array, kind, words
):
    with pytest.raises(kind, match=f"array: .*{words}"):
        write_idx(tmp_path / "data", array)
    with pytest.raises(TypeError, match="path: expected a str or a path, got None"):
        write_idx(None, np.zeros(3, "u1"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_left_as_it_was(tmp_path, monkeypatch):
    path = written(tmp_path, IMAGES)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_idx(path, numbers("u1", (3, 2)))
    assert path.read_bytes() == IMAGES
    assert list(tmp_path.iterdir()) == [path]


def test_writing_takes_little_memory_beside_the_array(tmp_path):
    array = numbers("f4", (1000, 500)).T
    tracemalloc.start()
    write_idx(tmp_path / "data", array)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * array.nbytes
