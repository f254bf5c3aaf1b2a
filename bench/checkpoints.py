"""What checkpoints cost: epochs of [784, 30, 10] on MNIST with and without one after each epoch, on
a RAM disk and on a disk, and what a call of ``SGD`` takes beside.

    python bench/checkpoints.py [FOLDER]      # FOLDER: on the disk, by default the present one
"""

import machine

machine.restrict()  # before NumPy is imported

import os  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

import fastnet  # noqa: E402
from fastnet.core import _kernels  # noqa: E402
from fastnet.io.checkpoint_files import CheckpointFile  # noqa: E402
from fastnet.training import identity  # noqa: E402

EPOCHS, ROUNDS = 10, 7
RAM = "/dev/shm"
written = []  # milliseconds of each checkpoint


def timed(write):
    def timing(*arguments):
        start = time.perf_counter()
        write(*arguments)
        written.append((time.perf_counter() - start) * 1e3)

    return timing


def train(training, path, optimizer):
    """(network, milliseconds of the processor for an epoch) of a training with a checkpoint at
    ``path``, or None."""
    net, each = fastnet.Network([784, 30, 10], seed=1), []
    eta = 0.5 if optimizer is None else optimizer.usual_eta
    net.SGD(training, EPOCHS, 10, eta, optimizer=optimizer, checkpoint=path, verbose=False,
            callbacks=[lambda *_: each.append(time.process_time())])  # fmt: skip
    return net, (each[-1] - each[0]) / (EPOCHS - 1) * 1e3


def report(training, optimizer, paths):
    """Print the times of an epoch and of a checkpoint, with this optimizer."""
    epochs, writes, nets = {name: [] for name in paths}, {name: [] for name in paths}, []
    for _ in range(ROUNDS):
        for name, path in paths.items():
            written.clear()
            net, milliseconds = train(training, path, optimizer)
            epochs[name].append(milliseconds)
            writes[name] += written
            nets.append(net)
    assert all(net == nets[0] for net in nets)
    print(f"{optimizer or 'plain'}, {os.path.getsize(paths['disk'])} bytes")
    for name in paths:
        words = f"  {name:14} epoch {statistics.median(epochs[name]):.1f} ms of the processor"
        if writes[name]:
            words += f", a checkpoint {statistics.median(writes[name]):.2f} ms"
            words += f" (lowest {min(writes[name]):.2f})"
        print(words)


def main():
    disk = os.path.join(sys.argv[1] if len(sys.argv) > 1 else ".", "bench_checkpoint.npz")
    paths = {"no checkpoint": None, "RAM disk": os.path.join(RAM, "bench_checkpoint.npz"),
             "disk": disk}  # fmt: skip
    training = fastnet.load_mnist()[0]
    CheckpointFile.write = timed(CheckpointFile.write)
    print(f"{machine.processor()}, {_kernels.isa()}, fastnet {fastnet.__version__}")
    for optimizer in (None, fastnet.Adam()):
        report(training, optimizer, paths)
    start = time.process_time()
    identity.of_data(training)
    print(f"fingerprint of the training data: {(time.process_time() - start) * 1e3:.1f} ms")
    for path in (paths["RAM disk"], disk):
        os.remove(path)


if __name__ == "__main__":
    main()
