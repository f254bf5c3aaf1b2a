"""What takes estimators takes these: scikit-learn's meta-estimators, searches and displays, and
other packages. The guide has a table of them, whose names are those below.
"""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn import (
    calibration,
    compose,
    ensemble,
    feature_selection,
    frozen,
    inspection,
    linear_model,
    metrics,
    model_selection,
    multiclass,
    multioutput,
    pipeline,
    preprocessing,
    semi_supervised,
)
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer

from fastnet.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GUIDE = (Path(__file__).parent.parent / "docs/scikit_learn.md").read_text(encoding="utf-8")


def standardized(load):
    X, y = load(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return preprocessing.scale(X)[order], y[order]


IRIS = standardized(load_iris)
CANCER = tuple(part[:250] for part in standardized(load_breast_cancer))
DIABETES = standardized(load_diabetes)
DIABETES = DIABETES[0], preprocessing.scale(DIABETES[1])


def classifier(**options):
    return MLPClassifier(
        (10,), **{"solver": "lbfgs", "alpha": 0.1, "max_iter": 40, "random_state": 0, **options}
    )


def regressor(**options):
    options = {"solver": "lbfgs", "alpha": 10.0, "max_iter": 40, "random_state": 0, **options}
    return MLPRegressor(hidden_layer_sizes=(10,), **options)


def by_importance(estimator):
    """The sizes of the weights of each input, for clients that rank features."""
    return np.abs(estimator.coefs_[0]).sum(axis=1)


# ---- meta-estimators

PAIR = [("a", classifier()), ("b", classifier(random_state=1))]
PAIR_OF_REGRESSORS = [("a", regressor()), ("b", linear_model.Ridge())]

CLASSIFIERS = {
    "BaggingClassifier": lambda: ensemble.BaggingClassifier(classifier(), 4, random_state=0),
    "AdaBoostClassifier": lambda: ensemble.AdaBoostClassifier(
        classifier(max_iter=15), n_estimators=4, random_state=0
    ),
    "VotingClassifier": lambda: ensemble.VotingClassifier(PAIR, voting="soft"),
    "StackingClassifier": lambda: ensemble.StackingClassifier(PAIR, cv=3),
    "CalibratedClassifierCV": lambda: calibration.CalibratedClassifierCV(classifier(), cv=3),
    "OneVsRestClassifier": lambda: multiclass.OneVsRestClassifier(classifier()),
    "OneVsOneClassifier": lambda: multiclass.OneVsOneClassifier(classifier()),
    "OutputCodeClassifier": lambda: multiclass.OutputCodeClassifier(
        classifier(), code_size=4, random_state=0
    ),
    "SelfTrainingClassifier": lambda: semi_supervised.SelfTrainingClassifier(classifier()),
    "FrozenEstimator": lambda: frozen.FrozenEstimator(classifier().fit(*IRIS)),
    "Pipeline": lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), classifier()),
    "ColumnTransformer": lambda: pipeline.make_pipeline(
        compose.make_column_transformer((preprocessing.MinMaxScaler(), [0, 2, 3])), classifier()
    ),
    "GridSearchCV": lambda: model_selection.GridSearchCV(
        classifier(), {"alpha": [0.1, 1], "activation": ["identity", "tanh"]}, cv=3
    ),
    "RandomizedSearchCV": lambda: model_selection.RandomizedSearchCV(
        classifier(), {"alpha": [0.1, 0.3, 1]}, n_iter=2, cv=3, random_state=0
    ),
    "HalvingGridSearchCV": lambda: model_selection.HalvingGridSearchCV(
        classifier(), {"alpha": [0.1, 1, 3]}, resource="max_iter", max_resources=40, cv=3,
        min_resources=8, random_state=0,
    ),
    "HalvingRandomSearchCV": lambda: model_selection.HalvingRandomSearchCV(
        classifier(), {"alpha": [0.1, 0.3, 1]}, n_candidates=2, cv=3, random_state=0
    ),
    "RFE": lambda: feature_selection.RFE(
        classifier(), n_features_to_select=2, importance_getter=by_importance
    ),
    "RFECV": lambda: feature_selection.RFECV(classifier(), importance_getter=by_importance, cv=3),
    "SelectFromModel": lambda: pipeline.make_pipeline(
        feature_selection.SelectFromModel(classifier(), importance_getter=by_importance),
        classifier(),
    ),
    "SequentialFeatureSelector": lambda: pipeline.make_pipeline(
        feature_selection.SequentialFeatureSelector(classifier(max_iter=10), n_features_to_select=2,
                                                    cv=2),
        classifier(),
    ),
}  # fmt: skip

REGRESSORS = {
    "BaggingRegressor": lambda: ensemble.BaggingRegressor(regressor(), 4, random_state=0),
    "AdaBoostRegressor": lambda: ensemble.AdaBoostRegressor(regressor(), n_estimators=3,
                                                            random_state=0),
    "VotingRegressor": lambda: ensemble.VotingRegressor(PAIR_OF_REGRESSORS),
    "StackingRegressor": lambda: ensemble.StackingRegressor(PAIR_OF_REGRESSORS, cv=3),
    "TransformedTargetRegressor": lambda: compose.TransformedTargetRegressor(
        regressor(), transformer=preprocessing.StandardScaler()
    ),
    "RANSACRegressor": lambda: linear_model.RANSACRegressor(
        regressor(), min_samples=300, random_state=0, max_trials=3
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_meta_estimator_classifies_with_it(name):
    X, y = IRIS
    if name == "SelfTrainingClassifier":
        y = np.where(np.arange(150) % 3 == 0, -1, y)
    made = CLASSIFIERS[name]().fit(X, y)
    assert made.score(X, IRIS[1]) > 0.93
    if hasattr(made, "predict_proba"):
        probabilities = made.predict_proba(X)
        assert probabilities.shape == (150, 3)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_meta_estimator_predicts_numbers_with_it(name):
    X, y = DIABETES
    made = REGRESSORS[name]().fit(X, y)
    assert made.predict(X).shape == (len(y),)
    assert made.score(X, y) > 0.45


# ---- other clients of scikit-learn


def _multi_output_classifier():
    X, y = IRIS
    several = np.column_stack([y, X[:, 0] > 0])
    made = multioutput.MultiOutputClassifier(classifier()).fit(X, several)
    assert made.score(X, several) > 0.9


def _multi_output_regressor():
    X, y = DIABETES
    made = multioutput.MultiOutputRegressor(regressor()).fit(X, np.column_stack([y, X[:, 0]]))
    assert made.predict(X).shape == (len(y), 2)


def _classifier_chain():
    X, y = IRIS
    labels = np.column_stack([y == 0, y == 2]).astype(int)
    made = multioutput.ClassifierChain(classifier(), random_state=0).fit(X, labels)
    assert (made.predict(X) == labels).mean() > 0.95


def _regressor_chain():
    X, y = DIABETES
    made = multioutput.RegressorChain(regressor()).fit(X, np.column_stack([y, X[:, 0]]))
    assert metrics.r2_score(y, made.predict(X)[:, 0]) > 0.45


def _thresholds():
    X, y = CANCER
    tuned = model_selection.TunedThresholdClassifierCV(classifier(), scoring="f1", cv=3).fit(X, y)
    fixed = model_selection.FixedThresholdClassifier(classifier(), threshold=0.9).fit(X, y)
    assert tuned.score(X, y) > 0.95
    certain = fixed.estimator_.predict_proba(X)[:, 1] >= 0.9
    np.testing.assert_array_equal(fixed.predict(X), certain)


def _validation():
    X, y = IRIS
    predicted = model_selection.cross_val_predict(classifier(), X, y, cv=3, method="predict_proba")
    assert metrics.accuracy_score(y, predicted.argmax(axis=1)) > 0.9
    assert model_selection.cross_val_score(classifier(), X, y, cv=3).min() > 0.9
    found = model_selection.cross_validate(classifier(), X, y, cv=3, return_estimator=True)
    assert len(found["estimator"][0].coefs_) == 2
    score, _, p = model_selection.permutation_test_score(
        classifier(max_iter=5), X, y, cv=2, n_permutations=9, random_state=0
    )
    assert score > 0.8
    assert p == pytest.approx(0.1)


def _curves():
    X, y = IRIS
    sizes, _, scores = model_selection.learning_curve(
        classifier(), X, y, cv=3, train_sizes=[0.3, 1.0], shuffle=True, random_state=0
    )
    assert sizes.tolist() == [30, 100]
    assert scores[1].mean() > 0.9
    _, scores = model_selection.validation_curve(
        classifier(), X, y, param_name="alpha", param_range=[0.1, 1e4], cv=3
    )
    assert scores[0].mean() > scores[1].mean() + 0.3


def _permutation_importance():
    X, y = IRIS
    found = inspection.permutation_importance(classifier().fit(X, y), X, y, random_state=0)
    assert found.importances_mean[2:].min() > found.importances_mean[:2].max()


def _partial_dependence():
    X, y = DIABETES
    made = regressor().fit(X, y)
    found = inspection.partial_dependence(made, X, [2], grid_resolution=5)["average"][0]
    assert found[-1] > found[0] + 0.3  # the disease progresses with the body-mass index


def _displays():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed").use("agg")
    from matplotlib import pyplot

    X, y = CANCER
    made = classifier().fit(X, y)
    plane = classifier().fit(X[:, :2], y)
    displays = [
        inspection.PartialDependenceDisplay.from_estimator(made, X, [0], grid_resolution=5),
        inspection.DecisionBoundaryDisplay.from_estimator(plane, X[:, :2], grid_resolution=5),
        metrics.ConfusionMatrixDisplay.from_estimator(made, X, y),
        metrics.RocCurveDisplay.from_estimator(made, X, y),
        metrics.PrecisionRecallDisplay.from_estimator(made, X, y),
        calibration.CalibrationDisplay.from_estimator(made, X, y),
        model_selection.LearningCurveDisplay.from_estimator(classifier(), X, y, cv=2),
        metrics.PredictionErrorDisplay.from_estimator(regressor().fit(*DIABETES), *DIABETES),
    ]
    assert displays[3].roc_auc > 0.95 if hasattr(displays[3], "roc_auc") else displays[3]
    assert displays[2].confusion_matrix.sum() == len(y)
    pyplot.close("all")


def _iterative_imputer():
    X = DIABETES[0].copy()
    missing = np.random.default_rng(0).random(X.shape) < 0.05
    truth, X[missing] = X[missing], np.nan
    filled = IterativeImputer(regressor(max_iter=10), max_iter=2, random_state=0).fit_transform(X)
    assert np.isfinite(filled).all()
    assert np.corrcoef(filled[missing], truth)[0, 1] > 0.4


OTHERS = {
    "MultiOutputClassifier": _multi_output_classifier,
    "MultiOutputRegressor": _multi_output_regressor,
    "ClassifierChain": _classifier_chain,
    "RegressorChain": _regressor_chain,
    "TunedThresholdClassifierCV": _thresholds,
    "FixedThresholdClassifier": _thresholds,
    "cross_val_predict": _validation,
    "cross_validate": _validation,
    "permutation_test_score": _validation,
    "learning_curve": _curves,
    "validation_curve": _curves,
    "permutation_importance": _permutation_importance,
    "partial_dependence": _partial_dependence,
    "PartialDependenceDisplay": _displays,
    "IterativeImputer": _iterative_imputer,
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of displays, about their own arguments
@pytest.mark.parametrize("client", dict.fromkeys(OTHERS.values()), ids=lambda one: one.__name__)
def test_a_client_of_scikit_learn_works_with_it(client):
    client()


# ---- other packages


def _imbalanced():
    from imblearn.ensemble import BalancedBaggingClassifier
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import make_pipeline

    X, y = CANCER
    keep = (y == 1) | (np.arange(len(y)) % 4 == 0)
    made = make_pipeline(SMOTE(random_state=0), classifier()).fit(X[keep], y[keep])
    assert metrics.balanced_accuracy_score(y, made.predict(X)) > 0.9
    made = BalancedBaggingClassifier(classifier(), n_estimators=3, random_state=0)
    assert metrics.balanced_accuracy_score(y, made.fit(X[keep], y[keep]).predict(X)) > 0.9


def _mlxtend():
    from mlxtend.classifier import EnsembleVoteClassifier, StackingCVClassifier
    from mlxtend.feature_selection import SequentialFeatureSelector

    X, y = IRIS
    made = EnsembleVoteClassifier([classifier(), classifier(random_state=1)], voting="soft")
    assert made.fit(X, y).score(X, y) > 0.93
    made = StackingCVClassifier(
        [classifier()], linear_model.LogisticRegression(), cv=3, random_state=0
    )
    assert made.fit(X, y).score(X, y) > 0.93
    selector = SequentialFeatureSelector(classifier(max_iter=10), k_features=2, cv=2)
    assert set(selector.fit(X, y).k_feature_idx_) & {2, 3}


def _shap():
    import shap

    X, y = DIABETES
    made = regressor().fit(X, y)
    explained = shap.Explainer(made.predict, X[:50], seed=0)(X[:5])
    total = explained.values.sum(axis=1) + explained.base_values
    np.testing.assert_allclose(total, made.predict(X[:5]), rtol=1e-6, atol=1e-6)
    probabilities = classifier().fit(*IRIS).predict_proba
    values = shap.KernelExplainer(probabilities, IRIS[0][:20]).shap_values(IRIS[0][:2], silent=True)
    assert np.shape(values)[-1] == 3


def _lime():
    from lime.lime_tabular import LimeTabularExplainer

    X, y = IRIS
    made = classifier().fit(X, y)
    explainer = LimeTabularExplainer(X, mode="classification", random_state=0)
    found = explainer.explain_instance(X[0], made.predict_proba, num_features=2, num_samples=200)
    assert len(found.as_list()) == 2


def _emlearn():
    import emlearn

    X, y = IRIS
    made = classifier(
        activation="relu", solver="adam", max_iter=300, learning_rate_init=0.02, dtype="float64"
    ).fit(X, y)
    converted = emlearn.convert(made, method="inline")
    assert (converted.predict(X) == made.predict(X)).mean() > 0.97


def _mapie():
    from mapie.regression import SplitConformalRegressor

    X, y = DIABETES
    made = SplitConformalRegressor(
        regressor().fit(X[:200], y[:200]), confidence_level=0.9, prefit=True
    )
    made.conformalize(X[200:320], y[200:320])
    intervals = made.predict_interval(X[320:])[1][:, :, 0]
    inside = (intervals[:, 0] <= y[320:]) & (y[320:] <= intervals[:, 1])
    assert 0.8 < inside.mean() <= 1


def _fairlearn():
    from fairlearn.reductions import DemographicParity, ExponentiatedGradient

    X, y = CANCER
    made = ExponentiatedGradient(classifier(), DemographicParity(), max_iter=3)
    made.fit(X, y, sensitive_features=X[:, 0] > 0)
    assert (made.predict(X, random_state=0) == y).mean() > 0.6


def _cleanlab():
    from cleanlab.classification import CleanLearning

    X, y = IRIS
    wrong = y.copy()
    wrong[:8] = (y[:8] + 1) % 3
    issues = CleanLearning(classifier(), cv_n_folds=3, seed=0).find_label_issues(X, wrong)
    assert issues["is_label_issue"][:8].mean() > 0.6
    assert issues["is_label_issue"][8:].mean() < 0.1


def _scikit_lego():
    from sklego.meta import Thresholder

    X, y = CANCER
    assert Thresholder(classifier(), threshold=0.4).fit(X, y).score(X, y) > 0.95


def _eli5():
    from eli5.sklearn import PermutationImportance

    X, y = IRIS
    found = PermutationImportance(classifier().fit(X, y), random_state=0).fit(X, y)
    assert found.feature_importances_[2:].min() > found.feature_importances_[:2].max()


def _feature_engine():
    from feature_engine.selection import SelectByShuffling

    frame = load_iris(as_frame=True)
    made = SelectByShuffling(classifier(), scoring="accuracy", cv=3, random_state=0)
    made.fit((frame.data - frame.data.mean()) / frame.data.std(), frame.target)
    assert "sepal width (cm)" in made.features_to_drop_


def _category_encoders():
    import pandas
    from category_encoders import TargetEncoder

    frame = pandas.DataFrame({"colour": ["red", "blue", "green", "blue"] * 30})
    made = pipeline.make_pipeline(TargetEncoder(), classifier())
    target = (frame["colour"] == "blue").astype(int)
    assert made.fit(frame, target).score(frame, target) == 1


def _dalex():
    import dalex

    X, y = DIABETES
    explainer = dalex.Explainer(regressor().fit(X, y), X, y, verbose=False)
    found = explainer.model_parts(B=2, random_state=0).result.set_index("variable").dropout_loss
    assert found["2"] > found["_full_model_"]


def _optuna():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial):
        alpha = trial.suggest_float("alpha", 1e-3, 1e3, log=True)
        return model_selection.cross_val_score(classifier(alpha=alpha), *IRIS, cv=2).mean()

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=6)
    assert study.best_value > 0.9


# {name of the package: (module, test)}
PACKAGES = {
    "imbalanced-learn": ("imblearn", _imbalanced),
    "mlxtend": ("mlxtend", _mlxtend),
    "SHAP": ("shap", _shap),
    "LIME": ("lime", _lime),
    "emlearn": ("emlearn", _emlearn),
    "MAPIE": ("mapie", _mapie),
    "fairlearn": ("fairlearn", _fairlearn),
    "cleanlab": ("cleanlab", _cleanlab),
    "scikit-lego": ("sklego", _scikit_lego),
    "ELI5": ("eli5", _eli5),
    "feature-engine": ("feature_engine", _feature_engine),
    "category-encoders": ("category_encoders", _category_encoders),
    "DALEX": ("dalex", _dalex),
    "Optuna": ("optuna", _optuna),
}


@pytest.mark.filterwarnings("ignore")  # of the packages, about their own dependencies
@pytest.mark.parametrize("name", PACKAGES)
def test_another_package_works_with_it(name, tmp_path, monkeypatch):
    module, client = PACKAGES[name]
    monkeypatch.chdir(tmp_path)  # emlearn writes into a folder tmp/
    if importlib.util.find_spec(module) is None:
        pytest.skip("some of the other packages that take estimators are not installed")
    with np.errstate():  # which emlearn sets for the whole program
        client()


def test_the_guide_lists_these_clients():
    table = GUIDE.split("## Classes and packages that are tested with the estimators\n")[1].split(
        "\n## "
    )[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    names = set(re.findall(r"`(\w+)`", "".join(row.split("|")[2] for row in rows)))
    assert names == {*CLASSIFIERS, *REGRESSORS, *OTHERS}
    packages = {row.split("|")[2] for row in rows if row.startswith("| other packages")}
    assert {name.strip() for row in packages for name in row.split(",")} == set(PACKAGES)
