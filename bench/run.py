"""Run all benchmarks, each run in a separate process, and store the results.

    python bench/run.py results            # writes results/*.json, for table.py
    python bench/run.py results -k digits  # other words go to pytest

One run has one core and one thread; one has two of each, for large layers; and
where the best instruction set is not AVX2, one has fastnet alone with that.
"""

import os
import subprocess
import sys
from pathlib import Path

import machine

from fastnet.core import _kernels

HERE = Path(__file__).parent
NO_TESTS = 5  # pytest's exit status where a selection leaves none
MAIN_JOBS = ["test_speed_epoch.py", "test_speed_evaluation.py", "test_speed_latency.py"]


def run(json, files, words, **variables):
    """One run of pytest on the files of this folder."""
    print(f"== {json.stem}", flush=True)
    # -P: the fastnet that is installed, not the sources in the current folder
    command = [sys.executable, "-P", "-m", "pytest", "-c", str(HERE / "pytest.ini")]
    command += [
        *(str(HERE / file) for file in files),
        "--benchmark-only",
        "--benchmark-quiet",
        "-q",
    ]
    command += [f"--benchmark-json={json}", *words]
    status = subprocess.run(command, env=os.environ | variables, check=False).returncode
    if status == NO_TESTS:
        json.unlink(missing_ok=True)
    elif status:
        sys.exit(f"run.py: the benchmarks failed (pytest's exit status is {status})")


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: run.py FOLDER [words for pytest]")
    folder, words = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    run(folder / "1-one-core.json", [""], words)
    if machine.cores() > 1:
        epoch = ["test_speed_epoch.py"]
        run(folder / "2-two-threads.json", epoch, words, FASTNET_BENCH_THREADS="2")
    if "avx2" in _kernels.available() and _kernels.isa() != "avx2":
        alone = words or ["-k", "fastnet"]
        run(folder / "3-avx2.json", MAIN_JOBS, alone, FASTNET_ISA="avx2")


if __name__ == "__main__":
    main()
