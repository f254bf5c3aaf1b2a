"""The training jobs: network, data and peers.

A job's `name` is its row in the table of times, and what wanted.py refers to.
"""

from dataclasses import dataclass
from itertools import pairwise

ALL = ("fastnet", "reference", "NumPy", "book's loop", "scikit-learn", "JAX", "PyTorch",
       "PyTorch autograd")  # fmt: skip
ARRAYS = ("fastnet", "NumPy", "JAX", "PyTorch")
BLAS = ("fastnet", "NumPy", "PyTorch")
STEPS = ("fastnet", "NumPy", "PyTorch", "PyTorch autograd")
ALONE = ("fastnet",)


@dataclass(frozen=True)
class Job:
    """One network and its training.

    Parameters
    ----------
    sizes : tuple of int
        Neurons per layer, the inputs first.
    m : int
        Examples in a mini-batch.
    peers : tuple of str
        Names of those who take part.
    data : str
        "digits", or "random": dense numbers from 0 to 1, labelled by a random network.
    examples : int
        How many of them; the whole training set of digits are 50,000.
    dtype : str
        "float32" or "float64".
    large_weights : bool
        Whether weights start as N(0, 1), as in the book's experiment, or divided
        by the square root of the inputs.
    technique : str
        What is added to plain gradient descent, a name in data.py; "" is nothing.
    eta : float
        The learning rate.
    floor : float
        The fraction of the test images that must be classified correctly after two epochs or more.
    threads : tuple of int
        With how many threads it is run; other numbers than 1 in a run of their own.
    per_step : bool
        Whether the table shows the time of a mini-batch instead of that of an epoch.
    """

    sizes: tuple
    m: int
    peers: tuple = ALONE
    data: str = "digits"
    examples: int = 50_000
    dtype: str = "float32"
    large_weights: bool = False
    technique: str = ""
    eta: float = 0.5
    floor: float = 0.0
    threads: tuple = (1,)
    per_step: bool = False

    def name(self, threads=1):
        what = "one step" if self.per_step else "one epoch"
        words = [what, str(list(self.sizes)), f"m = {self.m}"]
        if self.data != "digits" and not self.per_step:
            words.append("dense")
        if self.examples != 50_000 and not self.per_step:
            words.append(f"{self.examples:,} examples")
        if self.dtype != "float32":
            words.append(self.dtype)
        if self.technique:
            words.append(self.technique)
        if self.threads != (1,):
            words.append(f"{threads} thread" + "s" * (threads > 1))
        return ", ".join(words)

    @property
    def dense_operations(self):
        """Of the job: 4 per weight and example in the first layer, 6 in every later one."""
        first, *later = [a * b for a, b in pairwise(self.sizes)]
        return (self.m if self.per_step else self.examples) * (4 * first + 6 * sum(later))

    @property
    def steps(self):
        return -(-self.examples // self.m)


def book(hidden, m, peers=ALONE, **more):
    """The book's experiment with `hidden` neurons."""
    return Job((784, hidden, 10), m, peers, large_weights=True, **more)


def narrow(sizes, m):
    """Layers as they occur in control and tabular data."""
    return Job(sizes, m, STEPS, "random", 4096, per_step=True)


BOOK_30 = book(30, 10, ALL, floor=0.9)
BOOK_100 = book(100, 10, ALL, floor=0.9)
TECHNIQUES = [
    book(100, 10, technique=name, eta=eta, floor=0.9)
    for name, eta in (("L2", 0.5), ("dropout", 0.5), ("momentum", 0.05), ("Adam", 0.001))
]
OTHER_M = {hidden: [book(hidden, m) for m in (1, 2, 4, 32, 100, 1000)] for hidden in (30, 100)}
DENSE = Job((784, 100, 10), 10, ARRAYS, "random")
DEEP = Job((784, 100, 100, 100, 10), 10, ARRAYS)
DOUBLE = book(30, 10, BLAS, dtype="float64")
MIDDLE = Job((784, 256, 256, 10), 64, BLAS, "random", 12_800)
LARGE = Job((784, 1024, 1024, 10), 256, BLAS, "random", 5_120, threads=(1, 2))
NARROW = [narrow(sizes, m) for sizes in ((4, 16, 2), (8, 64, 64, 4)) for m in (1, 32)]

JOBS = [
    BOOK_30, *OTHER_M[30], BOOK_100, *TECHNIQUES, *OTHER_M[100], DENSE, DEEP, DOUBLE, *NARROW,
    MIDDLE, LARGE,
]  # fmt: skip
