"""Several passes over the examples in one call of the kernels: short epochs are run so."""

import contextlib
import copy
import itertools

import kernel_calls
import numpy as np
import pytest
from interrupting_cost import assert_left_after, cost_interrupted_at

import fastnet
from fastnet import Network, reference
from fastnet.core import _kernels, reporting
from fastnet.data.sparse_rows import compress
from fastnet.model import Model
from fastnet.nn.optimizers import USUAL

pytestmark = pytest.mark.covering(3)

SIZES = [16, 9, 7, 4]
M, N, PASSES = 10, 37, 4  # so that the last mini-batch of each pass is smaller
RANDOM = np.random.default_rng(2)
ORDERS = np.stack([RANDOM.permutation(N) for _ in range(PASSES)])
KEYS = RANDOM.integers(0, 2**64, PASSES, dtype=np.uint64)

TECHNIQUES = {
    "plain": {},
    "decay put off": {"l2": 0.02},
    "decay settled in between": {"l2": 1.0},
    "L1 and L2": {"l2": 0.02, "l1": 0.01},
    **{
        name: {"l2": 0.02, "optimizer": one.kernel, "eta": one.usual_eta}
        for name, one in USUAL.items()
    },
    "dropout and shift": {"l2": 0.02, "dropout": np.array([0.5, 0.2]), "shift": 1},
    "weights, a decay divided by each mini-batch's": {
        "l2": 0.5, "divide_l2": True, "weights": np.linspace(0, 2, N),
    },
}  # fmt: skip


@pytest.fixture
def run(random_parameters, random_examples, dtype):
    """run(name, one=False, ...): parameters and costs of all passes, in one call or in a call
    for each; ``run.training`` is the last call's."""

    def train(name, *, one, passes=PASSES, form="dense", threads=1, kernels=_kernels, m=M, **more):
        keywords = dict(TECHNIQUES[name])
        eta = keywords.pop("eta", 0.5)
        X, scale, y = random_examples(N, SIZES, "cross-entropy", 1)
        if form == "compressed":
            X = compress(X, "columns")
        p = random_parameters(SIZES, dtype, 0)
        n_moments = USUAL[keywords["optimizer"][0]].n_moments if "optimizer" in keywords else 0
        if n_moments:
            keywords["moments"] = np.zeros(n_moments * len(p), dtype)
        keyed, each = "dropout" in keywords, -(-N // m)
        costs = np.zeros(passes * each)

        def call(passes, order, costs):
            of_call = kernel_calls.Run(
                (SIZES, "sigmoid", "cross-entropy", p),
                (X, scale, y),
                m,
                l2=keywords.get("l2", 0.0),
                threads=threads,
                kernels=kernels,
                hidden=("tanh", "sigmoid"),
                costs=costs,
                steps=3 + passes[0] * each,
                **{"key": KEYS[passes] if keyed else 0},
                **{name: value for name, value in keywords.items() if name != "l2"},
                **more,
            )
            train.training = of_call.training
            of_call(order, eta)

        if one:
            call(np.arange(passes), ORDERS[:passes], costs)
        else:
            for e in range(passes):
                call(np.array([e]), ORDERS[e], costs[e * each :][:each])
        return p, costs

    return train


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("form", ["dense", "compressed"])
@pytest.mark.parametrize("name", TECHNIQUES)
def test_passes_in_one_call_have_the_bits_of_calls_of_their_own(run, isa, name, form, threads):
    together = run(name, one=True, form=form, threads=threads)
    alone = run(name, one=False, form=form, threads=threads)
    for one, other in zip(together, alone, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("m", [M, N], ids="m={}".format)  # N: one mini-batch is a pass
@pytest.mark.parametrize("name", ["plain", "momentum"])
def test_so_have_passes_by_blocks(run, isa, name, m, threads):
    together, alone = (
        run(name, one=one, form="compressed", m=m, threads=threads, by_blocks=True)
        for one in (True, False)
    )
    for one, other in zip(together, alone, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("dtype", ["float64"], indirect=True)
@pytest.mark.parametrize("name", TECHNIQUES)
def test_they_are_those_of_the_twin_in_numpy(run, name):
    for one, other in zip(run(name, one=True), run(name, one=True, kernels=reference), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


class Stop(Exception):
    pass


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kernels", [_kernels, reference])
@pytest.mark.parametrize("dtype", ["float64"], indirect=True)
def test_a_poll_is_told_the_examples_of_all_passes(run, always, kernels, threads):
    seen = []
    run("plain", one=True, kernels=kernels, threads=threads, poll=seen.append)
    assert seen == [e * N + k for e in range(PASSES) for k in range(0, N, M)][1:]


@pytest.mark.parametrize("kernels", [_kernels, reference])
@pytest.mark.parametrize("dtype", ["float64"], indirect=True)
@pytest.mark.parametrize("done", [M, N, N + M, 3 * N])
def test_a_stop_counts_the_passes_that_were_complete(
    run, always, random_parameters, dtype, kernels, done
):
    def stop(examples):
        if examples == done:
            raise Stop

    snapshots = random_parameters(SIZES, dtype, 0)[None]
    start = snapshots.copy()
    with contextlib.suppress(Stop):
        run("plain", one=True, kernels=kernels, poll=stop, snapshots=snapshots)
    assert run.training.n_complete == done // N
    assert run.training.steps == 3 + done // N * 4
    assert (snapshots == start).all() == (done < N)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kernels", [_kernels, reference])
@pytest.mark.parametrize("rows", [1, 2, PASSES, PASSES + 1])
def test_what_the_last_passes_left_is_kept(run, random_parameters, dtype, rows, kernels, threads):
    p = random_parameters(SIZES, dtype, 0)
    snapshots = np.tile(p, (rows, 1))
    run("plain", one=True, kernels=kernels, threads=threads, snapshots=snapshots)
    assert run.training.n_complete == PASSES
    after = [run("plain", one=True, kernels=kernels, passes=e + 1)[0] for e in range(PASSES)]
    for row in range(rows):
        passes = [e for e in range(PASSES) if e % rows == row]
        assert snapshots[row].tobytes() == (after[passes[-1]] if passes else p).tobytes()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kernels", [_kernels, reference])
@pytest.mark.parametrize("dtype", ["float64"], indirect=True)
def test_the_first_pass_that_diverges_is_the_last(dtype, threads, kernels):
    """w = w - eta (w - 1) x^2 grows by a factor of 1e50 in each mini-batch."""
    sizes = [1, 1]
    p = _kernels.aligned(_kernels.layout(sizes, dtype)[0], dtype)
    snapshots = p[None].copy()
    X, y = np.full((2, 1), 1e25, dtype), np.full((2, 1), 1.0, dtype)
    with np.errstate(all="ignore"):
        n_complete = kernel_calls.train(
            (sizes, "linear", "quadratic", p),
            (X, 1.0, y),
            np.tile(np.arange(2), (9, 1)),
            1,
            1.0,
            kernels=kernels,
            threads=threads,
            snapshots=snapshots,
        )
    assert n_complete == 3  # 1e50, 1e100; 1e150, 1e200; 1e250, 1e300; more than float64 has
    assert not np.isfinite(p).all()
    assert 1e270 < np.abs(snapshots).max() < 1e308


# ---- several networks evaluated in one call


@pytest.fixture
def evaluate(random_parameters, random_examples, dtype):
    """evaluate(kernels, networks=None: all of 5, parameters=None: or these alone, ...)"""
    five = np.stack([random_parameters(SIZES, dtype, seed) for seed in range(5)])

    def call(kernels, networks=None, parameters=None, **keywords):
        X, scale, y = random_examples(150, SIZES, "cross-entropy", 1)  # 64, 64 and 22
        keywords = {"hidden": ("tanh", "sigmoid"), "weights": np.linspace(0, 2, 150), **keywords}
        if parameters is None:
            keywords["networks"] = five if networks is None else networks
            parameters = five[0]
        network = (SIZES, "sigmoid", "cross-entropy", parameters)
        return kernel_calls.evaluate(network, (X, scale, y), kernels=kernels, **keywords)

    call.networks = five
    return call


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kernels", [_kernels, reference])
def test_networks_evaluated_together_have_the_figures_of_each_alone(evaluate, kernels, threads):
    counts, costs = evaluate(kernels, threads=threads)
    alone = [evaluate(kernels, parameters=p) for p in evaluate.networks]
    assert [*zip(counts, costs, strict=True)] == alone
    assert len(set(costs)) == 5
    assert [type(figure) for figure in (counts[0], costs[0], *alone[0])] == [int, float] * 2


@pytest.mark.parametrize("kernels", [_kernels, reference])
@pytest.mark.parametrize("dtype", ["float64"], indirect=True)
def test_their_poll_is_told_the_examples_of_all(evaluate, always, kernels, monkeypatch):
    monkeypatch.setattr(reference.network, "EVALUATED", 64)
    seen = []
    evaluate(kernels, poll=seen.append)
    assert seen == [k * 150 + done for k in range(5) for done in (0, 64, 128)][1:]

    def stop(done):
        if done == 364:  # in the midst of the third
            raise Stop
        assert done < 364

    with pytest.raises(Stop):
        evaluate(kernels, poll=stop)


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        (np.zeros((2, 9), np.float32), r"networks: expected shape \(2, 560\), got \(2, 9\)"),
        (np.zeros((0, 560), np.float32), "networks: expected one row or more, got none"),
        (np.zeros((4, 560), np.float32)[::2], "networks: expected a contiguous array"),
    ],
)
@pytest.mark.parametrize("dtype", ["float32"], indirect=True)
def test_what_are_no_networks_is_refused(evaluate, networks, message):
    with pytest.raises(ValueError, match=message):
        evaluate(_kernels, networks)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"key": KEYS[1:]}, r"key: expected shape \(4,\), got \(3,\)"),
        (
            {"snapshots": np.zeros((2, 9), np.float32)},
            r"snapshots: expected shape \(2, 560\), got \(2, 9\)",
        ),
        (
            {"snapshots": np.zeros((4, 560), np.float32)[::2]},
            "snapshots: expected a contiguous array",
        ),
        (
            {"snapshots": np.zeros((0, 560), np.float32)},
            "snapshots: expected a row or more for several passes, got none",
        ),
        ({"costs": np.zeros(4)}, r"costs: expected shape \(16,\), got \(4,\)"),
        ({"order": ORDERS[:, ::-1]}, "order: expected contiguous rows"),
        ({"order": ORDERS[:, 1:]}, "order: expected a contiguous array"),
        ({"order": ORDERS + 1}, "order: expected indices from 0 to 36"),
    ],
)
def test_what_does_not_fit_is_refused(random_parameters, random_examples, more, message):
    p = random_parameters(SIZES, "float32", 0)
    start, keywords = p.copy(), {"order": ORDERS, **more}
    order = keywords.pop("order")
    data = random_examples(N, SIZES, "cross-entropy", 1)
    with pytest.raises(ValueError, match=message):
        kernel_calls.train((SIZES, "sigmoid", "cross-entropy", p), data, order, M, 0.5, **keywords)
    assert (p == start).all()


# ---- as SGD makes use of it


DATA = RANDOM.normal(size=(40, 8)), RANDOM.integers(0, 3, 40)
EVALUATION = RANDOM.normal(size=(30, 8)), RANDOM.integers(0, 3, 30)
EPOCHS = 1000  # more than one call has


def each_epoch(*_):
    """A callback, so that each epoch is a call of its own."""


ALL_FIGURES = {
    "evaluation_data": EVALUATION,
    **{f"monitor_{name}": True for name in fastnet.History._fields},
}


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"lmbda": 0.5, "l1": 0.1},
        {"optimizer": fastnet.Adam()},
        {"dropout": 0.3},
        {"sample_weight": np.linspace(0, 2, 40)},
        {"early_stopping": fastnet.EarlyStopping("training_cost", 3)},
        {"early_stopping": fastnet.EarlyStopping("training_accuracy", 500, restore_best=False)},
        {"schedule": fastnet.HalveOnPlateau(2, monitor="training_accuracy")},
    ],
)
@pytest.mark.parametrize("figures", [{}, ALL_FIGURES])
@pytest.mark.parametrize("seed", [1, np.random.MT19937])
def test_epochs_have_the_same_bits_whether_anybody_looks_at_them_or_not(keywords, figures, seed):
    nets = []
    for callbacks in ([], [each_epoch]):
        net = Network([8, 5, 3], seed=seed if isinstance(seed, int) else seed(1))
        options = {"callbacks": callbacks, "verbose": False, **figures, **keywords}
        history = net.SGD(DATA, EPOCHS, 7, 0.05, **options)
        parameters = net.weights[0].tobytes(), net.biases[1].tobytes()
        nets.append((*parameters, net._stream.raw(1), history))
    assert nets[0] == nets[1]
    assert not figures or len(nets[0][-1].training_cost) > 3


def test_epochs_that_nobody_looks_at_are_few_calls(calls):
    net = Network([8, 5, 3], seed=1)
    net.SGD(DATA, EPOCHS, 7, 0.05, verbose=False)
    assert calls == [(409, 40), (409, 40), (182, 40)]
    calls.clear()
    net.SGD(DATA, 3, 7, 0.05, verbose=False, schedule=fastnet.ExponentialDecay(0.9))
    assert calls == [(1, 40)] * 3


def test_so_are_monitored_ones_as_far_as_their_parameters_are_kept(calls):
    keywords = {"monitor_training_accuracy": True, "verbose": False}
    Network([8, 5, 3], seed=1).SGD(DATA, EPOCHS, 7, 0.05, **keywords)
    assert calls == [(409, 40), (409, 40), (182, 40)]
    calls.clear()
    Network([8, 3000, 3], seed=1).SGD(DATA, 5, 7, 0.05, **keywords)  # 75,088 parameters
    assert calls == [(3, 40), (2, 40)]
    calls.clear()
    Network([8, 3000, 3000, 3], seed=1).SGD(DATA, 2, 7, 0.05, **keywords)
    assert calls == [(1, 40), (1, 40)]


@pytest.mark.parametrize("cost", ["cross-entropy", type("Own", (fastnet.QuadraticCost,), {})])
def test_figures_of_the_same_data_are_those_of_each_alone(cost):
    weights = np.linspace(0, 2, 40)
    histories = [
        Network([8, 5, 3], cost, seed=1).SGD(
            DATA, 5, 7, 0.05, 0.1, EVALUATION, l1=0.1, sample_weight=weights, verbose=False,
            **{f"monitor_{name}": True for name in names},
        )
        for names in (fastnet.History._fields, *([name] for name in fastnet.History._fields))
    ]  # fmt: skip
    alone = zip(histories[1:], fastnet.History._fields, strict=True)
    assert histories[0] == tuple(getattr(one, name) for one, name in alone)
    assert [len(figures) for figures in histories[0]] == [5] * 4


def test_a_pass_over_the_data_gives_their_cost_and_accuracy(monkeypatch):
    calls, evaluate = [], Model._evaluate

    def counted(model, networks, data, with_cost, *more):
        calls.append(with_cost)
        return evaluate(model, networks, data, with_cost, *more)

    monkeypatch.setattr(Model, "_evaluate", counted)
    Network([8, 5, 3], seed=1).SGD(DATA, 5, 7, 0.05, verbose=False, **ALL_FIGURES)
    assert calls == [True] * 2  # evaluation and training data


def test_early_stopping_lets_no_epoch_be_trained_in_vain(calls):
    stopping = fastnet.EarlyStopping("evaluation_accuracy", 10, restore_best=False)
    keywords = {"early_stopping": stopping, "evaluation_data": EVALUATION, "verbose": False}
    history = Network([8, 5, 3], seed=1).SGD(DATA, EPOCHS, 7, 0.05, **keywords)
    trained = sum(passes for passes, _ in calls)
    assert len(calls) < trained == len(history.evaluation_accuracy) < EPOCHS


def test_a_cost_of_ones_own_is_measured_before_the_next_epoch(calls):
    class Own(fastnet.QuadraticCost):
        pass

    net = Network([8, 5, 3], Own, seed=1)
    net.SGD(DATA, 3, 7, 0.05, monitor_training_cost=True, verbose=False)
    assert calls == [(1, 40)] * 3


def test_a_divergence_comes_with_the_figures_of_the_epochs_before():
    data, histories = (np.ones((10, 2)), np.full((10, 1), 1.0)), []
    for callbacks in ([], [each_epoch]):
        net = Network([2, 1], "quadratic", output="linear", seed=1)
        keywords = {"callbacks": callbacks, "verbose": False, "monitor_training_cost": True}
        with pytest.raises(fastnet.DivergenceError) as caught:
            net.SGD(data, 100, 5, 20.0, **keywords)
        assert len(caught.value.history.training_cost) == caught.value.epoch - 1 > 2
        histories.append(caught.value.history)
    assert histories[0] == histories[1]


@pytest.mark.parametrize("callbacks", [[], [each_epoch]])
def test_a_divergence_names_its_epoch_and_leaves_the_one_before(callbacks):
    """A rate that is far too large: the error grows manyfold in each mini-batch."""
    data = np.ones((10, 2)), np.full((10, 1), 1.0)
    keywords = {"callbacks": callbacks, "verbose": False}
    net = Network([2, 1], "quadratic", output="linear", seed=1)
    whole = copy.deepcopy(net)
    with pytest.raises(fastnet.DivergenceError) as caught:
        net.SGD(data, 100, 5, 20.0, **keywords)
    epoch = caught.value.epoch
    assert epoch > 3
    assert caught.value.history == ([], [], [], [])
    whole.SGD(data, epoch - 1, 5, 20.0, **keywords)
    assert net == whole
    assert net._stream.state == whole._stream.state


@pytest.mark.parametrize(
    ("asked", "epochs", "mini_batches", "logged"),
    [(3, 0, 3, 0), (250, 62, 2, 62), (4 * 409 + 50, 409, 0, 408)],  # the last one: the figures
)
def test_a_stop_of_monitored_epochs_keeps_the_mini_batches_done_and_the_epochs_before(
    asked, epochs, mini_batches, logged, always, caplog
):
    net, whole = Network([8, 5, 3], seed=1), Network([8, 5, 3], seed=1)
    times = itertools.count(1)
    before = reporting.stop_requested.set(lambda: next(times) == asked)
    try:
        with pytest.raises(KeyboardInterrupt):
            net.SGD(DATA, EPOCHS, 10, 0.05, monitor_training_accuracy=True, verbose=False)
    finally:
        reporting.stop_requested.reset(before)
    assert caplog.messages[-1].startswith(f"Training ended by Stopped after {logged} epochs")
    whole.SGD(DATA, epochs, 10, 0.05, verbose=False)
    assert_left_after(net, whole, DATA, mini_batches * 10, 0.05, 0.0)


@pytest.mark.parametrize("call", [3, 250])
def test_an_interrupt_keeps_the_mini_batches_done_and_the_epochs_before(call, caplog):
    Cost = cost_interrupted_at(call)
    net, whole = Network([8, 5, 3], Cost, seed=1), Network([8, 5, 3], Cost, seed=1)
    with pytest.raises(KeyboardInterrupt):
        net.SGD(DATA, EPOCHS, 10, 0.05, verbose=False)  # four mini-batches in an epoch
    epochs, mini_batches = divmod(call - 1, 4)
    assert caplog.messages[-1].startswith(f"Training ended by KeyboardInterrupt after {epochs} ep")
    whole.SGD(DATA, epochs, 10, 0.05, verbose=False)
    assert_left_after(net, whole, DATA, mini_batches * 10, 0.05, 0.0)
