"""Modules of PyTorch that ``Network.to_torch`` uses in addition to those of ``torch.nn``.

Imported only by a conversion, since it needs PyTorch.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


class Inputs(nn.Module):
    """The transform of a network's inputs before the first layer, (..., n_in) -> (..., n_in).

    Bytes (uint8) are multiplied by ``scale``; then all inputs are standardized, in float64, and
    rounded once to the type of the network. The buffers are moved and converted with the module.

    Parameters
    ----------
    scale : float or None
        None: bytes are not scaled.
    moments : pair of (n_in,) float64 ndarray, or None
        The means, or None if nothing is subtracted; and the deviations.
    dtype : torch.dtype
        The type of the result.
    features : tuple of str or None
        The names of the standardized features, if the standardization has some.
    """

    def __init__(
        self,
        scale: float | None,
        moments: tuple[NDArray | None, NDArray] | None,
        dtype: torch.dtype,
        features: tuple[str, ...] | None = None,
    ):
        super().__init__()
        self.scale, self.features = scale, features
        mean, deviation = (None, None) if moments is None else map(_tensor, moments)
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.register_buffer(
            "of_dtype", torch.empty(0, dtype=dtype, device="cpu"), persistent=False
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        is_bytes = x.dtype == torch.uint8
        x = x.to(torch.float64)
        if self.scale is not None and is_bytes:  # in this order, which torch.jit.script needs
            x = x * self.scale
        if self.mean is not None:
            x = x - self.mean
        if self.deviation is not None:
            x = x / self.deviation
        return x.to(self.of_dtype.dtype)

    def extra_repr(self) -> str:
        words = [] if self.deviation is None else [f"{len(self.deviation)} standardized features"]
        words += [] if self.scale is None else [f"scale of bytes {self.scale:g}"]
        return ", ".join(words)


class Exp(nn.Module):
    """a = e^z."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.exp(z)


def _tensor(numbers: NDArray | None) -> torch.Tensor | None:
    return None if numbers is None else torch.tensor(np.array(numbers), device="cpu")
