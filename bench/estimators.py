"""`fit` of fastnet's estimators beside scikit-learn's: time and accuracy, a Markdown table.

    python bench/estimators.py                     # ten seeds each, some minutes
    python bench/estimators.py --seeds 3 --only digits

One row is a data set, a solver and a type. Both get the same arrays, parameters and number of
epochs (nothing stops them early), and are fitted in turns, seed by seed, on one core. Times
are medians over the seeds, scores on held-out data the means, with the standard deviations.
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
from fastnet import _kernels  # noqa: E402
from fastnet import sklearn as ours  # noqa: E402

BATCH_SIZE = 32
SOLVERS = {"adam": {}, "sgd": {"learning_rate_init": 0.02}}


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


JOBS = {  # name: data, epochs
    "digits": (digits, 20),
    "breast cancer": (breast_cancer, 20),
    "California-shaped": (california, 10),
    "MNIST": (mnist, 2),
}


def fitted(estimator, X, y):
    """(seconds, estimator)"""
    before = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is given
        estimator.fit(X, y)
    return time.perf_counter() - before, estimator


def measure(data, epochs, solver, dtype, seeds):
    """{library: (median seconds, scores)}"""
    X, X_test, y, y_test = data
    X, X_test = X.astype(dtype), X_test.astype(dtype)
    kind = "MLPRegressor" if y.dtype.kind == "f" else "MLPClassifier"
    told = dict(
        solver=solver, batch_size=BATCH_SIZE, max_iter=epochs, n_iter_no_change=epochs,
        **SOLVERS[solver],
    )  # fmt: skip
    taken, scores = {theirs: [], ours: []}, {theirs: [], ours: []}
    fitted(getattr(ours, kind)(**{**told, "max_iter": 1}), X, y)
    for seed in range(seeds):
        for library in (theirs, ours):
            seconds, estimator = fitted(getattr(library, kind)(random_state=seed, **told), X, y)
            assert estimator.n_iter_ == epochs
            taken[library].append(seconds)
            scores[library].append(estimator.score(X_test, y_test))
    return {library: (statistics.median(taken[library]), scores[library]) for library in taken}


def shown(scores):
    return f"{np.mean(scores):.4f} ± {np.std(scores):.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", choices=JOBS)
    arguments = parser.parse_args()
    print(
        f"{machine.processor()}, {_kernels.isa()}; fastnet {fastnet.__version__}, "
        f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}; "
        f"batch_size={BATCH_SIZE}, {arguments.seeds} seeds\n"
    )
    print(
        "| data, epochs | solver | type | scikit-learn | fastnet | times | scikit-learn | fastnet |"
    )
    print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, (load, epochs) in JOBS.items():
        if arguments.only in (None, name):
            data = load()
            for solver in SOLVERS:
                for dtype in ("float64", "float32"):
                    found = measure(data, epochs, solver, dtype, arguments.seeds)
                    (slow, their_scores), (quick, our_scores) = found[theirs], found[ours]
                    print(
                        f"| {name}, {epochs} | {solver} | {dtype} | {slow:.3g} s | {quick:.3g} s "
                        f"| {slow / quick:.1f} | {shown(their_scores)} | {shown(our_scores)} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
