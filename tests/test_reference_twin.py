"""The reference in NumPy has the functions of the compiled module, and the same layout."""

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from fastnet import _kernels, reference

# What only one of the two has, and needs: the choice of instructions and ways and aligned
# memory here, the steps that the C core does not show there.
ONLY_KERNELS = {
    *("aligned", "available", "choose_input_format", "choose_threads", "compiler", "isa", "plan"),
    *("select", "trace_with", "watch_every"),
}
ONLY_REFERENCE = {
    *("classes", "costs", "counters", "forward", "inputs", "kept", "layers", "optimizer_step"),
    *("shifted", "step", "stride", "targets", "weighted"),
}


def functions(module):
    """{name: function} of what a module defines itself for others to use."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and callable(value)
        and not inspect.isclass(value)
        and value.__module__ == module.__name__
    }


COMMON = sorted(functions(_kernels).keys() & functions(reference).keys())


def test_neither_of_the_two_lacks_a_function_of_the_other():
    assert functions(_kernels).keys() - set(COMMON) == ONLY_KERNELS
    assert functions(reference).keys() - set(COMMON) == ONLY_REFERENCE


@pytest.mark.parametrize("name", COMMON)
def test_the_two_signatures_are_equal(name):
    kernel, plain = functions(_kernels)[name], functions(reference)[name]
    assert inspect.signature(kernel) == inspect.signature(plain)


def test_the_stub_for_type_checkers_has_the_same_signatures():
    stub = ast.parse((Path(_kernels.__file__).parent / "_kernels.pyi").read_text())
    listed = {node.name: node.args for node in stub.body if isinstance(node, ast.FunctionDef)}
    assert listed.keys() == functions(_kernels).keys()
    for name, args in listed.items():
        parameters = inspect.signature(functions(_kernels)[name]).parameters.values()
        listed_names = [arg.arg for arg in args.args + args.kwonlyargs]
        assert listed_names == [p.name for p in parameters]
        defaults = [p.default for p in parameters if p.default is not p.empty]
        listed_defaults = [ast.literal_eval(d) for d in args.defaults + args.kw_defaults]
        assert listed_defaults == defaults


def test_every_function_of_the_reference_says_what_it_computes():
    missing = [name for name, function in functions(reference).items() if not function.__doc__]
    assert missing == []


def test_the_layout_is_the_same(dtype):
    random = np.random.default_rng(0)
    widths = [1, 7, 8, 15, 16, 17, 33, 255, 256, 257, 500, 512, 1024, 4096]
    lengths = set()
    for _ in range(300):
        sizes = random.choice(widths, random.integers(2, 6)).tolist()
        length, places = _kernels.layout(sizes, dtype)
        assert (length, places) == reference.layout(sizes, dtype), sizes
        lengths.add(length)
    assert len(lengths) > 200


def test_the_layout_is_rows_of_whole_cache_lines_one_layer_behind_the_other(dtype):
    sizes = [784, 30, 256, 10]
    line = 64 // np.dtype(dtype).itemsize
    length, places = _kernels.layout(sizes, dtype)
    at = 0
    for (weights, biases, stride), n_in, n_out in zip(places, sizes, sizes[1:], strict=False):
        assert stride >= n_out
        assert stride % line == 0
        assert stride % 256 != 0
        assert (weights, biases) == (at, at + n_in * stride)
        at = biases + stride
    assert length == at


def test_padded_arrays_have_the_same_strides_and_start_at_cache_lines(dtype):
    for n in (1, 8, 15, 16, 17, 33, 256, 512):
        kernel, plain = _kernels.padded(5, n, dtype), reference.padded(5, n, dtype)
        assert kernel.shape == plain.shape == (5, n)
        assert kernel.strides == plain.strides
        assert kernel.dtype == plain.dtype == dtype
        assert kernel.ctypes.data % 64 == 0
        assert not kernel.any()
        assert not plain.any()


def test_layers_are_views_of_the_parameters(places, dtype):
    """All of them and only them: what the views reach is what is not a pad."""
    sizes = (9, 17, 4)
    parameters = np.zeros(len(places(sizes, dtype)), dtype)
    for weights, biases in reference.layers(sizes, parameters):
        weights += 1
        biases += 1
    np.testing.assert_array_equal(parameters, places(sizes, dtype))
    assert 0 < places(sizes, dtype).mean() < 1


def test_every_kernel_of_the_list_has_its_twin_in_numpy():
    text = (Path(__file__).parent.parent / "csrc" / "kernels.def").read_text()
    listed = re.findall(r"^KERNEL(?:_F64)?\((\w+),", text, re.MULTILINE)
    assert len(listed) > 10
    sizes = {"evaluation_size", "scratch_size", "workspace_size"}  # of C's memory
    missing = set(listed) - sizes - set(vars(reference))
    assert not missing
    assert not set(listed) - sizes - set(vars(_kernels))
