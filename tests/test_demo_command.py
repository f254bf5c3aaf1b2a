"""fastnet demo as a command: pictures in files, one's own network, the page, wrong arguments."""

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

from fastnet.demo import mnist as mnist_demo


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
    assert f"classifies {right / 100:.1f} % of" in (tmp_path / "page.html").read_text("utf-8")


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
    (["neuron", "--html", "{tmp}/x.html"], r"--html: expected no NAME, --save, --dark"),
    (["--html", "{tmp}/x.html", "--book-rates"], r"--html: expected no .* or --book-rates"),
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
        r"--images: expected a --model that was trained for them, got none$",
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
        assert error.endswith('matplotlib to be installed: pip install "matplotlib>=3.8"\n')
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
    assert "contains a network of 784 – 30 – 10 neurons" in (tmp_path / "page.html").read_text(
        "utf-8"
    )
    monkeypatch.setattr(mnist_demo, "trained", None)  # nothing is trained
    run("--html", str(tmp_path / "own.html"), "--model", model)
    net, test = fastnet.load(model), fastnet.load_mnist()[2]
    text = (tmp_path / "own.html").read_text("utf-8")
    assert "contains a network of 784 – 10 neurons" in text
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
