"""Checkpoints of the estimators: a fit that ends early and is resumed gives the same estimator, and
what is refused."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import load_iris, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastnet.core import files
from fastnet.io import npz
from fastnet.io.checkpoint_files import CheckpointFile
from fastnet.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS = load_iris(return_X_y=True)
NUMBERS = make_regression(80, 5, noise=1.0, random_state=0)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files.os, "fsync", lambda number: None)  # it takes most of the time


class Ended(BaseException):
    """The end of the process."""


@pytest.fixture
def ends_after(monkeypatch):
    """A context in which fits end after this number of checkpoints."""
    original = CheckpointFile.write

    def ended(n, fit):
        left = [n]

        def write(*arguments):
            original(*arguments)
            left[0] -= 1
            if left[0] == 0:
                raise Ended

        with monkeypatch.context() as patched:
            patched.setattr(CheckpointFile, "write", write)
            with pytest.raises(Ended):
                fit()

    return ended


def classifier(**parameters):
    return MLPClassifier(**{"hidden_layer_sizes": (6,), "max_iter": 12, "random_state": 1}
                         | parameters)  # fmt: skip


def regressor(**parameters):
    return MLPRegressor(**{"hidden_layer_sizes": (6,), "max_iter": 12, "random_state": 1}
                        | parameters)  # fmt: skip


ATTRIBUTES = ("history_", "loss_curve_", "n_iter_", "t_", "loss_", "best_loss_",
              "validation_scores_", "best_validation_score_")  # fmt: skip


def assert_same(one, other):
    assert one.network_ == other.network_
    for name in ATTRIBUTES:
        assert getattr(one, name) == getattr(other, name), name
    assert one._random_state.randint(1 << 30) == other._random_state.randint(1 << 30)
    X = IRIS[0] if hasattr(one, "classes_") else NUMBERS[0]
    assert np.array_equal(one.predict(X), other.predict(X))


FITS = {
    "adam": (classifier, {}, {}),
    "early stopping": (classifier, {"early_stopping": True, "n_iter_no_change": 3}, {}),
    "adaptive": (classifier, {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1,
                              "n_iter_no_change": 1}, {}),
    "invscaling": (classifier, {"solver": "sgd", "learning_rate": "invscaling"}, {}),
    "dropout": (classifier, {"dropout": 0.3, "class_weight": "balanced"}, {}),
    "small batches": (classifier, {"batch_size": 7, "shuffle": False}, {}),
    "weights": (classifier, {}, {"sample_weight": np.linspace(0.1, 2, 150)}),
    "eval_set": (regressor, {}, {"eval_set": NUMBERS}),
    "eval_set that stops": (regressor, {"early_stopping": True, "n_iter_no_change": 2, "tol": 1.0},
                            {"eval_set": NUMBERS}),
    "rmsprop": (regressor, {"solver": "rmsprop", "dtype": "float64"}, {}),
    "a float32 network": (regressor, {"dtype": "float32", "batch_size": 10}, {}),
}  # fmt: skip


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("name", FITS)
def test_a_fit_that_ends_early_and_is_resumed_gives_the_same_estimator(name, every, ends_after):
    make, parameters, given = FITS[name]
    data = IRIS if make is classifier else NUMBERS
    whole = make(**parameters).fit(*data, **given)
    options = {"checkpoint": "fit.npz", "checkpoint_every": every, **given}
    ends_after(1, lambda: make(**parameters).fit(*data, **options))
    assert_same(make(**parameters).fit(*data, **options, resume=True), whole)


def test_a_fit_with_another_seed_continues_with_the_numbers_and_held_out_examples_of_the_file():
    parameters = {"early_stopping": True, "validation_fraction": 0.3}
    for seed in (7, None):
        whole = classifier(**parameters).fit(*IRIS)
        classifier(**parameters, max_iter=4).fit(*IRIS, checkpoint="fit.npz")
        again = classifier(**parameters, random_state=seed)
        again.fit(*IRIS, checkpoint="fit.npz", resume=True)
        assert_same(again, whole)


def test_a_random_state_that_is_an_object_continues_in_place(ends_after):
    own, other = np.random.RandomState(3), np.random.RandomState(4)
    classifier(random_state=own).fit(*IRIS)
    start = np.random.RandomState(3)
    classifier(random_state=start, max_iter=5).fit(*IRIS, checkpoint="fit.npz")
    classifier(random_state=other).fit(*IRIS, checkpoint="fit.npz", resume=True)
    assert other.randint(1 << 30) == own.randint(1 << 30)


def test_a_complete_fit_is_restored_at_once_with_its_warning():
    whole = classifier().fit(*IRIS, checkpoint="fit.npz")
    written = Path("fit.npz").read_bytes()
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(12\) reached") as caught:
        again = classifier().fit(*IRIS, checkpoint="fit.npz", resume=True)
    assert caught[0].filename == __file__
    assert_same(again, whole)
    assert Path("fit.npz").read_bytes() == written


def test_a_fit_that_had_stopped_early_is_complete_whatever_max_iter_is():
    parameters = {"tol": 10.0, "n_iter_no_change": 2}
    whole = classifier(**parameters).fit(*IRIS, checkpoint="fit.npz")
    assert whole.n_iter_ < 12
    again = classifier(**parameters, max_iter=50)
    assert_same(again.fit(*IRIS, checkpoint="fit.npz", resume=True), whole)


def test_max_iter_may_differ_down_to_the_complete_epochs():
    classifier(max_iter=5).fit(*IRIS, checkpoint="fit.npz")
    whole = classifier(max_iter=9).fit(*IRIS)
    assert_same(classifier(max_iter=9).fit(*IRIS, checkpoint="fit.npz", resume=True), whole)
    with pytest.raises(ValueError, match=r"^max_iter: expected at least the 9 complete epochs of "
                       r"fit\.npz, got 8$"):  # fmt: skip
        classifier(max_iter=8).fit(*IRIS, checkpoint="fit.npz", resume=True)


def test_a_warm_start_is_resumed_with_its_earlier_figures():
    def fit(**options):
        made = classifier(warm_start=True, max_iter=5).fit(*IRIS)
        return made.set_params(max_iter=8).fit(*IRIS, **options)

    whole = fit()
    made = classifier(warm_start=True, max_iter=5).fit(*IRIS)
    made.set_params(max_iter=3).fit(*IRIS, checkpoint="fit.npz")
    again = fit(checkpoint="fit.npz", resume=True)
    assert len(again.loss_curve_) == 13
    assert again.n_iter_ == 8
    assert_same(again, whole)


def test_partial_fit_goes_on_after_a_resumed_fit():
    def both(**options):
        return classifier(max_iter=6).fit(*IRIS, **options).partial_fit(*IRIS)

    whole = both()
    classifier(max_iter=3).fit(*IRIS, checkpoint="fit.npz")
    assert_same(both(checkpoint="fit.npz", resume=True), whole)


def test_sparse_inputs_are_resumed_too(ends_after):
    sparse = pytest.importorskip("scipy.sparse")
    X = sparse.csr_matrix(np.where(IRIS[0] < 3, 0, IRIS[0]))
    whole = classifier().fit(X, IRIS[1])
    ends_after(3, lambda: classifier().fit(X, IRIS[1], checkpoint="fit.npz"))
    assert_same(classifier().fit(X, IRIS[1], checkpoint="fit.npz", resume=True), whole)


def test_a_pipeline_passes_the_arguments_on():
    made = make_pipeline(StandardScaler(), classifier())
    whole = clone(made).fit(*IRIS)
    step = {"mlpclassifier__checkpoint": "fit.npz", "mlpclassifier__resume": True}
    clone(made).set_params(mlpclassifier__max_iter=4).fit(*IRIS, **step)
    again = clone(made).fit(*IRIS, **step)
    assert again[-1].network_ == whole[-1].network_


def test_ctrl_c_keeps_the_last_checkpoint_and_the_estimator(monkeypatch):
    original, n = files.write, [0]

    def interrupted(path, chunks):
        n[0] += 1
        if n[0] == 4:
            raise KeyboardInterrupt
        original(path, chunks)

    monkeypatch.setattr(files, "write", interrupted)
    with pytest.warns(UserWarning, match="interrupted by user"):
        made = classifier().fit(*IRIS, checkpoint="fit.npz")
    assert made.n_iter_ == 4
    assert npz.read("fit.npz")[1]["epochs"] == 3
    assert_same(classifier().fit(*IRIS, checkpoint="fit.npz", resume=True), classifier().fit(*IRIS))


def test_a_line_says_where_a_fit_goes_on(capsys):
    classifier(max_iter=2).fit(*IRIS, checkpoint="fit.npz")
    classifier(max_iter=3, verbose=1).fit(*IRIS, checkpoint="fit.npz", resume=True)
    assert capsys.readouterr().out.startswith("Resumed from fit.npz after iteration 2\nIteration 3")


# ---- what is refused


@pytest.mark.parametrize("make", [classifier, regressor])
def test_lbfgs_has_no_checkpoints(make):
    made = make(solver="lbfgs")
    with pytest.raises(ValueError, match=r"^checkpoint: expected None for the solver 'lbfgs', got "
                       r"'fit\.npz'; 'adam' and 'sgd' have checkpoints$"):  # fmt: skip
        made.fit(*NUMBERS if make is regressor else IRIS, checkpoint="fit.npz")
    assert os.listdir() == []
    assert not hasattr(made, "network_")


@pytest.mark.parametrize(
    ("name", "parameters", "given"),
    [
        ("learning_rate_init", {"learning_rate_init": 0.5}, {}),
        ("sizes", {"hidden_layer_sizes": (7,)}, {}),
        ("hidden", {"activation": "tanh"}, {}),
        ("optimizer", {"beta_1": 0.5}, {}),
        ("alpha", {"alpha": 1.0}, {}),
        ("batch_size", {"batch_size": 9}, {}),
        ("shuffle", {"shuffle": False}, {}),
        ("tol", {"tol": 1.0}, {}),
        ("n_iter_no_change", {"n_iter_no_change": np.inf}, {}),
        ("early_stopping", {"early_stopping": True}, {}),
        ("class_weight", {"class_weight": {0: 2.0}}, {}),
        ("sample_weight", {}, {"sample_weight": np.full(150, 2.0)}),
        ("eval_set", {}, {"eval_set": IRIS}),
        ("dtype", {"dtype": "float32"}, {}),
        ("dropout", {"dropout": 0.2}, {}),
        ("eval_metric", {"eval_metric": "loss"}, {}),
        ("kind of generator", {"random_state": np.random.RandomState(np.random.SFC64(1))}, {}),
    ],
)
def test_other_parameters_and_data_are_refused_and_the_estimator_stays(name, parameters, given):
    classifier(max_iter=3).fit(*IRIS, checkpoint="fit.npz")
    made = classifier(**parameters)
    with pytest.raises(ValueError, match=f" {name}: the checkpoint has "):
        made.fit(*IRIS, checkpoint="fit.npz", resume=True, **given)
    assert not hasattr(made, "network_")


def test_other_examples_are_refused():
    classifier(max_iter=3).fit(*IRIS, checkpoint="fit.npz")
    X, y = IRIS
    for others in ((X[:-1], y[:-1]), (X + 1, y), (X, y[::-1])):
        with pytest.raises(ValueError, match=" X, y: the checkpoint has 150 examples of 4 float64"):
            classifier().fit(*others, checkpoint="fit.npz", resume=True)
    names = np.array(["a", "b", "c"])
    with pytest.raises(ValueError, match=" classes: the checkpoint has "):
        classifier().fit(X, names[y], checkpoint="fit.npz", resume=True)


def test_the_checkpoint_of_another_estimator_is_refused():
    classifier(max_iter=3).fit(*IRIS, checkpoint="fit.npz")
    with pytest.raises(ValueError, match=r"function: the checkpoint has MLPClassifier\.fit, this "
                       r"call MLPRegressor\.fit$"):  # fmt: skip
        regressor().fit(*NUMBERS, checkpoint="fit.npz", resume=True)


def test_invalid_arguments_are_refused():
    for arguments in ({"checkpoint": "fit.pkl"}, {"checkpoint_every": 0}, {"resume": True}):
        with pytest.raises(ValueError, match=rf"^{next(iter(arguments))}: expected "):
            classifier().fit(*IRIS, **arguments)
    with pytest.raises(OSError, match="missing"):
        classifier().fit(*IRIS, checkpoint="missing/fit.npz")


def edited(meta, path, new):
    return {**meta, path[0]: edited(meta[path[0]], path[1:], new)} if path else new


HOSTILE = (None, -1, 1e300, 10**400, "nan", "x", [], {}, [1] * 9, True)


@pytest.mark.parametrize("parameters", [{}, {"early_stopping": True, "solver": "sgd"}])
def test_a_hostile_description_is_one_error_and_the_estimator_stays(parameters):
    classifier(max_iter=3, **parameters).fit(*IRIS, checkpoint="fit.npz")
    arrays, meta = npz.read("fit.npz")
    for name in meta["state"]:
        for new in HOSTILE:
            npz.write("fit.npz", arrays, edited(meta, ("state", name), new))
            made = classifier(max_iter=5, **parameters)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.simplefilter("ignore", ConvergenceWarning)
                try:
                    made.fit(*IRIS, checkpoint="fit.npz", resume=True)
                    message = None
                except ValueError as error:
                    message = str(error)
            if message is not None:
                assert message.startswith("fit.npz: "), (name, new)
                assert not hasattr(made, "network_")


@pytest.mark.parametrize("gauss", ["nan", "inf", 10**400, None])
def test_the_second_normal_number_of_a_random_state_must_be_finite(gauss):
    classifier(max_iter=3).fit(*IRIS, checkpoint="fit.npz")
    arrays, meta = npz.read("fit.npz")
    npz.write("fit.npz", arrays, edited(meta, ("state", "generator", "gauss"), gauss))
    with pytest.raises(ValueError, match=r"^fit\.npz: state\.generator\.gauss: expected a "):
        classifier().fit(*IRIS, checkpoint="fit.npz", resume=True)


def test_hostile_arrays_are_one_error():
    classifier(max_iter=3, early_stopping=True).fit(*IRIS, checkpoint="fit.npz")
    arrays, meta = npz.read("fit.npz")
    made = classifier(early_stopping=True)
    assert {"order", "trained_on", "held_out", "best_weights_0", "moments_1_biases_1"} <= {*arrays}
    for name, array in arrays.items():
        wrong = [array[:0], array.astype(np.int8), None]
        if name in ("order", "trained_on", "held_out"):
            wrong.append(array * 0)
        for one in wrong:
            others = {key: it for key, it in arrays.items() if key != name}
            npz.write("fit.npz", others if one is None else {**others, name: one}, meta)
            with pytest.raises(ValueError, match=r"^fit\.npz: .*expected .*found "):
                made.fit(*IRIS, checkpoint="fit.npz", resume=True)
            assert not hasattr(made, "network_")
