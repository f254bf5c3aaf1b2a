"""Examples of mostly zeros, dense and compressed, for the tests of what is made of them."""

import numpy as np
import pytest

from fastnet import Dataset, Network

N = 60
LABELS = np.arange(N) % 3
TARGETS = np.eye(3)[LABELS]


def mostly_zero(n=N, n_in=20, dtype="uint8", density=0.2, seed=5):
    """Dense rows, the first and the last of them empty."""
    random = np.random.default_rng(seed)
    X = random.integers(1, 256, (n, n_in)) * (random.random((n, n_in)) < density)
    X[[0, -1]] = 0
    return X.astype(dtype) if dtype == "uint8" else (X / 7 - 3 * (X > 99)).astype(dtype)


X = mostly_zero()


def csr_arrays(X):
    """(data, indices, indptr) of dense rows."""
    rows, columns = X.nonzero()
    return X[rows, columns], columns, np.searchsorted(rows, np.arange(len(X) + 1))


def csr(X, y=LABELS, scale=1.0):
    return Dataset.from_csr(*csr_arrays(X), X.shape[1], y, scale)


def dense(rows):
    """Compressed rows with their zeros."""
    return np.array([rows[s] for s in range(len(rows))])


def bits(*arrays):
    """As integers, +0 and -0 alike."""
    return [(array + 0.0).view(f"u{array.itemsize}").tolist() for array in arrays]


def all_ways(X, y, scale=1.0):
    """The same examples, dense and compressed in every manner."""
    return [Dataset(X, y, scale, sparse=False), Dataset(X, y, scale), csr(X, y, scale),
            Dataset(X, y, scale, sparse=True)]  # fmt: skip


def trained(data, sizes=(20, 8, 3), epochs=1):
    net = Network(sizes, seed=1)
    net.SGD(data, epochs, 10, 0.5, verbose=False)
    return net


def assert_read_only(*arrays):
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1
