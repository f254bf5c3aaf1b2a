"""The rows of compare_builds.py, run by the Python of the build that is measured.

    python compare_jobs.py                    # answers the questions of compare_builds.py
    python compare_jobs.py count ROW CALLS    # CALLS calls, which valgrind counts

A question is a line of JSON on standard input, the answer one on standard output. The code runs
on version 0.1.0 and on later ones; random data have a seed, so that results can be compared.
"""

import machine

if __name__ == "__main__":
    machine.restrict()  # before NumPy is imported

import gc
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import warnings

import data
import jobs
import numpy as np
from peers import PEERS

import fastnet

try:
    from fastnet.core import _kernels
except ImportError:  # the other build may be an earlier release
    from fastnet import _kernels

WARM_UP = 0.02  # seconds; calls that take longer hardly depend on the caches
FIRST_CALLS = 50  # not counted, since the interpreter specializes the code that it runs


def digest(*arrays):
    """A hash of the arrays' types, shapes and bits."""
    sha = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        sha.update(f"{array.dtype} {array.shape}".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def network(sizes, large_weights=True):
    """A float32 network whose parameters do not depend on the build."""
    net = fastnet.Network(sizes, seed=2)
    net.weights, net.biases = data.initial_parameters(sizes, "float32", large_weights)
    return net


# Each function below returns (the function to time, a function that returns its result as text).


def epoch(job):
    peer = PEERS[0].load()(data.problem(job))
    return peer.epoch, lambda: digest(*peer.network.weights, *peer.network.biases)


def monitored_epoch():
    training, _ = data.digits()
    _, validation, _ = fastnet.load_mnist()
    net = network([784, 30, 10])
    figures = []

    def run():
        history = net.SGD(
            training.dataset, 1, 10, 0.5, evaluation_data=validation,
            monitor_evaluation_accuracy=True, monitor_evaluation_cost=True, verbose=False,
        )  # fmt: skip
        figures[:] = history.evaluation_accuracy + history.evaluation_cost

    return run, lambda: digest(*net.weights, *net.biases, figures)


def accuracy(sizes):
    _, test = data.digits()
    net = network(sizes)
    return lambda: net.accuracy(test.dataset), lambda: str(net.accuracy(test.dataset))


def feedforward(sizes):
    net = network(sizes)
    x = data.random_inputs(1, sizes[0], 1.0 if sizes[0] == 1 else 0.19, "float32")[0]
    return lambda: net.feedforward(x), lambda: digest(net.feedforward(x))


def predictor(sizes):
    predict = network(sizes).predictor()
    x = data.random_inputs(1, sizes[0], 1.0 if sizes[0] == 1 else 0.19, "float32")[0]
    return lambda: predict(x), lambda: digest(predict(x))


def update_mini_batch():
    net = network([1, 1])
    batch = [(np.array([[1.0]]), np.array([[0.0]]))]
    return (
        lambda: net.update_mini_batch(batch, 0.1, 0.0, 1),
        lambda: digest(*net.weights, *net.biases),
    )


def zero_epochs():
    training = data.random_examples(100, 784, 10).dataset
    net = network([784, 30, 10])
    return (
        lambda: net.SGD(training, 0, 10, 0.5, verbose=False),
        lambda: digest(*net.weights, *net.biases),
    )


def load_mnist():
    loaded = []

    def run():
        loaded[:] = fastnet.load_mnist()

    return run, lambda: digest(*(array for part in loaded for array in (part.X, part.y)))


def estimator(kind, method):
    from sklearn.datasets import load_digits

    import fastnet.sklearn

    X, y = load_digits(return_X_y=True)
    X = X / 16
    if kind == "MLPRegressor":
        y = X @ np.linspace(-1, 1, X.shape[1])
    made = getattr(fastnet.sklearn, kind)(random_state=0, max_iter=10, n_iter_no_change=10)
    made.fit(X, y)
    arguments = (X, y) if method in ("fit", "partial_fit", "score") else (X,)
    call = getattr(made, method)

    def result():
        # Predictions are compared as labels, since their type differs between versions.
        labels = [made.predict(X)] if kind == "MLPClassifier" else []
        return digest(*made.coefs_, *made.intercepts_, *labels)

    return lambda: call(*arguments), result


def fit_many(sizes, n, epochs, networks):
    generator = np.random.default_rng(1)
    X = generator.normal(size=(n, sizes[0])).astype(np.float32)
    training = fastnet.Dataset(X, generator.integers(0, sizes[-1], n))
    options = {"sizes": sizes, "epochs": epochs, "mini_batch_size": 10, "eta": 0.1}
    specs = [{**options, "seed": seed} for seed in range(networks)]
    fits = []

    def run():
        fits[:] = fastnet.fit_many(specs, training, max_workers=1, verbose=False)

    def result():
        return digest(*(a for fit in fits for a in (*fit.network.weights, *fit.network.biases)))

    return run, result


def command(*words):
    """A command in a process of its own; its result is its output without times."""
    printed = []

    def run():
        # -P: the fastnet that is installed, not the sources in the current folder
        process = [sys.executable, "-P", *words]
        printed[:] = [subprocess.run(process, stdout=subprocess.PIPE, text=True, check=True).stdout]

    return run, lambda: re.sub(r"Training time.*|\d+\.\d+ s\b.*", "", printed[0])


def rows():
    """{name: (function that prepares the row, whether its instructions are counted)}"""
    made = {job.name(): (lambda job=job: epoch(job), False) for job in jobs.JOBS}
    timed = {
        "one epoch, [784, 30, 10], m = 10, evaluated": monitored_epoch,
        "accuracy on 10,000, [784, 30, 10]": lambda: accuracy([784, 30, 10]),
        "accuracy on 10,000, [784, 100, 10]": lambda: accuracy([784, 100, 10]),
        "load_mnist": load_mnist,
        **{
            f"{kind}.{method}, digits": lambda kind=kind, method=method: estimator(kind, method)
            for kind, methods in {
                "MLPClassifier": ("fit", "partial_fit", "predict", "predict_proba", "score"),
                "MLPRegressor": ("fit", "predict"),
            }.items()
            for method in methods
        },
        "fit_many, 64 x [4, 16, 2], 150 examples": lambda: fit_many([4, 16, 2], 150, 20, 64),
        "fit_many, 16 x [8, 64, 64, 4], 500 examples": lambda: fit_many([8, 64, 64, 4], 500, 5, 16),
        "import fastnet": lambda: command("-c", "import fastnet"),
        "import fastnet.sklearn": lambda: command("-c", "import fastnet.sklearn"),
        "fastnet train, 1 epoch": lambda: command("-m", "fastnet", "train", "--epochs", "1"),
    }
    counted = {
        "feedforward, [1, 1]": lambda: feedforward([1, 1]),
        "predictor call, [1, 1]": lambda: predictor([1, 1]),
        "one image, [784, 30, 10]": lambda: feedforward([784, 30, 10]),
        "one image, [784, 100, 10]": lambda: feedforward([784, 100, 10]),
        "one image through predictor(), [784, 30, 10]": lambda: predictor([784, 30, 10]),
        "one image through predictor(), [784, 100, 10]": lambda: predictor([784, 100, 10]),
        "update_mini_batch, [1, 1]": update_mini_batch,
        "SGD of zero epochs": zero_epochs,
    }
    made |= {name: (prepare, False) for name, prepare in timed.items()}
    return made | {name: (prepare, True) for name, prepare in counted.items()}


def worked():
    """The processor time of this process and its children, in seconds."""
    seconds = time.process_time()
    if os.name == "posix":
        import resource

        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds += usage.ru_utime + usage.ru_stime
    return seconds


class Server:
    """Answers the questions: list the rows, prepare one, call it a number of times."""

    def __init__(self):
        self._rows = rows()
        self._run = None
        self._once = 0.0

    def about(self):
        return {
            "rows": {name: counted for name, (_, counted) in self._rows.items()},
            "fastnet": fastnet.__version__,
            "isa": _kernels.isa(),
            "numpy": np.__version__,
            "path": fastnet.__path__[0],
            "processor": machine.processor(),
        }

    def prepare(self, name):
        """The result of the first call, and the time of the second in seconds."""
        self._run = None  # frees the row before
        gc.collect()
        self._run, result = self._rows[name][0]()
        self._run()
        found = result()
        self._once = self._seconds(1)
        return {"result": found, "seconds": self._once}

    def _seconds(self, calls):
        run = self._run
        before = worked()
        for _ in range(calls):
            run()
        return worked() - before

    def seconds(self, calls):
        """The processor time of one call, the mean of so many."""
        if self._once < WARM_UP:
            self._run()
        return self._seconds(calls) / calls


def serve():
    answers, sys.stdout = sys.stdout, sys.stderr
    server = Server()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = {"answer": getattr(server, name)(*arguments)}
        except Exception as error:  # this build lacks the row
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def count(name, calls):
    """Make the calls of one row; the preparation is the same for any number of calls."""
    runs = {row: prepare()[0] for row, (prepare, counted) in rows().items() if counted}
    for run in runs.values():
        for _ in range(FIRST_CALLS):
            run()
    gc.collect()
    gc.freeze()  # later garbage collections do not visit the objects that exist now
    run = runs[name]
    for _ in range(calls):
        run()


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # estimators that are stopped after so many epochs
    if sys.argv[1:2] == ["count"]:
        count(sys.argv[2], int(sys.argv[3]))
    else:
        serve()
