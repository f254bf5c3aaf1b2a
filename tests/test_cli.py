"""The command line, as a function and as a process."""

import gzip
import itertools
import json
import pathlib
import re
import sys

import numpy as np
import pytest
from command_line import (
    FILES,
    OPTIONS,
    PIXELS,
    data,
    write_files,
    write_idx,
)

import fastnet
import fastnet.cli.train
from fastnet.cli import main
from fastnet.core import _kernels
from fastnet.nn import optimizers


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with small data in it."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    return tmp_path


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
    here = _kernels.plan([784, 30, 10], "float32", 10)["halves_avx512"]
    processor = "avx2 (AVX-512 in halves)" if here else "avx2"
    assert plan_of("784,30,10 --batch 10 --isa avx2", capsys) == [
        f"train [784, 30, 10] float32, {processor}: dense rows, 10 examples, 1 thread",
        "  50000 examples in a pass",
        "  inputs that are zero in all examples of a step are left out if they, and the pads "
        "of the last vector, are more than 106",
        "  the next examples are prefetched",
        "  the gradient is added directly to the parameters (fused update)",
        "  10 examples at once:",
        "    784 x 30: forward by tiles; update by tiles in parts; "
        "prefetch in products of more than 8192 terms",
        "    30 x 10: forward by tiles; error by tiles, 10 examples at once, "
        "prefetch in products of more than 16384 terms; update by tiles in parts; "
        "prefetch in products of more than 16384 terms",
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
        *(
            "[784, 1000, 1000, 10] float64, avx512",
            "compressed rows (masks, density 0.19, by blocks)",
        ),
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
    assert "compressed rows (columns, density 0.3, by lists)" in plain
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
