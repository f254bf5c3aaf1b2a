"""Changed files of networks and checkpoints, as tools/fuzz_files.py makes them: some thousands of
them here."""

import os
import random
import runpy
from pathlib import Path

import pytest

import fastnet

pytest.importorskip("safetensors", reason="safetensors is not installed")
TOOL = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "fuzz_files.py"))


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [1, 2])
def test_a_changed_file_gives_a_network_or_one_error_that_names_it(tmp_path, monkeypatch, seed):
    monkeypatch.setattr(os, "fsync", lambda file: None)  # takes most of the time
    found = TOOL["run"](tmp_path, seed, count=1500)
    assert sum(found.values()) == 1500
    for kind in (".npz", ".safetensors", ".json", "checkpoint"):  # each way is taken
        for outcome in ("refused", "equal", "other"):
            assert found[f"{kind} {outcome}"] > 0


def test_the_same_seed_gives_the_same_files(tmp_path):
    files = TOOL["sources"](tmp_path)
    contents = [[TOOL["mutant"](draw, files)[0] for _ in range(20)] for draw in
                (random.Random(5), random.Random(5), random.Random(6))]  # fmt: skip
    assert contents[0] == contents[1] != contents[2]


def test_what_must_not_be_accepted_is_noticed(tmp_path, monkeypatch):
    source = next(file for file in TOOL["sources"](tmp_path) if file.name == "small.npz")
    (tmp_path / "net").write_bytes(source.content)
    other = source._replace(net=fastnet.Network([3, 1], seed=2))
    with pytest.raises(AssertionError, match="checksums"):
        TOOL["outcome"](tmp_path / "net", other, False)

    def load(path):
        raise ValueError("an error that does not name the file")

    monkeypatch.setattr(fastnet, "load", load)
    with pytest.raises(AssertionError, match="without the path"):
        TOOL["outcome"](tmp_path / "net", source, False)
