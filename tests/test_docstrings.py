"""The documentation that Python's help shows: complete, and its examples run."""

import doctest
import importlib.util
import inspect
import pkgutil

import pytest

import fastnet

HAS_TORCH = importlib.util.find_spec("torch") is not None
WITH_TORCH = [] if HAS_TORCH else ["fastnet.convert.torch_modules"]
MODULES = [
    importlib.import_module(name)
    for _, name, _ in pkgutil.walk_packages(fastnet.__path__, "fastnet.")
    if name not in ("fastnet.__main__", "fastnet.core._kernels", *WITH_TORCH)
    and not name.startswith("fastnet.sklearn")  # test_sklearn.py looks after it
]


def public_callables():
    """{dotted name: what it stands for} of the package's functions, classes and methods."""
    found = {}
    found |= {f"plots.{name}": getattr(fastnet.plots, name) for name in fastnet.plots.__all__}
    for name in fastnet.__all__:
        value = getattr(fastnet, name)
        if inspect.ismodule(value):
            own = [f for _, f in inspect.getmembers(value, inspect.isfunction)]
            own = [f for f in own if f.__module__ == value.__name__ and f.__name__[0] != "_"]
            found |= {f"{name}.{f.__name__}": f for f in own}
        elif callable(value):
            found[name] = value
            if inspect.isclass(value):
                methods = inspect.getmembers(
                    value, lambda m: inspect.isfunction(m) or inspect.ismethod(m)
                )
                parts = [base for base in value.__bases__ if base.__name__.endswith("Methods")]
                own = {m for owner in (value, *parts) for m in vars(owner)}
                found |= {f"{name}.{m}": f for m, f in methods if m[0] != "_" and m in own}
    return found


PUBLIC = public_callables()
WITHOUT_EXAMPLE = {
    "Network.default_weight_initializer",
    "Network.large_weight_initializer",
    "show_config",  # prints what differs between machines
}
COSTS = {cost.__name__ for cost in fastnet.nn.costs.COSTS}


def shown(name):
    """The docstring; with that of the class where it speaks for its two methods."""
    owner = name.partition(".")[0]
    names = {owner, name} if owner in COSTS else {name}
    return "\n".join(inspect.getdoc(PUBLIC[name]) for name in names)


def test_the_public_names_are_found():
    assert {"Network.SGD", "Dataset", "CrossEntropyCost.fn", "mnist_loader.load_data"} <= {*PUBLIC}


def test_every_public_name_has_a_summary_and_an_example():
    assert [n for n in PUBLIC if not (inspect.getdoc(PUBLIC[n]) or "").partition("\n\n")[0]] == []
    assert {name for name in PUBLIC if ">>>" not in shown(name)} == WITHOUT_EXAMPLE


def test_every_parameter_is_explained_by_name():
    missing = [
        f"{name}: {parameter}"
        for name, value in PUBLIC.items()
        for parameter in inspect.signature(value).parameters
        if parameter != "self" and parameter not in shown(name)
    ]
    assert missing == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DebugRunner()
    for test in doctest.DocTestFinder().find(module):
        if HAS_TORCH or not any("torch" in example.source for example in test.examples):
            runner.run(test)
