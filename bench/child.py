"""Measurements in separate processes; each command prints one line of JSON.

    python child.py run COMMAND ...      # seconds, peak memory and output of a command
    python child.py allocations          # of epochs of 50 and of 5,000 mini-batches

`run` needs a process without NumPy, because the peak memory that the system reports for a child
includes its parent's until the child's program starts.
`allocations` needs count_allocations.c, compiled, in LD_PRELOAD.
"""

import json
import os
import subprocess
import sys
import time


def run(command):
    """Run a command; returns its time, its peak memory and its output."""
    before = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - before
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command}: exit status {child.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    return {"seconds": seconds, "memory": usage.ru_maxrss * unit, "output": output}


def allocations():
    """The number of allocations in an epoch of 50 mini-batches and in one of 5,000."""
    import ctypes

    import fastnet

    counter = ctypes.CDLL(None).allocations_so_far
    counter.restype = ctypes.c_long
    training, _, _ = fastnet.load_mnist()
    net = fastnet.Network([784, 30, 10], seed=0)
    counts = {}
    for examples in (500, 50_000):
        part = training[:examples]
        for _ in range(3):  # caches are filled by the first two
            before = counter()
            net.SGD(part, 1, 10, 0.5, verbose=False)
            counts[examples // 10] = counter() - before
    return counts


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[2:]) if sys.argv[1] == "run" else allocations()))
