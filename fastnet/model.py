"""The model of a network: its shape, its cost and its parameters, and their use by the kernels.

All modules that train or evaluate use ``Model``; ``Network`` is the interface for users.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnet.core import _kernels, checks, execution, memmap, reporting
from fastnet.core.lazy import lazy_attribute
from fastnet.core.parameters import NotFiniteError, Parameters
from fastnet.core.steps import StepOptions
from fastnet.data.dataset import Dataset
from fastnet.data.schema import EMPTY, Schema
from fastnet.nn.activations import ACTIVATIONS, Activation
from fastnet.nn.cost_base import BuiltInCost
from fastnet.nn.costs import CostSpec

# The number of examples in a call of a custom cost's fn.
_PIECE = 1024


def classes_of(a: NDArray) -> NDArray:
    """The classes of rows of outputs or targets (n, n_out), as ``accuracy`` counts them: with one
    output neuron 1 for 0.5 or more and else 0, otherwise the index of the first largest output."""
    return (a[:, 0] >= 0.5).astype(int) if a.shape[1] == 1 else a.argmax(axis=1)


class Model:
    """Shape, cost and parameters of one network."""

    def __init__(
        self,
        sizes: tuple[int, ...],
        cost_spec: CostSpec,
        dtype: str,
        n_threads: int | None = None,
        hidden: tuple[Activation, ...] | None = None,
    ):
        self.sizes = sizes
        self.hidden = (ACTIVATIONS["sigmoid"],) * (len(sizes) - 2) if hidden is None else hidden
        self._cost_spec = cost_spec
        self.n_threads = n_threads
        self.dtype = np.dtype(dtype)
        self._largest = float(np.finfo(self.dtype).max)
        self.parameters = Parameters(sizes, dtype)
        self.schema = EMPTY
        self.labels_are_numbers = False  # it was trained on labels without names

    @property
    def cost_spec(self) -> CostSpec:
        return self._cost_spec

    @cost_spec.setter
    def cost_spec(self, cost_spec: CostSpec) -> None:
        self._cost_spec = cost_spec
        for name in ("core", "single", "built_in"):  # made with the old cost
            vars(self).pop(name, None)

    @lazy_attribute
    def built_in(self) -> BuiltInCost | None:
        """The cost as an object; None for a cost class of the user."""
        return self._cost_spec.built_in

    @lazy_attribute
    def core(self) -> _kernels.NetworkCore:
        """This network for the kernels; each call reads the current parameters."""
        return self._core_of(self.parameters)

    @lazy_attribute
    def single(self) -> _kernels.Predictor:
        """A predictor of single examples, for callers within the package."""
        return self._predictor(None)

    def predictor(self, jacobian: bool = False) -> _kernels.Predictor:
        """A new predictor of single examples, which checks memory maps; each call reads the current
        parameters."""
        return self._predictor(self._numbers, jacobian)

    def _predictor(
        self, convert: Callable[[Any], Any] | None, jacobian: bool = False
    ) -> _kernels.Predictor:
        standardize = self.schema.standardize
        moments = None if standardize is None else (standardize.mean, standardize.deviation)
        return self.core.predictor(memmap.check, moments, convert, jacobian)

    def _numbers(self, x: Any) -> Any:
        """One example with named columns as numbers."""
        return self.schema.numbers("x", x)

    def equals(self, other: "Model") -> bool:
        """Whether both compute the same from the same inputs, with the same names of classes."""
        return (
            self.sizes == other.sizes
            and self.cost_spec.identity == other.cost_spec.identity
            and self.hidden == other.hidden
            and self.values.dtype == other.values.dtype
            and bool(np.array_equal(self.values, other.values))
            and self.schema.inputs == other.schema.inputs
            and self.schema.classes == other.schema.classes
        )

    def _core_of(self, parameters: Any, output: str | None = None) -> _kernels.NetworkCore:
        """A network like this one with other parameters or another output layer."""
        spec = self._cost_spec
        return _kernels.NetworkCore(
            self.sizes,
            output or spec.output,
            spec.kernel,
            parameters,
            tuple(each.kernel for each in self.hidden),
            None if spec.kernel else spec.cost.delta,
        )

    @property
    def values(self) -> NDArray:
        """The current parameters in one flat array."""
        return self.parameters.values

    @property
    def n_parameters(self) -> int:
        """The length of ``values``, pads included."""
        return self.parameters.storage.n

    @property
    def input_scale(self) -> float | None:
        """The scale of the inputs last trained on; None before."""
        return self.parameters.input_scale

    def is_finite(self) -> bool:
        return self.parameters.are_finite()

    @property
    def _output(self) -> Activation:
        return ACTIVATIONS[self.cost_spec.output]

    # ---- checks of data against the network

    def check_inputs(self, name: str, n_in: int, largest: float) -> None:
        """Raise a ValueError that starts with ``name`` unless inputs of n_in features and absolute
        values up to ``largest`` fit the network."""
        if n_in != self.sizes[0]:
            raise ValueError(f"{name}: expected {self.sizes[0]} features per example, got {n_in}")
        if largest > self._largest:
            raise ValueError(
                f"{name}: expected inputs within the range of {self.dtype}, got {largest:g}"
            )

    @property
    def classes(self) -> int:
        """The number of classes that labels can have."""
        n_out = self.sizes[-1]
        return 2 if n_out == 1 and not self._output.of_layer else n_out

    def check(self, name: str, data: Dataset) -> None:
        """Raise a ValueError that starts with ``name`` unless the data fits this network."""
        self.check_inputs(name, data.X.shape[1], data.largest)
        n_out = self.sizes[-1]
        low, high = data.target_range
        cost = self.built_in
        if data.y.ndim == 1:
            if cost is not None and cost.n_out is not None:
                raise ValueError(
                    f"{name}: expected numbers as targets of the {cost} cost, (n, 1) or "
                    f"(n, {n_out}), got labels (n,) (y[:, None] makes targets of them)"
                )
            if high >= self.classes:
                raise ValueError(
                    f"{name}: expected labels from 0 to {self.classes - 1} for {n_out} outputs, "
                    f"got {high:.0f} (numbers to predict have the shape (n, n_out): y[:, None])"
                )
            return
        if data.y.shape[1] != n_out:
            one = "1 or " if cost is not None and cost.n_out is not None else ""
            raise ValueError(
                f"{name}: expected {one}{n_out} targets per example, got {data.y.shape[1]}"
            )
        if cost and (low < cost.lowest or high > cost.highest):
            raise ValueError(
                f"{name}: expected targets {cost.target_range} for the {cost.name} cost, "
                f"got {low:g} to {high:g}"
            )
        if cost and cost.rows_sum_to_one:
            data.check_files()
            sums = data.y.sum(axis=1, dtype=np.float64)
            worst = sums[np.abs(sums - 1).argmax()]
            if abs(worst - 1) > 1e-5:
                raise ValueError(
                    f"{name}: expected target rows that sum to 1 for the {cost.name} cost, "
                    f"got a sum of {worst:g}"
                )
        if max(-low, high) > self._largest:
            raise ValueError(
                f"{name}: expected targets within the range of {self.dtype}, "
                f"got {low:g} to {high:g}"
            )

    def with_targets_of_outputs(self, data: Dataset) -> Dataset:
        """The data with a target for each output: a single target per example is the target of all
        outputs, if the cost has parameters for each of them."""
        cost = self.built_in
        if cost is None or cost.n_out is None or data.y.shape[1:] != (1,):
            return data
        return data.with_repeated_targets(cost.n_out)

    def check_accuracy(self, name: str, data: Dataset) -> None:
        """Raise a ValueError if accuracy is not defined for these outputs and targets."""
        if not self._output.classifies and not data.names_classes:
            raise ValueError(
                f"{name}: expected labels or one-hot rows for the accuracy of "
                f"{self.cost_spec.output} outputs, got other targets; "
                f"total_cost measures their error"
            )

    def check_predicts_classes(self, name: str) -> None:
        """Raise a ValueError if a network without names of classes predicts a number."""
        inputs = self.schema.inputs
        if inputs is not None and inputs.predicts_numbers:
            raise ValueError(
                f"{name}: expected a network that predicts classes, got one whose inputs have a "
                f"number as the target; feedforward predicts it"
            )
        cost = self.built_in
        if cost is not None and cost.n_out is not None:
            raise ValueError(
                f"{name}: expected a network that predicts classes, got one with the {cost} cost; "
                f"feedforward returns the predicted quantiles"
            )
        if self.sizes[-1] == 1 and not self._output.classifies:
            raise ValueError(
                f"{name}: expected a network that predicts classes, got one with one "
                f"{self.cost_spec.output} output; feedforward returns the predicted number, and "
                f"Network(..., classes=[0, 1]) makes classes of it"
            )

    # ---- calls of the kernels

    def feedforward(self, X: Any, scale: float, values: NDArray | None = None) -> NDArray:
        """The outputs (n, n_out) for inputs (n, n_in), dense or compressed; ``values``: parameters
        to use instead of the network's."""
        return self._forward(self.core if values is None else self._core_of(values), X, scale)

    def weighted_inputs(self, X: Any, scale: float) -> NDArray:
        """The weighted inputs z of the output layer, (n, n_out), for inputs (n, n_in)."""
        return self._forward(self._core_of(self.parameters, "linear"), X, scale)

    def _forward(self, core: _kernels.NetworkCore, X: Any, scale: float) -> NDArray:
        out = np.empty((len(X), self.sizes[-1]), self.dtype)
        examples = _kernels.Examples(X, scale)
        core.feedforward(examples, out, self.threads(X, len(X)), poll=reporting.stopping())
        return out

    def jacobian(self, X: Any, scale: float, slopes: NDArray | None) -> NDArray:
        """The derivatives of the outputs, (n, n_out, n_in), at inputs (n, n_in), dense or
        compressed; those by input i times ``slopes[i]``, float64."""
        n, n_in, n_out = len(X), self.sizes[0], self.sizes[-1]
        out = np.empty((n, n_out), self.dtype)
        jacobian = np.empty((n, n_out, n_in), self.dtype)
        # the steps of an example are computed for each output, and never skip zeros
        threads = min(execution.threads(self.sizes, n * n_out, None, self.n_threads), max(n, 1))
        self.core.jacobian(
            _kernels.Examples(X, scale), out, jacobian.reshape(n * n_out, n_in), slopes, threads,
            poll=reporting.stopping(),
        )  # fmt: skip
        return jacobian

    def threads(self, X: Any, m: int) -> int:
        """The number of threads that share m examples."""
        return execution.threads(self.sizes, m, X, self.n_threads)

    def training(self, step: StepOptions) -> _kernels.Training:
        """A training of this network with these options and their moments."""
        training = _kernels.Training(
            self.core, step.mini_batch_size, step.optimizer, l2=step.l2, l1=step.l1,
            dropout=step.dropout, shift=step.shift,
        )  # fmt: skip
        training.divide_l2 = step.divide_l2
        if step.moments is not None:
            training.resume(step.moments, 0)
        return training

    def scale_learned_from(self, data: Dataset) -> float | None:
        """The scale of bytes for a network trained on ``data``: the scale of the data, or the
        network's present one if the data are unscaled and are not bytes."""
        data = data.source
        is_scaled = data.scale != 1 or data.is_bytes
        return data.scale if is_scaled else self.parameters.input_scale

    def schema_learned_from(self, data: Dataset) -> Schema:
        """The schema of a network trained on ``data``: names that it has not are those of the
        data."""
        own = self.schema
        if data.classes is data.features is None:
            return own
        if own.classes is None and data.classes is not None:
            own = own._replace(classes=data.classes)
        if own.features is None and data.features is not None:
            own = own._replace(features=data.features)
        return own

    def learned_from(self, data: Dataset) -> None:
        """Remember the scale of the inputs and the names of features and classes."""
        self.parameters.input_scale = self.scale_learned_from(data)
        if data.classes is not None or data.features is not None:
            self.schema = self.schema_learned_from(data)
        if data.y.ndim == 1 and self.schema.classes is None:
            self.labels_are_numbers = True

    def like(self) -> "Model":
        """A model of the same shape, cost and type, whose parameters are zero."""
        return Model(self.sizes, self.cost_spec, self.dtype.name, self.n_threads, self.hidden)

    def gradient(self, data: Dataset) -> "Model":
        """The sum of the examples' gradients, as the parameters of a model."""
        nabla = self.like()  # only for its shapes
        self._gradient(data, nabla, None, single_use=True)
        return nabla

    def finite_gradient(self, name: str, data: Dataset) -> "Model":
        """As ``gradient``, of the data in the argument ``name``. Raises a NotFiniteError if an
        output error is not finite: the gradient of the last biases is the sum of these errors."""
        nabla = self.gradient(data)
        if not np.isfinite(nabla.parameters.arrays("biases")[-1]).all():
            raise NotFiniteError(
                f"{name}: expected finite errors at the output, got NaN or infinity, for example "
                f"because an output or the sum of the errors exceeds the range of {self.dtype}"
            )
        return nabla

    def cost_and_gradient(
        self, data: Dataset, nabla: "Model", weights: NDArray | None = None
    ) -> float:
        """The sum of the examples' costs, and, as the parameters of ``nabla``, a model like this
        one, that of their gradients; with ``weights`` (n,) the weighted sums."""
        cost = self._gradient(data, nabla, weights, single_use=False)
        if self.cost_spec.kernel is None:
            cost = self._custom_cost_sum(self.values, data, False, weights)
        return cost

    def _gradient(
        self, data: Dataset, nabla: "Model", weights: NDArray | None, single_use: bool
    ) -> float:
        """As ``cost_and_gradient``, but 0 for a custom cost."""
        X = data.operand(self.sizes, self.dtype, single_use)
        examples = _kernels.Examples(X, data.scale, data.y, weights)
        threads = self.threads(X, min(len(X), _kernels.STEP_EXAMPLES))
        into = nabla.parameters.storage
        return self.core.gradient(examples, into, threads, poll=reporting.stopping())

    def _evaluate(
        self, networks: NDArray, data: Dataset, with_cost: bool, single_use: bool,
        weights: NDArray | None = None,
    ) -> tuple[list[int], list[float]]:  # fmt: skip
        X = data.operand(self.sizes, self.dtype, single_use)
        examples = _kernels.Examples(X, data.scale, data.y, weights)
        figures: tuple[list[int], list[float]] = self.core.evaluate(
            examples, self.threads(X, len(X)), networks=networks, with_cost=with_cost,
            poll=reporting.stopping(),
        )  # fmt: skip
        return figures

    def accuracy(self, data: Dataset, single_use: bool = False) -> int:
        """The number of correct examples; ``single_use``: the data are read once, so that
        compressing them would take longer."""
        return self.accuracies(self.values[None], data, single_use)[0]

    def accuracies(self, networks: NDArray, data: Dataset, single_use: bool = False) -> list[int]:
        """``accuracy`` of k networks of this shape with the parameters ``networks``,
        (k, parameters)."""
        return self._evaluate(networks, data, False, single_use)[0]

    def _cost_sums(
        self, networks: NDArray, data: Dataset, single_use: bool, weights: NDArray | None
    ) -> list[float]:
        if self._cost_spec.kernel:
            return self._evaluate(networks, data, True, single_use, weights)[1]
        return [self._custom_cost_sum(values, data, single_use, weights) for values in networks]

    def _custom_cost_sum(
        self, values: NDArray, data: Dataset, single_use: bool, weights: NDArray | None
    ) -> float:
        X = data.operand(self.sizes, self.dtype, single_use)
        total, poll = 0.0, reporting.stopping()
        for first in range(0, len(data), _PIECE):
            if poll is not None:
                poll(first)
            part = slice(first, first + _PIECE)
            a, y = (
                self.feedforward(X[part], data.scale, values).T,
                self.target_columns(data.y[part]),
            )
            if weights is None:
                total += self.custom_cost(a, y)
                continue
            for weight in np.unique(weights[part]):  # fn sums over columns of equal weight
                if weight > 0:
                    chosen = weights[part] == weight
                    total += float(weight) * self.custom_cost(a[:, chosen], y[:, chosen])
        return total

    def custom_cost(self, a: NDArray, y: NDArray) -> float:
        """The value of the cost class's ``fn`` for columns (n_out, m), as a number."""
        value = self.cost_spec.cost.fn(a, y)
        if np.ndim(value) or np.asarray(value).dtype.kind not in "biuf":
            got = f"shape {np.shape(value)}" if np.ndim(value) else checks.short_repr(value)
            raise TypeError(f"fn: expected a number, the sum over the columns, got {got}")
        return float(value)

    def target_columns(self, y: NDArray) -> NDArray:
        """Targets in the form that a custom cost receives, (n_out, m); labels as zeros and ones."""
        if y.ndim == 1:
            single = self.sizes[-1] == 1 and not self._output.of_layer
            y = y[:, None] if single else y[:, None] == np.arange(self.sizes[-1])
        return y.astype(self.dtype).T

    def total_cost(
        self, data: Dataset, lmbda: float, single_use: bool = False, l1: float = 0.0,
        weights: NDArray | None = None,
    ) -> float:  # fmt: skip
        """The mean cost, plus 1/2 (lmbda/n) sum W^2 and (l1/n) sum |W|; ``single_use`` as for
        ``accuracy``; with ``weights`` the weighted mean, and n their sum."""
        return self.total_costs(self.values[None], data, lmbda, single_use, l1, weights)[0]

    def total_costs(
        self, networks: NDArray, data: Dataset, lmbda: float, single_use: bool = False,
        l1: float = 0.0, weights: NDArray | None = None,
    ) -> list[float]:  # fmt: skip
        """``total_cost`` of k networks of this shape with the parameters ``networks``,
        (k, parameters)."""
        sums = self._cost_sums(networks, data, single_use, weights)
        return self.mean_costs(sums, networks, data, lmbda, l1, weights)

    def costs_and_accuracies(
        self, networks: NDArray, data: Dataset, lmbda: float, l1: float = 0.0,
        weights: NDArray | None = None,
    ) -> tuple[list[float], list[int]]:  # fmt: skip
        """``total_costs`` and ``accuracies``, in one pass over the data unless the cost is
        custom."""
        if self.cost_spec.kernel:
            counts, sums = self._evaluate(networks, data, True, False, weights)
        else:
            sums = self._cost_sums(networks, data, False, weights)
            counts = self.accuracies(networks, data)
        return self.mean_costs(sums, networks, data, lmbda, l1, weights), counts

    def mean_costs(
        self, sums: list[float], networks: NDArray, data: Dataset, lmbda: float, l1: float,
        weights: NDArray | None,
    ) -> list[float]:  # fmt: skip
        """The mean costs with L2 and L1 terms, from the sums of the costs over ``data``."""
        n = len(data) if weights is None else float(weights.sum())
        costs = [total / n for total in sums]
        for k, values in enumerate(networks if lmbda or l1 else ()):
            if lmbda:
                costs[k] += lmbda / n / 2 * self.sum_of_squares(values)
            if l1:
                costs[k] += l1 / n * self.sum_of_magnitudes(values)
        return costs

    def sum_of_squares(self, values: NDArray) -> float:
        """The sum of W^2 of the parameters ``values``; infinite if it overflows."""
        return self._over_weights(_kernels.sum_of_squares, values)

    def sum_of_magnitudes(self, values: NDArray) -> float:
        """The sum of |W| of the parameters ``values``."""
        return self._over_weights(_kernels.sum_of_magnitudes, values)

    def _over_weights(self, f: Callable[[NDArray], float], values: NDArray) -> float:
        """The sum of f(weights) over the layers; the weights include the pads, which are zero."""
        return sum(f(values[w:b]) for w, b, _ in self.parameters.places)
