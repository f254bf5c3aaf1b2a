"""The test in an exported file: inputs, expected outputs, and a main function."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fastnet.convert import c_bounds, c_functions, c_int8
from fastnet.convert.c_source import Source
from fastnet.data import moments

_EXAMPLES = 5


def drawn(source: Source) -> NDArray:
    """Inputs (n, n_in) for the test, the same ones for the same network: bytes if they are scaled,
    numbers around the means if they are standardized, else N(0, 1)."""
    model = source.model
    random = np.random.RandomState(0)  # the same numbers with every release of NumPy
    shape = (_EXAMPLES, model.sizes[0])
    if source.scale != 1:
        return random.randint(0, 256, shape).astype(model.dtype)
    X = random.standard_normal(shape)
    standardize = model.schema.standardize
    if standardize is not None:
        X = X * standardize.deviation + standardize.mean
    return X.astype(model.dtype)


def make(source: Source, examples: NDArray | None) -> SelfTest:
    """The test with ``examples`` (n, n_in) of the network's type; None: with those of
    ``drawn``.

    Raises
    ------
    ValueError
        If an output for them is not finite.
    """
    test = SelfTest(source, drawn(source) if examples is None else examples)
    if not np.isfinite(test.outputs).all() and examples is None:
        test = SelfTest(source, 0 * test.examples)
    if not np.isfinite(test.outputs).all():
        raise ValueError("examples: expected inputs whose outputs are finite, got others")
    return test


class SelfTest:
    """The test with these inputs (n, n_in) of the network's type."""

    def __init__(self, source: Source, examples: NDArray):
        self.source, self.examples = source, examples

    @cached_property
    def inputs(self) -> NDArray:
        """The inputs of the first layer, after scale and standardization."""
        source, dtype = self.source, self.source.model.dtype
        standardize = source.model.schema.standardize
        if standardize is not None:
            return moments.standardized(standardize, self.examples, source.scale, dtype)
        with np.errstate(over="ignore"):
            scaled: NDArray = np.multiply(self.examples, source.scale, dtype=np.float64)
            return scaled.astype(dtype)

    @cached_property
    def outputs(self) -> NDArray:
        """The expected outputs, (n, n_out)."""
        if self.source.int8:
            return c_int8.outputs(self.source.rounded, self.source.activations, self.inputs)
        return np.array([self.source.model.feedforward(x[None], 1.0)[0] for x in self.inputs])

    @cached_property
    def bounds(self) -> NDArray:
        """The bounds of the error of each output on other compilers and processors, (n, n_out)."""
        found = c_bounds.int8_differences if self.source.int8 else c_bounds.differences
        bounds: NDArray = np.nan_to_num(found(self.source, self.inputs))
        return bounds

    def text(self) -> str:
        """The main function."""
        source, n = self.source, len(self.examples)
        bits = source.bits
        macro = f"{source.name.upper()}_SELF_TEST"
        n_in, n_out = source.model.sizes[0], source.model.sizes[-1]
        tables = [
            self._table("inputs", "@real", n_in, self.examples, bits),
            self._table("outputs", "@real", n_out, self.outputs, bits),
            self._table("bounds", "double", n_out, self.bounds, 64),
        ]
        return f"""
#ifdef {macro}
#include <stdio.h>

{"".join(tables)}
int main(void)
{{
    unsigned equal = 0, far = 0;
    @real a[@n_out];
    for (size_t i = 0; i < {n}; i++) {{
        {source.name}(@test_inputs + i * @n_in, a);
        for (size_t o = 0; o < @n_out; o++) {{
            const size_t at = i * @n_out + o;
            const double difference = (double)a[o] - (double)@test_outputs[at];
            equal += memcmp(a + o, @test_outputs + at, sizeof a[o]) == 0;
            far += !(difference <= @test_bounds[at] && -difference <= @test_bounds[at]);
        }}
    }}
    printf("{source.name}: %u of {n * n_out} outputs have the expected bits, ", equal);
    printf("%u are beyond the error bound\\n", far);
#ifdef {macro}_EXACT
    return equal != {n * n_out};
#else
    return far != 0;
#endif
}}
#endif
"""

    def _table(self, name: str, of: str, n: int, values: NDArray, bits: int) -> str:
        rows = c_functions.rows(values, bits)
        return f"static const {of} @test_{name}[{len(values)} * {n}] = {{\n{rows}\n}};\n"
