"""Bad input: one clear error, and the network and its random numbers untouched."""

import pickle

import numpy as np
import pytest

import fastnet
from fastnet import DivergenceError, Network

HUGE = 10**400  # an integer beyond any float
X, LABELS = np.random.default_rng(5).random((12, 4)), np.arange(12) % 3
ONE_HOT = np.eye(3)[LABELS]
GOOD = (X, LABELS)


def at(array, place, value):
    """``array`` with one element changed."""
    changed = np.array(array, np.result_type(array, type(value)))
    changed[place] = value
    return changed


def network(cost="cross-entropy", **options):
    """A network in the middle of its training."""
    net = Network([4, 5, 3], cost, seed=7, **options)
    net.SGD(GOOD, 1, 5, 0.5, verbose=False)
    return net


def assert_refused(act, words, cost="cross-entropy", **options):
    """``act(net)`` raises an error that starts with the first of the words and has
    the others, and training goes on as if it had not been tried."""
    net, twin = network(cost, **options), network(cost, **options)
    with pytest.raises((ValueError, TypeError)) as caught:
        act(net)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(words[0])
    for word in words[1:]:
        assert word in message
    assert net == twin
    assert net.input_scale == twin.input_scale
    for each in (net, twin):
        each.SGD(GOOD, 2, 5, 0.5, 0.1, verbose=False)
    assert net == twin


# ---- the constructor


@pytest.mark.parametrize(
    "sizes",
    [[], [3], [3, 0], [3, -1], [0, 3], [3, 2.5], [3, 2.0], [3, True], [3, None], [3, "2"], "32",
     [3, float("nan")], [[3, 2]], 5, None, [3, 2**31], [3, 2**80], np.array([3.0, 2.0])],
)  # fmt: skip
def test_sizes_that_are_not_two_or_more_positive_integers_are_refused(sizes):
    with pytest.raises(ValueError, match=r"^sizes: expected two or more .*got ") as caught:
        Network(sizes)
    came, message = (
        text.replace("(", "[").replace(")", "]") for text in (repr(sizes), str(caught.value))
    )
    assert came in message


@pytest.mark.parametrize("cost", ["cross entropy", "CrossEntropyCost", "mse", "", 0, b"quadratic"])
def test_an_unknown_cost_is_refused(cost):
    with pytest.raises(ValueError, match=r"^cost: expected one of") as caught:
        Network([4, 3], cost)
    for word in (*fastnet.nn.costs.NAMES, repr(cost)):
        assert word in str(caught.value)


@pytest.mark.parametrize("output", ["relu", "Sigmoid", "", 1, ["sigmoid"]])
def test_an_unknown_output_layer_is_refused(output):
    with pytest.raises(ValueError, match=r"^output: expected one of") as caught:
        Network([4, 3], output=output)
    for word in ("sigmoid", "softmax", "linear", "exponential", repr(output)):
        assert word in str(caught.value)


@pytest.mark.parametrize("dtype", ["float16", "int32", "half", None, 32, complex, "", {}])
def test_an_unknown_dtype_is_refused(dtype):
    with pytest.raises(ValueError, match=r"^dtype: expected one of float32, float64") as caught:
        Network([4, 3], dtype=dtype)
    assert repr(dtype) in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 1.5, "one", [1, -1], object()])
def test_a_seed_that_numpy_would_not_take_is_refused(seed):
    with pytest.raises((ValueError, TypeError), match=r"^seed: expected") as caught:
        Network([4, 3], seed=seed)
    assert repr(seed) in str(caught.value)


def test_a_refused_network_draws_nothing_from_a_generator_that_is_shared():
    generator = np.random.default_rng(1)
    for arguments in (
        {"sizes": [4]}, {"sizes": [4, 2**31]}, {"cost": "mse"}, {"output": "relu"}, {"dtype": "f2"},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"^{next(iter(arguments))}: "):
            Network(**{"sizes": [4, 3], **arguments}, seed=generator)
    assert generator.bit_generator.state == np.random.default_rng(1).bit_generator.state


# ---- the numbers of SGD, update_mini_batch and total_cost

NOT_INTEGERS = [1.5, 2.0, "2", None, True, float("nan"), [2], 1j]
NOT_RATES = [
    float("nan"), float("inf"), -float("inf"), -0.1, HUGE, -HUGE,
    "0.5", None, 1j, [0.5], True, np.array([0.5, 0.6]),
]  # fmt: skip


@pytest.mark.parametrize("size", [0, -1, -HUGE, *NOT_INTEGERS], ids=lambda v: repr(v)[:9])
def test_a_mini_batch_size_below_1_is_refused(size):
    words = ("mini_batch_size: expected", repr(size))
    assert_refused(lambda net: net.SGD(GOOD, 1, size, 0.5), words)


@pytest.mark.parametrize("epochs", [-1, *NOT_INTEGERS])
def test_a_number_of_epochs_below_0_is_refused(epochs):
    assert_refused(lambda net: net.SGD(GOOD, epochs, 5, 0.5), ("epochs: expected", repr(epochs)))


@pytest.mark.parametrize("eta", NOT_RATES, ids=lambda v: repr(v)[:9])
def test_an_eta_that_is_negative_or_not_finite_is_refused(eta):
    words = ("eta: expected", repr(eta)[:9])
    assert_refused(lambda net: net.SGD(GOOD, 1, 5, eta), words)
    assert_refused(lambda net: net.update_mini_batch(GOOD, eta, 0.0, 12), words)


@pytest.mark.parametrize("lmbda", NOT_RATES, ids=lambda v: repr(v)[:9])
def test_a_lmbda_that_is_negative_or_not_finite_is_refused(lmbda):
    words = ("lmbda: expected", repr(lmbda)[:9])
    assert_refused(lambda net: net.SGD(GOOD, 1, 5, 0.5, lmbda), words)
    assert_refused(lambda net: net.update_mini_batch(GOOD, 0.5, lmbda, 12), words)
    assert_refused(lambda net: net.total_cost(GOOD, lmbda), words)


@pytest.mark.parametrize("n", [0, -1, *NOT_INTEGERS])
def test_a_size_of_the_training_set_below_1_is_refused(n):
    words = ("n: expected", repr(n))
    assert_refused(lambda net: net.update_mini_batch(GOOD, 0.5, 0.1, n), words)


# ---- data, wherever it is taken

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


# ---- divergence


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_divergence_says_the_epoch_and_keeps_the_last_finite_parameters(dtype):
    # one weight that grows by a factor of about 1e9 each epoch, inputs and targets all one
    def start():
        net = Network([1, 1], "quadratic", output="linear", dtype=dtype, seed=1)
        net.weights[0], net.biases[0] = [[1.0]], [[0.0]]
        return net

    data = (np.ones((5, 1)), np.zeros((5, 1)))
    net = start()
    with pytest.raises(DivergenceError, match="diverged in epoch") as caught:
        net.SGD(data, 100, 5, 1e9, verbose=False)
    epoch = caught.value.epoch
    assert epoch > 2
    assert f"epoch {epoch}:" in str(caught.value)
    last = start()
    last.SGD(data, epoch - 1, 5, 1e9, verbose=False)
    assert net == last
    assert np.isfinite(net.weights[0]).all()
    assert np.abs(net.weights[0]) > 1e9


def test_after_a_divergence_training_goes_on_as_if_it_had_not_been_tried():
    net, twin = network("quadratic", output="linear"), network("quadratic", output="linear")
    data = fastnet.Dataset((X * 200).astype(np.uint8), ONE_HOT, 1e15)
    with pytest.raises(DivergenceError):
        net.SGD(data, 3, 2, 1e15, verbose=False)
    assert net.input_scale == twin.input_scale
    for each in (net, twin):
        each.SGD(GOOD, 2, 5, 0.1, verbose=False)
    assert net == twin


def test_a_divergence_in_the_first_epoch_keeps_the_first_parameters():
    net, twin = network("quadratic", output="linear"), network("quadratic", output="linear")
    with pytest.raises(DivergenceError, match=r"epoch 1: .* before the training"):
        net.SGD((X * 1e15, ONE_HOT), 3, 2, 1e15, verbose=False)
    assert net == twin
    net.SGD(GOOD, 1, 5, 0.1, verbose=False)  # training can go on
    assert net != twin


def test_the_lines_before_a_divergence_are_printed_and_its_own_is_not(capsys):
    net = Network([1, 1], "quadratic", output="linear", seed=1)
    with pytest.raises(DivergenceError) as caught:
        net.SGD((np.ones((5, 1)), np.zeros((5, 1))), 100, 5, 1e9)
    assert len(capsys.readouterr().out.splitlines()) == caught.value.epoch - 1


def test_a_divergence_can_be_pickled_and_is_an_arithmetic_error():
    error = pickle.loads(pickle.dumps(DivergenceError(3)))
    assert isinstance(error, ArithmeticError)
    assert error.epoch == 3
    assert str(error) == str(DivergenceError(3))


def test_a_flag_that_is_neither_true_nor_false_is_refused():
    net, twin = network(), network()
    with pytest.raises(TypeError, match=r"^monitor_training_cost: expected True or False, got"):
        net.SGD(GOOD, 1, 2, 0.1, monitor_training_cost=np.array([1, 2]), verbose=False)
    assert net == twin


@pytest.mark.parametrize("flag", ["yes", 1, np.True_, "", 0, None, np.False_, []])
def test_a_flag_takes_any_truth_value(flag):
    history = network().SGD(GOOD, 1, 2, 0.1, monitor_training_cost=flag, verbose=False)
    assert len(history.training_cost) == bool(flag)


def test_what_is_no_array_at_all_is_told_as_it_came():
    for y in (None, {"a": 1}, "abc"):
        with pytest.raises(TypeError, match=r"^y: expected an array, got "):
            fastnet.Dataset(X, y)
    with pytest.raises(TypeError, match=r"^a: expected an array, got 'abc'$"):
        network().feedforward("abc")


def test_a_layer_that_is_not_there_is_missed_by_name():
    for name in ("weights", "biases"):
        with pytest.raises(
            IndexError, match=rf"^{name}: expected an index from -\d+ to \d+, got 7"
        ):
            getattr(network(), name)[7]


def test_a_predictor_says_what_is_beyond_the_range():
    predict = fastnet.Network([2, 1], seed=1).predictor()
    with pytest.raises(
        ValueError, match=r"^x: expected inputs within the range of float32, got 1e"
    ):
        predict(np.full(2, 1e300))


@pytest.mark.parametrize("dtype", ["M8[s]", "m8[s]", "U3", "O"])
def test_an_array_without_numbers_is_an_error_of_feedforward(dtype):
    a = np.zeros(3, dtype)
    with pytest.raises(TypeError, match=r"^a: expected numbers, got "):
        fastnet.Network([3, 2], seed=1).feedforward(a)
