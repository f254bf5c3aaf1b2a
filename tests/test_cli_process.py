"""The command line as a process: pipes, signals, memory."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest
from command_line import FILES, MODULE, OPTIONS, SCRIPT, data, run, write_files

import fastnet
import fastnet.cli.train
from fastnet.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with small data in it."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    return tmp_path


PEAK = "; print([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_training_takes_little_more_memory_than_the_pixels_and_their_compressed_form(tmp_path):
    train = "import fastnet.cli; fastnet.cli.main(['train', '--epochs', '1'])"
    peaks = []
    for code in ("import numpy", train):
        command = [sys.executable, "-c", code + PEAK]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        peaks.append(1024 * int(ended.stdout.split()[-2]))
    pixels = 70_000 * 784
    assert pixels < peaks[1] - peaks[0] < 2 * pixels  # one more copy of them would be too much


@pytest.mark.parametrize("command", [SCRIPT, MODULE], ids=["script", "module"])
def test_the_script_and_the_module_train_and_predict(folder, command):
    trained = run(command, "train", *FILES, *OPTIONS, "--save", "net.json")
    assert (trained.returncode, trained.stderr) == (0, "")
    assert "Epoch 8 / 8" in trained.stdout
    predicted = run(command, "predict", "net.json", "test-images")
    assert (predicted.returncode, predicted.stderr) == (0, "")
    digits = fastnet.load("net.json").feedforward(data()[1]).argmax(axis=1)
    assert predicted.stdout == "".join(f"{digit}\n" for digit in digits)


BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def test_a_reader_that_has_seen_enough_ends_the_program_quietly(folder):
    process = subprocess.Popen(
        [*MODULE, "train", *FILES, "--epochs", "1000000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=BUFFERED,
    )  # fmt: skip
    assert process.stdout.readline().startswith(b"60 training examples")
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize(
    "arguments", [["train", *FILES, "--epochs", "3"], ["train", "small.csv", "--epochs", "3"]]
)
def test_a_training_that_saves_goes_on_when_nobody_reads_what_it_prints(
    folder, arguments, buffered
):
    (folder / "small.csv").write_text("x,y\n" + "1,a\n2,b\n" * 20)
    alone = run([*MODULE, *arguments, "--save", "alone.json"])
    assert alone.returncode == 0
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [*MODULE, *arguments, "--save", "net.json"],
        stdout=write,
        stderr=subprocess.PIPE,
        env=BUFFERED | ({} if buffered else {"PYTHONUNBUFFERED": "1"}),
        timeout=60,
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert (folder / "net.json").read_bytes() == (folder / "alone.json").read_bytes()


@pytest.mark.parametrize("arguments", ["predict net.json test-images --scale 1", "info", "--help"])
def test_a_pipe_that_nobody_reads_ends_the_program_quietly(folder, arguments):
    fastnet.Network([20, 3], seed=1).save("net.json")
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [*MODULE, *arguments.split()],
        stdout=write,
        stderr=subprocess.PIPE,
        env=BUFFERED,
        timeout=60,
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_without_a_standard_output_nothing_is_printed_and_nothing_fails(folder):
    ended = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *MODULE, "train", *FILES, "--save", "net.json"],
        stderr=subprocess.PIPE,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert fastnet.load("net.json").sizes == [20, 30, 3]


# ---- Ctrl-C


def interrupted(*arguments, until):
    """(status, standard output, standard error) of a training that gets SIGINT after a line."""
    process = subprocess.Popen(
        [*MODULE, "train", *FILES, "--epochs", "100000000", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    lines = []
    while not lines or not re.match(until, lines[-1]):
        lines.append(process.stdout.readline())
        assert lines[-1]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, "".join(lines) + out, err


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_ends_a_training_with_a_summary_and_the_network_saved(folder):
    status, out, err = interrupted("--save", "net.json", until=r"Epoch +3 ")
    assert status == 130
    ended = re.fullmatch(r"fastnet: interrupted after (\d+) of 100000000 epochs\n", err)
    printed = [int(n) for n in re.findall(r"^Epoch .*: (\d+) / 30$", out, re.MULTILINE)]
    assert int(ended[1]) >= len(printed) >= 3  # of quick epochs not each is printed
    best = re.search(r"^Best test accuracy:  (\S+)% \(epoch (\d+)\)$", out, re.MULTILINE)
    assert float(best[1]) >= round(100 * max(printed) / 30, 2)
    assert 1 <= int(best[2]) <= int(ended[1])
    assert re.search(r"^Final test accuracy: \d+\.\d\d%$", out, re.MULTILINE)
    assert "Training time: " in out
    assert out.endswith("Saved to net.json\n")
    assert fastnet.load("net.json").sizes == [20, 30, 3]
    start = fastnet.Network([20, 30, 3], seed=0)
    start.large_weight_initializer()
    assert fastnet.load("net.json") != start


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_draws_the_curves_of_the_epochs_before_it(folder):
    status, out, err = interrupted("--plot", "curves.png", until=r"Epoch +2 ")
    assert (status, err.count("\n")) == (130, 1)
    assert out.endswith("Curves drawn in curves.png\n")
    assert pathlib.Path("curves.png").read_bytes().startswith(b"\x89PNG")


def test_ctrl_c_before_the_first_epoch_ends_saves_the_network_and_draws_nothing(
    folder, capsys, monkeypatch
):
    def stopped(self, *_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(fastnet.Network, "SGD", stopped)
    with pytest.raises(SystemExit, match=r"^130$"):
        main(["train", *FILES, "--save", "net.json", "--plot", "curves.png"])
    printed = capsys.readouterr()
    assert printed.err == "fastnet: interrupted after 0 of 30 epochs\n"
    assert printed.out.splitlines()[1:] == ["Saved to net.json"]
    assert not pathlib.Path("curves.png").exists()


def test_a_second_ctrl_c_ends_the_program_at_once(folder, capsys, monkeypatch):
    def stopped(self, *_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(fastnet.Network, "SGD", stopped)
    monkeypatch.setattr(fastnet.Network, "save", stopped)
    with pytest.raises(SystemExit, match=r"^130$"):
        main(["train", *FILES, "--save", "net.json"])
    printed = capsys.readouterr()
    assert printed.err == "fastnet: interrupted\n"
    assert len(printed.out.splitlines()) == 1
    assert not pathlib.Path("net.json").exists()
