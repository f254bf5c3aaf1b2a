"""Several quantiles, one for each output: kernels, networks, files and the command line."""

import copy
import csv
import json
import pickle
import re

import kernel_calls
import numpy as np
import pytest
import scipy.sparse

import fastnet
from fastnet import Network, QuantileCost, cli, own_data, reference
from fastnet.core import _kernels
from fastnet.nn import costs

THREE = QuantileCost([0.05, 0.5, 0.95])
RANDOM = np.random.default_rng(11)
X = RANDOM.uniform(-1, 1, (60, 4))
Y = X[:, :1] + RANDOM.standard_normal((60, 1))
REPEATED = np.repeat(Y, 3, axis=1)


def quantiles(n):
    return tuple(np.linspace(0.03, 0.98, n).tolist())


def padded(array, dtype):
    made = _kernels.padded(*array.shape, dtype)
    made[...] = array
    return made


def net_of(cost=THREE, **more):
    return Network([4, 5, 3], cost, seed=1, **more)


# ---- kernels


@pytest.mark.parametrize("m", [1, 3, 70])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 64, 65, 130])
def test_the_error_of_each_output_is_that_of_its_quantile_alone(n, m, dtype, isa):
    random = np.random.default_rng(n)
    a, y = (padded(random.standard_normal((m, n)), dtype) for _ in range(2))
    y[0, n // 2] = a[0, n // 2]
    weights = random.uniform(0, 2, m)
    delta, alone = _kernels.padded(m, n, dtype), _kernels.padded(m, n, dtype)
    _kernels.output_error("linear", ("quantile", quantiles(n)), a, y, 1.0, delta)
    for j, q in enumerate(quantiles(n)):
        _kernels.output_error("linear", ("quantile", q), a, y, 1.0, alone)
        np.testing.assert_array_equal(delta[:, j], alone[:, j])
    expected = QuantileCost(quantiles(n)).error("linear", a, y)
    np.testing.assert_array_equal(delta, expected)
    assert np.unique(delta).size > 1 or n == m == 1
    ours, theirs = _kernels.padded(m, n, dtype), reference.padded(m, n, dtype)
    for module, out in ((_kernels, ours), (reference, theirs)):
        module.output_error("linear", ("quantile", quantiles(n)), a, y, -0.7, out, weights)
    np.testing.assert_allclose(ours, theirs, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("m", [1, 3, 70])
@pytest.mark.parametrize("n", [1, 2, 3, 17, 63, 64, 65, 130])
def test_the_value_is_the_sum_over_the_quantiles(n, m, dtype, isa):
    random = np.random.default_rng(n)
    z, y = (padded(random.standard_normal((m, n)), dtype) for _ in range(2))
    kernel, weights = ("quantile", quantiles(n)), random.uniform(0, 2, m)
    weights[m // 2] = 0
    cost = QuantileCost(quantiles(n))
    exact = np.asarray(z, np.float64), np.asarray(y, np.float64)
    terms = cost.values(exact[0], *exact)
    assert _kernels.cost_sum("linear", kernel, z, y) == pytest.approx(terms.sum(), rel=1e-13)
    expected = (weights[:, None] * terms).sum()
    for module in (_kernels, reference):
        value = module.cost_sum("linear", kernel, z, y, weights)
        assert value == pytest.approx(expected, rel=1e-13, abs=1e-300)


def test_nan_in_an_output_stays_nan(dtype, isa):
    a, y = padded(np.full((2, 3), np.nan), dtype), padded(np.zeros((2, 3)), dtype)
    delta = _kernels.padded(2, 3, dtype)
    _kernels.output_error("linear", THREE.kernel, a, y, 1.0, delta)
    assert np.isnan(delta).all()


def test_equal_quantiles_give_the_bits_of_one_quantile(dtype, isa):
    several, one = (
        net_of(QuantileCost([0.3] * 3), dtype=dtype),
        net_of(QuantileCost(0.3), dtype=dtype),
    )
    for net in (several, one):
        net.SGD((X, REPEATED), 3, 7, 0.05, verbose=False)
    np.testing.assert_array_equal(several._model.values, one._model.values)
    assert several.total_cost((X, Y), 0.0) == one.total_cost((X, REPEATED), 0.0)
    assert several != one


def test_a_network_trains_with_several_quantiles_as_the_reference_does(dtype, isa):
    net = net_of(dtype=dtype)
    expected, close = net._model.values.copy(), 1e3 * float(np.finfo(dtype).eps)
    network = ((4, 5, 3), net.output, THREE.kernel, expected)
    data = (X.astype(dtype), 1.0, REPEATED.astype(dtype))
    kernel_calls.train(network, data, np.arange(60), 60, 0.05, kernels=reference)
    net.update_mini_batch((X, REPEATED), 0.05, 0.0, 60)
    np.testing.assert_allclose(net._model.values, expected, rtol=close, atol=close)
    value = THREE.fn(net.feedforward(X).T, REPEATED.T) / 60
    assert net.total_cost((X, Y), 0.0) == pytest.approx(value, rel=close)


def test_all_instruction_sets_with_fused_multiply_add_and_any_number_of_threads_give_equal_bits():
    before, found = _kernels.isa(), []
    try:
        for name in _kernels.available():
            _kernels.select(name)
            for n_threads in (1, 3):
                net = Network([4, 40, 3], THREE, seed=1, n_threads=n_threads)
                net.SGD((X, Y), 2, 60, 0.1, verbose=False)
                if name != "baseline":
                    found.append(net._model.values.tobytes())
    finally:
        _kernels.select(before)
    if not found:
        pytest.skip("no instruction set with fused multiply-add on this machine")
    assert len(set(found)) == 1


@pytest.mark.parametrize("module", [_kernels, reference])
def test_the_kernels_refuse_another_number_of_quantiles(module, dtype):
    z = module.padded(2, 4, dtype)
    with pytest.raises(ValueError, match=r"cost: expected 4|broadcast"):
        module.cost_sum("linear", THREE.kernel, z, z)


def test_the_kernels_refuse_several_parameters_for_a_cost_of_one():
    z = _kernels.padded(2, 3, "float32")
    with pytest.raises(ValueError, match=r"^cost: expected a number as the parameter of huber"):
        _kernels.cost_sum("linear", ("huber", (1.0, 2.0, 3.0)), z, z)


# ---- the cost itself


def test_the_cost_and_the_error_are_those_of_the_formulas():
    a, y = np.array([[0.5, 2.0], [3.0, 0.0]]), np.ones((2, 2))
    cost = QuantileCost([0.25, 0.9])
    assert cost.fn(a, y) == pytest.approx(0.25 * 0.5 + 0.75 * 1 + 0.1 * 2 + 0.9 * 1, rel=1e-15)
    np.testing.assert_allclose(cost.delta(None, a, y), [[-0.25, 0.75], [0.1, -0.9]], rtol=1e-15)
    assert cost.fn(a[:, 0], y[:, 0]) == pytest.approx(0.25 * 0.5 + 0.1 * 2, rel=1e-15)


@pytest.mark.parametrize("a", [[0.5, 1.0], 0.5, np.zeros((2, 3)), []])
def test_another_number_of_outputs_than_quantiles_is_refused(a):
    with pytest.raises(ValueError, match=r"^a: expected 3 outputs, one for each quantile, got sh"):
        THREE.fn(a, np.zeros_like(a))


@pytest.mark.parametrize(
    "given", [(0.1, 0.9), [0.1, 0.9], np.array([0.1, 0.9]), [np.float64(0.1), 0.9]]
)
def test_a_cost_with_several_quantiles_is_a_value(given):
    cost = QuantileCost(given)
    assert cost == QuantileCost([0.1, 0.9])
    assert hash(cost) == hash(QuantileCost([0.1, 0.9]))
    assert cost.quantile == (0.1, 0.9)
    assert all(type(q) is float for q in cost.quantile)
    assert cost not in (QuantileCost(0.1), QuantileCost([0.9, 0.1]), QuantileCost())
    assert eval(repr(cost), vars(fastnet)) == cost
    assert str(cost) == "quantile:0.1,0.9"
    assert costs.from_text(str(cost)) == cost
    for again in (pickle.loads(pickle.dumps(cost)), copy.copy(cost), copy.deepcopy(cost)):
        assert again == cost


def test_a_sequence_of_one_quantile_is_that_quantile():
    assert QuantileCost([0.9]) == QuantileCost(0.9)
    assert QuantileCost(np.array([0.5])) == QuantileCost()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], r"^quantile: expected a number, or one for each output, got \[\]"),
        ([0.1, 1], r"^quantile\[1\]: expected a number over 0 and below 1, got 1"),
        ([0, 0.1], r"^quantile\[0\]: expected a positive number, got 0"),
        ([0.1, np.nan], r"^quantile\[1\]: expected a positive number, got nan"),
        ([0.1, None], r"^quantile\[1\]: expected a number, got None"),
        ([0.1, True], r"^quantile\[1\]: expected"),
        ([0.1, "0.5"], r"^quantile\[1\]: expected"),
        ([[0.1], [0.2, 0.3]], r"^quantile\[0\]: expected a number, got \[0.1\]"),
        (np.full((2, 2), 0.5), r"^quantile\[0\]: expected a number, got \[0.5, 0.5\]"),
        ({0.1, 0.9}, r"^quantile: expected a number"),
        ({0.1: 1}, r"^quantile: expected a number"),
    ],
)
def test_quantiles_out_of_range_are_refused_by_name(given, words):
    with pytest.raises((TypeError, ValueError), match=words):
        QuantileCost(given)


# ---- networks


@pytest.mark.parametrize("n_out", [1, 2, 4])
def test_another_number_of_quantiles_than_outputs_is_refused(n_out, tmp_path):
    words = rf"cost: expected one quantile for all outputs, or {n_out}, one for each, got 3: Quan"
    with pytest.raises(ValueError, match=f"^{words}"):
        Network([4, n_out], THREE)
    net = Network([4, n_out], QuantileCost, seed=1)
    with pytest.raises(ValueError, match=f"^{words}"):
        net.cost = THREE
    assert net.cost is QuantileCost
    path = tmp_path / "net.json"
    net.save(path)
    with pytest.raises(ValueError, match=words):
        fastnet.load(path, cost=THREE)
    fields = json.loads(path.read_text())
    cost = {"class": "QuantileCost", "quantile": [0.05, 0.5, 0.95]}
    path.write_text(json.dumps({**fields, "cost": cost}))
    with pytest.raises(ValueError, match=words):
        fastnet.load(path)


@pytest.mark.parametrize(
    "wrong",
    [[], [0.1, 0.5, 1], [0.1, "0.5", 0.9], [[0.1, 0.5, 0.9]], [0.1] * 10000, {"0": 0.1}, "0.1"],
)
def test_wrong_quantiles_in_a_file_are_one_error(wrong, tmp_path):
    path = tmp_path / "net.json"
    net_of().save(path)
    fields = json.loads(path.read_text())
    assert fields["cost"] == {"class": "QuantileCost", "quantile": [0.05, 0.5, 0.95]}
    path.write_text(json.dumps({**fields, "cost": {**fields["cost"], "quantile": wrong}}))
    with pytest.raises(ValueError, match=r"net\.json: (cost: )+"):
        fastnet.load(path)


def test_a_network_keeps_its_quantiles(tmp_path):
    net = net_of()
    net.SGD((X, Y), 2, 10, 0.05, verbose=False)
    assert net.cost == THREE
    assert "quantile:0.05,0.5,0.95 cost" in repr(net)
    net.save(tmp_path / "net.json")
    others = fastnet.load(tmp_path / "net.json"), net.copy(), pickle.loads(pickle.dumps(net))
    for other in others:
        assert (other, other.cost, repr(other)) == (net, THREE, repr(net))
        assert other.total_cost((X, Y), 0.1) == net.total_cost((X, Y), 0.1)
        other.cost = QuantileCost([0.1, 0.5, 0.95])
        assert other != net


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_files_of_other_formats_keep_the_quantiles(suffix, tmp_path):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    net = net_of()
    net.save(tmp_path / f"net{suffix}")
    again = fastnet.load(tmp_path / f"net{suffix}")
    assert (again, again.cost) == (net, THREE)


def test_models_of_other_programs_keep_the_quantiles():
    pytest.importorskip("onnx")
    net = net_of()
    again = Network.from_onnx(net.to_onnx())
    assert (again, again.cost) == (net, THREE)


def test_a_checkpoint_is_of_its_quantiles_only(tmp_path):
    file = tmp_path / "run.npz"

    def train(epochs, cost=THREE):
        net = net_of(cost)
        net.SGD((X, Y), epochs, 7, 0.05, checkpoint=file, resume=True, verbose=False)
        return net

    train(2)
    continued = train(5)
    with pytest.raises(ValueError, match=r"^checkpoint: .*quantile:0.05,0.5,0.95, this call quant"):
        train(5, QuantileCost([0.1, 0.5, 0.95]))
    file.unlink()
    assert train(5) == continued


def _pairs():
    return [(x[:, None], y) for x, y in zip(X, Y, strict=True)]


def _mapped(folder):
    np.save(folder / "y.npy", Y)
    return X, np.load(folder / "y.npy", mmap_mode="r")


FORMS = {
    "arrays": lambda folder: (X, Y),
    "float32": lambda folder: (X, Y.astype(np.float32)),
    "dataset": lambda folder: fastnet.Dataset(X, Y),
    "pairs": lambda folder: _pairs(),
    "numbers": lambda folder: [(x, float(y[0])) for x, y in _pairs()],
    "sparse": lambda folder: (scipy.sparse.csr_matrix(X), Y),
    "mapped": _mapped,
    "repeated": lambda folder: (X, REPEATED),
}


@pytest.mark.parametrize("form", FORMS)
def test_one_target_per_example_is_the_target_of_every_output(form, tmp_path):
    data, (net, expected) = FORMS[form](tmp_path), (net_of(), net_of())
    kept = Y.astype(np.float32).repeat(3, axis=1) if form == "float32" else REPEATED
    figures = [
        one.SGD(
            given, 3, 7, 0.05, 0.1, evaluation_data=given, monitor_training_cost=True,
            verbose=False, early_stopping=fastnet.EarlyStopping("evaluation_cost", 5),
        )
        for one, given in ((net, data), (expected, (X, kept)))
    ]  # fmt: skip
    assert net == expected
    assert figures[0] == figures[1]
    assert len(figures[0].evaluation_cost) == 3
    assert net.total_cost(data, 0.5) == expected.total_cost((X, kept), 0.5)
    for ours, theirs in zip(net.gradient(data), expected.gradient((X, kept)), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
    if form == "mapped":
        data[1]._mmap.close()


def test_a_data_set_keeps_its_own_targets():
    data = fastnet.Dataset(X, Y)
    assert data.names_classes is False
    net_of().SGD(data, 1, 7, 0.05, verbose=False)
    assert data.y.shape == (60, 1)
    assert net_of(QuantileCost([0.1, 0.5, 0.9])).total_cost(data, 0.0) > 0


def test_quantiles_are_no_classes():
    words = (
        r"^predict_labels: expected a network that predicts classes, got one with the quantile:0"
    )
    with pytest.raises(ValueError, match=words):
        net_of().predict_labels(X)


def test_targets_of_zeros_and_ones_are_monitored_by_the_cost():
    """With one target they would be classes; the accuracy of quantiles is not defined."""
    data = fastnet.Dataset(X, (Y > 0).astype(float))
    assert data.names_classes
    history = net_of().SGD(data, 2, 7, 0.05, evaluation_data=data, verbose=False)
    assert len(history.evaluation_cost) == 2
    assert history.evaluation_accuracy == []


def test_all_that_trains_or_measures_takes_one_target_per_example():
    net, expected = net_of(), net_of()
    net.update_mini_batch((X[:9], Y[:9]), 0.05, 0.0, 60)
    expected.update_mini_batch((X[:9], REPEATED[:9]), 0.05, 0.0, 60)
    assert net == expected
    for ours, theirs in zip(net.backprop(X[0], Y[0]), net.backprop(X[0], REPEATED[0]), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
    assert net.gradient_check((X, Y)) == net.gradient_check((X, REPEATED)) < 1e-3
    assert str(net.explain(X[0], Y[0])) == str(net.explain(X[0], REPEATED[0]))
    net, expected = net_of(dtype="float64"), net_of(dtype="float64")
    net.fit_lbfgs((X, Y), 20, verbose=False)
    expected.fit_lbfgs((X, REPEATED), 20, verbose=False)
    assert net == expected
    assert net != net_of(dtype="float64")


def test_a_search_for_the_learning_rate_takes_one_target_per_example():
    found = [
        fastnet.find_learning_rate(net_of(), (X, y), verbose=False).trials for y in (Y, REPEATED)
    ]
    assert [trial.costs for trial in found[0]] == [trial.costs for trial in found[1]]
    assert len({trial.eta for trial in found[0]}) > 2


def test_a_network_with_overridden_methods_is_measured_with_one_target_per_example():
    class Own(Network):
        def feedforward(self, a):
            return super().feedforward(a)

    net, expected = Own([4, 5, 3], THREE, seed=1), net_of()
    figures = [
        one.SGD((X, Y), 2, 7, 0.05, evaluation_data=(X, Y), verbose=False).evaluation_cost
        for one in (net, expected)
    ]
    assert figures[0] == pytest.approx(figures[1], rel=1e-5)
    assert len(figures[0]) == 2


def test_standardized_inputs_and_one_target_go_together():
    standardize = fastnet.Standardize.fit(X)
    net, expected = net_of(inputs=standardize), net_of(inputs=standardize)
    net.SGD((X, Y), 3, 7, 0.05, verbose=False)
    expected.SGD((X, REPEATED), 3, 7, 0.05, verbose=False)
    assert net == expected


def test_fit_many_trains_several_quantiles_in_one_process_and_in_two():
    spec = dict(sizes=[4, 5, 3], cost=THREE, epochs=2, mini_batch_size=7, eta=0.05)
    specs = [{**spec, "seed": seed} for seed in (1, 2)]
    two, one = (
        [fit.network for fit in fastnet.fit_many(specs, (X, Y), max_workers=n, verbose=False)]
        for n in (2, 1)
    )
    net = net_of()
    net.SGD((X, Y), 2, 7, 0.05, verbose=False)
    assert two == one
    assert one[0] == net
    assert one[0].cost == THREE


def test_weights_of_examples_count_them_as_often():
    twice = np.concatenate([X, X[:20]]), np.concatenate([Y, Y[:20]])
    weights = np.where(np.arange(60) < 20, 2.0, 1.0)
    net, expected = net_of(dtype="float64"), net_of(dtype="float64")
    net.SGD((X, Y), 1, 60, 0.05, sample_weight=weights, verbose=False)
    expected.SGD(twice, 1, 80, 0.05, verbose=False)
    np.testing.assert_allclose(net._model.values, expected._model.values, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["training_data", "data"])
def test_labels_and_other_numbers_of_targets_are_refused(name):
    net = net_of()
    before = net.copy()

    def use(data):
        if name == "data":
            return net.total_cost(data, 0.0)
        return net.SGD(data, 1, 7, 0.05, verbose=False)

    words = rf"^{name}: expected numbers as targets of the quantile:0.05,0.5,0.95 cost, \(n, 1\) or"
    with pytest.raises(ValueError, match=words):
        use((X, np.arange(60) % 3))
    with pytest.raises(ValueError, match=rf"^{name}: expected 1 or 3 targets per example, got 2"):
        use((X, REPEATED[:, :2]))
    assert net == before


def test_the_formulas_that_explain_prints_have_the_quantiles():
    text = str(net_of().explain(X[0], Y[0]))
    assert "C = Σ_j max(q_j (y_j - a_j), (1 - q_j) (a_j - y_j)), q = (0.05, 0.5, 0.95)" in text
    assert "δ^3 = 1 - q_j where a^3 > y, -q_j below, q = (0.05, 0.5, 0.95)" in text


def test_each_output_learns_its_quantile():
    random = np.random.default_rng(1)
    X = random.uniform(-1, 1, (2000, 1))
    y = 2 * X + 1 + random.exponential(1, (2000, 1))
    net = Network([1, 3], QuantileCost([0.1, 0.5, 0.9]), dtype="float64", seed=1)
    net.SGD((X, y), 60, 20, 0.05, verbose=False)
    below = np.mean(y < net.feedforward(X), axis=0)
    np.testing.assert_allclose(below, [0.1, 0.5, 0.9], atol=0.04)
    np.testing.assert_allclose(net.weights[0].ravel(), [2, 2, 2], atol=0.4)
    np.testing.assert_allclose(net.biases[0].ravel(), 1 - np.log([0.9, 0.5, 0.1]), atol=0.3)


# ---- the command line


@pytest.fixture
def table(tmp_path, monkeypatch):
    """The current folder, with a table and the same numbers as arrays."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(3)
    x = random.uniform(-1, 1, 1000)
    y = 100 + 10 * x + (1 + x) * random.standard_normal(1000)
    with open("data.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("x", "weight"), *zip(x, y, strict=True)])
    np.savez("data.npz", X=x[:, None], y=y)
    return x, y


TRAIN = ["--cost", "quantile:0.05,0.95", "--save", "net.json", "--epochs", "60"]


@pytest.mark.parametrize("file", ["data.csv", "data.npz"])
def test_the_command_line_trains_a_network_with_an_output_for_each_quantile(table, capsys, file):
    x, y = table
    assert cli.main(["train", file, *TRAIN]) == 0
    printed = capsys.readouterr().out
    assert "[1, 50, 2], tanh neurons, linear outputs, quantile:0.05,0.95 cost" in printed
    net = fastnet.load("net.json")
    outputs = net.feedforward({"x": x} if file == "data.csv" else x[:, None])
    below = (y[:, None] <= outputs).mean(axis=0)
    np.testing.assert_allclose(below, [0.05, 0.95], atol=0.03)
    assert cli.main(["evaluate", "net.json", file]) == 0
    loss = net.cost.fn(outputs.T, np.stack([y, y])) / 2000
    constant = np.quantile(y, [0.05, 0.95])
    always = net.cost.fn(np.tile(constant[:, None], 1000), np.stack([y, y])) / 2000
    assert capsys.readouterr().out == (
        f"1000 examples: pinball loss {loss:.4g} (always the same quantiles: "
        f"{always:.4g}), shares of the targets below: {below[0]:.1%}, {below[1]:.1%}\n"
    )
    assert loss < always / 2


@pytest.mark.parametrize(
    ("quantile", "n"), [(0.9, 1), (0.9, 2), ((0.2, 0.9), 2), ((0.2, 0.9), 1)], ids=str
)
def test_a_score_of_quantiles_is_their_loss_and_the_shares_below(quantile, n):
    """Of one quantile, of several for one target, and of one for each target."""
    cost, targets = QuantileCost(quantile), np.concatenate([Y, 3 * Y], axis=1)[:, :n]
    net = Network([4, cost.n_out or n], cost, seed=1, dtype="float64")
    score = own_data.score(net, fastnet.Dataset(X, targets), fastnet.Dataset(X, 2 * targets))
    a, y = net.feedforward(X), np.broadcast_to(targets, (60, net.sizes[-1]))
    constant = [
        np.quantile(2 * y[:, j], q) for j, q in enumerate(np.broadcast_to(quantile, y[0].shape))
    ]
    loss, always = (cost.fn(each.T, y.T) / y.size for each in (a, np.tile(constant, (60, 1))))
    assert (score.pinball, score.baseline_pinball) == pytest.approx((loss, always), rel=1e-12)
    assert score.below == tuple((y <= a).mean(axis=0))
    assert score.r2 is None
    assert str(score).startswith("pinball loss ")


def test_predictions_have_a_column_for_each_quantile(table, capsys):
    cli.main(["train", "data.csv", *TRAIN])
    outputs = fastnet.load("net.json").feedforward("data.csv")
    capsys.readouterr()
    assert cli.main(["predict", "net.json", "data.csv", "--output", "-"]) == 0
    header, *rows = csv.reader(capsys.readouterr().out.splitlines())
    assert header == ["weight 0.05", "weight 0.95"]
    np.testing.assert_array_equal(np.array(rows, np.float32), outputs)
    assert cli.main(["predict", "net.json", "data.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{low!s},{high!s}" for low, high in outputs]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "data.csv", "--cost", "quantile:0.1,1"], "--cost: quantile[1]: expected a num"),
        (["train", "data.csv", "--cost", "quantile:0.1,"], "--cost: expected numbers after"),
        (["train", "--cost", "quantile:0.1,0.9"], "--cost: expected one quantile for all outputs, "
         "or 10, one for each, got 2"),
    ],
)  # fmt: skip
def test_wrong_quantiles_are_one_error_of_the_command(table, capsys, arguments, words):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert words in error
    assert re.fullmatch(r"fastnet train: error: [^\n]+\n", error)


def test_a_picture_of_several_quantiles_is_refused_before_anything_is_printed(table, capsys):
    cli.main(["train", "data.csv", *TRAIN])
    capsys.readouterr()
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "net.json", "data.csv", "--plot", "picture.png"])
    out, err = capsys.readouterr()
    assert out == ""
    assert "--plot: expected a network that predicts classes or one number, net.json pre" in err
    plots = pytest.importorskip("matplotlib") and fastnet.plots
    with pytest.raises(ValueError, match=r"^net: expected one output, got one for each quantile"):
        plots.predictions(fastnet.load("net.json"), "data.csv")
