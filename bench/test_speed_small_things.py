"""The overhead of a run: start, memory, calls, allocations."""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import data
import pytest
from conftest import QUICK
from peers import PEERS

import fastnet

HERE = Path(__file__).parent
CHILD = [sys.executable, "-P", str(HERE / "child.py")]
# -P: the fastnet that is installed, not the sources in the current folder
PYTHON = [sys.executable, "-P"]
RUNS = 1 if QUICK else 3
EPOCHS = 30

FASTNET = pytest.mark.parametrize("entry", PEERS[:1], ids=lambda entry: entry.name)


def child(*arguments, **variables):
    """What child.py prints, read from its JSON."""
    result = subprocess.run(
        [*CHILD, *arguments],
        env=os.environ | variables, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(result.stdout)


@FASTNET
def test_command(entry, benchmark, measure):
    """`fastnet train`, from start to exit: seconds, and memory above NumPy's import."""
    command = [*PYTHON, "-m", "fastnet", "train", "--epochs", str(EPOCHS)]
    runs = []
    job = f"fastnet train, {EPOCHS} epochs"
    # child.py's own start is left out: what it measured replaces the time of the call
    measure(job, entry, lambda: runs.append(child("run", *command)), rounds=RUNS)
    training = [float(re.search(r"Training time: ([\d.]+) s", r["output"])[1]) for r in runs]
    final = float(re.search(r"Final test accuracy: ([\d.]+)%", runs[0]["output"])[1])
    assert final > 94
    bare = [child("run", *PYTHON, "-c", "import numpy")["memory"] for _ in range(RUNS)]
    loaded = sum(part.X.nbytes for part in fastnet.load_mnist())
    benchmark.extra_info.update(
        seconds=statistics.median(r["seconds"] for r in runs),
        training_seconds=statistics.median(training),
        memory=statistics.median(r["memory"] for r in runs) - statistics.median(bare),
        pixel_bytes=loaded,
    )


@FASTNET
def test_call_of_zero_epochs(entry, measure):
    training, _ = data.digits()
    net = fastnet.Network([784, 30, 10], seed=0)
    before = net.weights[0].copy()
    measure("SGD of zero epochs", entry,
            lambda: net.SGD(training.dataset, 0, 10, 0.5, verbose=False))  # fmt: skip
    assert (net.weights[0] == before).all()


@FASTNET
def test_allocations(entry, benchmark, measure, tmp_path):
    """As many in an epoch of 5,000 mini-batches as in one of 50: none in a mini-batch."""
    if sys.platform != "linux" or not shutil.which("cc"):
        pytest.skip("counting allocations needs Linux, glibc and a C compiler (cc)")
    library = str(tmp_path / "count_allocations.so")
    source = str(HERE / "count_allocations.c")
    built = subprocess.run(["cc", "-O1", "-shared", "-fPIC", source, "-o", library], check=False)
    if built.returncode:
        pytest.skip("cc could not build count_allocations.c")
    counts = []
    measure("counting allocations", entry,
            lambda: counts.append(child("allocations", LD_PRELOAD=library)),
            rounds=1, timed=False)  # fmt: skip
    few, many = counts[0]["50"], counts[0]["5000"]
    assert few > 0
    benchmark.extra_info.update(few_batches=few, many_batches=many)
