"""The choice of the instruction set, and what it may not change; threads; subnormal numbers."""

import os
import subprocess
import sys
import sysconfig
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kernel_calls
import numpy as np
import pytest

import fastnet
from fastnet.core import _kernels

# All others have fused multiply-add.
PLAIN = {"baseline"}


def weight_bits(net):
    """All weights and biases as integers, +0 and -0 alike."""
    parts = [*net.weights, *net.biases]
    return np.concatenate([(part + 0.0).ravel().view(f"u{part.itemsize}") for part in parts])


def trained(data, dtype="float32", seed=1, hidden=30, **options):
    net = fastnet.Network([data.X.shape[1], hidden, 10], dtype=dtype, seed=seed, **options)
    net.SGD(data, 1, 10, 0.5, 5.0, verbose=False)
    return net


# ---- the same bits ---------------------------------------------------------


@pytest.mark.parametrize("hidden", [30, 100])
def test_all_instruction_sets_with_fused_multiply_add_train_to_the_same_bits(hidden, dtype, mnist):
    names = [name for name in _kernels.available() if name not in PLAIN]
    if len(names) < 2:
        pytest.skip(f"of instruction sets with fused multiply-add this machine has {names} only")
    data, before, bits = mnist[0][:3000], _kernels.isa(), {}
    try:
        for name in names:
            _kernels.select(name)
            bits[name] = weight_bits(trained(data, dtype, hidden=hidden))
    finally:
        _kernels.select(before)
    start = weight_bits(fastnet.Network([784, hidden, 10], dtype=dtype, seed=1))
    for name in names[1:]:
        assert (bits[name] != start).mean() > 0.7
        np.testing.assert_array_equal(bits[name], bits[names[0]])


def test_training_twice_gives_the_same_bits(dtype, isa, mnist):
    data = mnist[0][:1000]
    first, second = trained(data, dtype), trained(data, dtype)
    np.testing.assert_array_equal(weight_bits(first), weight_bits(second))
    assert (weight_bits(first) != weight_bits(trained(data, dtype, seed=2))).mean() > 0.99


def test_every_instruction_set_learns_as_well(dtype, isa, mnist):
    """Rounding differs without fused multiply-add, the outcome hardly."""
    correct = trained(mnist[0][:5000], dtype).accuracy(mnist[2])
    assert 8500 <= correct <= 9500


# ---- the choice ------------------------------------------------------------


def test_select_changes_the_kernels_in_use(isa):
    assert _kernels.isa() == isa
    assert isa in _kernels.available()


def test_an_unknown_name_is_refused_and_changes_nothing():
    before = _kernels.isa()
    with pytest.raises(ValueError, match=", ".join(_kernels.available()) + "; got 'mmx'"):
        _kernels.select("mmx")
    assert _kernels.isa() == before


def test_the_best_instruction_set_is_the_last_named():
    assert _kernels.available()[0] in ("baseline", "neon")
    assert len(set(_kernels.available())) == len(_kernels.available())


def run(folder, *command, isa):
    """A command away from the checkout, with FASTNET_ISA set, or not for None."""
    environment = {name: value for name, value in os.environ.items() if name != "FASTNET_ISA"}
    if isa is not None:
        environment["FASTNET_ISA"] = isa
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


SHOW = (sys.executable, "-c", "import fastnet; fastnet.show_config()")
MODULE = (sys.executable, "-m", "fastnet", "info")
SCRIPT = (str(Path(sysconfig.get_path("scripts")) / "fastnet"), "info")


def test_the_environment_chooses_what_is_in_use(isa, tmp_path):
    result = run(tmp_path, *SHOW, isa=isa)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"instruction set  {isa} (available: {', '.join(_kernels.available())};" in result.stdout


@pytest.mark.parametrize("unset", [None, ""])
def test_without_the_environment_the_best_is_in_use(unset, tmp_path):
    result = run(tmp_path, *SHOW, isa=unset)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"instruction set  {_kernels.available()[-1]} (" in result.stdout


@pytest.mark.parametrize("wrong", ["mmx", "AVX2", "avx2 ", "neonate"])
def test_importing_with_a_wrong_name_says_which_are_right(wrong, tmp_path):
    result = run(tmp_path, *SHOW, isa=wrong)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("ImportError: FASTNET_ISA: ")
    assert ", ".join(_kernels.available()) in last
    assert repr(wrong) in last


@pytest.mark.parametrize("command", [MODULE, SCRIPT], ids=["python -m fastnet", "fastnet"])
def test_the_command_line_says_so_in_one_line(command, tmp_path):
    good = run(tmp_path, *command, isa=None)
    assert (good.returncode, good.stderr) == (0, "")
    assert "instruction set" in good.stdout
    bad = run(tmp_path, *command, isa="mmx")
    assert bad.returncode == 2
    assert bad.stdout == ""
    assert len(bad.stderr.splitlines()) == 1
    assert bad.stderr.startswith("fastnet: error: FASTNET_ISA: ")
    assert ", ".join(_kernels.available()) in bad.stderr


# ---- threads ---------------------------------------------------------------


def test_threads_that_train_at_once_give_the_bits_that_each_gives_alone(isa, mnist):
    jobs = [("float32", 1), ("float64", 2), ("float32", 3), ("float64", 4), ("float32", 5)]
    data = mnist[0][:2000]
    gate = threading.Barrier(len(jobs))

    def train(job):
        gate.wait()
        return weight_bits(trained(data, *job))

    with ThreadPoolExecutor(len(jobs)) as pool:
        together = list(pool.map(train, jobs))
    for job, bits in zip(jobs, together, strict=True):
        np.testing.assert_array_equal(bits, weight_bits(trained(data, *job)))


def test_other_threads_run_while_the_kernels_train(mnist):
    """The interpreter's lock is released: this thread sees times from within the one call."""
    data = mnist[0]
    sizes = [784, 100, 10]
    parameters = _kernels.aligned(_kernels.layout(sizes, "float32")[0], "float32")
    order, times, seen = np.arange(len(data)), [], []
    started = threading.Event()

    def train():
        started.set()
        times.append(time.perf_counter())
        kernel_calls.train(
            (sizes, "sigmoid", "cross-entropy", parameters),
            (data.X, data.scale, data.y),
            order,
            10,
            0.5,
        )
        times.append(time.perf_counter())

    thread = threading.Thread(target=train)
    thread.start()
    started.wait()
    while thread.is_alive():
        seen.append(time.perf_counter())
    start, end = times
    assert parameters.any()
    middle = [t for t in seen if start + (end - start) / 4 < t < end - (end - start) / 4]
    assert len(middle) > 10


# ---- the caller's treatment of subnormal numbers ---------------------------


def subnormals_work():
    """Whether this thread's processor keeps numbers below the smallest normal one."""
    single = np.full(64, 1e-40, np.float32) * np.full(64, 0.5, np.float32)
    double = np.full(64, 1e-310) * np.full(64, 0.5)
    return bool((single > 0).all() and (double > 0).all() and np.float32(1e-40) * np.float32(2) > 0)


def test_subnormal_numbers_still_work_after_every_call(dtype, isa, random_parameters):
    assert subnormals_work()
    sizes, X, y = (5, 4, 3), np.ones((6, 5)), np.zeros(6, np.int64)
    parameters = random_parameters(sizes, dtype, 1)
    network, data = ("sigmoid", "quadratic", parameters), (X, 1.0, y)
    kernel_calls.train((sizes, *network), data, np.arange(6), 2, 0.5)
    assert subnormals_work()
    kernel_calls.gradient((sizes, *network), data, np.empty_like(parameters))
    assert subnormals_work()
    kernel_calls.evaluate((sizes, *network), data)
    assert subnormals_work()
    kernel_calls.feedforward(
        (sizes, "sigmoid", None, parameters), (X, 1.0), np.empty((6, 3), dtype)
    )
    assert subnormals_work()
    z = _kernels.padded(6, 3, dtype)
    for kernel in (_kernels.exp, _kernels.sigmoid):
        kernel(z[0], np.empty(3, dtype))
        assert subnormals_work()
    _kernels.softmax(z, z)
    assert subnormals_work()
    _kernels.cost_sum("sigmoid", "quadratic", z, z)
    assert subnormals_work()


def test_subnormal_numbers_work_in_and_after_a_delta_of_the_user_s_own(dtype, isa):
    sizes, X, y = (5, 3), np.ones((6, 5)), np.zeros(6, np.int64)
    parameters = _kernels.aligned(_kernels.layout(sizes, dtype)[0], dtype)
    inside = []

    def delta(z, a, y):
        inside.append(subnormals_work())
        if len(inside) == 3:
            raise KeyError("on purpose")
        return a - y

    with pytest.raises(KeyError, match="on purpose"):
        kernel_calls.train(
            (sizes, "sigmoid", None, parameters),
            (X, 1.0, y),
            np.arange(6),
            2,
            0.5,
            l2=0.0,
            custom_delta=delta,
        )
    assert inside == [True, True, True]
    assert subnormals_work()
