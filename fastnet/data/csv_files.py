"""CSV files as columns of numbers, if all fields of a column are numbers, or of texts."""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks, files

# Fields that stand for missing values.
MISSING = frozenset(["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "?"])

# Fields that are read as booleans if a column has no others.
BOOLEANS = {"true": True, "false": False, "True": True, "False": False, "TRUE": True,
            "FALSE": False}  # fmt: skip

# A number with a decimal comma.
_COMMA = re.compile(r"[-+]?\d+(,\d+)?([eE][-+]?\d+)?")

# Formats of tables that other libraries read.
_OTHERS = frozenset([".parquet", ".xlsx", ".xls", ".ods", ".feather", ".arrow", ".json", ".h5",
                     ".npz", ".npy", ".pkl", ".pickle", ".db", ".sqlite"])  # fmt: skip

_DELIMITERS = (",", ";", "\t", "|")
# The header, up to a line break that is not in a quoted field.
_HEADER = re.compile(r'(?:(?<![^,;\t|]) *"(?:[^"]++|"")*+"|[^\r\n])*+')

# Rows, and about as many fields, that are converted together: small enough for the cache.
_ROWS, _FIELDS = 4096, 1 << 17

# The fields of one column: numbers with NaN where one is missing, or texts with None there.
Column = NDArray | list[str | None]


class CSVColumns(NamedTuple):
    """The content of a CSV file.

    Attributes
    ----------
    name : str
        The file, for messages.
    columns : {str: (n,) float64 array or list of n str or None}
        By name, in the order of the file. NaN and None stand for missing values.
    lines : list of int
        The line on which each row begins, from 1.
    """

    name: str
    columns: dict[str, Column]
    lines: list[int]


def is_number(text: str) -> bool:
    """Whether ``float`` reads a field as a finite number; one with underscores is not a number.

    Examples
    --------
    >>> is_number("1e3"), is_number("1_000"), is_number("1,5"), is_number("inf")
    (True, False, False, False)
    """
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def read_csv(
    source: Any,
    texts: Collection[str] = (),
    name: str | None = None,
    is_needed: Callable[[str], bool] | None = None,
) -> CSVColumns:
    """Read a CSV file.

    The first line names the columns. Fields are separated by commas, or by semicolons, tabs or
    vertical bars, whichever the first line has most of; quoted fields may contain separators, line
    breaks and doubled quotation marks; a quotation mark that is not closed is an error. Spaces
    around fields are ignored, and so are empty lines and a byte order mark. The text is UTF-8; a
    file whose name ends in .gz is decompressed.

    If the fields are separated by semicolons, "0,5" is the number 0.5.

    Parameters
    ----------
    source : str, path or binary file
    texts : collection of str
        Columns whose fields are kept as texts even if all are numbers.
    name : str or None
        The file in messages; None: its path.
    is_needed : callable or None
        Takes the name of a column and returns whether it is needed. If it is not, several columns
        may have the name; the last one is returned. None: all are needed.

    Returns
    -------
    CSVColumns

    Raises
    ------
    ValueError
        For a file that is empty or not UTF-8, whose columns have no names, or whose rows have
        different lengths; the message names the file, the line and what was expected.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> read = read_csv(io.BytesIO(b"age,sex\\n31,f\\n,m\\n"), name="people.csv")
    >>> read.columns["sex"], read.columns["age"].tolist(), read.lines
    (['f', 'm'], [31.0, nan], [2, 3])
    """
    if hasattr(source, "read"):
        content, name = source.read(), name or "the file"
    else:
        path = checks.path("data", source)
        suffix = os.path.splitext(path)[1].lower()
        if suffix in _OTHERS:
            raise ValueError(
                f"{path}: expected a CSV file, got one that ends in {suffix}; read it with another "
                f"library and pass the data frame"
            )
        content, name = _content(path), name or path
    text = _decoded(content, name)
    kept = set(texts)
    while True:
        read, mixed = _read(text, kept, name, is_needed)
        if not mixed:
            return read
        kept |= mixed  # read again as texts, since a number has lost its text, such as "01"


def _content(path: str) -> bytes:
    if path.endswith(".gz"):
        import gzip  # imported here, as csv is, since few programs read such files

        try:
            with gzip.open(path) as file:
                return file.read()
        except (gzip.BadGzipFile, EOFError) as error:
            raise ValueError(f"{path}: expected a gzip file, found damage: {error}") from None
    if os.path.isfile(path):
        with files.open_regular(path) as file:
            return file.read()
    with open(path, "rb") as file:  # a pipe, such as /dev/stdin
        return file.read()


def _decoded(content: bytes | str, name: str) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{name}, line {line}: expected UTF-8 text, got the byte "
            f"{content[error.start]:#04x}; save the file as UTF-8"
        ) from None


def _read(
    text: str, texts: Collection[str], name: str, is_needed: Callable[[str], bool] | None
) -> tuple[CSVColumns, set[str]]:
    """The columns, and the names of those that have numbers in some chunks and texts in others,
    which are left out."""
    rows = _rows(text, name)
    _, header = next(rows, (0, []))
    header = _checked_header(header, name, is_needed)
    has_commas = _is_separated_by_semicolons(text, header)
    pieces: list[list[Column]] = [[] for _ in header]
    lines: list[int] = []
    n_rows = min(_ROWS, max(64, _FIELDS // len(header)))
    while chunk := list(islice(rows, n_rows)):
        lines += [line for line, _ in chunk]
        for column, fields in enumerate(zip(*(row for _, row in chunk), strict=True)):
            pieces[column].append(_converted(fields, header[column] in texts, has_commas))
    if not lines:
        raise ValueError(f"{name}: expected rows below the header, got none")
    columns: dict[str, Column] = {}
    mixed = set()
    for heading, parts in zip(header, pieces, strict=True):
        numbers = [part for part in parts if isinstance(part, np.ndarray)]
        if len(numbers) == len(parts):
            columns[heading] = np.concatenate(numbers)
        elif numbers:
            mixed.add(heading)
        else:
            columns[heading] = [field for part in parts for field in part]
    return CSVColumns(name, columns, lines), mixed


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row begins, and its fields; empty lines are left out."""
    import csv

    options: dict[str, Any] = {"delimiter": _delimiter(text), "skipinitialspace": True}
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, **options)
    expected = 0
    while True:
        line, start = reader.line_num + 1, stream.tell()
        try:
            row = next(reader)
            end = stream.tell()
            if reader.line_num > line or end == len(text):
                place = f"{name}, line {line}"
                _check_quotes(place, text[start:end], end == len(text), options)
        except StopIteration:
            return
        except csv.Error as error:
            hint = "; is a quotation mark not closed?" * (reader.line_num > line)
            raise ValueError(
                f"{name}, line {line}: expected CSV, found damage: {error}{hint}"
            ) from None
        if not row or (len(row) == 1 != expected and not row[0].strip()):
            continue
        expected = expected or len(row)
        if len(row) != expected:
            raise ValueError(
                f"{name}, line {line}: expected {expected} fields, as the header has, "
                f"got {len(row)}"
            )
        yield line, row


def _delimiter(text: str) -> str:
    """The separator that the header has most of, outside quoted names."""
    header = _HEADER.match(text.lstrip("\r\n"))
    names = re.sub(r'"[^"]*"', "", header.group() if header else "")
    return max(_DELIMITERS, key=names.count)


def _check_quotes(place: str, row: str, is_last: bool, options: dict[str, Any]) -> None:
    """Raise a ValueError if a quotation mark in the text of a row is not closed.

    The csv module does not report this: an unclosed field extends over the following lines to the
    next quotation mark, or to the end of the file. So a field over several lines must be followed
    by a separator or the end of the row."""
    import csv

    if is_last and len([*csv.reader(io.StringIO(f"{row}\n.", newline=""), **options)]) == 1:
        raise ValueError(
            f"{place}: expected a closing quotation mark, got none up to the end of the file"
        )
    lines = [*io.StringIO(row, newline="")]
    try:
        for _ in csv.reader(lines if len(lines) > 1 else [], strict=True, **options):
            pass
    except csv.Error:
        below = len(lines) - 1
        raise ValueError(
            f"{place}: expected a closing quotation mark, got one {below} line{'s' * (below > 1)} "
            f"below that is not at the end of a field"
        ) from None


def _checked_header(
    header: list[str], name: str, is_needed: Callable[[str], bool] | None
) -> list[str]:
    """The names of the columns."""
    names = [column.strip() for column in header]
    if not names:
        raise ValueError(f"{name}: expected a header and rows, got an empty file")
    if all(is_number(column) for column in names):
        raise ValueError(
            f"{name}, line 1: expected a header that names the columns, got numbers only"
        )
    seen: set[str] = set()
    for column in names:
        if column in seen and (is_needed is None or is_needed(column)):
            raise ValueError(
                f"{name}, line 1: expected different names of columns, got {column!r} twice"
            )
        seen.add(column)
    return names


def _is_separated_by_semicolons(text: str, header: list[str]) -> bool:
    import csv

    reader = csv.reader(
        io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=";", skipinitialspace=True
    )
    return len(header) > 1 and [name.strip() for name in next(reader)] == header


def _converted(fields: tuple[str, ...], as_text: bool, has_commas: bool) -> Column:
    """The fields of a column as numbers, also with decimal commas, or as texts if one is not a
    number."""
    if not as_text:
        try:
            numbers = np.fromiter(map(float, fields), np.float64, len(fields))
        except ValueError:
            numbers = None
        if numbers is None or not np.isfinite(numbers).all() or "_" in "".join(fields):
            numbers = _with_missing(fields)
            if numbers is None and has_commas:
                bare = [field.strip() for field in fields]
                if all(field in MISSING or _COMMA.fullmatch(field) for field in bare):
                    numbers = _with_missing(tuple(field.replace(",", ".") for field in bare))
        if numbers is not None:
            return numbers
    stripped = map(str.strip, fields)
    return [None if field in MISSING else field for field in stripped]


def _with_missing(fields: tuple[str, ...]) -> NDArray | None:
    """The fields as numbers, NaN for missing ones; None if one is not a finite number."""
    present = [None if field.strip() in MISSING else field for field in fields]
    if not all(field is None or is_number(field) for field in present):
        return None
    return np.array([np.nan if field is None else float(field) for field in present])
