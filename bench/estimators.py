"""Compare `fit` of fastnet's and scikit-learn's estimators: time and accuracy, a Markdown table.

    python bench/estimators.py                     # ten seeds each, a quarter of an hour
    python bench/estimators.py --seeds 3 --only digits --batch-size 64

A row is a data set, a batch_size and a solver. All get the same arrays of float64, parameters
and number of epochs (none stops early), and are fitted alternately, seed by seed, on one
core. fastnet takes part twice: with its default dtype, here float32, and with
dtype="float64". Times are medians over the seeds, scores on held-out data the means, with the
standard deviations.
"""

import machine

machine.restrict()  # before NumPy is imported

import argparse  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn import neural_network as theirs  # noqa: E402
from sklearn.datasets import load_breast_cancer, load_digits  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

import fastnet  # noqa: E402
from fastnet import sklearn as ours  # noqa: E402
from fastnet.core import _kernels  # noqa: E402

BATCH_SIZES = (32, 64)
SOLVERS = {
    "adam": {"solver": "adam"},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.02},
    "sgd, momentum=0": {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0},
}
SIDES = {
    "scikit-learn": (theirs, {}),
    "fastnet": (ours, {}),
    "fastnet, float64": (ours, {"dtype": "float64"}),
}


def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, random_state=0)


def breast_cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return train_test_split(StandardScaler().fit_transform(X), y, random_state=0)


def california():
    """Random numbers of the shape of the California housing data."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(20_640, 8))
    y = np.tanh(X[:, 0] + X[:, 1] * X[:, 2]) + np.abs(X[:, 3]) + 0.3 * X[:, 4:].sum(axis=1)
    return train_test_split(X, y + 0.3 * generator.normal(size=len(y)), random_state=0)


def mnist():
    training, _, test = fastnet.load_mnist()
    return training.X / 256, test.X / 256, training.y, test.y


# name: data, epochs; scikit-learn's own rule stops Adam after 138, 186 and 61 of the first three
JOBS = {
    "digits": (digits, 100),
    "breast cancer": (breast_cancer, 100),
    "California-shaped": (california, 10),
    "MNIST": (mnist, 5),
}


def fitted(estimator, X, y):
    """(seconds of the processor, estimator): others may use the core, too"""
    before = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is given
        estimator.fit(X, y)
    return time.process_time() - before, estimator


def measure(data, epochs, batch_size, solver, seeds):
    """{side: (median seconds, scores)}"""
    X, X_test, y, y_test = data
    kind = "MLPRegressor" if y.dtype.kind == "f" else "MLPClassifier"
    options = dict(
        batch_size=batch_size, max_iter=epochs, n_iter_no_change=epochs, **SOLVERS[solver]
    )
    taken, scores = ({side: [] for side in SIDES} for _ in range(2))
    for seed in range(-1, seeds):  # the first time is not counted
        for side, (library, more) in SIDES.items():
            estimator = getattr(library, kind)(random_state=max(seed, 0), **options, **more)
            if seed < 0:
                fitted(estimator.set_params(max_iter=1), X, y)
                continue
            taken[side].append(fitted(estimator, X, y)[0])
            assert estimator.n_iter_ == epochs
            scores[side].append(estimator.score(X_test, y_test))
    return {side: (statistics.median(taken[side]), scores[side]) for side in SIDES}


def row(name, epochs, batch_size, solver, found):
    slow = found["scikit-learn"][0]
    times = [f"{seconds:.3g} s ({slow / seconds:.1f}x)" for seconds, _ in found.values()]
    times[0] = f"{slow:.3g} s"
    scores = [f"{np.mean(scores):.4f} ± {np.std(scores):.4f}" for _, scores in found.values()]
    return f"| {name}, {epochs} | {batch_size} | {solver} | {' | '.join(times + scores)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", choices=JOBS)
    parser.add_argument("--batch-size", nargs="+", type=int, default=BATCH_SIZES)
    arguments = parser.parse_args()
    print(
        f"{machine.processor()}, {_kernels.isa()}; fastnet {fastnet.__version__}, "
        f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}; "
        f"{arguments.seeds} seeds\n"
    )
    print(f"| data, epochs | batch_size | solver | {' | '.join(SIDES)} | {' | '.join(SIDES)} |")
    print(f"| --- | ---: | --- | {'---: | ' * 2 * len(SIDES)}".rstrip())
    for name, (load, epochs) in JOBS.items():
        if arguments.only in (None, name):
            data = load()
            for batch_size in arguments.batch_size:
                for solver in SOLVERS:
                    found = measure(data, epochs, batch_size, solver, arguments.seeds)
                    print(row(name, epochs, batch_size, solver, found), flush=True)


if __name__ == "__main__":
    main()
