"""``fastnet.Table``: columns as inputs and targets, from files, frames, dicts; refused rows."""

import copy
import io
import json
import pickle

import numpy as np
import pytest

import fastnet
from fastnet import Standardize, Table

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


@pytest.mark.parametrize("date", DATES)
def test_dates_as_text_are_refused_by_name_unless_they_are_declared(date):
    data = {"when": [date] * 4, "y": ["a", "b"] * 2}
    with pytest.raises(ValueError, match=rf"^data, row 0, column 'when': .* got the date '{date}'"):
        Table.fit(data, "y")
    assert Table.fit(data, "y", categorical=["when"]).features == (f"when={date}",)


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
    text = b"a;y\n0,5;1.5\n1,5;2.5\n12;3.5\n-7,25;4\n+1,0;5\n"
    message = r"^the file, line 2, column 'a': expected numbers with a decimal point, got '0,5';"
    with pytest.raises(ValueError, match=message):
        Table.fit(io.BytesIO(text))
    assert Table.fit(io.BytesIO(text), categorical=["a"]).n_out == 5


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


def test_training_takes_raw_rows_with_their_targets(table, net):
    other = fastnet.Network(table.sizes(5), "log-likelihood", inputs=table, seed=1)
    other.SGD(table.dataset(PEOPLE), 5, 2, 0.5, verbose=False)
    assert other == net


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
