"""Frames, sparse matrices and labels of all kinds, in ``fit`` and in its ``eval_set``; tags."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import scipy.sparse
from fitted_estimators import HELD_OUT, TRAINING, X, Y
from sklearn import neural_network as theirs
from sklearn.utils import get_tags

from fastnet import sklearn as ours
from fastnet.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COLUMNS = ["sepal length", "sepal width", "petal length", "petal width"]
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


def pandas_frame(rows):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    return pandas.DataFrame(rows, columns=COLUMNS)


def polars_frame(rows):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    return polars.DataFrame(rows, schema=COLUMNS)


def pandas_series(labels):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    return pandas.Series(labels)


def categorical(labels):
    return pandas_series(labels).astype("category")


def polars_series(labels):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    return polars.Series(labels)


INPUTS = {
    "array": np.asarray, "list": np.ndarray.tolist, "pandas": pandas_frame, "polars": polars_frame,
    "csr_array": scipy.sparse.csr_array, "csc_matrix": scipy.sparse.csc_matrix,
    "coo_array": scipy.sparse.coo_array,
}  # fmt: skip
LABELS = {
    "array": np.asarray, "list": np.ndarray.tolist, "object": lambda y: y.astype(object),
    "pandas": pandas_series, "category": categorical, "polars": polars_series,
}  # fmt: skip


def fitted(inputs, labels, metric, eval_inputs=None, eval_labels=None, solver="adam"):
    net = MLPClassifier(
        8, solver=solver, max_iter=6, learning_rate_init=0.05, batch_size=20, random_state=0,
        eval_metric=metric,
    )  # fmt: skip
    eval_inputs, eval_labels = eval_inputs or inputs, eval_labels or labels
    return net.fit(
        inputs(X[TRAINING]), labels(NAMES[TRAINING]),
        eval_set=(eval_inputs(X[HELD_OUT]), eval_labels(NAMES[HELD_OUT])),
    )  # fmt: skip


@pytest.mark.parametrize("metric", [None, "loss", "f1_macro", "neg_log_loss"])
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("inputs", INPUTS)
def test_held_out_examples_of_every_form_are_measured_alike(inputs, labels, metric):
    plain = fitted(np.asarray, np.asarray, metric)
    given = fitted(INPUTS[inputs], LABELS[labels], metric)
    assert given.history_ == plain.history_
    assert given.network_ == plain.network_
    assert given.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert len(set(given.validation_scores_)) > 1


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("inputs", ["csr_array", "csc_matrix"])
def test_held_out_examples_may_be_sparse_where_the_others_are_dense(inputs, solver):
    plain = fitted(np.asarray, np.asarray, "accuracy", solver=solver)
    mixed = fitted(np.asarray, np.asarray, "accuracy", INPUTS[inputs], pandas_series, solver)
    other = fitted(INPUTS[inputs], pandas_series, "accuracy", np.asarray, np.asarray, solver)
    assert plain.history_ == mixed.history_ == other.history_


def test_a_function_as_metric_gets_the_user_s_labels():
    seen = []

    def metric(net, inputs, labels):
        seen.append((net.predict(inputs).dtype.kind, sorted(set(labels))))
        return net.score(inputs, labels)

    net = fitted(pandas_frame, pandas_series, metric)
    assert seen[0][1] == ["setosa", "versicolor", "virginica"]
    assert net.validation_scores_ == fitted(np.asarray, np.asarray, None).validation_scores_


def test_columns_in_another_order_are_refused():
    frame = pandas_frame(X)
    with pytest.raises(ValueError, match=r"(?s)^eval_set: .*feature names"):
        MLPClassifier(max_iter=2).fit(frame, NAMES, eval_set=(frame[COLUMNS[::-1]], NAMES))


def test_unknown_labels_and_labels_of_another_kind_are_refused():
    for labels in (np.where(Y == 2, "lily", NAMES), Y):
        with pytest.raises((ValueError, TypeError), match=r"^eval_set: "):
            MLPClassifier(max_iter=2).fit(X, NAMES, eval_set=(X, labels))


def test_several_labels_and_targets_may_be_frames_or_sparse():
    several = np.array([Y == 0, Y > 0]).T.astype(int)
    net = MLPClassifier(max_iter=3, random_state=0)
    plain = net.fit(X, several, eval_set=(X, several)).history_
    sparse = scipy.sparse.csr_array(several)
    assert net.fit(X, several, eval_set=(X, sparse)).history_ == plain
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    regressor = MLPRegressor(max_iter=3, random_state=0)
    plain = regressor.fit(X, X[:, :2], eval_set=(X, X[:, :2])).history_
    frame = pandas.DataFrame(X[:, :2])
    given = regressor.fit(X, frame, eval_set=(X, frame)).history_
    assert given["validation_loss"] == plain["validation_loss"]
    np.testing.assert_allclose(given["validation_score"], plain["validation_score"], rtol=1e-12)


@pytest.mark.parametrize("make", [pandas_frame, polars_frame])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_the_names_of_features_are_those_of_scikit_learn(kind, solver, make):
    mine, original = (
        getattr(library, kind)(solver=solver, max_iter=3, random_state=0).fit(make(X), Y)
        for library in (ours, theirs)
    )
    assert mine.feature_names_in_.tolist() == original.feature_names_in_.tolist() == COLUMNS
    assert mine.feature_names_in_.dtype == original.feature_names_in_.dtype
    assert mine.n_features_in_ == original.n_features_in_ == 4
    mine.fit(X, Y)
    assert not hasattr(mine, "feature_names_in_")


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_the_tags_are_those_of_scikit_learn(kind):
    assert get_tags(getattr(ours, kind)()) == get_tags(getattr(theirs, kind)())
