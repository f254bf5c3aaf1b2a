"""Measure the gain and the time of each technique, [784, 100, 10] on MNIST: docs/techniques.json.

    python tools/measure_techniques.py               # techniques not yet in the file
    python tools/measure_techniques.py L2 dropout    # these again
    python tools/measure_techniques.py --times       # the times of all in the file
    python tools/measure_techniques.py --write       # only write docs/techniques.md's table

Each technique is trained from five seeds, with the accuracy on the validation set after each
epoch. Then epochs with and without the technique alternate, without monitoring, and their
processor times are compared. One core, twenty minutes.
"""

import argparse
import json
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import fastnet
from fastnet.core import _kernels
from fastnet.nn import initializers, optimizers
from fastnet.nn.activations import ACTIVATIONS
from fastnet.nn.costs import COSTS

TOP = Path(__file__).parent.parent
MEASURED = TOP / "docs" / "techniques.json"
DOCUMENT = TOP / "docs" / "techniques.md"
BEGIN, END = "<!-- measured -->", "<!-- measured: end -->"
SEEDS = range(5)
ROUNDS = 7
PLAIN = "plain"
IMBALANCED = "few examples of some classes"
FEW_OF_SOME = "training[np.maximum(training.y < 5, np.arange(50_000) % 20 == 0)]"
EVERY = "test_techniques.py::test_three_epochs_of_each_technique_end_where_the_reference_ends"
PYTORCH = "test_techniques.py::test_ten_mini_batches_end_where_pytorch_ends"
RMSPROP = "test_techniques.py::test_rmsprop_divides_by_the_root_of_the_running_mean_of_squares"
STEPS = "test_rows.py::test_each_optimizer_takes_the_reference_s_steps_at_all_widths"
OPTIMIZERS = {
    **dict.fromkeys(("momentum", "nesterov", "adam", "adamw"), PYTORCH), "rmsprop": RMSPROP
}  # fmt: skip
NEURONS = "test_techniques.py::test_hidden_neurons_of_each_kind_train_as_the_reference_does"
INITIAL = (
    "test_initializers.py::test_the_weights_have_the_mean_and_the_variance_that_the_papers_give"
)
SLOPE = "test_gradients.py::test_the_gradient_is_the_slope_of_the_cost"


@dataclass(frozen=True)
class Technique:
    """One row of the table.

    Parameters
    ----------
    name, formula : str
    arguments : str
        The arguments of ``SGD`` that the technique adds, in Python.
    test : str
        file::name, in tests/.
    network : str
        The arguments of ``Network`` that it adds.
    eta : float
        Its learning rate: the best of a few tried with one seed.
    data : str
        Its training data, an expression of ``training``.
    epochs : int
        Chosen so that all techniques train on the same number of mini-batches.
    baseline : str
        The technique it is compared with.
    """

    name: str
    formula: str
    arguments: str
    test: str
    network: str = ""
    eta: float = 0.5
    data: str = "training"
    epochs: int = 30
    baseline: str = PLAIN

    @property
    def parameter(self):
        data = "" if self.data == "training" else self.data
        return ", ".join(filter(None, [self.network, self.arguments, data]))

    @property
    def setting(self):
        """All that its figures depend on: if it changes, they are measured again."""
        called = f"SGD({self.data}, {self.epochs}, 10, {self.eta:g}, {self.arguments})"
        return f"Network({self.network}); {called}"

    def written(self, text):
        """Keyword arguments, evaluated from their text in Python."""
        return eval(f"dict({text})", {"fastnet": fastnet})

    def net(self, seed):
        return fastnet.Network([784, 100, 10], seed=seed, **self.written(self.network))

    def train(self, net, training, epochs, evaluation=None, **more):
        options = {"evaluation_data": evaluation, **self.written(self.arguments), **more}
        return net.SGD(training, epochs, 10, self.eta, verbose=False, **options)

    @property
    def needs_accuracy(self):
        """Whether it needs the accuracy after each epoch, whatever is monitored."""
        return "Plateau" in self.arguments or "early_stopping" in self.arguments


def of_neurons(kind):
    formula, network = f"a = {kind.filled(kind.formula)}", f'hidden="{kind.name}"'
    return Technique(kind.name, formula, "", NEURONS, network, eta=kind.eta)


def of_optimizer(one):
    lmbda = f"lmbda={one.usual_lmbda}, " if one.usual_lmbda else ""
    arguments = f"{lmbda}optimizer=fastnet.{one.call}"
    test = OPTIMIZERS.get(one.name, STEPS)
    return Technique(one.label, one.formula, arguments, test, eta=one.usual_eta)


def of_cost(cost, output):
    name, network = f"{cost.name} cost, {output} outputs", f'cost="{cost.name}"'
    if output != next(iter(cost.errors)):
        network += f', output="{output}"'
    formula = f"C = {cost.filled(cost.formula.text)}"
    return Technique(name, formula, "", SLOPE, network, eta=cost.etas[output])


def doubled(name, formula, test, made):
    data = f"joined(training, fastnet.augment.{made})"
    return Technique(name, formula, "", f"test_augment.py::{test}", data=data, epochs=15)


def joined(*parts):
    """Several data sets of the same scale as one."""
    X, y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "y"))
    return fastnet.Dataset(X, y, parts[0].scale)


def of_initializer(name, formula):
    return Technique(f"initial weights: {name}", formula, "", INITIAL, f'initializer="{name}"')


TECHNIQUES = [
    Technique(PLAIN, "W ← W − (η/m) Σ ∂C/∂W", "",
              "test_training_steps.py::test_three_epochs_end_where_the_reference_ends"),
    Technique("L2", "W ← (1 − ηλ/n) W − (η/m) Σ ∂C/∂W", "lmbda=5.0", EVERY),
    Technique("L1", "W ← W − (ηλ₁/n) sgn W − (η/m) Σ ∂C/∂W", "l1=1.0",
              "test_techniques.py::test_l1_draws_every_weight_towards_zero_by_the_same_amount"),
    Technique("elastic net", "W ← (1 − ηλ/n) W − (ηλ₁/n) sgn W − (η/m) Σ ∂C/∂W",
              "lmbda=2.5, l1=0.5", EVERY),
    Technique("dropout", "a ← a r / (1 − p), r = 0 with probability p, else 1", "dropout=0.2",
              "test_techniques.py::"
              "test_dropout_drops_the_share_that_is_asked_for_and_scales_the_others"),
    *(of_optimizer(one) for one in optimizers.USUAL.values() if one.label),
    *(of_neurons(each) for each in ACTIVATIONS.values() if each.eta),
    *(of_initializer(name, formula) for name, formula in initializers.FORMULAS.items()),
    Technique("step decay", "η f^⌊(epoch − 1)/k⌋", "schedule=fastnet.StepDecay(0.5, every=5)",
              "test_schedules.py::test_step_decay_multiplies_after_every_so_many_epochs"),
    Technique("exponential decay", "η f^(epoch − 1)", "schedule=fastnet.ExponentialDecay(0.9)",
              "test_schedules.py::test_exponential_decay_multiplies_after_every_epoch"),
    Technique("cosine decay", "η (1 + cos(π (epoch − 1)/T)) / 2", "schedule=fastnet.CosineDecay()",
              "test_schedules.py::test_cosine_decay_is_half_a_cosine_over_the_epochs_of_the_call"),
    Technique("halve on plateau", "η ← η/2 after k epochs without a better accuracy; stop at η/128",
              "schedule=fastnet.HalveOnPlateau(2)",
              "test_schedules.py::test_halving_follows_a_sequence_worked_by_hand"),
    Technique("early stopping",
              "stop after k epochs without a better accuracy; restore the best parameters",
              "early_stopping=fastnet.EarlyStopping(patience=5)",
              "test_early_stopping.py::"
              "test_training_stops_after_so_many_epochs_without_improvement"),
    Technique("shifts on the fly", "x shifted by up to k pixels in each direction", "shift=1",
              "test_techniques.py::"
              "test_a_shift_moves_an_image_by_whole_pixels_evenly_in_all_directions"),
    Technique("five-fold training data",
              "each image and copies shifted by a pixel in 4 directions", "",
              "test_mnist_expansion.py::"
              "test_the_five_fold_set_beats_the_plain_one_at_equally_many_mini_batches",
              data="fastnet.augment.expand_by_shifts(training)", epochs=6),
    doubled("rotations", "each image and a copy rotated by up to 10 degrees",
            "test_every_image_is_turned_by_an_angle_of_its_own_within_the_bounds",
            "rotate(training, 10, seed=1)"),
    doubled("affine distortions", "each image and a copy rotated, scaled and sheared at random",
            "test_all_together_is_the_product_of_the_matrices",
            "affine(training, 10, 0.1, 0.1, seed=1)"),
    doubled("elastic distortions", "each image and a copy distorted by a smooth random field",
            "test_elastic_is_scipys_gaussian_and_interpolation",
            "elastic(training, 34, 4, seed=1)"),
    Technique(IMBALANCED, "19 of 20 images of 5 to 9 left out", "",
              "test_training_steps.py::test_three_epochs_end_where_the_reference_ends",
              data=FEW_OF_SOME, baseline=IMBALANCED),
    Technique("the same, class weights", "W ← W − (η/Σ w) Σ w ∂C/∂W",
              'class_weight="balanced"',
              "test_weights_of_examples.py::test_a_whole_weight_is_the_example_as_often",
              data=FEW_OF_SOME, baseline=IMBALANCED),
    *(of_cost(cost(), output) for cost in COSTS for output in cost.etas),
]  # fmt: skip
BY_NAME = {technique.name: technique for technique in TECHNIQUES}


# ---- measuring


def data_of(technique, training):
    return eval(technique.data, {**globals(), "training": training})


def accuracies(technique, training, validation):
    """{"best", "final", "epochs"}: counts of correct examples, and the epochs trained, per seed."""
    found = {"best": [], "final": [], "epochs": []}
    for seed in SEEDS:
        history = technique.train(
            technique.net(seed), training, technique.epochs, validation,
            monitor_evaluation_accuracy=True,
        )  # fmt: skip
        counts = history.evaluation_accuracy
        found["best"].append(max(counts))
        found["final"].append(max(counts) if "early" in technique.arguments else counts[-1])
        found["epochs"].append(len(counts))
    return found


def epoch_seconds(technique, net, training, validation):
    before = time.process_time()
    technique.train(net, training, 1, validation if technique.needs_accuracy else None)
    return time.process_time() - before


def epoch_ratios(technique, training, plain_training, validation):
    """The ratio of an epoch's processor time to that of its baseline, in each round."""
    plain = BY_NAME[technique.baseline]
    nets = plain.net(0), technique.net(0)
    ratios = []
    for _ in range(ROUNDS + 1):
        without = epoch_seconds(plain, nets[0], plain_training, validation)
        ratios.append(epoch_seconds(technique, nets[1], training, validation) / without)
    return [round(ratio, 3) for ratio in ratios[1:]]  # the first warms up


def measure(technique, training, validation, known=None):
    """The figures of a technique; if they are `known`, only its times are measured."""
    data = data_of(technique, training)
    plain_data = data_of(BY_NAME[technique.baseline], training)
    times = {"epoch_time": epoch_ratios(technique, data, plain_data, validation)}
    if known:
        return known | times
    return {"setting": technique.setting, **times, **accuracies(technique, data, validation)}


def processor():
    """Its name if the system knows it, otherwise its architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def machine():
    versions = f"fastnet {fastnet.__version__}, NumPy {np.__version__}"
    return f"{processor()}, {_kernels.isa()}, Python {platform.python_version()}, {versions}"


def read():
    """The figures that were measured with the current settings: {name: figures}."""
    if not MEASURED.exists():
        return {}
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))["techniques"]
    return {
        technique.name: measured[technique.name]
        for technique in TECHNIQUES
        if measured.get(technique.name, {}).get("setting") == technique.setting
    }


def write_figures(measured):
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(measured[name], ensure_ascii=False)}"
        for name in BY_NAME
        if name in measured
    )
    MEASURED.write_text(
        f'{{\n"machine": {json.dumps(machine())},\n"seeds": {len(SEEDS)},\n'
        f'"techniques": {{\n{lines}\n}}\n}}\n',
        encoding="utf-8",
    )


# ---- the table


def spread(values, form):
    """The median, with minimum and maximum."""
    middle, least, most = (form(f(values)) for f in (statistics.median, min, max))
    return f"{middle} ({least}–{most})"


def percent(count):
    return f"{count / 100:.2f}"


def row(technique, measured):
    figures, baseline = measured[technique.name], measured[technique.baseline]
    gain = statistics.median(figures["best"]) - statistics.median(baseline["best"])
    time_of_plain = spread(figures["epoch_time"], "{:.2f}".format)
    return [
        technique.name,
        technique.formula.replace("|", "\\|").replace(" - ", " − "),
        f"`{technique.parameter}`" if technique.parameter else "",
        f"{technique.eta:g}",
        spread(figures["best"], percent),
        "" if technique.name == technique.baseline else f"{gain / 100:+.2f}".replace("-", "−"),
        spread(figures["final"], percent),
        str(technique.epochs)
        if len(set(figures["epochs"])) == 1
        else spread(figures["epochs"], str),
        "1" if technique.name == technique.baseline else time_of_plain,
        f"`{technique.test}`",
    ]


HEAD = ["technique", "formula", "parameter", "η", "best epoch, %", "gain over plain",
        "last epoch, %", "epochs", "epoch time", "test in tests/"]  # fmt: skip


def table(document):
    """The part of docs/techniques.md between the two markers."""
    measured = document["techniques"]
    rows = [row(technique, measured) for technique in TECHNIQUES if technique.name in measured]
    rule = [
        "---" if name in ("technique", "formula", "parameter", HEAD[-1]) else "---:"
        for name in HEAD
    ]
    body = "\n".join("| " + " | ".join(cells) + " |" for cells in (HEAD, rule, *rows))
    return f"Measured on: {document['machine']}.\n\n{body}"


def write():
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    document = json.loads(MEASURED.read_text(encoding="utf-8"))
    between = f"{BEGIN}\n{table(document)}\n{END}"
    DOCUMENT.write_text(before + between + rest.split(END)[1], encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description="Measure the gain and the time of the techniques.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BY_NAME)}")
    parser.add_argument("--times", action="store_true", help="only measure times again")
    parser.add_argument("--write", action="store_true", help="only write the table")
    options = parser.parse_args()
    if options.write:
        write()
        return
    unknown = set(options.names) - set(BY_NAME)
    if unknown:
        parser.error(f"NAME: expected some of {', '.join(BY_NAME)}; got {', '.join(unknown)}")
    training, validation, _ = fastnet.load_mnist()
    measured = read()
    names = options.names or [name for name in BY_NAME if (name in measured) == options.times]
    for name in names:
        known = measured.get(name) if options.times else None
        measured[name] = found = measure(BY_NAME[name], training, validation, known)
        write_figures(measured)
        print(name, found["best"], statistics.median(found["epoch_time"]), flush=True)


if __name__ == "__main__":
    main()
