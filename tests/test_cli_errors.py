"""The command line: wrong options and files, and a checkout that is not built."""

import pathlib
import re
import shutil
import sys

import numpy as np
import pytest
from command_line import FILES, LABELS, MODULE, PIXELS, SCRIPT, run, write_files, write_idx

import fastnet
import fastnet.cli.train
from fastnet.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with small data in it."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    return tmp_path


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
    ("predict net.json", "DATA"),
    ("predict nothing test-images", "MODEL: nothing: No such file"),
    ("predict net.json nothing", "DATA: nothing: No such file"),
    ("predict test-images test-images", "MODEL: test-images: expected"),
    ("predict deep test-images", "MODEL: deep: expected"),
    ("predict . test-images", "MODEL: .: Is a directory"),
    ("predict net.json net.json", "DATA: net.json: expected an IDX file"),
    ("predict net.json test-labels", "(30,)"),
    ("predict net.json small --scale 1", "DATA: small: expected 20 pixels"),
    ("predict net.json small", "DATA: small: expected 20 pixels"),
    ("predict net.json test-images", "--scale"),
    ("predict net.json test-images --scale none", "none"),
    ("train --save=", "--save"),
    ("train --train-images=", "--train-images: expected a file, got ''"),
    ("predict net.json none", "DATA: none: expected images"),
    ("predict net.json .", "DATA: .: Is a directory"),
    ("info 3", "3"),
    (
        "predict net.json test-images --scale 1e40",
        "DATA: test-images: expected inputs within the range",
    ),
    ("predict net.json test-images --scale 1e308", "--scale: expected finite products"),
    ("predict net.json not-finite", "DATA: not-finite: expected finite numbers"),
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
        ("train-images", "--train-labels: expected a file with --train-images"),
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
