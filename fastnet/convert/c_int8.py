"""Networks in C with weights of 8 bits.

The weights of a neuron are rounded to multiples of its scale, the largest magnitude among them
divided by 127, so that the error of each is at most half a scale. Biases are not rounded. When a
layer is computed, its inputs are rounded towards zero to multiples of a step: the largest magnitude
among them divided by ``steps``, which is at most 32,767 and so small that no sum exceeds 32 bits.
The sums are then sums of products of integers, which are exact and need no floating-point unit. The
activations are computed in the network's type. (TensorFlow Lite has 8-bit weights and 16-bit
inputs, too; the steps of its inputs are calibrated on examples beforehand.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastnet.nn.activations import Activation

# The number of inputs that are rounded together, and of neurons whose sums are in registers at the
# same time. Counted for [784, 30, 10] with gcc -O2 for the Cortex-M4: 3.99 instructions per weight;
# with blocks of 2 neurons 5.08, of 1 neuron 6.10; with 32 inputs 3.85, but 32 more bytes of stack.
INPUTS = 16
NEURONS = 4

LARGEST = 127  # the largest rounded weight
_MOST_STEPS = 2**15 - 1
_LARGEST_SUM = 2**31 - 1


@dataclass(frozen=True)
class Int8Layer:
    """The parameters of a layer with rounded weights.

    Attributes
    ----------
    weights : (n_in, n_out) ndarray of int8
    scales, biases : (n_out,) ndarray of the network's dtype
    """

    weights: NDArray
    scales: NDArray
    biases: NDArray

    @property
    def steps(self) -> int:
        """The largest rounded input."""
        return min(_MOST_STEPS, _LARGEST_SUM // (LARGEST * len(self.weights)))

    def weighted_inputs(self, x: NDArray) -> NDArray:
        """z (n, n_out) for inputs (n, n_in), as the exported C computes it, apart from the last
        rounding."""
        real = x.dtype.type
        largest = np.abs(x).max(axis=1, keepdims=True)
        step = largest / real(self.steps)
        with np.errstate(divide="ignore"):
            per_step = np.where(largest >= smallest(x.dtype), real(self.steps) / largest, real(0))
        rounded = np.trunc(x * per_step)  # in float64 the sums are exact
        sums = rounded.astype(np.float64) @ self.weights.astype(np.float64)
        z: NDArray = sums.astype(x.dtype) * (self.scales * step) + self.biases
        return z


def smallest(dtype: np.dtype) -> float:
    """If all inputs of a layer are smaller than this, they count as zero, so that ``steps`` divided
    by the largest does not overflow."""
    return 1e-30 if dtype == np.float32 else 1e-300


def rounded(rows: NDArray) -> Int8Layer:
    """The layer of biases and weights, (1 + n_in, n_out).

    Raises
    ------
    ValueError
        If there are so many inputs that a sum can exceed 32 bits.

    >>> layer = rounded(np.array([[0.5], [1.27], [-0.256]]))
    >>> layer.weights.ravel().tolist(), layer.scales.tolist(), layer.biases.tolist()
    ([127, -26], [0.01], [0.5])
    """
    most = _LARGEST_SUM // LARGEST
    if len(rows) - 1 > most:
        raise ValueError(f"int8: expected at most {most:,} inputs of a layer, got {len(rows) - 1}")
    biases, weights = rows[0], rows[1:].astype(np.float64)
    scales = (np.abs(weights).max(axis=0) / LARGEST).astype(rows.dtype)
    divisors = np.where(scales > 0, scales, 1).astype(np.float64)
    multiples = np.clip(np.rint(weights / divisors), -LARGEST, LARGEST)
    return Int8Layer(multiples.astype(np.int8), scales, biases)


def outputs(layers: Sequence[Int8Layer], activations: Sequence[Activation], x: NDArray) -> NDArray:
    """The outputs (n, n_out) for transformed inputs (n, n_in), as the exported C computes them,
    apart from rounding errors of the network's type."""
    for layer, kind in zip(layers, activations, strict=True):
        x = kind.value(layer.weighted_inputs(x))
    return x


def sums(widths: Iterable[int], dtype: np.dtype) -> str:
    """The function that computes the weighted inputs of layers with these numbers of neurons, in
    the notation of ``c_functions``."""
    widths = [*widths]
    blocks = _BLOCKS if max(widths) >= NEURONS else ""
    rest = _REST if any(n % NEURONS for n in widths) else ""
    text = _SUMS.replace("@NEURONS\n", "        size_t j = 0;\n" * bool(blocks) + blocks + rest)
    if not blocks:
        text = text.replace("for (; j < n_out; j++) {", "for (size_t j = 0; j < n_out; j++) {")
    values = {"@AT_ONCE": str(INPUTS), "@NOT_ZERO": f"R({smallest(dtype)!r})"}
    for word, value in {**values, "@WIDEST": str(max(widths))}.items():
        text = text.replace(word, value)
    return text


_BLOCKS = """        for (; j + 4 <= n_out; j += 4) {
            int32_t t0 = sum[j], t1 = sum[j + 1], t2 = sum[j + 2], t3 = sum[j + 3];
            const int8_t *w = q + j;
            for (size_t k = 0; k < n; k++) {
                const int32_t y = v[k];
                t0 += y * w[0];
                t1 += y * w[1];
                t2 += y * w[2];
                t3 += y * w[3];
                w += n_out;
            }
            sum[j] = t0;
            sum[j + 1] = t1;
            sum[j + 2] = t2;
            sum[j + 3] = t3;
        }
"""
_REST = """        for (; j < n_out; j++) {
            for (size_t k = 0; k < n; k++)
                sum[j] += v[k] * q[k * n_out + j];
        }
"""
_SUMS = """
/* z[j] = s[j] * (sum over k of factor x[k] q[k n_out + j]) + s[n_out + j]; the weights are
 * multiples q of the scales s, which the biases follow. The inputs x are rounded towards zero to
 * multiples of a step, the largest of them divided by steps, so that the sums are those of integers
 * and exact. An input that is not finite makes all z NaN. */
static void @sums(const @real *x, size_t n_in, @real factor, @real steps, const int8_t *q,
                  const @real *s, size_t n_out, @real *z)
{
    int32_t sum[@WIDEST];
    @bits largest = 0;
    @real step, per_step;
    for (size_t k = 0; k < n_in; k++) {
        const @bits size = @bits_of(x[k]) & ~@SIGN;
        largest = size > largest ? size : largest;
    }
    step = @of_bits(largest);
    per_step = step >= @NOT_ZERO ? steps / step : 0;
    if (largest >= @INFINITE) {
        step -= step;
        n_in = 0;
    }
    step = step / steps * factor;
    for (size_t j = 0; j < n_out; j++)
        sum[j] = 0;
    while (n_in > 0) {
        const size_t n = n_in < @AT_ONCE ? n_in : @AT_ONCE;
        int16_t v[@AT_ONCE];
        for (size_t k = 0; k < n; k++)
            v[k] = (int16_t)(x[k] * per_step);
@NEURONS
        x += n;
        q += n * n_out;
        n_in -= n;
    }
    for (size_t j = 0; j < n_out; j++) {
        const @real scale = s[j] * step;
        z[j] = @FMA((@real)sum[j], scale, s[n_out + j]);
    }
}
"""
