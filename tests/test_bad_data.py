"""Data that do not fit are refused wherever data are taken, and the network stays as it was."""

import numpy as np
import pytest
from refusals import GOOD, HUGE, LABELS, ONE_HOT, X, assert_refused, at

import fastnet
from fastnet import Network

TAKES_DATA = {
    "training_data": lambda net, data: net.SGD(data, 1, 5, 0.5),
    "evaluation_data": lambda net, data: net.SGD(
        GOOD, 1, 5, 0.5, evaluation_data=data, monitor_evaluation_cost=True
    ),
    "mini_batch": lambda net, data: net.update_mini_batch(data, 0.5, 0.1, 12),
    "data": lambda net, data: net.accuracy(data),
    "data (cost)": lambda net, data: net.total_cost(data, 0.1),
}

BAD_DATA = {
    "no pairs": ([], "at least one example"),
    "an empty zip": (zip(), "at least one example"),
    "no rows": ((X[:0], LABELS[:0]), "at least one example"),
    "nothing": (None, "expected", "got None"),
    "an array": (X, "pairs", "got "),
    "a number": (5, "pairs", "got "),
    "ragged rows": (([[1, 2, 3, 4], [1, 2]], [0, 1]), "X: expected"),
    "inputs without targets": ((X, None), "y: expected"),
    "fewer labels than rows": ((X, LABELS[:11]), "12", "11"),
    "fewer targets than rows": ((X, ONE_HOT[:11]), "12", "11"),
    "a label above the last": ((X, at(LABELS, 7, 3)), "labels from 0 to 2", "3"),
    "a negative label": ((X, at(LABELS, 7, -1)), "labels", "-1"),
    "an enormous label": ((X, at(LABELS, 7, 2**62)), "labels", str(2**62)),
    "labels that are no integers": ((X, LABELS + 0.0), "integer labels", "float64"),
    "labels in words": ((X, LABELS.astype(str)), "integer labels", "classes=", "'0'"),
    "a label in a list above the last": ([(X[0], 0), (X[1], 3)], "labels from 0 to 2", "3"),
    "a target above 1": ((X, at(ONE_HOT, (7, 1), 1.5)), "targets from 0 to 1", "1.5"),
    "a target below 0": ((X, at(ONE_HOT, (7, 1), -0.5)), "targets from 0 to 1", "-0.5"),
    "a target in a list above 1": ([(X[0], [[0], [2], [0]])], "targets from 0 to 1", "2"),
    "a target that is not a number": ((X, at(ONE_HOT, (7, 1), np.nan)), "finite", "NaN"),
    "an infinite target": ((X, at(ONE_HOT, (7, 1), np.inf)), "finite", "infinity"),
    "targets in words": ((X, ONE_HOT.astype(str)), "numbers", "<U"),
    "too few targets": ((X, ONE_HOT[:, :2]), "3 targets", "2"),
    "too many targets": ((X, np.eye(4)[LABELS]), "3 targets", "4"),
    "an input that is not a number": ((at(X, (7, 1), np.nan), LABELS), "finite", "NaN"),
    "an infinite input": ((at(X, (7, 1), np.inf), LABELS), "finite", "infinity"),
    "a single NaN in float32": ((at(X, (7, 1), np.nan).astype("f"), LABELS), "finite", "NaN"),
    "a NaN in a list": ([(X[0], 0), (at(X[1], 1, np.nan), 1)], "finite", "NaN"),
    "an input beyond the type": ((at(X, (7, 1), 1e39), LABELS), "range of float32", "1e+39"),
    "inputs in words": ((X.astype(str), LABELS), "numbers", "<U"),
    "complex inputs": ((X * 1j, LABELS), "numbers", "complex128"),
    "an integer beyond any float": (([[HUGE, 1, 2, 3]], [0]), "numbers", "object"),
    "too few features": ((X[:, :3], LABELS), "4 features", "3"),
    "too many features": ((np.ones((12, 5)), LABELS), "4 features", "5"),
    "too few features in a list": ([(X[0][:3], 0)], "4 features", "3"),
    "too few features in a Dataset": (fastnet.Dataset(X[:, :3], LABELS), "4 features", "3"),
    "pairs of unequal shapes": ([(X[0], 0), (X[1][:3], 1)], "same shapes"),
    "labels and targets mixed": ([(X[0], 0), (X[1], ONE_HOT[1])], "same shapes"),
    "triples": ([(X[0], 0, 0), (X[1], 1, 1)], "pairs"),
    "a column for each row": ((X[:, :, None], LABELS), "(n, n_in)", "(12, 4, 1)"),
}


@pytest.mark.covering(1)
@pytest.mark.parametrize("place", TAKES_DATA)
@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_is_refused_wherever_data_is_taken(place, case):
    data, *words = BAD_DATA[case]
    assert_refused(lambda net: TAKES_DATA[place](net, data), (f"{place.split()[0]}: ", *words))


# Three rows of five features: values, columns and where each row starts
CSR = {"data": [1.0, 2.0, 3.0, 4.0], "indices": [1, 4, 0, 3], "indptr": [0, 2, 2, 4]}
BAD_CSR = {
    "unsorted columns": ({"indices": [4, 1, 0, 3]}, "indices: expected ascending", "1 after 4",
                         "row 0"),
    "unsorted in the last row": ({"indices": [1, 4, 3, 0]}, "indices: ", "0 after 3", "row 2"),
    "a repeated column": ({"indices": [1, 4, 3, 3]}, "indices: ", "3 twice", "row 2"),
    "a column behind the last": ({"indices": [1, 5, 0, 3]}, "indices: ", "0 to 4", "0 to 5"),
    "a negative column": ({"indices": [-1, 4, 0, 3]}, "indices: ", "0 to 4", "-1 to 4"),
    "columns that are no integers": ({"indices": [1.0, 4, 0, 3]}, "indices: expected integers",
                                     "float64"),
    "columns that are booleans": ({"indices": [True] * 4}, "indices: expected integers", "bool"),
    "columns in words": ({"indices": ["1"] * 4}, "indices: expected integers", "<U1"),
    "columns in rows": ({"indices": [[1, 4], [0, 3]]}, "indices: expected one dim", "(2, 2)"),
    "fewer columns than values": ({"indices": [1, 4, 0]}, "indices: expected as many as data, 4",
                                  "got 3"),
    "more columns than values": ({"data": [1.0, 2.0, 3.0]}, "indices: expected as many as data, 3",
                                 "got 4"),
    "rows that do not start at 0": ({"indptr": [1, 2, 2, 4]}, "indptr: expected 0", "got 1"),
    "rows that start below 0": ({"indptr": [-1, 2, 2, 4]}, "indptr: expected 0", "got -1"),
    "rows that descend": ({"indptr": [0, 3, 2, 4]}, "indptr: ", "descend", "2 after 3"),
    "rows that end early": ({"indptr": [0, 2, 2, 3]}, "indptr: ", "4", "got 3"),
    "rows that end late": ({"indptr": [0, 2, 2, 5]}, "indptr: ", "4", "got 5"),
    "an enormous row": ({"indptr": np.array([0, 2, 2**64 - 1, 4], np.uint64)}, "indptr: ",
                        "descend"),
    "fewer rows than labels": ({"indptr": [0, 2, 4]}, "indptr: expected one entry more than y",
                               "4", "got 3"),
    "more rows than labels": ({"indptr": [0, 2, 2, 4, 4]}, "indptr: expected one entry more",
                              "4", "got 5"),
    "no rows": ({"indptr": [0]}, "indptr: expected two or more entries", "got 1"),
    "nothing at all": ({"indptr": [], "indices": [], "data": []}, "indptr: expected two", "got 0"),
    "rows that are no integers": ({"indptr": [0, 2.0, 2, 4]}, "indptr: expected integers",
                                  "float64"),
    "rows in one number": ({"indptr": 4}, "indptr: expected one dimension", "()"),
    "NaN": ({"data": [1, np.nan, 3, 4]}, "data: expected finite", "NaN"),
    "infinity": ({"data": [1, 2, 3, -np.inf]}, "data: expected finite", "infinity"),
    "words": ({"data": list("abcd")}, "data: expected numbers", "<U1"),
    "complex values": ({"data": [1j, 2, 3, 4]}, "data: expected numbers", "complex128"),
    "objects": ({"data": [1, 2, 3, HUGE]}, "data: expected numbers", "object"),
    "ragged values": ({"data": [[1], [2, 3], [4], []]}, "data: expected", "lengths"),
    "values in rows": ({"data": [[1, 2, 3, 4]]}, "data: expected one dimension", "(1, 4)"),
    "no features": ({"n_in": 0}, "n_in: expected 1 or more", "got 0"),
    "half a feature": ({"n_in": 5.5}, "n_in: expected an integer", "got 5.5"),
    "too many features": ({"n_in": 2**31}, "n_in: expected at most 2147483647", "2147483648"),
    "labels that are no integers": ({"y": [0.0, 1.0, 2.0]}, "y: expected integer labels"),
    "a negative label": ({"y": [0, -1, 1]}, "y: expected labels", "-1"),
    "a label for all": ({"y": 1}, "y: expected", "()"),
    "a negative scale": ({"scale": -1}, "scale: expected", "-1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_CSR)
def test_bad_csr_arrays_are_refused_with_one_line_that_names_them(case):
    changed, *words = BAD_CSR[case]
    arguments = {**CSR, "n_in": 5, "y": [0, 1, 2]}
    assert len(fastnet.Dataset.from_csr(**arguments)) == 3
    with pytest.raises((ValueError, TypeError)) as caught:
        fastnet.Dataset.from_csr(**{**arguments, **changed})
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(words[0])
    assert all(word in message for word in words[1:])


BAD_SPARSE = {
    "too few features": (lambda s: (s.csr_matrix(X[:, :3]), LABELS), "4 features", "3"),
    "fewer labels than rows": (lambda s: (s.csr_matrix(X), LABELS[:11]), "12", "11"),
    "a NaN": (lambda s: (s.csr_matrix(at(X, (7, 1), np.nan)), LABELS), "X: ", "finite", "NaN"),
    "an infinite input": (lambda s: (s.coo_matrix(at(X, (7, 1), np.inf)), LABELS), "finite"),
    "an input beyond the type": (lambda s: (s.csr_matrix(at(X, (7, 1), 1e39)), LABELS),
                                 "range of float32", "1e+39"),
    "complex inputs": (lambda s: (s.csc_matrix(X * 1j), LABELS), "X.data: ", "complex128"),
    "a column behind the last": (lambda s: (broken(s, "indices", -1, 4), LABELS),
                                 "X.indices: expected columns from 0 to 3"),
    "rows that descend": (lambda s: (broken(s, "indptr", 1, 9), LABELS), "X.indptr: ", "8 after 9"),
    "no labels": (lambda s: s.csr_matrix(X), "pairs"),
    "sparse labels": (lambda s: (X, s.csr_matrix(ONE_HOT)), "y: expected"),
}  # fmt: skip


def broken(sparse, name, place, value):
    """A matrix of scipy's of which one array was changed."""
    matrix = sparse.csr_matrix(X)
    assert matrix.has_canonical_format
    getattr(matrix, name)[place] = value
    return matrix


@pytest.mark.covering(1)
@pytest.mark.parametrize("place", TAKES_DATA)
@pytest.mark.parametrize("case", BAD_SPARSE)
def test_bad_sparse_data_is_refused_wherever_data_is_taken(place, case):
    sparse = pytest.importorskip("scipy.sparse", reason="scipy is not installed")
    make, *words = BAD_SPARSE[case]
    data = make(sparse)
    assert_refused(lambda net: TAKES_DATA[place](net, data), (f"{place.split()[0]}: ", *words))


def test_target_rows_that_do_not_sum_to_one_are_refused_by_the_log_likelihood():
    for element, total in ((0.5, "1.5"), (0.25, "0.75")):
        bad = X, at(ONE_HOT, (7, slice(None)), element)
        for place, act in TAKES_DATA.items():
            words = (place.split()[0], "sum to 1", total)
            assert_refused(lambda net, act=act, bad=bad: act(net, bad), words, "log-likelihood")


def test_targets_below_0_are_refused_by_the_poisson_cost():
    bad = X, at(ONE_HOT, (7, 1), -0.5)
    for place, act in TAKES_DATA.items():
        words = (place.split()[0], "0 or more", "poisson", "-0.5")
        assert_refused(lambda net, act=act, bad=bad: act(net, bad), words, "poisson")
    net = Network([4, 3], "poisson", seed=1)
    net.SGD((X, 100 * ONE_HOT), 1, 5, 0.001, verbose=False)


@pytest.mark.parametrize(
    "cost", [cost.name for cost in fastnet.nn.costs.COSTS if "linear" in cost.errors]
)
def test_targets_beyond_0_and_1_are_data_like_any_other_to_linear_outputs(cost):
    net = Network([4, 3], cost, output="linear", seed=1)
    net.SGD((X, 100 * ONE_HOT - 50), 1, 5, 0.01, verbose=False)
    assert np.isfinite(net.weights[0]).all()


def test_a_generator_that_fails_says_so_itself():
    def broken():
        yield X[0], 0
        raise ValueError("line 2 of my file")

    words = ("", "line 2 of my file")
    assert_refused(lambda net: net.SGD(broken(), 1, 5, 0.5), words)


@pytest.mark.parametrize(("flag", "other"), [("cost", "accuracy"), ("accuracy", "cost")])
def test_a_monitor_flag_without_evaluation_data_is_refused(flag, other):
    flags = {f"monitor_evaluation_{flag}": True}
    words = ("evaluation_data: expected", f"monitor_evaluation_{flag}", "None")
    assert_refused(lambda net: net.SGD(GOOD, 1, 5, 0.5, **flags), words)


@pytest.mark.parametrize("call", [
    lambda net, x: net.feedforward(x), lambda net, x: net.backprop(x, 0)
], ids=["feedforward", "backprop"])  # fmt: skip
@pytest.mark.parametrize(
    ("x", "words"),
    [
        ([1, 2, 3], ("(4,)", "(3,)")),
        ([[1, 2], [3, 4]], ("(4,)", "(2, 2)")),
        ([1, 2, 3, np.nan], ("finite", "NaN")),
        ([1, 2, 3, np.inf], ("finite", "infinity")),
        (np.array([1, 2, 3, np.nan], np.float32), ("finite", "NaN")),
        (np.array([1, 2, 3, -np.inf], np.float32), ("finite", "infinity")),
        ([1, 2, 3, 1e39], ("range of float32", "1e+39")),
        ([1, 2, 3, "4"], ("numbers",)),
        ([1, 2, 3, None], ("numbers", "object")),
        ([1, 2, 3, 4j], ("numbers", "complex")),
        ([[1, 2, 3, 4], [1]], ("expected",)),
    ],
)
def test_an_input_that_does_not_fit_is_refused(call, x, words):
    name = "a: " if "feedforward" in call.__code__.co_names else ("x: ", "x, y: ")
    assert_refused(lambda net: call(net, x), (name, *words))


@pytest.mark.parametrize("y", [3, -1, 1.5, [1, 0], [0, 2.0, 0], [0, np.nan, 0], ONE_HOT[:1], "1"])
def test_a_target_that_does_not_fit_is_refused_by_backprop(y):
    names = ("y: ", "x, y: ")
    assert_refused(lambda net: net.backprop(X[0], y), (names, "expected", "got "))
