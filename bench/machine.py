"""The machine that the benchmarks run on: one core, one thread, and its name.

`restrict_to_one_core` has to be called before NumPy, JAX or PyTorch are
imported, because their thread pools take their size when they are loaded.
This module therefore imports nothing but the standard library.
"""

import os
import platform
from pathlib import Path

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}


def restrict_to_one_core():
    """Ask every library for one thread, and stay on one core where the platform can.

    The core is the highest-numbered one that the process may use: the lowest
    usually serves the interrupts.
    """
    os.environ.update(ONE_THREAD)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


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
