"""Each kernel against its NumPy twin, in the sizes that occur in training on digits."""

import agreement
import data
import numpy as np
import pytest
from kernel_arguments import Arguments
from peers import PEERS

from fastnet import _kernels, reference

FLOAT64_ONLY = {"permutation", "uniform", "standard_normal", "log"}
KERNELS = [
    (name, dtype)
    for name in vars(Arguments)
    if not name.startswith("_")
    for dtype in ("float32", "float64")
    if dtype == "float64" or name not in FLOAT64_ONLY
]
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
IMPLEMENTATIONS = [(PEERS[0], _kernels), (PEERS[1], reference)]


def arguments(name, dtype, training):
    """What there is to do, in words, and new arguments with the values that they always have."""
    return getattr(Arguments(dtype, training), name)()


def results(kernel, arguments):
    """What a call returns and what it leaves in its arrays, in one list."""
    returned = kernel(*arguments)
    returned = returned if isinstance(returned, tuple) else (returned,)
    arrays = [argument for argument in arguments if isinstance(argument, np.ndarray)]
    return [value for value in returned if value is not None] + arrays


@pytest.fixture(scope="module")
def training():
    return data.digits()[0].dataset


@pytest.mark.parametrize(("name", "dtype"), KERNELS)
@pytest.mark.parametrize(("entry", "module"), IMPLEMENTATIONS, ids=["fastnet", "reference"])
def test_kernel(name, dtype, entry, module, training, measure):
    kernel = getattr(module, name)
    _, checked = arguments(name, dtype, training)
    _, expected = arguments(name, dtype, training)
    both = results(kernel, checked), results(getattr(reference, name), expected)
    for actual, wanted in zip(*both, strict=True):
        agreement.assert_close(actual, wanted, TOLERANCE[dtype])

    size, timed = arguments(name, dtype, training)
    measure(f"kernel {name} {dtype} ({size})", entry, lambda: kernel(*timed))
