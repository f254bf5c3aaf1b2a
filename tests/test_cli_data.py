"""The command line with data of one's own: train DATA, predict, evaluate; pipes and errors."""

import contextlib
import csv
import gzip
import io
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from tables import MADE, REAL, rows_of, target_of, write

import fastnet
import fastnet.cli.train_data
from fastnet import own_data
from fastnet.cli import main
from fastnet.own_data import Examples, Settings

MODULE = [sys.executable, "-P", "-m", "fastnet"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder, with two tables in it."""
    monkeypatch.chdir(tmp_path)
    for name in MADE:
        write(f"{name}.csv", *rows_of(name))
    return tmp_path


def run(capsys, *arguments):
    """What the command prints."""
    assert main([*arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def read(file):
    with open(file, newline="", encoding="utf-8") as content:
        return [*csv.reader(content)]


def refused(capsys, *arguments):
    """The one line of the error."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert re.fullmatch(r"fastnet[^\n]*: error: [^\n]+\n", err)
    return err.partition("error: ")[2][:-1], out


# ---- three commands


@pytest.mark.parametrize("name", [*REAL, *MADE])
def test_three_commands_lead_from_a_file_to_predictions(name, capsys):
    if name in REAL:
        pytest.importorskip("sklearn", reason="scikit-learn has the data")
    header, rows = rows_of(name)
    write("data.csv", header, rows[:-30])
    write("new.csv", header, rows[-30:])
    trained = run(capsys, "train", "data.csv", "--target", target_of(name), "--save", "net.json")
    evaluated = run(capsys, "evaluate", "net.json", "new.csv")
    predicted = run(capsys, "predict", "net.json", "new.csv").splitlines()
    net = fastnet.load("net.json")
    expected = fastnet.fit_table("data.csv", target_of(name), seed=0)
    assert net == expected.net
    assert f"examples: {expected.score}" in trained
    score = own_data.score(net, net.inputs.dataset("new.csv"))
    assert evaluated.startswith(f"30 examples: {score}\n")
    if {**REAL, **MADE}[name]:
        assert predicted == [str(value) for value in net.feedforward("new.csv")[:, 0]]
        assert len(set(predicted)) > 10
    else:
        assert predicted == [str(label) for label in net.predict_labels("new.csv")]
        assert len(set(predicted)) > 1


def test_train_says_what_it_takes_the_data_for_and_what_it_does(capsys):
    out = run(
        capsys, "train", "penguins.csv", "--target", "species", "--epochs", "30", "--seed", "3"
    )
    table, training, validation = fastnet.Table.split("penguins.csv", "species", seed=3)
    lines = out.splitlines()
    assert lines[:4] == [
        "penguins.csv: 344 rows; target 'species': classification, 3 classes: Adelie, Chinstrap, "
        "Gentoo, as it is text",
        "Inputs: 4 columns of numbers; 2 of texts, one-hot: island (3), sex (3); 5 with missing "
        "values; 14 in all".replace("14", str(table.n_out)),
        f"Network: {table.sizes(50)}, tanh neurons, softmax outputs, log-likelihood cost, float32",
        "Training: 275 examples, 69 held out; adam, eta 0.001, lmbda 0.1, mini-batches of 32, at "
        "most 30 epochs, until the validation cost has not fallen for 20",
    ]
    assert re.fullmatch(
        r"Trained 30 epochs in (\d+\.\d\d s|\d[\d.]* ms), "
        r"the validation cost was lowest in epoch 30",
        lines[4],
    )
    assert lines[5].startswith("Validation, 69 examples: accuracy ")
    most = np.bincount(training.y).argmax()
    assert lines[5].endswith(f"frequent class: {(validation.y == most).mean():.2%})")
    assert len(lines) == 6


def test_a_guessed_task_is_said_and_can_be_chosen(capsys):
    write("count.csv", ["x", "n"], [[i, i % 4] for i in range(100)])
    guessed = run(capsys, "train", "count.csv", "--epochs", "1")
    assert (
        "classification, 4 classes: 0, 1, 2, 3 (guessed; --task regression changes it)" in guessed
    )
    chosen = run(capsys, "train", "count.csv", "--epochs", "1", "--task", "regression")
    assert "target 'n': regression\n" in chosen
    assert "Validation, 20 examples: R² " in chosen


def test_a_column_that_only_counts_the_rows_is_noted(capsys):
    rows = [[i + 5, i, i % 7, 1.5 * (i % 7)] for i in range(40)]
    write("counted.csv", ["id", "line", "x", "y"], rows)
    out = run(capsys, "train", "counted.csv", "--epochs", "1")
    assert "\nNote: id, line only count the rows; --drop leaves them out\n" in out
    assert "Note" not in run(
        capsys, "train", "counted.csv", "--epochs", "1", "--drop", "id", "line"
    )


@pytest.mark.parametrize(("rare", "noted"), [(4, "1 held-out row has a category"), (16, None)])
def test_held_out_rows_of_unknown_categories_are_noted(capsys, rare, noted):
    n = 60
    makes = [f"rare{i}" if i < rare else "ab"[i % 2] for i in range(n)]
    write("cars.csv", ["make", "price"], [[m, 1.5 * i] for i, m in enumerate(makes)])
    arguments = ["train", "cars.csv", "--save", "cars.json", "--epochs", "2"]
    note = run(capsys, *arguments).splitlines()[2]
    table, _, validation = fastnet.Table.split("cars.csv")
    is_zero = ~validation.X.any(axis=1)
    known = table.categories["make"]
    unknown = [make for make in makes if make not in known]
    assert len(unknown) == is_zero.sum() > 0
    if noted is None:
        assert len(unknown) > 1
        noted = f"{len(unknown)} held-out rows have categories"
    assert note.startswith(
        f"Note: {noted} that no training row has, such as {unknown[0]!r} in make; "
    )
    assert note.endswith(" refuse such rows unless train is given --unknown ignore")
    refused(capsys, "evaluate", "cars.json", "cars.csv")
    assert "Note" not in run(capsys, *arguments, "--unknown", "ignore")
    assert run(capsys, "evaluate", "cars.json", "cars.csv").startswith("60 examples")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.00041, "0.41 ms"), (0.0234, "23.4 ms"), (0.25, "0.25 s"), (75, "75.00 s")],
)
def test_short_times_are_in_milliseconds(seconds, shown, capsys, monkeypatch):
    times = iter([10.0, 10 + seconds])
    monkeypatch.setattr(fastnet.cli.train_data.time, "perf_counter", lambda: next(times, 100.0))
    monkeypatch.setattr(own_data, "train", lambda *_, **__: fastnet.History([], [], [], []))
    assert f"Trained 0 epochs in {shown}\n" in run(capsys, "train", "tips.csv")


def test_the_precision_is_chosen_by_the_targets_unless_it_is_told(capsys):
    write("far.csv", ["x", "y"], [[i * i, 1e9 + i] for i in range(40)])
    assert "quadratic cost, float64\n" in run(capsys, "train", "far.csv", "--epochs", "1")
    told = run(capsys, "train", "far.csv", "--epochs", "1", "--dtype", "float32")
    assert "quadratic cost, float32\n" in told


OPTIONS = [
    "--hidden", "7", "5", "--neurons", "relu", "--cost", "huber:2.0", "--epochs", "9",
    "--mini-batch-size", "11", "--eta", "0.02", "--lmbda", "0.3", "--l1", "0.1", "--dropout",
    "0.1", "--optimizer", "momentum", "--seed", "5", "--dtype", "float64", "--initializer", "he",
    "--validation-fraction", "0.25", "--patience", "3",
]  # fmt: skip


def test_every_option_does_what_python_does(capsys):
    run(capsys, "train", "tips.csv", *OPTIONS, "--save", "net.json")
    table, training, validation = fastnet.Table.split(
        "tips.csv", "tip", validation_fraction=0.25, seed=5
    )
    net = fastnet.Network(
        table.sizes(7, 5), fastnet.HuberCost(2.0), output="linear", dtype="float64", seed=5,
        hidden="relu", initializer="he", inputs=table,
    )  # fmt: skip
    settings = Settings(9, 11, 0.02, 0.3, 0.1, 0.1, fastnet.Momentum(0.9), 3)
    own_data.train(net, Examples(training, validation), settings)
    assert fastnet.load("net.json") == net


def test_options_of_the_table_reach_it(capsys):
    options = ["--target", "tip", "--categorical", "size", "--drop", "day", "time", "--unknown",
               "ignore", "--no-standardize", "--epochs", "1"]  # fmt: skip
    run(capsys, "train", "tips.csv", *options, "--save", "net.json")
    table, _, _ = fastnet.Table.split(
        "tips.csv", "tip", categorical=["size"], drop=["day", "time"], unknown="ignore",
        standardize=False, seed=0,
    )  # fmt: skip
    assert fastnet.load("net.json").inputs == table
    message, _ = refused(capsys, "train", "tips.csv", "--missing", "error")
    assert re.match(
        r"DATA: tips.csv, line \d+, column 'total_bill': expected a number, got a missing", message
    )


@pytest.mark.parametrize("optimizer", [[], ["--optimizer", "adam"], ["--optimizer", "plain"]])
def test_the_rate_suits_the_optimizer(capsys, optimizer):
    out = run(capsys, "train", "tips.csv", "--epochs", "1", *optimizer)
    words = "plain gradient descent, eta 0.5," if "plain" in optimizer else "adam, eta 0.001,"
    assert words in out


def test_test_data_are_scored_at_the_end_and_train_nothing(capsys):
    header, rows = rows_of("penguins")
    write("train.csv", header, rows[:250])
    write("test.csv", header, rows[250:])
    common = ["train", "train.csv", "--target", "species", "--epochs", "40"]
    out = run(capsys, *common, "--test", "test.csv", "--save", "net.json")
    run(capsys, *common, "--save", "without.json")
    net = fastnet.load("net.json")
    assert net == fastnet.load("without.json")
    right = net.accuracy("test.csv") / 94
    assert f"\nTest, 94 examples: accuracy {right:.2%} (" in out


def test_without_held_out_data_all_rows_are_learnt_for_all_epochs(capsys):
    out = run(
        capsys,
        "train",
        "tips.csv",
        "--validation-fraction",
        "0",
        "--epochs",
        "4",
        "--save",
        "a.json",
    )
    assert "Training: 400 examples; adam" in out
    assert "Trained 4 epochs" in out
    assert re.search(r"\nTraining data, 400 examples: R² ", out)
    table = fastnet.Table.fit("tips.csv", "tip")
    net = fastnet.Network(table.sizes(50), "quadratic", output="linear", hidden="tanh", seed=0,
                          inputs=table)  # fmt: skip
    own_data.train(net, Examples(table.dataset("tips.csv")), Settings(epochs=4))
    assert fastnet.load("a.json") == net


def test_zero_epochs_save_and_score_the_initial_network(capsys):
    out = run(capsys, "train", "tips.csv", "--epochs", "0", "--save", "net.json")
    assert "Trained 0 epochs in" in out
    assert fastnet.load("net.json").inputs.target == "tip"


def test_patience_of_zero_trains_all_epochs(capsys):
    assert "Trained 300 epochs" in run(capsys, "train", "penguins.csv", "--target", "species",
                                       "--epochs", "300", "--patience", "0")  # fmt: skip


# ---- arrays

LABELS = np.arange(90) % 3
PIXELS = np.random.default_rng(5).integers(100, size=(90, 5, 4)).astype(np.uint8)
PIXELS[np.arange(90), LABELS] += 150
REALS = np.random.default_rng(6).normal(size=(90, 4)) + 3 * np.eye(4)[LABELS]


def save_arrays(X, y, form):
    """Write X and y in a form; returns DATA."""
    if form == "npz":
        np.savez("data.npz", X=X, y=y)
        return ["data.npz"]
    if form == "npy":
        np.save("X.npy", X)
        np.save("y.npy", y)
        return ["X.npy", "y.npy"]
    fastnet.write_idx("X.idx", X)
    fastnet.write_idx("y.idx", y.astype(np.uint8))
    return ["X.idx", "y.idx"]


@pytest.mark.parametrize("form", ["npz", "npy", "idx"])
def test_images_with_labels_are_trained_predicted_and_evaluated(form, capsys):
    data = save_arrays(PIXELS, LABELS, form)
    out = run(capsys, "train", *data, "--epochs", "60", "--save", "net.json")
    assert (
        "90 examples of 20 uint8 features, pixels times 1/256; classification, 3 classes: 0, 1, 2"
        in out
    )
    net = fastnet.load("net.json")
    assert (net.input_scale, net.classes, net.inputs) == (1 / 256, (0, 1, 2), None)
    X = PIXELS.reshape(90, 20)
    predicted = run(capsys, "predict", "net.json", data[0]).splitlines()
    assert predicted == [str(label) for label in net.predict_labels(X)]
    right = (net.predict_labels(X) == LABELS).mean()
    assert right > 0.9
    assert run(capsys, "evaluate", "net.json", *data).startswith(
        f"90 examples: accuracy {right:.2%}"
    )


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize("kind", ["text", "numbers", "one-hot", "two targets"])
def test_arrays_of_reals_have_classes_or_numbers_as_targets(form, kind, capsys):
    y = {
        "text": np.array(["a", "b", "c"])[LABELS],
        "numbers": REALS @ [[1.0], [2.0], [0.0], [0.5]] + 7,
        "one-hot": np.eye(3)[LABELS],
        "two targets": REALS[:, :2] * 10,
    }[kind]
    data = save_arrays(REALS, y, form)
    out = run(capsys, "train", *data, "--standardize", "--epochs", "100", "--save", "net.json")
    net = fastnet.load("net.json")
    assert net.inputs.name == "standardize"
    printed = run(capsys, "predict", "net.json", data[0]).splitlines()
    if kind in ("text", "one-hot"):
        names = net.predict_labels(REALS)
        assert printed == [str(label) for label in names]
        known = y if kind == "text" else LABELS
        assert (names == known).mean() > 0.8
    else:
        assert "regression" in out
        outputs = net.feedforward(REALS)
        assert np.array([line.split(",") for line in printed], float) == pytest.approx(outputs)
    assert run(capsys, "evaluate", "net.json", *data).startswith("90 examples: ")


def test_labels_of_an_npz_file_may_be_texts_of_numbers(capsys):
    np.savez("d.npz", X=REALS[:60], y=np.array(["1", "2"] * 30))
    run(capsys, "train", "d.npz", "--epochs", "2", "--save", "net.json")
    assert fastnet.load("net.json").classes == ("1", "2")
    assert run(capsys, "evaluate", "net.json", "d.npz").startswith("60 examples: accuracy")


def test_an_npz_file_with_test_data_is_scored_on_them(capsys):
    np.savez(
        "d.npz", x_train=REALS[:60], y_train=LABELS[:60], x_test=REALS[60:], y_test=LABELS[60:]
    )
    out = run(capsys, "train", "d.npz", "--epochs", "50", "--save", "net.json")
    net = fastnet.load("net.json")
    right = net.accuracy(fastnet.Dataset(REALS[60:], LABELS[60:])) / 30
    assert f"Test, 30 examples: accuracy {right:.2%}" in out


# ---- predict and evaluate


@pytest.fixture
def models(capsys):
    """Networks for both tables: penguins.json and tips.json."""
    for name in MADE:
        run(capsys, "train", f"{name}.csv", "--target", target_of(name), "--save", f"{name}.json",
            "--epochs", "60")  # fmt: skip


def test_probabilities_are_the_outputs_of_each_class(models, capsys):
    text = run(capsys, "predict", "penguins.json", "penguins.csv", "--probabilities")
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["species", "Adelie", "Chinstrap", "Gentoo"]
    net = fastnet.load("penguins.json")
    outputs = net.feedforward("penguins.csv")
    assert np.array([row[1:] for row in rows], float) == pytest.approx(outputs, rel=1e-5)
    assert [row[0] for row in rows] == net.predict_labels("penguins.csv").tolist()


@pytest.mark.parametrize("probabilities", [[], ["--probabilities"]])
def test_predictions_are_written_to_a_file_with_a_header(models, capsys, probabilities):
    out = run(
        capsys, "predict", "penguins.json", "penguins.csv", "--output", "out.csv", *probabilities
    )
    assert out == "344 predictions written to out.csv\n"
    header, *rows = read("out.csv")
    assert header == ["species", "Adelie", "Chinstrap", "Gentoo"][: 4 if probabilities else 1]
    names = fastnet.load("penguins.json").predict_labels("penguins.csv").tolist()
    assert [row[0] for row in rows] == names
    run(capsys, "predict", "tips.json", "tips.csv", "--output", "out.csv")
    header, *rows = read("out.csv")
    assert header == ["tip"]
    predicted = fastnet.load("tips.json").feedforward("tips.csv")
    assert np.array(rows, float) == pytest.approx(predicted, rel=1e-6)


def test_output_to_a_hyphen_is_standard_output_with_a_header(models, folder, capsys):
    before = {*folder.iterdir()}
    header, *names = run(
        capsys, "predict", "penguins.json", "penguins.csv", "--output", "-"
    ).splitlines()
    assert header == "species"
    assert names == fastnet.load("penguins.json").predict_labels("penguins.csv").tolist()
    assert {*folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "option", "other"),
    [
        ("predict tips.json tips.csv --output tips.json", "--output", "MODEL"),
        ("predict tips.json tips.csv --output ./tips.csv", "--output", "DATA"),
        ("train tips.csv --save images --test tips.csv images", "--save", "--test"),
        ("train images labels --save images", "--save", "DATA"),
        ("train --train-labels labels --save ./labels", "--save", "--train-labels"),
        ("train images.svg labels --plot images.svg", "--plot", "DATA"),
        ("evaluate tips.json images.svg --plot images.svg", "--plot", "DATA"),
        ("evaluate images.svg tips.csv --plot images.svg", "--plot", "MODEL"),
        ("demo --model tips.json --html tips.json", "--html", "--model"),
        ("demo digits --images images.svg --save images.svg", "--save", "--images"),
    ],
)
def test_no_command_writes_over_a_file_that_it_reads(
    models, folder, capsys, arguments, option, other
):
    for name in ("images", "labels", "images.svg"):
        (folder / name).write_bytes((folder / "tips.json").read_bytes())
    before = {file: file.read_bytes() for file in folder.iterdir()}
    message, out = refused(capsys, *arguments.split())
    file = arguments.split(f"{option} ")[1].split()[0]
    assert message == f"{option}: expected another file than {other}, got {file!r}"
    assert out == ""
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_one_output_neuron_has_the_probabilities_of_two_classes(capsys):
    net = fastnet.Network([4, 1], seed=0, classes=["low", "high"])
    net.save("net.json")
    np.save("X.npy", REALS)
    text = run(capsys, "predict", "net.json", "X.npy", "--probabilities")
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["prediction", "low", "high"]
    a = net.feedforward(REALS)[:, 0]
    assert np.array([row[1:] for row in rows], float) == pytest.approx(
        np.stack([1 - a, a], axis=1), rel=1e-5
    )
    assert [row[0] for row in rows] == net.predict_labels(REALS).tolist()


def test_evaluate_prints_the_confusion_matrix(models, capsys):
    lines = run(capsys, "evaluate", "penguins.json", "penguins.csv").splitlines()
    net = fastnet.load("penguins.json")
    data = net.inputs.dataset("penguins.csv")
    assert lines[0] == f"344 examples: {own_data.score(net, data)}"
    assert lines[1:3] == ["", "true \\ predicted  Adelie  Chinstrap  Gentoo"]
    labels = net.feedforward(data).argmax(axis=1)
    for i, line in enumerate(lines[3:]):
        name, *counts = line.split()
        assert name == net.classes[i]
        assert [int(c) for c in counts] == [((data.y == i) & (labels == j)).sum() for j in range(3)]
    assert len(lines) == 6


def test_evaluate_matches_the_classes_of_a_network_that_orders_them_in_its_own_way(capsys):
    table = fastnet.Table.fit("penguins.csv", "species")
    classes = ["Gentoo", "Adelie", "Chinstrap"]
    net = fastnet.Network(table.sizes(9), "log-likelihood", inputs=table, classes=classes, seed=1)
    net.SGD("penguins.csv", 20, 10, 0.5, verbose=False)
    net.save("net.json")
    first, _, header, *rows = run(capsys, "evaluate", "net.json", "penguins.csv").splitlines()
    right = net.accuracy("penguins.csv")
    assert right > 300
    assert first.startswith(f"344 examples: accuracy {right / 344:.2%} (")
    assert header.split()[3:] == classes
    assert sum(int(row.split()[1 + i]) for i, row in enumerate(rows)) == right


@pytest.mark.parametrize("command", ["predict", "evaluate", "train"])
def test_a_file_with_an_unclosed_quotation_mark_is_refused_by_its_line(models, capsys, command):
    """In a column that the network does not need, too."""
    header, *rows = read("penguins.csv")
    lines = [",".join([*header, "note"]), *(",".join([*row, ""]) for row in rows)]
    lines[21] += '"5 inch'
    with open("odd.csv", "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    arguments = (
        ["odd.csv", "--drop", "note"] if command == "train" else ["penguins.json", "odd.csv"]
    )
    message, out = refused(capsys, command, *arguments)
    assert message == (
        "DATA: odd.csv, line 22: expected a closing quotation mark, got none up to the end of the "
        "file"
    )
    assert out == ""


def test_line_breaks_in_names_are_escaped_in_lines_and_kept_in_csv(capsys):
    names = ["a\nb", "c\td", "e\u2028f"]
    write("odd.csv", ["x\ny", "label"], [[i % 3, names[i % 3]] for i in range(60)])
    trained = run(capsys, "train", "odd.csv", "--categorical", "x\ny", "--save", "net.json")
    assert len(trained.splitlines()) == 7
    assert r"3 classes: a\nb, c\td, e\u2028f, as it is text" in trained
    assert r"one-hot: x\ny (3)" in trained
    predicted = run(capsys, "predict", "net.json", "odd.csv").splitlines()
    assert predicted == [r"a\nb", r"c\td", r"e\u2028f"] * 20
    matrix = run(capsys, "evaluate", "net.json", "odd.csv").splitlines()[2:]
    assert [line[: line.index("  ")] for line in matrix] == [
        "true \\ predicted", r"a\nb", r"c\td", r"e\u2028f"
    ]  # fmt: skip
    run(capsys, "predict", "net.json", "odd.csv", "--output", "out.csv")
    assert read("out.csv") == [["label"], *([name] for name in names * 20)]


@pytest.mark.parametrize(("shift", "confused"), [(0, 0), (7, 7), (31, 31)])
def test_evaluate_lists_the_most_frequent_confusions_of_many_classes(capsys, shift, confused):
    n = 31  # the network predicts class j for the unit vector j
    names = [f"class {label}" for label in range(n)]
    net = fastnet.Network([n, n], "log-likelihood", output="softmax", seed=0, classes=names)
    net.weights, net.biases = [np.eye(n)], [np.zeros((n, 1))]
    net.save("net.json")
    labels = np.repeat(np.arange(n), np.arange(1, n + 1))  # label times label + 1
    y = np.where(labels < shift, (labels + 1) % n, labels)
    np.savez("many.npz", X=np.eye(n)[labels], y=np.array(names)[y])
    head, empty, *lines = run(capsys, "evaluate", "net.json", "many.npz").splitlines()
    assert head.startswith(f"{n * (n + 1) // 2} examples: accuracy")
    assert empty == ""
    if not shift:
        assert lines == ["No two classes are confused"]
        return
    *rows, last = lines
    assert rows[0].split() == ["true", "predicted", "examples"]
    most = min(confused, 10)
    assert [re.split("  +", row) for row in rows[1:]] == [
        [f"class {(label + 1) % n}", f"class {label}", str(label + 1)]
        for label in range(shift - 1, shift - 1 - most, -1)
    ]
    of = "Of" if most == confused else f"The 10 most frequent of {confused} confusions of"
    assert last == f"{of} 31 classes; --plot FILE.png draws the whole matrix"


@pytest.mark.parametrize("name", MADE)
def test_evaluate_draws_a_picture(models, capsys, name):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    out = run(capsys, "evaluate", f"{name}.json", f"{name}.csv", "--plot", "picture.png")
    assert out.splitlines()[1:] == ["Drawn in picture.png"]
    with open("picture.png", "rb") as file:
        assert file.read(4) == b"\x89PNG"


@pytest.mark.parametrize("name", MADE)
def test_train_draws_the_curves(name, capsys, monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from fastnet import plots

    drawn = []
    draw = plots.training
    monkeypatch.setattr(plots, "training", lambda *a, **k: drawn.append(a[1]) or draw(*a, **k))
    options = ["--target", target_of(name), "--epochs", "3", "--plot", "curves.svg"]
    out = run(capsys, "train", f"{name}.csv", *options)
    assert out.endswith("Curves drawn in curves.svg\n")
    assert drawn == (["accuracy", "cost"] if name == "penguins" else ["cost"])


# ---- pipes


def process(*arguments, **options):
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [*MODULE, *arguments], env=environment, capture_output=True, timeout=60, **options
    )


def test_data_come_from_standard_input_and_no_bar_is_drawn_in_a_pipe(folder):
    content = (folder / "penguins.csv").read_bytes()
    trained = process(
        "train", "-", "--target", "species", "--save", "net.json", "--epochs", "30", input=content
    )
    assert (trained.returncode, trained.stderr) == (0, b"")
    assert trained.stdout.startswith(b"standard input: 344 rows; target 'species'")
    assert b"\r" not in trained.stdout
    assert trained.stdout.count(b"\n") == 7
    predicted = process("predict", "net.json", "-", input=content)
    assert (predicted.returncode, predicted.stderr) == (0, b"")
    names = fastnet.load("net.json").predict_labels("penguins.csv")
    assert predicted.stdout.decode().splitlines() == names.tolist()
    evaluated = process("evaluate", "net.json", "-", input=content)
    assert evaluated.stdout.startswith(b"344 examples: accuracy")
    wrong = process("predict", "net.json", "-", input=b"species\nAdelie\n")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith(
        b"fastnet predict: error: DATA: standard input: expected a column"
    )


@pytest.mark.skipif(not os.path.exists("/dev/fd/0"), reason="the system has no /dev/fd")
def test_data_come_from_dev_stdin_and_from_pipes(models, folder):
    expected = fastnet.load("penguins.json").predict_labels("penguins.csv").tolist()
    content = (folder / "penguins.csv").read_bytes()
    command = ["predict", "penguins.json"]
    for redirected in (False, True):
        with open("penguins.csv", "rb") as file:
            options = {"stdin": file} if redirected else {"input": content}
            predicted = process(*command, "/dev/stdin", **options)
        assert (predicted.returncode, predicted.stderr) == (0, b"")
        assert predicted.stdout.decode().splitlines() == expected
    read_end, write_end = os.pipe()
    with open(write_end, "wb") as pipe:
        pipe.write(content)
    predicted = process(*command, f"/dev/fd/{read_end}", pass_fds=[read_end])
    os.close(read_end)
    assert (predicted.returncode, predicted.stderr) == (0, b"")
    assert predicted.stdout.decode().splitlines() == expected
    trained = process("train", "/dev/stdin", "--target", "species", "--epochs", "1", input=content)
    assert trained.stdout.startswith(b"standard input: 344 rows; target 'species'")


@pytest.mark.skipif(os.name != "posix", reason="closes a pipe")
@pytest.mark.parametrize("options", [[], ["--probabilities"]])
def test_a_reader_that_has_read_enough_ends_predict_silently(models, options):
    header, rows = rows_of("penguins")
    write("many.csv", header, rows * 100)
    with subprocess.Popen(
        [*MODULE, "predict", "penguins.json", "many.csv", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 0


def test_compressed_and_other_separators_are_read(folder, capsys):
    text = (folder / "tips.csv").read_text()
    (folder / "tips.csv.gz").write_bytes(gzip.compress(text.encode()))
    header, rows = rows_of("tips")
    with open("tips.tsv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter="\t").writerows([header, *rows])
    for file in ("tips.csv", "tips.csv.gz", "tips.tsv"):
        run(capsys, "train", file, "--epochs", "2", "--save", f"{file}.json")
    nets = [fastnet.load(f"{file}.json") for file in ("tips.csv", "tips.csv.gz", "tips.tsv")]
    assert nets[0] == nets[1] == nets[2]


@pytest.mark.parametrize(
    ("seen", "tqdm", "verbose"), [(False, True, 0), (True, True, 2), (True, False, 1)]
)
def test_a_bar_is_drawn_where_there_is_a_terminal(seen, tqdm, verbose, capsys, monkeypatch):
    found = []
    monkeypatch.setattr(fastnet.core.reporting, "is_seen", lambda: seen)
    monkeypatch.setattr(
        fastnet.cli.train_data.importlib.util, "find_spec", lambda name: True if tqdm else None
    )

    def train(net, examples, settings, *, monitor_training, verbose):
        found.append(verbose)
        return fastnet.History([1.0], [], [], [])

    monkeypatch.setattr(own_data, "train", train)
    run(capsys, "train", "tips.csv")
    assert found == [verbose]


def test_at_a_terminal_the_bar_has_the_figures_and_standard_output_the_results():
    pytest.importorskip("tqdm", reason="tqdm draws the bar")
    pty = pytest.importorskip("pty", reason="pseudo-terminals of POSIX")
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 180, 0, 0))
    with subprocess.Popen(
        [*MODULE, "train", "penguins.csv", "--target", "species", "--epochs", "5"],
        stdout=subprocess.PIPE, stderr=theirs, text=True,
    ) as child:  # fmt: skip
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # Linux: the other end is closed
            while more := os.read(ours, 4096):
                shown += more
        os.close(ours)
        out = child.stdout.read()
        assert child.wait() == 0
    last = re.split(r"[\r\n]+", shown.decode().strip())[-1]
    assert re.match(r"Epoch 5 / 5: 100%\|.*Accuracy on evaluation data: \d+ / 69  best eval", last)
    assert out.count("\n") == 6
    assert "Validation, 69 examples: accuracy" in out


def test_ctrl_c_saves_the_network_and_scores_it(capsys, monkeypatch):
    sgd = fastnet.Network.SGD

    def stopped(self, data, epochs, *arguments, **options):
        error = KeyboardInterrupt()
        error.history = sgd(self, data, 3, *arguments, **options)
        raise error

    monkeypatch.setattr(fastnet.Network, "SGD", stopped)
    with pytest.raises(SystemExit, match=r"^130$"):
        main(["train", "tips.csv", "--save", "net.json"])
    printed = capsys.readouterr()
    assert printed.err == "fastnet: interrupted after 3 of 1000 epochs\n"
    assert printed.out.endswith("Saved to net.json\n")
    assert "Trained 3 epochs" in printed.out
    net = fastnet.load("net.json")
    assert 1 < net.feedforward("tips.csv").mean() < 10  # in units of the target


# ---- errors

WRONG = [
    ("train nothing.csv", "DATA: nothing.csv: No such file or directory"),
    ("train tips.csv penguins.csv", "DATA: expected one CSV file, got tips.csv penguins.csv"),
    ("train tips.csv --target x", "--target: expected a column of tips.csv, one of 'total_bill'"),
    ("train tips.csv --drop x", "--drop: expected a column of tips.csv, one of 'total_bill'"),
    ("train tips.csv --categorical x", "--categorical: expected a column of tips.csv, one of"),
    ("train tips.csv --drop tip", "--drop: expected other columns than the target, got 'tip'"),
    ("train penguins.csv", "DATA: penguins.csv, line 51, column 'sex': expected a target in each"),
    ("train tips.csv --task classification", "DATA: tips.csv, line 2, column 'tip': expected int"),
    ("train tips.csv --target day --task regression", "DATA: tips.csv, line 2, column 'day': expe"),
    ("train odd.csv", "DATA: odd.csv, line 3, column 'age': expected a number, got 'old'; if they"),
    ("train short.csv", "DATA: short.csv, line 3: expected 2 fields, as the header has, got 1"),
    ("train dates.csv", "DATA: dates.csv, line 2, column 'day': expected numbers or categories, g"),
    ("train tips.csv --validation-fraction 1", "--validation-fraction: expected a number from 0 t"),
    ("train tips.csv --validation-fraction x", "argument --validation-fraction: invalid float val"),
    ("train tips.csv --validation-fraction 0.0001", "--validation-fraction: expected enough examp"),
    ("train tips.csv --patience -1", "--patience: expected 0 or more, got -1"),
    ("train tips.csv --hidden 0", "--hidden: expected numbers of 1 or more, got 0"),
    ("train tips.csv --epochs -1", "--epochs: expected 0 or more, got -1"),
    ("train tips.csv --eta nan", "--eta: expected"),
    ("train tips.csv --mini-batch-size 0", "--mini-batch-size: expected"),
    ("train tips.csv --cost log-likelihood --output linear", "--output: linear does not go"),
    ("train tips.csv --save x.csv", "--save: expected a name for JSON"),
    ("train tips.csv --plot x.csv", "--plot: expected a name that ends in"),
    ("train tips.csv --train-images x", "--train-images: expected no DATA with it, got tips.csv"),
    ("train tips.csv --test nothing.csv", "--test: nothing.csv: No such file or directory"),
    ("train tips.csv --test odd.csv", "--test: odd.csv: expected a column 'total_bill', got 'age'"),
    ("train tips.csv --task ranking", "argument --task: invalid choice: 'ranking'"),
    ("train --target x", "--target: expected DATA before it"),
    ("train --standardize", "--standardize: expected DATA before it"),
    ("train --validation-fraction 0.2", "--validation-fraction: expected DATA before it"),
    ("train X.npy", "DATA: expected a CSV file (.csv, .tsv, .txt), an .npz file, or two files, of"),
    (
        "train X.npy y.npy more.npy",
        "DATA: expected one file of inputs and one of targets, got X.np",
    ),
    ("train bad.npz", "DATA: bad.npz: expected a file of NumPy"),
    ("train cut.npz", "DATA: cut.npz: expected a file of NumPy, found damage: File is not a zip"),
    ("train X.npy bad.npy", "DATA: bad.npy: expected a file of NumPy"),
    ("train X.npy objects.npy", "DATA: objects.npy: expected a file of NumPy with numbers or text"),
    ("train empty.npy y.npy", "DATA: empty.npy: expected a file of NumPy, found damage"),
    ("train . y.npy", "DATA: .: Is a directory"),
    ("train folder.csv", "DATA: folder.csv: Is a directory"),
    ("train X.npy short.npy", "DATA: short.npy: expected 90 targets, as X.npy has inputs, got 8"),
    ("train y.npy y.npy", "DATA: y.npy: expected inputs (n, n_in), got shape (90,)"),
    ("train data.npz --target x", "--target: expected a CSV file as DATA"),
    ("train data.npz y.npy", "DATA: expected one .npz file, got data.npz y.npy"),
    ("train odd.npz", "DATA: odd.npz: expected arrays X and y, or x_train and y_train, found 'Z'"),
    ("train notes.xlsx", "DATA: expected a CSV file (.csv, .tsv, .txt), an .npz file, or two file"),
    (
        "train notes.xlsx notes.xlsx",
        "DATA: notes.xlsx: expected an IDX file, which starts with 00 00",
    ),
    ("train X.npy y.npy --test data.csv data.csv", "--test: data.csv:"),
    (
        "train X.npy y.npy --test wide.npz",
        "--test: wide.npz: expected 4 features, as DATA has, got",
    ),
    (
        "predict net.json tips.csv",
        "DATA: tips.csv: expected arrays (.npz, .npy) or images, since ",
    ),
    ("predict net.json wide.npz", "DATA: wide.npz: expected 4 features per example, the inputs of"),
    ("predict net.json y.npy", "DATA: y.npy: expected inputs (n, n_in), got shape (90,)"),
    ("predict net.json X.npy --output .", "--output: expected a file that can be written, got"),
    ("predict number.json X.npy --probabilities", "--probabilities: expected a network that tells"),
    ("predict nothing.json tips.csv", "MODEL: nothing.json: No such file or directory"),
    ("evaluate net.json tips.csv", "DATA: tips.csv: expected arrays (.npz, .npy) or images with t"),
    ("evaluate net.json X.npy", "DATA: expected a CSV file (.csv, .tsv, .txt), an .npz file, or t"),
    ("evaluate net.json wide.npz", "DATA: wide.npz: expected 4 features per example, the inputs"),
    ("evaluate net.json X.npy five.npy", "DATA: X.npy, row 0, column 'y': expected one of the cla"),
    ("evaluate net.json X.npy y.npy --plot x.csv", "--plot: expected a name that ends in"),
    ("evaluate net.json", "the following arguments are required: DATA"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_a_wrong_option_or_file_ends_with_one_line(arguments, message, folder, capsys):
    (folder / "odd.csv").write_text("age,y\n3,1\nold,2\n4,3\n")
    (folder / "short.csv").write_text("age,y\n3,1\n4\n")
    (folder / "dates.csv").write_text("day,y\n2024-01-31,1\n2024-02-01,2\n")
    (folder / "notes.xlsx").write_bytes(b"PK\x03\x04" + bytes(50))
    np.save("X.npy", REALS)
    np.save("y.npy", LABELS)
    np.save("five.npy", LABELS + 5)
    np.save("short.npy", LABELS[:8])
    np.savez("data.npz", X=REALS, y=LABELS)
    np.savez("wide.npz", X=np.ones((90, 7)), y=LABELS)
    np.savez("odd.npz", Z=REALS)
    np.save("objects.npy", np.array([None] * 90, object))
    (folder / "bad.npz").write_bytes(b"no archive")
    (folder / "cut.npz").write_bytes((folder / "data.npz").read_bytes()[:300])
    (folder / "bad.npy").write_bytes(b"no array at all")
    (folder / "empty.npy").write_bytes(b"")
    (folder / "folder.csv").mkdir()
    fastnet.Network([4, 3], seed=0).save("net.json")
    fastnet.Network([4, 1], "quadratic", output="linear", seed=0).save("number.json")
    found, out = refused(capsys, *arguments.split())
    assert found.startswith(message)
    assert out == ""


@pytest.mark.parametrize(
    ("arguments", "end"),
    [
        ("train odd.csv", "; if they are categories, use --categorical age"),
        ("train spaced.csv", "; if they are categories, use --categorical 'the age'"),
        ("train dates.csv", "or leave it out, --drop day, or use --categorical day"),
        ("train dates.csv --target day", "if they are classes, use --task classification"),
        ("train some.csv --target age", "if they are classes, use --task classification"),
        ("train classes.npz", "if they are classes, use --task classification"),
        ("train empty.csv", "; leave the column out, --drop x"),
        ("train nameless.csv", "; --drop '' leaves it out"),
        ("train known.csv --test other.csv", "; --unknown ignore encodes others as zeros"),
        (
            "predict known.json other.csv",
            "; a training with --unknown ignore encodes others as zeros",
        ),
        (
            "evaluate known.json other.csv",
            "; a training with --unknown ignore encodes others as zeros",
        ),
    ],
)
def test_errors_about_tables_advise_options_that_help(arguments, end, folder, capsys):
    (folder / "odd.csv").write_text("age,y\n3,1\nold,2\n4,3\n")
    (folder / "some.csv").write_text("x,age\n" + "3,1\n2,old\n4,3\n" * 3)
    (folder / "spaced.csv").write_text("the age,y\n3,1\nold,2\n4,3\n")
    (folder / "dates.csv").write_text("day,y\n" + "2024-01-31,1\n2024-02-01,2\n" * 5)
    (folder / "empty.csv").write_text("x,z,y\n,1,1.5\n,2,2.5\n,3,3.5\n")
    (folder / "nameless.csv").write_text(",y\n1,1\n2,2\n")
    (folder / "known.csv").write_text("x,y\n" + "a,1.5\nb,2.5\n" * 5)
    (folder / "other.csv").write_text("x,y\nc,1.5\n")
    np.savez("classes.npz", X=REALS[:60], y=np.array(["1", "2", "c"] * 20))
    run(capsys, "train", "known.csv", "--save", "known.json", "--epochs", "1")
    message, out = refused(capsys, *arguments.split())
    assert message.endswith(end)
    assert out == ""
    if "--task" in end:  # the advice helps
        main([*arguments.split(), "--task", "classification", "--epochs", "1"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train empty.npz", "DATA: empty.npz: expected examples, got none"),
        ("train flat.npz", "DATA: flat.npz: expected inputs (n, n_in), got shape (3,)"),
        ("train deep.npz", "DATA: deep.npz: expected targets (n,) or (n, n_out), got (3, 1, 2)"),
        ("train good.npz --test flat.npz", "--test: flat.npz: expected inputs (n, n_in), got sha"),
        (
            "train complex.npz",
            "DATA: complex.npz: column 'y': expected numbers, booleans or texts, got complex128",
        ),
    ],
)
def test_errors_about_arrays_name_the_file_once(arguments, message, capsys):
    np.savez("good.npz", X=REALS, y=LABELS)
    np.savez("empty.npz", X=np.ones((0, 2)), y=[])
    np.savez("flat.npz", X=np.ones(3), y=np.ones(3))
    np.savez("deep.npz", X=np.ones((3, 2)), y=np.ones((3, 1, 2)))
    np.savez("complex.npz", X=np.ones((3, 2)), y=np.ones(3) + 1j)
    assert refused(capsys, *arguments.split())[0].startswith(message)


def test_the_words_of_the_command_line_end_with_it(capsys):
    with open("odd.csv", "w") as file:
        file.write("age,y\n3,1\nold,2\n4,3\n")
    refused(capsys, "train", "odd.csv")
    with pytest.raises(ValueError, match=r"; if they are categories, name 'age' in categorical$"):
        fastnet.fit_table("odd.csv")
    with pytest.raises(ValueError, match=r'; if they are classes, set task="classification"$'):
        fastnet.fit_table("odd.csv", "age")
