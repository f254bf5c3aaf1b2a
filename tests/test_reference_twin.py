"""The reference in NumPy has the functions of the compiled module, and the same layout."""

import ast
import inspect
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from fastnet import reference
from fastnet.core import _kernels
from fastnet.data import sparse_rows

ROOT = Path(__file__).parent.parent
TOOL = runpy.run_path(str(ROOT / "tools" / "declare_kernels.py"))
CLASSES = ("Examples", "NetworkCore", "Predictor", "Training")

# What only the kernels have: the choice of instructions and the plan, aligned memory, intervals.
ONLY_KERNELS = {
    *("aligned", "available", "choose_input_format", "choose_threads", "compiler", "isa", "plan"),
    *("poll_every", "select", "trace_with"),
}


def functions(owner, module):
    """{name: function} of what a module or a class defines itself for others to use."""
    return {
        name: value
        for name, value in vars(owner).items()
        if not name.startswith("_")
        and callable(value)
        and not inspect.isclass(value)
        and value.__module__.startswith(module.__name__)
    }


def all_functions(module):
    """Those of the module and, as "Class.method", of the classes that both have."""
    found = functions(module, module)
    for name in CLASSES:
        methods = functions(getattr(module, name), module)
        found |= {f"{name}.{method}": value for method, value in methods.items()}
    return found


COMMON = sorted(all_functions(_kernels).keys() - ONLY_KERNELS)


def parameters(function):
    """(name, kind, default) of each."""
    listed = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default) for each in listed]


def constructor(name):
    """The same of a class of the kernels, as its source declares it."""
    source = "".join(path.read_text() for path in (ROOT / "fastnet" / "core").glob("_*.pxi"))
    pattern = rf"cdef class {name}:.*?def __cinit__\((.*?)\):\n"
    (declared,) = re.findall(pattern, source, re.DOTALL)
    declared = re.sub(r"\b(double|size_t|bint|NetworkCore) (?=\w)| not None", "", declared)
    scope = {}
    exec(f"def made({declared}): pass", scope)
    return parameters(scope["made"])


def test_the_two_have_the_same_functions_and_methods():
    assert functions(_kernels, _kernels).keys() > ONLY_KERNELS
    listed = {name.partition(".")[0] for name in COMMON} | set(CLASSES) | {"EVALUATED"}
    assert set(reference.__all__) == listed
    assert [name for name in COMMON if name not in all_functions(reference)] == []
    methods = {name for name in all_functions(reference) if "." in name}
    assert methods - set(COMMON) == {"Examples.mini_batch"}


@pytest.mark.parametrize("name", COMMON)
def test_the_two_signatures_are_equal(name):
    kernel, plain = (all_functions(module)[name] for module in (_kernels, reference))
    assert parameters(kernel) == parameters(plain)
    assert len(parameters(kernel)) <= 8


@pytest.mark.parametrize("name", CLASSES)
def test_the_two_constructors_are_equal(name):
    assert constructor(name) == parameters(getattr(reference, name).__init__)
    assert len(constructor(name)) <= 8


CYTHON = sorted((ROOT / "fastnet" / "core").glob("_*.p[yx][xi]"))


@pytest.mark.parametrize("file", CYTHON, ids=lambda file: file.name)
def test_no_function_in_cython_has_more_than_eight_parameters(file):
    pattern = re.compile(r"^ *c?p?def [^(\n]*?(\w+)\(([^)]*)\)[^\n]*:$", re.MULTILINE)
    for name, listed in pattern.findall(file.read_text()):
        names = [each.split()[-1] for each in listed.split(",") if each.strip() not in ("", "*")]
        assert len([each for each in names if each != "self"]) <= 8, name


@pytest.mark.parametrize("module", [_kernels, reference])
def test_a_training_has_the_attributes_that_the_reference_describes(module):
    core = module.NetworkCore([3, 2], "sigmoid", "quadratic", np.zeros(32))
    training = module.Training(core, 4, ("adam", 0.9, 0.999, 1e-8), shift=0)
    assert (training.mini_batch_size, training.shift, training.steps) == (4, 0, 0)
    assert (training.n_complete, training.divide_l2) == (0, False)
    assert training.by_blocks is training.costs is None


STUB = TOOL["STUB"].read_text(encoding="utf-8")


def test_the_stub_declares_what_both_have_as_the_reference_does():
    """If not: python -P tools/declare_kernels.py. The format, which ruff changes, may differ."""
    assert ast.dump(ast.parse(TOOL["renewed"](STUB))) == ast.dump(ast.parse(STUB))
    assert "def sigmoid(z: NDArray, out: NDArray) -> None: ..." in STUB


def test_the_stub_lists_what_only_the_kernels_have():
    """In its first part; the second one has the types of the reference."""
    stub = ast.parse(STUB.partition(TOOL["MARK"])[0])
    listed = {node.name: node for node in stub.body if hasattr(node, "name")}
    only = {n for n, node in listed.items() if isinstance(node, ast.FunctionDef)}
    assert only == ONLY_KERNELS
    owners = {"": _kernels}
    owners |= {n: getattr(_kernels, n) for n in listed.keys() - only - {"PlanOptions"}}
    for owner, found in owners.items():
        body = stub.body if owner == "" else listed[owner].body
        declared = {node.name: node.args for node in body if isinstance(node, ast.FunctionDef)}
        for name, args in declared.items():
            function = None if name.startswith("__") else getattr(found, name)
            if not callable(function):
                continue
            expected = [(each, default) for each, _, default in parameters(function)]
            defaults = [ast.literal_eval(d) for d in args.defaults + args.kw_defaults]
            listed_names = [arg.arg for arg in args.args + args.kwonlyargs]
            listed_names += [args.kwarg.arg] if args.kwarg else []
            assert listed_names == [n for n, _ in expected]
            assert defaults == [d for _, d in expected if d is not inspect.Parameter.empty]


STUB_CLASSES = {
    node.name: node
    for node in ast.parse(STUB.partition(TOOL["MARK"])[0]).body
    if isinstance(node, ast.ClassDef)
}


@pytest.mark.parametrize("name", sorted(STUB_CLASSES.keys() - {"PlanOptions"}))
def test_a_class_of_the_stub_has_the_public_members_of_the_compiled_one(name):
    declared = set()
    for node in STUB_CLASSES[name].body:
        declared.add(node.target.id if isinstance(node, ast.AnnAssign) else node.name)
    public = {member for member in vars(getattr(_kernels, name)) if not member.startswith("_")}
    assert {member for member in declared if not member.startswith("__")} == public


def plan_options():
    """{option: default} of ``plan``, as the source of the compiled module lists them."""
    source = (ROOT / "fastnet" / "core" / "_plan.pxi").read_text(encoding="utf-8")
    (listed,) = re.findall(r"cdef dict PLAN_OPTIONS = (\{.*?\n\})", source, re.DOTALL)
    return ast.literal_eval(listed)


def test_the_options_of_a_plan_are_those_of_the_stub_with_defaults_of_their_types():
    with pytest.raises(TypeError) as error:
        _kernels.plan([2, 1], "float32", 1, unknown=1)
    defaults = plan_options()
    assert str(error.value) == f"options: expected only {', '.join(defaults)}; got unknown"
    declared = {
        node.target.id: ast.unparse(node.annotation).split(" | ")
        for node in STUB_CLASSES["PlanOptions"].body
    }
    assert declared.keys() == defaults.keys()
    for option, default in defaults.items():
        kind = "None" if default is None else type(default).__name__
        assert kind in declared[option], option


def test_numbers_that_both_sides_use_come_from_the_header_of_c():
    header = (ROOT / "csrc" / "fastnet.h").read_text(encoding="utf-8")
    numbers = dict(re.findall(r"^    (FN_\w+) = (\d+),?$", header, re.MULTILINE))
    assert int(numbers["FN_PIECE"]) == _kernels.STEP_EXAMPLES
    assert int(numbers["FN_BYTES_AFTER_VALUES"]) == _kernels.BYTES_AFTER_VALUES
    rows = sparse_rows.compress(np.eye(3), "columns")
    assert len(rows.values) >= 3 + _kernels.BYTES_AFTER_VALUES


def test_every_function_of_the_reference_says_what_it_computes():
    missing = [name for name, function in all_functions(reference).items() if not function.__doc__]
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
    text = (Path(__file__).parent.parent / "csrc" / "api" / "kernels.def").read_text()
    listed = re.findall(r"^KERNEL(?:_F64)?\((\w+),", text, re.MULTILINE)
    assert len(listed) > 10
    sizes = {"evaluation_size", "scratch_size", "workspace_size"}  # of C's memory
    for module in (_kernels, reference):
        names = {name.rpartition(".")[2] for name in all_functions(module)}
        assert not set(listed) - sizes - names - {"train"}  # Training.run
