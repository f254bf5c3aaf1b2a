"""The speed of two cores relative to one, for many networks at once.

    python bench/many.py            # a table: throughput of two threads, in units of one's

The rounds of one and of two threads follow each other, and medians are taken of those in
which other programs had less than 3 % of the machine's processors; where there is no such
round among so many, of all, and the row says "busy". "cores" is the mean number of cores that the
process had with two threads, an upper bound of the ratio.
"""

import os
import statistics
import sys
import time

import numpy as np

import fastnet

QUIET_ROUNDS, MOST_ROUNDS = 7, 60
OTHERS = 0.03

# name, sizes, examples (None: MNIST), epochs, networks, further arguments. So many networks that
# the end of a round, where one core waits for the last of them, is short beside it.
JOBS = [
    ("[784, 30, 10], m = 10", [784, 30, 10], None, 1, 64, {}),
    ("[784, 100, 10], m = 10", [784, 100, 10], None, 1, 64, {}),
    ("[784, 30, 10], evaluated each epoch", [784, 30, 10], None, 1, 64, {"evaluated": True}),
    ("[784, 100, 10], dense, m = 100", [784, 100, 10], 12_800, 1, 64, {"mini_batch_size": 100}),
    ("[8, 64, 64, 4], m = 32", [8, 64, 64, 4], 4096, 20, 64, {"mini_batch_size": 32}),
    ("[4, 16, 2], m = 10", [4, 16, 2], 4096, 50, 64, {}),
    ("[4, 16, 2], m = 10, 500 examples", [4, 16, 2], 500, 400, 64, {}),
    ("[4, 16, 2], m = 10, 150 examples", [4, 16, 2], 150, 1000, 64, {}),
    ("[4, 16, 2], m = 10, 4096, evaluated", [4, 16, 2], 4096, 50, 64, {"evaluated": True}),
    ("[4, 16, 2], m = 10, 500, evaluated", [4, 16, 2], 500, 200, 64, {"evaluated": True}),
    ("[4, 16, 2], m = 10, 150, evaluated", [4, 16, 2], 150, 400, 64, {"evaluated": True}),
]


def data_of(sizes, n, evaluated):
    if n is None:
        training, validation, _ = fastnet.load_mnist()
        return training, validation if evaluated else None
    random = np.random.default_rng(1)
    X = random.normal(size=(n, sizes[0])).astype(np.float32)
    data = fastnet.Dataset(X, random.integers(0, sizes[-1], n))
    return data, data if evaluated else None


def busy():
    """The processor time of all programs of the machine in seconds (Linux)."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, *interrupts = map(int, file.readline().split()[1:9])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


class Clock:
    """The time of a call, the processor time of its process, and the fraction that others used."""

    def __enter__(self):
        self._began = time.perf_counter(), time.process_time(), busy()
        return self

    def __exit__(self, *error):
        now = time.perf_counter(), time.process_time(), busy()
        self.wall, self.cpu, worked = (b - a for a, b in zip(self._began, now, strict=True))
        self.others = (worked - self.cpu) / (self.wall * os.cpu_count())


def measure(sizes, n, epochs, networks, options):
    """Medians of: throughput of two threads in units of one's, cores that they had, their work
    in units of one thread's, seconds of one thread; and how many rounds were quiet."""
    options = {"mini_batch_size": 10, **options}
    data = data_of(sizes, n, options.pop("evaluated", False))
    specs = [
        {"sizes": sizes, "epochs": epochs, "eta": 0.1, "seed": seed, **options}
        for seed in range(networks)
    ]
    fastnet.fit_many(specs[:1], *data)  # compresses the data
    rounds, quiet = [], []
    while len(quiet) < QUIET_ROUNDS and len(rounds) < MOST_ROUNDS:
        taken = []
        for workers in (1, 2):
            with Clock() as clock:
                fits = fastnet.fit_many(specs, *data, max_workers=workers)
            taken.append(clock)
            assert not any(fit.error for fit in fits)
        one, two = taken
        rounds.append((one.wall / two.wall, two.cpu / two.wall, two.cpu / one.cpu, one.wall))
        if max(one.others, two.others) < OTHERS:
            quiet.append(rounds[-1])
    return [statistics.median(column) for column in zip(*(quiet or rounds), strict=True)], len(
        quiet
    )


def main():
    print("| networks | one thread | two threads, times as fast | cores | work | quiet rounds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, *job in JOBS:
        if len(sys.argv) > 1 and sys.argv[1] not in name:
            continue
        (ratio, cores, work, seconds), quiet = measure(*job)
        print(
            f"| {job[3]} x {name} | {seconds:.2f} s | {ratio:.2f} | {cores:.2f} | {work:.2f} | "
            f"{quiet or 'busy'} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
