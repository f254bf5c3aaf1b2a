"""The methods by which ``Network`` is converted to and from other programs' models."""

from __future__ import annotations

import os
from typing import TypeAlias

from numpy.typing import ArrayLike

from fastnet.convert import to_c
from fastnet.convert.c_report import Int8Report
from fastnet.core import files
from fastnet.data.dataset import Data
from fastnet.model import Model
from fastnet.network_inputs import NetworkInputs

Filename: TypeAlias = str | os.PathLike[str]


class ConversionMethods:
    """A part of ``Network``."""

    _model: Model
    _inputs: NetworkInputs

    # ---- ONNX

    # ---- scikit-learn

    # ---- PyTorch

    # ---- Keras

    # ---- C

    def to_c(
        self,
        path: Filename,
        name: str = "net",
        *,
        scale: float | None = None,
        jacobian: bool = False,
        examples: ArrayLike | None = None,
        int8: bool = False,
        data: Data | None = None,
    ) -> Int8Report | None:
        """Write the network as one C99 file, which is also valid C++, for the smallest machines.

        The function ``void net(const float *x, float *a)`` in it computes the outputs of one
        example.
        """
        fitting = None if data is None else self._inputs.dataset("data", data)
        text, report = to_c.text(
            self._model, name, scale=scale, jacobian=jacobian, examples=examples, int8=int8,
            data=fitting,
        )  # fmt: skip
        files.write(path, [text.encode()])
        return report
