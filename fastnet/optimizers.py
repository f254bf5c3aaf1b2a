"""Optimizers: how the parameters follow the mini-batches' mean gradients.

``Network.SGD`` takes one of these as ``optimizer``; None is the book's plain gradient
descent. They hold coefficients only: velocities and moments belong to one call of ``SGD``,
start at zero there and end with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from fastnet import checks


@dataclass(frozen=True)
class Momentum:
    """Momentum: v = mu v + g, W = W - eta v, g being the mini-batch's mean gradient.

    As PyTorch defines it. The book's form, v = mu v - eta g, W = W + v (eqs. 107, 108), moves
    the same way while eta is constant. ``lmbda`` and ``l1`` are part of g.

    Parameters
    ----------
    mu : float
        How much of the velocity stays, the book's momentum co-efficient; from 0 to below 1.
    nesterov : bool, default False
        Nesterov's variant, W = W - eta (g + mu v) (Sutskever et al. 2013).

    Raises
    ------
    ValueError, TypeError
        For a ``mu`` out of range.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", output="linear", dtype="float64")
    >>> net.weights[0], net.biases[0] = [[2.0]], [[0.0]]
    >>> data = ([[1.0]], [[1.0]])
    >>> history = net.SGD(data, 2, 1, 0.1, optimizer=fastnet.Momentum(0.5), verbose=False)
    >>> round(net.weights[0].item(), 12)  # 2 - 0.1 * 1 - 0.1 * (0.5 * 1 + 0.8)
    1.77
    """

    mu: float
    nesterov: bool = False

    def __post_init__(self) -> None:
        checks.share("mu", self.mu)
        object.__setattr__(self, "nesterov", checks.boolean("nesterov", self.nesterov))

    @property
    def kernel(self) -> tuple[Any, ...]:
        """Its name and coefficients in C."""
        return ("nesterov" if self.nesterov else "momentum", float(self.mu))

    @property
    def n_moments(self) -> int:
        """Arrays of the parameters' size that it keeps."""
        return 1


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), with bias correction.

    ``lmbda`` and ``l1`` are part of the gradient.

    Parameters
    ----------
    beta1, beta2 : float, default 0.9 and 0.999
        How much of the first and the second moment stays; from 0 to below 1.
    epsilon : float, default 1e-8
        Added to the second moment's root; positive.

    Raises
    ------
    ValueError, TypeError
        For a coefficient out of range.

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", output="linear", dtype="float64")
    >>> net.weights[0], net.biases[0] = [[2.0]], [[0.0]]
    >>> data = ([[1.0]], [[1.0]])
    >>> history = net.SGD(data, 1, 1, 0.1, optimizer=fastnet.Adam(), verbose=False)
    >>> round(net.weights[0].item(), 6)  # the first step is eta, whatever the gradient
    1.9
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        checks.share("beta1", self.beta1)
        checks.share("beta2", self.beta2)
        checks.positive("epsilon", self.epsilon)

    @property
    def kernel(self) -> tuple[Any, ...]:
        """Its name and coefficients in C."""
        return ("adam", float(self.beta1), float(self.beta2), float(self.epsilon))

    @property
    def n_moments(self) -> int:
        """Arrays of the parameters' size that it keeps."""
        return 2


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).

    Each mini-batch multiplies the weights by 1 - eta lmbda / n, outside of the moments; ``l1``
    is part of the gradient.

    Parameters
    ----------
    beta1, beta2, epsilon : as for ``Adam``

    Examples
    --------
    >>> import fastnet
    >>> net = fastnet.Network([1, 1], "quadratic", output="linear", dtype="float64")
    >>> net.weights[0], net.biases[0] = [[2.0]], [[0.0]]
    >>> data = ([[1.0]], [[1.0]])
    >>> history = net.SGD(data, 1, 1, 0.1, 0.5, optimizer=fastnet.AdamW(), verbose=False)
    >>> round(net.weights[0].item(), 6)  # 2 (1 - 0.1 * 0.5) - 0.1
    1.8
    """

    @property
    def kernel(self) -> tuple[Any, ...]:
        """Its name and coefficients in C."""
        return ("adamw", *super().kernel[1:])


Optimizer: TypeAlias = Momentum | Adam | AdamW


def checked(optimizer: Any) -> Optimizer | None:
    """``SGD``'s argument ``optimizer``, if it is one."""
    if optimizer is None or isinstance(optimizer, Momentum | Adam):
        return optimizer
    raise TypeError(
        f"optimizer: expected None, fastnet.Momentum(mu), fastnet.Adam() or fastnet.AdamW(), "
        f"got {checks.briefly(optimizer)}"
    )
