"""Tables of one's own: fastnet beside a pipeline of scikit-learn, by score and by time of the fit.

    OMP_NUM_THREADS=1 taskset -c 0 python -P bench/own_data.py [--seeds 10]

On each table and for each seed a quarter of the rows is held out, and both sides learn the others,
encoded by ``fastnet.Table``, and by scikit-learn's StandardScaler, OneHotEncoder and SimpleImputer:

- Scores: ``fastnet.fit_table`` with its usual settings beside scikit-learn's MLP with the same
  layers, mini-batches and patience; both hold out a fifth of the rows to stop early.
- Times: of the fit alone, of the same network on the same encoded data, with the same epochs (50)
  and mini-batches (32), by Adam in float32, without early stopping, in seconds of the processor.

It prints a table in Markdown.
"""

import argparse
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import fastnet
from fastnet import own_data

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import tables

EPOCHS, BATCH = 50, 32
HIDDEN = own_data.HIDDEN


def frame_of(name):
    """(frame of the inputs, targets)"""
    import pandas

    header, rows = tables.rows_of(name)
    frame = pandas.DataFrame(rows, columns=header).replace({"": None, "NA": None})
    for column in frame:
        try:
            frame[column] = pandas.to_numeric(frame[column])
        except (ValueError, TypeError):
            frame[column] = frame[column].astype(object)
    y = frame.pop(tables.target_of(name))
    return frame, y.to_numpy()


def encoder():
    """scikit-learn's: scaled numbers, with their mean where one is missing, and one-hot texts."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
        sparse_threshold=0,
    )


def scores(name, seed):
    """The scores of both on the rows that neither has seen."""
    is_regression = {**tables.REAL, **tables.MADE}[name]
    frame, y = frame_of(name)
    split = train_test_split(
        frame, y, random_state=seed, stratify=None if is_regression else y
    )  # a quarter is held out
    X, X_test, y, y_test = split
    task = "regression" if is_regression else "classification"
    fit = fastnet.fit_table(X.assign(TARGET=y), "TARGET", seed=seed, task=task, unknown="ignore")
    made = (MLPRegressor if is_regression else MLPClassifier)(
        hidden_layer_sizes=HIDDEN, activation="tanh", batch_size=BATCH, early_stopping=True,
        validation_fraction=0.2, n_iter_no_change=20, max_iter=1000, random_state=seed,
    )  # fmt: skip
    if is_regression:
        made = TransformedTargetRegressor(made, transformer=StandardScaler())
    theirs = make_pipeline(encoder(), made).fit(X, y)
    if is_regression:
        predicted = fit.net.feedforward(X_test)[:, 0], theirs.predict(X_test)
        return [r2_score(y_test, one) for one in predicted]
    predicted = fit.net.predict_labels(X_test), theirs.predict(X_test)
    return [accuracy_score(y_test, one) for one in predicted]


def times(name, seed):
    """Seconds of the fit alone: the same data, epochs, mini-batches, layers and optimizer."""
    is_regression = {**tables.REAL, **tables.MADE}[name]
    frame, y = frame_of(name)
    X = np.ascontiguousarray(encoder().fit_transform(frame), np.float32)
    labels = np.unique(y, return_inverse=True)[1]
    data = fastnet.Dataset(X, np.asarray(y, np.float32)[:, None] if is_regression else labels)
    n_out = 1 if is_regression else labels.max() + 1
    net = fastnet.Network(
        [X.shape[1], *HIDDEN, n_out], "quadratic" if is_regression else "log-likelihood",
        output="linear" if is_regression else "softmax", hidden="tanh", seed=seed,
    )  # fmt: skip
    start = time.process_time()
    net.SGD(data, EPOCHS, BATCH, 0.001, 0.1, optimizer=fastnet.Adam(), verbose=False)
    ours = time.process_time() - start
    theirs = (MLPRegressor if is_regression else MLPClassifier)(
        hidden_layer_sizes=HIDDEN, activation="tanh", alpha=0.1, batch_size=BATCH, max_iter=EPOCHS,
        n_iter_no_change=EPOCHS, tol=0, random_state=seed,
    )  # fmt: skip
    target = np.asarray(y, np.float32) if is_regression else labels
    start = time.process_time()
    theirs.fit(X, target)
    seconds = time.process_time() - start
    assert theirs.n_iter_ == EPOCHS
    return ours, seconds


def measured(name, seeds):
    """The row of one table."""
    found = [scores(name, seed) for seed in range(seeds)]
    ours, theirs = ([pair[k] for pair in found] for k in (0, 1))
    seconds = [times(name, seed) for seed in range(seeds)]
    return {
        "table": name,
        "figure": "R²" if {**tables.REAL, **tables.MADE}[name] else "accuracy",
        "fastnet": summary(ours),
        "scikit-learn": summary(theirs),
        "seconds": [statistics.median(pair[k] for pair in seconds) for k in (0, 1)],
    }


def summary(values):
    return {"mean": statistics.mean(values), "low": min(values), "high": max(values)}


def markdown(rows):
    """The table."""
    lines = [
        "| table | figure | fastnet | scikit-learn | fastnet, fit | scikit-learn, fit | ratio |",
        "|---|---|---|---|---:|---:|---:|",
    ]
    for row in rows:
        shown = [
            f"{one['mean']:.3f} ({one['low']:.3f} to {one['high']:.3f})"
            for one in (row["fastnet"], row["scikit-learn"])
        ]
        ours, theirs = row["seconds"]
        lines.append(
            f"| {row['table']} | {row['figure']} | {' | '.join(shown)} | {1000 * ours:.1f} ms | "
            f"{1000 * theirs:.0f} ms | {theirs / ours:.1f}x |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = [measured(name, options.seeds) for name in (*tables.REAL, *tables.MADE)]
    print(markdown(rows))


if __name__ == "__main__":
    main()
