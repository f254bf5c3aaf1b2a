"""How the package's source is laid out: private names, parameters, the size of Network's module."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import fastnet
from fastnet import network
from fastnet.core import moved
from fastnet.training.options import SGDOptions

ROOT = Path(__file__).parents[1]
FOLDER = Path(fastnet.__file__).parent
FILES = sorted([*FOLDER.rglob("*.py"), *FOLDER.rglob("*.pyi")])  # also stubs
TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}

# Documented names of the standard library that begin with an underscore.
DOCUMENTED = {"os._exit", "sys._getframe"}
# Looked up with a default, since other releases may lack them.
OF_OTHER_PACKAGES = {"_max_tasks_per_child", "_processes", "_skl_callbacks"}
BY_NAME = {"getattr", "setattr", "hasattr", "delattr", "object.__setattr__"}
NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def defined(tree):
    """The names that a module defines: functions, classes, variables and attributes of self."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and of_self(node):
            yield node.attr


def of_self(node):
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def imported_private_names(node):
    """What an import takes out of another module of the package, other than modules."""
    path = (node.module or "").split(".")
    if path[0] != "fastnet" or len(path) == 1:
        return []
    folder = FOLDER.joinpath(*path[1:])
    names = [alias.name for alias in node.names if is_private(alias.name)]
    return [name for name in names if not [*folder.glob(f"{name}.py*")]]


def foreign_private_names(tree):
    """The private names that a module uses and does not define, with their lines; also in
    ``getattr`` and ``setattr``."""
    own = {*defined(tree), *NAMED_TUPLES}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from imported_private_names(node)
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and not of_self(node):
            used = ast.unparse(node)
            if node.attr not in own and used not in DOCUMENTED:
                yield f"{used}, line {node.lineno}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in BY_NAME:
            name = node.args[1].value if isinstance(node.args[1], ast.Constant) else ""
            if is_private(name) and name not in own | OF_OTHER_PACKAGES:
                yield f"{ast.unparse(node)}, line {node.lineno}"


def test_no_module_uses_the_private_names_of_another():
    foreign = {file: [*foreign_private_names(tree)] for file, tree in TREES.items()}
    assert len(foreign) > 50
    assert {str(file): names for file, names in foreign.items() if names} == {}


@pytest.mark.parametrize("folder", ["tools", "bench", "examples"])
def test_no_program_uses_private_names_of_the_package(folder):
    files = [*(ROOT / folder).rglob("*.py")]
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    foreign = {str(file): [*foreign_private_names(tree)] for file, tree in trees.items()}
    assert len(foreign) > 1
    assert {file: names for file, names in foreign.items() if names} == {}


def test_the_compiled_module_uses_no_private_names_of_python_modules():
    """The Cython files are one module, whose own names may be private."""
    files = sorted((ROOT / "fastnet" / "core").glob("*.p[xy][idx]*"))
    assert len(files) > 5
    private = re.compile(r'(?<!self)\._[a-z]\w*|[gs]etattr\(\w+, "_[a-z]\w*"')
    for file in files:
        code = re.sub(r'(?s)""".*?"""', "", file.read_text(encoding="utf-8"))
        code = re.sub(r"#.*", "", code)
        assert private.findall(code) == [], file


@pytest.mark.parametrize(
    ("code", "found"),
    [("x._of()", 1), ("getattr(x, '_of')", 1), ("setattr(x, '_of', 1)", 1),
     ("getattr(x, 'of')", 0), ("getattr(x, name)", 0), ("def _of(): x._of()", 0)],
)  # fmt: skip
def test_a_private_name_is_found_however_it_is_written(code, found):
    assert len([*foreign_private_names(ast.parse(code))]) == found


def signatures(tree):
    """(name, number of parameters without self) of each function; methods as Class.name."""
    owner = {
        method: node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for method in node.body
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            a = node.args
            names = [each.arg for each in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg,
                                           a.kwarg) if each is not None]  # fmt: skip
            name = f"{owner[node]}.{node.name}" if node in owner else node.name
            yield name, len([each for each in names if each not in ("self", "cls")])


def long_signatures(trees):
    return {
        f"{file.name}: {name}"
        for file, tree in trees.items()
        for name, n in signatures(tree)
        if n > 8
    }


def test_no_function_has_more_than_eight_parameters_but_those_of_the_book_and_scikit_learn():
    """The book's Network.__init__ and SGD, with further options as keywords; the estimators."""
    assert long_signatures(TREES) == {
        "network.py: Network.SGD",
        "network.py: Network.__init__",
        "classifier.py: MLPClassifier.__init__",
        "regressor.py: MLPRegressor.__init__",
    }


@pytest.mark.parametrize("folder", ["tools", "bench", "examples", "tests"])
def test_no_function_outside_of_the_package_has_more_than_eight_parameters_either(folder):
    files = [*(ROOT / folder).rglob("*.py")]
    assert len(files) > 1
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    books = {"test_examples.py: Network2.SGD"} if folder == "tests" else set()
    assert long_signatures(trees) == books


def code_lines(source):
    """The number of lines that are no docstrings, comments or blank."""
    documented = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                documented.update(range(first.lineno, first.end_lineno + 1))
    return sum(
        1
        for number, line in enumerate(source.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#") and number not in documented
    )


def test_the_module_of_network_is_an_interface_of_at_most_300_lines_of_code():
    assert code_lines(Path(network.__file__).read_text(encoding="utf-8")) <= 300


def test_the_options_of_sgd_are_its_arguments_with_the_same_defaults():
    parameters = inspect.signature(fastnet.Network.SGD).parameters
    arguments = {
        name: p.default
        for name, p in parameters.items()
        if name not in ("self", "training_data", "evaluation_data", "test_data")
    }
    assert set(SGDOptions._fields) == set(arguments)
    for name, default in SGDOptions._field_defaults.items():
        if arguments[name] is not inspect.Parameter.empty:
            assert default == arguments[name]


def imports(file):
    """The modules of the package that a module imports, without those for type checkers only."""
    tree = TREES[file]
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in for_types:
            path = (node.module or "").split(".")
            if path[0] == "fastnet":
                folder = FOLDER.joinpath(*path[1:])
                for alias in node.names:
                    yield from module_files(folder / alias.name) or module_files(folder)


def module_files(path):
    """The file of the module or package with this path; a stub stands for a compiled module."""
    candidates = (path.with_suffix(".py"), path.with_suffix(".pyi"), path / "__init__.py")
    return [file for file in candidates if file in TREES]


def test_imports_point_one_way():
    """No module imports itself, by way of others either; the package's __init__ imports all."""
    graph = {file: {*imports(file)} for file in FILES}
    assert sum(map(len, graph.values())) > 100
    done = set()
    while len(done) < len(graph):
        ready = {file for file in graph if file not in done and graph[file] <= done}
        circles = sorted(str(f.relative_to(FOLDER)) for f in graph if f not in done)
        assert ready, f"circles among {circles}"
        done |= ready


# Each package and module of the top folder imports only those that stand before it.
LAYERS = (
    *("core", "nn", "reference", "data", "model", "architecture", "network_inputs", "io"),
    *(
        "training",
        "inspect",
        "convert",
        "network",
        "learning_rate",
        "own_data",
        "augment",
        "mnist_loader",
        "plots",
        "sweep",
    ),
    *("sklearn", "demo", "cli", "__main__", "__init__"),
)


def layer(file):
    return file.relative_to(FOLDER).with_suffix("").parts[0]


def test_packages_import_only_those_below_them():
    assert {layer(file) for file in FILES} == set(LAYERS)
    place = {name: i for i, name in enumerate(LAYERS)}
    upwards = [
        f"{file.relative_to(FOLDER)} imports {layer(used)}"
        for file in FILES
        for used in imports(file)
        if place[layer(used)] > place[layer(file)]
    ]
    assert upwards == []


# ---- public import paths


# Beside the names of fastnet.__all__, which are fastnet's own.
MODULES = ("augment", "demo", "mnist_loader", "plots", "reference", "sklearn")
FROM_MODULES = {
    "fastnet.costs": ["COSTS", "NAMES", "QuadraticCost"],
    "fastnet.data": ["Dataset"],
    "fastnet.early_stopping": ["EarlyStopping"],
    "fastnet.explanation": ["Explanation"],
    "fastnet.mapped": ["MemmapRef", "Place"],
    "fastnet.mnist_loader": ["load_data", "load_data_wrapper"],
    "fastnet.network": ["Network", "load"],
    "fastnet.optimizers": ["Adam", "AdamW", "Momentum"],
    "fastnet.parameters": ["NotFiniteError", "ParameterList"],
    "fastnet.schedules": ["CosineDecay", "ExponentialDecay", "HalveOnPlateau", "StepDecay"],
    "fastnet.search": ["LearningRate", "find_learning_rate"],
    "fastnet.sweep": ["Fit", "fit_as_completed", "fit_many"],
    "fastnet.training": ["DivergenceError", "History"],
}


@pytest.mark.parametrize("module", FROM_MODULES)
def test_public_paths_of_all_releases_can_be_imported(module):
    found = importlib.import_module(module)
    for name in FROM_MODULES[module]:
        assert hasattr(found, name)


def test_a_module_of_an_earlier_release_is_the_one_that_took_its_place():
    for old, new in moved.MOVED.items():
        assert importlib.import_module(old) is importlib.import_module(new)


def test_the_public_names_are_listed():
    for name in (*fastnet.__all__, *MODULES):
        assert hasattr(fastnet, name)
