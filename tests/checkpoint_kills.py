"""Trainings that are killed by SIGKILL and resumed, compared with the same training uninterrupted.

A training runs in a child process, which is killed at a random moment or inside a write of its
checkpoint, and runs again until it ends; then parameters, history and the generator's next numbers
are compared bit by bit. ``python tests/checkpoint_kills.py --runs 60`` prints a table.
"""

import argparse
import hashlib
import itertools
import os
import random
import select
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

import fastnet
from fastnet.core import files
from fastnet.io import checkpoint_files
from fastnet.nn import optimizers

try:
    from fastnet import sklearn
except ImportError:  # scikit-learn is not installed
    sklearn = None

EPOCHS = 40
FOLDER = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # None: that for temporary files
PLACES = ("random", "random", "bytes", "fsync", "rename")  # of a kill; all but the first in a write


# ---- the trainings


def examples(n=240, n_in=16, seed=0, sparse=False):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    X = rng.random((n, n_in)) * (rng.random((n, n_in)) < (0.15 if sparse else 1)) + y[:, None] / 8
    X = np.where(rng.random((n, n_in)) < 0.8, 0, X) if sparse else X
    return fastnet.Dataset(X.astype(np.float32), y, sparse=True if sparse else "auto")


class OwnCost:
    @staticmethod
    def fn(a, y):
        return 0.5 * np.sum((a - y) ** 2)

    @staticmethod
    def delta(z, a, y):
        return a - y


class OwnStep(fastnet.Network):
    def update_mini_batch(self, mini_batch, eta, lmbda, n):
        super().update_mini_batch(mini_batch, eta, lmbda, n)


def third(epoch):
    return 0.6 / (1 + epoch % 3)


def nudge(net, epoch, history):
    """Changes the parameters, and stops the training in epoch 30."""
    net.biases[0] = net.biases[0] * np.float32(0.999)
    return epoch == 30


def own_step(path):
    net = OwnStep([16, 5, 3], seed=1)
    history = net.SGD(examples(40), 8, 10, 0.5, verbose=False, checkpoint=path, resume=True)
    return digest(net, history)


def sgd(network=None, training=None, **options):
    """A function that trains with a checkpoint at ``path`` and returns the result's digest."""
    network = {"seed": 1} | (network or {})

    def run(path):
        data = examples() if training is None else training()
        seed = network["seed"]() if callable(network["seed"]) else network["seed"]
        net = fastnet.Network([16, 8, 3], **network | {"seed": seed})
        arguments = {"mini_batch_size": 10, "eta": 0.5, "verbose": False} | options
        epochs = arguments.pop("epochs", EPOCHS)
        history = net.SGD(data, epochs, checkpoint=path, resume=True, **arguments)
        return digest(net, history)

    return run


def digest(net, history):
    """Of the parameters, the history and the next numbers of the generator."""
    made = hashlib.sha256(repr((tuple(history), net.input_scale)).encode())
    for _ in range(2):
        for array in (*net.weights, *net.biases):
            made.update(array.tobytes())
        net.default_weight_initializer()
    return made.hexdigest()


def estimator(kind, **parameters):
    """As ``sgd``, of an estimator."""

    def run(path):
        data, own = examples(), np.random.RandomState(3)
        given = {"random_state": own, "max_iter": EPOCHS, "tol": 0.0} | parameters
        fit = {"eval_set": (data.X[:50], data.y[:50])} if given.pop("eval", False) else {}
        if given.pop("weighted", False):
            fit["sample_weight"] = np.linspace(0.5, 2, len(data))
        made = getattr(sklearn, kind)(hidden_layer_sizes=(8,), **given)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made.fit(data.X, data.y, checkpoint=path, resume=True, **fit)
        names = ("history_", "loss_curve_", "n_iter_", "t_", "loss_", "best_loss_",
                 "validation_scores_", "best_validation_score_")  # fmt: skip
        figures = [getattr(made, name) for name in names]
        of = hashlib.sha256(repr((figures, own.random_sample(3).tolist())).encode())
        for array in (*made.coefs_, *made.intercepts_):
            of.update(array.tobytes())
        return of.hexdigest()

    return run


def estimators():
    """The cases of the estimators."""
    return {
        "classifier, early stopping": estimator("MLPClassifier", early_stopping=True),
        "classifier, adaptive, dropout": estimator(
            "MLPClassifier",
            solver="sgd",
            learning_rate="adaptive",
            dropout=0.2,
            tol=0.01,
            n_iter_no_change=2,
        ),
        "classifier, weights": estimator("MLPClassifier", weighted=True, batch_size=16),
        "regressor, eval_set": estimator("MLPRegressor", eval=True),
        "regressor, invscaling": estimator(
            "MLPRegressor", solver="sgd", learning_rate="invscaling"
        ),
    }


def cases():
    """{name: function}."""
    stopping = fastnet.EarlyStopping("training_cost", patience=5, min_delta=1e-4)
    made = {
        f"optimizer {each.name}": sgd(optimizer=each, eta=each.usual_eta)
        for kind in optimizers.CLASSES
        for each in kind.usual()
    }
    for schedule in (
        fastnet.StepDecay(0.5, 7), fastnet.ExponentialDecay(0.97), fastnet.CosineDecay(),
        fastnet.HalveOnPlateau(2, 1 / 64, "training_cost"), third,
    ):  # fmt: skip
        name = getattr(schedule, "__name__", type(schedule).__name__)
        made[f"schedule {name}"] = sgd(schedule=schedule, eta=2.0)
    if sklearn is not None:
        made |= estimators()
    return made | {
        "plain": sgd(),
        "early stopping": sgd(early_stopping=stopping, eta=6.0, optimizer=fastnet.Momentum(0.9)),
        "early stopping, last": sgd(early_stopping_n=6, evaluation_data=examples(90, seed=4)),
        "dropout": sgd(dropout=0.3, optimizer=fastnet.Adam(), eta=0.01),
        "shift": sgd(shift=1),
        "L1 and L2": sgd(l1=0.3, lmbda=0.4),
        "L2, sparse": sgd(lmbda=5.0, training=lambda: examples(sparse=True)),
        "weights": sgd(sample_weight=np.linspace(0, 2, 240), class_weight="balanced"),
        "several epochs per call": sgd(checkpoint_every=7, epochs=600),
        "several, monitored": sgd(checkpoint_every=5, epochs=300, monitor_training_cost=True),
        "float64": sgd({"dtype": "float64"}, optimizer=fastnet.RMSprop(), eta=0.01),
        "MT19937": sgd({"seed": lambda: np.random.MT19937(5)}, dropout=0.2),
        "Philox": sgd({"seed": lambda: np.random.Philox(5)}),
        "own cost": sgd({"cost": OwnCost}, monitor_training_cost=True),
        "callbacks": sgd(callbacks=[nudge], monitor_training_accuracy=True),
        "overridden step": own_step,
        "standardized": sgd(
            {"inputs": fastnet.Standardize.fit(examples().X)}, monitor_training_cost=True
        ),
        "two threads": sgd({"n_threads": 2}, mini_batch_size=120),
    }  # fmt: skip


# ---- children, and how they are killed


class Kill(NamedTuple):
    """Where a child was killed, and the complete epochs of the checkpoint that it left."""

    place: str
    epochs: int
    leftover: int  # temporary files


class Child:
    """A forked process that runs ``function`` and sends what it returns."""

    def __init__(self, function):
        self._reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._reading)
                os.write(writing, function(writing).encode())
            except BaseException as error:
                os.write(writing, f"{type(error).__name__}: {error}".encode())
            finally:
                os._exit(0)
        os.close(writing)

    def answer(self, seconds=None):
        """What the child has sent within this time; "" if nothing, or if it ended."""
        ready = select.select([self._reading], [], [], seconds)[0]
        return os.read(self._reading, 4096).decode() if ready else ""

    def kill(self):
        """Returns whether the child still ran."""
        os.kill(self.pid, signal.SIGKILL)
        return os.WIFSIGNALED(self.end())

    def end(self):
        os.close(self._reading)
        return os.waitpid(self.pid, 0)[1]


def stop_inside(pipe, place, after, share):
    """Make this process stop in its write number ``after``: after a share of the bytes, before the
    file is synchronized, or before it is renamed."""
    original, count = files.write, [0]

    def wait():
        os.write(pipe, b"inside")
        time.sleep(60)

    def stopping(path, chunks):
        count[0] += 1
        if count[0] == after and place == "bytes":
            parts = [bytes(chunk) for chunk in chunks]
            chunks = interrupted(b"".join(parts))
        elif count[0] == after and place == "fsync":
            os.fsync = lambda number: wait()
        elif count[0] == after:
            Path.replace = lambda self, target: wait()
        original(path, chunks)

    def interrupted(whole):
        end = max(1, int(share * len(whole)))
        yield whole[:end]
        wait()

    files.write = stopping


def killed(function, path, place, seconds, rng):
    """Run ``function`` in a child and kill it; returns the Kill, or None if it ended before."""
    after, share = rng.randint(1, 6), rng.random()  # the write, and the part of its bytes

    def run(pipe):
        if place == "random":
            os.write(pipe, b"begins")
        else:
            stop_inside(pipe, place, after, share)
        return function(path)

    child = Child(run)
    first = child.answer()
    if place == "random":
        child.answer(rng.random() * seconds)
    elif first != "inside":
        child.end()
        return None
    if not child.kill():
        return None
    epochs = checkpoint_files.read(path).epochs if os.path.exists(path) else 0
    return Kill(place, epochs, len([*Path(path).parent.glob("*.part")]))


class Run(NamedTuple):
    name: str
    kills: list
    expected: str  # the digest, or an error
    answer: str

    @property
    def same(self):
        return len(self.expected) == 64 and self.answer == self.expected


def compare(name, function, folder, places, rng):
    """Train without interruption and with kills in these places; returns a Run."""
    begin = time.perf_counter()
    child = Child(lambda pipe: function(os.path.join(folder, "whole.npz")))
    expected = child.answer()
    child.end()
    seconds, path = time.perf_counter() - begin, os.path.join(folder, "killed.npz")
    kills = []
    for place in places:
        for _ in range(20):
            kill = killed(function, path, place, seconds, rng)
            if kill is not None:
                kills.append(kill)
                break
            if os.path.exists(path):
                os.remove(path)  # the training had ended: it begins anew
                kills.clear()
    child = Child(lambda pipe: function(path))
    answer = child.answer()
    child.end()
    return Run(name, kills, expected, answer)


def runs(n, seed):
    """n runs that were killed once or twice, of the cases in a random order, all in turn."""
    rng, made = random.Random(seed), cases()
    names = rng.sample([*made], len(made))
    done = place = 0
    for name in itertools.cycle(names):
        places = [PLACES[(place + i) % len(PLACES)] for i in range(rng.randint(1, 2))]
        place += len(places)
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            run = compare(name, made[name], folder, places, rng)
        if run.kills or not run.same:
            done += 1
            yield run
        if done == n:
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=60, help="trainings that are killed")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    options = parser.parse_args()
    places, same = Counter(), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads of BLAS
        for run in runs(options.runs, options.seed):
            where = ", ".join(f"{it.place} after epoch {it.epochs}" for it in run.kills)
            bits = "same bits" if run.same else f"{run.expected} but {run.answer}"
            print(f"{run.name:32} {bits}  {where}", flush=True)
            places.update(kill.place for kill in run.kills)
            same.append(run.same)
    inside = sum(n for place, n in places.items() if place != "random")
    print(
        f"{sum(same)} of {len(same)} killed trainings ended with the same bits; "
        f"{sum(places.values())} kills, {inside} of them inside a write"
    )
    sys.exit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
