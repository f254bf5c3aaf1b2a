"""The estimators where scikit-learn's users put them: pipelines, searches, frames, files."""

import doctest
import importlib
import inspect
import io
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import joblib
import scipy.sparse
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_regression
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastnet.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
NAMES = load_iris().target_names[Y]


def classifier(**options):
    options = {"max_iter": 40, "learning_rate_init": 0.01, "random_state": 0, **options}
    return MLPClassifier(**options)


def test_a_pipeline_learns_the_digits_and_the_houses_as_well_as_one_wants():
    digits, labels = load_digits(return_X_y=True)
    pipe = make_pipeline(
        StandardScaler(), MLPClassifier(batch_size=32, max_iter=20, random_state=0)
    )
    assert pipe.fit(digits[:1300], labels[:1300]).score(digits[1300:], labels[1300:]) > 0.92
    inputs, targets = make_regression(500, 5, noise=1.0, random_state=0)
    pipe = make_pipeline(StandardScaler(), MLPRegressor(learning_rate_init=0.02, random_state=0))
    assert pipe.fit(inputs[:400], targets[:400]).score(inputs[400:], targets[400:]) > 0.98


def test_a_grid_search_and_cross_validation_go_through():
    grid = {"hidden_layer_sizes": [(), (10,)], "solver": ["sgd", "adam"], "output": ["softmax"]}
    search = GridSearchCV(classifier(), grid, cv=3).fit(X, NAMES)
    assert search.best_score_ > 0.9
    assert len(set(search.cv_results_["mean_test_score"])) > 1
    assert cross_val_score(classifier(), X, NAMES, cv=4).min() > 0.85
    scores = cross_val_score(MLPRegressor(max_iter=300, random_state=0), X[:, :3], X[:, 3])
    assert np.isfinite(scores).all()


def test_a_calibrated_classifier_has_probabilities():
    calibrated = CalibratedClassifierCV(classifier(), cv=3).fit(X, NAMES)
    probabilities = calibrated.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    assert calibrated.score(X, NAMES) > 0.9


def test_labels_are_strings_where_they_were():
    fitted = classifier().fit(X, NAMES)
    assert fitted.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert np.mean(fitted.predict(X) == NAMES) == fitted.score(X, NAMES) > 0.9
    two = classifier().fit(X, np.where(Y == 0, "no", "yes"))
    assert two.n_outputs_ == 1
    probabilities = two.predict_proba(X)
    assert probabilities.shape == (150, 2)
    assert set(two.predict(X)) == {"no", "yes"}
    np.testing.assert_array_equal(two.classes_[probabilities.argmax(axis=1)], two.predict(X))


def test_several_labels_at_once_dense_and_sparse():
    several = np.array([Y == 0, Y > 0, X[:, 0] > 6]).T.astype(int)
    fitted = classifier(max_iter=200).fit(X, several)
    assert fitted.predict(X).shape == fitted.predict_proba(X).shape == (150, 3)
    assert fitted.score(X, several) > 0.8
    again = classifier(max_iter=200).fit(X, scipy.sparse.csr_array(several))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))


def test_several_targets_at_once():
    fitted = MLPRegressor(max_iter=500, random_state=0).fit(X[:, :2], X[:, 2:])
    assert fitted.predict(X[:, :2]).shape == (150, 2)
    assert fitted.score(X[:, :2], X[:, 2:]) > 0.8
    with pytest.warns(DataConversionWarning):
        one = MLPRegressor(max_iter=5, random_state=0).fit(X[:, :3], X[:, 3:])
    assert one.predict(X[:, :3]).shape == (150,)


def test_the_columns_of_a_data_frame_are_remembered():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = load_iris(as_frame=True)
    fitted = classifier(eval_metric="f1_macro", early_stopping=True).fit(frame.data, frame.target)
    assert fitted.feature_names_in_.tolist() == frame.data.columns.tolist()
    plain = classifier(eval_metric="f1_macro", early_stopping=True).fit(X, Y)
    np.testing.assert_array_equal(fitted.predict(frame.data), plain.predict(X))
    with pytest.warns(UserWarning, match="feature names"):
        fitted.predict(X)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame.data[frame.data.columns[::-1]])
    given = classifier().fit(frame.data, frame.target, eval_set=(frame.data, frame.target))
    history = pandas.DataFrame(given.history_)
    assert history.shape == (given.n_iter_, 3)
    pipe = make_pipeline(StandardScaler(), classifier()).set_output(transform="pandas")
    pipe.fit(frame.data, frame.target)
    assert pipe[-1].feature_names_in_.tolist() == frame.data.columns.tolist()


@pytest.mark.parametrize("form", ["csr_matrix", "csr_array", "csc_array", "coo_array"])
def test_sparse_inputs_give_the_bits_of_dense_ones(form):
    digits, labels = load_digits(return_X_y=True)
    dense = classifier(max_iter=3).fit(digits, labels)
    sparse = classifier(max_iter=3).fit(getattr(scipy.sparse, form)(digits), labels)
    for one, other in zip(dense.coefs_, sparse.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
    some = scipy.sparse.csr_array(digits[:9])
    np.testing.assert_array_equal(sparse.predict_proba(some), dense.predict_proba(digits[:9]))


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_sparse_inputs_are_never_made_dense(kind):
    """Dense they would take 800 MB."""
    many = scipy.sparse.random_array((2000, 50_000), density=1e-4, format="csr", rng=0)
    targets = np.arange(2000) % 2
    estimator = kind((3,) if kind is MLPClassifier else "squared_error", max_iter=2)
    estimator.set_params(hidden_layer_sizes=(3,), early_stopping=True, random_state=0)
    tracemalloc.start()
    try:
        estimator.fit(many, targets, eval_set=(many[:500], targets[:500])).predict(many)
        estimator.score(many, targets)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50e6


def test_a_clone_a_pickle_and_a_joblib_dump_are_the_estimator(tmp_path):
    fitted = classifier(early_stopping=True).fit(X, NAMES)
    copies = [pickle.loads(pickle.dumps(fitted))]
    joblib.dump(fitted, tmp_path / "net.joblib")
    copies.append(joblib.load(tmp_path / "net.joblib"))
    for copy in copies:
        np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
        assert copy.history_ == fitted.history_
    fitted.set_params(early_stopping=False, warm_start=True)
    copies[0].set_params(early_stopping=False, warm_start=True)
    for one, other in zip(fitted.fit(X, NAMES).coefs_, copies[0].fit(X, NAMES).coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
    unfitted = clone(fitted)
    assert unfitted.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        unfitted.predict(X)
    assert not hasattr(unfitted, "coefs_")


def test_partial_fit_learns_from_parts_with_classes_that_come_late():
    inputs, labels = load_breast_cancer(return_X_y=True)
    inputs = StandardScaler().fit_transform(inputs)
    learner = MLPClassifier(batch_size=20, random_state=0)
    learner.partial_fit(inputs[labels == 0][:100], labels[labels == 0][:100], classes=[0, 1])
    for part in np.array_split(np.random.default_rng(0).permutation(len(labels)), 10):
        learner.partial_fit(inputs[part], labels[part])
    assert learner.score(inputs, labels) > 0.9
    assert (learner.n_iter_, len(learner.loss_curve_)) == (1, 11)
    with pytest.raises(ValueError, match=r"^y: expected classes among \[0 1\], got \[2\], too"):
        learner.partial_fit(inputs[:2], [0, 2])
    with pytest.raises(ValueError, match=r"^classes: expected those of the first call"):
        learner.partial_fit(inputs[:2], [0, 1], classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"^classes: expected all classes"):
        MLPClassifier().partial_fit(inputs, labels)
    regressor = MLPRegressor(random_state=0)
    for _ in range(3):
        regressor.partial_fit(X[:, :3], X[:, 3])
    assert len(regressor.history_["training_loss"]) == 3


def test_sample_weights_are_routed_to_fit_and_to_score():
    weights = np.where(Y == 2, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        learner = classifier().set_fit_request(sample_weight=True, eval_set=False)
        learner.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipe = make_pipeline(scaler, learner).fit(X, Y, sample_weight=weights)
        assert set(pipe.predict(X)) == {0, 1}
        search = GridSearchCV(learner, {"alpha": [1e-4]}, cv=3).fit(X, Y, sample_weight=weights)
        assert search.best_score_ > 0.9  # of the examples that count
    assert learner.fit(X, Y, weights).score(X, Y, weights) > learner.score(X, Y)


def test_what_looks_into_estimators_works_with_them():
    fitted = classifier().fit(X, Y)
    importances = permutation_importance(fitted, X, Y, n_repeats=2, random_state=0)
    assert importances.importances_mean[2:].min() > importances.importances_mean[:2].max() - 0.1
    assert repr(classifier()) == (
        "MLPClassifier(learning_rate_init=0.01, max_iter=40, random_state=0)"
    )


def test_the_network_within_is_one_of_fastnet_s():
    fitted = classifier().fit(X, Y)
    outputs = fitted.network_.feedforward(X)
    np.testing.assert_allclose(outputs, fitted.predict_proba(X), rtol=1e-14)
    assert fitted.network_.accuracy((X, Y)) == round(150 * fitted.score(X, Y))
    fitted.coefs_[0][...] = 0
    assert not fitted.network_.weights[0].any()
    fitted.coefs_ = [np.ones_like(w) for w in fitted.coefs_]
    fitted.intercepts_ = [np.full_like(b, 2) for b in fitted.intercepts_]
    assert (fitted.network_.weights[1] == 1).all()
    assert (fitted.network_.biases[0] == 2).all()


def test_without_scikit_learn_the_error_says_how_to_get_it():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import fastnet\n"  # which does not need it
        "try:\n    import fastnet.sklearn\n"
        "except ImportError as error:\n    print(error)"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert ran.stdout == (
        "fastnet.sklearn: expected scikit-learn 1.6 or newer to be installed: "
        'pip install "scikit-learn>=1.6"\n'
    ), ran.stderr


def test_fastnet_itself_does_not_import_scikit_learn():
    code = "import sys, fastnet, fastnet.cli; print('sklearn' in sys.modules)"
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert ran.stdout == "False\n", ran.stderr


def test_verbose_prints_a_line_per_epoch_and_why_it_stopped(capsys):
    classifier(verbose=True, tol=10, n_iter_no_change=1).fit(X, Y, eval_set=(X, Y))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("Iteration  1 / 40  loss ")
    assert "  validation loss " in lines[0]
    assert lines[3] == (
        "Stopped after iteration 3: the training loss did not improve by tol=10 in 1 epochs"
    )
    classifier().fit(X, Y)
    assert capsys.readouterr().out == ""


def test_a_verbose_of_ten_is_a_line_per_epoch(capsys):
    classifier(max_iter=2, verbose=10).fit(X, Y)
    ten = capsys.readouterr().out
    classifier(max_iter=2, verbose=1).fit(X, Y)
    assert ten == capsys.readouterr().out
    assert len(ten.splitlines()) == 2


def test_ctrl_c_ends_the_training_with_what_it_has(monkeypatch):
    calls = io.StringIO()

    def interrupted(estimator, inputs, labels):
        calls.write("x")
        if len(calls.getvalue()) == 3:
            raise KeyboardInterrupt
        return 0.5

    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        fitted = classifier(eval_metric=interrupted).fit(X, Y, eval_set=(X, Y))
    assert (fitted.n_iter_, len(fitted.loss_curve_)) == (2, 2)
    assert fitted.predict(X).shape == (150,)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_every_parameter_and_method_is_explained(kind):
    shown = inspect.getdoc(kind)
    assert [name for name in kind().get_params() if name not in shown] == []
    for name in ("fit", "partial_fit", "predict"):
        method = getattr(kind, name)
        assert [p for p in inspect.signature(method).parameters if p not in method.__doc__] == [
            "self"
        ]


@pytest.mark.parametrize("module", ["classifier", "regressor"])
def test_the_examples_in_the_documentation_run(module):
    module = importlib.import_module(f"fastnet.sklearn.{module}")
    assert doctest.testmod(module, raise_on_error=True).attempted > 1
