"""The estimators in ONNX: their ``to_onnx``, the converter that skl2onnx finds, and networks of
scikit-learn that ``Network.from_onnx`` reads."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from onnx_models import onnx, run

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")

import skl2onnx
from sklearn import calibration, ensemble, model_selection, multiclass, neural_network
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import fastnet
from fastnet import Network
from fastnet.nn import activations
from fastnet.sklearn import MLPClassifier, MLPRegressor, register_onnx

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer", "ignore::FutureWarning", "ignore::DeprecationWarning"
)

X, SPECIES = load_iris(return_X_y=True)
X = X.astype(np.float32)
OPSET = {"": 17, "ai.onnx.ml": 3}
TARGETS = {
    "three integers": SPECIES,
    "strings": np.array(["setosa", "versicolor", "é"])[SPECIES],
    "objects": np.array(["a", "b", "c"], object)[SPECIES],
    "two integers": (SPECIES > 0) * 7 - 3,
    "two strings": np.where(SPECIES > 0, "yes", "no"),
    "booleans": SPECIES > 0,
    "numbers": SPECIES * 1.0,
    "one class": SPECIES * 0 + 5,
    "several labels": np.stack([SPECIES > 0, SPECIES < 2, X[:, 0] > 6], axis=1).astype(int),
}


def classifier(**options):
    return MLPClassifier((8,), max_iter=20, random_state=0, **options)


def regressor(**options):
    return MLPRegressor(hidden_layer_sizes=(8,), max_iter=20, random_state=0, **options)


def close(found, expected):
    assert found.shape == expected.shape
    return np.abs(found - expected).max() < 2e-6


# ---- to_onnx


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", ["auto", "logistic", "softmax"])
def test_the_labels_and_the_probabilities_are_those_of_the_classifier(target, dtype, output):
    if target == "several labels" and output == "softmax":
        pytest.skip("softmax outputs are for one label")
    fitted = classifier(dtype=dtype, output=output).fit(X, TARGETS[target])
    x = X.astype(dtype)
    made = run(fitted.to_onnx(), x)
    assert [*made] == ["label", "probabilities"]
    assert made["probabilities"].dtype == dtype
    assert close(made["probabilities"], fitted.predict_proba(x))
    assert np.array_equal(made["label"], fitted.predict(x))
    assert made["label"].dtype.kind == {"U": "O"}.get(
        fitted.classes_.dtype.kind, fitted.classes_.dtype.kind
    )


def test_probabilities_of_extreme_inputs_are_finite_and_sum_to_one():
    for target, output in (("three integers", "logistic"), ("three integers", "softmax"),
                           ("booleans", "logistic")):  # fmt: skip
        fitted = classifier(output=output).fit(X, TARGETS[target])
        x = X * np.float32(1e4)
        found = run(fitted.to_onnx(), x)["probabilities"]
        assert np.abs(found.sum(axis=1) - 1).max() < 1e-6
        assert close(found, fitted.predict_proba(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_out", [1, 2])
@pytest.mark.parametrize("output", ["identity", "logistic", "exp"])
def test_the_outputs_of_a_regressor_have_two_axes(output, n_out, dtype):
    y = X[:, :n_out] / 10
    loss = "poisson" if output == "exp" else "squared_error"
    fitted = regressor(loss=loss, output=output, dtype=dtype).fit(X, y[:, 0] if n_out == 1 else y)
    x = X.astype(dtype)
    assert close(run(fitted.to_onnx(), x)["variable"], fitted.predict(x).reshape(-1, n_out))


@pytest.mark.parametrize("name", [each.sklearn_name for each in activations.ACTIVATIONS.values()
                                  if "hidden" in each.roles])  # fmt: skip
def test_every_activation_of_the_estimators_is_the_same_in_onnx(name):
    fitted = classifier(activation=name).fit(X, SPECIES)
    assert close(run(fitted.to_onnx(), X)["probabilities"], fitted.predict_proba(X))


def test_the_metadata_name_classes_and_features_and_the_file_is_the_model(tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    fitted = classifier().fit(frame, TARGETS["strings"])
    model = fitted.to_onnx(tmp_path / "iris.onnx")
    assert onnx.load(tmp_path / "iris.onnx") == model
    stored = {each.key: json.loads(each.value) for each in model.metadata_props}
    assert stored["classes"] == ["setosa", "versicolor", "é"]
    assert stored["features"] == ["a", "b", "c", "d"]
    read = Network.from_onnx(model)
    assert read.predict_labels(X).tolist() == fitted.predict(frame).tolist()
    assert np.array_equal(read.weights[0], fitted.network_.weights[0])


def test_an_estimator_that_is_not_fitted_or_not_writable_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        MLPClassifier().to_onnx()
    with pytest.raises(FileNotFoundError):
        classifier().fit(X, SPECIES).to_onnx(tmp_path / "none" / "x.onnx")


def test_labels_that_no_type_of_onnx_runtime_holds_are_refused_by_both_ways():
    fitted = classifier().fit(X, SPECIES.astype(np.uint64) + 2**63)
    for call in (fitted.to_onnx, lambda: skl2onnx.to_onnx(fitted, X[:1])):
        with pytest.raises(ValueError, match=r"^classes_: expected integers of at most 63 bits"):
            call()
    largest = classifier().fit(X, SPECIES.astype(np.uint64) + (2**63 - 3))
    label = run(largest.to_onnx(), {"X": X})["label"]
    assert np.array_equal(label, largest.predict(X).astype(np.int64))


def test_an_activation_without_a_formula_is_refused_by_both_ways(monkeypatch):
    fitted = classifier(activation="tanh").fit(X, SPECIES)
    monkeypatch.setattr(activations.Tanh, "onnx", activations.Activation.onnx)
    for call in (fitted.to_onnx, lambda: skl2onnx.to_onnx(fitted, X[:1])):
        with pytest.raises(ValueError, match="expected activations that ONNX can say, got tanh"):
            call()


# ---- skl2onnx


ENSEMBLES = {
    "alone": classifier(),
    "in a pipeline": make_pipeline(StandardScaler(), classifier()),
    "after a column transformer": make_pipeline(
        ColumnTransformer([("scaled", StandardScaler(), [0, 1])], remainder="passthrough"),
        classifier(),
    ),
    "voting": ensemble.VotingClassifier(
        [("a", classifier()), ("b", make_pipeline(StandardScaler(), classifier()))],
        voting="soft", flatten_transform=False,
    ),
    "bagging": ensemble.BaggingClassifier(classifier(), 3, random_state=0),
    "stacking": ensemble.StackingClassifier([("a", classifier())], classifier(), cv=2),
    "AdaBoost": ensemble.AdaBoostClassifier(
        classifier(learning_rate_init=0.1), n_estimators=3, random_state=0
    ),
    "calibrated": calibration.CalibratedClassifierCV(classifier(), cv=2),
    "grid search": model_selection.GridSearchCV(classifier(), {"alpha": [1e-4]}, cv=2),
    "one against the rest": multiclass.OneVsRestClassifier(classifier()),
}  # fmt: skip


@pytest.mark.parametrize("labels", ["three integers", "strings"])
@pytest.mark.parametrize("zipmap", [False, None], ids=["arrays", "dicts"])
@pytest.mark.parametrize("name", ENSEMBLES)
def test_skl2onnx_converts_classifiers_and_what_contains_them(name, zipmap, labels):
    fitted = ENSEMBLES[name].fit(X, TARGETS[labels])
    options = None if zipmap is None else {"zipmap": zipmap}
    made = run(skl2onnx.to_onnx(fitted, X[:1], options=options, target_opset=OPSET), X)
    label, shares = made.values()
    if zipmap is None:
        shares = np.array([[row[each] for each in fitted.classes_] for row in shares])
    assert np.array_equal(label, fitted.predict(X))
    assert close(shares, fitted.predict_proba(X))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("x", [X, X.astype(np.float64)], ids=lambda x: str(x.dtype))
def test_skl2onnx_converts_labels_of_any_kind(target, x):
    fitted = classifier().fit(x, TARGETS[target])
    options = {id(fitted): {"zipmap": False}}
    made = run(skl2onnx.to_onnx(fitted, x[:1], options=options, target_opset=OPSET), x)
    assert np.array_equal(made["label"], fitted.predict(x))
    assert close(made["probabilities"], fitted.predict_proba(x))
    assert made["probabilities"].dtype == x.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["alone", "pipeline", "voting", "bagging", "stacking"])
def test_skl2onnx_converts_regressors_and_what_contains_them(name, dtype):
    data, y = load_diabetes(return_X_y=True)
    data, y = data.astype(dtype), y / y.mean()
    fitted = {
        "alone": regressor(),
        "pipeline": make_pipeline(StandardScaler(), regressor(dtype="float64")),
        "voting": ensemble.VotingRegressor([("a", regressor()), ("b", regressor(alpha=1))]),
        "bagging": ensemble.BaggingRegressor(regressor(), 3, random_state=0),
        "stacking": ensemble.StackingRegressor([("a", regressor())], regressor(), cv=2),
    }[name].fit(data, y)
    (found,) = run(skl2onnx.to_onnx(fitted, data[:1], target_opset=OPSET), data).values()
    assert close(found[:, 0], fitted.predict(data))


def test_a_frame_with_a_column_of_names_is_converted_column_by_column():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame({"length": X[:, 0], "kind": np.array(["p", "q", "r"])[SPECIES]})
    columns = ColumnTransformer(
        [("l", StandardScaler(), ["length"]), ("k", OneHotEncoder(), ["kind"])]
    )
    fitted = make_pipeline(columns, classifier()).fit(frame, SPECIES)
    types = skl2onnx.common.data_types
    initial = [
        ("length", types.FloatTensorType([None, 1])),
        ("kind", types.StringTensorType([None, 1])),
    ]
    options = {id(fitted): {"zipmap": False}}
    model = skl2onnx.to_onnx(fitted, initial_types=initial, options=options, target_opset=OPSET)
    made = run(model, {"length": X[:, :1], "kind": frame[["kind"]].to_numpy(object)})
    assert close(made["probabilities"], fitted.predict_proba(frame).astype(np.float32))


# ---- when the estimators are registered


def printed(program):
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


QUIET = "import warnings; warnings.simplefilter('ignore')\n"
FITTED = """
import sys, pickle, numpy as np
X = np.linspace(0, 1, 20, dtype=np.float32)[:, None]
from fastnet.sklearn import MLPRegressor, register_onnx
net = MLPRegressor(hidden_layer_sizes=(2,), max_iter=300).fit(X, X[:, 0])
print("skl2onnx" in sys.modules, "onnx" in sys.modules)
"""
CONVERTED = """
print([one.name for one in skl2onnx.to_onnx(net, X[:1]).graph.output][0])
"""


@pytest.mark.thorough
@pytest.mark.parametrize(
    "between",
    ["net.fit(X, X[:, 0])", "net = pickle.loads(pickle.dumps(net))", "register_onnx()"],
)
def test_the_estimators_register_themselves_once_skl2onnx_is_imported(between):
    program = f"{FITTED}import skl2onnx\n{between}\n{CONVERTED}"
    assert printed(QUIET + program) == ["False", "False", "variable"]


def test_the_estimators_are_registered_at_their_import_if_skl2onnx_was_imported_before():
    program = f"import skl2onnx\n{FITTED}{CONVERTED}"
    assert printed(QUIET + program) == ["True", "True", "variable"]


def test_a_converter_that_a_program_registers_is_kept():
    from skl2onnx import _supported_operators as supported

    known = supported.sklearn_operator_name_map
    register_onnx()
    assert known[MLPClassifier] == "FastnetMLPClassifier"
    try:
        known[MLPClassifier] = "Mine"
        pickle.loads(pickle.dumps(classifier().fit(X, SPECIES)))
        assert known[MLPClassifier] == "Mine"
    finally:
        register_onnx()
    assert known[MLPClassifier] == "FastnetMLPClassifier"


def test_a_missing_skl2onnx_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match='skl2onnx to be installed: pip install "skl2onnx>='):
        register_onnx()


# ---- networks of scikit-learn


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("target", ["three integers", "strings", "two integers", "two strings"])
def test_classifiers_of_scikit_learn_are_read_with_their_classes(target, zipmap, activation):
    mlp = neural_network.MLPClassifier((6, 5), activation=activation, max_iter=20, random_state=0)
    fitted = make_pipeline(StandardScaler(), mlp).fit(X, TARGETS[target])
    options = {id(mlp): {"zipmap": zipmap}}
    net = Network.from_onnx(
        skl2onnx.to_onnx(fitted, X[:1], options=options, target_opset=OPSET).SerializeToString()
    )
    shares = fitted.predict_proba(X)
    assert close(net.feedforward(X), shares if net.sizes[-1] > 1 else shares[:, 1:])
    assert net.predict_labels(X).tolist() == fitted.predict(X).tolist()
    assert isinstance(net.inputs, fastnet.Standardize)


@pytest.mark.parametrize("n_out", [1, 2])
def test_regressors_of_scikit_learn_are_read_or_refused(n_out):
    """skl2onnx reshapes the outputs of several targets to one column."""
    mlp = neural_network.MLPRegressor(hidden_layer_sizes=(6, 5), max_iter=20, random_state=0)
    fitted = mlp.fit(X, X[:, 0] if n_out == 1 else X[:, :2])
    model = skl2onnx.to_onnx(fitted, X[:1], target_opset=OPSET)
    if n_out == 1:
        assert close(Network.from_onnx(model).feedforward(X)[:, 0], fitted.predict(X))
    else:
        with pytest.raises(ValueError, match=r"\(Reshape\): expected a shape that changes nothing"):
            Network.from_onnx(model)
