"""Compare the solver "lbfgs" of fastnet's and scikit-learn's estimators on ten data sets.

    python bench/lbfgs.py                      # ten seeds each, some minutes: a Markdown table
    python bench/lbfgs.py --seeds 3 --only digits

Both get the same standardized arrays of float64 and the same parameters: scikit-learn's defaults
with max_iter=200. "10 iterations" is the largest relative difference of the losses over the seeds
after 10 iterations, before rounding differences grow. Times are medians of the processor's seconds
on one core, losses and scores (accuracies, R²) on held-out data the means over the seeds, with the
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
from sklearn import datasets  # noqa: E402
from sklearn import neural_network as theirs  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.preprocessing import StandardScaler, scale  # noqa: E402

import fastnet  # noqa: E402
from fastnet import sklearn as ours  # noqa: E402
from fastnet.core import _kernels  # noqa: E402

SIDES = {"scikit-learn": theirs, "fastnet": ours}


def made(function, **options):
    return lambda: function(random_state=0, **options)


def loaded(function):
    return lambda: function(return_X_y=True)


JOBS = {
    "iris": loaded(datasets.load_iris),
    "wine": loaded(datasets.load_wine),
    "breast cancer": loaded(datasets.load_breast_cancer),
    "digits": loaded(datasets.load_digits),
    "diabetes": loaded(datasets.load_diabetes),
    "moons": made(datasets.make_moons, n_samples=2000, noise=0.3),
    "classification": made(
        datasets.make_classification, n_samples=5000, n_features=40, n_informative=15, n_classes=4
    ),
    "multilabel": made(datasets.make_multilabel_classification, n_samples=2000),
    "regression": made(datasets.make_regression, n_samples=3000, n_features=30, noise=20.0),
    "friedman1": made(datasets.make_friedman1, n_samples=5000, noise=1.0),
}


def parts(load):
    """X, X_test, y, y_test, standardized; real targets, too."""
    X, y = load()
    if y.dtype.kind == "f":
        y = scale(y)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


def fitted(library, data, seed, max_iter):
    """(seconds of the processor, estimator)"""
    X, _, y, _ = data
    kind = library.MLPRegressor if y.dtype.kind == "f" else library.MLPClassifier
    estimator = kind(solver="lbfgs", random_state=seed, max_iter=max_iter)
    before = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the same limit for both
        estimator.fit(X, y)
    return time.process_time() - before, estimator


def row(name, data, seeds):
    """A line of the table."""
    for library in SIDES.values():  # imports and compressed forms are not counted
        fitted(library, data, 0, 2)
    differences = []
    for seed in range(seeds):
        losses = [fitted(library, data, seed, 10)[1].loss_ for library in SIDES.values()]
        differences.append(abs(losses[1] / losses[0] - 1))
    times, losses, scores = ({side: [] for side in SIDES} for _ in range(3))
    for seed in range(seeds):
        for side, library in SIDES.items():
            seconds, estimator = fitted(library, data, seed, 200)
            times[side].append(seconds)
            losses[side].append(estimator.loss_)
            scores[side].append(estimator.score(data[1], data[3]))
    slow, fast = (statistics.median(taken) for taken in times.values())
    cells = [
        f"{name}, {data[0].shape[0]} x {data[0].shape[1]}",
        f"{max(differences):.0e}",
        f"{slow:.3g} s",
        f"{fast:.3g} s ({slow / fast:.1f}x)",
        *(f"{np.mean(each):.4g} ± {np.std(each):.1g}" for each in losses.values()),
        *(f"{np.mean(each):.4f} ± {np.std(each):.4f}" for each in scores.values()),
    ]
    return f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", choices=JOBS)
    arguments = parser.parse_args()
    print(
        f"{machine.processor()}, {_kernels.isa()}; fastnet {fastnet.__version__}, "
        f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}; "
        f"{arguments.seeds} seeds\n"
    )
    heads = [f"{side}, {what}" for what in ("time", "loss", "score") for side in SIDES]
    print(f"| data | 10 iterations | {' | '.join(heads)} |")
    print(f"| --- | {'---: | ' * 7}".rstrip())
    for name, load in JOBS.items():
        if arguments.only in (None, name):
            print(row(name, parts(load), arguments.seeds), flush=True)


if __name__ == "__main__":
    main()
