"""How the time of an example grows with the network and the data: a figure and its numbers.

    python bench/growth.py                 # writes bench/growth/growth.csv and growth.png
    python bench/growth.py --draw          # draws the figure again from the CSV

From one network, [784, 30, 10] in mini-batches of ten with as many zeros as
MNIST has, one parameter is varied at a time. fastnet is measured at sizes around
multiples of the vectors too, the peers at fewer ones. Random data, float32, one
core; nothing is monitored, as everywhere here.
"""

import machine

machine.restrict()  # before NumPy and the peers are imported

import argparse  # noqa: E402
import csv  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402
from functools import cache  # noqa: E402
from itertools import chain, pairwise  # noqa: E402
from pathlib import Path  # noqa: E402

import agreement  # noqa: E402
import data  # noqa: E402
from peers import PEERS  # noqa: E402
from peers.base import Problem  # noqa: E402

from fastnet.core import _kernels  # noqa: E402

FOLDER = Path(__file__).parent / "growth"
NAMES = ("fastnet", "NumPy", "JAX", "PyTorch")
SECONDS = 0.25  # of calls that are timed, per point
OPERATIONS = 2e9  # of a call, if that is neither too many examples nor too few
LARGEST_N = 50_000


@dataclass(frozen=True)
class Case:
    """A network and its data.

    Parameters
    ----------
    hidden : tuple of int
    m : int
        Examples in a mini-batch.
    density : float
        The share of the inputs that is other than zero.
    n : int
        Examples; 0 for as many as take a moment.
    """

    hidden: tuple = (30,)
    m: int = 10
    density: float = 0.19
    n: int = 0

    @property
    def sizes(self):
        return [784, *self.hidden, 10]

    @property
    def examples(self):
        """A whole number of mini-batches."""
        weights = sum(a * b for a, b in pairwise(self.sizes))
        fitting = min(max(OPERATIONS / (6 * weights), 200), 5000)
        return max(2, int((self.n or fitting) / self.m)) * self.m


BASE = Case()
ODD = (15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257)
COARSE = (1, 4, 16, 64, 256, 1024, 4096)
POWERS = tuple(2**i for i in range(13))

# Name of the sweep: (its axis, values for fastnet, values for all, the case of a value).
SWEEPS = {
    "n_hidden": ("hidden neurons", sorted({*POWERS, *ODD, 10, 30}), COARSE,
                 lambda value: replace(BASE, hidden=(value,))),
    "m": ("examples in a mini-batch, m", sorted({*POWERS, *ODD, 10, 1000}), COARSE,
          lambda value: replace(BASE, m=value)),
    "density": ("share of inputs that is not zero", (0.01, 0.02, 0.05, 0.1, 0.19, 0.3, 0.5, 0.7, 1),
                (0.01, 0.1, 0.5, 1), lambda value: replace(BASE, density=value)),
    "depth": ("hidden layers of 100", (1, 2, 3, 4, 6, 8, 12, 16), (1, 2, 4, 8, 16),
              lambda value: replace(BASE, hidden=(100,) * value)),
    "n": ("training examples, n", (100, 300, 1000, 3000, 10_000, 30_000, 50_000),
          (100, 1000, 10_000, 50_000), lambda value: replace(BASE, n=value)),
}  # fmt: skip


@cache
def examples(density, n):
    return data.random_examples(n, 784, 10, density)


def problem(case):
    weights, biases = data.initial_parameters(case.sizes, "float32", large_weights=False)
    size = LARGEST_N if case.density == BASE.density else 5000
    training = examples(case.density, size).first(case.examples)
    return Problem(case.sizes, weights, biases, training, training.first(10), case.m)


def seconds_per_example(trainer):
    """The median of as many epochs as fit into a moment, three at least."""
    trainer.epoch()
    taken = []
    while len(taken) < 3 or sum(taken) < SECONDS:
        before = time.perf_counter()
        trainer.epoch()
        taken.append(time.perf_counter() - before)
    return statistics.median(taken) / len(trainer.problem.training)


def measure():
    """Yield one row of the CSV after the other."""
    entries = [entry for entry in PEERS if entry.name in NAMES]
    for sweep, (_, fine, coarse, case_of) in SWEEPS.items():
        for value in fine:
            case = case_of(value)
            start = problem(case)
            for entry in entries:
                first = value == coarse[0]
                if entry.absence() or (entry.name != "fastnet" and value not in coarse):
                    continue
                implementation = entry.load()
                if first or entry.name == "fastnet":
                    agreement.assert_trains_like_reference(start, implementation, 3)
                trainer = implementation(start)
                trainer.prepare_to_train()
                yield {
                    "sweep": sweep,
                    "value": value,
                    "peer": entry.name,
                    "seconds_per_example": f"{seconds_per_example(trainer):.4g}",
                    "examples": case.examples,
                    "processor": machine.processor(),
                    "isa": _kernels.isa(),
                }


def write(path):
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = measure()
        first = next(rows)
        writer = csv.DictWriter(file, first, lineterminator="\n")
        writer.writeheader()
        for row in chain([first], rows):
            writer.writerow(row)
            print(*list(row.values())[:4], flush=True)


def main():
    parser = argparse.ArgumentParser(description="Time per example against each size.")
    parser.add_argument("--draw", action="store_true", help="only draw, from the CSV")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    if not options.draw:
        write(options.folder / "growth.csv")
    import growth_figure  # matplotlib, only here

    axes = {sweep: description for sweep, (description, *_) in SWEEPS.items()}
    growth_figure.draw(options.folder, axes, NAMES)


if __name__ == "__main__":
    main()
