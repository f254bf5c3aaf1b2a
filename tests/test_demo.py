"""fastnet demo: the text's figures from real trainings, in files and in windows."""

import numpy as np
import pytest

import fastnet

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
from matplotlib.backend_bases import MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fastnet.demo import mnist as mnist_demo
from fastnet.demo import neuron as neuron_demo
from fastnet.demo.neuron import BOOK_ETA, EPOCHS, ETA, STARTS, Neuron
from fastnet.demo.neuron import Window as NeuronWindow
from fastnet.demo.softmax import Window as SoftmaxWindow

# ---- the single neuron -----------------------------------------------------


def sigma(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("eta", {ETA, *BOOK_ETA.values()})
@pytest.mark.parametrize("cost", BOOK_ETA)
def test_the_neuron_follows_the_equations_of_the_text(start, cost, eta):
    w, b = start
    neuron = Neuron(w, b, cost)
    outputs, costs = neuron.learn(eta, EPOCHS)
    expected = [sigma(w + b)]
    for _ in range(EPOCHS):
        a = sigma(w + b)
        slope = a * a * (1 - a) if cost == "quadratic" else a  # 55, 56 and 61, 62
        w, b = w - eta * slope, b - eta * slope
        expected.append(sigma(w + b))
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)
    a = np.array(outputs)
    definition = a**2 / 2 if cost == "quadratic" else -np.log(1 - a)  # 54 and 57
    np.testing.assert_allclose(costs, definition, rtol=1e-12)
    assert (neuron.weight, neuron.bias) == pytest.approx((w, b), rel=1e-12, abs=0)


def test_the_neuron_of_the_text_goes_from_0_82_to_0_09_and_from_0_98_slowly():
    outputs, _ = Neuron(0.6, 0.9, "quadratic").learn(0.15, 300)
    assert (round(outputs[0], 2), round(outputs[-1], 2)) == (0.82, 0.09)
    outputs, _ = Neuron(2.0, 2.0, "quadratic").learn(0.15, 300)
    assert round(outputs[0], 2) == 0.98
    assert outputs[150] > 0.9 > 0.3 > outputs[-1]  # "the first 150 or so"


@pytest.mark.parametrize(("book_rates", "etas"), [(False, (0.15, 0.15)), (True, (0.15, 0.005))])
def test_the_picture_compares_the_costs_at_one_rate_or_at_the_books(book_rates, etas):
    figure = Figure(figsize=(9, 6.4))
    neuron_demo.draw(figure, book_rates=book_rates)
    axes = np.reshape(figure.axes, (2, 2))
    ends = {}
    for (output, cost_ax), cost, eta in zip(axes.T, BOOK_ETA, etas, strict=True):
        assert output.get_title() == f"{cost} cost, η = {eta:g}"
        for start, output_curve, cost_curve in zip(
            STARTS, output.get_lines(), cost_ax.get_lines(), strict=True
        ):
            outputs, costs = Neuron(*start, cost).learn(eta, EPOCHS)
            assert output_curve.get_ydata().tolist() == outputs
            assert cost_curve.get_ydata().tolist() == costs
            ends[cost, start] = outputs[-1]
    for start in STARTS:  # the cross-entropy learns faster where the rates are the same
        assert (ends["cross-entropy", start] < ends["quadratic", start]) == (not book_rates)


def test_from_a_bad_start_the_cross_entropy_learns_at_once_at_the_rate_of_the_picture():
    quadratic, cross_entropy = (Neuron(2.0, 2.0, cost).learn(ETA, 50)[0] for cost in BOOK_ETA)
    assert quadratic[50] > 0.97
    assert cross_entropy[50] < 0.1


def click(widget, at=(0.5, 0.5)):
    """Press and release the mouse on a widget, at a place in parts of its Axes."""
    canvas = widget.ax.figure.canvas
    x, y = widget.ax.transAxes.transform(at)
    for kind in ("button_press_event", "button_release_event"):
        canvas.callbacks.process(kind, MouseEvent(kind, canvas, x, y, button=1))


def test_run_in_the_window_trains_from_where_the_sliders_stand_again_and_again(monkeypatch):
    figure = Figure(figsize=(9, 6.4))
    window = NeuronWindow(figure)
    now = [0.0]
    monkeypatch.setattr("fastnet.demo.neuron.time.monotonic", lambda: now[0])
    for start in STARTS:
        window.weight.set_val(start[0])
        window.bias.set_val(start[1])
        assert window.outputs == [pytest.approx(sigma(sum(start)), rel=1e-14, abs=0)]
        for _ in range(2):  # the second time from the start again
            now[0] += 100.0
            click(window.run)
            assert len(window.outputs) == 1
            while len(window.outputs) <= EPOCHS:
                drawn = len(window.outputs)
                now[0] += 0.5
                for function, arguments, keywords in list(window._timer.callbacks):
                    assert function(*arguments, **keywords) is not False
                assert len(window.outputs) == min(drawn + 30, EPOCHS + 1)
            outputs, costs = Neuron(*start, "quadratic").learn(0.15, EPOCHS)
            assert (window.outputs, window.costs) == (outputs, costs)
            assert window.output.get_lines()[0].get_ydata() == outputs
            assert window.cost.get_lines()[0].get_ydata() == costs
            assert window._timer.callbacks
    figure.canvas.draw()


def caption(window):
    """The second line of the title, as far as the epoch."""
    return window.output.figure.get_suptitle().split("\n")[1].split(":")[0]


@pytest.mark.parametrize("eta", [None, 0.15, 0.4])
def test_the_other_cost_in_the_window_keeps_the_learning_rate(eta):
    window = NeuronWindow(Figure(figsize=(9, 6.4)))
    if eta is None:
        eta = ETA  # nobody moved the slider
    else:
        window.eta.set_val(eta)
    for active, cost in ((1, "cross-entropy"), (0, "quadratic"), (1, "cross-entropy")):
        window.kind.set_active(active)
        assert window.eta.val == pytest.approx(eta, rel=1e-12, abs=0)
        assert caption(window) == f"{cost} cost, η = {eta:g}"
        window.advance(EPOCHS)
        assert window.outputs == Neuron(0.6, 0.9, cost).learn(eta, EPOCHS)[0]


def test_the_books_rates_in_the_window_are_one_click_away_and_so_is_the_way_back():
    figure = Figure(figsize=(9, 6.4))
    canvas = FigureCanvasAgg(figure)
    window = NeuronWindow(figure)
    canvas.draw()  # or the label does not know its place
    window.eta.set_val(0.4)
    click(window.book_rates, at=(0.15, 0.5))
    for active, cost in ((0, "quadratic"), (1, "cross-entropy")):
        window.kind.set_active(active)
        assert caption(window) == f"{cost} cost, η = {BOOK_ETA[cost]:g}"
        window.advance(EPOCHS)
        assert window.outputs == Neuron(0.6, 0.9, cost).learn(BOOK_ETA[cost], EPOCHS)[0]
    click(window.book_rates, at=(0.4, 0.5))  # its label
    assert caption(window) == "cross-entropy cost, η = 0.4"


def test_a_rate_set_while_the_window_has_the_books_rates_is_the_users_from_then_on():
    window = NeuronWindow(Figure(figsize=(9, 6.4)), book_rates=True)
    assert all(window.book_rates.get_status())
    window.eta.set_val(0.4)
    assert not any(window.book_rates.get_status())
    window.kind.set_active(1)
    assert caption(window) == "cross-entropy cost, η = 0.4"


def test_run_in_the_window_is_stop_while_it_trains(monkeypatch):
    window = NeuronWindow(Figure(figsize=(9, 6.4)))
    now = [0.0]
    monkeypatch.setattr("fastnet.demo.neuron.time.monotonic", lambda: now[0])

    def tick(seconds):
        now[0] += seconds
        for function, arguments, keywords in list(window._timer.callbacks):
            function(*arguments, **keywords)

    assert (window.run.label.get_text(), window.running) == ("Run", False)
    click(window.run)
    assert (window.run.label.get_text(), window.running) == ("Stop", True)
    tick(1.0)
    click(window.run)
    assert (window.run.label.get_text(), window.running) == ("Run", False)
    assert len(window.outputs) == 61  # what was trained stays in view
    click(window.run)
    assert len(window.outputs) == 1  # from the start again
    tick(100.0)
    assert (window.run.label.get_text(), window.running) == ("Run", False)
    click(window.run)
    window.weight.set_val(1.0)  # another start ends the training
    assert (window.run.label.get_text(), window.running) == ("Run", False)


# ---- the softmax -----------------------------------------------------------


@pytest.mark.parametrize("z", [(1.0, 2.0, 3.0, 2.5), (-5.0, -5.0, -5.0, 5.0), (0.0, 0.0, 0.0, 0.0)])
@pytest.mark.parametrize("c", [0.1, 1.0, 20.0])
def test_the_sliders_set_the_bars_which_sum_to_one(z, c):
    window = SoftmaxWindow(Figure(figsize=(7, 6)))
    for slider, value in zip(window.inputs, z, strict=True):
        slider.set_val(value)
    window.c.set_val(c)
    heights = [bar.get_height() for bar in window.bars.patches]
    np.testing.assert_array_equal(heights, fastnet.softmax(z, c))
    assert sum(heights) == pytest.approx(1, rel=1e-15, abs=0)


def test_a_slider_is_moved_by_the_mouse():
    figure = Figure(figsize=(7.2, 6.4))
    window = SoftmaxWindow(figure)
    before = window.bars.patches[3].get_height()
    click(window.inputs[3], at=(0.99, 0.5))
    assert window.inputs[3].val > 4.5
    assert window.bars.patches[3].get_height() > before


# ---- MNIST -----------------------------------------------------------------


def test_the_slowdown_is_that_of_two_trainings_from_the_same_weights():
    figure = Figure()
    mnist_demo.slowdown(figure, epochs=1)
    hidden, output = ([l.get_ydata() for l in ax.get_lines()] for ax in figure.axes)
    for quadratic, cross_entropy in (hidden, output):
        assert len(quadratic) == len(cross_entropy) == 2
        # Large weights saturate the outputs, where the quadratic cost's slope holds sigma prime.
        assert cross_entropy[0] > 3 * quadratic[0]
    training, _, _ = fastnet.load_mnist()
    net = fastnet.Network([784, 30, 10], "quadratic", seed=1)
    net.large_weight_initializer()
    assert output[0][0] == np.abs(net.gradient(training[:10_000])[1][1]).mean()


@pytest.mark.parametrize(("book_rates", "etas"), [(False, (0.5, 0.5)), (True, (3.0, 0.5))])
def test_the_slowdown_compares_the_costs_at_one_rate_or_at_the_books(book_rates, etas):
    figure = Figure()
    mnist_demo.slowdown(figure, epochs=1, book_rates=book_rates)
    training, _, _ = fastnet.load_mnist()
    lines = figure.axes[1].get_lines()
    for line, cost, eta in zip(lines, BOOK_ETA, etas, strict=True):
        assert line.get_label() == f"{cost} cost, η = {eta:g}"
        net = fastnet.Network([784, 30, 10], cost, seed=1)
        net.large_weight_initializer()
        net.SGD(training, 1, 10, eta, verbose=False)
        assert line.get_ydata()[1] == np.abs(net.gradient(training[:10_000])[1][1]).mean()


def test_the_training_shown_is_the_texts_experiment():
    figure = Figure()
    mnist_demo.training(figure, epochs=1)
    training, _, test = fastnet.load_mnist()
    net = fastnet.Network([784, 30, 10], seed=0)
    net.large_weight_initializer()
    net.SGD(training, 1, 10, 0.5, verbose=False)
    accuracy, cost = figure.axes
    assert accuracy.get_lines()[0].get_ydata() == [net.accuracy(test) / 100]
    assert cost.get_lines()[1].get_ydata() == [net.total_cost(training, 0.0)]
