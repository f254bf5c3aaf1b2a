"""Shared by the benchmarks: cores, peers, trained networks, and the timing of a call."""

import machine

machine.restrict()  # before NumPy and the peers are imported

import os  # noqa: E402
import platform  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402

import data  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from jobs import BOOK_30, BOOK_100  # noqa: E402
from peers import PEERS  # noqa: E402
from peers.base import Problem  # noqa: E402

import fastnet  # noqa: E402
from fastnet.core import _kernels  # noqa: E402

QUICK = os.environ.get("FASTNET_BENCH_QUICK", "0") not in ("", "0")
MOST_ROUNDS = 2 if QUICK else 7
FEWEST_ROUNDS = 1 if QUICK else 3
SECONDS_PER_BENCHMARK = 0.1 if QUICK else 2.0
SECONDS_PER_ROUND = 0.001 if QUICK else 0.01


def environment():
    """The conditions of a measurement, for `extra_info`."""
    return {
        "processor": machine.processor(),
        "isa": _kernels.isa(),
        "threads": machine.THREADS,
        "fastnet": fastnet.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_generate_machine_info():
    """Replaces the plugin's function, which starts processes to identify the processor."""
    return {
        "node": platform.node(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "python_version": platform.python_version(),
        "cpu": {"brand_raw": machine.processor()},
        "columns": [entry.name for entry in PEERS],
        "absent": sorted({reason for entry in PEERS if (reason := entry.absence())}),
    }


@pytest.fixture(params=PEERS, ids=lambda entry: entry.name)
def peer(request):
    """Each peer's entry in turn; one that is not installed is skipped by name."""
    absence = request.param.absence()
    if absence:
        pytest.skip(absence)
    return request.param


@pytest.fixture(scope="session")
def trained_problem():
    """A function of the hidden neurons: the book's `Problem`, after two epochs."""
    made = {}

    def make(hidden):
        if hidden not in made:
            start = data.problem({30: BOOK_30, 100: BOOK_100}[hidden])
            teacher = PEERS[0].load()(start)
            teacher.epoch()
            teacher.epoch()
            weights, biases = ([array.copy() for array in kind] for kind in teacher.parameters())
            made[hidden] = Problem(start.sizes, weights, biases, start.training, start.test)
        return made[hidden]

    return make


def seconds(function):
    """The time of one call."""
    before = time.perf_counter()
    function()
    return time.perf_counter() - before


@pytest.fixture
def measure(benchmark):
    """Time a function; rounds and calls per round follow from how long a first call takes.

    The function of this fixture takes the `job` (a row of the table), the
    `entry` of the peer (a column), the function to call, and the `part` of the
    job that one call does. The first calls warm up and are not counted.
    `peak_dtype` asks for the core's peak in that type, measured before and
    after, so that the two see the same clock. With `rounds` there are as many,
    of one call each, and nothing warms up. Other words are kept beside the
    figures.
    """

    def run(job, entry, function, part=1.0, peak_dtype=None, rounds=None, **facts):
        iterations = 1
        if rounds is None:
            first = seconds(function)
            once = first if first > 0.1 else min(seconds(function) for _ in range(3))
            rounds = min(max(int(SECONDS_PER_BENCHMARK / once), FEWEST_ROUNDS), MOST_ROUNDS)
            iterations = max(1, int(SECONDS_PER_ROUND / once))
        benchmark.group = job if part == 1 else f"{job}: {part:.4g} of it in a call"
        benchmark.extra_info.update(environment())
        benchmark.extra_info.update(
            job=job,
            part=part,
            peer=entry.name,
            library=entry.library,
            peer_version=entry.version(),
            **facts,
        )
        peaks = machine.peak_samples(peak_dtype) if peak_dtype else []
        benchmark.pedantic(function, rounds=rounds, iterations=iterations)
        if peak_dtype:
            peaks += machine.peak_samples(peak_dtype)
            benchmark.extra_info.update(peak=statistics.median(peaks), peak_dtype=peak_dtype)

    return run
