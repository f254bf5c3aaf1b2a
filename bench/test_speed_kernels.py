"""Each kernel and its counterpart in NumPy, in the sizes that occur in training on digits."""

import agreement
import data
import numpy as np
import pytest
from kernel_arguments import Arguments, kernel
from peers import PEERS

from fastnet import reference
from fastnet.core import _kernels
from fastnet.nn import activations

FLOAT64_ONLY = {"permutation", "uniform", "standard_normal", "log"}
ACTIVATE = [f"activate {neurons}" for neurons in activations.HIDDEN]
KERNELS = [
    (job, dtype)
    for name in vars(Arguments)
    if not name.startswith("_")
    for job in (ACTIVATE if name == "activate" else [name])
    for dtype in ("float32", "float64")
    if dtype == "float64" or name not in FLOAT64_ONLY
]
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
IMPLEMENTATIONS = [(PEERS[0], _kernels), (PEERS[1], reference)]


def arguments(job, dtype, training):
    """What there is to do, in words, and new arguments with the values that they always have."""
    name, *neurons = job.split()
    return getattr(Arguments(dtype, training), name)(*neurons)


def results(called, arguments):
    """What a call returns and what it leaves in its arrays, in one list."""
    returned = called(*arguments)
    returned = returned if isinstance(returned, tuple) else (returned,)
    arrays = [argument for argument in arguments if isinstance(argument, np.ndarray)]
    return [value for value in returned if value is not None] + arrays


@pytest.fixture(scope="module")
def training():
    return data.digits()[0].dataset


@pytest.mark.parametrize(("job", "dtype"), KERNELS)
@pytest.mark.parametrize(("entry", "module"), IMPLEMENTATIONS, ids=["fastnet", "reference"])
def test_kernel(job, dtype, entry, module, training, measure):
    name = job.split()[0]
    timed_kernel = kernel(module, name)
    _, checked = arguments(job, dtype, training)
    _, expected = arguments(job, dtype, training)
    both = results(timed_kernel, checked), results(kernel(reference, name), expected)
    for actual, wanted in zip(*both, strict=True):
        agreement.assert_close(actual, wanted, TOLERANCE[dtype])

    size, timed = arguments(job, dtype, training)
    measure(f"kernel {job} {dtype} ({size})", entry, lambda: timed_kernel(*timed))
