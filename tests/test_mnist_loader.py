"""The bundled digits, and the book's loader."""

import gzip
import hashlib
import importlib.resources
import re

import numpy as np
import pytest
from idx_files import idx

import fastnet

# SHA-256 of the four files' contents before compression
ORIGINALS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_bundled_files_hold_the_original_bytes(name):
    content = (importlib.resources.files("fastnet.data") / "mnist" / f"{name}.gz").read_bytes()
    assert hashlib.sha256(gzip.decompress(content)).hexdigest() == ORIGINALS[name]


def test_licence_and_origin_stand_beside_the_digits():
    text = (importlib.resources.files("fastnet.data") / "mnist" / "LICENSE.md").read_text("utf-8")
    for words in ("LeCun", "Cortes", "Burges", "CC.BY-SA.3.0|Share.?Alike 3.0"):
        assert re.search(words, text)


def test_load_mnist_gives_every_original_digit_in_order_unscaled_bytes_and_a_scale(mnist):
    training, validation, test = mnist
    assert [data.X.shape for data in mnist] == [(50_000, 784), (10_000, 784), (10_000, 784)]
    assert {data.scale for data in mnist} == {1 / 256}
    assert {data.X.dtype for data in mnist} == {np.dtype("u1")}
    for name, parts in (("train", (training, validation)), ("t10k", (test,))):
        X = np.concatenate([data.X for data in parts]).reshape(-1, 28, 28)
        y = np.concatenate([data.y for data in parts]).astype("u1")
        for array, kind in ((X, "images-idx3"), (y, "labels-idx1")):
            digest = hashlib.sha256(idx(array)).hexdigest()
            assert digest == ORIGINALS[f"{name}-{kind}-ubyte"]


# ---- the book's loader


def test_load_data_gives_arrays_as_in_the_book(mnist):
    from fastnet import mnist_loader

    loaded = mnist_loader.load_data()
    assert len(loaded) == 3
    for (images, digits), data in zip(loaded, mnist, strict=True):
        assert images.shape == (len(data), 784)
        assert images.dtype == np.float32
        assert digits.shape == (len(data),)
        assert digits.dtype.kind == "i"
        np.testing.assert_array_equal(images[:500], data.X[:500] / 256)
        np.testing.assert_array_equal(digits, data.y)
        assert images.min() == 0
        assert images.max() == 255 / 256


def test_load_data_wrapper_gives_lists_of_pairs_as_in_the_book(mnist):
    from fastnet import mnist_loader

    loaded = mnist_loader.load_data_wrapper()
    assert [len(pairs) for pairs in loaded] == [50_000, 10_000, 10_000]
    for kind, pairs, data in zip(("training", "validation", "test"), loaded, mnist, strict=True):
        assert isinstance(pairs, list)
        for i in (0, 1, 4_999, len(pairs) - 1):
            x, y = pairs[i]
            assert x.shape == (784, 1)
            np.testing.assert_array_equal(x[:, 0], data.X[i] / 256)
            if kind == "training":
                np.testing.assert_array_equal(y, fastnet.vectorized_result(int(data.y[i])))
            else:
                assert y == data.y[i]
