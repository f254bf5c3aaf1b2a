"""The images and labels of the files that the options name, or MNIST."""

import argparse

from fastnet.cli.errors import given_as
from fastnet.data.dataset import Dataset
from fastnet.data.idx import load_mnist, read_idx, read_images


def load_data(options: argparse.Namespace) -> tuple[Dataset, Dataset]:
    """(training, test): the files given, or MNIST."""
    names = [f"{split}_{what}" for split in ("train", "test") for what in ("images", "labels")]
    files = {f"--{name.replace('_', '-')}": getattr(options, name) for name in names}
    given = [option for option, file in files.items() if file is not None]
    if not given:
        training, _, test = load_mnist()
        return training, test
    for option, file in files.items():
        if file is None:
            raise ValueError(
                f"{option}: expected a file with {given[0]}, since all four go together, got none"
            )
        if not file:
            raise ValueError(f"{option}: expected a file, got {file!r}")
    training, test = _split(options, "train"), _split(options, "test")
    if training.X.shape[1] != test.X.shape[1]:
        raise ValueError(
            f"--test-images: {options.test_images}: expected images of {training.X.shape[1]} "
            f"features, as those of --train-images, got {test.X.shape[1]}"
        )
    return training, test


def _split(options: argparse.Namespace, split: str) -> Dataset:
    """The images and labels of the files for "train" or "test"."""
    images, labels = (getattr(options, f"{split}_{what}") for what in ("images", "labels"))
    with given_as(f"--{split}-images", images):
        X = read_images(images)
    with given_as(f"--{split}-labels", labels):
        y = read_idx(labels)
        if y.ndim != 1 or y.dtype.kind not in "iu":
            raise ValueError(
                f"expected labels, one integer per image, got {y.dtype} of shape {y.shape}"
            )
        if len(y) != len(X):
            raise ValueError(f"expected {len(X)} labels, as --{split}-images has, got {len(y)}")
        if y.min() < 0:
            raise ValueError(f"expected labels of 0 or more, got {y.min()}")
    with given_as(f"--{split}-images", images):
        return Dataset(X.reshape(len(X), -1), y, 1 / 256)
