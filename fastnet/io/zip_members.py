"""Reads the members of uncompressed zip archives, and writes archives piece by piece.

``members`` does not trust the archive: it compares each number with the size of the file before
using it, so that reading takes no more memory than the file has bytes. The standard
library's ``zipfile`` writes the sizes after the data if the file cannot be rewound. Readers such as
cnpy do not support that; here the sizes precede the data, as in files of ``numpy.savez``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from fastnet.core import checks

# The records of the format (APPNOTE.TXT of PKWARE), little-endian, each with its signature.
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64 = struct.Struct("<4sIQI")
_LOCAL_SIGNATURE, _CENTRAL_SIGNATURE = b"PK\x03\x04", b"PK\x01\x02"
_END_SIGNATURE, _END_64_SIGNATURE, _LOCATOR_SIGNATURE = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"

SIGNATURES = (_LOCAL_SIGNATURE, _END_SIGNATURE)  # at the beginning of a file

# Numbers of LIMIT or more are stored in extra fields of 64 bits; their own fields are then _WIDE.
LIMIT = _WIDE = 0xFFFFFFFF
_MOST_MEMBERS = 0xFFFF
_ENCRYPTED, _UTF_8 = 0x1, 0x800
_1980 = 0x21  # 1 January 1980 as every member's date, so that equal arrays give equal files


class Member(NamedTuple):
    """A member of an archive: ``size`` bytes from ``start`` of the file, with the checksum
    ``crc``."""

    name: str
    start: int
    size: int
    crc: int


# ---- reading


def members(file: BinaryIO, size: int) -> list[Member]:
    """The members of the archive in a file of ``size`` bytes, in the order of the directory.

    Raises
    ------
    ValueError
        If the archive is damaged, and for compressed, encrypted, overlapping and duplicate members;
        the message says what was expected and found.
    """
    first, length, count = _directory(file, size)
    file.seek(first)
    directory = file.read(length)
    if len(directory) != length:
        raise ValueError("expected an archive that nobody changes, found a shorter file")
    found = [*_entries(directory, count, first)]
    names: set[str] = set()
    for name, *_ in found:
        if name in names:
            raise ValueError(f"expected different names, found {checks.short_repr(name)} twice")
        names.add(name)
    ends = {}
    following = first
    for _, offset, _, _ in sorted(found, key=lambda entry: -entry[1]):
        ends[offset], following = following, offset
    if len(ends) < len(found):
        raise ValueError("expected members one after the other, found some that overlap")
    return [_located(file, entry, ends[entry[1]]) for entry in found]


def _directory(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Where the directory begins, its length and the number of its entries."""
    end = size - _END.size
    record = _record(file, end, _END, _END_SIGNATURE)
    if record is None:
        raise ValueError("expected the end of a zip archive, found none: is the file cut off?")
    _, disk, _, _, count, length, first, comment = record
    locator = _record(file, end - _LOCATOR_64.size, _LOCATOR_64, _LOCATOR_SIGNATURE)
    if locator is not None:
        record, end = None, size - _END.size - _LOCATOR_64.size - _END_64.size
        if locator[2] == end:
            record = _record(file, end, _END_64, _END_64_SIGNATURE)
        if record is None:
            raise ValueError("expected the end of a zip archive of 64 bits, found other bytes")
        *_, disk, _, _, count, length, first = record
    if disk or comment or first + length != end or count * _CENTRAL.size > length:
        raise ValueError(
            f"expected a directory of {count} members in bytes {first} to {first + length}, found "
            f"{end - first} bytes there"
        )
    return first, length, count


def _record(
    file: BinaryIO, place: int, layout: struct.Struct, signature: bytes
) -> tuple[int, ...] | None:
    """The fields of the record at this place, or None if there is none."""
    if place < 0:
        return None
    file.seek(place)
    read = file.read(layout.size)
    if len(read) < layout.size or not read.startswith(signature):
        return None
    return layout.unpack(read)


def _entries(directory: bytes, count: int, first: int) -> Iterator[tuple[str, int, int, int]]:
    """(name, offset, size, crc) of each entry."""
    place = 0
    for _ in range(count):
        if place + _CENTRAL.size > len(directory):
            raise ValueError(f"expected {count} members, found a directory that ends before")
        fields = _CENTRAL.unpack_from(directory, place)
        signature, _, _, flags, method, _, _, crc, packed, size, n, extra, comment = fields[:13]
        offset = fields[-1]
        if signature != _CENTRAL_SIGNATURE:
            raise ValueError("expected a directory of members, found other bytes")
        place += _CENTRAL.size
        name = _name(directory[place : place + n])
        extras = directory[place + n : place + n + extra]
        place += n + extra + comment
        size, packed, offset = _wide(extras, (size, packed, offset))
        if method or flags & _ENCRYPTED or packed != size:
            what = "an encrypted" if flags & _ENCRYPTED else "a compressed"
            raise ValueError(
                f"{shown(name)}: expected a member as numpy.savez writes it, found {what} one"
            )
        if offset + _LOCAL.size + n + size > first:
            raise ValueError(f"{shown(name)}: expected {size} bytes, found fewer in the file")
        yield name, offset, size, crc
    if place != len(directory):
        raise ValueError(f"expected {count} members, found {len(directory) - place} more bytes")


def _name(encoded: bytes) -> str:
    try:
        return encoded.decode()
    except UnicodeDecodeError:
        raise ValueError(f"expected names in UTF-8, found {checks.short_repr(encoded)}") from None


def shown(name: str) -> str:
    """A member's name for an error message: quoted and shortened if long or not printable."""
    return name if len(name) <= 60 and name.isprintable() else checks.short_repr(name)


def _wide(extras: bytes, numbers: tuple[int, ...]) -> list[int]:
    """The numbers of an entry; those that are ``_WIDE`` are replaced by those in the extra field
    for 64 bits."""
    place = 0
    while place + 4 <= len(extras):
        kind, length = struct.unpack_from("<HH", extras, place)
        place += 4
        if kind == 1:
            field = extras[place : place + length]
            wide = [int.from_bytes(field[i : i + 8], "little") for i in range(0, length, 8)]
            return [wide.pop(0) if n == _WIDE and wide else n for n in numbers]
        place += length
    return [*numbers]


def _located(file: BinaryIO, entry: tuple[str, int, int, int], end: int) -> Member:
    """The member that an entry of the directory describes; its bytes must end before ``end``."""
    name, offset, size, crc = entry
    record = _record(file, offset, _LOCAL, _LOCAL_SIGNATURE)
    if record is None:
        raise ValueError(f"{shown(name)}: expected the head of a member, found other bytes")
    n, extra = record[-2:]
    start = offset + _LOCAL.size + n + extra
    if file.read(n) != name.encode():
        raise ValueError(f"{shown(name)}: expected a member of this name, found another name")
    if start + size > end:
        raise ValueError(
            f"{shown(name)}: expected {size} bytes, found fewer before the next member"
        )
    return Member(name, start, size, crc)


# ---- writing


def archive(
    contents: Iterable[tuple[str, list[bytes | memoryview]]],
) -> Iterator[bytes | memoryview]:
    """The bytes of an archive of these members, (name, pieces), piece by piece. The pieces of one
    member are in memory at the same time."""
    place, directory, count = 0, bytearray(), 0
    for name, pieces in contents:
        encoded = name.encode()
        size, crc = sum(map(len, pieces)), 0
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
        extra = b"" if size < LIMIT else struct.pack("<HHQQ", 1, 16, size, size)
        short = _short(size)
        version = 45 if size >= LIMIT or place >= LIMIT else 20
        common = (version, _UTF_8, 0, 0, _1980, crc, short, short, len(encoded))
        yield _LOCAL.pack(_LOCAL_SIGNATURE, *common, len(extra)) + encoded + extra
        yield from pieces
        directory += _central(encoded, common, size, place)
        place += _LOCAL.size + len(encoded) + len(extra) + size
        count += 1
    yield bytes(directory)
    yield _end(count, len(directory), place)


def _central(encoded: bytes, common: tuple[int, ...], size: int, place: int) -> bytes:
    """The entry of the directory for a member whose head is at ``place``."""
    wide = [n for n in (size, size, place) if n >= LIMIT]
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    mode = 0o600 << 16
    fields = (*common, len(extra), 0, 0, 0, mode, _short(place))
    return _CENTRAL.pack(_CENTRAL_SIGNATURE, common[0], *fields) + encoded + extra


def _end(count: int, length: int, first: int) -> bytes:
    """The records after a directory of ``length`` bytes at ``first``."""
    wide = b""
    if count >= _MOST_MEMBERS or length >= LIMIT or first >= LIMIT:
        large = (count, count, length, first)
        wide = _END_64.pack(_END_64_SIGNATURE, _END_64.size - 12, 45, 45, 0, 0, *large)
        wide += _LOCATOR_64.pack(_LOCATOR_SIGNATURE, 0, first + length, 1)
    few = min(count, _MOST_MEMBERS)
    sizes = (few, few, _short(length), _short(first))
    return wide + _END.pack(_END_SIGNATURE, 0, 0, *sizes, 0)


def _short(number: int) -> int:
    """The content of a field of 32 bits: the number, or ``_WIDE`` if it is too large."""
    return number if number < LIMIT else _WIDE
