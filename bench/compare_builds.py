"""Compare two installed builds of fastnet and report the rows that became slower.

    python bench/compare_builds.py OLD_PYTHON NEW_PYTHON               # about ten minutes
    python bench/compare_builds.py OLD_PYTHON NEW_PYTHON -k "one epoch" --rounds 15
    python bench/compare_builds.py OLD_PYTHON OLD_PYTHON               # what noise looks like

Each argument is a Python (or a virtual environment) in which a build is installed. Prints a
Markdown table; the exit status is 1 where a row is slower than --limit beyond noise, or where
the results of the builds differ. README.md describes the method and the treatment of noise.
"""

import argparse
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import counts
import machine

JOBS = Path(__file__).parent / "compare_jobs.py"
SECONDS_PER_TURN = 0.02
SECONDS_PER_ROW = 0.25  # of one build, in a round
FEWEST_TURNS, MOST_TURNS = 2, 6
MORE_ROUNDS = 3  # times as many for rows that are not clear
CONFIDENCE = 0.95
CALLS_COUNTED = 1000
HASH_SEEDS = ("0", "1", "2")  # the order of sets and of dictionaries' slots depends on it

SLOWER, FASTER, UNCLEAR, EQUAL = "SLOWER", "faster", "unclear", "ok"


def show(words):
    """Show the progress in one line of the terminal."""
    if sys.stderr.isatty():
        print(f"\r{words[:75]:75}\r{words[:75]}", end="", file=sys.stderr, flush=True)


class Build:
    """A process that runs the rows in one build, and waits between requests."""

    def __init__(self, python):
        self._process = subprocess.Popen(
            [python, JOBS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *question):
        """The answer to a request; a ValueError if the row cannot be run."""
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            sys.exit(f"compare_builds: {self._process.args[0]} ended, see above")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["answer"]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.stdin.close()
        self._process.wait()


@dataclass
class Row:
    """The measurements of one row.

    Parameters
    ----------
    name : str
    unit : str
        "s" for CPU time, or "" for instructions.
    ratios : list of float
        new / old, one per round.
    old : list of float
        The cost of a call in the old build, one per round.
    calls : int
        Per turn; 0 if not known yet.
    turns : int
        Per round and build.
    fault : str
        Why the row cannot be compared.
    """

    name: str
    unit: str = "s"
    ratios: list = field(default_factory=list)
    old: list = field(default_factory=list)
    calls: int = 0
    turns: int = 0
    fault: str = ""

    def plan(self, once):
        self.calls = max(1, math.ceil(SECONDS_PER_TURN / max(once, 1e-9)))
        turns = round(SECONDS_PER_ROW / max(self.calls * once, SECONDS_PER_TURN))
        self.turns = min(max(turns, FEWEST_TURNS), MOST_TURNS) // 2 * 2

    def verdict(self, limit):
        """SLOWER if the whole confidence interval of the median is above 1 + limit, and so on."""
        if self.fault:
            return self.fault
        low, high = interval(self.ratios) if self.unit else (min(self.ratios), max(self.ratios))
        if low > 1 + limit:
            return SLOWER
        if high < 1 - limit:
            return FASTER
        return UNCLEAR if statistics.median(self.ratios) > 1 + limit else EQUAL


def interval(values):
    """A distribution-free confidence interval of the median, with probability CONFIDENCE.

    From order statistics: the number of values below the median is binomial. Fewer than six
    values give no finite interval.
    """
    values, n = sorted(values), len(values)
    if n < 6:
        return 0.0, math.inf
    outside, skipped = 2 / 2**n, 0
    while outside + 2 * math.comb(n, skipped + 1) / 2**n <= 1 - CONFIDENCE:
        skipped += 1
        outside += 2 * math.comb(n, skipped) / 2**n
    return values[skipped], values[-1 - skipped]


def measure(row, builds, first):
    """One round of a row: the builds alternate, and so does the one that goes first."""
    prepared = [build.ask("prepare", row.name) for build in builds]
    if prepared[0]["result"] != prepared[1]["result"]:
        raise ValueError("RESULTS DIFFER")
    if not row.calls:
        row.plan(prepared[0]["seconds"])
    ratios, old = [], []
    for turn in range(row.turns):
        taken = [0.0, 0.0]
        for which in ((0, 1), (1, 0))[(turn + first) % 2]:
            taken[which] = builds[which].ask("seconds", row.calls)
        ratios.append(taken[1] / taken[0])
        old.append(taken[0])
    row.ratios.append(statistics.median(ratios))
    row.old.append(statistics.median(old))


def measure_round(rows, pythons, number):
    """All rows once, in two fresh processes, so that memory addresses vary between rounds."""
    order = (0, 1) if number % 2 == 0 else (1, 0)
    started = {which: Build(pythons[which]) for which in order}
    with started[0], started[1]:
        for row in rows:
            show(f"round {number + 1}: {row.name}")
            try:
                measure(row, (started[0], started[1]), number)
            except ValueError as error:
                row.fault = str(error)
    show("")


def measure_times(rows, pythons, rounds, limit):
    """Measure all rows for ``rounds`` rounds, unclear ones for up to MORE_ROUNDS times as many."""
    for number in range(rounds * MORE_ROUNDS):
        left = [row for row in rows if not row.fault]
        if number >= rounds:
            left = [row for row in left if row.verdict(limit) == UNCLEAR]
        if left:
            measure_round(left, pythons, number)


def instructions(python, rows, folder, seed):
    """{row: instructions per call}: a run with CALLS_COUNTED calls minus a run without calls."""
    variables = dict.fromkeys(machine.THREAD_VARIABLES, "1") | {"PYTHONHASHSEED": seed}
    variables |= {name: value for name, value in os.environ.items() if name == "FASTNET_ISA"}

    def run(name, calls):
        show(f"counting: {name}")
        command = [python, str(JOBS), "count", name, str(calls)]
        return counts.collected(command, folder, **variables)

    start = run(rows[0].name, 0)
    return {row.name: (run(row.name, CALLS_COUNTED) - start) / CALLS_COUNTED for row in rows}


def measure_counts(rows, pythons, limit):
    """Count the rows too short to be timed; those that differ again with other hash seeds."""
    with Build(pythons[0]) as old, Build(pythons[1]) as new:
        for row in rows:
            try:
                results = [build.ask("prepare", row.name)["result"] for build in (old, new)]
                row.fault = "" if results[0] == results[1] else "RESULTS DIFFER"
            except ValueError as error:
                row.fault = str(error)
    rows = [row for row in rows if not row.fault]
    with tempfile.TemporaryDirectory() as folder:
        for seed in HASH_SEEDS if rows else ():
            old, new = (instructions(python, rows, Path(folder), seed) for python in pythons)
            for row in rows:
                row.old.append(old[row.name])
                row.ratios.append(new[row.name] / old[row.name])
            rows = [row for row in rows if abs(row.ratios[-1] - 1) > limit]
            if not rows:
                break
    show("")


def with_unit(value, unit):
    if not unit:
        return f"{value:,.0f} instr."
    factor, unit = next((f, u) for f, u in ((1, "s"), (1e3, "ms"), (1e6, "µs")) if value * f >= 1)
    return f"{value * factor:.3g} {unit}"


def cells(row, limit):
    verdict = row.verdict(limit)
    if row.fault:
        return [row.name, "-", "-", "-", "-", verdict]
    old = with_unit(statistics.median(row.old), row.unit)
    median = f"{statistics.median(row.ratios):.3f}"
    if len(row.ratios) < 2:
        return [row.name, old, median, "-", "1", verdict]
    low, _, high = statistics.quantiles(row.ratios, method="inclusive")
    return [row.name, old, median, f"{low:.3f} to {high:.3f}", str(len(row.ratios)), verdict]


def about(pythons):
    """Print a line about each build; returns {row: whether its instructions are counted}."""
    descriptions = []
    for word, python in zip(("old", "new"), pythons, strict=True):
        with Build(python) as build:
            descriptions.append(build.ask("about"))
        one = descriptions[-1]
        line = f"fastnet {one['fastnet']}, {one['isa']}, NumPy {one['numpy']}, {one['path']}"
        print(f"{word}: {line}  ")
    print(f"{descriptions[0]['processor']}, processor's time of one core\n")
    return descriptions[0]["rows"]


def python_of(text):
    """The Python of a virtual environment, or the file itself."""
    path = Path(text)
    for inner in ("bin/python", "Scripts/python.exe"):
        if path.is_dir() and (path / inner).exists():
            return str(path / inner)
    if path.is_dir() or not shutil.which(text):
        raise argparse.ArgumentTypeError(f"expected a Python or an environment, got {text!r}")
    return text


def options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("old", type=python_of, metavar="OLD_PYTHON")
    parser.add_argument("new", type=python_of, metavar="NEW_PYTHON")
    parser.add_argument("-k", default="", metavar="PATTERN", help="rows in which this is found")
    parser.add_argument("--rounds", type=int, default=9, help="pairs of processes (default: 9)")
    parser.add_argument("--cpu", type=int, help="the core (default: the last)")
    parser.add_argument("--limit", type=float, default=2.0, metavar="PERCENT",
                        help="what a row may become slower (default: 2)")  # fmt: skip
    parser.add_argument("--no-counts", action="store_true",
                        help="leave out the rows whose instructions are counted")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="print the rows' names")
    return parser.parse_args()


def main():
    given = options()
    if hasattr(os, "sched_setaffinity"):  # the children stay there, too
        core = max(os.sched_getaffinity(0)) if given.cpu is None else given.cpu
        os.sched_setaffinity(0, [core])
    pythons, limit = (given.old, given.new), given.limit / 100
    names = {
        name: counted
        for name, counted in about(pythons).items()
        if re.search(given.k, name) or given.k in name
    }
    if given.list:
        print(*names, sep="\n")
        return
    timed = [Row(name) for name, counted in names.items() if not counted]
    counted = [Row(name, unit="") for name, counted in names.items() if counted]
    if given.no_counts:
        counted = []
    elif counted and not shutil.which("valgrind"):
        sys.exit("compare_builds: no valgrind; --no-counts leaves out the rows that need it")
    measure_counts(counted, pythons, limit)
    measure_times(timed, pythons, given.rounds, limit)

    head = ["row", "old", "new / old", "quartiles", "rounds", "verdict"]
    body = [cells(row, limit) for row in timed + counted]
    for line in (head, ["---", *["---:"] * 5], *body):
        print("| " + " | ".join(line) + " |")
    bad = [row for row in timed + counted if row.fault or row.verdict(limit) == SLOWER]
    print(f"\n{len(bad)} of {len(body)} rows slower than {given.limit:g} % or not comparable")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
