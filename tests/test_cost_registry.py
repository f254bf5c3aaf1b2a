"""The costs of the package: one list, from which all others are made, and their parameters."""

import ast
import copy
import inspect
import json
import math
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import kernel_calls
import numpy as np
import pytest

import fastnet
from fastnet import Network, reference
from fastnet.core import _kernels
from fastnet.nn import costs
from fastnet.nn.activations import ACTIVATIONS
from fastnet.nn.costs import COSTS, BuiltInCost, of_kernel

ROOT = Path(__file__).parents[1]
ROWS = re.findall(
    r'^COST\((\w+), (\w+), "([\w-]+)", (\d+), (\w+)\)$',
    (ROOT / "csrc" / "api" / "costs.def").read_text(encoding="utf-8"),
    re.MULTILINE,
)
WITH_PARAMETERS = [cost for cost in COSTS if cost().parameters]
# Numbers that suit each parameter, none of them a default, and some that do not.
GOOD = {"threshold": (0.5, 2.5), "quantile": (0.1, 0.9)}
BAD = {"threshold": (0, -1, math.nan, math.inf, None, "2", True),
       "quantile": (0, 1, -0.5, 1.5, math.nan, math.inf, None, "0.5", False, 2)}  # fmt: skip
OTHERS = [
    cost(**{name: GOOD[name][i] for name in cost().named_parameters})
    for cost in WITH_PARAMETERS
    for i in range(2)
]

X = np.random.default_rng(7).standard_normal((40, 4))
Y = 3 * np.random.default_rng(8).standard_normal((40, 2))


def net_of(cost, **more):
    return Network([4, 5, 2], cost, seed=1, **more)


def trained(cost, **more):
    net = net_of(cost, **more)
    net.SGD((X, Y), 3, 7, 0.05, verbose=False)
    return net


# ---- one list


def test_c_and_python_list_the_same_costs_with_as_many_parameters():
    listed = {name: int(n) for _, _, name, n, _ in ROWS}
    assert listed == {cost.name: len(cost().parameters) for cost in COSTS}
    assert len(ROWS) == len(COSTS) > 5


def test_every_cost_class_of_the_module_is_in_its_list_and_exported():
    classes = [
        value
        for value in vars(costs).values()
        if inspect.isclass(value) and issubclass(value, BuiltInCost) and value is not BuiltInCost
    ]
    assert [*COSTS] == classes
    assert sorted(costs.__all__) == sorted(cost.__name__ for cost in COSTS)
    for cost in COSTS:
        assert getattr(fastnet, cost.__name__) is cost
        assert cost.__name__ in fastnet.__all__
        assert cost.__name__ in dir(fastnet)
    assert len(fastnet.__all__) == len(set(fastnet.__all__))


def test_no_other_source_file_lists_costs():
    words = {f"FN_{row[0]}" for row in ROWS} | {cost.__name__ for cost in COSTS}
    words -= {"CrossEntropyCost", "QuadraticCost", "HuberCost"}  # examples in docstrings
    paths = [*ROOT.glob("csrc/**/*.[chd]*"), *ROOT.glob("fastnet/**/*.p[yx]*")]
    assert len(paths) > 60
    for path in paths:
        if path.name not in ("costs.py", "costs.def") and "build" not in path.parts:
            text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            assert not set(re.findall(r"\w+", text)) & words, path.name


def test_all_attributes_of_a_cost_are_given():
    for cost in COSTS:
        assert isinstance(cost.formula, costs.Formula)
        assert set(cost.errors) <= set(costs.OUTPUTS)
        assert cost.errors
        assert cost.lowest < cost.highest
        names = cost().named_parameters
        for formula in (cost.formula, *cost.errors.values()):
            text, _ = cost().shown(formula, L="2")
            assert "{" not in text
            assert text == formula.text or names or "{L}" in formula.text
        assert cost.__doc__
        assert cost.fn.__doc__
        assert cost.delta.__doc__


def test_the_help_of_the_command_line_names_all_costs():
    text = subprocess.run(
        [sys.executable, "-P", "-m", "fastnet", "train", "--help"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    words = re.sub(r"-\s+", "-", text)  # lines are broken behind hyphens, too
    for cost in COSTS:
        assert re.search(rf"\b{cost.name}\b", words)


@pytest.mark.thorough
def test_mypy_knows_the_exported_classes(tmp_path):
    pytest.importorskip("mypy")
    lines = ["import fastnet", *(f"reveal_type(fastnet.{cost.__name__})" for cost in COSTS)]
    lines += ["reveal_type(fastnet.HuberCost.fn)", "reveal_type(fastnet.HuberCost(2.0).delta)"]
    (tmp_path / "program.py").write_text("\n".join(lines))
    result = subprocess.run(
        [sys.executable, "-P", "-m", "mypy", "--strict", "--no-incremental", "program.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    for cost in COSTS:
        assert f"-> fastnet.nn.costs.{cost.__name__}" in result.stdout
    assert re.search(r"type is .*\(a: .*, y: .*\) -> (builtins\.)?float", result.stdout)
    assert re.search(r"type is .*\(z: .*, a: .*, y: .*\) -> numpy\.ndarray", result.stdout)


# ---- one value, one error


def test_the_value_from_z_is_that_of_the_outputs(pair):
    """``values``, from which the reference computes, beside ``fn``."""
    output, kernel = pair
    cost, random = of_kernel(kernel), np.random.default_rng(5)
    z = random.standard_normal((6, 3))
    a = ACTIVATIONS[output].value(z)
    y = np.abs(random.standard_normal((6, 3)))
    y = y / y.sum(axis=1, keepdims=True) if cost.highest <= 1 else y
    assert cost.values(z, a, y).sum() == pytest.approx(cost.fn(a.T, y.T), rel=1e-13)
    if (output, kernel) != ("linear", "quadratic"):  # whose delta is that of sigmoid neurons
        np.testing.assert_allclose(
            cost.error(output, a, y), cost.delta(z.T, a.T, y.T).T, rtol=1e-13, atol=1e-15
        )


def test_an_error_of_a_cost_is_the_slope_of_its_value_by_z(pair):
    output, kernel = pair
    cost, random, h = of_kernel(kernel), np.random.default_rng(6), 1e-5
    z = random.standard_normal((6, 3))
    y = np.abs(random.standard_normal((6, 3)))
    y = y / y.sum(axis=1, keepdims=True) if cost.highest <= 1 else y

    def total(z):
        return reference.cost_sum(output, kernel, z, y)

    a = ACTIVATIONS[output].value(z)
    error = cost.error(output, a, y)
    for place in np.ndindex(z.shape):
        above, below = z.copy(), z.copy()
        above[place] += h
        below[place] -= h
        slope = (total(above) - total(below)) / (2 * h)
        assert error[place] == pytest.approx(slope, abs=1e-8)
    assert np.unique(error).size > 1


# ---- parameters


@pytest.mark.parametrize("cost", OTHERS, ids=repr)
def test_parameters_reach_the_kernels(cost, dtype, isa):
    random = np.random.default_rng(3)
    z, y = _kernels.padded(9, 5, dtype), _kernels.padded(9, 5, dtype)
    z[...], y[...] = 3 * random.standard_normal((2, 9, 5))
    output = next(iter(cost.errors))
    exact = np.asarray(z, np.float64), np.asarray(y, np.float64)
    value = _kernels.cost_sum(output, cost.kernel, z, y)
    assert value == pytest.approx(cost.values(exact[0], *exact).sum(), rel=1e-12)
    delta, expected = _kernels.padded(9, 5, dtype), cost.error(output, *exact)
    _kernels.output_error(output, cost.kernel, z, y, 1.0, delta)
    np.testing.assert_allclose(delta, expected, rtol=4 * np.finfo(dtype).eps)
    usual = type(cost)()
    assert value != pytest.approx(usual.values(exact[0], *exact).sum(), rel=1e-3)
    assert not np.allclose(expected, usual.error(output, *exact))


@pytest.mark.parametrize("cost", OTHERS, ids=repr)
def test_a_network_trains_with_the_parameters_as_the_reference_does(cost, dtype, isa):
    net = net_of(cost, dtype=dtype)
    expected, close = net._model.values.copy(), 1e3 * float(np.finfo(dtype).eps)
    network = ((4, 5, 2), net.output, cost.kernel, expected)
    data = (X.astype(dtype), 1.0, Y.astype(dtype))
    kernel_calls.train(network, data, np.arange(40), 40, 0.05, kernels=reference)
    net.update_mini_batch((X, Y), 0.05, 0.0, 40)
    np.testing.assert_allclose(net._model.values, expected, rtol=close, atol=close)
    value = cost.fn(net.feedforward(X).T, Y.T) / 40
    assert net.total_cost((X, Y), 0.0) == pytest.approx(value, rel=close)


@pytest.mark.parametrize("cost", WITH_PARAMETERS)
def test_the_class_stands_for_the_default_parameters(cost):
    usual, a, y = cost(), X[:, :2], Y
    assert cost.fn(a, y) == usual.fn(a, y) == cost().fn(a, y)
    np.testing.assert_array_equal(cost.delta(None, a, y), usual.delta(None, a, y))
    by_class, by_name, by_object = net_of(cost), net_of(cost.name), net_of(usual)
    assert by_class == by_name == by_object
    assert by_class.cost is by_name.cost is cost
    assert by_object.cost == usual
    assert repr(by_class) == repr(by_object)
    for net in (by_class, by_object):
        net.cost = next(c for c in OTHERS if type(c) is cost)
        assert net != by_name


@pytest.mark.parametrize("cost", OTHERS, ids=repr)
def test_an_object_of_a_cost_is_a_value(cost):
    twin = type(cost)(*cost.parameters)
    assert cost == twin
    assert hash(cost) == hash(twin)
    assert cost != type(cost)()
    assert eval(repr(cost), vars(fastnet)) == cost
    for again in (pickle.loads(pickle.dumps(cost)), copy.copy(cost), copy.deepcopy(cost)):
        assert again == cost
    name = next(iter(cost.named_parameters))
    with pytest.raises(AttributeError):
        setattr(cost, name, 1.0)
    assert pickle.loads(pickle.dumps(cost.fn))(X, X + 1) == cost.fn(X, X + 1)


@pytest.mark.parametrize("cost", OTHERS, ids=repr)
def test_a_network_keeps_the_parameters_of_its_cost(cost, tmp_path):
    net = trained(cost)
    assert net.cost == cost
    assert f"{cost} cost" in repr(net)
    assert str(cost) != cost.name
    net.save(tmp_path / "net.json")
    others = fastnet.load(tmp_path / "net.json"), net.copy(), pickle.loads(pickle.dumps(net))
    for other in others:
        assert (other, other.cost, repr(other)) == (net, cost, repr(net))
        other.cost = type(cost)
        assert other != net
    net.cost = type(cost)()
    net.save(tmp_path / "net.json")
    assert json.loads((tmp_path / "net.json").read_text())["cost"] == type(cost).__name__


@pytest.mark.parametrize("cost", OTHERS, ids=repr)
def test_a_training_depends_on_the_parameters(cost):
    net = trained(cost)
    assert net != trained(type(cost))
    assert net == trained(cost)
    (fit,) = fastnet.fit_many(
        [dict(sizes=[4, 5, 2], cost=cost, seed=1, epochs=3, mini_batch_size=7, eta=0.05)],
        (X, Y),
        verbose=False,
    )
    assert fit.network == net
    assert fit.network.cost == cost


@pytest.mark.parametrize("cost", OTHERS, ids=repr)
def test_several_processes_are_sent_the_parameters(cost):
    spec = dict(sizes=[4, 5, 2], cost=cost, epochs=1, mini_batch_size=7, eta=0.05)
    specs = [{**spec, "seed": seed} for seed in (1, 2)]
    two, one = (
        [fit.network for fit in fastnet.fit_many(specs, (X, Y), max_workers=n, verbose=False)]
        for n in (2, 1)
    )
    assert [net.cost for net in two] == [cost, cost]
    assert two == one


@pytest.mark.parametrize("cost", OTHERS, ids=repr)
def test_estimators_take_and_clone_a_cost_with_parameters(cost):
    base = pytest.importorskip("sklearn.base")
    from fastnet.sklearn import MLPRegressor

    options = dict(hidden_layer_sizes=(5,), max_iter=3, random_state=0, batch_size=10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that three epochs are few
        net = base.clone(MLPRegressor(loss=cost, **options)).fit(X, Y)
        usual = MLPRegressor(loss=type(cost), **options).fit(X, Y)
    assert net.loss == net.network_.cost == cost
    assert net.network_ != usual.network_


def test_estimators_name_the_losses_of_the_costs():
    pytest.importorskip("sklearn")
    from fastnet.sklearn import losses

    named = {loss: {losses.OUTPUTS[o]: cost for o, cost in of.items()}
             for loss, of in losses.LOSSES.items()}  # fmt: skip
    for cost in COSTS:
        for output in cost.errors:
            assert cost.sklearn_name is None or named[cost.sklearn_name][output] == cost.name
    assert set(named) == {cost.sklearn_name for cost in COSTS} - {None}


# ---- wrong parameters


@pytest.mark.parametrize("cost", WITH_PARAMETERS)
def test_a_parameter_out_of_range_is_refused_by_name(cost):
    for name in cost().named_parameters:
        for bad in BAD[name]:
            with pytest.raises((TypeError, ValueError), match=rf"^{name}: expected .*, got "):
                cost(**{name: bad})


@pytest.mark.parametrize("cost", WITH_PARAMETERS)
def test_a_damaged_pickle_of_a_cost_is_refused(cost):
    made, arguments = cost().__reduce__()
    with pytest.raises((TypeError, ValueError), match="expected"):
        made(*(-1.0 for _ in arguments))


@pytest.mark.parametrize("module", [_kernels, reference])
@pytest.mark.parametrize("cost", COSTS)
def test_the_kernels_refuse_another_number_of_parameters(module, cost, dtype):
    z = module.padded(1, 2, dtype)
    kernel = cost().kernel
    more = (*kernel, 1.0) if isinstance(kernel, tuple) else (kernel, 1.0)
    with pytest.raises((TypeError, ValueError), match=r"parameters|takes|positional"):
        module.cost_sum(next(iter(cost.errors)), more, z, z)


@pytest.mark.parametrize("cost", WITH_PARAMETERS)
def test_wrong_parameters_in_a_file_are_refused(cost, tmp_path):
    path = tmp_path / "net.json"
    net_of(OTHERS[[type(c) for c in OTHERS].index(cost)]).save(path)
    good = json.loads(path.read_text())
    assert {"class", *cost().named_parameters} == good["cost"].keys()
    name = next(iter(cost().named_parameters))
    for change in ({name: -1}, {name: None}, {name: "1"}, {name: [1]}, {"class": "Other"},
                   {"class": 5}, {"more": 1}, {"class": "QuadraticCost"}):  # fmt: skip
        path.write_text(json.dumps({**good, "cost": {**good["cost"], **change}}))
        with pytest.raises(ValueError, match=r"net\.json: cost: "):
            fastnet.load(path)
    path.write_text(json.dumps({**good, "cost": {"class": cost.__name__}}))
    with pytest.raises(ValueError, match=r"net\.json: cost: "):
        fastnet.load(path)


@pytest.mark.parametrize("cost", OTHERS, ids=repr)
def test_the_text_of_a_cost_is_read_back(cost):
    assert costs.from_text(str(cost)) == cost
    assert costs.from_text(cost.name) == type(cost)()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mse", "expected one of quadratic, .* got 'mse'"),
        ("", "expected one of"),
        (":2", "expected one of"),
        ("huber:", "expected numbers after the colon"),
        ("huber:x", "expected numbers after the colon"),
        ("huber:1,2", "expected huber:THRESHOLD, got 'huber:1,2'"),
        ("huber:-1", "threshold: expected a positive number"),
        ("huber:nan", "threshold: expected a positive number"),
        ("quadratic:1", "expected quadratic, got 'quadratic:1'"),
    ],
)
def test_a_text_that_is_no_cost_is_refused(text, words, capsys):
    with pytest.raises((TypeError, ValueError), match=words):
        costs.from_text(text)
    from fastnet import cli

    with pytest.raises(SystemExit, match="2"):
        cli.main(["train", "--cost", text])
    assert re.search(f"--cost: {words}", capsys.readouterr().err)


def test_the_costs_with_parameters_stay_few_enough_for_c():
    header = (ROOT / "csrc" / "fastnet.h").read_text(encoding="utf-8")
    (most,) = re.findall(r"#define FN_MOST_COST_PARAMETERS (\d+)", header)
    assert max(int(n) for _, _, _, n, _ in ROWS) <= int(most)


def test_a_file_of_a_cost_with_the_defaults_is_that_of_earlier_releases(tmp_path):
    for cost in COSTS:
        net_of(cost).save(tmp_path / "net.json")
        assert json.loads((tmp_path / "net.json").read_text())["cost"] == cost.__name__


def test_a_class_derived_from_a_cost_is_a_cost_of_the_user_s_own():
    class Own(fastnet.HuberCost):
        pass

    net = net_of(Own, output="linear")
    assert net.cost is Own
    assert net.total_cost((X, Y), 0.0) == pytest.approx(
        net_of(fastnet.HuberCost).total_cost((X, Y), 0.0), rel=1e-6
    )
    given = net_of(Own(2.5), output="linear")
    assert given.cost == Own(2.5)
    assert given.total_cost((X, Y), 0.0) == pytest.approx(
        net_of(fastnet.HuberCost(2.5)).total_cost((X, Y), 0.0), rel=1e-6
    )


def test_the_typed_list_of_exports_is_literal():
    """Type checkers read ``__all__`` of the module without running it."""
    tree = ast.parse(inspect.getsource(costs))
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    )
    assert ast.literal_eval(value) == costs.__all__
