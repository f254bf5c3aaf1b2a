"""Measure the alternatives between which the plan chooses, for its thresholds.

    python bench/choose_plans.py sparse                 # dense or sparse rows in the first layer
    python bench/choose_plans.py blocks                 # sparse rows by blocks or by lists
    python bench/choose_plans.py threads                # one thread or two
    python bench/choose_plans.py sparse --dtype float32 --hidden 30 100 --m 10

A line is one network and mini-batch size: the speed of sparse rows relative to dense ones for each
density (below 1: slower), and the density at which both are equally fast. With `blocks`: the speed
of blocks relative to lists, for random zeros and for MNIST. With `threads`: the speed of two
threads relative to one, for each width of two hidden layers. FASTNET_ISA selects the
instruction set.
"""

import os
import sys

if "threads" in sys.argv:
    os.environ["FASTNET_BENCH_THREADS"] = "2"

import machine

machine.restrict()  # before NumPy is imported

import argparse  # noqa: E402
import math  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from itertools import pairwise  # noqa: E402

import data  # noqa: E402
import numpy as np  # noqa: E402

import fastnet  # noqa: E402
from fastnet.core import _kernels  # noqa: E402
from fastnet.core.steps import Passes, StepOptions  # noqa: E402
from fastnet.network import model_of  # noqa: E402
from fastnet.training.loop import train_passes  # noqa: E402

N_IN, N_OUT = 784, 10
DENSITIES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
HIDDEN = (10, 30, 64, 100, 256, 1024)
M = (1, 2, 4, 10, 32, 100, 256)
WIDTHS = (32, 64, 128, 256, 512, 1024, 2048)
OPERATIONS = 1e9  # of a call: ten milliseconds or so
ROUNDS = 3


def examples_for(sizes, m):
    """The number of examples for a call of about `OPERATIONS`, in whole mini-batches."""
    weights = sum(a * b for a, b in pairwise(sizes))
    n = min(max(OPERATIONS / (5 * weights), 200), 10_000)
    return max(2, int(n / m)) * m


def epochs_in_turn(networks, datasets, m):
    """The median seconds of an epoch of each pair; the pairs alternate.

    All pairs start from the same parameters and order, and must end with the same parameters:
    the alternatives differ only in speed.
    """
    taken = [[] for _ in networks]
    for number in range(ROUNDS + 1):
        for times, net, dataset in zip(taken, networks, datasets, strict=True):
            before = time.perf_counter()
            net.SGD(dataset, 1, m, 0.1, verbose=False)
            if number > 0:  # the first one warms up, and compresses
                times.append(time.perf_counter() - before)
    for a, b in zip(networks[0].weights, networks[1].weights, strict=True):
        np.testing.assert_array_equal(a, b)
    return [statistics.median(times) for times in taken]


def blocks_in_turn(sizes, dtype, dataset, m):
    """How many times faster a pass is by blocks, from the fastest of a few; same bits."""
    order = np.random.default_rng(1).permutation(len(dataset))
    models = {
        by_blocks: model_of(fastnet.Network(sizes, dtype=dtype, seed=1))
        for by_blocks in (True, False)
    }
    taken = {by_blocks: [] for by_blocks in models}
    for _ in range(2 * ROUNDS):
        for by_blocks, model in models.items():
            training = model.training(StepOptions(m))
            training.by_blocks = by_blocks
            before = time.process_time()
            train_passes(model, dataset, training, Passes(order[np.newaxis], 0.1, 1))
            taken[by_blocks].append(time.process_time() - before)
    np.testing.assert_array_equal(models[True].values, models[False].values)
    return min(taken[False]) / min(taken[True])


def crossover(densities, gains):
    """The density above which the gain stays below 1, interpolated on a logarithmic scale."""
    last = max((i for i, gain in enumerate(gains) if gain >= 1), default=None)
    if last is None:
        return f"below {densities[0]:g}"
    if last + 1 == len(densities):
        return f"above {densities[-1]:g}"
    (low, high), (more, less) = densities[last : last + 2], gains[last : last + 2]
    share = math.log(more) / (math.log(more) - math.log(less))
    return f"{low * (high / low) ** share:.2f}"


def compare_sparse(dtypes, hidden_sizes, mini_batches):
    print("speed of sparse rows relative to dense ones, by density\n")
    head = "".join(f"{density:>7g}" for density in DENSITIES)
    print(f"{'':32}{head}   equal at")
    for dtype in dtypes:
        for hidden in hidden_sizes:
            sizes = [N_IN, hidden, N_OUT]
            gains = {m: [] for m in mini_batches}
            largest = max(examples_for(sizes, m) for m in mini_batches)
            for density in DENSITIES:
                X = data.random_inputs(largest, N_IN, density, dtype)
                y = data.random_labels(X, N_OUT)
                ways = [fastnet.Dataset(X, y, sparse=way) for way in (False, True)]
                for m in mini_batches:
                    n = examples_for(sizes, m)
                    networks = [fastnet.Network(sizes, dtype=dtype, seed=1) for _ in ways]
                    dense, sparse = epochs_in_turn(networks, [way[:n] for way in ways], m)
                    gains[m].append(dense / sparse)
            for m, row in gains.items():
                label = f"{dtype}, [{N_IN}, {hidden}, {N_OUT}], m = {m}"
                cells = "".join(f"{gain:7.2f}" for gain in row)
                print(f"{label:32}{cells}   {crossover(DENSITIES, row)}", flush=True)


def compare_blocks(dtypes, hidden_sizes, mini_batches):
    print("times faster blocks are than lists, by density\n")
    densities = (0.02, 0.05, 0.1, 0.2, 0.35)
    print(f"{'':32}" + "".join(f"{density:>7g}" for density in densities) + "  MNIST")
    images = fastnet.load_mnist()[0][:4000]
    for dtype in dtypes:
        for hidden in hidden_sizes:
            sizes = [N_IN, hidden, N_OUT]
            n, sets = examples_for(sizes, max(mini_batches)), []
            for density in densities:
                X = data.random_inputs(n, N_IN, density, dtype)
                sets.append(fastnet.Dataset(X, data.random_labels(X, N_OUT), sparse=True))
            sets.append(fastnet.Dataset(images.X, images.y, images.scale, sparse=True))
            for m in mini_batches:
                gains = [blocks_in_turn(sizes, dtype, one, m) for one in sets]
                cells = "".join(f"{gain:7.2f}" for gain in gains)
                print(f"{f'{dtype}, [{N_IN}, {hidden}, {N_OUT}], m = {m}':32}{cells}", flush=True)


def compare_threads(dtypes, mini_batches):
    if machine.cores() < 2:
        sys.exit("choose_plans.py: two threads need two cores")
    print("times faster two threads are than one, by the width of two hidden layers\n")
    print(f"{'':16}" + "".join(f"{width:>7}" for width in WIDTHS))
    for dtype in dtypes:
        for m in mini_batches:
            gains = []
            for width in WIDTHS:
                sizes = [N_IN, width, width, N_OUT]
                dataset = data.random_examples(
                    examples_for(sizes, m), N_IN, N_OUT, 1, dtype
                ).dataset
                networks = [
                    fastnet.Network(sizes, dtype=dtype, seed=1, n_threads=threads)
                    for threads in (1, 2)
                ]
                one, two = epochs_in_turn(networks, [dataset] * 2, m)
                gains.append(one / two)
            cells = "".join(f"{gain:7.2f}" for gain in gains)
            print(f"{f'{dtype}, m = {m}':16}{cells}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Measure which way is faster where.")
    parser.add_argument("what", choices=("sparse", "blocks", "threads"))
    parser.add_argument("--dtype", nargs="+", default=("float32", "float64"))
    parser.add_argument("--hidden", nargs="+", type=int, default=HIDDEN)
    parser.add_argument("--m", nargs="+", type=int, default=M)
    options = parser.parse_args()
    print(f"{machine.processor()}, {_kernels.isa()}, fastnet {fastnet.__version__}")
    if options.what == "sparse":
        compare_sparse(options.dtype, options.hidden, options.m)
    elif options.what == "blocks":
        compare_blocks(options.dtype, options.hidden, options.m)
    else:
        compare_threads(options.dtype, options.m)


if __name__ == "__main__":
    main()
