"""``fastnet train --checkpoint`` and ``--resume``."""

from pathlib import Path

import pytest
from command_line import FILES, write_files

import fastnet
from fastnet.cli import main
from fastnet.core import files


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files.os, "fsync", lambda number: None)
    write_files(tmp_path)


def run(capsys, *arguments):
    assert main(["train", *arguments]) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["train", *arguments])
    assert ended.value.code
    return capsys.readouterr().err


IMAGES = [*FILES, "--hidden", "5"]
CHECKPOINT = ["--checkpoint", "run.npz"]


def test_a_training_on_images_goes_on_where_it_stopped(capsys):
    run(capsys, *IMAGES, "--epochs", "6", "--save", "whole.json")
    run(capsys, *IMAGES, "--epochs", "2", *CHECKPOINT)
    printed = run(capsys, *IMAGES, "--epochs", "6", *CHECKPOINT, "--resume", "--save", "net.json")
    lines = printed.splitlines()
    assert lines[1] == "Resumed from run.npz after epoch 2"
    assert [line[:11] for line in lines[2:6]] == [f"Epoch {n} / 6" for n in (3, 4, 5, 6)]
    assert fastnet.load("net.json") == fastnet.load("whole.json")
    complete = run(capsys, *IMAGES, "--epochs", "6", *CHECKPOINT, "--resume")
    assert "; 0 examples per second" in complete
    assert "Final test accuracy" in complete


def table():
    rows = "".join(f"{n % 7},{n % 5},{(n % 7) * (n % 5)}\n" for n in range(70))
    Path("table.csv").write_text(f"a,b,product\n{rows}")


def test_a_training_on_a_table_goes_on_with_scaled_targets(capsys):
    table()
    options = ["table.csv", "--task", "regression", "--seed", "3"]
    run(capsys, *options, "--epochs", "9", "--save", "whole.json")
    run(capsys, *options, "--epochs", "4", *CHECKPOINT)
    printed = run(capsys, *options, "--epochs", "9", *CHECKPOINT, "--resume", "--save", "net.json")
    assert "Trained 9 epochs (4 of them earlier) in " in printed
    assert fastnet.load("net.json") == fastnet.load("whole.json")


def test_errors_name_the_options(capsys):
    run(capsys, *IMAGES, "--epochs", "2", *CHECKPOINT)
    resume = [*CHECKPOINT, "--resume"]
    assert "--checkpoint: expected run.npz to be a checkpoint of the same training, got one that " \
        "differs: eta: the checkpoint has 0.5, this call 0.25" \
        in refused(capsys, *IMAGES, "--eta", "0.25", "--epochs", "2", *resume)  # fmt: skip
    assert "--epochs: expected at least the 2 complete epochs of run.npz, got 1" \
        in refused(capsys, *IMAGES, "--epochs", "1", *resume)  # fmt: skip
    assert "--resume: expected --checkpoint FILE.npz with it, got none" \
        in refused(capsys, *IMAGES, "--resume")  # fmt: skip
    assert "--checkpoint: expected a name that ends in .npz" \
        in refused(capsys, *IMAGES, "--checkpoint", "run.pt")  # fmt: skip
    assert "--checkpoint: expected a file that can be written, got [Errno 2] No such file or " \
        "directory: 'missing/run.npz'" \
        in refused(capsys, *IMAGES, "--checkpoint", "missing/run.npz")  # fmt: skip
    for file in ("run.npz", "./run.npz"):
        assert f"--save: expected another file than --checkpoint, got '{file}'" \
            in refused(capsys, *IMAGES, *CHECKPOINT, "--save", file)  # fmt: skip
    table()
    assert "table.csv" not in refused(capsys, "table.csv", "--checkpoint", "run.pt")
