"""The present paths of modules that earlier versions had elsewhere. Old pickles, and programs,
may still name the old paths."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "fastnet.checks": "fastnet.core.checks",
    "fastnet.compressed": "fastnet.data.sparse_rows",
    "fastnet.costs": "fastnet.nn.costs",
    "fastnet.early_stopping": "fastnet.training.early_stopping",
    "fastnet.engines": "fastnet.sweep.executors",
    "fastnet.explanation": "fastnet.inspect.explanation",
    "fastnet.functions": "fastnet.nn.functions",
    "fastnet.gradient_check": "fastnet.inspect.gradient_check",
    "fastnet.idx": "fastnet.data.idx",
    "fastnet.index_arrays": "fastnet.data.index_arrays",
    "fastnet.initializers": "fastnet.nn.initializers",
    "fastnet.lazy": "fastnet.core.lazy",
    "fastnet.mapped": "fastnet.core.memmap",
    "fastnet.optimizers": "fastnet.nn.optimizers",
    "fastnet.orphans": "fastnet.sweep.orphans",
    "fastnet.overridden": "fastnet.training.overridden",
    "fastnet.parameters": "fastnet.core.parameters",
    "fastnet.persistence": "fastnet.io.persistence",
    "fastnet.pickles": "fastnet.io.pickles",
    "fastnet.random_stream": "fastnet.core.random_stream",
    "fastnet.reporting": "fastnet.core.reporting",
    "fastnet.schedules": "fastnet.training.schedules",
    "fastnet.scipy_matrices": "fastnet.data.scipy_matrices",
    "fastnet.search": "fastnet.learning_rate",
    "fastnet.single_flight": "fastnet.core.single_flight",
    "fastnet.specs": "fastnet.sweep.specs",
    "fastnet.techniques": "fastnet.training.options",
    "fastnet.ways": "fastnet.core.execution",
    "fastnet.weighting": "fastnet.data.sample_weights",
}


class _MovedModules(MetaPathFinder, Loader):
    """Imports a module under its old path as the module at its new path."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = import_module(MOVED[module.__name__])


def install() -> None:
    """Make the old paths importable."""
    sys.meta_path.append(_MovedModules())
