"""Long calls poll between mini-batches: the same bits, progress, and Ctrl-C."""

import contextlib
import signal
import threading

import kernel_calls
import numpy as np
import pytest
from interrupting_cost import assert_left_after, cost_interrupted_at

from fastnet import Network, load, reference
from fastnet.core import _kernels
from fastnet.data.sparse_rows import compress
from fastnet.nn.optimizers import USUAL

SIZES = [64, 30, 20, 4]
M = 10
N = 87  # so that the last mini-batch is smaller


pytestmark = [pytest.mark.usefixtures("always"), pytest.mark.covering(3)]

TECHNIQUES = {
    "plain": {},
    "decay put off": {"l2": 0.02},
    "decay settled in between": {"l2": 1.0},
    "L1 and L2": {"l2": 0.02, "l1": 0.01},
    **{name: {"l2": 0.02, "optimizer": one.kernel, "steps": 3} for name, one in USUAL.items()},
    "dropout and shift": {"l2": 0.02, "dropout": np.array([0.5, 0.2]), "shift": 2, "key": 5},
    "weights": {"l2": 0.02, "weights": np.linspace(0, 2, N)},
}


class Stop(Exception):
    pass


def stop_at_once(done):
    raise Stop


@pytest.fixture(params=["dense", "columns", "masks"])
def form(request):
    return request.param


@pytest.fixture
def passes(random_parameters, random_examples, dtype):
    """passes(techniques, ...): parameters and moments after one pass with ``poll``; ``look`` is
    called with the number of examples done and the parameters by the handler of a signal that
    comes each time."""

    def run(options, order, *, form="dense", threads=1, m=M, kernels=_kernels, look=None, **more):
        if form == "masks" and options.get("shift"):
            pytest.skip("masks are not shifted")
        X, scale, y = random_examples(N, SIZES, "cross-entropy", 1)
        if form != "dense":
            X = compress(X, form)
            if form == "masks" and _kernels.choose_input_format(SIZES, dtype, 0.2) != "masks":
                pytest.skip("this instruction set has no way for masks")
        p = random_parameters(SIZES, dtype, 0)
        if look is not None:
            done = []
            signal.signal(signal.SIGUSR1, lambda number, frame: look(done[-1], p))
            more["poll"] = lambda k: done.append(k) or signal.raise_signal(signal.SIGUSR1)
        options = dict(options)
        n_moments = USUAL[options["optimizer"][0]].n_moments if "optimizer" in options else 0
        if n_moments:
            options["moments"] = np.zeros(n_moments * len(p), dtype)
        with contextlib.suppress(Stop):
            kernel_calls.train(
                (SIZES, "sigmoid", "cross-entropy", p),
                (X, scale, y),
                order,
                m,
                0.5,
                l2=options.pop("l2", 0.0),
                threads=threads,
                kernels=kernels,
                hidden=("relu", "sigmoid"),
                **options,
                **more,
            )
        return p.tobytes(), options.get("moments", np.zeros(0)).tobytes()

    return run


ORDER = np.random.default_rng(3).permutation(N)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", TECHNIQUES)
def test_a_polled_pass_has_the_bits_of_one_that_is_not(passes, name, form, threads):
    options, seen = TECHNIQUES[name], []
    polled = passes(options, ORDER, form=form, threads=threads, poll=seen.append)
    assert seen == [*range(M, N, M)]
    _kernels.poll_every()
    assert polled == passes(options, ORDER, form=form, threads=threads)


@pytest.mark.covering(2)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", TECHNIQUES)
def test_a_stop_leaves_what_a_pass_over_the_mini_batches_done_leaves(passes, name, form, threads):
    options = TECHNIQUES[name]
    for batches in (1, 4, 8):

        def stop(done, batches=batches):
            if done == batches * M:
                raise Stop

        stopped = passes(options, ORDER, form=form, threads=threads, poll=stop)
        assert stopped == passes(options, ORDER[: batches * M], form=form, threads=threads)
    assert stopped != passes(options, ORDER, form=form, threads=threads)


@pytest.mark.covering(2)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", TECHNIQUES)
def test_a_handler_of_a_signal_finds_the_parameters_as_the_mini_batches_have_left_them(
    passes, name, form, threads, request
):
    before = signal.getsignal(signal.SIGUSR1)
    request.addfinalizer(lambda: signal.signal(signal.SIGUSR1, before))
    options, seen = TECHNIQUES[name], {}

    def look(done, p):
        seen[done] = p.tobytes()

    polled = passes(options, ORDER, form=form, threads=threads, look=look)
    for batches in (1, 4, 8):
        assert seen[batches * M] == passes(options, ORDER[: batches * M], form=form)[0]
    assert polled == passes(options, ORDER, form=form, threads=threads)


@pytest.mark.parametrize("name", ["plain", "decay put off", "adam"])
def test_mini_batches_of_several_pieces_are_done_whole(passes, name):
    order, m, seen = np.tile(ORDER, 100), 3000, []  # a piece has 1024

    def stop(done):
        seen.append(done)
        if done == 2 * m:
            raise Stop

    stopped = passes(TECHNIQUES[name], order, m=m, poll=stop)
    assert seen == [m, 2 * m]
    assert stopped == passes(TECHNIQUES[name], order[: 2 * m], m=m)


def test_the_twin_in_numpy_is_polled_too(passes):
    seen = []

    def stop(done):
        seen.append(done)
        if done == 3 * M:
            raise Stop

    stopped = passes({}, ORDER, kernels=reference, poll=stop)
    assert seen == [M, 2 * M, 3 * M]
    assert stopped == passes({}, ORDER[: 3 * M], kernels=reference)


@pytest.mark.parametrize(("kernels", "piece"), [(_kernels, 64), (reference, 1024)])
def test_an_evaluation_is_polled_and_has_the_bits_of_one_that_is_not(
    kernels, piece, random_parameters, random_examples
):
    X, scale, y = random_examples(4 * piece - 5, SIZES, "cross-entropy", 1)
    p = random_parameters(SIZES, "float32", 0)
    options = (SIZES, "sigmoid", "cross-entropy", p), (X, scale, y)
    seen = []
    polled = kernel_calls.evaluate(*options, kernels=kernels, poll=seen.append)
    assert seen == [piece, 2 * piece, 3 * piece]
    assert polled == kernel_calls.evaluate(*options, kernels=kernels)
    with pytest.raises(Stop):
        kernel_calls.evaluate(*options, kernels=kernels, poll=stop_at_once)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("kernels", "piece"), [(_kernels, 64), (reference, 1024)])
def test_so_is_feedforward(kernels, piece, sparse, random_parameters, random_examples):
    X, scale, _ = random_examples(4 * piece - 5, SIZES, "cross-entropy", 1)
    X = compress(X, "columns") if sparse else X
    options = (SIZES, "sigmoid", None, random_parameters(SIZES, "float32", 0)), (X, scale)
    polled, alone = np.empty((2, len(X), SIZES[-1]), np.float32)
    seen = []
    kernel_calls.feedforward(*options, polled, kernels=kernels, poll=seen.append)
    assert seen == [piece, 2 * piece, 3 * piece]
    kernel_calls.feedforward(*options, alone, kernels=kernels)
    np.testing.assert_array_equal(polled, alone)
    with pytest.raises(Stop):
        kernel_calls.feedforward(*options, polled, kernels=kernels, poll=stop_at_once)


@pytest.mark.parametrize("kernels", [_kernels, reference])
def test_and_a_gradient(kernels, random_parameters, random_examples):
    X, scale, y = random_examples(3000, SIZES, "cross-entropy", 1)
    p = random_parameters(SIZES, "float32", 0)
    options = (SIZES, "sigmoid", "cross-entropy", p), (X, scale, y)
    seen, (polled, alone) = [], (np.empty_like(p), np.empty_like(p))
    kernel_calls.gradient(*options, polled, kernels=kernels, poll=seen.append)
    assert seen == [1024, 2048]
    kernel_calls.gradient(*options, alone, kernels=kernels)
    np.testing.assert_array_equal(polled, alone)
    with pytest.raises(Stop):
        kernel_calls.gradient(*options, polled, kernels=kernels, poll=stop_at_once)


def test_what_a_poll_raises_comes_out_as_it_is(passes):
    error = ZeroDivisionError("mine")

    def stop(done):
        raise error

    with pytest.raises(ZeroDivisionError) as caught:
        passes({}, ORDER, poll=stop)
    assert caught.value is error


def test_a_poll_computes_with_subnormal_numbers(passes):
    found = []
    passes({}, ORDER, poll=lambda done: found.append(np.float64(1e-310) * np.float64(0.5)))
    assert min(found) > 0


def test_other_threads_are_polled_and_leave_signals_to_the_main_one(passes):
    seen, bits = [], []
    thread = threading.Thread(target=lambda: bits.append(passes({}, ORDER, poll=seen.append)))
    other = threading.Thread(target=lambda: bits.append(passes({}, ORDER)))
    for each in (thread, other):
        each.start()
        each.join()
    assert seen == [*range(M, N, M)]
    assert bits[0] == bits[1] == passes({}, ORDER)


def test_by_itself_the_interpreter_is_seldom_called(passes):
    """Only by the clock: a short pass never takes its lock."""
    _kernels.poll_every(1000, 0)
    seen = []
    passes({}, ORDER, poll=seen.append)
    assert seen == []


# ---- signals


class Interrupted(BaseException):
    pass


def handler(number, frame):
    raise Interrupted


@pytest.fixture
def interrupted():
    """interrupted(call): call() until a signal, whose handler raises, comes within a kernel. On a
    busy machine several may come before it, one after the other."""
    before = signal.signal(signal.SIGALRM, handler)

    def run(call):
        for delay in [0.02, 0.1, 0.5] * 7:
            with pytest.raises(Interrupted) as caught:
                call(lambda delay=delay: signal.setitimer(signal.ITIMER_REAL, delay))
            # compiled code calls the handler; its name is not compared, since Cython may give
            # functions at the same line of two files the same name in tracebacks
            if caught.traceback[-2].path.suffix in (".pxi", ".pyx"):
                return True
        return False

    yield run
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_signal_is_answered_within_a_pass(interrupted, random_parameters, random_examples):
    sizes, m = [100, 200, 10], 50
    X, scale, y = random_examples(m, sizes, "quadratic", 1)
    batches = 20_000
    order = np.tile(np.arange(m), batches)
    start = random_parameters(sizes, "float32", 0)
    p = start.copy()

    def train(parameters, order):
        kernel_calls.train(
            (sizes, "sigmoid", "quadratic", parameters), (X, scale, y), order, m, 0.5
        )

    def call(interrupt):
        p[...] = start
        interrupt()
        train(p, order)

    assert interrupted(call)
    done = 0
    while (start != p).any():
        train(start, order[:m])
        done += 1
        assert done < batches


def test_a_signal_is_answered_within_an_evaluation(interrupted, random_parameters, random_examples):
    sizes = [100, 2000, 2000, 10]
    X, scale, y = random_examples(20_000, sizes, "quadratic", 1)
    p = random_parameters(sizes, "float32", 0)
    for threads in (1, 2):

        def call(interrupt, threads=threads):
            interrupt()
            kernel_calls.evaluate(
                (sizes, "sigmoid", "quadratic", p), (X, scale, y), threads=threads
            )

        assert interrupted(call)


def test_a_signal_is_answered_within_feedforward(interrupted, random_parameters, random_examples):
    sizes = [100, 2000, 2000, 10]
    X, scale, _ = random_examples(20_000, sizes, "quadratic", 1)
    p, out = random_parameters(sizes, "float32", 0), np.empty((20_000, 10), np.float32)

    def call(interrupt):
        interrupt()
        kernel_calls.feedforward((sizes, "sigmoid", None, p), (X, scale), out)

    assert interrupted(call)


def test_a_signal_is_answered_while_weights_are_drawn(interrupted):
    raw = np.random.PCG64(0).random_raw(10_000_000)

    def call(interrupt):
        interrupt()
        _kernels.standard_normal(raw)

    assert interrupted(call)


def test_a_handler_of_a_signal_saves_the_network_as_it_is(tmp_path):
    """Whatever the kernels put off meanwhile: an inspection of the first layer's weights."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200_000, 8)), rng.integers(0, 3, 200_000)
    net, found = Network([8, 5, 3], seed=1), []

    def save(number, frame):
        net.save(tmp_path / "net.json")
        found.append(np.abs(load(tmp_path / "net.json").weights[0]).max())
        raise Interrupted

    before = signal.signal(signal.SIGALRM, save)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(Interrupted):
            net.SGD((X, y), 100_000, 10, 0.5, lmbda=0.01 * len(X), verbose=False)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert found == [np.abs(net.weights[0]).max()]


@pytest.mark.parametrize("monitored", [False, True])
def test_an_interrupted_training_keeps_the_mini_batches_done(monitored):
    """In the second epoch, by the handler of a signal, as Ctrl-C does it."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(200, 8)), rng.integers(0, 3, 200)

    Cost = cost_interrupted_at(27)  # 20 mini-batches in an epoch: 6 are done
    histories = []
    net, whole = Network([8, 5, 3], Cost, seed=1), Network([8, 5, 3], Cost, seed=1)
    options = {"verbose": False, "monitor_training_cost": monitored}
    with pytest.raises(KeyboardInterrupt):
        net.SGD(data, 3, 10, 0.5, 0.1, callbacks=[lambda n, e, h: histories.append(h)], **options)
    assert len(histories) == 1
    assert len(histories[0].training_cost) == monitored
    whole.SGD(data, 1, 10, 0.5, 0.1, **options)
    assert_left_after(net, whole, data, 60, 0.5, 0.1 / 200)


def test_an_interrupt_after_a_divergence_leaves_finite_parameters():
    class Cost:
        @staticmethod
        def fn(a, y):
            return 0.0

        @staticmethod
        def delta(z, a, y):
            if not np.isfinite(a).all():
                raise KeyboardInterrupt
            return np.full_like(a, 3e38)

    net = Network([2, 2], Cost, output="linear", seed=1)
    before = net.weights[0].copy()
    with np.errstate(all="ignore"), pytest.raises(KeyboardInterrupt):
        net.SGD((np.full((10, 2), 1e3), [0] * 10), 5, 2, 1e3, verbose=False)
    assert (net.weights[0] == before).all()


def test_a_handler_that_returns_lets_the_training_go_on(random_parameters, random_examples):
    calls = []
    before = signal.signal(signal.SIGALRM, lambda *_: calls.append(1))
    try:
        sizes = [100, 200, 10]
        X, scale, y = random_examples(50, sizes, "quadratic", 1)
        order = np.tile(np.arange(50), 1000)
        bits = []
        for delay in (0.005, 0):
            p = random_parameters(sizes, "float32", 0)
            signal.setitimer(signal.ITIMER_REAL, delay)
            kernel_calls.train((sizes, "sigmoid", "quadratic", p), (X, scale, y), order, 50, 0.5)
            bits.append(p.tobytes())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert calls == [1]
    assert bits[0] == bits[1]
