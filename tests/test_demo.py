"""fastnet demo: the text's figures from real trainings, in files and in windows."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import fastnet
from fastnet import cli, demo
from fastnet.cli.demo import user_network
from fastnet.cli.parser import make_parser

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
from matplotlib import image
from matplotlib.backend_bases import MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fastnet.demo import mnist as mnist_demo
from fastnet.demo import neuron as neuron_demo
from fastnet.demo.neuron import BOOK_ETA, EPOCHS, ETA, STARTS, Neuron
from fastnet.demo.neuron import Window as NeuronWindow
from fastnet.demo.softmax import Window as SoftmaxWindow


@pytest.fixture(scope="module")
def model(tmp_path_factory, mnist):
    """A file with a network of 784 inputs, quickly trained."""
    net = fastnet.Network([784, 10], seed=1)
    net.SGD(mnist[0][:2000], 2, 10, 0.5, verbose=False)
    path = tmp_path_factory.mktemp("model") / "net.json"
    net.save(path)
    return str(path)


def run(*arguments, status=0):
    """(standard output, standard error) of ``fastnet demo`` in this process."""
    try:
        result = cli.main(["demo", *arguments])
    except SystemExit as exit_:
        result = exit_.code
    assert result == status


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


# ---- the command line ------------------------------------------------------


def test_demo_alone_lists_the_pictures_with_a_line_each(capsys):
    run()
    printed = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in printed[: len(demo.DEMOS)]]
    assert names == list(demo.DEMOS)
    assert {"neuron", "sigmoid", "softmax", "slowdown", "training", "digits"} <= {*names}
    assert {"weights", "confusion"} <= {*names}
    assert all(len(line.split()) > 4 for line in printed[: len(demo.DEMOS)])


@pytest.mark.parametrize("name", demo.DEMOS)
def test_every_picture_is_saved(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mnist_demo, "EPOCHS", 1)
    for function in (mnist_demo.slowdown, mnist_demo.training):
        monkeypatch.setattr(function, "__defaults__", (1,))
    ground = {}
    for option in ([], ["--dark"]):
        path = tmp_path / f"{name}{len(option)}.png"
        run(name, "--save", str(path), *option)
        assert capsys.readouterr().out == f"Saved to {path}\n"
        pixels = image.imread(path)[:, :, :3]
        assert pixels.std() > 0.05  # something is drawn
        ground[len(option)] = pixels[0, 0].mean()
        assert min(pixels.shape[:2]) > 400
    assert ground == {0: 1, 1: 0}


@pytest.mark.parametrize("name", ["neuron", "slowdown"])
def test_book_rates_draws_another_picture_where_costs_are_compared(name, tmp_path, monkeypatch):
    monkeypatch.setattr(mnist_demo.slowdown, "__defaults__", (1,))
    run(name, "--save", str(tmp_path / "same.png"))
    run(name, "--save", str(tmp_path / "book.png"), "--book-rates")
    same, book = (image.imread(tmp_path / f"{which}.png") for which in ("same", "book"))
    assert same.shape == book.shape
    assert (same != book).any()


@pytest.mark.parametrize(
    ("ending", "start"),
    [
        ("svg", b"<?xml"),
        ("pdf", b"%PDF"),
        ("PNG", b"\x89PNG"),
        ("jpg", b"\xff\xd8"),
        ("webp", b"RIFF"),
    ],
)
def test_the_name_of_the_file_decides_its_format(ending, start, tmp_path):
    path = tmp_path / f"sigmoid.{ending}"
    run("sigmoid", "--save", str(path))
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["digits", "weights", "confusion"])
def test_pictures_of_ones_own_network(name, model, tmp_path, monkeypatch):
    monkeypatch.setattr(mnist_demo, "trained", None)  # nothing is trained for it
    run(name, "--model", model, "--save", str(tmp_path / "own.png"))


def idx(path, array):
    """Write an array of bytes in IDX form."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(head + array.tobytes())
    return str(path)


def test_pictures_of_ones_own_network_and_images_that_are_no_squares(tmp_path):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (20, 4, 6), np.uint8)
    labels = (np.arange(20) % 3).astype(np.uint8)
    fastnet.Network([24, 3], seed=0).save(tmp_path / "net.json")
    own = [
        "--model", str(tmp_path / "net.json"),
        "--images", idx(tmp_path / "images", images),
        "--labels", idx(tmp_path / "labels", labels),
    ]  # fmt: skip
    for name in ("digits", "weights", "confusion"):
        run(name, *own, "--save", str(tmp_path / f"{name}.png"))
        assert (tmp_path / f"{name}.png").exists()


def test_a_network_sees_images_at_the_scale_that_it_learned_them_with(mnist, tmp_path):
    training, _, test = mnist
    net = fastnet.Network([784, 10], seed=1)
    data = fastnet.Dataset(training.X[:2000], training.y[:2000], 1 / 16)
    net.SGD(data, 2, 10, 0.05, verbose=False)
    net.save(tmp_path / "net.json")
    right = net.accuracy(fastnet.Dataset(test.X, test.y, 1 / 16))
    with pytest.warns(UserWarning, match=r"scale of the data set.s bytes, 0\.0039"):
        assert right != net.accuracy(test)
    options = make_parser().parse_args(["demo", "digits", "--model", str(tmp_path / "net.json")])
    own = user_network(options, "digits")
    assert own.net.accuracy(own.data) == right
    run("--html", str(tmp_path / "page.html"), "--model", str(tmp_path / "net.json"))
    assert f"reads {right / 100:.1f} % of" in (tmp_path / "page.html").read_text("utf-8")


def test_the_weights_of_any_network_are_drawn_without_images(tmp_path):
    fastnet.Network([100, 7, 10], seed=0).save(tmp_path / "net.json")
    run("weights", "--model", str(tmp_path / "net.json"), "--save", str(tmp_path / "own.png"))
    assert (tmp_path / "own.png").exists()


ERRORS = [
    (["cat"], r"NAME: expected one of neuron, sigmoid, softmax, .*; got 'cat'$"),
    (["sigmoid", "--save", "{tmp}/x"], r"--save: expected a name that ends in \.png, \.svg"),
    (["sigmoid", "--save", "{tmp}/x.doc"], r"--save: expected a name that ends in .*x\.doc'$"),
    (["digits", "--save", "{tmp}/no/x.png"], r"--save: expected a file that can be written, got"),
    (["--save", "{tmp}/x.png"], r"NAME: expected a picture with --save, got none$"),
    (["--dark"], r"NAME: expected a picture with --dark, got none$"),
    (["neuron", "--html", "{tmp}/x.html"], r"--html: expected neither NAME nor --save nor --dark"),
    (["--html", "{tmp}/x.html", "--book-rates"], r"--html: expected neither .* nor --book-rates"),
    (["--book-rates"], r"NAME: expected a picture with --book-rates, got none$"),
    (
        ["sigmoid", "--save", "{tmp}/x.png", "--book-rates"],
        r"--book-rates: expected neuron or slowdown with it, which compare costs; got 'sigmoid'$",
    ),
    (["--html", "{tmp}/no/x.html"], r"--html: expected a file that can be written, got .*no/x"),
    (
        ["--html", "{tmp}/x.html", "--model", "{tmp}/small.json"],
        r"--model: expected a network of 784 inputs for the images of MNIST, got 64 inputs$",
    ),
    (
        ["--html", "{tmp}/x.html", "--model", "{tmp}/two.json"],
        r"--model: expected a network of 784 inputs and 10 outputs, .*; got \[784, 2\]$",
    ),
    (["sigmoid", "--model", "{model}", "--save", "{tmp}/x.png"], r"--model: expected one of digit"),
    (["digits", "--model", "{tmp}/no.json", "--save", "{tmp}/x.png"], r"No such file .*no\.json"),
    (
        ["digits", "--images", "{tmp}/a", "--save", "{tmp}/x.png"],
        r"--images, --labels: expected both",
    ),
    (
        ["digits", "--images", "{tmp}/a", "--labels", "{tmp}/b", "--save", "{tmp}/x.png"],
        r"--images: expected a --model that was trained for them$",
    ),
    (
        ["digits", "--model", "{tmp}/small.json", "--save", "{tmp}/x.png"],
        r"--model: expected a network of 784 inputs for the images of MNIST, got 64 inputs$",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_wrong_arguments_are_refused_in_one_line(arguments, message, tmp_path, model, capsys):
    fastnet.Network([64, 10], seed=0).save(tmp_path / "small.json")
    fastnet.Network([784, 2], seed=0).save(tmp_path / "two.json")
    before = sorted(tmp_path.iterdir())
    run(*(a.format(tmp=tmp_path, model=model) for a in arguments), status=2)
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("fastnet demo: error: ")
    assert output.err.count("\n") == 1
    assert re.search(message, output.err.rstrip())
    assert sorted(tmp_path.iterdir()) == before


def test_the_pad_takes_images_of_28_x_28_only(model, tmp_path, capsys):
    images = idx(tmp_path / "images", np.zeros((10, 14, 56), np.uint8))
    labels = idx(tmp_path / "labels", np.arange(10, dtype=np.uint8))
    page = tmp_path / "page.html"
    run("--html", str(page), "--model", model, "--images", images, "--labels", labels, status=2)
    error = capsys.readouterr().err
    assert error.endswith("--images: expected images of 28 x 28 pixels, got (14, 56)\n")
    assert not page.exists()


def test_without_matplotlib_the_line_that_installs_it_is_printed(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for arguments in (["neuron"], ["digits", "--save", str(tmp_path / "x.png")]):
        run(*arguments, status=2)
        error = capsys.readouterr().err
        assert error.endswith('not installed: pip install "matplotlib>=3.8"\n')
        assert error.count("\n") == 1
    run()  # the list needs none


@pytest.mark.parametrize("backend", [None, "agg", "tkagg"])
def test_where_no_window_can_be_opened_save_is_named(backend):
    environment = {k: v for k, v in os.environ.items() if "DISPLAY" not in k and k != "MPLBACKEND"}
    if backend is not None:
        environment["MPLBACKEND"] = backend
    command = [sys.executable, "-P", "-m", "fastnet", "demo", "sigmoid"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("fastnet demo: error: no window can be opened here")
    assert "--save FILE.png" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_page_is_written_with_a_network_trained_for_it_or_ones_own(
    model, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(mnist_demo, "EPOCHS", 1)
    run("--html", str(tmp_path / "page.html"))
    assert capsys.readouterr().out == f"Saved to {tmp_path}/page.html: open it in a browser\n"
    assert "784 – 30 – 10 neurons stands" in (tmp_path / "page.html").read_text("utf-8")
    monkeypatch.setattr(mnist_demo, "trained", None)  # nothing is trained
    run("--html", str(tmp_path / "own.html"), "--model", model)
    net, test = fastnet.load(model), fastnet.load_mnist()[2]
    text = (tmp_path / "own.html").read_text("utf-8")
    assert "784 – 10 neurons stands" in text
    assert f"{net.accuracy(test) / 100:.1f} % of 10,000 test images" in text


def test_train_draws_its_curves(tmp_path, capsys, mnist):
    training, _, test = mnist
    files = []
    for split, data in (("train", training[:300]), ("test", test[:200])):
        images = idx(tmp_path / f"{split}-images", data.X.reshape(-1, 28, 28))
        labels = idx(tmp_path / f"{split}-labels", data.y.astype(np.uint8))
        files += [f"--{split}-images", images, f"--{split}-labels", labels]
    path = tmp_path / "curves.png"
    assert cli.main(["train", *files, "--epochs", "2", "--plot", str(path)]) == 0
    assert capsys.readouterr().out.endswith(f"Curves drawn in {path}\n")
    assert image.imread(path)[:, :, :3].std() > 0.05
    for arguments, message in (
        (["--plot", str(tmp_path / "curves")], "--plot: expected a name that ends in .png, .svg"),
        (["--plot", str(path), "--epochs", "0"], "--epochs: expected 1 or more with --plot, got 0"),
        (["--plot", str(path), "--save", str(path)], "--plot: expected another file than --save"),
    ):
        with pytest.raises(SystemExit):
            cli.main(["train", *arguments])
        output = capsys.readouterr()
        assert (output.out, output.err.count("\n")) == ("", 1)
        assert message in output.err
