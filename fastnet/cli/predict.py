"""``fastnet predict``."""

import argparse

import numpy as np

from fastnet.cli.errors import given_as
from fastnet.data.dataset import Dataset
from fastnet.data.idx import read_images
from fastnet.model import classes_of
from fastnet.network import load


def run(options: argparse.Namespace) -> None:
    """Print one predicted class per image."""
    with given_as("MODEL", options.model):
        net = load(options.model)
    with given_as("IMAGES", options.images):
        images = read_images(options.images)
        X = images.reshape(len(images), -1)
        if X.shape[1] != net.sizes[0]:
            raise ValueError(
                f"expected {net.sizes[0]} pixels per image, the inputs of {options.model}, "
                f"got {X.shape[1]}"
            )
    scale = net.input_scale if options.scale is None else options.scale
    if scale is None and images.dtype != np.uint8:
        scale = 1.0
    if scale is None:
        raise ValueError(
            f"--scale: expected a number, since {options.model} does not say how its inputs were "
            f"scaled; the pixels of MNIST usually are by 1/256 = {1 / 256}"
        )
    try:
        outputs = net.feedforward(Dataset(X, np.zeros(len(X), np.int64), scale, sparse=False))
    except ValueError as error:  # names arguments that the user has not passed
        name, _, what = str(error).partition(": ")
        given = "--scale" if name == "scale" else f"IMAGES: {options.images}"
        raise ValueError(f"{given}: {what}") from None
    print(*classes_of(outputs), sep="\n")
