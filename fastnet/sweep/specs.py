"""Checks of specs: dicts with the arguments of ``Network`` and of ``SGD`` for one network."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fastnet.architecture import make_model
from fastnet.core import checks
from fastnet.core.random_stream import RandomStream, seed_from_numpy
from fastnet.data import labels
from fastnet.data.dataset import Dataset
from fastnet.data.schema import Schema
from fastnet.model import Model
from fastnet.network import Network
from fastnet.network_inputs import NetworkInputs
from fastnet.nn import initializers
from fastnet.sweep.executors import Task
from fastnet.training.monitoring import default_figure
from fastnet.training.options import SGDOptions
from fastnet.training.sgd import check_training, checked_data

# Generators of random numbers are refused as seeds, since several trainings would share them.
_SHARED_SEEDS = (np.random.Generator, np.random.BitGenerator, np.random.RandomState)

# Parameters of Network and SGD that a spec must not contain.
_NOT_IN_SPECS = ("self", "training_data", "evaluation_data", "test_data")

_EVALUATION_FLAGS = ("monitor_evaluation_cost", "monitor_evaluation_accuracy")


def listed(specs: Any) -> list[dict[str, Any]]:
    """The specs as dicts, whose entries are not checked yet.

    Raises
    ------
    TypeError
        For what is no list of dicts.
    """
    if isinstance(specs, Mapping | str | bytes) or not isinstance(specs, Iterable):
        raise TypeError(f"specs: expected a list of dicts, got {checks.short_repr(specs)}")
    read: list[dict[str, Any]] = []
    for i, spec in enumerate(specs):
        if not isinstance(spec, Mapping):
            raise TypeError(
                f"specs[{i}]: expected a dict of the arguments of Network and of SGD, "
                f"got {checks.short_repr(spec)}"
            )
        read.append(dict(spec))
    return read


def checked(
    specs: list[dict[str, Any]], training: Dataset, evaluation: Dataset | None
) -> list[Task]:
    """A task for each spec, all checked as ``Network`` and ``SGD`` would check them.

    Raises
    ------
    TypeError, ValueError
        For a spec that is invalid, as ``specs[3]: ...``.
    """
    tasks: list[Task] = []
    owners: dict[str, int] = {}  # the spec of each file
    for i, spec in enumerate(specs):
        with checks.error_prefix(f"specs[{i}]"):
            tasks.append(_task(spec, training, evaluation))
            file = tasks[-1].sgd.get("checkpoint")
            if file is not None and owners.setdefault(os.path.realpath(file), i) != i:
                raise ValueError(
                    f"checkpoint: expected a file for each spec, got that of "
                    f"specs[{owners[os.path.realpath(file)]}], {spec['checkpoint']!r}"
                )
    return tasks


def common_schema(specs: list[dict[str, Any]]) -> Schema:
    """What all specs say of inputs, classes and features: how their networks read data that are
    not in a Dataset. Invalid specs, which ``checked`` refuses, say nothing.

    Raises
    ------
    ValueError
        If specs read the same labels as different classes.
    """
    different = {tuple(id(spec.get(name)) for name in Schema._fields): spec for spec in specs}
    of_network = _keywords()[0]
    schemas = []
    for spec in different.values():
        if not any(spec.get(name) is not None for name in Schema._fields):
            schemas.append(Schema())
            continue
        try:
            schemas.append(_model(**{k: v for k, v in spec.items() if k in of_network}).schema)
        except (TypeError, ValueError):
            return Schema()
    if not schemas:
        return Schema()
    first, *others = schemas
    shared = {
        name: value if all(getattr(one, name) == value for one in others) else None
        for name, value in first._asdict().items()
    }
    if shared["classes"] is None and any(
        labels.has_numbers(one.classes) for one in schemas if one.classes is not None
    ):
        raise ValueError(
            "training: expected a Dataset, whose labels are the numbers of the classes, for specs "
            "with different classes that are numbers, got other data"
        )
    return Schema(**shared)


def seeded(tasks: Iterable[Task]) -> list[Task]:
    """The tasks, each with a seed. Missing seeds are drawn here, since forked processes would all
    draw the same ones."""
    return [
        task
        if task.network.get("seed") is not None
        else replace(task, network={**task.network, "seed": seed_from_numpy()})
        for task in tasks
    ]


@functools.cache
def _keywords() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The arguments of ``Network``, those of ``SGD`` other than data, and the required ones."""
    found, required = [], []
    for call in (Network, Network.SGD):
        parameters = list(inspect.signature(call).parameters.values())
        accepted = [p for p in parameters if p.name not in _NOT_IN_SPECS]
        found.append(tuple(p.name for p in accepted))
        required += [p.name for p in accepted if p.default is p.empty]
    return found[0], found[1], tuple(required)


def _task(spec: Mapping[str, Any], training: Dataset, evaluation: Dataset | None) -> Task:
    """The task of a spec: the arguments of ``Network`` and of ``SGD``, checked."""
    of_network, of_sgd, required = _keywords()
    for name in spec:
        if name not in of_network and name not in of_sgd:
            raise TypeError(
                f"expected arguments of Network and of SGD, {', '.join(of_network + of_sgd)}; "
                f"got {checks.short_repr(name)}"
            )
    missing = [name for name in required if name not in spec]
    if missing:
        raise TypeError(f"expected {', '.join(required)}; got none for {', '.join(missing)}")
    if isinstance(spec.get("seed"), _SHARED_SEEDS):
        raise TypeError(
            f"seed: expected an integer, a sequence of them, a SeedSequence or None, since a "
            f"generator cannot serve several trainings at once; "
            f"got {checks.short_repr(spec['seed'])}"
        )
    network: dict[str, Any] = {"n_threads": 1}
    sgd: dict[str, Any] = {"verbose": False, **_monitored(spec, evaluation)}
    for name, value in spec.items():
        (network if name in of_network else sgd)[name] = value
    model = _model(**network)
    options = SGDOptions(**sgd).checked(model)
    sgd["epochs"] = options.epochs
    inputs = NetworkInputs(model)
    if options.checkpoint is not None:
        if spec.get("seed") is None:
            raise ValueError(
                "seed: expected a seed with a checkpoint, since the network that is resumed has "
                "that of the first call, got None"
            )
        sgd["checkpoint"] = os.path.abspath(options.checkpoint.path)  # the same in processes
    data = checked_data(inputs, training, evaluation)
    check_training(Network.__new__(Network), model, data, options)
    return Task(network, sgd, frozenset(inputs.warned))


def _model(sizes: Any, *, seed: Any = None, initializer: Any = None, **others: Any) -> Model:
    """The model of a network, after the constructor's checks. Its parameters stay zero, since
    drawing them would take most of the time."""
    schema = {name: others.pop(name, None) for name in Schema._fields}
    model = make_model(sizes, **others, schema=schema)
    initializers.choose(initializer, model.hidden)
    RandomStream(seed)
    return model


def _monitored(spec: Mapping[str, Any], evaluation: Dataset | None) -> dict[str, bool]:
    """The flag of ``SGD`` for the default figure on evaluation data, unless the spec sets one."""
    if evaluation is None or any(flag in spec for flag in _EVALUATION_FLAGS):
        return {}
    return {f"monitor_{default_figure(evaluation)}": True}
