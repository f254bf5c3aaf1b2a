"""CSV files as columns of numbers and texts, and errors that name the line."""

import gzip
import io

import numpy as np
import pytest

from fastnet.data.csv_files import is_number, read_csv


def read(text, texts=(), name="data.csv"):
    content = text if isinstance(text, bytes) else text.encode()
    return read_csv(io.BytesIO(content), texts, name)


def columns(text, texts=()):
    found = read(text, texts).columns
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in found.items()}


def test_numbers_become_arrays_and_other_columns_texts():
    found = read("a,b\n1,x\n-2.5e3,y\n")
    assert found.columns["a"].dtype == np.float64
    assert columns("a,b\n1,x\n-2.5e3,y\n") == {"a": [1.0, -2500.0], "b": ["x", "y"]}


def test_quoted_fields_hold_separators_line_breaks_and_quotation_marks():
    text = 'name,n\n"Smith, J.",1\n"two\nlines",2\n"a ""b""",3\n'
    assert columns(text) == {"name": ["Smith, J.", "two\nlines", 'a "b"'], "n": [1.0, 2.0, 3.0]}


def test_the_lines_are_those_on_which_rows_begin():
    assert read('a,b\n1,"x\ny"\n\n2,z\n').lines == [2, 5]


def test_a_byte_order_mark_and_spaces_are_no_part_of_a_field():
    assert columns(b"\xef\xbb\xbfage, sex\r\n 31 , f \r\n") == {"age": [31.0], "sex": ["f"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_of_the_header(delimiter):
    text = "a,b\n1,x\n2,y\n".replace(",", delimiter)
    assert columns(text) == {"a": [1.0, 2.0], "b": ["x", "y"]}


def test_separators_in_quoted_names_do_not_count():
    assert columns('"a, b, c";d\n1;x\n') == {"a, b, c": [1.0], "d": ["x"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_line_breaks_and_separators_in_quoted_names_do_not_count(delimiter):
    for name in ("a\nb", "a\r\nb, c; d, e; f | g | h\ti\tj", 'a ""b""\n"", ,; ;,\t\t||'):
        header = delimiter.join([f'"{name}"', ' "c,c\n"', " d "])
        found = columns(f"\n{header}\n{delimiter.join('1x2')}\n")
        assert found == {name.replace('""', '"'): [1.0], "c,c": ["x"], "d": [2.0]}


def test_a_quotation_mark_within_a_name_or_a_field_opens_no_quoted_field():
    text = 'screen 5", a; b,c\n5" wide,"x",2\n6",y"y,3\n"7"" ""high""",z,4'
    assert columns(text) == {
        'screen 5"': ['5" wide', '6"', '7" "high"'],
        "a; b": ["x", 'y"y', "z"],
        "c": [2.0, 3.0, 4.0],
    }


def test_text_behind_a_quoted_field_belongs_to_it_in_one_line():
    assert columns('a,b\n"x"y,1\n"x" z,2') == {"a": ["xy", "x z"], "b": [1.0, 2.0]}


@pytest.mark.parametrize("field", ["", " ", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "?"])
def test_a_missing_field_is_nan_among_numbers_and_none_among_texts(field):
    found = read(f"a,b\n1,x\n{field},{field}\n3,y\n")
    np.testing.assert_array_equal(found.columns["a"], [1, np.nan, 3])
    assert found.columns["b"] == ["x", None, "y"]


@pytest.mark.parametrize("odd", ["1_000", "inf", "-Infinity", "-nan", "1,5", "x"])
def test_a_field_that_is_no_finite_number_makes_its_column_texts(odd):
    assert not is_number(odd)
    assert read(f'a,b\n1,1\n"{odd}",2\n').columns["a"] == ["1", odd]


def test_columns_that_are_named_as_texts_keep_their_digits():
    assert columns("zip,n\n01234,1\n00501,2\n", {"zip"}) == {
        "zip": ["01234", "00501"],
        "n": [1.0, 2.0],
    }


def test_a_column_with_a_text_far_down_keeps_the_texts_of_all_its_fields():
    fields = [f"0{i}" for i in range(9999)] + ["2A"]
    found = read("code,n\n" + "".join(f"{field},1\n" for field in fields))
    assert found.columns["code"] == fields
    assert found.columns["n"].tolist() == [1.0] * 10_000


def test_a_file_a_compressed_file_and_a_path_are_read_alike(tmp_path):
    text = b"a,b\n1,x\n"
    (tmp_path / "data.csv").write_bytes(text)
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress(text))
    for path in (tmp_path / "data.csv", str(tmp_path / "data.csv"), tmp_path / "data.csv.gz"):
        found = read_csv(path)
        assert found.name == str(path)
        assert found.columns["b"] == ["x"]


WRONG = [
    ("", "data.csv: expected a header and rows, got an empty file"),
    ("\n\n", "data.csv: expected a header and rows, got an empty file"),
    ("a,b\n", "data.csv: expected rows below the header, got none"),
    ("a,b\n1,2\n3\n", "data.csv, line 3: expected 2 fields, as the header has, got 1"),
    ('a,b\n"x\ny",2\n1,2,3\n', "data.csv, line 4: expected 2 fields, as the header has, got 3"),
    ("a,b,a\n1,2,3\n", "data.csv, line 1: expected different names of columns, got 'a' twice"),
    ("1,2\n3,4\n", "data.csv, line 1: expected a header that names the columns, got numbers only"),
    (
        b"a,b\n1,x\n2,\xe9\n",
        "data.csv, line 3: expected UTF-8 text, got the byte 0xe9; save",
    ),
    (
        'a,b\n1,x\n2,"5 inch\n3,y\n4,z\n',
        "data.csv, line 3: expected a closing quotation mark, got none up to the end of the file",
    ),
    ('a,b\n1,x\n2,"5 inch', "data.csv, line 3: expected a closing quotation mark, got none"),
    ('a,b\n1,x\n2,"', "data.csv, line 3: expected a closing quotation mark, got none"),
    ('a,b\n1,x\n2,"5 ""inch""\n', "data.csv, line 3: expected a closing quotation mark, got none"),
    ('a,"b\n1,x\n', "data.csv, line 1: expected a closing quotation mark, got none"),
    (
        'a,b\n1,"5 inch\n2,y\n3,"6 inch\n4,z\n',
        "data.csv, line 2: expected a closing quotation mark, got one 2 lines below that is not at "
        "the end of a field",
    ),
    ('a,b\n1,"5 inch\n2,y\n3,"6 inch"\n', "data.csv, line 2: expected a closing quotation mark"),
    (
        'a,b\n1,"5 inch\n' + "2,y\n" * 50_000,
        "data.csv, line 2: expected CSV, found damage: field larger than field limit (131072); is "
        "a quotation mark not closed?",
    ),
    ("a\n" + "x" * 200_000 + "\n", "data.csv, line 2: expected CSV, found damage: field larger"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_damaged_file_is_refused_with_its_line(text, message):
    with pytest.raises(ValueError, match=r"^") as raised:
        read(text)
    assert str(raised.value).startswith(message)


def test_a_damaged_gzip_file_is_refused(tmp_path):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n")[:-4])
    with pytest.raises(ValueError, match="expected a gzip file, found damage"):
        read_csv(path)


def test_what_is_no_path_is_refused():
    with pytest.raises(TypeError, match=r"^data: expected a str or a path, got 3$"):
        read_csv(3)


@pytest.mark.parametrize("suffix", [".parquet", ".XLSX", ".json", ".npz"])
def test_a_file_of_another_format_is_refused_by_its_name(suffix):
    with pytest.raises(ValueError, match=rf"^data{suffix}: expected a CSV file, got one that ends"):
        read_csv(f"data{suffix}")
