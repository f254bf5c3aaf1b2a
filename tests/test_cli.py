"""The command line, as a function and as a process."""

import gzip
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig

import numpy as np
import pytest

import fastnet
import fastnet.cli.train
from fastnet.cli import main
from fastnet.core import _kernels
from fastnet.nn import optimizers

SCRIPT = [str(pathlib.Path(sysconfig.get_path("scripts")) / "fastnet")]
MODULE = [sys.executable, "-m", "fastnet"]
RANDOM = np.random.default_rng(5)
# 3 classes in 5 x 4 pixels: the class is where it is bright
LABELS = np.arange(90, dtype=np.uint8) % 3
PIXELS = RANDOM.integers(100, size=(90, 5, 4)).astype(np.uint8)
PIXELS[np.arange(90), LABELS] += 150


def write_idx(path, array):
    code = {"uint8": 8, "int16": 11, "float32": 13}[array.dtype.name]
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    path.write_bytes(head + array.astype(array.dtype.newbyteorder(">")).tobytes())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with small data in it."""
    monkeypatch.chdir(tmp_path)
    write_idx(tmp_path / "train-images", PIXELS[:60])
    write_idx(tmp_path / "train-labels", LABELS[:60])
    write_idx(tmp_path / "test-images", PIXELS[60:])
    write_idx(tmp_path / "test-labels", LABELS[60:])
    return tmp_path


FILES = [
    word for name in ("train-images", "train-labels", "test-images", "test-labels")
    for word in (f"--{name}", name)
]  # fmt: skip
OPTIONS = [
    "--hidden", "12", "6", "--cost", "quadratic", "--output", "sigmoid", "--epochs", "8",
    "--mini-batch-size", "3", "--eta", "3", "--lmbda", "0.05", "--seed", "12",
    "--dtype", "float64", "--initializer", "default",
]  # fmt: skip


def data():
    """What the files hold: (training, test)."""
    both = fastnet.Dataset(PIXELS.reshape(90, 20), LABELS, 1 / 256)
    return both[:60], both[60:]


def run(command, *arguments, **options):
    environment = {**os.environ, "PYTHONWARNINGS": "error", **options.pop("env", {})}
    return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True,
                          timeout=60, **options)  # fmt: skip


# ---- train


def test_train_does_with_every_option_what_python_does(folder, capsys):
    assert main(["train", *FILES, *OPTIONS, "--save", "net.json"]) == 0
    printed = capsys.readouterr()
    training, test = data()
    net = fastnet.Network([20, 12, 6, 3], "quadratic", output="sigmoid", dtype="float64", seed=12)
    history = net.SGD(
        training, 8, 3, 3.0, 0.05, evaluation_data=test, monitor_evaluation_accuracy=True
    )
    epochs = capsys.readouterr().out
    assert epochs.count("Epoch") == 8
    assert epochs in printed.out
    assert printed.err == ""
    saved = fastnet.load("net.json")
    assert saved == net
    assert saved.input_scale == 1 / 256
    assert len(set(history.evaluation_accuracy)) > 1


def test_train_takes_the_techniques_as_python_does(folder, capsys):
    options = [
        "--neurons", "tanh", "--l1", "0.01", "--dropout", "0.1", "--optimizer", "nesterov",
        "--eta", "0.1", "--hidden", "12", "--epochs", "2",
    ]  # fmt: skip
    assert main(["train", *FILES, *options, "--save", "net.json"]) == 0
    net = fastnet.Network([20, 12, 3], seed=0, hidden="tanh")
    arguments = {"l1": 0.01, "dropout": 0.1, "optimizer": fastnet.Momentum(0.9, nesterov=True)}
    net.SGD(data()[0], 2, 10, 0.1, verbose=False, **arguments)
    assert fastnet.load("net.json") == net
    assert "tanh neurons" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "eta"), [(name, one.usual_eta) for name, one in optimizers.USUAL.items()]
)
def test_train_takes_a_rate_that_suits_the_optimizer_unless_it_is_told_one(folder, name, eta):
    for options in ([], ["--eta", str(eta)], ["--eta", "0.5"]):
        arguments = [
            "--optimizer",
            name,
            *options,
            "--epochs",
            "1",
            "--save",
            f"{len(options)}.json",
        ]
        assert main(["train", *FILES, *arguments]) == 0
        net = fastnet.load(f"{len(options)}.json")
        if options == []:
            chosen = net
        assert (net == chosen) == (options[1:] != ["0.5"])


def test_train_uses_large_weights_when_told_so(folder, capsys):
    assert main(["train", *FILES, "--epochs", "0", "--initializer", "large", "--seed", "4",
                 "--save", "net.json"]) == 0  # fmt: skip
    net = fastnet.Network([20, 30, 3], seed=4)
    net.large_weight_initializer()
    assert fastnet.load("net.json") == net


@pytest.mark.parametrize("name", ["default", "glorot", "he"])
def test_train_starts_with_the_initializer_that_it_is_told(folder, capsys, name):
    assert main(["train", *FILES, "--epochs", "0", "--initializer", name, "--seed", "4",
                 "--save", "net.json"]) == 0  # fmt: skip
    assert fastnet.load("net.json") == fastnet.Network([20, 30, 3], seed=4, initializer=name)


def test_without_hidden_sizes_there_is_no_hidden_layer(folder, capsys):
    assert main(["train", *FILES, "--epochs", "1", "--save", "net.json", "--hidden"]) == 0
    assert fastnet.load("net.json").sizes == [20, 3]


def test_train_prints_a_line_per_epoch_then_best_final_time_and_speed(folder, capsys):
    assert main(["train", *FILES, *OPTIONS, "--epochs", "12"]) == 0
    out = capsys.readouterr().out
    assert "60 training examples, 30 test examples" in out
    counts = [int(n) for n in re.findall(r"^Epoch +\d+ / 12 .*: (\d+) / 30$", out, re.MULTILINE)]
    assert len(counts) == 12
    best = re.search(r"Best test accuracy: +(\S+)% \(epoch (\d+)\)", out)
    assert float(best[1]) == pytest.approx(100 * max(counts) / 30, abs=0.005)
    assert int(best[2]) == counts.index(max(counts)) + 1
    final = re.search(r"Final test accuracy: +(\S+)%", out)
    assert float(final[1]) == pytest.approx(100 * counts[-1] / 30, abs=0.005)
    assert re.search(r"Training time: \d+\.\d\d s.* [\d,]+ examples per second", out)


def test_speed_is_the_training_examples_of_all_epochs_per_second(folder, capsys, monkeypatch):
    ticks = itertools.count(100, 2.5)
    monkeypatch.setattr(fastnet.cli.train.time, "perf_counter", lambda: next(ticks))
    assert main(["train", *FILES, *OPTIONS, "--epochs", "1250"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("Training time: 2.50 s, ")
    assert last.endswith(" 30,000 examples per second")  # 1250 * 60 / 2.5


def test_the_defaults_are_the_texts_experiment(capsys, tmp_path):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["train", "--help"])
    options = capsys.readouterr().out
    assert re.search(r"--epochs N .*?\(default: 30\)", options, re.DOTALL)
    seed = int(re.search(r"--seed N .*?\(default: (\d+)\)", options, re.DOTALL)[1])

    assert main(["train", "--epochs", "1", "--save", str(tmp_path / "net.json")]) == 0
    assert "50000 training examples, 10000 test examples" in capsys.readouterr().out
    training, _, _ = fastnet.load_mnist()
    net = fastnet.Network([784, 30, 10], fastnet.CrossEntropyCost, seed=seed)
    net.large_weight_initializer()
    net.SGD(training, 1, 10, 0.5, verbose=False)
    assert fastnet.load(tmp_path / "net.json") == net


# ---- predict and info


@pytest.mark.parametrize("compressed", [False, True])
def test_predict_prints_the_digits_that_python_finds(folder, capsys, compressed):
    main(["train", *FILES, *OPTIONS, "--save", "net.json"])
    capsys.readouterr()
    images = "test-images"
    if compressed:
        images += ".gz"
        pathlib.Path(images).write_bytes(gzip.compress(pathlib.Path("test-images").read_bytes()))
    assert main(["predict", "net.json", images]) == 0
    digits = [int(line) for line in capsys.readouterr().out.splitlines()]
    assert digits == fastnet.load("net.json").feedforward(data()[1]).argmax(axis=1).tolist()
    assert len(set(digits)) > 1


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_predict_scales_images_of_every_type_as_train_did(folder, capsys, dtype):
    for name, images in (("train-images", PIXELS[:60]), ("test-images", PIXELS[60:])):
        write_idx(folder / name, images.astype(dtype))
    assert main(["train", *FILES, *OPTIONS, "--save", "net.json"]) == 0
    capsys.readouterr()
    assert main(["predict", "net.json", "test-images"]) == 0
    digits = [int(line) for line in capsys.readouterr().out.splitlines()]
    assert digits == fastnet.load("net.json").feedforward(data()[1]).argmax(axis=1).tolist()
    assert len(set(digits)) > 1


def test_predict_says_1_where_one_output_is_just_a_half(folder, capsys):
    net = fastnet.Network([20, 1], "quadratic")
    net.weights[0], net.biases[0] = np.zeros((1, 20)), [[0.0]]
    net.save("net.json")
    assert main(["predict", "net.json", "test-images", "--scale", "1"]) == 0
    assert set(capsys.readouterr().out.split()) == {"1"}


def test_predict_takes_the_scale_from_the_model_file(folder, capsys):
    net = fastnet.Network([20, 1], "quadratic", output="linear", dtype="float64")
    net.weights[0], net.biases[0] = np.full((1, 20), 1 / 20), [[0.0]]  # the mean of the pixels
    net.save("net.json")
    fields = json.loads(pathlib.Path("net.json").read_text())
    means = PIXELS[60:].reshape(30, 20).mean(axis=1)
    half = 0.5 / np.median(means)
    for scale, expected in ((half, means * half >= 0.5), (1.0, means > 0), (0, means < 0)):
        pathlib.Path("net.json").write_text(json.dumps({**fields, "input_scale": scale}))
        assert main(["predict", "net.json", "test-images"]) == 0
        digits = [int(line) for line in capsys.readouterr().out.splitlines()]
        assert digits == expected.astype(int).tolist()


def plan_of(arguments, capsys):
    assert main(["info", "--plan", *arguments.split()]) == 0
    return capsys.readouterr().out.splitlines()


def test_info_prints_the_plan_of_a_training_in_words(capsys):
    assert plan_of("784,30,10 --batch 10 --isa avx2", capsys) == [
        "train [784, 30, 10] float32, avx2: dense rows, 10 examples, 1 thread",
        "  inputs that are zero in all examples of a step are left out",
        "  the next examples are prefetched",
        "  the gradient is added directly to the parameters (fused update)",
        "  10 examples at once:",
        "    784 x 30: forward by tiles; update by tiles in parts",
        "    30 x 10: forward by tiles; error by tiles, 10 examples at once; "
        "update by tiles in parts",
    ]


def test_info_prints_the_plan_of_the_smaller_last_mini_batch_too(capsys):
    lines = plan_of("784,30,10 --batch 64 --examples 100", capsys)
    assert [line for line in lines if line.endswith(" at once:")] == [
        "  64 examples at once:",
        "  36 examples at once:",
    ]


def test_the_options_of_info_reach_the_plan(capsys):
    text = "\n".join(
        plan_of(
            "784,1000,1000,10 --batch 256 --dtype float64 --density 0.19 --neurons gelu "
            "--threads 2 --optimizer adam --lmbda 1 --isa avx512",
            capsys,
        )
    )
    for words in (
        *("[784, 1000, 1000, 10] float64, avx512", "sparse rows (masks, density 0.19, by blocks)"),
        *(
            "2 threads",
            "collected gradient",
            "slopes kept",
            "large tiles, threads share the neurons",
        ),
    ):
        assert words in text
    plain = "\n".join(plan_of("20,10,2 --lmbda 1 --form columns --density 0.3", capsys))
    assert "lazy decay" in plain
    assert "sparse rows (columns, density 0.3, by lists)" in plain
    assert "lazy decay" not in "\n".join(plan_of("20,10,2 --lmbda 1 --l1 1", capsys))
    assert "slopes kept" in "\n".join(plan_of("20,10,2 --dropout 0.5", capsys))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--batch 3", "--batch: expected --plan with it, got none"),
        ("--plan 3", "--plan: expected layers' sizes, as in 784,30,10, got '3'"),
        ("--plan 3,x", "--plan: expected layers' sizes, as in 784,30,10, got '3,x'"),
        ("--plan 3,0", "--plan: expected layers' sizes, as in 784,30,10, got '3,0'"),
        ("--plan 3,2 --batch 0", "--batch: expected 1 or more, got 0"),
        ("--plan 3,2 --examples 0", "--examples: expected 1 or more, got 0"),
        ("--plan 3,2 --threads 0", "--threads: expected 1 or more, got 0"),
        ("--plan 3,2 --density 2", "--density: expected a number from 0 to 1, got 2.0"),
        ("--plan 3,2 --dropout -1", "--dropout: expected a number from 0 to 1, got -1.0"),
        ("--plan 3,2 --lmbda nan", "--lmbda: expected 0 or more, got nan"),
    ],
)
def test_info_refuses_what_it_cannot_plan_in_one_line(arguments, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["info", *arguments.split()])
    assert stopped.value.code == 2
    assert capsys.readouterr() == ("", f"fastnet info: error: {words}\n")


def test_info_is_show_config(capsys):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    fastnet.show_config()
    assert capsys.readouterr().out == out
    for word in (fastnet.__version__, np.__version__, _kernels.isa(), *_kernels.available(),
                 sys.version.split()[0], _kernels.compiler()):  # fmt: skip
        assert word in out


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert capsys.readouterr().out == f"fastnet {fastnet.__version__}\n"


# ---- as a process


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


# ---- wrong options and files


def test_without_a_command_the_help_is_printed(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--help"])
    expected = capsys.readouterr()
    assert main([]) == 0
    assert capsys.readouterr() == expected
    assert expected.out.startswith("usage: fastnet")


WRONG = [
    ("fly", "fly"),
    ("train --epoches 3", "--epoches"),
    ("train --epoch 3", "--epoch"),
    ("--vers info", "--vers"),
    ("train 3", "3"),
    ("train --epochs 1.5", "--epochs"),
    ("train --epochs -1", "--epochs: expected 0 or more, got -1"),
    ("train --hidden 0", "--hidden: expected"),
    ("train --hidden x", "--hidden"),
    ("train --hidden 99999999999", "--hidden: expected"),
    ("train --hidden 3000000 3000000", "--hidden: "),
    ("train --cost mse", "mse"),
    ("train --output relu", "relu"),
    ("train --cost log-likelihood --output linear", "--output: linear does not go"),
    ("train --mini-batch-size 0", "--mini-batch-size: expected"),
    ("train --eta nan", "--eta: expected"),
    ("train --eta -1", "--eta: expected"),
    ("train --eta x", "--eta"),
    ("train --lmbda inf", "--lmbda: expected"),
    ("train --neurons elu", "elu"),
    ("train --l1 -1", "--l1: expected"),
    ("train --dropout 1", "--dropout: expected"),
    ("train --optimizer sgd", "sgd"),
    ("train --shift 28", "--shift: expected"),
    ("train --seed -1", "--seed: expected"),
    ("train --dtype float16", "float16"),
    ("train --initializer tiny", "tiny"),
    ("train --eta 1e38 --epochs 3 --cost quadratic --output linear", "diverged in epoch 1"),
    (
        "train --save nowhere/net.json",
        "--save: expected a file that can be written, got [Errno 2] No such file or directory: "
        "'nowhere/net.json'",
    ),
    ("train --save .", "--save"),
    ("train --save", "--save"),
    ("predict", "MODEL"),
    ("predict net.json", "IMAGES"),
    ("predict nothing test-images", "MODEL: nothing: No such file"),
    ("predict net.json nothing", "IMAGES: nothing: No such file"),
    ("predict test-images test-images", "MODEL: test-images: expected"),
    ("predict deep test-images", "MODEL: deep: expected"),
    ("predict . test-images", "MODEL: .: Is a directory"),
    ("predict net.json net.json", "IMAGES: net.json: expected an IDX file"),
    ("predict net.json test-labels", "(30,)"),
    ("predict net.json small --scale 1", "IMAGES: small: expected 20 pixels"),
    ("predict net.json small", "IMAGES: small: expected 20 pixels"),
    ("predict net.json test-images", "--scale"),
    ("predict net.json test-images --scale none", "none"),
    ("train --save=", "--save"),
    ("train --train-images=", "--train-images: expected a file, got ''"),
    ("predict net.json none", "IMAGES: none: expected images"),
    ("predict net.json .", "IMAGES: .: Is a directory"),
    ("info 3", "3"),
    (
        "predict net.json test-images --scale 1e40",
        "IMAGES: test-images: expected inputs within the range",
    ),
    ("predict net.json test-images --scale 1e308", "--scale: expected finite products"),
    ("predict net.json not-finite", "IMAGES: not-finite: expected finite numbers"),
]


@pytest.mark.parametrize(("arguments", "word"), WRONG)
def test_a_wrong_option_or_file_ends_with_one_line_and_status_2(folder, capsys, arguments, word):
    fastnet.Network([20, 3], seed=1).save("net.json")
    write_idx(folder / "small", PIXELS[:, 1:])
    write_idx(folder / "none", PIXELS[:0])
    write_idx(folder / "not-finite", np.full((2, 4, 5), np.nan, np.float32))
    (folder / "deep").write_text("[" * 200_000)
    arguments = arguments.split()
    if arguments[:1] == ["train"]:
        arguments[1:1] = FILES
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert re.fullmatch(r"fastnet[^\n]*: error: [^\n]+\n", err)
    assert word in err


@pytest.mark.parametrize(
    ("which", "word"),
    [
        ("train-images", "--train-labels: expected a file beside --train-images"),
        ("nothing train-labels test-images test-labels", "--train-images: nothing: No such file"),
        (
            "train-labels train-images test-images test-labels",
            "--train-images: train-labels: expected",
        ),
        (
            "train-images test-labels test-images test-labels",
            "--train-labels: test-labels: expected 60",
        ),
        (
            "train-images train-labels small test-labels",
            "--test-images: small: expected images of 20",
        ),
        ("train-images train-labels none none", "--test-images: none: expected images"),
        (
            "train-labels train-labels test-images test-labels",
            "--train-images: train-labels: expected images",
        ),
        ("cut train-labels test-images test-labels", "--train-images: cut: expected"),
        (". train-labels test-images test-labels", "--train-images: .: Is a directory"),
        ("train-images real test-images test-labels", "--train-labels: real: expected labels"),
        ("train-images negative test-images test-labels", "--train-labels: negative: expected"),
        ("train-images train-labels test-images gone", "--test-labels: gone: No such file"),
    ],
)
def test_wrong_data_files_end_with_one_line_that_names_them(folder, capsys, which, word):
    write_idx(folder / "small", PIXELS[60:, 1:])
    write_idx(folder / "none", PIXELS[:0])
    write_idx(folder / "real", LABELS[:60].astype(np.float32))
    write_idx(folder / "negative", -LABELS[:60].astype(np.int16))
    (folder / "cut").write_bytes((folder / "train-images").read_bytes()[:-1])
    arguments = [w for pair in zip(FILES[::2], which.split(), strict=False) for w in pair]
    with pytest.raises(SystemExit) as ended:
        main(["train", *arguments])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert re.fullmatch(r"fastnet[^\n]*: error: [^\n]+\n", err)
    assert word in err


@pytest.mark.parametrize(
    "command", [SCRIPT, MODULE, [sys.executable, "-Im", "fastnet"]], ids=["script", "-m", "-Im"]
)
def test_a_process_ends_so_too_and_an_unknown_instruction_set_is_one_line(folder, command):
    for arguments, env, words in (
        (["train", "--eta", "nan"], {}, ["eta"]),
        (["info"], {"FASTNET_ISA": "sse9"}, ["FASTNET_ISA", "sse9", "expected one of"]),
    ):
        ended = run(command, *arguments, env=env)
        assert ended.returncode == 2
        assert ended.stderr.count("\n") == 1
        assert all(word in ended.stderr for word in words)


# ---- a checkout that is not built


@pytest.mark.skipif(
    pathlib.Path(fastnet.__file__).parents[1] == pathlib.Path(__file__).parents[1],
    reason="an editable install finds its kernels from every folder",
)
def test_a_checkout_that_is_not_built_says_in_one_line_what_builds_it(tmp_path):
    compiled = shutil.ignore_patterns("_kernels*.so", "__pycache__")
    shutil.copytree(pathlib.Path(fastnet.__file__).parent, tmp_path / "fastnet", ignore=compiled)
    imported = run([sys.executable, "-c", "import fastnet"], cwd=tmp_path)
    assert imported.returncode == 1
    assert re.match("ImportError: .*make train.*pip install", imported.stderr.splitlines()[-1])
    for command in (MODULE, [sys.executable, "-um", "fastnet"]):
        ended = run(command, "train", cwd=tmp_path)
        assert ended.returncode == 2
        assert re.fullmatch(r"fastnet: error: [^\n]*make train[^\n]*\n", ended.stderr)
