"""The methods by which ``Network`` is converted to and from other programs' models."""

from __future__ import annotations

import os
from typing import TypeAlias

from numpy.typing import ArrayLike

from fastnet.convert import to_c
from fastnet.convert.c_report import Int8Report
from fastnet.data.dataset import Data
from fastnet.data.frames import Columns
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
        examples: ArrayLike | Columns | None = None,
        int8: bool = False,
        data: Data | None = None,
    ) -> Int8Report | None:
        """Write the network as one C99 file, which is also valid C++, for the smallest machines.

        It defines ``void net(const float *x, float *a)``, which computes the outputs a
        (n_out,) of the inputs x (n_in,), with double instead of float for a float64 network. The
        file needs no library, allocates nothing and keeps no state. ``input_scale`` and ``inputs``
        are in it, so that x are the raw numbers of the training data. The comment on top says what
        memory it needs, how it is compiled, and when the outputs have the bits of ``predictor``;
        docs/c-export.md has more.

        Parameters
        ----------
        path : str or path
            Ends in .c, .h, .inc, .cc, .cpp, .cxx or .hpp. An existing file is replaced when the
            new one is complete.
        name : str, default "net"
            The name of the function; all other names in the file begin with it.
        scale : float or None
            The factor of x; None stands for ``input_scale``, or for 1 before a training. Pass 1 if
            x are scaled already. Unlike ``feedforward``, which multiplies only bytes, the
            function multiplies every x.
        jacobian : bool, default False
            Whether to add ``void net_jacobian(const float *x, float *a, float *j)``, which also
            computes the derivatives j (n_out, n_in) of the outputs by x.
        examples : (n, n_in) array-like, frame or None
            Raw inputs of the test in the file, which compares the outputs with those of this
            network; at most 1000. None: five examples that are drawn, always the same ones.
        int8 : bool, default False
            Whether to round the weights to 8 bits, with a scale for each neuron, which needs a
            quarter of the flash memory. The sums are then those of integers, much faster without a
            floating-point unit; biases and activations stay as they are. Not with ``jacobian``.
        data : Dataset, pair (X, y) or iterable of (x, y), or None
            With ``int8``: what the rounding costs on these data is returned, and is in the comment
            on top.

        Returns
        -------
        Int8Report or None
            With ``data``: the accuracy before and after the rounding or, if the targets are
            numbers, the root mean squared error and R²; see
            ``fastnet.convert.c_report.Int8Report``.

        Raises
        ------
        ValueError, TypeError
            For an invalid argument, parameters that are not finite, or an activation that is not
            available in C. The message names it.
        OSError
            If the file cannot be written; an old file is kept.

        Examples
        --------
        >>> import fastnet
        >>> net = fastnet.Network([4, 16, 2], hidden="relu", seed=1)
        >>> net.to_c("net.c")
        >>> with open("net.c") as file:
        ...     print(file.read().splitlines()[2])
         *     void net(const float *x, float *a);
        """
        fitting = None if data is None else self._inputs.dataset("data", data)
        return to_c.write(
            path, self._model, name, scale=scale, jacobian=jacobian, examples=examples, int8=int8,
            data=fitting,
        )  # fmt: skip
