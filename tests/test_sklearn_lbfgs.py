"""The estimators' solver "lbfgs", beside scikit-learn's, and what only is here."""

import copy
import inspect
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import scipy.sparse
from fitted_estimators import PART, REST, X, Y
from sklearn import __version__
from sklearn import neural_network as theirs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._testing import ignore_warnings

import fastnet
from fastnet import sklearn as ours
from fastnet.sklearn import MLPClassifier, MLPRegressor

WEIGHTS = np.random.default_rng(5).integers(0, 4, len(X)) / 2
SEVERAL = np.array([Y == 0, Y > 0, X[:, 0] > 6]).T.astype(int)
TARGETS = X[:, 2:] @ [[1.0], [2.0]] / 3 - 2

unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@ignore_warnings(category=ConvergenceWarning)
def both(kind, labels, weights=None, **options):
    """Fitted by fastnet and by scikit-learn."""
    options = {"solver": "lbfgs", "random_state": 0, "hidden_layer_sizes": 10, **options}
    fit = [] if weights is None else [weights]  # which scikit-learn takes since 1.7
    return [getattr(library, kind)(**options).fit(X, labels, *fit) for library in (ours, theirs)]


def lbfgs(**options):
    options = {"hidden_layer_sizes": 10, "random_state": 0, "max_iter": 15, **options}
    return MLPClassifier(solver="lbfgs", **options)


# ---- the same as scikit-learn's


@pytest.mark.parametrize(
    ("kind", "labels", "options"),
    [
        *(("MLPClassifier", Y, {"activation": name})
          for name in ("identity", "logistic", "tanh", "relu")),
        ("MLPClassifier", Y > 0, {}),
        ("MLPClassifier", SEVERAL, {"alpha": 0.1}),
        ("MLPClassifier", Y, {"alpha": 3.0, "hidden_layer_sizes": (8, 6), "activation": "tanh"}),
        ("MLPRegressor", TARGETS[:, 0], {}),
        ("MLPRegressor", TARGETS[:, 0] + 4, {"loss": "poisson", "activation": "tanh"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "weighted"])
def test_after_ten_iterations_the_weights_are_those_of_scikit_learn(kind, labels, options, weights):
    if "loss" in options and "loss" not in inspect.signature(theirs.MLPRegressor).parameters:
        pytest.skip("this scikit-learn has no Poisson loss")
    if (
        weights is not None
        and "sample_weight" not in inspect.signature(theirs.MLPRegressor.fit).parameters
    ):
        pytest.skip("this scikit-learn takes no sample weights")
    mine, original = both(kind, labels, weights, max_iter=10, **options)
    assert mine.n_iter_ == original.n_iter_ == 10
    assert mine.loss_ == pytest.approx(original.loss_, rel=1e-9)
    for ends in zip(mine.coefs_ + mine.intercepts_, original.coefs_ + original.intercepts_,
                    strict=True):  # fmt: skip
        np.testing.assert_allclose(*ends, rtol=1e-6, atol=1e-7)
    assert mine.score(X, labels) == pytest.approx(original.score(X, labels), rel=1e-6)


def test_it_converges_where_scikit_learn_does_and_says_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mine, original = (
            library.MLPClassifier(solver="lbfgs", alpha=1.0, max_iter=2000, random_state=0).fit(
                X, Y
            )
            for library in (ours, theirs)
        )
    assert mine.loss_ == pytest.approx(original.loss_, rel=1e-3)
    assert 10 < mine.n_iter_ < 2000


@pytest.mark.parametrize("options", [{"max_iter": 3}, {"max_fun": 4}], ids=str)
def test_what_has_not_converged_warns_in_scikit_learn_s_words(options):
    texts = []
    for library in (ours, theirs):
        with pytest.warns(ConvergenceWarning) as caught:
            library.MLPClassifier(solver="lbfgs", random_state=0, **options).fit(X, Y)
        texts.append([" ".join(str(one.message).split()) for one in caught])
    assert texts[0][0].startswith("lbfgs failed to converge after ")
    if tuple(map(int, __version__.split(".")[:2])) >= (1, 9):
        assert texts[0] == [text.replace("modules/ preprocessing", "modules/preprocessing")
                            for text in texts[1]]  # fmt: skip
    else:  # which had other words
        assert texts[1][0].startswith("lbfgs failed to converge")


@unconverged
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_its_attributes_are_those_of_scikit_learn_s(kind):
    mine, original = both(kind, Y if kind == "MLPClassifier" else TARGETS[:, 0], max_iter=3)
    missing = vars(original).keys() - vars(mine).keys()
    assert missing == {"coefs_", "intercepts_", "_best_coefs", "_best_intercepts", "_coef_indptr",
                       "_intercept_indptr"}  # fmt: skip
    new = vars(mine).keys() - vars(original).keys() - mine.get_params().keys()
    assert new == {"network_", "history_"} | ({"_multilabel"} if kind == "MLPClassifier" else set())
    assert (mine.t_, original.t_) == (0, 0)
    assert mine.loss_ == mine.history_["training_loss"][-1]
    assert len(mine.history_["training_loss"]) == mine.n_iter_ == 3


def test_it_has_no_partial_fit():
    for kind in (MLPClassifier, MLPRegressor):
        assert not hasattr(kind(solver="lbfgs"), "partial_fit")
        with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
            kind(solver="lbfgs").partial_fit(X, Y)
        assert hasattr(kind(), "partial_fit")


@unconverged
def test_a_warm_start_goes_on_as_in_scikit_learn():
    fits = []
    for library in (ours, theirs):
        one = library.MLPClassifier(solver="lbfgs", warm_start=True, random_state=0, max_iter=5)
        losses = [one.fit(X, Y).loss_ for _ in range(3)]
        fits.append((losses, one.n_iter_))
    assert fits[0][0] == pytest.approx(fits[1][0], rel=1e-6)
    assert fits[0][0][2] < fits[0][0][1] < fits[0][0][0]
    assert fits[0][1] == fits[1][1] == 5


@unconverged
def test_a_warm_start_may_change_the_solver():
    one = MLPClassifier(warm_start=True, random_state=0, max_iter=4).fit(X, Y)
    by_adam = one.loss_curve_.copy()
    one.set_params(solver="lbfgs", max_iter=6).fit(X, Y)
    assert one.loss_curve_ == one.history_["training_loss"]
    assert len(one.loss_curve_) == 10
    assert one.loss_curve_[:4] == by_adam
    other = lbfgs(max_iter=6, warm_start=True).fit(X, Y)
    assert not hasattr(other, "loss_curve_")
    other.set_params(solver="sgd", max_iter=3, learning_rate_init=1e-4).fit(X, Y)
    assert len(other.loss_curve_) == 3
    assert len(other.history_["training_loss"]) == 9
    assert other.best_loss_ == min(other.loss_curve_)


@unconverged
def test_the_loss_of_several_targets_is_that_of_scikit_learn():
    targets = np.column_stack([TARGETS[:, 0], X[:, 0] - 6])
    net = MLPRegressor(solver="lbfgs", alpha=2.0, max_iter=30, random_state=0).fit(X, targets)
    penalty = 2.0 / 2 * sum((w**2).sum() for w in net.coefs_) / len(X)
    mean = ((net.predict(X) - targets) ** 2).mean() / 2
    assert net.loss_ == pytest.approx(mean + penalty, rel=1e-12)
    assert net.score(X, targets) > 0.9


# ---- what scikit-learn's has not


@unconverged
def test_sparse_matrices_train_the_same_network():
    X_sparse = scipy.sparse.csr_array(X * (X > 1))
    one, other = lbfgs().fit(X_sparse, Y), lbfgs().fit(X_sparse.toarray(), Y)
    assert one.network_ == other.network_


@unconverged
def test_a_weight_of_two_is_the_example_twice_and_classes_have_weights():
    weights = 1 + (Y == 1)
    one = lbfgs().fit(X, Y, weights)
    twice = lbfgs().fit(np.vstack([X, X[Y == 1]]), np.append(Y, Y[Y == 1]))
    by_class = lbfgs(class_weight={1: 2}).fit(X, Y)
    np.testing.assert_allclose(one.coefs_[0], twice.coefs_[0], rtol=1e-7)
    assert by_class.network_ == one.network_


@unconverged
def test_the_type_is_float64_unless_it_is_chosen():
    for kind, expected in ((np.float64, "float64"), (np.float32, "float64")):
        assert lbfgs().fit(X.astype(kind), Y).network_.dtype == expected
    single, double = lbfgs(dtype="float32", alpha=1.0).fit(X, Y), lbfgs(alpha=1.0).fit(X, Y)
    assert single.network_.dtype == "float32"
    assert single.loss_ == pytest.approx(double.loss_, rel=1e-3)


@unconverged
def test_held_out_examples_are_measured_after_each_iteration_and_the_best_weights_restored():
    net = lbfgs(max_iter=60, eval_metric="loss").fit(*PART, eval_set=REST)
    history = net.history_
    assert [len(history[name]) for name in ("training_loss", "validation_loss")] == [
        net.n_iter_
    ] * 2
    assert net.validation_scores_ == [-loss for loss in history["validation_loss"]]
    assert net.best_validation_score_ == max(net.validation_scores_)
    loss = -np.mean(net.predict_log_proba(REST[0])[np.arange(len(REST[1])), REST[1]])
    assert loss == pytest.approx(-net.best_validation_score_, rel=1e-12)
    assert net.best_validation_score_ > net.validation_scores_[-1]


@unconverged
def test_early_stopping_has_no_effect_as_in_scikit_learn():
    assert lbfgs(early_stopping=True).fit(X, Y).network_ == lbfgs().fit(X, Y).network_


def test_a_line_for_each_iteration(capsys):
    lbfgs(verbose=True, tol=0.1).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Iteration  1 / 15  loss ")
    assert lines[-1].startswith("Stopped after iteration ")


def test_ctrl_c_leaves_the_iterations_so_far():
    calls = []

    def interrupted(estimator, inputs, labels):
        calls.append(estimator.loss_ if hasattr(estimator, "loss_") else None)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 0.5 * len(calls)

    net = lbfgs(eval_metric=interrupted)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        net.fit(X, Y, eval_set=(X, Y))
    assert net.n_iter_ == 2
    assert net.history_["validation_score"] == [0.5, 1.0]
    with ignore_warnings(category=ConvergenceWarning):
        two = lbfgs(max_iter=2).fit(X, Y)
    assert net.network_ == two.network_


def test_a_network_that_is_beyond_all_range_at_the_start_is_refused():
    net = MLPRegressor(solver="lbfgs", output="exp", loss="poisson", random_state=0)
    before = copy.copy(vars(net))
    with pytest.raises(fastnet.DivergenceError, match="the cost or its gradient is not finite"):
        net.fit(X * 1e6, TARGETS[:, 0] + 4)
    assert vars(net) == before
