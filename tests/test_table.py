"""``fastnet.Table``: columns as inputs and targets, from files, frames, dicts; refused rows."""

import copy
import io
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

import fastnet
from fastnet import Standardize, Table, own_data
from fastnet.data.table_columns import CategoryColumn
from fastnet.data.table_target import Target

PEOPLE = {
    "age": [31, 47, None, 28, 39],
    "sex": ["f", "m", "f", None, "m"],
    "member": [True, False, True, True, False],
    "vote": ["yes", "no", "yes", "yes", "no"],
}
CSV = """age,sex,member,vote
31,f,True,yes
47,m,False,no
,f,True,yes
28,NA,True,yes
39,m,False,no
"""
FEATURES = ("age", "age is missing", "sex=f", "sex=m", "sex is missing", "member")
MEAN_AGE = (31 + 47 + 28 + 39) / 4
ENCODED = [
    [31, 0, 1, 0, 0, 1],
    [47, 0, 0, 1, 0, 0],
    [MEAN_AGE, 1, 1, 0, 0, 1],
    [28, 0, 0, 0, 1, 1],
    [39, 0, 0, 1, 0, 0],
]


def rows_of(columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def pandas_frame():
    return pytest.importorskip("pandas", reason="pandas is not installed").DataFrame(PEOPLE)


def polars_frame():
    return pytest.importorskip("polars", reason="polars is not installed").DataFrame(PEOPLE)


def narwhals_frame():
    return pytest.importorskip("narwhals", reason="no narwhals").from_native(pandas_frame())


FORMS = {
    "dict": lambda: PEOPLE,
    "rows": lambda: rows_of(PEOPLE),
    "arrays": lambda: {k: np.array(v, object) for k, v in PEOPLE.items()},
    "csv": lambda: io.BytesIO(CSV.encode()),
    "pandas": pandas_frame,
    "pandas with its own types": lambda: pandas_frame().convert_dtypes(),
    "pandas with categories": lambda: pandas_frame().astype({"sex": "category"}),
    "polars": polars_frame,
    "narwhals": narwhals_frame,
}


@pytest.fixture
def table():
    return Table.fit(PEOPLE, "vote")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_rows_gives_the_same_table(form, table):
    fitted = Table.fit(FORMS[form](), "vote")
    assert fitted == table
    assert fitted.features == FEATURES
    assert fitted.encode(FORMS[form]()).tolist() == ENCODED
    data = table.dataset(FORMS[form]())
    assert data.X.tolist() == ENCODED
    assert data.y.tolist() == [1, 0, 1, 1, 0]


def test_what_a_table_tells_about_itself(table):
    assert table.columns == ("age", "sex", "member")
    assert (table.n_in, table.n_out) == (3, 6)
    assert table.categories == {"sex": ("f", "m", None)}
    assert (table.target, table.task, table.classes) == ("vote", "classification", ("no", "yes"))
    assert table.sizes(7, 5) == [6, 7, 5, 2]
    assert repr(table) == "<Table: 3 columns as 6 inputs, target 'vote' of 2 classes>"
    regression = Table.fit({"x": [1.5, 2.5], "y": [0.5, 1.5]}, "y")
    assert regression.sizes() == [1, 1]
    assert repr(regression) == "<Table: 1 column as 1 input, target 'y' of numbers>"


def test_columns_of_numbers_are_standardized_and_zeros_and_ones_stay(table):
    X = np.array(ENCODED)
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    np.testing.assert_allclose(table.standardize.mean, [mean[0], 0, 0, 0, 0, mean[5]])
    np.testing.assert_allclose(
        table.standardize.deviation, [deviation[0], 1, 1, 1, 1, deviation[5]]
    )
    plain = Table.fit(PEOPLE, "vote", standardize=False)
    assert plain.standardize == Standardize(np.zeros(6), np.ones(6), features=FEATURES)


def test_the_columns_of_new_rows_are_found_by_name_and_others_ignored(table):
    row = {"id": 7, "member": False, "sex": "f", "age": 50}
    assert table.encode(row).tolist() == [[50, 0, 1, 0, 0, 0]]
    assert table.encode([row, row]).shape == (2, 6)


def test_a_missing_number_is_the_mean_also_where_the_training_rows_had_none(table):
    fitted = Table.fit({"x": [1.0, 3.0], "y": [0.5, 1.5]}, "y")
    assert fitted.features == ("x",)
    for missing in (None, np.nan):
        assert fitted.encode({"x": missing}).tolist() == [[2.0]]
    assert table.encode({"age": None, "sex": None, "member": None})[0].tolist() == [
        *(MEAN_AGE, 1, 0, 0, 1),
        3 / 5,
    ]


@pytest.mark.parametrize("name", ["age", "sex"])
def test_missing_values_are_refused_where_that_was_chosen(name):
    complete = {k: [v[0], v[1], v[4]] for k, v in PEOPLE.items()}
    table = Table.fit(complete, "vote", missing="error")
    row = {"age": 1, "sex": "f", "member": True, name: None}
    with pytest.raises(ValueError, match=f"^data, row 0, column '{name}': expected .*missing"):
        table.encode(row)
    with pytest.raises(ValueError, match=r"^data, row 2, column 'age': expected a number"):
        Table.fit(PEOPLE, "vote", missing="error")
    with pytest.raises(ValueError, match=r"^data, row 3, column 'sex': expected a category"):
        Table.fit({k: PEOPLE[k] for k in ("sex", "vote")}, "vote", missing="error")


def test_an_unknown_category_is_refused_or_zeros_as_was_chosen(table):
    row = {"age": 1, "sex": "x", "member": True}
    with pytest.raises(
        ValueError,
        match=r"^data, row 1, column 'sex': expected one of the categories 'f', 'm', missing, got "
        r"'x'; unknown=\"ignore\" encodes others as zeros$",
    ):
        table.encode([{**row, "sex": "m"}, row])
    ignoring = Table.fit(PEOPLE, "vote", unknown="ignore")
    assert ignoring.encode(row).tolist() == [[1, 0, 0, 0, 0, 1]]


def test_integers_name_columns_too():
    table = Table.fit({0: [1, 3], "y": [0.5, 1.5]}, "y")
    assert table.columns == ("0",)
    assert table.encode({0: 5}).tolist() == table.encode({"0": 5}).tolist() == [[5.0]]


@pytest.mark.parametrize("form", ["dict", "rows", "pandas"])
def test_an_integer_and_a_text_that_name_the_same_column_are_refused(form):
    columns = {0: [1.5, 3.5], "0": [7.5, 8.5], "y": [0.5, 1.5]}
    data = rows_of(columns) if form == "rows" else columns
    if form == "pandas":
        data = pytest.importorskip("pandas", reason="pandas is not installed").DataFrame(columns)
    message = r"^data: expected different names of columns, got 0 and '0', which are the same name"
    with pytest.raises(ValueError, match=message):
        Table.fit(data, "y")
    with pytest.raises(ValueError, match=message):
        Table.fit({0: [1, 3], "y": [0.5, 1.5]}, "y").encode(data)


# ---- what columns are


def test_integers_that_are_named_in_categorical_are_categories_in_every_form():
    file = io.BytesIO(b"zip,y\n01234,1.5\n00501,2.5\n")
    assert Table.fit(file, "y", categorical=["zip"]).categories == {"zip": ("00501", "01234")}
    table = Table.fit({"zip": [8001, 8002.0], "y": [1.5, 2.5]}, "y", categorical=["zip"])
    assert table.categories == {"zip": ("8001", "8002")}
    for one in (8002, 8002.0, "8002", np.int8(1) * np.int64(8002)):
        assert table.encode({"zip": one}).tolist() == [[0, 1]]
    assert table.encode(io.BytesIO(b"zip\n8002\n8001\n")).tolist() == [[0, 1], [1, 0]]


def test_booleans_of_a_file_are_numbers_in_any_spelling():
    table = Table.fit(io.BytesIO(b"b,y\ntrue,1.5\nFALSE,2.5\n,3.5\nTrue,4\n"), "y")
    assert table.categories == {}
    assert table.encode(io.BytesIO(b"b\nfalse\nTRUE\n")).tolist() == [[0, 0], [1, 0]]
    assert table.encode({"b": True}).tolist() == [[1, 0]]


def test_dropped_columns_are_no_inputs(table):
    assert Table.fit(PEOPLE, "vote", drop=["sex", "member"]).columns == ("age",)
    unnamed = b",x,y\n0,1.5,2.5\n1,2.5,3.5\n"
    with pytest.raises(ValueError, match=r"expected a name for each column, got '' for column 1"):
        Table.fit(io.BytesIO(unnamed))
    assert Table.fit(io.BytesIO(unnamed), drop=[""]).columns == ("x",)
    trailing = b"x,y,\n0,1.5,\n1,2.5,\n"
    with pytest.raises(ValueError, match=r"expected a name for each column, got '' for column 3"):
        Table.fit(io.BytesIO(trailing))
    assert Table.fit(io.BytesIO(trailing), drop=[""]).target == "y"


DATES = ["2024-01-31", "31.1.2024", "1/31/24", "2024-1-31T12:00:00"]
OTHER_DATES = ["5 May 2024", "31-Jan-2024", "Jan 31, 2024", "5 May 2024 10:00", "12:30", "9:05:59"]


@pytest.mark.parametrize("date", [*DATES, *OTHER_DATES])
def test_dates_as_text_are_refused_by_name_unless_they_are_declared(date):
    data = {"when": [date] * 4, "y": ["a", "b"] * 2}
    kind = "time" if ":" in date[:3] else "date"
    message = rf"^data, row 0, column 'when': .* got the {kind} '{date}'"
    with pytest.raises(ValueError, match=message):
        Table.fit(data, "y")
    assert Table.fit(data, "y", categorical=["when"]).features == (f"when={date}",)


def test_dates_are_refused_although_some_texts_are_none():
    data = {"when": ["unknown", *[DATES[0]] * 3], "y": ["a", "b"] * 2}
    with pytest.raises(ValueError, match=r"^data, row 1, column 'when': .* got the date"):
        Table.fit(data, "y")
    few = {"when": ["march", "may", DATES[0], "june"], "y": ["a", "b"] * 2}
    assert Table.fit(few, "y").n_out == 4


@pytest.mark.parametrize("library", ["pandas", "polars", "numpy"])
def test_columns_of_dates_are_refused_by_name(library):
    days = np.array(["2024-01-31", "2024-02-01"], "datetime64[D]")
    data = {"when": days, "y": [1.5, 2.5]}
    if library != "numpy":
        module = pytest.importorskip(library, reason=f"{library} is not installed")
        data = module.DataFrame(data)
    with pytest.raises(
        TypeError, match=r"^data: column 'when': expected numbers.*date.*days since"
    ):
        Table.fit(data, "y")
    values = [value for value in days.tolist()]
    with pytest.raises(TypeError, match=r"^data: column 'when': expected numbers.*date"):
        Table.fit({"when": values, "y": [1.5, 2.5]}, "y")


def test_a_column_of_texts_that_all_differ_is_refused_unless_it_is_declared():
    names = [f"person {i}" for i in range(12)]
    data = {"name": names, "y": ["a", "b"] * 6}
    with pytest.raises(
        ValueError,
        match=r"^data, row 0, column 'name': expected numbers or categories, got 12 different "
        r"texts in 12 rows, such as 'person 0'; leave it out, 'name' in drop, or "
        r"name 'name' in categorical$",
    ):
        Table.fit(data, "y")
    assert Table.fit(data, "y", categorical=["name"]).n_out == 12


def test_decimal_commas_are_refused_by_what_was_expected():
    text = b'a,y\n"0,5",1.5\n"1,5",2.5\n12,3.5\n"-7,25",4\n"+1,0",5\n'
    message = r"^the file, line 2, column 'a': expected numbers with a decimal point, got '0,5';"
    with pytest.raises(ValueError, match=message):
        Table.fit(io.BytesIO(text))
    assert Table.fit(io.BytesIO(text), categorical=["a"]).n_out == 5


def test_decimal_commas_are_read_from_a_file_that_is_separated_by_semicolons():
    text = b"a;g;y\n0,5;u;1,5\n1,5;v;2,5\n12;u;3\n;v;4\n-7,25;u;5e-1\n"
    table = Table.fit(io.BytesIO(text))
    assert table.features == ("a", "a is missing", "g=u", "g=v")
    data = table.dataset(io.BytesIO(text))
    assert data.X[:, 0].tolist() == [0.5, 1.5, 12, (0.5 + 1.5 + 12 - 7.25) / 4, -7.25]
    assert data.y[:, 0].tolist() == [1.5, 2.5, 3, 4, 0.5]
    as_texts = Table.fit(io.BytesIO(text), categorical=["a"])
    assert as_texts.categories["a"] == ("-7,25", "0,5", "1,5", "12", None)


@pytest.mark.parametrize("missing", ["None", "<NA>", "#N/A", "NAN", "-"])
def test_a_column_of_numbers_may_have_other_texts_for_missing_values(missing):
    fields = ["1.5", missing, missing, "2.5", missing]
    text = "x,g,y\n" + "".join(f"{x},{missing},{i}.5\n" for i, x in enumerate(fields))
    table = Table.fit(io.BytesIO(text.encode()))
    assert table.features == ("x", "x is missing", f"g={missing}")
    assert table.encode({"x": missing, "g": missing}).tolist() == [[2, 1, 1]]
    assert Table.fit(io.BytesIO(text.encode()), categorical=["x"]).categories["x"] == tuple(
        sorted({*fields})
    )


def test_a_long_text_is_shortened_in_a_message():
    texts = [f"{'lorem ' * 50}{i}" for i in range(10)]
    with pytest.raises(ValueError, match=r"such as 'lorem (lorem )*l\.\.\.'; leave it out"):
        Table.fit({"x": texts, "y": [1.5, 2.5] * 5}, "y")


def test_a_text_among_numbers_is_refused_with_its_line_and_the_way_to_allow_it():
    text = b"age,y\n1,a\n2,b\n,a\nten,b\n4,a\n"
    with pytest.raises(
        ValueError,
        match=r"^the file, line 5, column 'age': expected a number, got 'ten'; if they are "
        r"categories, name 'age' in categorical$",
    ):
        Table.fit(io.BytesIO(text))
    assert Table.fit(io.BytesIO(text), categorical=["age"]).categories == {
        "age": ("1", "2", "4", "ten", None)
    }


def test_a_text_in_a_column_of_numbers_is_refused_in_new_rows(table, tmp_path):
    file = tmp_path / "new.csv"
    file.write_text("age,sex,member\n5,f,True\nold,m,False\n")
    with pytest.raises(ValueError, match=r"new.csv, line 3, column 'age': expected a number, got"):
        table.encode(file)


# ---- the target

GUESSES = [
    (["a", "b"] * 5, ("a", "b")),
    ([True, False] * 5, (False, True)),
    ([1, 2] * 5, (1, 2)),
    ([3.0, 1.0] * 5, (1, 3)),
    (list(range(20)) * 5, tuple(range(20))),
    (list(range(21)) * 5, None),
    (list(range(20)) * 4, None),
    ([1.5, 2.0] * 10, None),
    ([-1, 1] * 10, (-1, 1)),
]


@pytest.mark.parametrize(("target", "classes"), GUESSES)
def test_the_task_is_guessed_from_the_target(target, classes):
    table = Table.fit({"x": range(len(target)), "y": target}, "y")
    assert table.classes == classes
    if classes is not None:
        assert [type(c) for c in table.classes] == [type(c) for c in classes]
        y = table.dataset({"x": range(len(target)), "y": target}).y
        assert [classes[label] for label in y] == target


def test_the_task_can_be_chosen():
    data = {"x": [1.5, 2.5, 3.5], "y": [1, 2, 1]}
    assert Table.fit(data, "y").task == "regression"
    assert Table.fit(data, "y", task="classification").classes == (1, 2)
    many = {"x": range(20), "y": [0, 1] * 10}
    regression = Table.fit(many, "y", task="regression")
    assert regression.dataset(many).y.tolist() == [[0.0], [1.0]] * 10


def test_the_target_of_a_file_is_its_last_column_and_must_be_named_elsewhere():
    assert Table.fit(io.BytesIO(CSV.encode())).target == "vote"
    with pytest.raises(TypeError, match=r"^target: expected the name of a column, one of 'age'"):
        Table.fit(PEOPLE)


TARGETS = [
    (["a", None], None, "data, row 1, column 'y': expected a target in each row, got a missing"),
    ([1.5, np.nan], None, "data, row 1, column 'y': expected a target in each row, got a missing"),
    (["a", "a"], None, "data, column 'y': expected two or more classes, got 'a' in all rows"),
    (["a", "b"], "regression", "data, row 0, column 'y': expected a number, got 'a', since"),
    ([1, 2.5], "classification", "data, row 1, column 'y': expected integers or texts as classes"),
    (["1", "2", "3", "x"], None, "data, row 3, column 'y': expected a number, got 'x'; if they"),
]


@pytest.mark.parametrize(("target", "task", "message"), TARGETS)
def test_targets_that_are_none_are_refused_by_row(target, task, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Table.fit({"x": range(len(target)), "y": target}, "y", task=task)


def test_new_rows_have_known_classes(table):
    with pytest.raises(
        ValueError,
        match=r"^data, row 0, column 'vote': expected one of the classes 'no', 'yes', got",
    ):
        table.dataset([{"age": 1, "sex": "f", "member": True, "vote": "maybe"}])
    with pytest.raises(ValueError, match=r"^data: expected a column 'vote', got 'age', 'sex'"):
        table.dataset([{"age": 1, "sex": "f", "member": True}])
    numbers = Table.fit({"x": range(20), "y": [0, 1] * 10}, "y")
    with pytest.raises(
        ValueError, match=r"row 0, column 'y': expected one of the classes 0, 1, got"
    ):
        numbers.dataset({"x": [1], "y": [2]})


# ---- wrong arguments

ARGUMENTS = [
    ({"target": 3}, TypeError, "target: expected the name of a column, got 3"),
    ({"target": "x"}, ValueError, "target: expected a column of data, one of 'age', .*; got 'x'"),
    ({"task": "ranking"}, ValueError, "task: expected 'classification', 'regression' or None"),
    ({"categorical": "sex"}, TypeError, "categorical: expected a list of names of columns"),
    ({"categorical": [3]}, TypeError, "categorical: expected names of columns, got 3"),
    ({"drop": ["x"]}, ValueError, "drop: expected a column of data, one of"),
    ({"drop": ["vote"]}, ValueError, "drop: expected other columns than the target, got 'vote'"),
    (
        {"drop": ["age", "sex", "member"]},
        ValueError,
        "data: expected columns other than the target",
    ),
    ({"unknown": "zero"}, ValueError, "unknown: expected 'error' or 'ignore', got 'zero'"),
    ({"missing": None}, ValueError, "missing: expected 'mean' or 'error', got None"),
    ({"standardize": 1}, TypeError, "standardize: expected True or False, got 1"),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), ARGUMENTS)
def test_wrong_arguments_are_refused_by_name(arguments, kind, message):
    with pytest.raises(kind, match=f"^{message}"):
        Table.fit(PEOPLE, **{"target": "vote", **arguments})


DATA = [
    (3, TypeError, "data: expected the path of a CSV file, a frame"),
    ({}, ValueError, "data: expected columns, got none"),
    ({"x": [], "y": []}, ValueError, "data: expected rows, got none"),
    ({"x": [1, 2], "y": [1]}, ValueError, "data: column 'y': expected as many values"),
    ({"x": np.ones((2, 1)), "y": [1, 2]}, ValueError, "data: column 'x': expected one value per"),
    ({"x": [[1], [2]], "y": [1, 2]}, TypeError, "data: column 'x': expected numbers, booleans or"),
    ({"x": [1, {}], "y": [1, 2]}, TypeError, "data: column 'x': expected numbers, booleans or t"),
    ({"x": [1, np.inf], "y": [1, 2]}, ValueError, "data: row 1, column 'x': expected finite num"),
    ({"x": [None, None], "y": [1, 2]}, ValueError, "data, column 'x': expected values, got miss"),
    ({"x": [1e308, 1e308], "y": [1, 2]}, ValueError, "data, column 'x': expected numbers with a f"),
    ({"x": [1j, 2j], "y": [1, 2]}, TypeError, "data: column 'x': expected numbers, booleans or"),
    ({(3,): [1, 2], "y": [1, 2]}, TypeError, "data: expected names of columns that are str or in"),
]


@pytest.mark.parametrize(("data", "kind", "message"), DATA)
def test_data_of_other_forms_are_refused(data, kind, message):
    with pytest.raises(kind, match=f"^{message}"):
        Table.fit(data, "y")


def test_a_file_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv"):
        Table.fit(tmp_path / "nothing.csv")


# ---- validation data

WORDS = {"x": [f"w{i}" for i in range(50)] * 2, "n": [*range(100)], "y": ["a", "b", "b", "b"] * 25}


def test_classes_of_one_row_each_are_refused_as_nothing_can_be_held_out():
    data = {"x": range(60), "y": [f"c{i}" for i in range(60)]}
    message = r"^validation_fraction: expected a class with two or more examples.*got 60 classes"
    with pytest.raises(ValueError, match=message):
        Table.split(data, "y", categorical=["y"])


def test_encoded_columns_of_one_name_are_refused_by_the_names_of_their_columns():
    data = {"age": [1.5, None], "age is missing": [0, 1], "y": [1.5, 2.5]}
    message = (
        r"^data: expected different names of encoded columns, got 'age is missing' from the "
        r"columns 'age' and 'age is missing'; rename one$"
    )
    with pytest.raises(ValueError, match=message):
        Table.fit(data, "y")
    data = {"a": ["b=c", "d"], "a=b": ["c", "d"], "y": [1.5, 2.5]}
    with pytest.raises(ValueError, match=r"got 'a=b=c' from the columns 'a' and 'a=b'; rename one"):
        Table.fit(data, "y")


def test_nothing_is_learnt_from_validation_data():
    table, training, validation = Table.split(
        WORDS, "y", validation_fraction=0.3, seed=4, categorical=["x"]
    )
    rows = training.X[:, table.features.index("n")].astype(int)
    held_out = validation.X[:, table.features.index("n")].astype(int)
    assert sorted([*rows, *held_out]) == [*range(100)]
    alone = {k: [v[i] for i in rows] for k, v in WORDS.items()}
    assert Table.fit(alone, "y", categorical=["x"]) == table
    assert (training.X == table.dataset(alone).X).all()
    unknown = [WORDS["x"][i] not in table.categories["x"] for i in held_out]
    assert any(unknown)
    one_hot = validation.X[:, : len(table.categories["x"])].sum(axis=1)
    assert one_hot.tolist() == [not one for one in unknown]


def test_a_column_whose_only_numbers_are_held_out_has_their_mean():
    data = {"x": range(40), "y": [0.5, 1.5] * 20}
    is_held_out = np.isin(np.arange(40), Table.split(data, "y", seed=0)[2].X[:, 0])
    rare = [7.0 if held_out else None for held_out in is_held_out]
    table, training, validation = Table.split({**data, "rare": rare}, "y", seed=0)
    assert table.features == ("x", "rare", "rare is missing")
    assert training.X[:, 1:].tolist() == [[7, 1]] * 32
    assert validation.X[:, 1:].tolist() == [[7, 0]] * 8
    with pytest.raises(ValueError, match=r"column 'rare': expected values, got missing ones only"):
        Table.split({**data, "rare": [None] * 40}, "y", seed=0)
    with pytest.raises(ValueError, match=r"row 0, column 'rare': expected a number, got a missing"):
        Table.split({**data, "rare": rare}, "y", seed=0, missing="error")


def test_each_class_has_its_share_of_the_validation_data_and_the_seed_chooses_them():
    table, training, validation = Table.split(WORDS, "y", seed=1, categorical=["x"])
    assert np.bincount(validation.y).tolist() == [5, 15]
    assert np.bincount(training.y).tolist() == [20, 60]
    again = Table.split(WORDS, "y", seed=1, categorical=["x"])
    assert again[0] == table
    assert (again[2].X == validation.X).all()
    other = Table.split(WORDS, "y", seed=2, categorical=["x"])[2]
    assert other.X.shape != validation.X.shape or (other.X != validation.X).any()


def test_a_class_of_one_row_is_in_the_training_data():
    data = {"x": range(9), "y": ["a"] * 4 + ["b"] * 4 + ["c"]}
    for seed in range(10):
        table, training, _ = Table.split(data, "y", validation_fraction=0.5, seed=seed)
        assert table.classes == ("a", "b", "c")
        assert 2 in training.y


@pytest.mark.parametrize(
    ("fraction", "message"),
    [
        (0, "validation_fraction: expected a number over 0, got 0"),
        (1, "validation_fraction: expected a number from 0 to below 1, got 1"),
        (0.001, "validation_fraction: expected enough examples to hold out 0.001 of them, got 5"),
    ],
)
def test_other_fractions_are_refused(fraction, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Table.split(PEOPLE, "vote", validation_fraction=fraction)


# ---- in networks and files


@pytest.fixture
def net(table):
    net = fastnet.Network(table.sizes(5), "log-likelihood", inputs=table, seed=1)
    net.SGD(PEOPLE, 5, 2, 0.5, verbose=False)
    return net


@pytest.mark.parametrize("form", [form for form in FORMS if form != "csv"])  # files: below
def test_a_network_takes_raw_rows_of_every_form(net, table, form):
    X = table.standardize.transform(ENCODED, dtype="float32")
    plain = fastnet.Network([6, 5, 2], "log-likelihood")
    plain.weights, plain.biases = list(net.weights), list(net.biases)
    expected = plain.feedforward(X)
    assert (net.feedforward(FORMS[form]()) == expected).all()
    data = table.dataset(PEOPLE)
    assert net.accuracy(FORMS[form]()) == net.accuracy(data)
    assert net.total_cost(FORMS[form](), 0.0) == net.total_cost(data, 0.0)
    names = net.predict_labels(FORMS[form]())
    assert names.tolist() == [("no", "yes")[i] for i in expected.argmax(axis=1)]


def test_a_saved_network_predicts_from_files_and_raw_rows(net, tmp_path):
    file = tmp_path / "new.csv"
    file.write_text(CSV)
    net.save(tmp_path / "net.json")
    loaded = fastnet.load(tmp_path / "net.json")
    assert loaded == net
    assert (loaded.inputs, loaded.classes) == (net.inputs, ("no", "yes"))
    for path in (file, str(file)):
        assert (loaded.feedforward(path) == net.feedforward(PEOPLE)).all()
        assert loaded.predict_labels(path).tolist() == net.predict_labels(PEOPLE).tolist()
        assert loaded.accuracy(path) == net.accuracy(PEOPLE)
    row = rows_of(PEOPLE)[0]
    assert loaded.feedforward(row).shape == (2,)
    assert loaded.predictor()(row).tolist() == net.feedforward(PEOPLE)[0].tolist()


def test_a_table_is_imported_only_when_a_program_or_a_file_needs_it(net, tmp_path):
    net.save(tmp_path / "net.json")
    script = (
        "import sys, fastnet; net = fastnet.Network([2, 1]); name = 'fastnet.data.table'\n"
        "print(name in sys.modules, 'Table' in dir(fastnet))\n"
        "print(type(fastnet.load('net.json').inputs).__name__, name in sys.modules)\n"
        "print(fastnet.Table is sys.modules[name].Table)"
    )
    command = [sys.executable, "-P", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True", "Table", "True", "True"]


def test_a_class_of_a_program_cannot_take_the_name_of_tables():
    script = (
        "from fastnet.data.input_transform import InputTransform\n"
        "class Mine(InputTransform):\n    name = 'table'"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "TypeError: name: expected one that no other transform has, got 'table', that of "
        "fastnet.data.table.Table"
    )


def test_training_takes_raw_rows_with_their_targets(table, net):
    other = fastnet.Network(table.sizes(5), "log-likelihood", inputs=table, seed=1)
    other.SGD(table.dataset(PEOPLE), 5, 2, 0.5, verbose=False)
    assert other == net


def test_pairs_of_a_dict_and_its_target_are_rows_with_their_targets(table, net):
    pairs = [(row, row["vote"]) for row in rows_of(PEOPLE)]
    rows = [({k: v for k, v in reversed(row.items()) if k != "vote"}, vote) for row, vote in pairs]
    for data in (pairs, rows, iter(pairs), [(row, int(vote == "yes")) for row, vote in pairs]):
        other = fastnet.Network(table.sizes(5), "log-likelihood", inputs=table, seed=1)
        other.SGD(data, 5, 2, 0.5, evaluation_data=pairs, verbose=False)
        assert other == net
    assert net.accuracy(pairs) == net.accuracy(PEOPLE)
    columns = [(row, [[vote == "no"], [vote == "yes"]]) for row, vote in rows]
    assert net.total_cost(columns, 0.0) == net.total_cost(PEOPLE, 0.0)
    other.update_mini_batch(pairs, 0.5, 0.0, 5)
    net.update_mini_batch(PEOPLE, 0.5, 0.0, 5)
    assert other == net


WRONG_PAIRS = [
    ([({"age": 3, "sex": "x", "member": 1}, "no")], ValueError, "X, row 0, column 'sex': exp"),
    ([({"age": 3, "sex": "f"}, "no")], ValueError, "X: expected a column 'member'"),
    ([({"age": [3], "sex": ["f"], "member": [1]}, "no")], TypeError,
     "expected a dict with one value per column in pair 0, "),
    ([({"age": 3, "sex": "f", "member": 1}, "no"), (np.zeros(6), "no")], TypeError,
     "expected a dict with one value per column in pair 1, "),
    ([(np.zeros(6), "no"), ({"age": 3, "sex": "f", "member": 1}, "no")], ValueError,
     "expected pairs \\(x, y\\) of the same shapes"),
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "kind", "message"), WRONG_PAIRS)
def test_pairs_with_other_dicts_are_refused(net, pairs, kind, message):
    with pytest.raises(kind, match=f"^training_data: {message}"):
        net.SGD(pairs, 1, 2, 0.5, verbose=False)


def test_every_method_takes_raw_rows(table, net, tmp_path):
    """A Dataset of the encoded rows is the reference."""
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    row = rows_of(PEOPLE)[1]
    X, data = np.array(ENCODED[1]), table.dataset(PEOPLE)
    trained = [net.copy() for _ in range(2)]
    histories = [
        one.SGD(each, 3, 2, 0.5, evaluation_data=each, verbose=False)
        for one, each in zip(trained, (file, data), strict=True)
    ]
    assert trained[0] == trained[1]
    assert histories[0] == histories[1]
    for one, each in zip(trained, (str(file), data), strict=True):
        one.update_mini_batch(each, 0.5, 0.0, 5)
    assert trained[0] == trained[1]
    gradients = [net.gradient(each) for each in (file, data)]
    for found, expected in zip(*map(lambda g: [*g[0], *g[1]], gradients), strict=True):
        assert (found == expected).all()
    assert net.gradient_check(file, seed=1) == net.gradient_check(data, seed=1)
    assert repr(net.explain(row, "no")) == repr(net.explain(X, 0))
    spec = {"sizes": table.sizes(5), "cost": "log-likelihood", "inputs": table, "seed": 1,
            "epochs": 2, "mini_batch_size": 2, "eta": 0.1}  # fmt: skip
    fits = [fastnet.fit_many([spec], each, each, verbose=0)[0] for each in (file, data)]
    assert fits[0].network == fits[1].network
    assert fits[0].history == fits[1].history


def test_errors_of_a_network_name_its_argument_and_the_place(net, tmp_path):
    file = tmp_path / "new.csv"
    file.write_text("age,sex,member\n5,x,True\n")
    with pytest.raises(ValueError, match=r"^a: .*new.csv, line 2, column 'sex': expected one of"):
        net.feedforward(file)
    with pytest.raises(ValueError, match=r"^data: .*new.csv: expected a column 'vote'"):
        net.accuracy(file)


def test_copies_pickles_and_json_are_equal_and_the_table_does_not_change(table):
    for made in (
        copy.deepcopy(table),
        pickle.loads(pickle.dumps(table)),
        Table.from_state(json.loads(json.dumps(table.state()))),
    ):
        assert made == table
        assert made.encode(PEOPLE).tolist() == ENCODED
    with pytest.raises(AttributeError):
        table.target = "age"


def damaged():
    state = Table.fit(PEOPLE, "vote").state()
    yield "no object", [], "expected an object with columns, target"
    for key in state:
        yield f"no {key}", {k: v for k, v in state.items() if k != key}, "expected an object with"
    wrong = {
        "columns": [[], [3], [{"name": "x"}], [{"name": "x", "categories": []}],
                    [{"name": "x", "mean": "0", "indicator": False}]],
        "target": [3, {"name": 3, "classes": None}, {"name": "y", "classes": ["a"]},
                   {"name": "y", "classes": ["a", "a"]}, {"name": "y", "classes": ["a", 1]}],
        "standardize": [3, {"mean": [0.0], "deviation": [1.0], "features": ["x"]}],
        "unknown": ["x", 3],
        "missing": ["x", None],
    }  # fmt: skip
    for key, values in wrong.items():
        for value in values:
            yield f"{key} {value}", {**state, key: value}, "expected "


@pytest.mark.parametrize(
    ("state", "message"), [d[1:] for d in damaged()], ids=[d[0] for d in damaged()]
)
def test_a_damaged_state_is_refused(state, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Table.from_state(state)


def test_a_network_of_other_sizes_is_refused(table):
    with pytest.raises(ValueError, match=r"^inputs: expected 5 features, .* got 6"):
        fastnet.Network([5, 2], inputs=table)
    with pytest.raises(ValueError, match=r"^classes: expected 3"):
        fastnet.Network([6, 3], inputs=table)


# ---- names of classes and columns in data sets and networks


def of_two_columns(classes="pq", columns=("a", "b"), n=80):
    """Rows whose class depends on the first column."""
    x, z = np.random.default_rng(3).normal(size=(2, n))
    y = [classes[int(one > 0)] for one in x]
    return {columns[0]: x, columns[1]: z, "y": y}


def test_a_data_set_has_the_names_of_the_tables_classes_and_columns(table):
    data = table.dataset(PEOPLE)
    assert (data.features, data.classes) == (FEATURES, ("no", "yes"))
    _, training, validation = Table.split(of_two_columns(), "y")
    for one in (training, validation):
        assert (one.features, one.classes) == (("a", "b"), ("p", "q"))
    numbers = Table.fit({"a": [1.5, 2.5], "y": [0.25, 0.75]}, "y").dataset({"a": [1], "y": [2]})
    assert (numbers.features, numbers.classes, numbers.y.tolist()) == (("a",), None, [[2.0]])


@pytest.mark.parametrize("trained_on", ["rows", "data set"])
def test_a_network_with_the_classes_in_another_order_matches_labels_by_name(trained_on):
    rows = of_two_columns()
    table = Table.fit(rows, "y")
    net = fastnet.Network(table.sizes(4), "log-likelihood", inputs=table, classes=["q", "p"],
                          seed=1)  # fmt: skip
    net.SGD(rows if trained_on == "rows" else table.dataset(rows), 60, 8, 0.5, verbose=False)
    right = (net.predict_labels(rows) == rows["y"]).sum()
    assert right > 70
    X = table.encode(rows)
    assert net.accuracy(rows) == net.accuracy(table.dataset(rows)) == right
    assert net.accuracy((X, rows["y"])) == right
    assert own_data.score(net, table.dataset(rows)).accuracy == right / 80


def test_the_data_set_of_another_table_counts_by_the_names_of_the_classes():
    rows = of_two_columns("ac")
    net_rows = {name: [*column, *column] for name, column in rows.items()}
    net_rows["y"] = [*rows["y"], *["b"] * 80]
    table, other = Table.fit(net_rows, "y"), Table.fit(rows, "y")
    net = fastnet.Network(table.sizes(4), "log-likelihood", inputs=table, seed=1)
    net.SGD(net_rows, 20, 8, 0.5, verbose=False)
    assert net.accuracy(other.dataset(rows)) == net.accuracy(rows)


@pytest.mark.parametrize("method", ["SGD", "accuracy"])
def test_the_data_set_of_a_table_with_other_columns_is_refused(method):
    rows = {**of_two_columns(), "kind": ["u", "v"] * 40}
    table = Table.fit(rows, "y")
    net = fastnet.Network(table.sizes(4), "log-likelihood", inputs=table, seed=1)
    swapped = {name: rows[name] for name in ("b", "a", "kind", "y")}
    for other in (swapped, {**rows, "kind": ["u", "w"] * 40}):
        data = Table.fit(other, "y").dataset(other)
        with pytest.raises(ValueError, match=r"expected a Dataset of the features \['a', 'b', "):
            net.SGD(data, 1, 8, 0.5) if method == "SGD" else net.accuracy(data)


@pytest.mark.parametrize("classes", [["q", "z"], ["P", "q"], [0, 1]])
def test_classes_of_a_network_that_are_not_those_of_its_table_are_refused(classes, tmp_path):
    rows = of_two_columns()
    table = Table.fit(rows, "y")
    message = r"classes: expected those of inputs, \['p', 'q'\], in any order, got \["
    with pytest.raises(ValueError, match=f"^{message}"):
        fastnet.Network(table.sizes(4), inputs=table, classes=classes)
    fastnet.Network(table.sizes(4), inputs=table).save(tmp_path / "net.json")
    state = json.loads((tmp_path / "net.json").read_text())
    (tmp_path / "net.json").write_text(json.dumps({**state, "classes": classes}))
    with pytest.raises(ValueError, match=f"net.json: {message}"):
        fastnet.load(tmp_path / "net.json")


def test_classes_of_a_network_whose_table_predicts_numbers_are_refused():
    table = Table.fit({"a": [1.5, 2.5], "y": [0.25, 0.75]}, "y")
    with pytest.raises(ValueError, match=r"^classes: expected None, since inputs predict a number"):
        fastnet.Network(table.sizes(4), inputs=table, classes=["p", "q"])


# ---- texts that are numbers


def text_rows(n=40):
    """Rows as ``csv.DictReader`` reads them: all values are texts."""
    return [{"x": str(i / 2), "g": "ab"[i % 2], "y": str(i * 1.5)} for i in range(n)]


def test_texts_that_are_numbers_are_read_as_numbers_in_every_form():
    rows = text_rows()
    numbers = [{"x": float(row["x"]), "g": row["g"], "y": float(row["y"])} for row in rows]
    table = Table.fit(rows, "y")
    assert table == Table.fit(numbers, "y")
    assert table.task == "regression"
    assert table.dataset(rows).y.tolist() == table.dataset(numbers).y.tolist()
    assert table.encode({"x": "1.5", "g": "a"}).tolist() == [[1.5, 1.0, 0.0]]
    with pytest.raises(ValueError, match=r"^data, row 0, column 'x': expected a number, got 'b'$"):
        table.encode({"x": "b", "g": "a"})
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    assert Table.fit(pandas.DataFrame(rows), "y") == table
    as_categories = pandas.DataFrame({"x": pandas.Categorical(["1", "2"] * 5), "y": [1.5] * 10})
    assert Table.fit(as_categories, "y").features == ("x",)
    assert Table.fit(as_categories, "y", categorical=["x"]).features == ("x=1", "x=2")


def test_missing_texts_among_numbers_are_missing_numbers():
    table = Table.fit({"x": ["1", "", "NA", None, "3"], "y": [1.5, 2, 3, 4, 5]}, "y")
    assert table.features == ("x", "x is missing")
    assert table.encode({"x": ["4", ""]}).tolist() == [[4, 0], [2, 1]]


def test_a_target_of_number_texts_has_text_classes_or_is_a_regression():
    data = {"x": range(60), "y": ["1", "2"] * 30}
    table = Table.fit(data, "y")
    assert table.classes == ("1", "2")
    assert table.dataset(data).y.tolist() == [0, 1] * 30
    assert Table.fit(data, "y", task="regression").dataset(data).y[:2].tolist() == [[1.0], [2.0]]
    booleans = Table.fit({"x": [1, 2], "y": ["True", "False"]}, "y")
    assert booleans.classes == ("False", "True")


def test_texts_of_booleans_are_numbers_in_a_column_of_booleans():
    table = Table.fit({"b": [True, False], "y": [1.5, 2.5]}, "y")
    assert table.encode({"b": ["true", "False"]}).tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize("options", [{"cost": "quadratic", "output": "linear"}, {}])
def test_a_network_whose_table_predicts_numbers_predicts_no_labels(options):
    rows = {"a": [1.5, 2.5, 3.5], "y": [0.25, 0.75, 0.5]}
    table = Table.fit(rows, "y")
    net = fastnet.Network(table.sizes(4), inputs=table, **options)
    with pytest.raises(ValueError, match=r"^predict_labels: .* classes, got one whose inputs have"):
        net.predict_labels(rows)
    assert net.feedforward(rows).shape == (3, 1)


# ---- columns that are not needed


def dated(columns, library):
    """The columns with a column "k" of dates, as a frame or a dict."""
    days = np.array(["2020-01-01", "2020-01-02"] * (len(columns["y"]) // 2), "datetime64[D]")
    if library == "dict":
        return {**columns, "k": days.tolist()}
    module = pytest.importorskip(library, reason=f"{library} is not installed")
    return module.DataFrame({**columns, "k": days.astype("datetime64[ns]")})


@pytest.mark.parametrize("library", ["dict", "pandas", "polars"])
def test_columns_that_are_not_needed_may_have_any_values(library):
    columns = {"x": [1.5, 2.5, 3.5, 4], "y": ["a", "b"] * 2}
    table = Table.fit(dated(columns, library), "y", drop=["k"])
    assert table == Table.fit(columns, "y")
    assert table.encode(dated(columns, library)).tolist() == table.encode(columns).tolist()
    assert table.encode({"x": [1], "z": [[3]], "u": [np.inf]}).tolist() == [[1]]
    with pytest.raises(ValueError, match=r"^data: expected a column 'x', got 'z'"):
        table.encode({"z": [3]})
    with pytest.raises(ValueError, match=r"^drop: expected other columns than the target, got 'y'"):
        Table.fit(columns, "y", drop=["y"])


@pytest.mark.parametrize("library", ["dict", "pandas", "polars"])
def test_dates_that_are_declared_are_the_categories_of_their_texts(library):
    data = dated({"x": [1.5, 2.5, 3.5, 4], "y": ["a", "b"] * 2}, library)
    table = Table.fit(data, "y", categorical=["k"])
    assert table.categories == {"k": ("2020-01-01", "2020-01-02")}
    encoded = table.encode(io.BytesIO(b"x,k\n0,2020-01-02\n"))
    assert encoded.tolist() == [[0, 0, 1]]
    assert table.encode(data)[:, 1:].tolist() == [[1, 0], [0, 1]] * 2


def test_columns_of_one_name_in_a_file_are_refused_only_if_they_are_needed():
    text = b"a,x,a,y\n1,2,3,a\n2,3,4,b\n"
    assert Table.fit(io.BytesIO(text), drop=["a"]).columns == ("x",)
    table = Table.fit({"x": [1, 2], "y": ["a", "b"]}, "y")
    assert table.encode(io.BytesIO(text)).tolist() == [[2], [3]]
    with pytest.raises(ValueError, match=r"line 1: expected different names of columns, got 'a'"):
        Table.fit(io.BytesIO(text))
    with pytest.raises(ValueError, match=r"line 1: expected different names of columns, got 'x'"):
        table.encode(io.BytesIO(b"x,x\n1,2\n"))


# ---- categories of the same value in frames and files


def test_categories_of_a_frame_are_those_of_its_csv_file():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(
        {
            "zip": [8001, 8002, None, 8003] * 20,
            "flag": [True, False, None, True] * 20,
            "day": pandas.to_datetime(["2020-01-01", "2020-01-02", None, DATES[0]] * 20),
            "time": pandas.to_datetime(["2020-01-01 00:00", "2020-01-02 12:30"] * 40),
            "y": np.arange(80) + 0.5,
        }
    )
    names = ["zip", "flag", "day", "time"]
    file = frame.to_csv(index=False).encode()
    of_frame = Table.fit(frame, "y", categorical=names)
    of_file = Table.fit(io.BytesIO(file), "y", categorical=names)
    assert of_frame == of_file
    assert of_frame.categories["zip"] == ("8001", "8002", "8003", None)
    assert of_frame.categories["time"] == ("2020-01-01", "2020-01-02 12:30:00")
    expected = of_frame.encode(frame).tolist()
    assert of_frame.encode(io.BytesIO(file)).tolist() == expected
    assert of_file.encode(frame).tolist() == expected
    lower = file.replace(b"True", b"true").replace(b"False", b"FALSE")
    assert Table.fit(io.BytesIO(lower), "y", categorical=names) == of_file
    assert of_file.encode(io.BytesIO(lower)).tolist() == expected


def test_texts_that_differ_in_training_rows_stay_different_categories():
    table = Table.fit({"v": ["1", "1.0", "1.10", "1.1"], "y": [1.5, 2, 3, 4]}, "y",
                      categorical=["v"])  # fmt: skip
    assert table.categories == {"v": ("1", "1.0", "1.1", "1.10")}
    assert table.encode({"v": ["1.0", "1"]}).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    mixed = Table.fit({"v": ["1.0", "x", "true", ""], "y": [1.5, 2, 3, 4]}, "y", categorical=["v"])
    assert mixed.categories == {"v": ("", "1.0", "true", "x")}
    assert mixed.encode({"v": [1, True, None]}).argmax(axis=1).tolist() == [1, 2, 0]


def test_a_saved_table_whose_categories_are_written_as_floats_takes_integers():
    state = Table.fit({"v": ["8001", "8002"], "y": [1.5, 2]}, "y", categorical=["v"]).state()
    old = json.loads(json.dumps(state).replace("8001", "8001.0"))
    assert Table.from_state(old).encode({"v": [8001, 8002]}).tolist() == [[1, 0], [0, 1]]


def test_a_missing_field_of_a_file_and_its_text_in_a_frame_are_one_category():
    table = Table.fit(io.BytesIO(b"g,y\na,1.5\nNA,2\n,3\n"))
    assert table.categories == {"g": ("a", None)}
    assert table.encode({"g": ["", "NA", None, "a"]}).tolist() == [[0, 1]] * 3 + [[1, 0]]


def test_large_integers_are_different_categories():
    data = {"x": [2**60, 2**60 + 1] * 10, "y": np.arange(20) + 0.5}
    expected = {"x": (str(2**60), str(2**60 + 1))}
    assert Table.fit(data, "y", categorical=["x"]).categories == expected
    arrays = {**data, "x": np.array(data["x"])}
    assert Table.fit(arrays, "y", categorical=["x"]).categories == expected


def test_infinity_is_no_category():
    with pytest.raises(ValueError, match=r"^data: row 1, column 'x': expected finite numbers, got"):
        Table.fit({"x": [1, np.inf], "y": [1.5, 2]}, "y", categorical=["x"])
    with pytest.raises(ValueError, match=r"^data: row 1, column 'x': expected finite numbers, got"):
        Table.fit({"x": ["a", np.float32(np.inf)], "y": [1.5, 2]}, "y", categorical=["x"])


def test_classes_keep_their_texts_and_match_those_of_other_forms():
    frame = {"x": [1, 2, 3, 4], "y": [8001.0, 8002.0] * 2}
    file = io.BytesIO(b"x,y\n1,8001.0\n2,8002.0\n")
    table = Table.fit(frame, "y", categorical=["y"])
    assert table.classes == ("8001", "8002")
    assert table.dataset(file).y.tolist() == [0, 1]
    file.seek(0)
    assert Table.fit(file, categorical=["y"]).classes == ("8001.0", "8002.0")
    codes = io.BytesIO(b"x,y\n1,01\n2,02\n")
    assert Table.fit(codes, categorical=["y"]).classes == ("01", "02")
    answers = Table.fit(io.BytesIO(b"x,y\n1,true\n2,false\n"), "y", categorical=["y"])
    assert answers.classes == ("false", "true")
    assert answers.dataset({"x": [1, 2], "y": [True, False]}).y.tolist() == [1, 0]
    named = Table.fit({"x": [1, 2], "y": ["NA", "b"]}, "y")
    with pytest.raises(ValueError, match=r"line 2, column 'y': expected one of the classes 'NA'"):
        named.dataset(io.BytesIO(b"x,y\n1,NA\n"))


def test_the_numbers_of_categories_are_looked_up_once_for_all_rows():
    class Counted(tuple):
        n_iterations = 0

        def __iter__(self):
            Counted.n_iterations += 1
            return super().__iter__()

    table = Table.fit({"g": ["a", "b"], "y": [1.5, 2]}, "y")
    column = CategoryColumn("g", Counted(("a", "b")))
    table = Table([column], Target("y", None), table.standardize)
    assert table.encode({"g": "b"}).tolist() == [[0, 1]]
    first = Counted.n_iterations
    assert table.encode({"g": "b"}).tolist() == [[0, 1]]
    assert Counted.n_iterations == first


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda net, rows: net.feedforward(rows), "a"),
        (lambda net, rows: net.predict_labels(rows), "X"),
        (lambda net, rows: net.accuracy(rows), "data"),
        (lambda net, rows: net.SGD(rows, 1, 1, 0.1), "training_data"),
    ],
)
def test_errors_about_raw_rows_name_the_argument_once(call, name):
    table = Table.fit(PEOPLE, "vote")
    net = fastnet.Network(table.sizes(2), "log-likelihood", inputs=table, seed=0)
    rows = {key: list(values) for key, values in PEOPLE.items()}
    rows["age"][0] = [1]
    with pytest.raises(TypeError, match=rf"^{name}: column 'age': expected numbers"):
        call(net, rows)
    rows["age"] = ["old"] * len(rows["age"])
    with pytest.raises(ValueError, match=rf"^{name}, row 0, column 'age': expected a number"):
        call(net, rows)
    del rows["age"]
    with pytest.raises(ValueError, match=rf"^{name}: expected a column 'age', got"):
        call(net, rows)


@pytest.mark.parametrize("classes", [[1, 2], [False, True]])
def test_an_unknown_class_is_shown_as_a_number_of_python(classes):
    table = Table.fit({"x": [1.5, 2.5] * 10, "y": classes * 10}, "y")
    with pytest.raises(ValueError, match=r"expected one of the classes .*, got 5\.0$"):
        table.dataset({"x": [1.5], "y": [5]})
