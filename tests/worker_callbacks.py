"""Callbacks and a cost for trainings in other processes, which import them from here."""

import os
import signal
import time
from pathlib import Path

import fastnet


class Touch:
    """Leaves a file in a folder that shows which process trains."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __call__(self, network, epoch, history):
        Path(self.folder, str(os.getpid())).touch()


class HoldUntil:
    """Lets the training wait after its first epoch until there is a file."""

    def __init__(self, path):
        self.path = str(path)

    def __call__(self, network, epoch, history):
        while not os.path.exists(self.path):
            time.sleep(0.005)


def die(network, epoch, history):
    os.kill(os.getpid(), signal.SIGKILL)


def complain(network, epoch, history):
    raise LookupError("not this one")


class OwnCost(fastnet.QuadraticCost):
    """A class of the user's own: half the squared error."""

    @staticmethod
    def fn(a, y):
        return 0.5 * float(((a - y) ** 2).sum())

    @staticmethod
    def delta(z, a, y):
        return (a - y) * a * (1 - a)
