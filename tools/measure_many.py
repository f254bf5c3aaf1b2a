"""Measure docs/many_networks.json: many networks on one core, on two, and on a Dask cluster.

    python tools/measure_many.py             # measure, and write the tables
    python tools/measure_many.py --write     # only write the tables of docs/many_networks.md

Every executor trains 4, 8, 16 and 32 networks of the guide's sweep. A measurement begins when
other programs are idle, and counts if they used less than 5 % of the machine during it. The result
is the median of those that count, or the fastest of TRIES if none does; the file says how many
did. Linux, two cores; five minutes on an idle machine.
"""

import argparse
import json
import math
import multiprocessing
import os
import platform
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import fastnet
from fastnet.core import _kernels

TOP = Path(__file__).parent.parent
MEASURED = TOP / "docs" / "many_networks.json"
DOCUMENT = TOP / "docs" / "many_networks.md"
NETWORKS = (4, 8, 16, 32)
ROUNDS, TRIES, OTHERS = 3, 8, 0.05
PATIENCE = 1500
ETAS = (0.1, 0.2, 0.5, 1.0, 0.15, 0.3, 0.7, 1.5)
EMPTY = 200  # trainings of no epochs, for the time per task
CLUSTERS = (1, 10, 100)  # workers, for the model


def sweep(networks, epochs=2):
    """The guide's specs: four sizes for each rate, so every fourth spec takes the same time."""
    return [
        {
            "sizes": [784, hidden, 10], "epochs": epochs, "mini_batch_size": 10, "eta": eta,
            "seed": 1,
        }
        for eta in ETAS[: networks // 4]
        for hidden in (30, 50, 70, 100)
    ]  # fmt: skip


# ---- the executors


@contextmanager
def threads(workers):
    yield {"max_workers": workers}


@contextmanager
def processes(workers):
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield {"executor": pool}


@contextmanager
def dask(workers):
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(workers)
        yield {"executor": client}


EXECUTORS = {
    "one core, one thread": (threads, 1),
    "two cores, two threads": (threads, 2),
    "two cores, a pool of two processes": (processes, 2),
    "Dask cluster of one worker": (dask, 1),
    "Dask cluster of two workers": (dask, 2),
}
DASK = {1: "Dask cluster of one worker", 2: "Dask cluster of two workers"}


# ---- measuring


def cpu_seconds(pids=None):
    """The processor time of these processes, or of all, in seconds."""
    ticks = 0
    if pids is None:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, *interrupts = map(int, file.readline().split()[1:9])
        ticks = user + nice + system + sum(interrupts)
    else:
        for pid in pids:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
            ticks += sum(map(int, fields.split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def family():
    """The ids of this process and its descendants."""
    found, parents = {os.getpid()}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def seconds(specs, data, options):
    """(seconds of ``fit_many``, the fraction of the machine that other programs used meanwhile)"""
    pids = family()
    began = time.perf_counter(), cpu_seconds(), cpu_seconds(pids)
    fits = fastnet.fit_many(specs, *data, verbose=False, **options)
    taken, of_all, of_mine = (
        b - a
        for a, b in zip(began, (time.perf_counter(), cpu_seconds(), cpu_seconds(pids)), strict=True)
    )
    if any(fit.error for fit in fits):
        raise SystemExit("a training has failed")
    # the system counts in hundredths of a second, and the roundings of several processes add up
    return taken, max(0.0, of_all - of_mine - 0.03) / (taken * os.cpu_count())


def wait_for_others():
    """Return when other programs are idle, or when PATIENCE seconds of waiting are used up."""
    global PATIENCE
    while PATIENCE > 0:
        before = cpu_seconds()
        time.sleep(0.5)
        if cpu_seconds() - before < OTHERS * os.cpu_count() / 2:
            return
        PATIENCE -= 0.5


def measure():
    training, validation, _ = fastnet.load_mnist()
    data = training, validation
    jobs = {str(n): sweep(n) for n in NETWORKS}
    jobs["data"] = sweep(4, epochs=0)[:1]  # one network that is not trained: only the data are sent
    jobs["empty"] = sweep(4, epochs=0) * (EMPTY // 4)
    taken = {name: {job: [] for job in jobs} for name in EXECUTORS}
    begun = {}
    for name, (executor, workers) in EXECUTORS.items():
        wait_for_others()
        start = time.perf_counter()
        with executor(workers) as options:
            fastnet.fit_many(sweep(4, epochs=0), *data, verbose=False, **options)
            begun[name] = time.perf_counter() - start
            for _ in range(TRIES):
                for job, rounds in taken[name].items():
                    if quiet(rounds) < ROUNDS:
                        wait_for_others()
                        rounds.append(seconds(jobs[job], data, options))
                if all(quiet(rounds) >= ROUNDS for rounds in taken[name].values()):
                    break
        print(
            name,
            {job: f"{typical(r):.2f} s, {quiet(r)} quiet" for job, r in taken[name].items()},
            flush=True,
        )
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {_kernels.isa()}",
        "seconds": {
            name: {job: round(typical(rounds), 4) for job, rounds in cell.items()}
            for name, cell in taken.items()
        },
        "quiet rounds": {
            name: {job: quiet(rounds) for job, rounds in cell.items()}
            for name, cell in taken.items()
        },
        "start": {name: round(taken, 3) for name, taken in begun.items()},
    }


def quiet(rounds):
    return sum(others < OTHERS for _, others in rounds)


def typical(rounds):
    counted = [taken for taken, others in rounds if others < OTHERS]
    return statistics.median(counted) if counted else min(taken for taken, _ in rounds)


# ---- the model: t = s + c N + t1 N / w, where s includes a scattering that grows with w


def model(measured):
    """(seconds of scattering by number of workers, the rest of s, c, t1)"""
    of = {workers: measured["seconds"][name] for workers, name in DASK.items()}
    scatter = {workers: cells["data"] for workers, cells in of.items()}
    c = statistics.mean((cells["empty"] - cells["data"]) / EMPTY for cells in of.values())
    rows = [(1, n / workers) for workers in of for n in NETWORKS]
    rest = [of[w][str(n)] - scatter[w] - c * n for w in of for n in NETWORKS]
    fixed, t1 = np.linalg.lstsq(np.array(rows), np.array(rest), rcond=None)[0].tolist()
    return scatter, fixed, c, t1


def predicted(measured, networks, workers):
    scatter, fixed, c, t1 = model(measured)
    # workers pass copies on, so that their number doubles in each step
    steps = math.log2(workers) * max(0.0, scatter[2] - scatter[1])
    return scatter[1] + steps + fixed + c * networks + t1 * networks / workers


# ---- the tables


def tables(measured):
    """{name: a table in Markdown}"""
    cells = measured["seconds"]
    one = cells["one core, one thread"]
    times = [
        "| | start | " + " | ".join(f"{n} networks" for n in NETWORKS) + " |",
        "| --- | ---: |" + " ---: |" * len(NETWORKS),
    ]
    for name, cell in cells.items():
        row = [f"{cell[str(n)]:.2f} s ({one[str(n)] / cell[str(n)]:.2f}x)" for n in NETWORKS]
        times.append(f"| {name} | {measured['start'][name]:.1f} s | " + " | ".join(row) + " |")
    growth = [
        "| workers | " + " | ".join(f"{n} networks" for n in NETWORKS) + " |",
        "| ---: |" + " ---: |" * len(NETWORKS),
    ]
    for workers, name in DASK.items():
        row = [
            f"{cells[name][str(n)]:.2f} s, model {predicted(measured, n, workers):.2f} s"
            for n in NETWORKS
        ]
        growth.append(f"| {workers} | " + " | ".join(row) + " |")
    numbers = (100, 1000, 10_000)
    future = [
        "| workers | " + " | ".join(f"{n:,} networks" for n in numbers) + " |",
        "| ---: |" + " ---: |" * len(numbers),
    ]
    for workers in CLUSTERS:
        row = []
        for n in numbers:
            taken = predicted(measured, n, workers)
            row.append(f"{taken:,.1f} s ({predicted(measured, n, 1) / taken:.1f}x)")
        future.append(f"| {workers} | " + " | ".join(row) + " |")
    scatter, fixed, c, t1 = model(measured)
    terms = [
        "| term | meaning | seconds |",
        "| --- | --- | ---: |",
        f"| s | sending the data to one worker, to two | {scatter[1]:.3f}, {scatter[2]:.3f} |",
        f"| | compressing them there, and other work that is done once | {fixed:.3f} |",
        f"| c | time per network apart from its training | {c:.4f} |",
        f"| t1 | one network of the sweep on one core, on average | {t1:.3f} |",
    ]
    found = {"times": times, "terms": terms, "growth": growth, "future": future}
    return {name: "\n".join(lines) for name, lines in found.items()}


def written(text, measured):
    """The document with new tables."""
    for name, table in tables(measured).items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- {name}: end -->"
        head, _, rest = text.partition(begin)
        text = head + begin + table + end + rest.partition(end)[2]
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="only write the tables")
    if not parser.parse_args().write:
        MEASURED.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    for table in tables(measured).values():
        print(table, end="\n\n")
    if DOCUMENT.exists():
        text = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(written(text, measured), encoding="utf-8")


if __name__ == "__main__":
    main()
