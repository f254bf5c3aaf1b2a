"""fastnet export."""

import numpy as np
import pytest
from exported_c import EXACT, compiled, needs_cc, outputs, self_test

import fastnet
from fastnet.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder, with a network in a file."""
    monkeypatch.chdir(tmp_path)
    net = fastnet.Network([3, 6, 2], hidden="tanh", seed=1)
    net.save("net.json")
    return tmp_path


@needs_cc
def test_a_saved_network_becomes_c(folder, capsys):
    assert main(["export", "net.json", "net.c"]) == 0
    assert capsys.readouterr().out == "net.json written to net.c as the function net\n"
    X = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    found = outputs(compiled(folder / "net.c", *EXACT), X, 2)
    np.testing.assert_allclose(found, fastnet.load("net.json").feedforward(X), rtol=1e-5)
    assert self_test(folder / "net.c", *EXACT)[0] == 0


def test_the_options_are_the_arguments_of_to_c(folder, capsys):
    options = ["--name", "motor", "--scale", "0.5", "--jacobian"]
    assert main(["export", "net.json", "motor.c", *options]) == 0
    assert capsys.readouterr().out == "net.json written to motor.c as the function motor\n"
    fastnet.load("net.json").to_c("other.c", "motor", scale=0.5, jacobian=True)
    assert (folder / "motor.c").read_text() == (folder / "other.c").read_text()


def test_weights_of_8_bits_are_those_of_to_c_and_their_cost_is_printed(folder, capsys):
    random = np.random.default_rng(1)
    X, y = random.normal(size=(50, 3)).astype(np.float32), random.integers(0, 2, 50)
    np.savez("data.npz", X=X, y=y)
    options = ["--int8", "--data", "data.npz"]
    assert main(["export", "net.json", "net8.c", *options]) == 0
    report = fastnet.load("net.json").to_c("other.c", int8=True, data=(X, y))
    assert capsys.readouterr().out.splitlines() == [
        "net.json written to net8.c as the function net", str(report)
    ]  # fmt: skip
    assert (folder / "net8.c").read_text() == (folder / "other.c").read_text()
    assert main(["export", "net.json", "without.c", "--int8"]) == 0
    assert "50 examples" not in (folder / "without.c").read_text()
    assert "int8_t net_weights_1" in (folder / "without.c").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["net.json", "net.json"], "FILE: expected a name that ends in .c, .h, "),
     (["net.json", "net"], "FILE: expected a name that ends in .c, .h, "),
     (["missing.json", "net.c"], "MODEL: missing.json: No such file or directory\n"),
     (["net.json", "missing/net.c"], "FILE: expected a file that can be written, got "),
     (["net.json", "net.c", "--name", "for"], "--name: expected one that C and C++ do not res"),
     (["net.json", "net.c", "--data", "x.npz"], "--data: expected --int8, whose rounding it me"),
     (["net.json", "net.c", "--int8", "--data", "x.npz"], "--data: x.npz: No such file or direct"),
     (["net.json", "net.c", "--int8", "--data", "net.c"], "FILE: expected another file than --da"),
     (["net.json", "net.c", "--int8", "--jacobian"], "--int8: expected False with jacobian=True"),
     (["net.json", "net.c", "--scale", "-1"], "--scale: expected a finite number of 0 or more"),
     (["net.json", "net.c", "--scale", "x"], "argument --scale: invalid float value: 'x'")],
)  # fmt: skip
def test_what_does_not_fit_is_one_line_that_names_the_option(arguments, message, folder, capsys):
    before = {file: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(SystemExit) as stopped:
        main(["export", *arguments])
    printed = capsys.readouterr()
    assert (stopped.value.code, printed.out) == (2, "")
    assert printed.err.startswith(f"fastnet export: error: {message}")
    assert printed.err.count("\n") == 1
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_a_network_that_is_not_replaced_by_its_own_c(folder, capsys):
    fastnet.load("net.json").save("net.inc")
    with pytest.raises(SystemExit):
        main(["export", "net.inc", "net.inc"])
    assert "FILE: expected another file than MODEL, got 'net.inc'" in capsys.readouterr().err
    assert fastnet.load("net.inc") == fastnet.load("net.json")
