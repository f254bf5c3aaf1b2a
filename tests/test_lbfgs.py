"""``Network.fit_lbfgs``: what it minimizes, when it ends, and what it leaves behind."""

import copy
import math
import os
import pickle
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.sparse

import fastnet
from fastnet import Dataset, DivergenceError, Network
from fastnet.core.blas_threads import one_blas_thread
from fastnet.model import Model
from fastnet.nn.activations import HIDDEN

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(80, 4))
Y = np.sin(X[:, :2]) + 0.1 * RANDOM.normal(size=(80, 2))
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
ALL = {"max_iter": 50, "tol": 1e-6, "verbose": False}


def regression(sizes=(4, 6, 2), dtype="float64", **options):
    options = {"hidden": "tanh", "seed": 3, **options}
    return Network(sizes, "quadratic", output="linear", dtype=dtype, **options)


def parameters(net):
    return [array.copy() for array in [*net.weights, *net.biases]]


def assert_same(arrays, others):
    for one, other in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(one, other)


# ---- what it minimizes


@pytest.mark.parametrize("lmbda", [0.0, 7.0])
def test_a_linear_network_gets_the_solution_of_the_normal_equations(lmbda):
    net = regression((4, 2))
    net.fit_lbfgs((X, Y), 200, lmbda, tol=1e-9, verbose=False)
    ones = np.column_stack([X, np.ones(80)])
    decay = lmbda * np.diag([1, 1, 1, 1, 0])  # biases do not decay
    expected = np.linalg.solve(ones.T @ ones + decay, ones.T @ Y)
    np.testing.assert_allclose(net.weights[0].T, expected[:4], rtol=0, atol=1e-6)
    np.testing.assert_allclose(net.biases[0].T, expected[4:], rtol=0, atol=1e-6)


def test_the_history_has_the_costs_that_total_cost_measures():
    net, costs = regression(), []
    history = net.fit_lbfgs(
        (X, Y), 30, 0.5, (X[:20], Y[:20]), verbose=False,
        callbacks=[lambda net, *_: costs.append((
            net.total_cost((X, Y), 0.5), net.total_cost((X[:20], Y[:20]), 0.5)
        ))],
    )  # fmt: skip
    np.testing.assert_allclose(history.training_cost, [c[0] for c in costs], rtol=1e-13)
    assert history.evaluation_cost == [c[1] for c in costs]
    assert (np.diff(history.training_cost) < 0).all()
    assert history.training_cost[-1] < history.training_cost[0] / 3
    assert (history.evaluation_accuracy, history.training_accuracy) == ([], [])
    assert (history.n_training, history.n_evaluation, len(costs)) == (80, 20, 30)


def test_the_accuracy_on_evaluation_data_with_labels_is_recorded():
    net = Network([4, 8, 3], dtype="float64", seed=1)
    history = net.fit_lbfgs((X, LABELS), 40, evaluation_data=(X, LABELS), verbose=False)
    assert history.evaluation_accuracy[-1] == net.accuracy((X, LABELS)) > 75
    assert history.evaluation_cost == []


@pytest.mark.parametrize("hidden", HIDDEN)
def test_each_kind_of_neurons_ends_where_the_gradient_is_small(hidden):
    net = regression(hidden=hidden)
    net.fit_lbfgs((X, Y), 3000, 1.0, tol=1e-3, verbose=False)
    gradients = net.gradient((X, Y))
    nabla_w = [g + w / 80 for g, w in zip(gradients[1], net.weights, strict=True)]
    if "relu" not in hidden:  # at whose kinks the line search may end before
        assert max(np.abs(g).max() for g in [*gradients[0], *nabla_w]) <= 1e-3
    assert net.total_cost((X, Y), 1.0) < regression(hidden=hidden).total_cost((X, Y), 1.0) / 3


def test_every_cost_is_minimized(pair):
    output, cost = pair
    y = LABELS if output in ("sigmoid", "softmax") else np.abs(Y[:, :1])
    n_out = 3 if output in ("sigmoid", "softmax") else 1
    kind = fastnet.nn.costs.of_kernel(cost)
    net = Network([4, 5, n_out], kind, output=output, dtype="float64", seed=2)
    history = net.fit_lbfgs((X, y), 60, 0.01, verbose=False)
    assert history.training_cost[-1] < 0.9 * history.training_cost[0]
    assert net.total_cost((X, y), 0.01) == pytest.approx(history.training_cost[-1], rel=1e-13)


class Quartic:
    """A cost of the user's own."""

    @staticmethod
    def fn(a, y):
        return float(((a - y) ** 4).sum())

    @staticmethod
    def delta(z, a, y):
        return 4 * (a - y) ** 3


def test_a_cost_class_of_one_s_own_is_minimized():
    net = Network([4, 6, 2], Quartic, output="linear", dtype="float64", seed=1)
    history = net.fit_lbfgs((X, Y), **ALL)
    assert history.training_cost[-1] < history.training_cost[0] / 5
    assert history.training_cost[-1] == pytest.approx(net.total_cost((X, Y), 0.0), rel=1e-12)


def test_float32_gets_as_far_as_its_rounding_allows():
    nets = [regression(dtype=dtype) for dtype in ("float32", "float64")]
    for net in nets:
        net.fit_lbfgs((X, Y), 500, 1.0, verbose=False)
    assert nets[0].weights[0].dtype == np.float32
    costs = [net.total_cost((X, Y), 1.0) for net in nets]
    assert costs[0] == pytest.approx(costs[1], rel=1e-3)


# ---- the same bits


def test_threads_and_the_form_of_the_examples_change_no_bit():
    random = np.random.default_rng(2)
    dense = random.normal(size=(1500, 300)) * (random.random((1500, 300)) < 0.1)
    labels = (dense[:, :3] + 0.1).argmax(axis=1)
    nets = []
    for n_threads, data in [
        (1, (dense, labels)),
        (2, (dense, labels)),
        (3, Dataset(dense, labels, sparse=False)),
        (2, (scipy.sparse.csr_array(dense), labels)),
    ]:
        net = Network([300, 200, 3], "log-likelihood", output="softmax", dtype="float64", seed=1,
                      n_threads=n_threads)  # fmt: skip
        net.fit_lbfgs(data, 5, 0.1, verbose=False)
        nets.append(net)
    assert nets[0] != Network([300, 200, 3], "log-likelihood", output="softmax", dtype="float64",
                              seed=1)  # fmt: skip
    assert nets[0] == nets[1] == nets[2] == nets[3]


def test_it_draws_no_random_number():
    one, other = regression(), regression()
    one.fit_lbfgs((X, Y), 3, verbose=False)
    for net in (one, other):
        net.default_weight_initializer()
    assert one == other


def test_bytes_are_scaled_and_the_scale_is_remembered():
    images = RANDOM.integers(0, 256, (50, 4)).astype(np.uint8)
    net = Network([4, 3], seed=1)
    net.fit_lbfgs(Dataset(images, LABELS[:50], scale=1 / 255), 5, verbose=False)
    assert net.input_scale == 1 / 255


# ---- when it ends


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_iter": 3}, ""),
        ({"max_fun": 1}, "Stopped after iteration 1: max_fun=1 evaluations of the cost"),
        (
            {"tol": 0.05},
            r"Stopped after iteration \d+: no component of the gradient is larger than tol=0.05",
        ),
        ({"max_iter": 5000, "tol": 0.0}, r"Stopped after iteration \d+: the cost does not fall"),
    ],
)
def test_it_says_why_it_ends_before_the_last_iteration(options, words, capsys):
    history = regression((4, 2)).fit_lbfgs((X, Y), **options)
    lines = capsys.readouterr().out.splitlines()
    n = len(history.training_cost)
    width = len(str(options.get("max_iter", 200)))
    assert lines[0].startswith(f"Iteration {1:{width}} / {options.get('max_iter', 200)}  Cost on ")
    assert lines[0].endswith(f"training data: {history.training_cost[0]:.6g}")
    assert len(lines) == n + bool(words)
    if words:
        assert re.match(words, lines[-1])
    else:
        assert n == 3


def test_at_the_minimum_it_has_no_iteration():
    net = regression((4, 2))
    net.fit_lbfgs((X, Y), 200, tol=1e-6, verbose=False)
    before = parameters(net)
    history = net.fit_lbfgs((X, Y), 200, tol=1e-5, verbose=False)
    assert history == ([], [], [], [])
    assert_same(parameters(net), before)


def test_a_second_call_goes_on_from_the_parameters_of_the_first():
    net = regression()
    first = net.fit_lbfgs((X, Y), 10, verbose=False)
    second = net.fit_lbfgs((X, Y), 10, verbose=False)
    assert second.training_cost[0] < first.training_cost[-1]


def test_a_callback_sees_each_iteration_and_may_stop_it():
    net, seen = regression(), []

    def watch(network, iteration, history):
        seen.append((network, iteration, len(history.training_cost), parameters(network)))
        return iteration == 4

    history = net.fit_lbfgs((X, Y), callbacks=[watch], verbose=False)
    assert [each[:3] for each in seen] == [(net, i, i) for i in (1, 2, 3, 4)]
    assert len(history.training_cost) == 4
    assert_same(parameters(net), seen[-1][3])
    assert any((one != other).any() for one, other in zip(seen[0][3], seen[1][3], strict=True))


# ---- what it leaves behind


def test_arrays_taken_before_keep_their_values():
    net = regression()
    weights, before = net.weights[0], net.weights[0].copy()
    net.fit_lbfgs((X, Y), 2, verbose=False)
    np.testing.assert_array_equal(weights, before)
    assert (net.weights[0] != before).any()
    net.weights[0][0, 0] = 5.0
    assert net.weights[0][0, 0] == 5.0


class Interrupting(Quartic):
    """Raises an error at its n-th gradient."""

    def __init__(self, n, error):
        self.n, self.error = n, error

    def delta(self, z, a, y):
        self.n -= 1
        if self.n == 0:
            raise self.error
        return 4 * (a - y) ** 3


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("broken")])
@pytest.mark.parametrize("n", [1, 9])
def test_after_an_interrupt_or_an_error_it_has_the_last_complete_iteration(n, error):
    cost = Interrupting(n, error)
    net, seen = Network([4, 6, 2], cost, output="linear", dtype="float64", seed=1), []
    seen.append(parameters(net))
    watch = [lambda net, *_: seen.append(parameters(net))]
    with pytest.raises(type(error)) as raised:
        net.fit_lbfgs((X, Y), callbacks=watch, verbose=False)
    assert_same(parameters(net), seen[-1])
    assert (len(seen) > 1) == (n == 9)
    if isinstance(error, KeyboardInterrupt):
        assert len(raised.value.history.training_cost) == len(seen) - 1
    net.weights[0] = net.weights[0] * 2  # may be changed again
    net.fit_lbfgs((X, Y), 2, verbose=False)  # and trained


def test_an_exception_of_a_callback_leaves_its_iteration():
    net, seen = regression(), []

    def stop(net, iteration, history):
        seen.append(parameters(net))
        if iteration == 2:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        net.fit_lbfgs((X, Y), callbacks=[stop], verbose=False)
    assert_same(parameters(net), seen[1])


def test_a_callback_that_changes_the_parameters_is_refused_and_they_are_restored():
    net, seen = regression(), []

    def change(net, iteration, history):
        seen.append(parameters(net))
        if iteration == 3:
            net.biases[1][0, 0] += 1e-9

    with pytest.raises(ValueError, match=r"^weights, biases: expected no change between two iter"):
        net.fit_lbfgs((X, Y), callbacks=[change], verbose=False)
    assert len(seen) == 3
    assert_same(parameters(net), seen[-1])


def test_a_change_of_the_network_from_within_the_cost_is_refused():
    class Changing(Quartic):
        @staticmethod
        def delta(z, a, y):
            net.weights[0] = net.weights[0] * 2
            return a - y

    net = Network([4, 2], Changing, output="linear", seed=1)
    with pytest.raises(RuntimeError, match="the network is being trained"):
        net.fit_lbfgs((X, Y), verbose=False)


# ---- costs that are not finite


def test_a_start_without_a_finite_cost_is_a_divergence_and_changes_nothing():
    net = Network([1, 1], "poisson", dtype="float64")
    net.weights[0], net.biases[0] = [[1.0]], [[0.0]]
    with pytest.raises(DivergenceError, match=r"^training diverged in epoch 1: the cost or its "
                       r"gradient is not finite; the parameters are restored to those before the "
                       r"training \(") as raised:  # fmt: skip
        net.fit_lbfgs(([[1000.0]], [[1.0]]), verbose=False)
    assert (raised.value.epoch, raised.value.history) == (1, ([], [], [], []))
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)
    assert (net.weights[0].item(), net.biases[0].item(), net.input_scale) == (1, 0, None)


def test_a_step_to_where_the_cost_is_not_finite_is_shortened(monkeypatch):
    costs, original = [], Model.cost_and_gradient
    monkeypatch.setattr(
        Model, "cost_and_gradient", lambda *args: costs.append(original(*args)) or costs[-1]
    )
    net = Network([1, 1], "poisson", dtype="float64")
    net.weights[0], net.biases[0] = [[0.0]], [[0.0]]
    data = np.array([[1000.0], [-1000.0]]), np.array([[20.0], [5.0]])
    net.fit_lbfgs(data, 500, tol=1e-8, verbose=False)
    assert math.inf in costs
    slope = math.log(20 / 5) / 2000  # of ln of the outputs through both points
    assert net.weights[0].item() == pytest.approx(slope, rel=1e-3)
    np.testing.assert_allclose(net.feedforward(data[0]), data[1], rtol=1e-3)


# ---- what is refused


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        ((X, Y), {"max_iter": 0}, ValueError, "max_iter: expected 1 or more, got 0"),
        ((X, Y), {"max_iter": 2.5}, TypeError, "max_iter: expected an integer, got 2.5"),
        ((X, Y), {"max_fun": 0}, ValueError, "max_fun: expected 1 or more, got 0"),
        ((X, Y), {"tol": -1}, ValueError, "tol: expected a finite number of 0 or more, got -1"),
        ((X, Y), {"lmbda": np.nan}, ValueError, "lmbda: expected a finite number of 0 or more"),
        ((X, Y), {"callbacks": 3}, TypeError, "callbacks: expected"),
        ((X, Y), {"verbose": 3}, ValueError, "verbose: expected 0"),
        ((X[:, :3], Y), {}, ValueError, "training_data: expected 4 features per example, got 3"),
        ((X, Y[:, :1]), {}, ValueError, "training_data: expected 2 targets per example, got 1"),
        ((X, Y), {"evaluation_data": (X, Y[:3])}, ValueError, "evaluation_data: "),
    ],
)
def test_bad_input_is_named_and_changes_nothing(data, options, error, message):
    net = regression()
    before, weights = copy.deepcopy(net), net.weights
    with pytest.raises(error, match=re.escape(message)):
        net.fit_lbfgs(data, **options)
    assert net == before
    assert net.weights is weights


def test_a_network_that_overrides_backprop_is_refused():
    class Own(Network):
        def backprop(self, x, y):
            return super().backprop(x, y)

    net = Own([4, 2], "quadratic", output="linear", seed=1)
    with pytest.raises(TypeError, match="fit_lbfgs: expected a network whose update_mini_batch"):
        net.fit_lbfgs((X, Y), verbose=False)


def test_an_overridden_cost_is_recorded():
    class Own(Network):
        def total_cost(self, data, lmbda, convert=False):
            return 42.0

    net = Own([4, 2], "quadratic", output="linear", seed=1)
    history = net.fit_lbfgs((X, Y), 2, verbose=False)
    assert history.training_cost == [42.0, 42.0]


def test_a_missing_scipy_is_named_with_the_line_that_installs_it(monkeypatch):
    net = regression()
    before = copy.deepcopy(net)
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    message = r'^fit_lbfgs: expected SciPy to be installed: pip install "scipy>=1\.11"$'
    with pytest.raises(ImportError, match=message):
        net.fit_lbfgs((X, Y), verbose=False)
    assert net == before


# ---- the threads of SciPy's BLAS

MANY_PARAMETERS = """
import hashlib, numpy as np
from fastnet import Network
random = np.random.default_rng(1)
X = random.normal(size=(60, 300))
net = Network([300, 50, 2], seed=1, dtype="float64")
net.fit_lbfgs((X, (X[:, 0] > 0).astype(int)), 8, verbose=False)
print(hashlib.md5(b"".join(w.tobytes() for w in net.weights)).hexdigest())
"""


def test_the_number_of_cores_changes_no_bit():
    pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed")
    found = set()
    for threads in ("1", "2", "4"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-P", "-c", MANY_PARAMETERS]
        found.add(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
    assert len(found) == 1
    assert len(found.pop().strip()) == 32


def blas_threads():
    import threadpoolctl

    return [lib["num_threads"] for lib in threadpoolctl.threadpool_info()
            if lib["user_api"] == "blas"]  # fmt: skip


def test_blas_has_one_thread_until_the_last_of_several_contexts_ends():
    pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed")
    before = blas_threads()
    first, second = one_blas_thread(), one_blas_thread()
    with first:
        second.__enter__()
    assert set(blas_threads()) == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == before


def test_without_threadpoolctl_it_trains(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    one, other = regression(), regression()
    one.fit_lbfgs((X, Y), 3, verbose=False)
    monkeypatch.undo()
    other.fit_lbfgs((X, Y), 3, verbose=False)
    assert one == other


# ---- a real Ctrl-C


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals of POSIX")
def test_ctrl_c_within_a_pass_ends_it_with_the_last_iteration():
    random = np.random.default_rng(4)
    many, labels = random.normal(size=(15_000, 200)), random.integers(0, 2, 15_000)
    net, seen, timers = Network([200, 150, 2], seed=1), [], []

    def watch(net, *_):
        seen.append(parameters(net))
        if len(seen) == 1:  # in one of the next passes, each of which takes longer than that
            main = threading.main_thread().ident
            timers.append(threading.Timer(0.02, signal.pthread_kill, (main, signal.SIGINT)))
            timers[0].start()

    with pytest.raises(KeyboardInterrupt) as raised:
        net.fit_lbfgs((many, labels), 1000, tol=0.0, callbacks=[watch], verbose=False)
    timers[0].join()
    assert_same(parameters(net), seen[-1])
    assert len(raised.value.history.training_cost) == len(seen) < 20
    net.fit_lbfgs((many[:100], labels[:100]), 1, verbose=False)
