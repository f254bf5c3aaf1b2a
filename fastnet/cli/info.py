"""``fastnet info``."""

import argparse
from typing import Any

from fastnet.core import _kernels, execution
from fastnet.core.load import show_config


def run(options: argparse.Namespace) -> None:
    """Print versions and instruction sets, or a plan."""
    given = {
        name: value
        for name, value in vars(options).items()
        if name not in ("command", "plan") and value is not None
    }
    if options.plan is None:
        if given:
            raise ValueError(f"--{next(iter(given))}: expected --plan with it, got none")
        show_config()
        return
    print("\n".join(execution.described(_planned(options))))


def _planned(options: argparse.Namespace) -> dict[str, Any]:
    """The plan of a training that ``info``'s options describe."""
    sizes, dtype = _sizes(options.plan), options.dtype or "float32"
    n = _at_least("--examples", options.examples, 1, 50_000)
    m = min(_at_least("--batch", options.batch, 1, 10), n)
    most = _at_least("--threads", options.threads, 1, 1)
    density = _share("--density", options.density, 1.0)
    form = options.form or _kernels.choose_input_format(sizes, dtype, density, options.isa)
    rate = _share("--dropout", options.dropout, 0.0)
    seen = 1.0 if form == "dense" else density
    return _kernels.plan(
        sizes, dtype, m, n, isa=options.isa,
        hidden=[options.neurons.kernel if options.neurons else "sigmoid"] * (len(sizes) - 2),
        form=form, density=density,
        optimizer=options.optimizer.name if options.optimizer else "plain",
        l2=_at_least("--lmbda", options.lmbda, 0, 0.0), l1=_at_least("--l1", options.l1, 0, 0.0),
        dropout=[rate] * (len(sizes) - 2) if rate else None,
        threads=_kernels.choose_threads(sizes, m, seen, min(most, m)) if most > 1 else 1,
    )  # fmt: skip


def _sizes(text: str) -> list[int]:
    """The numbers in "784,30,10"."""
    try:
        sizes = [int(word) for word in text.split(",")]
    except ValueError:
        sizes = []
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"--plan: expected layers' sizes, as in 784,30,10, got {text!r}")
    return sizes


def _at_least(option: str, value: float | None, least: float, default: Any) -> Any:
    """The value of an option, checked, or its default."""
    if value is not None and not value >= least:
        raise ValueError(f"{option}: expected {least} or more, got {value}")
    return default if value is None else value


def _share(option: str, value: float | None, default: float) -> float:
    if value is not None and not 0 <= value <= 1:
        raise ValueError(f"{option}: expected a number from 0 to 1, got {value}")
    return default if value is None else value
