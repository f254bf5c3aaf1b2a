"""``to_sklearn`` of the estimators: scikit-learn's class predicts the same and trains on."""

import inspect
import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import sklearn
from conftest import OTHER_ACTIVATIONS, OTHER_PARAMETERS
from sklearn import neural_network
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import fastnet
from fastnet import Network
from fastnet.nn import costs, optimizers
from fastnet.nn.activations import HIDDEN
from fastnet.sklearn import MLPClassifier, MLPRegressor

RANDOM = np.random.default_rng(8)
X = 2 * RANDOM.standard_normal((60, 5))
CODES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
TARGETS = {
    "multiclass": np.array(["x", "y", "z"])[CODES],
    "binary": X[:, 0] > X[:, 1],
    "multilabel": (X[:, :3] > 0).astype(int),
    "numbers": X[:, 0] - X[:, 1] ** 2,
    "several numbers": X[:, :3] ** 2,
}
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
KNOWN = {"linear": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}
# The largest difference of outputs of about 1: scikit-learn computes in the type of X, float64.
CLOSE = {"float32": 5e-6, "float64": 1e-12}
HAS_LOSSES = "loss" in neural_network.MLPRegressor().get_params()


def fitted(kind, y, X=X, **options):
    made = kind(**{"hidden_layer_sizes": (6, 4), "max_iter": 12, "random_state": 1, **options})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return made.fit(X, y)


def of_targets(name, **options):
    kind = MLPRegressor if "numbers" in name else MLPClassifier
    return fitted(kind, TARGETS[name], **options)


def assert_same_predictions(ours, theirs, close, X=X):
    if hasattr(ours, "classes_"):
        np.testing.assert_array_equal(theirs.predict(X), ours.predict(X))
        assert theirs.predict(X).dtype == ours.predict(X).dtype
        one, other = theirs.predict_proba(X), ours.predict_proba(X)
    else:
        one, other = theirs.predict(X), ours.predict(X)
    assert one.shape == other.shape
    assert np.ptp(one) > 0.05
    np.testing.assert_allclose(one, other, rtol=close, atol=close)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", TARGETS)
def test_scikit_learns_estimator_predicts_the_same(name, activation, solver, dtype):
    ours = of_targets(name, activation=activation, solver=solver, dtype=dtype)
    theirs = ours.to_sklearn()
    assert type(theirs).__module__.startswith("sklearn.neural_network.")
    assert type(theirs).__name__ == type(ours).__name__
    assert_same_predictions(ours, theirs, CLOSE[dtype])
    assert theirs.score(X, TARGETS[name]) == pytest.approx(ours.score(X, TARGETS[name]), abs=1e-5)
    assert {w.dtype.name for w in theirs.coefs_ + theirs.intercepts_} == {dtype}


def test_the_parameters_and_the_fitted_attributes_are_the_same():
    options = {
        "activation": "tanh", "solver": "sgd", "alpha": 0.01, "batch_size": 16, "momentum": 0.7,
        "learning_rate": "adaptive", "learning_rate_init": 0.05, "power_t": 0.4, "max_iter": 7,
        "shuffle": False, "random_state": 5, "tol": 1e-3, "warm_start": True, "beta_1": 0.8,
        "nesterovs_momentum": False, "early_stopping": True, "validation_fraction": 0.2,
        "beta_2": 0.9, "epsilon": 1e-6, "n_iter_no_change": 3, "max_fun": 99, "verbose": 0,
        "hidden_layer_sizes": (4,),
    }  # fmt: skip
    ours = of_targets("binary", **options)
    theirs = ours.to_sklearn()
    assert theirs.get_params() == options
    assert {**options, **clone(theirs).get_params()} == options
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "loss_",
                 "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_",
                 "n_features_in_"):  # fmt: skip
        assert getattr(theirs, name) == getattr(ours, name), name
    assert theirs.loss_curve_ is not ours.loss_curve_
    fresh = fitted(neural_network.MLPClassifier, TARGETS["binary"], **options)
    assert vars(theirs).keys() == vars(fresh).keys()


def test_it_has_all_attributes_that_scikit_learn_gives():
    for name in TARGETS:
        for solver in ("adam", "sgd"):
            ours = of_targets(name, solver=solver)
            own = getattr(neural_network, type(ours).__name__)
            fresh = fitted(own, TARGETS[name], solver=solver)
            assert vars(ours.to_sklearn()).keys() == vars(fresh).keys()


def test_clones_and_pickles_are_scikit_learns():
    ours = of_targets("multiclass")
    theirs = ours.to_sklearn()
    assert not hasattr(clone(theirs), "coefs_")
    assert_same_predictions(ours, pickle.loads(pickle.dumps(theirs)), CLOSE["float32"])


def test_names_of_columns_are_kept():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[*"abcde"])
    theirs = of_targets("multiclass", X=frame).to_sklearn()
    assert theirs.feature_names_in_.tolist() == [*"abcde"]
    with pytest.raises(ValueError, match="feature names"):
        theirs.predict(frame[[*"edcba"]])


def test_it_has_copies():
    ours = of_targets("numbers", dtype="float64")
    theirs = ours.to_sklearn()
    before = ours.network_.copy()
    for array in theirs.coefs_ + theirs.intercepts_:
        array[...] = 0
    theirs.partial_fit(X, TARGETS["numbers"])
    assert ours.network_ == before


def test_a_generator_that_was_passed_is_copied_with_its_state():
    ours = of_targets("numbers", random_state=np.random.RandomState(4), dtype="float64")
    theirs, state = ours.to_sklearn(), ours.random_state.get_state()[1].copy()
    assert theirs._random_state is theirs.random_state is not ours.random_state
    theirs.partial_fit(X, TARGETS["numbers"])
    np.testing.assert_array_equal(ours.random_state.get_state()[1], state)
    ours.set_params(epsilon=1e-20)
    ours.partial_fit(X, TARGETS["numbers"])  # in the same order
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-6)
    assert ours.random_state.get_state()[2] == theirs.random_state.get_state()[2]


def test_requests_of_metadata_are_kept():
    with sklearn.config_context(enable_metadata_routing=True):
        ours = of_targets("numbers").set_fit_request(sample_weight=True)
        routing = ours.to_sklearn().get_metadata_routing()
        requested = {name for name, it in routing.fit.requests.items() if it is not None}
        assert requested == {"sample_weight"}
        plain, own = of_targets("numbers").to_sklearn(), neural_network.MLPRegressor()
        expected = own.get_metadata_routing().fit.requests
        assert plain.get_metadata_routing().fit.requests == expected


@pytest.mark.parametrize("sizes", [3, (), [3, 2], np.array([4])], ids=str)
def test_the_sizes_of_hidden_layers_are_given_as_they_were(sizes):
    ours = of_targets("multiclass", hidden_layer_sizes=sizes)
    theirs = ours.to_sklearn()
    assert theirs.hidden_layer_sizes is sizes
    assert_same_predictions(ours, theirs, CLOSE["float32"])
    theirs.partial_fit(X, TARGETS["multiclass"])


@pytest.mark.parametrize(
    "given",
    [fastnet.nn.activations.Tanh, fastnet.nn.activations.ReLU(), "sigmoid", "linear"], ids=str,
)  # fmt: skip
def test_activations_by_our_names_and_objects_get_scikit_learns_names(given):
    ours = of_targets("multiclass", activation=given)
    theirs = ours.to_sklearn()
    assert theirs.activation in ACTIVATIONS
    assert_same_predictions(ours, theirs, CLOSE["float32"])


def test_a_single_class_is_converted():
    ours = fitted(MLPClassifier, np.array(["only"] * 60))
    theirs = ours.to_sklearn()
    assert theirs.predict(X[:2]).tolist() == ["only", "only"]
    np.testing.assert_allclose(theirs.predict_proba(X), ours.predict_proba(X), atol=1e-6)


@pytest.mark.skipif(not HAS_LOSSES, reason="before 1.7")
def test_the_poisson_loss_is_converted():
    ours = fitted(MLPRegressor, np.exp(X[:, 0] / 4), loss=fastnet.PoissonCost, output="exp")
    theirs = ours.to_sklearn()
    assert (theirs.loss, theirs.out_activation_) == ("poisson", "exp")
    assert_same_predictions(ours, theirs, CLOSE["float32"])
    theirs.partial_fit(X, np.exp(X[:, 0] / 4))


# ---- training on


SOLVERS = {
    "adam": {"solver": "adam", "epsilon": 1e-20},  # docs/scikit_learn.md: epsilon
    "momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd"},
    "plain": {"solver": "sgd", "momentum": 0.0},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.05},
    "an Adam": {"solver": fastnet.Adam(0.8, 0.99, 1e-20)},
    "a Momentum": {"solver": fastnet.Momentum(0.6, nesterov=True)},
}


def assert_same_parameters(ours, theirs, close=1e-10):
    for one, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=close, atol=close)


@pytest.mark.parametrize("name", ["multiclass", "several numbers"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_partial_fit_goes_on_with_the_moments(solver, name):
    ours = of_targets(name, dtype="float64", shuffle=False, batch_size=20, **SOLVERS[solver])
    theirs, before = ours.to_sklearn(), ours.coefs_[0].copy()
    forgetful = ours.to_sklearn()
    forgetful._optimizer.__init__(  # without moments
        forgetful.coefs_ + forgetful.intercepts_, forgetful._optimizer.learning_rate
    )
    for _ in range(3):
        for each in (ours, theirs, forgetful):
            each.partial_fit(X, TARGETS[name])
    assert np.abs(ours.coefs_[0] - before).max() > 1e-5
    assert_same_parameters(ours, theirs)
    assert theirs.n_iter_ == ours.n_iter_
    assert theirs.t_ == ours.t_
    np.testing.assert_allclose(theirs.loss_curve_, ours.loss_curve_, rtol=1e-4)
    if solver != "plain":
        assert np.abs(forgetful.coefs_[0] - theirs.coefs_[0]).max() > 1e-5


def test_the_coefficients_of_an_optimizer_are_scikit_learns_parameters():
    theirs = of_targets("numbers", solver=fastnet.Adam(0.8, 0.99, 1e-6)).to_sklearn()
    assert (theirs.solver, theirs.beta_1, theirs.beta_2, theirs.epsilon) == (
        "adam", 0.8, 0.99, 1e-6,
    )  # fmt: skip
    theirs = of_targets("numbers", solver=fastnet.Momentum(0.6)).to_sklearn()
    assert (theirs.solver, theirs.momentum, theirs.nesterovs_momentum) == ("sgd", 0.6, False)


def test_an_adaptive_rate_that_has_fallen_is_kept():
    ours = of_targets(
        "numbers", solver="sgd", learning_rate="adaptive", learning_rate_init=1e-5, tol=10.0,
        n_iter_no_change=2, dtype="float64", shuffle=False,
    )  # fmt: skip
    theirs = ours.to_sklearn()
    assert theirs._optimizer.learning_rate == ours._optimizer.learning_rate < 1e-5
    for each in (ours, theirs):
        each.partial_fit(X, TARGETS["numbers"])
    assert_same_parameters(ours, theirs)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_a_warm_start_goes_on(solver, early_stopping):
    ours = fitted(
        MLPClassifier, CODES, solver=solver, warm_start=True, early_stopping=early_stopping,
        epsilon=1e-20, dtype="float64", max_iter=5,
    )  # fmt: skip
    theirs = ours.to_sklearn()
    before = ours.coefs_[0].copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for each in (ours, theirs):
            each.set_params(random_state=3).fit(X, CODES)
    assert np.abs(ours.coefs_[0] - before).max() > 1e-6
    assert_same_parameters(ours, theirs, 1e-6 if solver == "lbfgs" else 1e-10)


@pytest.mark.parametrize("name", TARGETS)
def test_a_network_of_the_converted_estimator_is_that_of_the_original(name):
    ours = of_targets(name)
    net = Network.from_sklearn(ours.to_sklearn())
    assert net == Network.from_sklearn(ours)
    assert net.weights == ours.network_.weights


# ---- what is refused


class OwnCost:
    fn = staticmethod(fastnet.QuadraticCost.fn)

    @staticmethod
    def delta(z, a, y):
        return a - y


def assert_refused(estimator, begin, end):
    with pytest.raises(ValueError, match="expected") as caught:
        estimator.to_sklearn()
    message = str(caught.value)
    assert message.startswith(begin)
    assert message.endswith(end)
    assert "\n" not in message


@pytest.mark.parametrize("activation", [*HIDDEN, *OTHER_ACTIVATIONS], ids=str)
@pytest.mark.parametrize("sizes", [(6, 4), ()])
def test_each_activation_is_converted_or_refused_by_name(activation, sizes):
    ours = of_targets("multiclass", activation=activation, hidden_layer_sizes=sizes)
    if activation in KNOWN:
        assert ours.to_sklearn().activation == KNOWN[activation]
    else:
        expected = "activation: expected one of identity, logistic, tanh, relu for scikit-learn"
        assert_refused(ours, expected, f", got {activation}")


@pytest.mark.parametrize("cost", [*costs.COSTS, *OTHER_PARAMETERS, OwnCost], ids=str)
def test_each_loss_is_converted_or_refused_by_name(cost):
    targets = 1 / (1 + np.exp(X[:, 0]))
    for output in getattr(cost, "errors", ["linear"]):
        if output == "softmax":
            continue
        given = {"linear": "identity", "sigmoid": "logistic", "exponential": "exp"}[output]
        ours = fitted(MLPRegressor, targets, loss=cost, output=given)
        losses = "squared_error, poisson" if HAS_LOSSES else "squared_error"
        if (cost, output) == (fastnet.QuadraticCost, "linear"):
            assert ours.to_sklearn().out_activation_ == "identity"
        elif cost is fastnet.QuadraticCost:
            assert_refused(ours, "output: expected identity, scikit-learn's for the squared_error",
                           ", got logistic")  # fmt: skip
        elif cost is fastnet.PoissonCost and HAS_LOSSES:
            assert ours.to_sklearn().loss == "poisson"
        else:
            assert_refused(ours, f"loss: expected one of {losses} for scikit-learn, got ",
                           repr(cost))  # fmt: skip


REFUSED = {
    "softmax": ("binary", {"output": "softmax"}, "output: expected logistic,", "got softmax"),
    "one against the rest": ("multiclass", {"output": "logistic"}, "output: expected softmax,",
                             "got logistic"),
    "squared error": ("multiclass", {"loss": "squared_error"}, "loss: expected one of log_loss "
                      "for scikit-learn", "got 'squared_error'"),
    "dropout": ("multiclass", {"dropout": 0.5}, "dropout: expected 0.0, since scikit-learn has no "
                "dropout, got 0.5", "set_params(dropout=0.0) converts the fitted network "
                "without it"),
    "dropouts": ("numbers", {"dropout": [0.0, 0.1]}, "dropout: expected 0.0", "without it"),
    "class_weight": ("binary", {"class_weight": "balanced"}, "class_weight: expected None, since "
                     "scikit-learn has no class_weight, got 'balanced'", "without it"),
    "eval_metric": ("numbers", {"eval_metric": "r2"}, "eval_metric: expected None", "without it"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_scikit_learn_has_not_is_refused_by_name(name):
    targets, options, begin, end = REFUSED[name]
    assert_refused(of_targets(targets, **options), begin, end)


@pytest.mark.parametrize("name", ["dropout", "dropouts", "class_weight", "eval_metric"])
def test_a_setting_without_effect_on_predictions_can_be_given_up(name):
    targets, options, _, _ = REFUSED[name]
    ours = of_targets(targets, **options)
    ours.set_params(**{key: 0.0 if key == "dropout" else None for key in options})
    assert_same_predictions(ours, ours.to_sklearn(), CLOSE["float32"])


@pytest.mark.parametrize("solver", optimizers.CLASSES)
def test_each_solver_is_converted_or_refused_by_name(solver):
    for given in (solver.sklearn_name, solver.usual()[0]):
        ours = of_targets("multiclass", solver=given)
        if solver in (fastnet.Adam, fastnet.Momentum):
            assert ours.to_sklearn().solver == solver.sklearn_name
        else:
            assert_refused(ours, "solver: expected one of sgd, adam, lbfgs for scikit-learn",
                           f"got {given!r}")  # fmt: skip
            ours.set_params(solver="adam")
            assert_refused(ours, "solver: expected a network trained by one of sgd, adam, lbfgs",
                           f"got one trained by {solver.usual()[0]}")  # fmt: skip


def test_parameters_that_do_not_fit_the_network_are_refused():
    for changed, ending in (
        ({"hidden_layer_sizes": (6, 5)}, "got (6, 5), relu"),
        ({"activation": "tanh"}, "got (6, 4), tanh"),
    ):
        ours = of_targets("multiclass").set_params(**changed)
        assert_refused(ours, "hidden_layer_sizes, activation: expected those of the fitted "
                       "network, <Network [5, 6, 4, 3]", ending)  # fmt: skip


def test_an_estimator_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError, match="MLPClassifier"):
        MLPClassifier().to_sklearn()


class Callback:
    """The hooks of scikit-learn's callbacks."""

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = on_fit_task_end = setup


def test_a_subclass_with_predictions_of_its_own_is_refused():
    """Also by ``to_onnx``: the other model would predict something else."""

    class Mine(MLPClassifier):
        def predict(self, X):
            return super().predict(X)[::-1]

    class Same(MLPClassifier):
        """Overrides no predictions."""

    y = np.arange(len(X)) % 3
    assert type(Same(solver="lbfgs").fit(X, y).to_sklearn()) is neural_network.MLPClassifier
    estimator = Mine(solver="lbfgs").fit(X, y)
    for method in ("to_sklearn", "to_onnx"):
        if method == "to_onnx":
            pytest.importorskip("onnx", reason="onnx is not installed")
        with pytest.raises(TypeError, match=rf"^{method}: expected the predict of .* Mine overr"):
            getattr(estimator, method)()


def test_parameters_that_are_not_finite_are_refused():
    ours = of_targets("numbers")
    ours.coefs_[0][0, 0] = np.nan
    assert_refused(ours, "weights, biases: expected finite numbers", "in weights[0]")


def test_callbacks_are_refused():
    pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9 has callbacks")
    ours = of_targets("multiclass").set_callbacks(Callback())
    assert_refused(ours, "set_callbacks: expected no callbacks", "set_callbacks() removes them")
    assert_same_predictions(ours, ours.set_callbacks().to_sklearn(), CLOSE["float32"])


def test_the_method_is_documented_on_both_estimators():
    for kind in (MLPClassifier, MLPRegressor):
        assert "scikit-learn" in inspect.getdoc(kind.to_sklearn)
