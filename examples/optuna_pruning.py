"""A hyper-parameter search with Optuna that stops unpromising trainings early, by a callback.

    pip install "optuna>=4"
    python examples/optuna_pruning.py                # 30 trials on 5,000 digits of MNIST
    python examples/optuna_pruning.py --trials 100

Each trial trains one network with the eta, the lmbda and the number of hidden neurons that Optuna
proposes. After each epoch the callback reports the validation accuracy. If it is below the median
of the earlier trials at the same epoch, the trial is pruned: the callback raises an exception,
which propagates through ``SGD`` and ends the training.
"""

import argparse

import fastnet

try:
    import optuna
except ImportError:
    raise ImportError(
        'optuna_pruning: expected Optuna to be installed: pip install "optuna>=4"'
    ) from None

EPOCHS = 10


def pruning(trial, validation):
    """A callback for ``SGD`` that reports the trial's accuracies to Optuna."""

    def callback(network, epoch, history):
        trial.report(history.evaluation_accuracy[-1] / len(validation), epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    return callback


def objective(trial, training, validation):
    """The best validation accuracy of a network with the trial's hyper-parameters."""
    hidden = trial.suggest_int("hidden", 10, 100, log=True)
    eta = trial.suggest_float("eta", 0.01, 10.0, log=True)
    lmbda = trial.suggest_float("lmbda", 0.01, 10.0, log=True)
    net = fastnet.Network([784, hidden, 10], seed=1)
    try:
        history = net.SGD(
            training,
            EPOCHS,
            10,
            eta,
            lmbda,
            evaluation_data=validation,
            monitor_evaluation_accuracy=True,
            callbacks=[pruning(trial, validation)],
            verbose=False,
        )
    except fastnet.DivergenceError:
        raise optuna.TrialPruned from None
    return max(history.evaluation_accuracy) / len(validation)


def search(training, validation, trials, seed=1):
    """The study after ``trials`` trials; the same seed gives the same study."""
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
    )
    study.optimize(lambda trial: objective(trial, training, validation), n_trials=trials)
    return study


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=30, metavar="N")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    training, validation, _ = fastnet.load_mnist()
    study = search(training[:5000], validation[:2000], options.trials)
    pruned = sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials)
    epochs = sum(len(trial.intermediate_values) for trial in study.trials)
    print(f"{pruned} of {len(study.trials)} trials were pruned: ", end="")
    print(f"{epochs} epochs instead of {EPOCHS * len(study.trials)}")
    chosen = ", ".join(f"{name} {value:.3g}" for name, value in study.best_params.items())
    print(f"Best validation accuracy: {study.best_value:.2%} with {chosen}")


if __name__ == "__main__":
    main()
