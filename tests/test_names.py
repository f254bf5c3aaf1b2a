"""Names of classes and of features: given or taken from the data, in every method and every file;
frames, dicts and lists of dicts as data."""

import copy
import json
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import scipy.sparse

import fastnet
from fastnet import Dataset, Network, Standardize
from fastnet.data import frames
from fastnet.data.input_transform import InputTransform
from fastnet.data.schema import Schema

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(60, 3)) * [1, 10, 100] + [0, 5, 1e3]
CODES = RANDOM.permutation(np.arange(60) % 3)
CLASSES = ("yes", "maybe", "no")  # not sorted
NAMES = np.array(CLASSES)[CODES]
FEATURES = ("age", "height", "income")
SPEC = {"sizes": [3, 4, 3], "epochs": 2, "mini_batch_size": 5, "eta": 0.5, "seed": 1}


def network(classes=CLASSES, **options):
    return Network([3, 4, 3], seed=1, classes=classes, **options)


def trained(data=(X, CODES), classes=CLASSES, **options):
    net = network(classes, **options)
    net.SGD(data, 2, 5, 0.5, verbose=False)
    return net


def equal(first, second):
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    return np.array_equal(first, second)


def pandas():
    return pytest.importorskip("pandas")


def polars():
    return pytest.importorskip("polars")


# ---- labels by name

LABELS = {
    "array": lambda: NAMES,
    "list": lambda: NAMES.tolist(),
    "objects": lambda: NAMES.astype(object),
    "StringDType": lambda: NAMES.astype(np.dtypes.StringDType()),
    "pandas": lambda: pandas().Series(NAMES),
    "pandas objects": lambda: pandas().Series(NAMES, dtype=object),
    "pandas categories": lambda: pandas().Series(NAMES, dtype="category"),
    "pandas Categorical": lambda: pandas().Categorical(NAMES),
    "polars": lambda: polars().Series(NAMES.tolist()),
    "polars categories": lambda: polars().Series(NAMES.tolist(), dtype=polars().Categorical),
}


@pytest.mark.parametrize("form", LABELS)
def test_labels_by_name_train_and_count_as_their_numbers(form):
    if form == "StringDType" and not hasattr(np.dtypes, "StringDType"):
        pytest.skip("this NumPy has no StringDType")
    labels = LABELS[form]()
    net, twin = network(), network(None)
    options = {"monitor_training_cost": True, "verbose": False}
    history = net.SGD((X, labels), 2, 5, 0.5, evaluation_data=(X[:20], labels[:20]), **options)
    assert history == twin.SGD((X, CODES), 2, 5, 0.5, evaluation_data=(X[:20], CODES[:20]),
                               **options)  # fmt: skip
    assert net.weights == twin.weights
    for data in ((X, labels), Dataset(X, labels), (X, CODES)):
        assert net.accuracy(data) == twin.accuracy((X, CODES))
        assert net.total_cost(data, 0.1) == twin.total_cost((X, CODES), 0.1)
        assert equal(net.gradient(data), twin.gradient((X, CODES)))
    net.update_mini_batch((X, labels), 0.5, 0.0, 60)
    twin.update_mini_batch((X, CODES), 0.5, 0.0, 60)
    assert net.weights == twin.weights


def test_pairs_and_single_examples_take_names():
    net, twin = trained(), trained(classes=None)
    pairs = [(x[:, None], name) for x, name in zip(X, NAMES, strict=True)]
    assert net.accuracy(pairs) == twin.accuracy((X, CODES))
    for i in range(5):
        assert equal(net.backprop(X[i], NAMES[i]), twin.backprop(X[i], CODES[i]))
        assert equal(net.backprop(X[i], str(NAMES[i])), net.backprop(X[i], int(CODES[i])))
        assert net.explain(X[i], NAMES[i]).cost == twin.explain(X[i], CODES[i]).cost


def test_pairs_of_a_dict_and_a_label_name_the_features():
    named = [(dict(zip(FEATURES, x, strict=True)), c) for x, c in zip(X, CODES, strict=True)]
    net = trained(named)
    assert net.features == FEATURES
    assert net == trained()
    swapped = [(dict(reversed(x.items())), c) for x, c in named]
    assert net.accuracy(swapped) == net.accuracy((X, CODES))


def test_predict_labels_gives_names():
    inputs = Standardize.fit(X)
    net, twin = trained(inputs=inputs), trained(classes=None, inputs=inputs)
    predicted = net.predict_labels(X)
    assert predicted.dtype == np.array(CLASSES).dtype
    assert len(set(predicted)) > 1
    assert predicted.tolist() == [CLASSES[i] for i in twin.predict_labels(X)]
    assert net.predict_labels(X[0]).shape == (1,)
    assert net.predict_labels(X[:0]).shape == (0,)
    assert net.accuracy((X, predicted)) == 60


@pytest.mark.parametrize(
    ("classes", "dtype"),
    [
        ((3, 7, 5), np.int64),
        ((0.5, 1.5, 2.5), np.float64),
        (("a", 1, True), object),
        (np.array([3, 7, 5]), np.int64),
        (np.array(["x", "y", "z"]), "<U1"),
        ((2**70, 1, 0), object),
    ],
)
def test_other_labels_than_strings_are_names_too(classes, dtype, tmp_path):
    classes = [c for c in classes if c is not True] + [c for c in classes if c is True]
    classes = [False if c is True else c for c in classes]  # True is 1
    labels = np.array(classes, object)[CODES]
    net = trained((X, labels), classes)
    assert net.weights == trained(classes=None).weights
    predicted = net.predict_labels(X)
    assert predicted.dtype == dtype
    assert net.accuracy((X, labels)) == net.accuracy(Dataset(X, CODES))
    assert net.accuracy((X, predicted)) == 60
    net.save(tmp_path / "net.json")
    for again in (fastnet.load(tmp_path / "net.json"), pickle.loads(pickle.dumps(net))):
        assert again.classes == net.classes
        assert [type(one) for one in again.classes] == [type(one) for one in net.classes]


def test_numbers_are_names_if_names_are_numbers_but_for_those_in_a_data_set():
    net = trained((X, CODES + 1), (1, 2, 3))
    assert net.weights == trained(classes=None).weights
    assert net.accuracy((X, CODES + 1)) == net.accuracy(Dataset(X, CODES))
    assert net.accuracy((X, CODES + 1.0)) == net.accuracy(Dataset(X, CODES))
    with pytest.raises(ValueError, match=r"y: expected one of the classes \[1, 2, 3\], got 0 in"):
        net.accuracy((X, CODES))
    assert equal(net.backprop(X[0], 1), net.backprop(X[0], [1, 0, 0]))


def test_one_output_neuron_has_two_classes():
    net = Network([3, 1], seed=1, classes=["off", "on"])
    labels = np.where(X[:, 0] > 0, "on", "off")
    net.SGD((X / [1, 10, 1000], labels), 20, 5, 1.0, verbose=False)
    assert net.accuracy((X / [1, 10, 1000], labels)) > 50
    assert set(net.predict_labels(X)) <= {"on", "off"}
    with pytest.raises(ValueError, match=r"^classes: expected 2, .* got 1: \['on'\]$"):
        Network([3, 1], classes=["on"])


def test_targets_are_no_names():
    assert trained((X, np.eye(3)[CODES])).weights == trained().weights


def test_an_overridden_feedforward_predicts_names():
    class Own(Network):
        def feedforward(self, a):
            return super().feedforward(a)

    net = Own([3, 4, 3], seed=1, classes=CLASSES)
    net.SGD((X, NAMES), 2, 5, 0.5, evaluation_data=(X, NAMES), verbose=False)
    assert net.predict_labels(X).tolist() == trained().predict_labels(X).tolist()
    assert net.accuracy((X, NAMES)) == trained().accuracy((X, NAMES))


def test_weights_of_classes_are_given_by_name():
    weights = {"no": 3.0, "yes": 0.5}
    net, twin = network(), network(None)
    net.SGD((X, NAMES), 2, 5, 0.5, class_weight=weights, verbose=False)
    twin.SGD((X, CODES), 2, 5, 0.5, class_weight={2: 3.0, 0: 0.5}, verbose=False)
    assert net.weights == twin.weights
    numbered = network()
    numbered.SGD((X, NAMES), 2, 5, 0.5, class_weight={2: 3.0, 0: 0.5}, verbose=False)
    assert numbered.weights == twin.weights
    learned = Network([3, 4, 3], seed=1)  # its names are those of the data, sorted
    learned.SGD((X, NAMES), 2, 5, 0.5, class_weight=weights, verbose=False)
    other = Network([3, 4, 3], seed=1, classes=sorted(CLASSES))
    other.SGD((X, NAMES), 2, 5, 0.5, class_weight=weights, verbose=False)
    assert learned == other
    with pytest.raises(ValueError, match=r"^class_weight: expected classes of .*, got 'perhaps'"):
        network().SGD((X, NAMES), 2, 5, 0.5, class_weight={"perhaps": 2}, verbose=False)


# ---- labels that are refused


REFUSED = {
    "training_data": lambda net, data: net.SGD(data, 1, 5, 0.5, verbose=False),
    "evaluation_data": lambda net, data: net.SGD(
        (X, NAMES), 1, 5, 0.5, evaluation_data=data, verbose=False
    ),
    "data": lambda net, data: net.accuracy(data),
    "mini_batch": lambda net, data: net.update_mini_batch(data, 0.5, 0.0, 60),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("kind", [tuple, lambda data: Dataset(*data)], ids=["pair", "Dataset"])
def test_a_label_that_is_no_class_is_refused_by_name(name, kind):
    net, twin = network(), network()
    labels = NAMES.astype(object)
    labels[41] = "perhaps"
    words = rf"^{name}: y: expected one of the classes \['yes', 'maybe', 'no'\], got 'perhaps' in "
    with pytest.raises(ValueError, match=words + "row 41"):
        REFUSED[name](net, kind((X, labels)))
    assert net == twin


@pytest.mark.parametrize("odd", [None, 3, ["yes"], np.nan])
def test_a_label_of_another_kind_is_refused(odd):
    labels = NAMES.astype(object)
    labels[7] = odd
    for net in (network(), network(None)):
        with pytest.raises((TypeError, ValueError), match=r"^training_data: y: expected"):
            net.SGD((X, labels), 1, 5, 0.5, verbose=False)
        assert net.classes == (CLASSES if net.classes else None)


def test_one_label_that_is_no_class_is_refused():
    with pytest.raises(ValueError, match=r"^y: expected one of the classes .*, got 'perhaps'"):
        network().backprop(X[0], "perhaps")


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "training_data"])
def test_names_are_refused_by_a_network_that_knows_none(name):
    net = network(None)
    data = (X, NAMES)
    call = REFUSED[name]
    if name == "evaluation_data":
        call = lambda net, data: net.SGD(  # noqa: E731
            (X, CODES), 1, 5, 0.5, evaluation_data=data, verbose=False
        )
    with pytest.raises(TypeError, match=rf"^{name}: expected integer labels, .*classes=.*'maybe'"):
        call(net, data)
    assert net.classes is None


BAD_CLASSES = {
    "too few": (["a", "b"], "classes: expected 3, one for each class of the network, got 2"),
    "too many": (list("abcd"), "classes: expected 3"),
    "twice": (["a", "b", "a"], "classes: expected different labels, got 'a' twice"),
    "equal numbers": ([1, 0, True], "classes: expected different labels, got True twice"),
    "a text": ("abc", "classes: expected a list of labels, got 'abc'"),
    "a number": (3, "classes: expected a list of labels, got 3"),
    "None among them": (["a", None, "c"], "classes[1]: expected a string, a finite number"),
    "NaN": ([0.5, np.nan, 2.0], "classes[1]: expected a string, a finite number"),
    "lists": ([["a"], "b", "c"], "classes[0]: expected a string, a finite number"),
    "bytes": ([b"a", "b", "c"], "classes[0]: expected a string"),
}


@pytest.mark.parametrize("case", BAD_CLASSES)
def test_classes_that_do_not_fit_are_refused(case):
    classes, words = BAD_CLASSES[case]
    with pytest.raises((TypeError, ValueError)) as caught:
        network(classes)
    assert str(caught.value).startswith(words)


# ---- names taken from the data


@pytest.mark.parametrize("kind", [tuple, lambda data: Dataset(*data)], ids=["pair", "Dataset"])
def test_the_first_training_takes_names_that_the_network_lacks_sorted(kind):
    net = network(None)
    net.SGD(kind((X, NAMES)), 2, 5, 0.5, evaluation_data=kind((X, NAMES)), verbose=False)
    assert net.classes == ("maybe", "no", "yes")
    assert net == trained((X, NAMES), ("maybe", "no", "yes"))
    assert set(net.predict_labels(X)) <= set(CLASSES)
    net.SGD((X, NAMES), 1, 5, 0.5, verbose=False)  # those that it has now


@pytest.mark.parametrize(("n_out", "got"), [(2, "3"), (4, "3")])
def test_another_number_of_names_than_outputs_is_refused(n_out, got):
    net = Network([3, n_out], seed=1)
    with pytest.raises(ValueError, match=rf"^training_data: expected labels of {n_out} classes, .*"
                       rf"got {got}: \['maybe', 'no', 'yes'\] .*classes=.*"):  # fmt: skip
        net.SGD((X, NAMES), 1, 5, 0.5, verbose=False)
    assert net.classes is None


def test_a_training_that_is_refused_takes_no_names():
    net = network(None)
    frame = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]}
    with pytest.raises(ValueError, match=r"^eta"):
        net.SGD((frame, NAMES), 1, 5, -1.0, verbose=False)
    with pytest.raises(ValueError, match=r"^l1|^shift"):
        net.SGD((frame, NAMES), 1, 5, 0.5, shift=1, verbose=False)
    net.SGD((frame, NAMES), 0, 5, 0.5, verbose=False)
    assert net.classes is net.features is None


def test_a_network_trained_on_numbers_refuses_names():
    net = trained(classes=None)
    with pytest.raises(TypeError, match=r"^training_data: expected integer labels"):
        net.SGD((X, NAMES), 1, 5, 0.5, verbose=False)


def test_the_search_for_a_rate_takes_names_and_changes_nothing():
    net = network(None)
    options = {"mini_batch_size": 5, "verbose": False, "class_weight": {"no": 2.0}}
    found = fastnet.find_learning_rate(net, (X / 1e3, NAMES), (X / 1e3, NAMES), **options)
    other = network(("maybe", "no", "yes"))
    same = fastnet.find_learning_rate(other, (X / 1e3, NAMES), (X / 1e3, NAMES), **options)
    assert found[:2] == same[:2]
    assert [t.evaluation_accuracy for t in found.trials] == [
        t.evaluation_accuracy for t in same.trials
    ]
    assert net.classes is None


# ---- names in a data set


def test_a_data_set_of_strings_has_their_names_and_numbers():
    data = Dataset(X, NAMES)
    assert data.classes == ("maybe", "no", "yes")
    assert [data.classes[code] for code in data.y] == NAMES.tolist()
    assert repr(data) == (
        "<Dataset: 60 examples of 3 float64 features, labels of 3 named classes, scale 1>"
    )
    for part in (data[10:20], pickle.loads(pickle.dumps(data)), copy.deepcopy(data)):
        assert part.classes == data.classes
    assert Dataset(X, CODES).classes is None
    with pytest.raises(AttributeError, match=r"^classes: expected no assignment, since"):
        data.classes = None


def test_a_data_set_is_given_names_of_its_numbers():
    data = Dataset(X, CODES, classes=CLASSES, features=FEATURES)
    assert (data.classes, data.features) == (CLASSES, FEATURES)
    net = trained(data, classes=None)
    assert (net.classes, net.features) == (CLASSES, FEATURES)
    assert equal(Dataset(X, NAMES, classes=CLASSES).y, CODES)
    for labels, options, words in (
        (CODES, {"classes": ["a", "b"]}, "y: expected labels from 0 to 1, for the classes"),
        (NAMES, {"classes": ["yes", "no"]}, "y: expected one of the classes"),
        (np.eye(3)[CODES], {"classes": CLASSES}, r"y: expected labels \(n,\) of named classes"),
        (CODES, {"features": ["a"]}, "features: expected 3, got 1"),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            Dataset(X, labels, **options)


def test_data_sets_with_other_names_are_matched_by_name():
    net = trained((X, NAMES))
    part = Dataset(X[CODES != 1], NAMES[CODES != 1])  # only two of the classes occur
    assert part.classes == ("no", "yes")
    assert net.accuracy(part) == net.accuracy((X[CODES != 1], CODES[CODES != 1]))
    assert equal(part.with_classes(CLASSES).y, CODES[CODES != 1])
    assert equal(part.y, (CODES[CODES != 1] == 0).astype(int))  # is as it was


def test_labels_matched_by_name_share_what_is_compressed_or_standardized():
    sparse = np.where(RANDOM.random((60, 3)) < 0.1, X, 0)
    data = Dataset(sparse, NAMES, sparse=True)
    net = network(inputs=Standardize.fit(X, with_mean=False))
    for _ in range(2):
        net.SGD(data, 1, 5, 0.5, verbose=False)
        network().SGD(data, 1, 5, 0.5, verbose=False)
    assert len(data._standardized) == 1
    assert len(data._forms) == 1
    (kept,) = data._standardized.values()
    assert len(kept["_forms"]) == 1


@pytest.mark.parametrize("classes", [("a", "b"), "abc", (None, 1, 2), 3])
def test_a_damaged_pickle_of_a_data_set_is_refused(classes):
    state = {**Dataset(X, NAMES).__getstate__(), "classes": classes}
    with pytest.raises((TypeError, ValueError), match=r"^(classes|y)"):
        Dataset.__new__(Dataset).__setstate__(state)


def test_more_data_by_distortion_keep_the_names():
    images = Dataset(
        RANDOM.random((9, 16)), list("abcabcabc"), features=[f"p{i}" for i in range(16)]
    )
    for made in (
        fastnet.augment.shift(images, 1, 0),
        fastnet.augment.expand_by_shifts(images),
        fastnet.augment.rotate(images, 5, seed=1),
    ):
        assert (made.classes, made.features) == (images.classes, images.features)


# ---- files, pickles, copies, repr


def test_files_pickles_and_copies_keep_the_names(tmp_path):
    net = trained((X, NAMES), features=FEATURES)
    net.save(tmp_path / "net.json")
    fields = json.loads((tmp_path / "net.json").read_text())
    assert fields["classes"] == [*CLASSES]
    assert fields["features"] == [*FEATURES]
    assert "inputs" not in fields
    for again in (fastnet.load(tmp_path / "net.json"), pickle.loads(pickle.dumps(net)),
                  copy.deepcopy(net), net.copy()):  # fmt: skip
        assert again == net
        assert (again.classes, again.features) == (CLASSES, FEATURES)
        assert equal(again.predict_labels(X), net.predict_labels(X))


def test_networks_with_other_names_of_classes_are_not_equal():
    assert network() == network()
    assert network() != network(("a", "b", "c"))
    assert network() != network(None)
    assert network() == network(features=FEATURES)  # these do not change what is computed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "classes yes, maybe, no"),
        ({"features": FEATURES}, "features age, height, income; classes yes, maybe, no"),
        ({"classes": (1, 2, 3)}, "classes 1, 2, 3"),
        ({"classes": ("a" * 50, "b", "c")}, "classes aaaaaaaaaaaaaaaaa..., b, c"),
        ({"inputs": Standardize.fit(X)}, "standardized inputs; classes yes, maybe, no"),
    ],
)
def test_the_repr_shows_the_names_shortly(options, words):
    head = "<Network [3, 4, 3]: sigmoid outputs, cross-entropy cost, float32"
    assert repr(network(**options)) == f"{head}; {words}>"


def test_the_repr_shows_the_first_of_many_names():
    net = Network([3, 10], classes=range(10))
    assert repr(net).endswith("; classes 0, 1, 2, 3, ...>")
    for name in ("classes", "features"):
        with pytest.raises(AttributeError):
            setattr(net, name, None)


def test_explain_shows_the_names():
    shown = str(network(features=FEATURES).explain(X[0], "maybe"))
    assert "layer 1: 3 inputs\n    features: age, height, income\n    a^1 = x\n" in shown
    assert "    classes: yes, maybe, no\n\nCost\n" in shown
    assert network(features=FEATURES).explain(X[0], 1).features == FEATURES
    assert "features" not in str(network(None).explain(X[0], 1))


def test_the_page_shows_the_names_of_classes(mnist):
    from fastnet.demo import page

    net = Network([784, 10], seed=1, classes=[f"digit {k}" for k in range(10)])
    assert '"names": ["digit 0", "digit 1"' in page.page(net, mnist[2][:100], "")


def test_pictures_show_the_names_of_classes():
    pytest.importorskip("matplotlib").use("Agg")
    from fastnet import plots

    net = trained()
    ax = plots.confusion(net, (X, NAMES))
    assert [label.get_text() for label in ax.get_xticklabels()] == [*CLASSES]
    ax = plots.digits(net, (X, NAMES), shape=(1, 3))
    texts = {text.get_text() for text in ax.texts}
    assert texts
    assert texts <= {f"{a} → {b}" for a in CLASSES for b in CLASSES}


# ---- frames, dicts and lists of dicts


TABLE = dict(zip(FEATURES, X.T, strict=True))
ROWS = [dict(zip(FEATURES, row, strict=True)) for row in X.tolist()]
FRAMES = {
    "dict": lambda: dict(TABLE),
    "dict of lists": lambda: {name: column.tolist() for name, column in TABLE.items()},
    "rows": lambda: list(ROWS),
    "pandas": lambda: pandas().DataFrame(TABLE),
    "pandas objects": lambda: pandas().DataFrame(TABLE, dtype=object),
    "polars": lambda: polars().DataFrame(TABLE),
    "pyarrow": lambda: pytest.importorskip("pyarrow").table(TABLE),
}


def needs_narwhals(form):
    if form == "pyarrow":
        pytest.importorskip("narwhals")


def in_another_order(form):
    """The same columns, the last one first."""
    order = FEATURES[::-1]
    frame = FRAMES[form]()
    if form == "pyarrow":
        return frame.select(list(order))
    if form == "rows":
        return [{name: row[name] for name in order} for row in frame]
    return {name: frame[name] for name in order} if "dict" in form else frame[list(order)]


@pytest.mark.parametrize("form", FRAMES)
def test_named_columns_are_the_numbers_in_them(form):
    needs_narwhals(form)
    assert Standardize.fit(FRAMES[form]()) == Standardize(
        *vars_of(Standardize.fit(X)), features=FEATURES
    )
    data = Dataset(FRAMES[form](), NAMES)
    assert data.features == FEATURES
    assert equal(data.X, X)
    net = trained((FRAMES[form](), NAMES))
    assert net.features == FEATURES
    assert net == trained((X, NAMES))
    assert equal(net.feedforward(FRAMES[form]()), net.feedforward(X))
    assert equal(net.predict_labels(FRAMES[form]()), net.predict_labels(X))
    assert net.accuracy((FRAMES[form](), NAMES)) == net.accuracy((X, NAMES))


def vars_of(inputs):
    return inputs.mean, inputs.deviation


@pytest.mark.parametrize("form", FRAMES)
@pytest.mark.parametrize("inputs", [None, Standardize.fit(X), Standardize.fit(dict(TABLE))])
def test_columns_in_another_order_are_found_by_name(form, inputs):
    needs_narwhals(form)
    net = network(features=FEATURES, inputs=inputs)
    net.SGD((in_another_order(form), NAMES), 2, 5, 0.5, verbose=False)
    assert net == trained((X, NAMES), inputs=inputs)
    assert equal(net.feedforward(in_another_order(form)), net.feedforward(X))
    assert net.accuracy((in_another_order(form), NAMES)) == net.accuracy((X, NAMES))


def test_one_example_is_a_dict():
    net = trained(features=FEATURES, inputs=Standardize.fit(X))
    predict = net.predictor()
    for row, x in zip(ROWS[:5], X, strict=False):
        backwards = dict(reversed(row.items()))
        assert equal(net.feedforward(backwards), net.feedforward(x))
        assert net.feedforward(row).shape == (3,)
        assert equal(predict(backwards), net.feedforward(x))
        assert equal(net.predict_labels(row), net.predict_labels(x))
        assert equal(net.backprop(backwards, "no"), net.backprop(x, "no"))
        assert net.explain(row, "no").cost == net.explain(x, "no").cost
    assert net.feedforward([ROWS[0]]).shape == (1, 3)


def test_one_example_is_a_row_of_a_frame():
    net = trained(features=FEATURES, inputs=Standardize.fit(X))
    predict, frame = net.predictor(), pandas().DataFrame(in_another_order("dict"))
    for i in range(5):
        row = frame.iloc[i]
        assert equal(net.feedforward(row), net.feedforward(X[i]))
        assert equal(predict(row), net.feedforward(X[i]))
        assert equal(net.predict_labels(row), net.predict_labels(X[i]))
        assert equal(net.backprop(row, "no"), net.backprop(X[i], "no"))
        assert net.explain(row, "no").cost == net.explain(X[i], "no").cost
    with pytest.raises(ValueError, match=r"^a: expected a column 'age'"):
        net.feedforward(row.rename({"age": "years"}))
    numbered = pandas().Series(X[0])  # no names: in their order
    assert equal(net.feedforward(numbered), net.feedforward(X[0]))
    assert equal(network(None).feedforward(row), network(None).feedforward(X[4][::-1]))


BAD_COLUMNS = {
    "a missing one": (lambda f: f.pop("height"), "expected a column 'height', got ['age', 'in"),
    "one too many": (lambda f: f.update(a=X[:, 0]), "got 'a'"),
    "text": (lambda f: f.update(age=["x"] * 60), "column 'age': expected numbers, got 'x'"),
    "another length": (lambda f: f.update(age=X[:9, 0]), "expected as many values as the first"),
    "one value": (lambda f: f.update(age=3.0), "column 'age': expected as many values as the fi"),
    "two values per row": (lambda f: f.update(age=X), "column 'age': expected one value per row"),
    "lists": (lambda f: f.update(age=X[:, :2].tolist()), "column 'age': expected numbers, got ["),
    "NaN": (lambda f: f.update(age=np.full(60, np.nan)), "expected finite numbers, got NaN"),
}


@pytest.mark.parametrize("case", BAD_COLUMNS)
def test_columns_that_do_not_fit_are_refused_by_name(case):
    change, words = BAD_COLUMNS[case]
    frame = dict(TABLE)
    change(frame)
    net, twin = network(features=FEATURES), network(features=FEATURES)
    for name, call in (
        ("training_data", lambda: net.SGD((frame, NAMES), 1, 5, 0.5, verbose=False)),
        ("a", lambda: net.feedforward(frame)),
        ("X", lambda: net.predict_labels(frame)),
    ):
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert str(caught.value).startswith(f"{name}: ")
        assert words in str(caught.value)
    assert net == twin


def test_a_column_that_occurs_twice_is_refused():
    frame = pandas().DataFrame(X, columns=["age", "age", "income"])
    net = Network([2, 3], seed=1, features=["age", "income"])
    with pytest.raises(ValueError, match=r"^a: expected each column once, got 'age' twice"):
        net.feedforward(frame)
    net = trained((frame, NAMES))  # without names they are taken in their order
    assert net == trained((X, NAMES))
    assert net.features is None


def test_rows_with_other_keys_are_refused_by_the_row():
    net = network(features=FEATURES)
    for rows, words in (
        (
            [ROWS[0], {"age": 1.0}],
            "row 1: expected the keys of the first row, got others: 'height'",
        ),
        ([ROWS[0], 5], "row 1: expected a dict like the first, got 5"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^a: {words}"):
            net.feedforward(rows)


def test_a_frame_whose_columns_have_no_names_is_taken_in_its_order():
    frame = pandas().DataFrame(X)
    net = trained((frame, NAMES))
    assert net.features is None
    assert net == trained((X, NAMES))
    named = network(features=FEATURES)
    assert equal(named.feedforward(frame), named.feedforward(X))


def test_a_data_set_with_other_features_is_refused():
    data = Dataset(in_another_order("dict"), NAMES)
    net = network(features=FEATURES)
    for name, call in (("data", net.accuracy), ("a", net.feedforward), ("X", net.predict_labels)):
        with pytest.raises(ValueError, match=rf"^{name}: expected a Dataset of the features \['age'"
                           r", .* in this order, got \['income'"):  # fmt: skip
            call(data)
    assert network(features=FEATURES).accuracy(Dataset(X, NAMES)) >= 0  # it has no names


def test_names_of_features_that_are_not_those_of_the_inputs_are_refused():
    inputs = Standardize.fit(dict(TABLE))
    assert network(inputs=inputs).features == FEATURES
    assert network(inputs=inputs, features=[*FEATURES]).features == FEATURES
    with pytest.raises(ValueError, match=r"^features: expected those of inputs, \['age'"):
        network(inputs=inputs, features=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"^features: expected 3, got 2"):
        network(features=["a", "b"])


def test_a_frame_that_needs_narwhals_says_so(monkeypatch):
    class Frame:
        columns = ("a",)

        def __arrow_c_stream__(self):
            raise NotImplementedError

    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(ImportError, match=r"narwhals installed, which reads Frame \(pip install"):
        network().feedforward(Frame())


@pytest.mark.parametrize("form", ["pandas", "polars", "pyarrow"])
def test_missing_values_are_nan_among_numbers_and_none_among_texts(form):
    needs_narwhals(form)
    columns = {"a": [1, None, 3], "b": ["x", None, "y"], "c": [True, None, False]}
    module = pytest.importorskip(form)
    frame = (module.table if form == "pyarrow" else module.DataFrame)(columns)
    read = {name: frames.values(column) for name, column in frames.columns_of(frame).items()}
    for name, numbers in (("a", [1, np.nan, 3]), ("c", [1, np.nan, 0])):
        assert read[name].dtype == np.float64
        np.testing.assert_array_equal(read[name], numbers)
    assert read["b"].tolist() == ["x", None, "y"]


# ---- an own transform, which encodes text


class Colours(InputTransform):
    """A column of numbers, and one of text as two columns of zeros and ones."""

    name = "colours of a test"
    n_in, n_out, features = 2, 3, ("size", "colour=red", "colour=blue")

    def __init__(self, mean, deviation):
        self._standardize = Standardize(mean, deviation)

    @property
    def standardize(self):
        return self._standardize

    def encode(self, raw):
        columns = frames.columns_of(raw)
        colours = frames.values(columns["colour"])
        for i, colour in enumerate(colours):
            if colour not in ("red", "blue"):
                raise ValueError(
                    f"column 'colour': expected red or blue, got {colour!r} in row {i}"
                )
        ones = [colours == colour for colour in ("red", "blue")]
        return np.stack([frames.values(columns["size"]), *ones], axis=1).astype(float)

    def state(self):
        return {"mean": self.standardize.mean.tolist(),
                "deviation": self.standardize.deviation.tolist()}  # fmt: skip

    @classmethod
    def from_state(cls, state):
        return cls(state["mean"], state["deviation"])


RAW = {"size": X[:, 1], "colour": np.where(X[:, 0] > 0, "red", "blue").tolist()}
ENCODED = np.stack([X[:, 1], X[:, 0] > 0, X[:, 0] <= 0], axis=1).astype(float)
COLOURS = Colours([5.0, 0.5, 0.25], [10.0, 0.5, 2.0])
RAW_ROWS = [dict(zip(RAW, row, strict=True)) for row in zip(*RAW.values(), strict=True)]


@pytest.mark.parametrize(
    "raw", [lambda: RAW, lambda: RAW_ROWS, lambda: pandas().DataFrame(RAW),
            lambda: polars().DataFrame(RAW)],
    ids=["dict", "rows", "pandas", "polars"],
)  # fmt: skip
def test_an_own_transform_encodes_raw_data_and_arrays_are_only_standardized(raw, tmp_path):
    rows = COLOURS.standardize.transform(ENCODED, dtype="float32")
    net, twin = network(inputs=COLOURS), network()
    net.SGD((raw(), NAMES), 2, 5, 0.5, evaluation_data=(raw(), NAMES), verbose=False)
    twin.SGD((rows, NAMES), 2, 5, 0.5, verbose=False)
    assert net.weights == twin.weights
    assert net.features == Colours.features
    outputs = twin.feedforward(rows)
    for given in (raw(), ENCODED, Dataset(ENCODED, CODES)):
        assert equal(net.feedforward(given), outputs)
        assert equal(net.predict_labels(given), twin.predict_labels(rows))
    for i in range(5):
        assert equal(net.feedforward(RAW_ROWS[i]), outputs[i])
        assert equal(net.predictor()(RAW_ROWS[i]), outputs[i])
        assert net.explain(RAW_ROWS[i], "no").cost == twin.explain(rows[i], "no").cost
    net.save(tmp_path / "net.json")
    for again in (fastnet.load(tmp_path / "net.json"), pickle.loads(pickle.dumps(net)), net.copy()):
        assert again == net
        assert equal(again.feedforward(raw()), outputs)
    assert repr(net) == (
        "<Network [3, 4, 3]: sigmoid outputs, cross-entropy cost, float32; colours of a test "
        "inputs; features size, colour=red, colour=blue; classes yes, maybe, no>"
    )


def test_an_error_of_an_own_transform_has_the_name_of_the_argument():
    bad = {**RAW, "colour": ["red"] * 41 + ["green"] * 19}
    words = r"column 'colour': expected red or blue, got 'green' in row 41"
    net, twin = network(inputs=COLOURS), network(inputs=COLOURS)
    with pytest.raises(ValueError, match=f"^training_data: X: {words}"):
        net.SGD((bad, NAMES), 1, 5, 0.5, verbose=False)
    with pytest.raises(ValueError, match=f"^a: {words}"):
        net.feedforward(bad)
    with pytest.raises(ValueError, match=r"^x: column 'colour': .* got 'pink' in row 0"):
        net.predictor()({"size": 1.0, "colour": "pink"})
    assert net == twin


def test_a_transform_without_standardize_leaves_the_numbers_as_they_are():
    class Plain(Colours):
        name = "plain colours of a test"

        def __init__(self):
            self._standardize = None

        def state(self):
            return {}

        @classmethod
        def from_state(cls, state):
            return cls()

    net, twin = network(inputs=Plain()), network()
    for each, data in ((net, RAW), (twin, ENCODED)):
        each.SGD((data, NAMES), 2, 5, 0.5, verbose=False)
    assert net.weights == twin.weights
    assert equal(net.feedforward(RAW), twin.feedforward(ENCODED))
    assert equal(net.predictor()(RAW_ROWS[0]), twin.feedforward(ENCODED[0]))
    sparse = scipy.sparse.csr_array(ENCODED)
    assert equal(net.feedforward(sparse), twin.feedforward(sparse))


# ---- many networks


def alone(spec, data, evaluation):
    of_network = ("sizes", "seed", "dtype", *Schema._fields)
    net = Network(**{k: v for k, v in spec.items() if k in of_network})
    options = {k: v for k, v in spec.items() if k not in of_network}
    history = net.SGD(
        data, evaluation_data=evaluation, monitor_evaluation_accuracy=True, verbose=False, **options
    )
    return net, history


SWEEPS = {
    "names of the data": ([SPEC, {**SPEC, "eta": 0.1}], (X, NAMES)),
    "names": ([{**SPEC, "classes": CLASSES}, {**SPEC, "classes": CLASSES[::-1]}, SPEC], (X, NAMES)),
    "numbers": ([{**SPEC, "classes": (1, 2, 3)}] * 2, (X, CODES + 1)),
    "a data set": ([{**SPEC, "classes": CLASSES}, SPEC], Dataset(X, NAMES)),
    "columns": ([{**SPEC, "features": FEATURES}] * 2, (in_another_order("dict"), NAMES)),
    "weights": ([{**SPEC, "class_weight": {"no": 2.0}}], (X, NAMES)),
}


@pytest.mark.parametrize("case", SWEEPS)
def test_many_networks_have_the_names_that_they_have_alone(case):
    specs, data = SWEEPS[case]
    fits = fastnet.fit_many(specs, data, data, verbose=False)
    for fit, spec in zip(fits, specs, strict=True):
        net, history = alone(spec, data, data)
        assert fit.error is None
        assert fit.network == net
        assert fit.network.classes == net.classes is not None
        assert fit.network.features == net.features
        assert fit.history == history


def test_many_networks_with_an_own_transform_take_raw_data():
    specs = [{**SPEC, "inputs": COLOURS}, {**SPEC, "inputs": Colours([5.0, 0.5, 0.25],
             [10.0, 0.5, 2.0]), "eta": 0.1}]  # fmt: skip
    fits = fastnet.fit_many(specs, (RAW, NAMES), (RAW, NAMES), verbose=False)
    for fit, spec in zip(fits, specs, strict=True):
        net, history = alone(spec, (RAW, NAMES), (RAW, NAMES))
        assert fit.network == net
        assert fit.history == history


def test_many_networks_in_processes_keep_the_names(spawning):
    specs, data = SWEEPS["names"]
    with ProcessPoolExecutor(1, mp_context=spawning) as pool:
        fits = fastnet.fit_many(specs, data, executor=pool, verbose=False)
    for fit, spec in zip(fits, specs, strict=True):
        assert fit.network == fastnet.fit_many([spec], data, verbose=False)[0].network
        assert fit.network.classes == spec.get("classes", tuple(sorted(CLASSES)))


def test_many_networks_with_different_numbers_as_names_need_a_data_set():
    specs = [{**SPEC, "classes": (1, 2, 3)}, {**SPEC, "classes": (3, 2, 1)}]
    with pytest.raises(ValueError, match=r"^training: expected a Dataset, .* different classes"):
        fastnet.fit_many(specs, (X, CODES + 1))
    fits = fastnet.fit_many(specs, Dataset(X, CODES), verbose=False)
    assert [fit.network.classes for fit in fits] == [(1, 2, 3), (3, 2, 1)]


def test_many_networks_say_which_spec_has_classes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"^specs\[1\]: classes: expected 3"):
        fastnet.fit_many([SPEC, {**SPEC, "classes": ["a"]}], (X, NAMES))


def test_evaluation_data_of_other_features_are_refused_in_the_first_training_too():
    net = Network([2, 3], seed=1)
    training = Dataset(np.eye(2), [0, 1], features=["a", "b"])
    swapped = Dataset(np.eye(2), [0, 1], features=["b", "a"])
    with pytest.raises(ValueError, match=r"^evaluation_data: expected a Dataset of the features"):
        net.SGD(training, 1, 2, 0.5, evaluation_data=swapped, verbose=False)
    assert net.features is None
