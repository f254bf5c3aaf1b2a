"""What the tests share: instruction sets, guarded arrays, random networks and examples, MNIST."""

import multiprocessing
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import selection
import worker_callbacks

import fastnet
from fastnet.core import _kernels
from fastnet.nn import costs
from fastnet.nn.activations import ACTIVATIONS, HIDDEN
from fastnet.nn.costs import of_kernel

OTHER_PARAMETERS = [fastnet.HuberCost(2.5), fastnet.QuantileCost(0.9)]
OTHER_ACTIVATIONS = [fastnet.LeakyReLU(0.25)]

# ---- which tests run, and what is said of the others -------------------------


def _has_masks(isa):
    """Whether the instruction set's kernels take rows compressed with bit masks."""
    before = _kernels.isa()
    _kernels.select(isa)
    try:
        return _kernels.choose_input_format([70, 5], "float32", 0.3) == "masks"
    finally:
        _kernels.select(before)


WITHOUT_MASKS = {isa for isa in _kernels.available() if not _has_masks(isa)}


def _is_possible(item):
    """Whether the instruction set of a case has the form of compressed rows that it is about."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    forms = [parameters.get(name) for name in ("inputs", "form")]
    masks = any(isinstance(form, str) and form == "masks" for form in forms)
    return not (masks and parameters.get("isa") in WITHOUT_MASKS)


def pytest_addoption(parser):
    parser.addoption(
        "--cases", default="some", choices=["some", "other", "every"],
        help="of each large cross product of values some cases (the default), the other ones, "
        "or every case",
    )  # fmt: skip


@pytest.hookimpl(tryfirst=True)  # before -m selects by the marks
def pytest_collection_modifyitems(config, items):
    kept = [item for item in items if _is_possible(item)]
    left_out, asked = set(selection.redundant(kept)), config.option.cases
    kept = [item for item in kept if asked == "every" or (item in left_out) == (asked == "other")]
    config.hook.pytest_deselected(items=list({*items} - {*kept}))
    items[:] = kept
    for item in selection.thorough(items):
        item.add_marker(pytest.mark.thorough)


def pytest_terminal_summary(terminalreporter):
    """What did not run, a line for each reason."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    lines = [f"{count:>5}  {reason}" for reason, count in reasons.most_common()]
    targets = (
        path.stem.partition("_")[0]
        for path in Path(__file__).parent.parent.glob("csrc/targets/*.c")
    )
    missing = set(targets) - set(_kernels.available())
    if missing:
        lines.append(f"  all  on instruction sets that this machine lacks: {', '.join(missing)}")
    if WITHOUT_MASKS:
        lines.append(
            f"  all  with bit masks on {', '.join(sorted(WITHOUT_MASKS))}, which have none"
        )
    if "not thorough" in terminalreporter.config.option.markexpr:
        lines.append("  all  that are thorough: make test-all runs them")
    if terminalreporter.config.option.cases == "some":
        lines.append("  all  other cases of large cross products: make test-every runs them")
    if lines:
        terminalreporter.section("not run, and why")
        terminalreporter.write("".join(f"{line}\n" for line in lines))


# ---- what a test runs on ---------------------------------------------------


@pytest.fixture(params=_kernels.available())
def isa(request):
    """The name of an instruction set of this machine, whose kernels are in use during the test."""
    before = _kernels.isa()
    _kernels.select(request.param)
    yield request.param
    _kernels.select(before)


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param


def pairs_of_costs():
    """(output layer, cost as the kernels take it) of all costs, those with parameters other than
    the defaults, too."""
    built_in = [cost() for cost in costs.COSTS] + OTHER_PARAMETERS
    return [(output, cost.kernel) for cost in built_in for output in cost.errors]


def name_of(value):
    """For the names of tests: "huber-2.5" of a cost with parameters."""
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


@pytest.fixture(params=pairs_of_costs(), ids=lambda pair: f"{pair[0]}+{name_of(pair[1])}")
def pair(request):
    """An output layer and a cost, as the kernels take it, that go together."""
    return request.param


KINDS = [*(ACTIVATIONS[name] for name in HIDDEN), *OTHER_ACTIVATIONS]


@pytest.fixture(params=KINDS, ids=str)
def kind(request):
    """An activation of hidden neurons; also with other parameters than the defaults."""
    return request.param


@pytest.fixture
def neurons(kind):
    """The same as the kernels take it."""
    return kind.kernel


@pytest.fixture(scope="session")
def mnist():
    """(training, validation, test)"""
    return fastnet.load_mnist()


# ---- arrays ----------------------------------------------------------------


class Guarded:
    """Arrays in the kernels' layout, each between guard bytes that must stay as they are."""

    SIZE, BYTE = 128, 0xA5

    def __init__(self):
        self._blocks = []
        self._whole = {}

    def _block(self, length, dtype, misaligned):
        """``length`` elements, ``misaligned`` elements behind a cache line's start."""
        dtype = np.dtype(dtype)
        used = length * dtype.itemsize
        raw = np.full(used + 2 * self.SIZE + 128, self.BYTE, np.uint8)
        start = self.SIZE + (-(raw.ctypes.data + self.SIZE)) % 64 + misaligned * dtype.itemsize
        block = raw[start : start + used]
        self._blocks.append((raw[:start], raw[start + used :]))
        return block.view(dtype)

    def vector(self, values, dtype, *, misaligned=0):
        """A copy of ``values`` with guards directly before and behind it."""
        block = self._block(len(values), dtype, misaligned)
        block[...] = values
        return block

    def padded(self, values, dtype, *, pads=0.0):
        """A padded copy of ``values`` (m, n), or of (n,) as one row; ``pads`` fills the pads."""
        rows = np.atleast_2d(values)
        stride = _kernels.padded(1, rows.shape[1], dtype).strides[0] // np.dtype(dtype).itemsize
        whole = self._block(len(rows) * stride, dtype, 0).reshape(len(rows), stride)
        whole[...] = pads
        whole[:, : rows.shape[1]] = rows
        self._whole[whole.ctypes.data] = whole
        return whole[:, : rows.shape[1]] if np.ndim(values) == 2 else whole[0, : rows.shape[1]]

    def pads(self, array):
        """The pads behind the rows of an array that ``padded`` made."""
        return self._whole[array.ctypes.data][:, array.shape[-1] :]

    def check(self):
        """Fail if a guard has changed; then forget the arrays."""
        for before, behind in self._blocks:
            assert (before == self.BYTE).all(), "a kernel wrote before an array's start"
            assert (behind == self.BYTE).all(), "a kernel wrote behind an array's end"
        self._blocks.clear()
        self._whole.clear()


@pytest.fixture
def guarded():
    return Guarded()


# ---- networks and examples -------------------------------------------------


def _places(sizes, dtype):
    """True where the flat parameter array of such a network holds a parameter, False at pads."""
    length, layers = _kernels.layout(sizes, dtype)
    used = np.zeros(length, bool)
    for (weights, biases, stride), n_in, n_out in zip(layers, sizes, sizes[1:], strict=False):
        used[weights:biases].reshape(n_in, stride)[:, :n_out] = True
        used[biases : biases + n_out] = True
    return used


@pytest.fixture(scope="session")
def places():
    """places(sizes, dtype): where the flat parameter array holds parameters, not pads."""
    return _places


@pytest.fixture(scope="session")
def random_parameters():
    """random_parameters(sizes, dtype, seed): a flat array of N(0, 1) / sqrt(n_in), zero pads."""

    def make(sizes, dtype, seed):
        random = np.random.default_rng(seed)
        used = _places(sizes, dtype)
        parameters = _kernels.aligned(len(used), dtype)
        parameters[used] = random.standard_normal(used.sum())
        layers = _kernels.layout(sizes, dtype)[1]
        for (weights, biases, _), n_in in zip(layers, sizes, strict=False):
            parameters[weights:biases] /= np.sqrt(n_in)
        return parameters

    return make


def targets_of(cost, random, n, n_out):
    """(n, n_out) targets within the range of the cost, wide where it has none."""
    cost = of_kernel(cost)
    if cost.rows_sum_to_one:  # exactly
        return random.multinomial(64, [1 / n_out] * n_out, n) / 64
    if "sigmoid" in cost.errors:
        return random.random((n, n_out))
    low = max(cost.lowest, -3)  # on both sides of the outputs, near and far
    return low + (min(cost.highest, 3) - low) * random.random((n, n_out))


@pytest.fixture(scope="session")
def random_examples():
    """random_examples(n, sizes, cost, ...) -> (X, scale, y) that suit such a network.

    ``targets`` is "labels", "float32" or "float64"; ``inputs`` the dtype of X, of
    which about a third is zero, some whole columns too.
    """

    def make(n, sizes, cost, seed, *, inputs="uint8", targets="labels"):
        random = np.random.default_rng(seed)
        n_in, n_out = sizes[0], sizes[-1]
        X = random.integers(1, 256, (n, n_in))
        X[random.random((n, n_in)) < 0.3] = 0
        X[:, 1:][:, random.random(n_in - 1) < 0.1] = 0
        scale = 1 / 256
        if inputs != "uint8":
            X, scale = np.where(X == 0, 0, X - 100) / 7, 1 / 30
        if targets == "labels":
            classes = 2 if n_out == 1 and "softmax" not in of_kernel(cost).errors else n_out
            return X.astype(inputs), scale, random.integers(0, classes, n)
        return X.astype(inputs), scale, targets_of(cost, random, n, n_out).astype(targets)

    return make


# ---- calls of the kernels ---------------------------------------------------


@pytest.fixture
def always():
    """Look up after every mini-batch."""
    _kernels.poll_every(0, 0)
    yield
    _kernels.poll_every()


@pytest.fixture
def calls(monkeypatch):
    """The orders' shapes of all calls of the kernels to train."""
    shapes, Training = [], _kernels.Training

    class Counted:
        def __init__(self, *arguments, **options):
            self.__dict__["training"] = Training(*arguments, **options)

        def __getattr__(self, name):
            return getattr(self.training, name)

        def __setattr__(self, name, value):
            setattr(self.training, name, value)

        def run(self, examples, order, *arguments, **options):
            shapes.append(order.shape)
            return self.training.run(examples, order, *arguments, **options)

    monkeypatch.setattr(_kernels, "Training", Counted)
    return shapes


# ---- many networks, other processes ----------------------------------------


@pytest.fixture(scope="session")
def callbacks():
    """The module worker_callbacks, which processes that are started later can import, too."""
    return worker_callbacks


@pytest.fixture(scope="session")
def spawning(callbacks):
    """How processes are begun: anew, so that no thread of this one is copied halfway."""
    return multiprocessing.get_context("spawn")


@pytest.fixture(scope="session")
def varied_specs(callbacks):
    """Specs for ``fit_many`` on MNIST, each of which trains in another way."""
    base = {"sizes": [784, 12, 10], "epochs": 3, "mini_batch_size": 10, "eta": 0.5, "seed": 1}
    adam = {"optimizer": fastnet.Adam(), "eta": 0.002}
    patient = fastnet.EarlyStopping("training_cost", patience=2)
    return [
        base,
        {**base, "seed": [3, 5], "sizes": (784, 10), "lmbda": 2.0, "epochs": 5},
        {**base, "cost": "log-likelihood", "hidden": "relu", "eta": 0.05, "dtype": "float64"},
        {**base, "dropout": 0.2, "shift": 1, "seed": np.random.SeedSequence(7), **adam},
        {**base, "early_stopping": patient, "eta": 3.0, "epochs": 8, "class_weight": "balanced"},
        {**base, "schedule": fastnet.CosineDecay(), "monitor_evaluation_cost": True},
        {**base, "cost": callbacks.OwnCost, "epochs": 1},
        {**base, "epochs": 0},
    ]
