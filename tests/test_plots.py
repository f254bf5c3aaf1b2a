"""fastnet.plots: what is drawn agrees with the networks and histories it is drawn from."""

import subprocess
import sys

import numpy as np
import pytest

import fastnet
from fastnet import plots
from fastnet.plots import _axes

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

MONITORS = {f"monitor_{name}": True for name in fastnet.History._fields}


@pytest.fixture(scope="module")
def trained(mnist):
    """(network, test data, History with all four curves)"""
    training, _, test = mnist
    net = fastnet.Network([784, 30, 10], seed=1)
    history = net.SGD(training[:5000], 3, 10, 0.5, evaluation_data=test, verbose=False, **MONITORS)
    return net, test, history


def regression():
    """(network with one output, data)"""
    net = fastnet.Network([1, 1], "quadratic", output="linear", dtype="float64", seed=0)
    net.weights[0], net.biases[0] = [[2.0]], [[1.0]]
    return net, (np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [3.0], [8.0]]))


def drawings(net, test, history):
    """{name: function of ax} for every public function."""
    curve = {"a": [0.9, 0.5, 0.1]}
    return {
        "confusion": lambda ax: plots.confusion(net, test, ax=ax),
        "digits": lambda ax: plots.digits(net, test, ax=ax),
        "predictions": lambda ax: plots.predictions(*regression(), ax=ax),
        "neuron": lambda ax: plots.neuron(curve, ax=ax),
        "sigmoid": lambda ax: plots.sigmoid(ax=ax),
        "slowdown": lambda ax: plots.slowdown(curve, ax=ax),
        "softmax": lambda ax: plots.softmax([1.0, 2.0], ax=ax),
        "training": lambda ax: plots.training(history, ax=ax),
        "weights": lambda ax: plots.weights(net, ax=ax),
    }


@pytest.mark.parametrize("name", [name for name in plots.__all__ if name != "live"])
def test_a_picture_is_drawn_on_the_axes_given_or_on_new_ones(trained, name):
    draw = drawings(*trained)[name]
    given = Figure().subplots()
    assert draw(given) is given
    new = draw(None)
    assert isinstance(new, Axes)
    assert new.figure is not given.figure
    assert new.get_title() == given.get_title() != ""
    new.figure.canvas.draw()  # nothing in it that cannot be drawn
    with pytest.raises(TypeError, match=r"^ax: expected a matplotlib Axes or None, got 3$"):
        draw(3)


@pytest.mark.parametrize("name", ["neuron", "sigmoid", "slowdown", "training"])
def test_curves_have_named_axes_and_a_legend(trained, name):
    ax = drawings(*trained)[name](None)
    assert ax.get_xlabel() in ("epoch", "weighted input z")
    assert ax.get_ylabel()
    assert ax.get_legend() is not None


def test_pictures_leave_the_global_state_and_pyplot_alone():
    """In a process of its own, since other tests may have imported pyplot."""
    script = """
import sys, fastnet, matplotlib
before = matplotlib.rcParams.copy()
net = fastnet.Network([16, 3, 2], seed=0)
data = ([[0.0] * 16, [1.0] * 16], [0, 1])
history = net.SGD(data, 2, 1, 0.5, monitor_training_cost=True, verbose=False)
weights = [w.copy() for w in net.weights]
fastnet.plots.training(history, "cost")
fastnet.plots.digits(net, data)
fastnet.plots.weights(net)
fastnet.plots.confusion(net, data)
fastnet.plots.softmax([1, 2])
fastnet.plots.sigmoid().figure.canvas.draw()
assert matplotlib.rcParams.copy() == before
assert "matplotlib.pyplot" not in sys.modules
assert all((a == b).all() for a, b in zip(net.weights, weights))
"""
    subprocess.run([sys.executable, "-P", "-c", script], check=True)


def test_nothing_of_matplotlib_is_imported_before_a_picture_is_drawn():
    script = "import sys, fastnet; fastnet.plots.training; print('matplotlib' in sys.modules)"
    command = [sys.executable, "-P", "-c", script]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "False\n"


def test_without_matplotlib_the_message_has_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'to be installed: pip install "matplotlib>=3\.8"$'):
        plots.sigmoid()


# ---- the training ----------------------------------------------------------


def test_accuracies_are_drawn_in_percent_of_their_own_data_from_epoch_1(trained):
    _, test, history = trained
    evaluation, training = plots.training(history).get_lines()
    assert evaluation.get_xdata().tolist() == [1, 2, 3]
    percent = [100 * count / len(test) for count in history.evaluation_accuracy]
    assert evaluation.get_ydata().tolist() == pytest.approx(percent, rel=1e-15, abs=0)
    percent = [count / 50 for count in history.training_accuracy]
    assert training.get_ydata().tolist() == pytest.approx(percent, rel=1e-15, abs=0)
    assert f"best {max(percent):.4g} %" in training.get_label()


def test_costs_are_drawn_as_they_were_recorded(trained):
    history = trained[2]
    evaluation, training = plots.training(history, "cost").get_lines()
    assert evaluation.get_ydata().tolist() == history.evaluation_cost
    assert training.get_ydata().tolist() == history.training_cost
    epoch = history.evaluation_cost.index(min(history.evaluation_cost)) + 1
    assert f"in epoch {epoch}" in evaluation.get_label()


def test_a_history_without_the_curve_is_refused_with_the_flag_that_records_it():
    data = ([[0.0], [1.0]], [0, 1])
    history = fastnet.Network([1, 1], seed=0).SGD(
        data, 2, 1, 0.5, monitor_training_cost=True, verbose=False
    )
    assert len(plots.training(history, "cost").get_lines()) == 1
    with pytest.raises(ValueError, match=r"^history: expected values in evaluation_accuracy or "):
        plots.training(history, "accuracy")
    with pytest.raises(ValueError, match=r"monitor_evaluation_accuracy or monitor_training"):
        plots.training(history, "accuracy")


def test_the_cost_is_drawn_where_no_accuracy_was_recorded():
    data = ([[0.0], [1.0]], [0, 1])
    net = fastnet.Network([1, 1], seed=0)
    history = net.SGD(data, 2, 1, 0.5, monitor_training_cost=True, verbose=False)
    (line,) = plots.training(history).get_lines()
    assert line.get_ydata().tolist() == history.training_cost


def test_a_history_made_by_hand_is_asked_for_its_number_of_examples():
    history = fastnet.History([], [90, 95], [], [])
    with pytest.raises(ValueError, match=r"^history: .* evaluation examples in n_evaluation"):
        plots.training(history)
    history.n_evaluation = 100
    assert plots.training(history).get_lines()[0].get_ydata().tolist() == [90, 95]


@pytest.mark.parametrize("history", [None, ([], [], [], []), "history"])
def test_what_is_no_history_is_refused(history):
    with pytest.raises(TypeError, match=r"^history: expected the History that SGD returned, got"):
        plots.training(history)


def test_a_quantity_that_is_none_is_refused(trained):
    message = r"^quantity: expected 'accuracy' or 'cost', got 'loss'$"
    with pytest.raises(ValueError, match=message):
        plots.training(trained[2], "loss")
    with pytest.raises(ValueError, match=r"^quantity: expected 'output' or 'cost', got 3$"):
        plots.neuron({"a": [1.0]}, 3)


# ---- what the network does -------------------------------------------------


def labels_over_digits(ax):
    return [text.get_text() for text in ax.texts]


def test_the_grid_of_digits_shows_those_that_accuracy_does_not_count(trained):
    net, test, _ = trained
    wrong = len(test) - net.accuracy(test)
    ax = plots.digits(net, test, limit=wrong)
    assert len(labels_over_digits(ax)) == wrong > 100
    assert f"{wrong:,} of 10,000" in ax.get_title()
    seen = net.feedforward(test).argmax(axis=1)
    expected = [f"{y} → {a}" for y, a in zip(test.y, seen, strict=True) if y != a]
    assert labels_over_digits(ax) == expected
    first = plots.digits(net, test, limit=7)
    assert labels_over_digits(first) == expected[:7]
    assert "; shown are 7" in first.get_title()


def test_a_digit_of_the_grid_is_the_image_of_the_data(trained):
    net, test, _ = trained
    i = int(np.flatnonzero(net.feedforward(test).argmax(axis=1) != test.y)[0])
    grid_image = plots.digits(net, test, limit=1).get_images()[0].get_array()
    np.testing.assert_array_equal(grid_image[-28:], test[i][0].reshape(28, 28))


def test_a_network_without_mistakes_has_an_empty_grid(trained):
    net, test, _ = trained
    seen = net.feedforward(test).argmax(axis=1)
    right = test[np.flatnonzero(seen == test.y)[:20]]
    ax = plots.digits(net, right)
    assert ax.get_title() == "0 of 20 digits are misclassified"
    assert labels_over_digits(ax) == []


def test_the_confusion_matrix_counts_every_example_once(trained):
    net, test, _ = trained
    ax = plots.confusion(net, test)
    counts = np.array([int(text.get_text()) for text in ax.texts]).reshape(10, 10)
    assert counts.trace() == net.accuracy(test)
    assert counts.sum(axis=1).tolist() == np.bincount(test.y).tolist()
    seen = net.feedforward(test).argmax(axis=1)
    assert counts[4, 9] == np.sum((test.y == 4) & (seen == 9))
    assert f"{net.accuracy(test):,} of 10,000" in ax.get_title()


def test_confusion_and_digits_take_targets_columns_and_sparse_data(trained):
    scipy_sparse = pytest.importorskip("scipy.sparse")
    net, test, _ = trained
    X = test.X[:500].astype(np.float32) / 256
    targets = np.eye(10)[test.y[:500]]
    forms = [(X, targets), (scipy_sparse.csr_matrix(X), test.y[:500]), list(test[:500])]
    pictures = [[t.get_text() for t in plots.confusion(net, data).texts] for data in forms]
    assert pictures[0] == pictures[1] == pictures[2]
    grids = [plots.digits(net, data, limit=5).get_images()[0].get_array() for data in forms]
    for grid in grids:
        np.testing.assert_allclose(grid, grids[0], rtol=1e-7)


def test_one_output_neuron_makes_two_classes():
    net = fastnet.Network([1, 1], seed=0)
    net.weights[0], net.biases[0] = [[1.0]], [[0.0]]
    data = ([[1.0], [2.0], [-1.0], [-3.0], [0.0]], [1, 0, 0, 0, 1])
    counts = [int(text.get_text()) for text in plots.confusion(net, data).texts]
    assert counts == [2, 1, 0, 2]


def test_the_images_of_weights_are_the_weights(trained):
    net = trained[0]
    grid_image = plots.weights(net).get_images()[0].get_array()
    drawn = np.sort(grid_image[~np.isnan(grid_image)])
    np.testing.assert_array_equal(drawn, np.sort(net.weights[0].ravel().astype(np.float64)))
    height = grid_image.shape[0] // 5  # 30 neurons: five rows of six
    np.testing.assert_array_equal(grid_image[height - 28 : height, :28].ravel(), net.weights[0][0])
    assert "each output neuron" in plots.weights(net, layer=1, shape=(5, 6)).get_title()
    few = plots.weights(net, limit=4)
    assert few.get_images()[0].get_array().shape == (2 * 30, 2 * 28 + 2)
    assert few.get_title() == "Weights into each hidden neuron; shown are 4 of 30"


def test_weights_that_are_not_finite_are_refused():
    net = fastnet.Network([4, 2], seed=0)
    for bad in (np.nan, np.inf):
        net.weights[0][0, 0] = bad
        with pytest.raises(ValueError, match=r"^net: expected finite weights, got NaN or inf"):
            plots.weights(net)


def test_many_classes_are_drawn_without_numbers():
    net = fastnet.Network([2, 30], "log-likelihood", seed=0)
    ax = plots.confusion(net, (np.eye(2), [0, 29]))
    assert len(ax.texts) == 0
    assert len(ax.get_xticks()) < 15
    assert ax.get_images()[0].get_array().shape == (30, 30)


def test_a_cost_that_is_infinite_in_one_epoch_does_not_hide_the_best():
    history = fastnet.History([np.inf, 2.0, 1.0], [], [], [])
    assert "best 1 in epoch 3" in plots.training(history, "cost").get_lines()[0].get_label()
    history = fastnet.History([np.nan], [], [], [])
    assert plots.training(history, "cost").get_lines()[0].get_label() == "evaluation data"


@pytest.mark.parametrize(("epochs", "last"), [(1, 1), (30, 30), (300, 300)])
def test_the_last_epoch_has_a_tick(epochs, last):
    history = fastnet.History([1.0] * epochs, [], [], [])
    ax = plots.training(history, "cost")
    low, high = ax.get_xlim()
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert ticks[-1] == last
    assert all(tick == round(tick) for tick in ticks)


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (2, 2), (7, 4), (30, 6), (40, 8), (100, 10)])
def test_a_grid_leaves_few_places_empty(n, columns):
    grid_image, middles = _axes.grid(np.zeros((n, 12, 12)), above=2)
    assert grid_image.shape[1] == columns * 13 - 1
    assert len({x for x, _ in middles}) == columns


def test_shapes_and_layers_that_do_not_fit_are_refused(trained):
    net, test, _ = trained
    with pytest.raises(ValueError, match=r"^shape: .* since 30 inputs are not a square; got None$"):
        plots.weights(net, layer=1)
    for shape in ((28, 27), (784,), 28, "ab", (28.0, 28), (-28, -28)):
        with pytest.raises(ValueError, match=r"^shape: expected \(rows, columns\) of 784 pixels"):
            plots.digits(net, test, shape=shape)
    with pytest.raises(ValueError, match=r"^layer: expected 0 to 1 of this network, got 2$"):
        plots.weights(net, layer=2)
    with pytest.raises(ValueError, match=r"^limit: expected 1 or more, got 0$"):
        plots.digits(net, test, limit=0)


@pytest.mark.parametrize("draw", [plots.digits, plots.confusion])
def test_networks_and_data_that_do_not_fit_are_refused(trained, draw):
    net, test, _ = trained
    with pytest.raises(TypeError, match=r"^net: expected a Network, got 'net'$"):
        draw("net", test)
    with pytest.raises(ValueError, match=r"^data: expected 784 features"):
        draw(net, ([[1.0, 2.0]], [1]))
    with pytest.raises(ValueError, match=r"^data: expected labels from 0 to 9"):
        draw(net, (np.zeros((3, 784)), [0, 1, 10]))


# ---- what the text explains ------------------------------------------------


def test_the_marked_regions_are_where_the_slope_is_under_a_tenth_of_its_maximum():
    left, right = plots.sigmoid().patches
    for edge in (left.get_x() + left.get_width(), right.get_x()):
        assert fastnet.sigmoid_prime(edge) == pytest.approx(0.025, rel=1e-12, abs=0)


def test_the_bars_are_the_softmax_of_c_z():
    z = [0.5, -1.0, 2.0, 1.0]
    for c in (0.0, 1.0, 7.5):
        heights = [bar.get_height() for bar in plots.softmax(z, c).patches]
        np.testing.assert_array_equal(heights, fastnet.softmax(z, c))


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ([1.0], r"^curves: expected a dict of a label"),
        ({}, r"^curves: expected a dict of a label"),
        ({"a": []}, r"^curves\['a'\]: expected a sequence of numbers"),
        ({"a": 3.0}, r"^curves\['a'\]: expected a sequence of numbers"),
        ({"a": ["x"]}, r"^curves\['a'\]: expected a sequence of numbers"),
        ({"a": [1.0, np.nan]}, r"^curves\['a'\]: expected finite numbers, got NaN or infinity$"),
    ],
)
def test_curves_that_cannot_be_drawn_are_refused(curves, message):
    for draw in (plots.neuron, plots.slowdown):
        with pytest.raises((TypeError, ValueError), match=message):
            draw(curves)


def test_a_gradient_of_zero_has_no_place_on_a_logarithmic_axis():
    with pytest.raises(ValueError, match=r"^curves\['a'\]: expected numbers over 0"):
        plots.slowdown({"a": [1.0, 0.0]})


@pytest.mark.parametrize("z", [[], [[1.0, 2.0]], [np.inf, 1.0], ["x"], 1.0])
def test_inputs_that_a_softmax_does_not_have_are_refused(z):
    with pytest.raises((ValueError, TypeError), match=r"^z: expected "):
        plots.softmax(z)


def test_predictions_are_drawn_against_their_targets():
    ax = plots.predictions(*regression())
    assert ax.collections[0].get_offsets().tolist() == [[1, 1], [3, 3], [8, 5]]
    assert ax.get_title() == "3 examples, root mean squared error 1.732"
    with pytest.raises(ValueError, match=r"^data: expected one target per example, \(n, 1\), got"):
        plots.predictions(fastnet.Network([1, 2], seed=0), ([[1.0]], [0]))


def test_classes_are_drawn_by_name(trained):
    net = fastnet.Network([1, 2], seed=0, classes=["ham", "spam"])
    net.weights[0], net.biases[0] = [[-1.0], [1.0]], [[0.0], [0.0]]
    ax = plots.confusion(net, ([[-1.0], [1.0], [2.0]], ["ham", "spam", "ham"]))
    assert [text.get_text() for text in ax.get_xticklabels()] == ["ham", "spam"]
    assert [text.get_text() for text in ax.texts] == ["1", "1", "0", "1"]
    wrong = plots.digits(net, ([[-1.0], [1.0], [2.0]], ["ham", "spam", "ham"]))
    assert [text.get_text() for text in wrong.texts] == ["ham → spam"]
