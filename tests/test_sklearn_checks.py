"""scikit-learn's own checks of estimators: all of them, with no expected failure."""

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.utils.estimator_checks import parametrize_with_checks

from fastnet.sklearn import MLPClassifier, MLPRegressor


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_the_estimators_pass_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
