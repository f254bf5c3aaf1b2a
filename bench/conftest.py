"""What the benchmarks share: one core, the digits, the peers, and how to time a call."""

import machine

machine.restrict_to_one_core()  # before NumPy and the peers are imported

import os  # noqa: E402
import platform  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from peers import PEERS  # noqa: E402
from peers.base import Digits, Problem  # noqa: E402

import fastnet  # noqa: E402
from fastnet import _kernels  # noqa: E402

QUICK = os.environ.get("FASTNET_BENCH_QUICK", "0") not in ("", "0")
MOST_ROUNDS = 2 if QUICK else 7
FEWEST_ROUNDS = 1 if QUICK else 3
SECONDS_PER_BENCHMARK = 1.0 if QUICK else 2.0
SECONDS_PER_ROUND = 0.001 if QUICK else 0.01


def environment():
    """What every figure depends on, for `extra_info`."""
    return {
        "processor": machine.processor(),
        "isa": _kernels.isa(),
        "threads": 1,
        "fastnet": fastnet.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_generate_machine_info():
    """Replace the plugin's description, which starts processes to find out the processor."""
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
def digits():
    """The bundled digits: `(training, test)`."""
    training, _, test = fastnet.load_mnist()
    return Digits(training), Digits(test)


@pytest.fixture(scope="session")
def problem(digits):
    """A function of the number of hidden neurons: the `Problem` with large initial weights."""

    def make(hidden):
        sizes = [784, hidden, 10]
        generator = np.random.default_rng(1)
        shapes = list(zip(sizes[1:], sizes, strict=False))
        weights = [generator.standard_normal(shape, np.float32) for shape in shapes]
        biases = [generator.standard_normal((n_out, 1), np.float32) for n_out, _ in shapes]
        return Problem(sizes, weights, biases, *digits)

    return make


@pytest.fixture(scope="session")
def trained_problem(problem):
    """Like `problem`, after two epochs: something worth evaluating."""
    made = {}

    def make(hidden):
        if hidden not in made:
            start = problem(hidden)
            teacher = PEERS[0].load()(start)
            teacher.epoch()
            teacher.epoch()
            weights, biases = ([array.copy() for array in kind] for kind in teacher.parameters())
            made[hidden] = Problem(start.sizes, weights, biases, start.training, start.test)
        return made[hidden]

    return make


def seconds(function):
    """How long one call takes now."""
    before = time.perf_counter()
    function()
    return time.perf_counter() - before


@pytest.fixture
def measure(benchmark):
    """Time a function; rounds and calls per round follow from how long a first call takes.

    The function of this fixture takes the `job` (a row of the table), the
    `entry` of the peer (a column), the function to call, and the `part` of the
    job that one call does. The first calls warm up and are not counted.
    """

    def run(job, entry, function, part=1.0):
        first = seconds(function)
        once = first if first > 0.1 else min(seconds(function) for _ in range(3))
        rounds = int(SECONDS_PER_BENCHMARK / once)
        benchmark.group = job if part == 1 else f"{job}: {part:.0%} of it"
        benchmark.extra_info.update(environment())
        benchmark.extra_info.update(
            job=job,
            part=part,
            peer=entry.name,
            library=entry.library,
            peer_version=entry.version(),
        )
        benchmark.pedantic(
            function,
            rounds=min(max(rounds, FEWEST_ROUNDS), MOST_ROUNDS),
            iterations=max(1, int(SECONDS_PER_ROUND / once)),
        )

    return run
