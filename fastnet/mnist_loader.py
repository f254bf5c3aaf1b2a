"""The MNIST digits in the form of the book's program, for scripts written for it.

``fastnet.load_mnist`` returns the same digits in a form that needs no conversion before training.
"""

import numpy as np
from numpy.typing import NDArray

from fastnet.data.dataset import Dataset
from fastnet.data.idx import load_mnist
from fastnet.nn.functions import vectorized_result

Arrays = tuple[NDArray[np.float32], NDArray[np.int64]]
Pairs = list[tuple[NDArray[np.float32], NDArray[np.float64]]]
Digits = list[tuple[NDArray[np.float32], int]]


def _arrays(data: Dataset) -> Arrays:
    return data.X * np.float32(data.scale), data.y


def load_data() -> tuple[Arrays, Arrays, Arrays]:
    """(training, validation, test), each ``(images, digits)``.

    Returns
    -------
    Three pairs of arrays: images (n, 784), float32 in [0, 1), and digits (n,), int64;
    n is 50,000, 10,000 and 10,000.

    Examples
    --------
    >>> training, validation, test = load_data()
    >>> images, digits = test
    >>> images.shape, digits[:3].tolist()
    ((10000, 784), [7, 2, 1])
    """
    training, validation, test = load_mnist()
    return _arrays(training), _arrays(validation), _arrays(test)


def load_data_wrapper() -> tuple[Pairs, Digits, Digits]:
    """(training, validation, test) as lists of pairs ``(x, y)``.

    Returns
    -------
    Three lists, of 50,000, 10,000 and 10,000 pairs: x is (784, 1), float32; y is a
    (10, 1) unit column in the first, the digit in the others.

    Examples
    --------
    >>> training_data, validation_data, test_data = load_data_wrapper()
    >>> x, y = training_data[0]
    >>> x.shape, y.shape, test_data[0][1]
    ((784, 1), (10, 1), 7)
    """
    training, validation, test = load_data()
    columns = [vectorized_result(digit) for digit in range(10)]
    pairs = [(x[:, None], columns[digit].copy()) for x, digit in zip(*training, strict=True)]
    return pairs, _digits(validation), _digits(test)


def _digits(arrays: Arrays) -> Digits:
    return [(x[:, None], int(digit)) for x, digit in zip(*arrays, strict=True)]
