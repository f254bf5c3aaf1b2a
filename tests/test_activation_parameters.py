"""Parameters of activations and coefficients of optimizers: all that keeps or passes them on."""

import copy
import json
import math
import pickle
import warnings

import kernel_calls
import numpy as np
import pytest

import fastnet
from fastnet import LeakyReLU, Network, cli, reference
from fastnet.core import _kernels
from fastnet.demo import page
from fastnet.nn import activations, optimizers
from fastnet.nn.activations import ACTIVATIONS, HIDDEN

WITH_PARAMETERS = [each for each in ACTIVATIONS.values() if each.parameters]
OTHERS = [LeakyReLU(0.2), LeakyReLU(0.5)]  # with parameters other than the defaults
BAD = {"slope": (0, -0.1, 1.01, math.nan, math.inf, None, "0.2", True, [0.2])}

X = np.random.default_rng(7).standard_normal((60, 4))
Y = np.arange(60) % 3
DATA = (X, Y)


def net_of(hidden, **more):
    return Network([4, 6, 5, 3], hidden=hidden, seed=1, **more)


def trained(hidden, **more):
    net = net_of(hidden, **more)
    net.SGD(DATA, 3, 7, 0.1, verbose=False)
    return net


# ---- the classes


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_an_object_of_an_activation_is_a_value(kind):
    twin = type(kind)(*kind.parameters)
    assert kind == twin
    assert hash(kind) == hash(twin)
    assert kind != type(kind)()
    assert eval(repr(kind), vars(fastnet)) == kind
    for again in (pickle.loads(pickle.dumps(kind)), copy.copy(kind), copy.deepcopy(kind)):
        assert again == kind
    with pytest.raises(AttributeError):
        setattr(kind, next(iter(kind.named_parameters)), 0.3)
    assert activations.from_text(str(kind)) == kind
    assert activations.of_kernel(kind.kernel) == kind


@pytest.mark.parametrize("kind", WITH_PARAMETERS, ids=str)
def test_a_parameter_out_of_range_is_refused_by_name(kind):
    for name in kind.named_parameters:
        for bad in BAD[name]:
            with pytest.raises((TypeError, ValueError), match=rf"^{name}: expected .*, got "):
                type(kind)(**{name: bad})


def test_the_default_slope_has_a_name_and_the_bits_of_the_name():
    for same in (LeakyReLU(), LeakyReLU(0.01), LeakyReLU, LeakyReLU(np.float64(0.01))):
        net = trained(same)
        assert net.hidden == ["leaky-relu", "leaky-relu"]
        assert net == trained("leaky-relu")


def test_a_slope_of_one_is_a_linear_neuron_and_a_small_one_nearly_relu(dtype, isa):
    z = np.linspace(-3, 3, 77).astype(dtype)
    a, slope = np.empty_like(z), np.empty_like(z)
    _kernels.activate(("leaky-relu", 1.0), z, a, slope)
    np.testing.assert_array_equal(a, z)
    assert (slope == 1).all()
    _kernels.activate(("leaky-relu", 1e-20), z, a, slope)
    np.testing.assert_allclose(a, np.maximum(z, 0), atol=1e-19)


# ---- gradients


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_the_gradient_is_the_slope_of_the_cost_in_both_types(kind, dtype, isa):
    """The kernels' gradient against central differences of the reference's cost in float64."""
    net = net_of([kind, LeakyReLU(0.9)], dtype=dtype)
    model = net._model
    nabla = np.zeros_like(model.values)
    data = (X.astype(dtype), 1.0, Y)
    hidden = [each.kernel for each in model.hidden]
    network = ((4, 6, 5, 3), "sigmoid", "cross-entropy")
    kernel_calls.gradient((*network, model.values), data, nabla, hidden=hidden)
    double, h = _doubled(net), 1e-6
    flat = double._model.values
    places = np.flatnonzero(flat)[::5]
    assert len(places) > 12
    close = 2e-4 if dtype == "float32" else 1e-5
    for wide, own in zip(places, np.flatnonzero(model.values)[::5], strict=True):
        costs = []
        for step in (h, -h):
            moved = flat.copy()
            moved[wide] += step
            core = reference.NetworkCore(*network, moved, hidden)
            examples = reference.Examples(X.astype(dtype).astype(np.float64), 1.0, Y)
            costs.append(core.evaluate(examples)[1])
        assert nabla[own] == pytest.approx((costs[0] - costs[1]) / (2 * h), rel=close, abs=close)


def _doubled(net):
    """The same network in float64."""
    double = net_of([each.name_or_self for each in net._model.hidden], dtype="float64")
    double.weights, double.biases = [[*map(np.float64, each)] for each in (net.weights, net.biases)]
    return double


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_layers_with_slopes_of_their_own_train_as_the_reference_does(kind, dtype, isa):
    net = net_of([kind, LeakyReLU(0.75)], dtype=dtype)
    expected, close = net._model.values.copy(), 1e3 * float(np.finfo(dtype).eps)
    network = ((4, 6, 5, 3), "sigmoid", "cross-entropy", expected)
    hidden = [kind.kernel, ("leaky-relu", 0.75)]
    data = (X.astype(dtype), 1.0, Y)
    kernel_calls.train(network, data, np.arange(60), 60, 0.05, kernels=reference, hidden=hidden)
    net.update_mini_batch(DATA, 0.05, 0.0, 60)
    np.testing.assert_allclose(net._model.values, expected, rtol=close, atol=close)
    assert trained([kind, LeakyReLU(0.75)]) != trained([LeakyReLU(0.75), kind])


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_gradient_check_passes(kind, dtype):
    assert 0 < net_of(kind, dtype=dtype).gradient_check(DATA) < 1e-6


# ---- what a network does


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_a_network_keeps_the_parameters(kind, tmp_path):
    net = trained(["tanh", kind])
    assert net.hidden == ["tanh", kind]
    assert f"tanh, {kind} neurons" in repr(net)
    net.save(tmp_path / "net.json")
    others = fastnet.load(tmp_path / "net.json"), net.copy(), pickle.loads(pickle.dumps(net))
    for other in others:
        assert (other, other.hidden, repr(other)) == (net, net.hidden, repr(net))
        np.testing.assert_array_equal(other.feedforward(X), net.feedforward(X))
    usual = net_of(["tanh", kind.name])
    usual.weights, usual.biases = net.weights, net.biases
    assert usual != net
    assert not np.allclose(usual.feedforward(X), net.feedforward(X))


def test_the_initial_weights_are_those_of_the_name():
    for mine, usual in zip(net_of(OTHERS[0]).weights, net_of("leaky-relu").weights, strict=True):
        np.testing.assert_array_equal(mine, usual)


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_a_predictor_and_one_example_use_the_parameters(kind):
    net = net_of(kind, dtype="float64")
    predict = net.predictor()
    a = X[0]
    for w, b in zip(net.weights, net.biases, strict=True):
        z = w @ a + b[:, 0]
        a = np.where(z > 0, z, kind.slope * z)
    expected = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(predict(X[0]), expected, rtol=1e-12)
    np.testing.assert_allclose(net.feedforward(X[0][:, None])[:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(net.feedforward(X)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_an_explanation_shows_the_parameter(kind):
    shown = net_of(["relu", kind]).explain(X[0], 1)
    assert [layer.neurons for layer in shown.layers] == ["relu", kind, "sigmoid"]
    assert f"layer 3: 5 {kind} neurons" in str(shown)
    assert f"leaky_relu′(z^3) = 1 where z^3 > 0, else {kind.slope}" in str(shown)


@pytest.mark.parametrize("workers", [1, 2])
def test_many_networks_are_sent_the_parameters(workers):
    specs = [
        dict(sizes=[4, 6, 5, 3], hidden=kind, seed=1, epochs=3, mini_batch_size=7, eta=0.1)
        for kind in (OTHERS[0], ["relu", OTHERS[1]])
    ]
    fits = fastnet.fit_many(specs, DATA, max_workers=workers, verbose=False)
    for fit, spec in zip(fits, specs, strict=True):
        assert fit.network == trained(spec["hidden"])
    assert fits[0].network.hidden == [OTHERS[0]] * 2
    assert fits[1].network.hidden == ["relu", OTHERS[1]]


def test_the_page_of_the_demo_has_the_function_of_each_parameter():
    made = page._activations(net_of(["relu", LeakyReLU(0.25)]))
    assert '"leaky-relu:0.25": (z) => (z > 0 ? z : 0.25 * z),' in made
    assert '"leaky-relu": (z) => (z > 0 ? z : 0.01 * z),' in made
    assert "{slope}" not in made


# ---- estimators


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_estimators_take_and_clone_an_activation_with_parameters(kind):
    base = pytest.importorskip("sklearn.base")
    from fastnet.sklearn import MLPClassifier, MLPRegressor

    for made, y in ((MLPClassifier, Y), (MLPRegressor, X[:, :2])):
        options = dict(hidden_layer_sizes=(6, 5), max_iter=3, random_state=0, batch_size=10)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that three epochs are few
            net = base.clone(made(activation=kind, **options)).fit(X, y)
            usual = made(activation="leaky-relu", **options).fit(X, y)
            by_class = made(activation=type(kind), **options).fit(X, y)
            again = made(activation=kind, warm_start=True, **options).fit(X, y).fit(X, y)
        assert net.network_.hidden == again.network_.hidden == [kind, kind]
        assert net.network_ != usual.network_ == by_class.network_


def test_estimators_refuse_what_is_no_activation_of_hidden_neurons():
    pytest.importorskip("sklearn")
    from fastnet.sklearn import MLPClassifier

    for bad in (activations.Softmax(), activations.Exponential(), 5, LeakyReLU(0.1).value):
        with pytest.raises(ValueError, match=r"^activation: expected one of .*leaky-relu"):
            MLPClassifier(activation=bad).fit(X, Y)


@pytest.mark.parametrize(
    "optimizer", [fastnet.RMSprop(0.9), fastnet.Adam(0.8), fastnet.Momentum(0.5)], ids=repr
)
def test_estimators_take_an_optimizer_with_its_coefficients(optimizer):
    base = pytest.importorskip("sklearn.base")
    from fastnet.sklearn import MLPClassifier

    options = dict(hidden_layer_sizes=(5,), max_iter=3, random_state=0, batch_size=10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that three epochs are few
        net = base.clone(MLPClassifier(solver=optimizer, **options)).fit(X, Y)
        usual = MLPClassifier(solver=optimizer.sklearn_name, **options).fit(X, Y)
        of_defaults = MLPClassifier(solver=fastnet.Adam(), **options).fit(X, Y)
        adam = MLPClassifier(solver="adam", **options).fit(X, Y)
    assert net.solver == optimizer
    assert net.network_ != usual.network_
    assert of_defaults.network_ == adam.network_


# ---- files


@pytest.mark.parametrize("name", HIDDEN)
def test_files_of_the_defaults_hold_names_as_those_of_earlier_versions(name, tmp_path):
    path = tmp_path / "net.json"
    net = trained([name, "sigmoid"])
    net.save(path)
    assert json.loads(path.read_text())["hidden"] == [name, "sigmoid"]
    assert fastnet.load(path) == net


def test_a_file_holds_the_parameters_by_name(tmp_path):
    path = tmp_path / "net.json"
    net_of(["relu", LeakyReLU(0.2)]).save(path)
    hidden = json.loads(path.read_text())["hidden"]
    assert hidden == ["relu", {"name": "leaky-relu", "slope": 0.2}]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        *(({"slope": bad}, "slope: expected a number") for bad in (0, 2, -1, None, "0.2", [1])),
        ({"name": "relu"}, "expected one of sigmoid, .*got "),
        ({"name": "softmax"}, "expected one of sigmoid, .*got "),
        ({"name": "cube"}, "expected one of sigmoid, .*got "),
        ({"name": 5}, "expected one of sigmoid, .*got "),
        ({"name": ["leaky-relu"]}, "expected one of sigmoid, .*got "),
        ({"more": 1}, "expected one of sigmoid, .*got "),
    ],
)
def test_wrong_parameters_in_a_file_are_refused(change, words, tmp_path):
    path = tmp_path / "net.json"
    net_of(["relu", LeakyReLU(0.2)]).save(path)
    good = json.loads(path.read_text())
    changed = {**good["hidden"][1], **change}
    path.write_text(json.dumps({**good, "hidden": ["relu", changed]}))
    with pytest.raises(ValueError, match=rf"net\.json: hidden: {words}"):
        fastnet.load(path)
    path.write_text(json.dumps({**good, "hidden": ["relu", {"name": "leaky-relu"}]}))
    with pytest.raises(ValueError, match=r"net\.json: hidden: expected one of sigmoid, "):
        fastnet.load(path)


def test_a_damaged_pickle_of_an_activation_is_refused():
    made, arguments = LeakyReLU(0.2).__reduce__()
    assert made(*arguments) == LeakyReLU(0.2)
    with pytest.raises(ValueError, match=r"^slope: expected a number"):
        made(-1.0)


# ---- arguments


@pytest.mark.parametrize(
    "hidden",
    [activations.Softmax(), activations.Exponential, [LeakyReLU(0.2), activations.Exponential()]],
    ids=repr,
)
def test_an_activation_of_output_layers_is_refused_for_hidden_ones(hidden):
    with pytest.raises(ValueError, match=r"^hidden: expected one of .*; got .*(Soft|Lin|Exp)"):
        net_of(hidden)


@pytest.mark.parametrize(
    "hidden", [("leaky-relu", 0.2), [("leaky-relu", 0.2)] * 2, "leaky-relu:0.2"]
)
def test_other_forms_of_a_parameter_are_refused(hidden):
    with pytest.raises(ValueError, match=r"^hidden: expected one of "):
        net_of(hidden)


def test_a_subclass_of_an_activation_is_refused():
    class Mine(LeakyReLU):
        pass

    with pytest.raises(ValueError, match=r"^hidden: expected one of .*; got .*Mine"):
        net_of(Mine(0.2))


# ---- the command line


@pytest.fixture
def folder(tmp_path):
    """IDX files of 60 images of 2 x 2 pixels."""
    images = np.random.default_rng(1).integers(0, 256, (60, 2, 2)).astype(np.uint8)
    for split in ("train", "test"):
        fastnet.write_idx(tmp_path / f"{split}-images", images)
        fastnet.write_idx(tmp_path / f"{split}-labels", (np.arange(60) % 3).astype(np.uint8))
    return tmp_path


def train(folder, *options):
    """The network that ``fastnet train`` saves."""
    files = [
        text
        for split in ("train", "test")
        for what in ("images", "labels")
        for text in (f"--{split}-{what}", str(folder / f"{split}-{what}"))
    ]
    saved = str(folder / "net.json")
    assert cli.main(["train", "--epochs", "2", "--save", saved, *files, *options]) == 0
    return fastnet.load(saved)


def test_the_command_line_takes_parameters_of_activations(folder, capsys):
    net = train(folder, "--hidden", "5", "4", "--neurons", "leaky-relu:0.2")
    assert net.hidden == [LeakyReLU(0.2)] * 2
    assert "leaky-relu:0.2 neurons" in capsys.readouterr().out
    assert train(folder, "--hidden", "5", "--neurons", "leaky-relu").hidden == ["leaky-relu"]


def test_the_command_line_takes_coefficients_of_optimizers(folder, capsys):
    by_name = train(folder, "--optimizer", "momentum")
    assert by_name == train(folder, "--optimizer", "momentum:0.9")
    other = train(folder, "--optimizer", "momentum:0.5")
    assert other != by_name
    assert train(folder, "--optimizer", "adam:0.5,0.9,1e-3") != train(folder, "--optimizer", "adam")


@pytest.mark.parametrize("one", optimizers.USUAL.values(), ids=optimizers.USUAL)
def test_the_text_of_an_optimizer_is_read(one):
    numbers = ",".join(map(str, one.kernel[1:]))
    assert optimizers.from_text(one.name) == one
    assert optimizers.from_text(f"{one.name}:{numbers}") == one
    assert optimizers.from_text("nesterov:0.5") == fastnet.Momentum(0.5, nesterov=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--neurons leaky-relu:2", "slope: expected a number over 0 and at most 1, got 2.0"),
        ("--neurons leaky-relu:", "expected numbers after the colon"),
        ("--neurons leaky-relu:1,1", "expected leaky-relu:SLOPE, got 'leaky-relu:1,1'"),
        ("--neurons relu:1", "expected relu, got 'relu:1'"),
        ("--neurons softmax", "expected one of sigmoid, linear, tanh, "),
        ("--optimizer momentum:1", "mu: expected a number from 0 to below 1, got 1.0"),
        ("--optimizer adam:0.9", "expected adam:BETA1,BETA2,EPSILON, got 'adam:0.9'"),
        ("--optimizer sgd", "expected one of momentum, nesterov, "),
    ],
)
@pytest.mark.parametrize("command", ["train", "info --plan 4,3,2"])
def test_a_wrong_text_is_an_error_of_the_option_in_one_line(command, options, words, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main([*command.split(), *options.split()])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert options.split()[0] in error
    assert words in error


def test_a_plan_is_that_of_the_neurons(capsys):
    plans = []
    for neurons in ("relu", "leaky-relu:0.2", "gelu"):
        assert cli.main(["info", "--plan", "784,30,20,10", "--neurons", neurons]) == 0
        plans.append(capsys.readouterr().out)
    assert plans[0] == plans[1] != plans[2]
