"""What else programs read from fitted estimators, and what they are given."""

import copy
import inspect
import pickle
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from fitted_estimators import PART, REST, X, Y, fitted
from sklearn import neural_network as theirs

from fastnet import sklearn as ours
from fastnet.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GUIDE = (Path(__file__).parent.parent / "docs/scikit_learn.md").read_text(encoding="utf-8")
SEVERAL = np.array([Y == 0, Y > 0, X[:, 0] > 6]).T.astype(int)
NAMES = ["MLPClassifier", "MLPRegressor"]


@pytest.mark.parametrize("name", NAMES)
def test_all_parameters_of_scikit_learn_s_estimator_are_taken(name):
    original = getattr(theirs, name)()
    mine = getattr(ours, name)(**original.get_params())
    assert mine.get_params().items() >= original.get_params().items()
    assert getattr(ours, name)().get_params().items() >= original.get_params().items()
    mine.set_params(max_iter=2, random_state=0).fit(X, Y)
    order = list(inspect.signature(getattr(theirs, name)).parameters)
    assert [p for p in inspect.signature(getattr(ours, name)).parameters if p in order] == order


def test_max_fun_has_no_effect():
    one, other = fitted(), fitted(max_fun=1)
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])


def listed(title):
    """The names in the first column of the guide's table below this sentence."""
    table = GUIDE.split(title)[1].split("\n\n")[1]
    return set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("labels", [Y, Y > 0, SEVERAL], ids=["3", "2", "several"])
def test_vars_shows_what_scikit_learn_s_shows_or_the_guide_says_why_not(
    name, labels, early_stopping
):
    options = dict(max_iter=2, random_state=0, early_stopping=early_stopping)
    labels = labels if name == "MLPClassifier" else labels.astype(float)
    mine, original = (
        getattr(library, name)(**options).fit(X, labels) for library in (ours, theirs)
    )
    missing, added = listed("in scikit-learn only:"), listed("in fastnet only")
    assert vars(original).keys() - vars(mine).keys() == missing
    new = vars(mine).keys() - vars(original).keys() - mine.get_params().keys()
    assert new == added - (set() if name == "MLPClassifier" else {"_multilabel"})
    for private in ("_no_improvement_count", "_random_state"):
        assert type(vars(mine)[private]) is type(vars(original)[private])


@pytest.mark.parametrize("options", [{}, {"n_iter_no_change": 2}])
def test_the_epochs_without_improvement_are_counted_as_scikit_learn_does(options):
    options = dict(solver="sgd", max_iter=7, tol=0.5, random_state=0, alpha=0.0) | options
    mine, original = (library.MLPClassifier(**options).fit(X, Y) for library in (ours, theirs))
    assert mine._no_improvement_count == original._no_improvement_count > 0


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"solver": "sgd"},
        {"solver": "sgd", "learning_rate": "invscaling"},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 2},
    ],
)
def test_the_optimizer_tells_its_learning_rate_as_scikit_learn_s(options):
    options = dict(max_iter=7, batch_size=20, random_state=0) | options
    mine, original = (library.MLPClassifier(**options).fit(X, Y) for library in (ours, theirs))
    assert mine._optimizer.learning_rate_init == original._optimizer.learning_rate_init
    assert mine._optimizer.learning_rate == pytest.approx(original._optimizer.learning_rate)
    if "solver" not in options:
        assert mine._optimizer.t == original._optimizer.t == 7 * 8
    assert type(mine._optimizer.learning_rate) is float


def test_a_learning_rate_that_is_set_acts_as_in_scikit_learn():
    options = dict(solver="sgd", batch_size=20, random_state=0, shuffle=False)
    both = ours.MLPClassifier(dtype="float64", **options), theirs.MLPClassifier(**options)
    for learner in both:
        learner.partial_fit(X, Y, classes=[0, 1, 2])
        learner._optimizer.learning_rate = 0.05
        learner.partial_fit(X, Y)
    np.testing.assert_allclose(both[0].coefs_[0], both[1].coefs_[0], rtol=1e-10)
    with pytest.raises(ValueError, match=r"^learning_rate: expected a positive number, got 0$"):
        both[0]._optimizer.learning_rate = 0
    with pytest.raises(AttributeError, match=r"^learning_rate: .* for the solver 'sgd' only"):
        fitted()._optimizer.learning_rate = 0.1


def test_without_its_optimizer_an_estimator_predicts_and_begins_anew():
    """Programs drop it, to make a pickle smaller."""
    net = fitted()
    expected = net.predict_proba(X)
    net._optimizer = net._best_coefs = None
    small = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(small.predict_proba(X), expected)
    small.partial_fit(*PART)
    assert small._optimizer.t == 5


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (Y, "multiclass"),
        (np.array(list("abc"))[Y], "multiclass"),
        (np.array(list("abc"), object)[Y], "multiclass"),
        (Y > 0, "binary"),
        (Y * 0, "binary"),
        (np.arange(150) // 3, "multiclass"),
        (SEVERAL, "multilabel-indicator"),
    ],
)
def test_the_label_binarizer_is_scikit_learn_s(labels, kind):
    mine, original = (
        library.MLPClassifier(max_iter=1, random_state=0).fit(X, labels)._label_binarizer
        for library in (ours, theirs)
    )
    assert mine.y_type_ == original.y_type_ == kind
    np.testing.assert_array_equal(mine.classes_, original.classes_)
    np.testing.assert_array_equal(mine.transform(labels[:9]), original.transform(labels[:9]))


def test_programs_that_read_outputs_by_the_label_binarizer_get_the_labels():
    for labels in (Y, Y > 0, SEVERAL):
        net = fitted((X, labels))
        outputs = net.network_.feedforward(X)
        if net.n_outputs_ == 1:
            outputs = outputs.ravel()
        found = net._label_binarizer.inverse_transform(outputs)
        np.testing.assert_array_equal(found, net.predict(X))
    assert not hasattr(fitted((X, Y > 0), output="softmax"), "_label_binarizer")
    learner = MLPClassifier().partial_fit(X[:9], Y[:9], classes=[0, 1, 2, 3])
    assert learner._label_binarizer.classes_.tolist() == [0, 1, 2, 3]


# ---- pickles of version 0.1


@pytest.fixture
def old():
    """A classifier, a regressor (momentum) and a classifier that is not fitted."""
    return pickle.loads((Path(__file__).parent / "estimators_0.1.pickle").read_bytes())


def test_a_pickle_of_version_0_1_predicts_and_trains_on(old):
    classifier, regressor, new = old
    options = dict(max_iter=3, batch_size=50, random_state=0)
    same = MLPClassifier((4,), learning_rate_init=0.01, **options).fit(X, Y)
    expected = [[0.10744841, 0.11519074, 0.77736086]]  # as it printed
    np.testing.assert_allclose(classifier.predict_proba(X[:1]), expected, rtol=1e-6)
    assert regressor.predict(X[:1, :3]) == pytest.approx([0.6268318], rel=1e-6)
    assert vars(classifier).keys() == vars(same).keys()
    assert classifier._label_binarizer.y_type_ == "multiclass"
    assert (classifier._optimizer.t, classifier._no_improvement_count) == (9, 0)
    assert new.get_params() == MLPClassifier().get_params()
    for one, other in zip(
        classifier.partial_fit(*PART).coefs_, same.partial_fit(*PART).coefs_, strict=True
    ):
        np.testing.assert_array_equal(one, other)
    options["hidden_layer_sizes"], options["learning_rate"] = (3,), "adaptive"
    same = MLPRegressor(solver="sgd", **options).fit(X[:, :3], X[:, 3])
    assert vars(regressor).keys() == vars(same).keys()
    data = REST[0][:, :3], REST[0][:, 3]
    for one, other in zip(
        regressor.partial_fit(*data).coefs_, same.partial_fit(*data).coefs_, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_pickle_has_all_attributes_again():
    for net in (fitted(), fitted(kind=MLPRegressor), MLPClassifier(max_fun=3)):
        for again in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net), copy.copy(net)):
            assert vars(again).keys() == vars(net).keys()
            assert again.max_fun == net.max_fun


def test_many_classes_are_no_reason_for_a_warning():
    labels = np.arange(150) // 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MLPClassifier(random_state=0).partial_fit(X, labels, classes=np.arange(50))
