"""What the kernels refuse, by the argument's name, before anything has changed."""

import subprocess
import sys

import kernel_calls
import numpy as np
import pytest

from fastnet.core import _kernels


def arguments(kernel, dtype="float32"):
    """Valid arguments by name: m = 3, n_in = 5, n_out = 4."""

    def padded(m, n):
        return _kernels.padded(m, n, dtype)

    sizes = [5, 4]
    parameters = _kernels.aligned(_kernels.layout(sizes, dtype)[0], dtype)
    pair = {"output": "sigmoid", "cost": "quadratic"}
    layer = {"weights": padded(5, 4), "biases": padded(1, 4)}
    network = {"sizes": sizes, "parameters": parameters, "X": np.ones((3, 5)), "scale": 1.0}
    training = {**network, **pair, "y": np.zeros((3, 4), np.float32)}
    step = {"order": np.arange(3), "m": 2, "eta": 1.0}
    z, a, y = padded(3, 4), padded(3, 4), padded(3, 4)
    delta, below, x = padded(3, 4), padded(3, 5), padded(3, 5)
    return {
        "softmax": {"z": z, "out": a},
        "weighted_input": {"a": x, **layer, "z": z},
        "output_error": {**pair, "a": a, "y": y, "factor": 1.0, "delta": delta},
        "cost_sum": {**pair, "z": z, "y": y},
        "backpropagate": {
            "neurons": "sigmoid",
            "weights": padded(5, 4),
            "delta": delta,
            "a": x,
            "delta_below": below,
        },
        "update": {**layer, "a": x, "delta": delta},
        "train": {**training, **step},
        "gradient": {**training, "nabla": parameters.copy()},
        "feedforward": {**network, "output": "sigmoid", "out": np.empty((3, 4), dtype)},
        "evaluate": training,
    }[kernel]


WRITTEN = {
    "softmax": ["out"],
    "weighted_input": ["z"],
    "output_error": ["delta"],
    "cost_sum": [],
    "backpropagate": ["delta_below"],
    "update": ["weights", "biases"],
    "train": ["parameters"],
    "gradient": ["nabla"],
    "feedforward": ["out"],
    "evaluate": [],
}
ARRAYS = [
    (kernel, name)
    for kernel in WRITTEN
    for name, value in arguments(kernel).items()
    if isinstance(value, np.ndarray)
]


# What may have a row for each of several passes.
SEVERAL = [("train", "order")]
PADDED = [(kernel, name) for kernel, name in ARRAYS if arguments(kernel)[name].strides[0] == 64]


def call(kernel, **given):
    """Call a kernel with arguments by name."""
    if kernel not in ("train", "gradient", "feedforward", "evaluate"):
        return getattr(_kernels, kernel)(**given)
    network = [given.pop(name, None) for name in ("sizes", "output", "cost", "parameters")]
    data = [given.pop(name, None) for name in ("X", "scale", "y")]
    return getattr(kernel_calls, kernel)(network, data, **given)


def assert_refused(kernel, error, message, **wrong):
    with pytest.raises(error, match=message):
        call(kernel, **{**arguments(kernel), **wrong})


@pytest.mark.parametrize(("kernel", "name"), ARRAYS)
def test_an_array_of_the_wrong_kind_is_refused_by_name(kernel, name):
    call(kernel, **arguments(kernel))  # what is changed below is all that is wrong
    array = arguments(kernel)[name]
    kind = f"^{name}: expected a [12]-dimensional array of .*, got"
    assert_refused(kernel, TypeError, kind, **{name: array.astype(np.complex64)})
    some = f"^({'|'.join(arguments(kernel))}): expected"
    more = array[None, None] if (kernel, name) in SEVERAL else array[None]
    assert_refused(kernel, (TypeError, ValueError), some, **{name: more})
    spread = np.repeat(array, 2, axis=-1)[..., ::2]
    assert_refused(kernel, ValueError, f"^{name}: expected contiguous", **{name: spread})


@pytest.mark.parametrize(("kernel", "name"), ARRAYS)
def test_shapes_that_do_not_agree_are_refused(kernel, name):
    array = arguments(kernel)[name]
    grown = np.zeros((len(array) + 1, *array.shape[1:]), array.dtype)
    if (kernel, name) in PADDED:
        grown = _kernels.padded(*grown.shape, array.dtype)
    message = rf"^({'|'.join(arguments(kernel))}): expected shape \(.*\), got \(.*\)"
    if name == "order":
        grown[-1], message = 3, "^order: expected indices from 0 to 2"
    assert_refused(kernel, ValueError, message, **{name: grown})


@pytest.mark.parametrize(("kernel", "name"), PADDED)
def test_rows_without_pads_are_refused_by_name(kernel, name):
    bare = np.array(arguments(kernel)[name])
    assert_refused(kernel, ValueError, f"^{name}: expected rows 64 bytes apart", **{name: bare})


@pytest.mark.parametrize(("kernel", "name"), PADDED)
def test_a_part_of_the_rows_is_refused_by_name(kernel, name):
    """Its pads are the next row's elements."""
    m, n = arguments(kernel)[name].shape
    whole = _kernels.padded(m, n + 3, np.float32)
    wrong = {name: whole[:, 3:]}
    assert_refused(kernel, ValueError, f"^{name}: expected rows that start at cache lines", **wrong)


def test_matrices_without_rows_are_refused():
    nothing = {
        "a": _kernels.padded(0, 5, np.float32),
        "z": _kernels.padded(0, 4, np.float32),
    }
    message = "^a: expected at least one row and one column"
    assert_refused("weighted_input", ValueError, message, **nothing)


@pytest.mark.parametrize("dtype", ["S100", "int8", "complex128", "float16"])
def test_a_dtype_that_kernels_do_not_have_is_refused(dtype):
    for call in (lambda: _kernels.layout([3, 2], dtype), lambda: _kernels.padded(3, 2, dtype),
                 lambda: _kernels.aligned(3, dtype)):  # fmt: skip
        with pytest.raises(TypeError, match=r"^dtype: expected one of float32, float64; got"):
            call()


def test_sizes_whose_parameters_cannot_be_counted_are_refused():
    sizes = [2**31 - 1] * 5
    with pytest.raises(MemoryError, match=r"^sizes: "):
        _kernels.layout(sizes, "float32")
    assert_refused("train", MemoryError, "^sizes: ", sizes=sizes)


@pytest.mark.parametrize("size", [0, -5])
def test_a_mini_batch_without_examples_is_refused(size):
    assert_refused("train", ValueError, "^mini_batch_size: expected 1", m=size)


def test_a_single_row_without_pads_is_refused_too():
    """It would be written beyond its end; here more memory follows, so that nothing breaks."""
    rows = {name: array[:1] for name, array in arguments("softmax").items()}
    rows["out"] = np.zeros(64, np.float32)[:4].reshape(1, 4)
    with pytest.raises(ValueError, match=r"^out: expected rows 64 bytes"):
        _kernels.softmax(**rows)


@pytest.mark.parametrize("kernel", [kernel for kernel, names in WRITTEN.items() if names])
def test_a_read_only_array_is_refused_as_a_result(kernel):
    for name in WRITTEN[kernel]:
        array = arguments(kernel)[name]
        array.flags.writeable = False
        message = f"^{name}: .*(writable|read-only)"
        assert_refused(kernel, (ValueError, BufferError), message, **{name: array})


@pytest.mark.parametrize(
    "call", ["core.gradient(e, p)", "core.evaluate(e)", "Training(core, 1).run(e, n, 1.0)"]
)
def test_targets_are_required_where_they_are_used(call, tmp_path):
    """In a process of its own, which a missing check would end."""
    script = (
        "import numpy as np; from fastnet.core._kernels import *; "
        "p = np.zeros(32); n = np.arange(2); "
        "core = NetworkCore([3, 2], 'sigmoid', 'quadratic', p); "
        f"e = Examples(np.ones((2, 3)), 1.0, None); {call}"
    )
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1
    assert "Error: y: expected" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("kernel", WRITTEN)
def test_read_only_inputs_are_accepted(kernel):
    good = arguments(kernel)
    for name, value in good.items():
        if isinstance(value, np.ndarray) and name not in WRITTEN[kernel]:
            value.flags.writeable = False
    call(kernel, **good)


@pytest.mark.parametrize(
    ("kernel", "name"),
    [*PADDED, ("gradient", "nabla"), ("feedforward", "out")],
)
def test_the_two_real_types_are_not_mixed(kernel, name):
    message = f"^({'|'.join(arguments(kernel))}): expected"
    double = arguments(kernel, "float64")[name]
    assert_refused(kernel, (TypeError, ValueError), message, **{name: double})
