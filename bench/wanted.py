"""Targets: one line per figure, and how each figure is computed.

A bound that was set on a certain processor is checked only there; elsewhere the figure is
reported.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jobs
from results import of_limit


@dataclass(frozen=True)
class Figure:
    """A figure that is computed from results.

    Parameters
    ----------
    words : str
        The text after the number; {other} is the line's `other`.
    at_most : bool
        Whether the bound is the largest value wanted, or the smallest.
    value : function of (results, line)
        The figure; it may raise a TypeError where something was not measured.
    """

    words: str
    at_most: bool
    value: Callable


def seconds(results, job, peer="fastnet"):
    return results.info(job, peer)["seconds"]


def times_beside(results, line):
    return seconds(results, line.job) / seconds(results, line.beside)


def above_training(results, line):
    info = results.info(line.job)
    return (info["seconds"] - 0.6) / info["training_seconds"]


def memory(results, line):
    info = results.info(line.job)
    return info["memory"] / info["pixel_bytes"]


def allocations(results, line):
    info = results.info(line.job)
    return (info["many_batches"] - info["few_batches"]) / (5000 - 50)


LIMIT = Figure("of the dense limit", True, lambda results, line: of_limit(results.info(line.job)))
PEAK = Figure("of the FMA peak", False, lambda results, line: 1 / of_limit(results.info(line.job)))
AHEAD = Figure(
    "x {other}",
    False,
    lambda results, line: (
        seconds(results, line.beside or line.job, line.other) / seconds(results, line.job)
    ),
)
PER_EXAMPLE = Figure("x the time of m = 10", True, times_beside)
OF_PLAIN = Figure("x the plain epoch", True, times_beside)
TWO_THREADS = Figure(
    "x one thread",
    False,
    lambda results, line: seconds(results, line.beside) / seconds(results, line.job),
)
MICROSECONDS = Figure("µs", True, lambda results, line: 1e6 * seconds(results, line.job))
COMMAND = Figure("x the training time, + 0.6 s", True, above_training)
MEMORY = Figure("x the pixels' bytes, above NumPy", True, memory)
ALLOCATIONS = Figure("allocations per mini-batch", True, allocations)


@dataclass(frozen=True)
class Line:
    """One wanted figure.

    Parameters
    ----------
    job : str
        The row of the table of times.
    figure : Figure
    bound : float
    other : str
        The peer that it compares with.
    beside : str
        Another job that it compares with.
    set_on : str
        "AVX-512", or "Zen 4" for the AVX2 build on a processor whose AVX2 has the
        same peak as its AVX-512; "" is any.
    """

    job: str
    figure: Figure
    bound: float
    other: str = ""
    beside: str = ""
    set_on: str = ""

    @property
    def text(self):
        direction = "at most" if self.figure.at_most else "at least"
        return f"{direction} {self.bound:g} {self.figure.words.format(other=self.other)}"

    def measured(self, results):
        """The figure, or None where something that it needs was not measured."""
        try:
            return self.figure.value(results, self)
        except (TypeError, KeyError):
            return None

    def reached(self, value):
        return value <= self.bound if self.figure.at_most else value >= self.bound


def _book(job, limit, avx2, peers):
    name = job.name()
    yield Line(name, LIMIT, limit, set_on="AVX-512")
    for peer, bound in peers.items():
        yield Line(name, AHEAD, bound, peer, set_on="AVX-512")
    yield Line(name, LIMIT, avx2, set_on="Zen 4")


def _large(job, peak):
    yield Line(job.name(), PEAK, peak)
    for threads in job.threads:
        for peer in ("NumPy", "PyTorch"):
            yield Line(job.name(threads), AHEAD, 1, peer)


WANTED = [
    *_book(jobs.BOOK_30, 0.50, 0.62, {"JAX": 10, "NumPy": 30, "scikit-learn": 60, "PyTorch": 70}),
    *_book(jobs.BOOK_100, 0.48, 0.65, {"JAX": 10}),
    *(
        Line(job.name(), PER_EXAMPLE, 2 if job.m == 1 else 1.1, beside=base.name())
        for base in (jobs.BOOK_30, jobs.BOOK_100)
        for job in jobs.OTHER_M[base.sizes[1]]
    ),
    *(
        Line(job.name(), OF_PLAIN, 1.1, beside=jobs.BOOK_100.name())
        for job in jobs.TECHNIQUES
        if job.technique == "L2"
    ),
    Line(jobs.DENSE.name(), LIMIT, 1.20),
    Line(jobs.DEEP.name(), LIMIT, 0.75),
    Line(jobs.DOUBLE.name(), LIMIT, 0.60),
    *_large(jobs.LARGE, 0.85),
    Line(jobs.LARGE.name(2), TWO_THREADS, 1.8, beside=jobs.LARGE.name(1)),
    *_large(jobs.MIDDLE, 0.80),
    Line("accuracy on 10,000, [784, 30, 10]", AHEAD, 3, "NumPy"),
    Line("accuracy on 10,000, [784, 100, 10]", AHEAD, 3, "NumPy"),
    Line("one image, [784, 30, 10]", AHEAD, 5, "NumPy"),
    Line("one image through predictor(), [784, 30, 10]", AHEAD, 8, "NumPy",
         beside="one image, [784, 30, 10]"),
    *(
        Line(job.name(), AHEAD, bound, peer)
        for job in jobs.NARROW
        for peer, bound in (("PyTorch", 20), ("PyTorch autograd", 20), ("NumPy", 10))
    ),
    Line("fastnet train, 30 epochs", COMMAND, 1.5),
    Line("fastnet train, 30 epochs", MEMORY, 1.7),
    Line("SGD of zero epochs", MICROSECONDS, 20),
    Line("counting allocations", ALLOCATIONS, 0),
]  # fmt: skip
