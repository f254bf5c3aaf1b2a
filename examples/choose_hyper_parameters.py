"""The book's heuristics for choosing hyper-parameters (chapter 3), on MNIST.

    python examples/choose_hyper_parameters.py            # all tables, a minute on one core
    python examples/choose_hyper_parameters.py eta stop   # only these, of feedback, eta, lambda,
                                                          # mini-batch, stop and again

Prints the tables of docs/choosing_hyper_parameters.md, which explains them. Times are CPU times.
"""

import sys
import time

import fastnet

SIZES = [784, 30, 10]
ETA, LMBDA, M = 0.5, 1.0, 10  # the guide's first choices
SEEDS = (1, 2, 3)


def trained(data, epochs, m, eta, lmbda=0.0, sizes=SIZES, seed=1, **options):
    """(network, its validation accuracy after each epoch in per cent, seconds), for ``data`` =
    (training, validation)."""
    training, validation = data
    net = fastnet.Network(sizes, options.pop("cost", "cross-entropy"), seed=seed)
    start = time.process_time()
    history = net.SGD(
        training, epochs, m, eta, lmbda, evaluation_data=validation,
        monitor_evaluation_accuracy=True, verbose=False, **options,
    )  # fmt: skip
    seconds = time.process_time() - start
    return net, [100 * right / len(validation) for right in history.evaluation_accuracy], seconds


def accuracies_of(seeds, *arguments, **options):
    """The final validation accuracy: the mean over networks of these seeds, and their range."""
    finals = [trained(*arguments, seed=seed, **options)[1][-1] for seed in seeds]
    mean = sum(finals) / len(finals)
    return mean, f"{mean:.2f} % ({min(finals):.2f} to {max(finals):.2f})"


def table(heads, rows):
    """Rows of numbers as Markdown."""
    print("|", " | ".join(heads), "|")
    print("|", " | ".join(["---:"] * len(heads)), "|")
    for row in rows:
        print("|", " | ".join(row), "|", flush=True)
    print()


def feedback(training, validation):
    """Accuracy and training time of small networks on part of the data."""
    for sizes, n in (([784, 10], 1000), (SIZES, 1000), (SIZES, 5000), (SIZES, 50_000)):
        part = training[:n]
        _, accuracies, seconds = trained((part, validation[:1000]), 5, M, ETA, sizes=sizes)
        yield [f"{sizes}", f"{len(part):,}", f"{1000 * seconds:.0f} ms", f"{accuracies[-1]:.1f} %"]


def eta(training, validation, epochs=10, seeds=SEEDS):
    """Both costs with each learning rate."""
    best = {}
    for rate in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0):
        row = [f"{rate:g}"]
        for cost in ("cross-entropy", "quadratic"):
            mean, shown = accuracies_of(seeds, (training, validation), epochs, M, rate, cost=cost)
            best[cost] = max(best.get(cost, (0, 0)), (mean, rate))
            row.append(shown)
        yield row
    yield ["best", *(f"{rate:g}" for _, rate in best.values())]


def lmbda(training, validation, epochs=20, seeds=SEEDS):
    """Factors of ten from 1, then values between them."""
    for value in (0.0, 0.01, 0.1, 1.0, 10.0, 100.0, 2.0, 5.0):
        _, shown = accuracies_of(seeds, (training, validation), epochs, M, ETA, value)
        yield [f"{value:g}", shown]


def mini_batch(training, validation, epochs=10):
    """Each size with the rate that the search finds for it."""
    for m in (1, 2, 5, 10, 20, 50, 100, 200):
        net = fastnet.Network(SIZES, seed=1)
        rate = fastnet.find_learning_rate(
            net, training, mini_batch_size=m, lmbda=LMBDA, verbose=False
        ).eta
        accuracies = trained((training, validation), epochs, m, rate, LMBDA)[1]
        epoch = min(trained((training, validation[:1]), 1, m, rate, LMBDA)[2] for _ in range(5))
        first = next((e for e, a in enumerate(accuracies, 1) if a >= 95), None)
        yield [
            f"{m}", f"{rate:g}", f"{1000 * epoch:.0f} ms", f"{accuracies[-1]:.2f} %",
            f"{first * epoch:.2f} s" if first else "-",
        ]  # fmt: skip


def halving(epochs):
    """Halve the rate after 5 epochs without improvement, and restore the best epoch at the end."""
    return {
        "schedule": fastnet.HalveOnPlateau(patience=5),
        "early_stopping": fastnet.EarlyStopping(patience=epochs),
    }


def stop(training, validation, test, epochs=300):
    """Three rules: a fixed number of epochs, no improvement in 10 epochs, and halving."""
    rules = {
        "30 epochs": (min(30, epochs), {}),
        "no improvement in 10": (epochs, {"early_stopping": fastnet.EarlyStopping(patience=10)}),
        "halve eta": (epochs, halving(epochs)),
    }
    data = training, validation
    for name, (length, options) in rules.items():
        net, accuracies, seconds = trained(data, length, M, ETA, LMBDA, **options)
        results = (100 * net.accuracy(each) / len(each) for each in (validation, test))
        yield [name, f"{len(accuracies)}", f"{seconds:.1f} s", *(f"{r:.2f} %" for r in results)]


def again(training, validation, test, epochs=300):
    """lmbda again, with long trainings."""
    for value in (0.0, 1.0, 2.0, 5.0, 10.0):
        net, accuracies, seconds = trained(
            (training, validation), epochs, M, ETA, value, **halving(epochs)
        )
        results = (100 * net.accuracy(data) / len(data) for data in (validation, test))
        yield [f"{value:g}", f"{len(accuracies)}", f"{seconds:.1f} s",
               *(f"{r:.2f} %" for r in results)]  # fmt: skip


def main(chosen):
    training, validation, test = fastnet.load_mnist()
    tables = {
        "feedback": (
            ["network", "training examples", "5 epochs take", "validation accuracy"],
            feedback(training, validation),
        ),
        "eta": (["eta", "cross-entropy", "quadratic"], eta(training, validation)),
        "lambda": (["lmbda", "validation accuracy"], lmbda(training, validation)),
        "mini-batch": (
            ["m", "eta", "one epoch", "after 10 epochs", "95 % reached after"],
            mini_batch(training, validation),
        ),
        "stop": (
            ["rule", "epochs", "time", "validation accuracy", "test accuracy"],
            stop(training, validation, test),
        ),
        "again": (
            ["lmbda", "epochs", "time", "validation accuracy", "test accuracy"],
            again(training, validation, test),
        ),
    }
    for name in chosen or tables:
        if name not in tables:
            sys.exit(f"{name}: expected one of {', '.join(tables)}")
        start = time.process_time()
        table(*tables[name])
        print(f"{name}: {time.process_time() - start:.0f} s\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
