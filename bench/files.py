"""Time and memory of saving and loading [784, 1024, 1024, 10] in each format.

    python bench/files.py                          # a Markdown table, about a minute
    python bench/files.py --sizes 784,30,10 --folder /tmp --fsync

The files are in /dev/shm, in memory, by default, and fsync is not called unless --fsync says so:
what remains is the work of the program. Times are medians of the seconds on the clock; the network
that is loaded is compared with the one that was saved. The peaks are those of tracemalloc in
another, untimed call, divided by the bytes of the parameters: of what is allocated beside the
network that is saved, and of all, the loaded network included.
"""

import machine

machine.restrict()  # before NumPy is imported

import argparse  # noqa: E402
import os  # noqa: E402
import statistics  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
import tracemalloc  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import fastnet  # noqa: E402

FORMATS = (".npz", ".safetensors", ".json")


def seconds(call, rounds):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def peak(call):
    """The largest number of bytes that the call had allocated."""
    tracemalloc.start()
    kept = call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del kept
    return most


def measured(net, file, rounds):
    """A row of the table."""
    net.save(file)
    loaded = fastnet.load(file)
    assert loaded == net
    assert all(map(np.array_equal, [*loaded.weights, *loaded.biases], [*net.weights, *net.biases]))
    parameters = sum(array.nbytes for array in [*net.weights, *net.biases])
    save, load = (
        seconds(call, rounds) for call in (lambda: net.save(file), lambda: fastnet.load(file))
    )
    peaks = [peak(call) / parameters for call in (lambda: net.save(file),
                                                  lambda: fastnet.load(file))]  # fmt: skip
    size = Path(file).stat().st_size / 1e6
    return (
        f"| {Path(file).suffix} | {size:.1f} MB | {1000 * save:.1f} ms | {1000 * load:.1f} ms | "
        f"{peaks[0]:.2f} | {peaks[1]:.2f} |"
    )


def main():
    parser = argparse.ArgumentParser(description="Time saving and loading networks.")
    add = parser.add_argument
    add("--sizes", default="784,1024,1024,10", help="(default: 784,1024,1024,10)")
    add("--dtype", default="float32", help="(default: float32)")
    add("--folder", default="/dev/shm", help="(default: /dev/shm)")
    add("--rounds", type=int, default=7, help="3 at most for JSON (default: 7)")
    add("--fsync", action="store_true", help="time fsync, too")
    args = parser.parse_args()
    if not args.fsync:
        os.fsync = lambda file: None
    net = fastnet.Network([*map(int, args.sizes.split(","))], dtype=args.dtype, seed=1)
    print(machine.processor(), f"NumPy {np.__version__}", f"{net!r}", sep="; ")
    print("\n| format | file | save | load | peak beside the network, save | peak, load |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        for suffix in FORMATS:
            rounds = min(args.rounds, 3) if suffix == ".json" else args.rounds
            print(measured(net, f"{folder}/net{suffix}", rounds), flush=True)


if __name__ == "__main__":
    main()
