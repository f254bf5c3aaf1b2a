"""Training on the user's own table: ``fit_table``, and the parts it shares with ``fastnet train``:
settings that suit most tables, scaled targets, and a score with a baseline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastnet.core import checks
from fastnet.data.dataset import Dataset
from fastnet.data.input_transform import InputTransform
from fastnet.data.labels import Label
from fastnet.data.table import Table
from fastnet.model import classes_of
from fastnet.network import Network, model_of
from fastnet.nn import costs, optimizers
from fastnet.nn.cost_base import BuiltInCost
from fastnet.nn.optimizers import Optimizer
from fastnet.training.early_stopping import EarlyStopping
from fastnet.training.history import History

# Above this ratio of the largest target to the deviation of the targets, the seven digits of
# float32 are not enough.
_FLOAT32_RATIO = 1e3

# The largest target and the smallest deviation for which weights and outputs are within the range
# of float32.
_LARGEST, _LEAST = 1e37, 1e-35

HIDDEN = (50,)
NEURONS = "tanh"
COSTS: dict[str, Any] = {
    "classification": costs.from_text("log-likelihood"),
    "regression": costs.from_text("quadratic"),
}


def output_for(task: str, cost: BuiltInCost) -> str | None:
    """The output layer for a task: linear for a regression, if the cost allows it; None stands for
    the cost's default."""
    return "linear" if task == "regression" and "linear" in cost.errors else None


def dtype_for(examples: Examples) -> str:
    """float64 if the targets vary too little around their mean for the precision of float32, or are
    near or beyond its range; otherwise float32."""
    if examples.classes is None:
        y = np.asarray(examples.training.y, np.float64)
        largest, deviation = np.abs(y).max(axis=0), y.std(axis=0)
        if (largest > _FLOAT32_RATIO * deviation).any() or (largest > _LARGEST).any():
            return "float64"
        if ((deviation > 0) & (deviation < _LEAST)).any():
            return "float64"
    return "float32"


class Settings(NamedTuple):
    """The arguments of ``SGD`` for a table; the defaults suit most tables."""

    epochs: int = 1000
    mini_batch_size: int = 32
    eta: float = optimizers.Adam.usual_eta
    lmbda: float = 0.1
    l1: float = 0.0
    dropout: float = 0.0
    optimizer: Optimizer | None = optimizers.Adam()
    patience: int = 20  # epochs without a lower cost on the validation data; 0: train all epochs
    shift: int = 0
    checkpoint: str | None = None
    resume: bool = False


class Examples(NamedTuple):
    """The data of one training.

    Attributes
    ----------
    training : Dataset
        With labels of a classification, or targets (n, n_out).
    validation, test : Dataset or None
    inputs : InputTransform or None
    classes : tuple of Label or None
        The class of each label; None: a regression.
    """

    training: Dataset
    validation: Dataset | None = None
    test: Dataset | None = None
    inputs: InputTransform | None = None
    classes: tuple[Label, ...] | None = None

    @property
    def task(self) -> str:
        return "regression" if self.classes is None else "classification"

    def n_out(self, cost: BuiltInCost) -> int:
        """The number of outputs of a network with this cost."""
        if self.classes is not None:
            return len(self.classes)
        n = int(self.training.y.shape[1])
        return cost.n_out if n == 1 and cost.n_out is not None else n


@dataclass(frozen=True)
class Score:
    """The quality of predictions, with that of a baseline: a prediction that needs no inputs.

    Attributes
    ----------
    n : int
        The number of examples.
    accuracy, baseline_accuracy : float or None
        For a classification: the share of examples that are predicted correctly; and this share if
        the most frequent class of the training data is predicted for every example.
    r2, baseline_r2 : float or None
        For a regression: R² = 1 - (sum of squared errors) / (sum of squared deviations from the
        mean); and the R² of predicting the mean of the training targets for every example. With
        several targets, the mean of their R².
    rmse, baseline_rmse : float or None
        The root of the mean squared error.
    pinball, baseline_pinball : float or None
        Of a network with the quantile cost, which has no R² and no rmse: the mean quantile cost per
        output; and that of predicting the quantiles of the training targets for every example.
    below : tuple of float or None
        For each quantile, the share of the targets that are at most its prediction.
    """

    n: int
    accuracy: float | None = None
    baseline_accuracy: float | None = None
    r2: float | None = None
    baseline_r2: float | None = None
    rmse: float | None = None
    baseline_rmse: float | None = None
    pinball: float | None = None
    baseline_pinball: float | None = None
    below: tuple[float, ...] | None = None

    def __str__(self) -> str:
        if self.accuracy is not None:
            return (
                f"accuracy {self.accuracy:.2%} (always the most frequent class: "
                f"{self.baseline_accuracy:.2%})"
            )
        if self.below is not None:
            shares = ", ".join(f"{share:.1%}" for share in self.below)
            return (
                f"pinball loss {self.pinball:.4g} (always the same quantiles: "
                f"{self.baseline_pinball:.4g}), shares of the targets below: {shares}"
            )
        return (
            f"R² {_shown(self.r2)}, root mean squared error {self.rmse:.4g} (always the mean: "
            f"R² {_shown(self.baseline_r2)}, error {self.baseline_rmse:.4g})"
        )


def _shown(r2: float | None) -> str:
    """R² for a message; it is not defined if all targets are equal."""
    if r2 is None or np.isnan(r2):
        return "undefined, as all values of a target are equal"
    return f"{r2:.4g}"


@dataclass(frozen=True, repr=False)
class TableFit:
    """The result of ``fit_table``.

    Attributes
    ----------
    net : Network
        Takes raw rows, and predicts in the units of the target.
    table : Table
    history : History
        The costs of a regression are those of targets with mean 0 and deviation 1.
    score : Score
        On the validation data, which were also used to choose the epoch.
    """

    net: Network
    table: Table
    history: History
    score: Score

    def __repr__(self) -> str:
        epochs = max(len(figures) for figures in (*self.history,))
        return f"{self.net!r}\n{epochs} epochs; {self.score.n} validation examples: {self.score}"


def fit_table(
    data: Any,
    target: str | None = None,
    *,
    hidden: Iterable[int] = HIDDEN,
    epochs: int = Settings().epochs,
    validation_fraction: float = 0.2,
    seed: Any = 0,
    verbose: int = False,
    **options: Any,
) -> TableFit:
    """Train a network on a table, with settings that suit most tables.

    The rows are divided into training and validation data, and the columns are encoded and
    standardized as ``Table`` describes. A network of tanh neurons, with softmax outputs for classes
    or a linear output, is trained by Adam until the cost on the validation data has not fallen for
    20 epochs. The parameters of the best epoch are kept. The command line does the same:
    ``fastnet train DATA.csv``.

    Parameters
    ----------
    data, target
        As for ``Table.fit``: a CSV file, a frame, a dict of columns or a list of dicts, and the
        name of the column to predict.
    hidden : iterable of int, default (50,)
        The sizes of the hidden layers.
    epochs : int, default 1000
        The largest number of epochs.
    validation_fraction : float, default 0.2
        The share of the rows that is held out.
    seed : as for ``Network``, default 0
        Determines which rows are held out, the initial weights and the order of the examples.
    verbose : bool or int, default False
        As for ``Network.SGD``.
    options
        The other arguments of ``Table.fit``: task, categorical, drop, unknown, missing,
        standardize.

    Returns
    -------
    TableFit
        With ``net``, ``table``, ``history`` and ``score``.

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        As ``Table.fit`` and ``Network``.

    Examples
    --------
    >>> import fastnet
    >>> rows = [{"side": side, "area": side * side} for side in range(1, 101)]
    >>> fit = fastnet.fit_table(rows, "area", task="regression")
    >>> fit.score.r2 > 0.99
    True
    >>> fit.net.feedforward({"side": 50}).round(-2)
    array([2500.], dtype=float32)
    """
    layers = _checked_hidden(hidden)
    checks.integer("epochs", epochs, 0)
    table, training, validation = Table.split(
        data, target, validation_fraction=validation_fraction, seed=seed, **options
    )
    examples = Examples(training, validation, None, table, table.classes)
    cost = COSTS[table.task]
    net = Network(
        table.sizes(*layers), cost, output=output_for(table.task, cost), seed=seed,
        hidden=NEURONS, inputs=table, dtype=dtype_for(examples),
    )  # fmt: skip
    history = train(net, examples, Settings(epochs=epochs), verbose=verbose)
    return TableFit(net, table, history, score(net, validation, training))


def _checked_hidden(hidden: Any) -> list[int]:
    if isinstance(hidden, str) or not isinstance(hidden, Iterable):
        raise TypeError(
            f"hidden: expected the sizes of the hidden layers, such as [30], "
            f"got {checks.short_repr(hidden)}"
        )
    return [checks.integer(f"hidden[{i}]", n, 1) for i, n in enumerate(hidden)]


def train(
    net: Network,
    examples: Examples,
    settings: Settings,
    *,
    monitor_training: bool = False,
    verbose: int = False,
) -> History:
    """Train a network on a table's examples.

    Linear outputs learn targets with mean 0 and deviation 1; afterwards the last layer is scaled,
    so that the outputs have the units of the targets. Costs in the history are those of the
    scaled targets.

    Parameters
    ----------
    net : Network
    examples : Examples
    settings : Settings
    monitor_training : bool
        Also measure cost and accuracy on the training data.
    verbose : int
        As for ``Network.SGD``.

    Returns
    -------
    History
        A KeyboardInterrupt has it as its attribute ``history``; the outputs then also have the
        units of the targets.

    Raises
    ------
    TypeError, ValueError, DivergenceError
        As ``Network.SGD``.
    """
    is_classification = examples.classes is not None
    validation = examples.validation
    scale = TargetScale.of(net, examples)
    stopping = None
    if validation is not None and settings.patience:
        stopping = EarlyStopping("evaluation_cost", settings.patience)
    scale.begin(net)
    try:
        return net.SGD(
            scale.applied_to(examples.training),
            settings.epochs, settings.mini_batch_size, settings.eta, settings.lmbda,
            evaluation_data=None if validation is None else scale.applied_to(validation),
            monitor_evaluation_cost=validation is not None,
            monitor_evaluation_accuracy=validation is not None and is_classification,
            monitor_training_cost=monitor_training or validation is None,
            monitor_training_accuracy=monitor_training and is_classification,
            l1=settings.l1,
            dropout=settings.dropout,
            optimizer=settings.optimizer,
            early_stopping=stopping,
            shift=settings.shift,
            checkpoint=settings.checkpoint,
            resume=settings.resume,
            verbose=verbose,
        )  # fmt: skip
    finally:
        scale.end(net)


class TargetScale(NamedTuple):
    """Means and standard deviations of targets (n_out,); None for targets that are not scaled."""

    mean: NDArray | None = None
    deviation: NDArray | None = None
    cost: Any = None  # of the network, in the units of the targets
    scaled_cost: Any = None

    @classmethod
    def of(cls, net: Network, examples: Examples) -> TargetScale:
        """The scale of the training targets, if the outputs are linear and the cost has an
        equivalent for scaled targets; otherwise no scale."""
        cost = model_of(net).built_in
        if cost is None or net.output != "linear" or examples.classes:
            return cls()
        y = np.asarray(examples.training.y, np.float64)
        deviation = y.std(axis=0)
        deviation[deviation == 0] = 1
        scaled = cost.for_scaled_targets(deviation)
        return cls() if scaled is None else cls(y.mean(axis=0), deviation, net.cost, scaled)

    def applied_to(self, data: Dataset) -> Dataset:
        if self.mean is None:
            return data
        return Dataset(data.X, (data.y - self.mean) / self.deviation, data.scale)

    def begin(self, net: Network) -> None:
        """Give the network the cost for scaled targets."""
        if self.mean is not None:
            net.cost = self.scaled_cost

    def end(self, net: Network) -> None:
        """Give the outputs the units of the targets."""
        if self.mean is None or self.deviation is None:
            return
        net.cost = self.cost
        net.weights[-1] = net.weights[-1] * self.deviation[:, None]
        net.biases[-1] = net.biases[-1] * self.deviation[:, None] + self.mean[:, None]


def score(
    net: Network, data: Dataset, training: Dataset | None = None, outputs: NDArray | None = None
) -> Score:
    """The score of a network on ``data``.

    The baseline predicts the most frequent class, mean or quantiles of ``training``; None: of
    ``data``. ``outputs`` are the network's outputs for ``data``, if they are already known."""
    if outputs is None:
        outputs = net.feedforward(data)
    if net.classes is not None:  # perhaps in another order than those of the data
        data = data.with_classes(net.classes)
        training = None if training is None else training.with_classes(net.classes)
    n, y = len(data), data.y
    known = data.y if training is None else training.y
    if y.ndim == 1:
        most = int(np.bincount(known).argmax())
        predicted = classes_of(outputs)
        return Score(n, float((predicted == y).mean()), float((y == most).mean()))
    cost = model_of(net).built_in
    if cost is not None and cost.quantiles_of(net.sizes[-1]) is not None:
        return _score_of_quantiles(cost, y, np.asarray(outputs, np.float64), known)
    errors = np.asarray(outputs, np.float64) - y
    of_mean = known.mean(axis=0, dtype=np.float64) - y
    total = ((y - y.mean(axis=0)) ** 2).mean(axis=0)
    return Score(
        n,
        r2=_r2(errors, total), baseline_r2=_r2(of_mean, total),
        rmse=float(np.sqrt((errors**2).mean())), baseline_rmse=float(np.sqrt((of_mean**2).mean())),
    )  # fmt: skip


def _score_of_quantiles(cost: BuiltInCost, y: NDArray, outputs: NDArray, known: NDArray) -> Score:
    """The score of ``outputs`` (n, n_out) for targets (n, n_out), or (n, 1) for all outputs, beside
    that of the quantiles of the targets ``known``."""
    quantiles = cost.quantiles_of(outputs.shape[1])
    assert quantiles is not None
    columns = np.broadcast_to(known, (len(known), len(quantiles))).T.astype(np.float64)
    each = [np.quantile(targets, q) for targets, q in zip(columns, quantiles, strict=True)]
    constant = np.broadcast_to(each, outputs.shape)
    return Score(
        len(y),
        pinball=float(cost.values(outputs, outputs, y).mean()),
        baseline_pinball=float(cost.values(constant, constant, y).mean()),
        below=tuple((y <= outputs).mean(axis=0).tolist()),
    )


def _r2(errors: NDArray, total: NDArray) -> float:
    """The mean of R² over the targets; NaN for one that is constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = (errors**2).mean(axis=0) / total
    return float(np.where(total > 0, 1 - ratio, np.nan).mean())
