"""Small data in files, and commands that train on them."""

import os
import pathlib
import struct
import subprocess
import sys
import sysconfig

import numpy as np

import fastnet
import fastnet.cli.train

SCRIPT = [str(pathlib.Path(sysconfig.get_path("scripts")) / "fastnet")]
MODULE = [sys.executable, "-m", "fastnet"]
RANDOM = np.random.default_rng(5)
# 3 classes in 5 x 4 pixels: the class is where it is bright
LABELS = np.arange(90, dtype=np.uint8) % 3
PIXELS = RANDOM.integers(100, size=(90, 5, 4)).astype(np.uint8)
PIXELS[np.arange(90), LABELS] += 150


def write_idx(path, array):
    code = {"uint8": 8, "int16": 11, "float32": 13}[array.dtype.name]
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    path.write_bytes(head + array.astype(array.dtype.newbyteorder(">")).tobytes())


def write_files(folder):
    """Training and test files with small data."""
    write_idx(folder / "train-images", PIXELS[:60])
    write_idx(folder / "train-labels", LABELS[:60])
    write_idx(folder / "test-images", PIXELS[60:])
    write_idx(folder / "test-labels", LABELS[60:])


FILES = [
    word for name in ("train-images", "train-labels", "test-images", "test-labels")
    for word in (f"--{name}", name)
]  # fmt: skip
OPTIONS = [
    "--hidden", "12", "6", "--cost", "quadratic", "--output", "sigmoid", "--epochs", "8",
    "--mini-batch-size", "3", "--eta", "3", "--lmbda", "0.05", "--seed", "12",
    "--dtype", "float64", "--initializer", "default",
]  # fmt: skip


def data():
    """What the files hold: (training, test)."""
    both = fastnet.Dataset(PIXELS.reshape(90, 20), LABELS, 1 / 256)
    return both[:60], both[60:]


def run(command, *arguments, **options):
    environment = {**os.environ, "PYTHONWARNINGS": "error", **options.pop("env", {})}
    return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True,
                          timeout=60, **options)  # fmt: skip
