"""Errors that name the methods to use in place of those that other packages have."""

from __future__ import annotations

from typing import NoReturn


class AbsentMethod:
    """An attribute for a method that other packages have and ``Network`` does not: reading it
    raises an AttributeError that names the methods to use. (``__getattr__`` would slow down
    every attribute.)"""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(
            f"{owner.__name__!r} object has no attribute {self._name!r}: a network is trained by "
            f"SGD and used by predict_labels(X) and feedforward(X); fastnet.sklearn has "
            f"estimators with fit and predict",
            name=self._name,
            obj=instance,
        )


def without_absent(owner: type, names: list[str]) -> list[str]:
    """``names`` without those of absent methods of the class, for ``__dir__``."""
    absent = {name for name, it in vars(owner).items() if isinstance(it, AbsentMethod)}
    return [name for name in names if name not in absent]
