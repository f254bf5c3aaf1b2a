"""``Network.explain``: the numbers are those of the network, the text shows all of them."""

import numpy as np
import pytest

import fastnet
from fastnet import Network
from fastnet.nn import activations
from fastnet.nn.costs import of_kernel

X = np.random.default_rng(3).standard_normal(4)
TARGETS = {"exponential": [0.5, 2.0, 0.0], "softmax": [0.25, 0.5, 0.25]}  # by output layer

# Of one product's sum over at most 6 inputs, and three layers, in units of the largest term.
ROUNDINGS = 40


class Own:
    """The cross-entropy."""

    @staticmethod
    def fn(a, y):
        return -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a))

    @staticmethod
    def delta(z, a, y):
        return a - y


def assert_same(given, wanted):
    """Equal but for the rounding of sums."""
    assert given.shape == wanted.shape
    assert given.dtype == wanted.dtype
    tolerance = ROUNDINGS * np.finfo(wanted.dtype).eps * max(1, np.abs(wanted).max())
    assert np.abs(given - wanted).max() <= tolerance


def assert_explains(net, x, y):
    """The explanation beside what the network's other methods say."""
    shown = net.explain(x, y)
    nabla_b, nabla_w = net.backprop(x, y)
    assert [layer.l for layer in shown.layers] == list(range(2, net.num_layers + 1))
    assert [layer.neurons for layer in shown.layers] == [*net.hidden, net.output]
    below = shown.x
    for layer, w, b, dw, db in zip(
        shown.layers, net.weights, net.biases, nabla_w, nabla_b, strict=True
    ):
        assert np.array_equal(layer.w, w)
        assert np.array_equal(layer.b, b)
        assert_same(layer.z, w @ below + b)
        assert_same(layer.nabla_w, dw)
        assert_same(layer.nabla_b, db)
        assert np.array_equal(layer.delta, layer.nabla_b)
        below = layer.a
    assert_same(below.ravel(), net.feedforward(x).ravel())
    assert shown.cost == net.total_cost([(x, y)], 0.0)
    return shown


@pytest.mark.parametrize("hidden", activations.HIDDEN)
def test_every_pair_and_kind_of_neurons_is_explained(pair, hidden, dtype):
    cost = of_kernel(pair[1])
    net = Network([4, 6, 5, 3], cost, output=pair[0], hidden=hidden, dtype=dtype, seed=5)
    for y in (2, TARGETS.get(pair[0], [0.25, 1.0, 0.0])):
        shown = assert_explains(net, X, y)
        assert np.unique(shown.layers[0].nabla_w).size > 1
        assert shown.cost_name == cost.name
        text = str(shown)
        for line in ("z^2 = w^2 a^1 + b^2   (25)", "δ^4 = ", "(BP2)", "(BP3)", "(BP4)", "    C = "):
            assert line in text
        assert f"= {shown.cost:.6g}" in text
        assert f"layer 3: 5 {hidden} neurons" in text
        assert repr(shown) == text


def test_the_rule_of_the_output_error_is_that_of_the_cost(pair):
    net = Network([4, 3], of_kernel(pair[1]), output=pair[0], seed=5)
    (layer,) = net.explain(X, 1).layers
    y = fastnet.vectorized_result(1, 3)
    rule = layer.a - y if pair == ("linear", "quadratic") else net.cost.delta(layer.z, layer.a, y)
    assert_same(layer.delta, rule.astype("float32"))
    (line,) = (line for line in str(net.explain(X, 1)).splitlines() if "δ^2 = " in line)
    assert ("σ′" in line) == (pair == ("sigmoid", "quadratic"))
    number = of_kernel(pair[1]).errors[pair[0]].number
    assert line.endswith(f"   ({number})") if number else not line.endswith("   ()")
    assert "{" not in line


def test_the_formulas_of_the_book_s_costs_have_the_book_s_numbers():
    numbers = {
        ("sigmoid", "quadratic"): ("54", "BP1, 65"),
        ("linear", "quadratic"): ("54", "68"),
        ("sigmoid", "cross-entropy"): ("63", "66"),
        ("softmax", "log-likelihood"): ("80", "84"),
    }
    for (output, cost), (of_cost, of_error) in numbers.items():
        text = str(Network([4, 3], cost, output=output, seed=5).explain(X, 1))
        (line,) = (line for line in text.splitlines() if line.startswith("    C = "))
        assert line.endswith(f"   ({of_cost})")
        (line,) = (line for line in text.splitlines() if "δ^2 = " in line)
        assert line.endswith(f"   ({of_error})")


def test_the_parameters_of_a_cost_stand_in_its_formulas():
    text = str(Network([4, 3], fastnet.HuberCost(2.5), seed=5).explain(X, 1))
    assert "C = Σ_j (a_j - y_j)²/2, beyond 2.5: 2.5 (|a_j - y_j| - 2.5/2)\n" in text
    assert "δ^2 = a^2 - y, from -2.5 to 2.5\n" in text


def test_layers_of_several_kinds_are_named_each():
    net = Network([4, 3, 2, 1], hidden=["tanh", "relu"], seed=1)
    text = str(net.explain(X, 0))
    for line in ("a^2 = tanh(z^2)", "a^3 = relu(z^3)", "a^4 = σ(z^4)   (25)",
                 "tanh′(z^2) = 1 - a^2 ⊙ a^2", "relu′(z^3) = 1 where z^3 > 0, else 0",
                 "δ^2 = ((w^3)^T δ^3) ⊙ tanh′(z^2)   (BP2)",
                 "δ^3 = ((w^4)^T δ^4) ⊙ relu′(z^3)   (BP2)",
                 "layer 4: 1 sigmoid neuron\n"):  # fmt: skip
        assert line in text


def test_the_neuron_of_the_text_s_first_example_is_explained():
    """w = 2, b = 2, x = 1, y = 0: a = 0.98, badly wrong, and a slope of nearly nothing."""
    net = Network([1, 1], "quadratic", dtype="float64")
    net.weights[0], net.biases[0] = [[2.0]], [[2.0]]
    (layer,) = net.explain([1.0], [0.0]).layers
    assert layer.z.item() == 4
    assert round(layer.a.item(), 2) == 0.98
    assert layer.nabla_w.item() == layer.nabla_b.item() == layer.delta.item()
    assert layer.delta.item() == pytest.approx(layer.a * layer.a * (1 - layer.a), rel=1e-15)


def test_a_cost_of_the_user_s_own_is_explained_by_its_methods():
    net = Network([4, 5, 3], Own, seed=1)
    shown = assert_explains(net, X, 1)
    assert shown.cost_name == "Own"
    assert "C = Own.fn(a, y)" in str(shown)
    assert "δ^3 = Own.delta(z^3, a^3, y)" in str(shown)


@pytest.mark.parametrize(
    ("result", "words"),
    [(np.zeros(3), r"delta: expected the shape of z, \(3, 1\), got \(3,\)"),
     (np.zeros((3, 1), complex), "delta: expected real numbers, got complex128")],
)  # fmt: skip
def test_a_cost_of_the_user_s_own_that_returns_no_error_is_named(result, words):
    class Bad(Own):
        @staticmethod
        def delta(z, a, y):
            return result

    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        Network([4, 3], Bad, seed=1).explain(X, 1)


def test_the_text_of_large_layers_is_short(mnist):
    net = Network([784, 100, 10], seed=1)
    x, y = mnist[0][0]
    text = str(assert_explains(net, x, y))
    assert "..." in text
    assert len(text.splitlines()) < 100
    assert max(map(len, text.splitlines())) <= 100


def test_columns_rows_and_labels_say_the_same():
    net = Network([4, 5, 3], seed=1)
    texts = {str(net.explain(x, y)) for x in (X, X[:, None], list(X))
             for y in (1, [0, 1, 0], fastnet.vectorized_result(1, 3))}  # fmt: skip
    assert len(texts) == 1


def test_an_explanation_stays_as_it_is_while_the_network_learns():
    net = Network([4, 5, 3], seed=1)
    shown = net.explain(X, 1)
    before = str(shown)
    net.SGD([(X, 1)], 5, 1, 3.0, verbose=False)
    assert str(shown) == before != str(net.explain(X, 1))
    for array in (shown.x, shown.y, *shown.layers[0][2:]):
        assert not array.flags.writeable
        assert array.ndim == 2
    with pytest.raises(AttributeError):
        shown.cost = 0.0


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([1, 2, 3], 0, r"x: expected shape \(4,\) or \(4, 1\), got \(3,\)"),
        ([1, 2, 3, np.nan], 0, "x: expected finite numbers"),
        (X, 3, "y: expected labels from 0 to 2"),
        (X, [0, 1], "y: expected 3 targets"),
        (X, np.eye(3), "y: expected a label or a column"),
    ],
)
def test_bad_input_is_refused(x, y, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        Network([4, 5, 3], seed=1).explain(x, y)
