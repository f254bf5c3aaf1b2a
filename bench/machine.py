"""The machine that the benchmarks run on: its cores and threads, its name, its peak.

`restrict` has to be called before NumPy, JAX or PyTorch are imported, because
their thread pools take their size when they are loaded. This module therefore
imports nothing but the standard library at its top.
"""

import os
import platform
import statistics
import time
from pathlib import Path

THREADS = int(os.environ.get("FASTNET_BENCH_THREADS", "1"))
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
SECONDS_PER_PEAK = 0.004


def restrict():
    """Set the number of threads of every library to `THREADS`, and pin the process to as many cores
    if the platform allows that.

    The cores are the highest-numbered ones that the process may use: the lowest
    usually serves the interrupts.
    """
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(THREADS)))
    os.environ["JAX_PLATFORMS"] = "cpu"
    if THREADS == 1:
        os.environ["XLA_FLAGS"] = (
            "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        )
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-THREADS:])


def cores():
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def processor():
    """The processor's name as the operating system gives it.

    Returns
    -------
    str
        For example "AMD EPYC 9B14"; the architecture, such as "aarch64", where
        the system gives no name.
    """
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def peak_samples(dtype, samples=7):
    """Multiply-adds of one core in the instruction set in use, in operations per second.

    Each sample takes a few milliseconds; a multiply-add is two operations.
    """
    from fastnet.core import _kernels

    def seconds(rounds):
        before = time.perf_counter()
        operations = _kernels.fma_rounds(dtype, rounds)
        return time.perf_counter() - before, operations

    seconds(10_000)
    rounds = int(100_000 * SECONDS_PER_PEAK / seconds(100_000)[0]) + 1
    timed = [seconds(rounds) for _ in range(samples)]
    return [operations / taken for taken, operations in timed]


def peak(dtype, samples=7):
    """The median of `peak_samples`."""
    return statistics.median(peak_samples(dtype, samples))
