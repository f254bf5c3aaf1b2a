"""Run by test_progress.py at the other end of a pseudo-terminal, which it makes its own.

    progress_child.py bar          trains with a bar and figures
    progress_child.py interrupt    trains on large layers until Ctrl-C is typed

What it found is printed as JSON.
"""

import copy
import fcntl
import json
import sys
import termios

import numpy as np

import fastnet

fcntl.ioctl(sys.stdin, termios.TIOCSCTTY, 0)  # Ctrl-C typed there is a signal here

rng = np.random.default_rng(0)


def bar():
    data = rng.normal(size=(100, 3)), np.arange(100) % 2
    net = fastnet.Network([3, 2], seed=1)
    stopping = fastnet.EarlyStopping("training_accuracy", 2, min_delta=1000)
    net.SGD(data, 5, 10, 0.5, monitor_training_cost=True, early_stopping=stopping, verbose=2)


def interrupt():
    """How many mini-batches of the epoch that was interrupted are in the parameters?"""
    n, m = 20_000, 10
    data = fastnet.Dataset(rng.normal(size=(n, 100)).astype(np.float32), np.arange(n) % 10)
    net = fastnet.Network([100, 600, 600, 10], seed=1, hidden="relu")
    kept = []

    def keep(net, epoch, history):
        kept.append((copy.deepcopy(net), history))

    try:
        net.SGD(
            data, 20, m, 0.01, monitor_evaluation_accuracy=True, evaluation_data=data[:10],
            verbose=2, callbacks=[keep],
        )  # fmt: skip
    except KeyboardInterrupt:
        pass
    else:
        sys.exit("was not interrupted")
    twin, history = kept[-1]
    order = copy.deepcopy(net._stream).permutation(n)
    same_stream = (order == copy.deepcopy(twin._stream).permutation(n)).all()
    done = 0
    while twin != net and done * m < n:
        twin.update_mini_batch(data[order[done * m : (done + 1) * m]], 0.01, 0.0, n)
        done += 1
    print(
        json.dumps(
            {
                "epochs": len(kept),
                "figures": len(history.evaluation_accuracy),
                "mini-batches": done,
                "of": n // m,
                "the same": twin == net,
                "stream": bool(same_stream),
                "finite": all(bool(np.isfinite(w).all()) for w in net.weights),
            }
        )
    )


{"bar": bar, "interrupt": interrupt}[sys.argv[1]]()
