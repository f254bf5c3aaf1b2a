"""How many bytes of code an exported network needs on a Cortex-M.

The bytes of each part were fitted to those of 1,100 networks of random sizes, kinds and options,
compiled by arm-none-eabi-gcc 12.2 with -Os for the Cortex-M7, so that none of them needs more than
the sum of its parts; the bound is 5 % above the sum, for others. How far the compiler merges
functions depends on the network: the sum is 1.2 times the truth on average, but up to 2.6 times for
networks of linear neurons, in which there is nothing to call. ``tests/test_to_c_targets.py``
compares bounds with compiled networks.
"""

from __future__ import annotations

import re
from collections import Counter

from fastnet.convert import c_int8
from fastnet.convert.c_source import Source

# {bits of the type: {part: bytes}}. Parts are functions, or what ``_parts`` counts; those that are
# absent are within the others.
_BYTES = {
    32: {
        "back": 58, "exp_inside": 290, "exp_within": 120, "gelu": 378, "gelu_slope": 136,
        "inputs": 60, "integers": 132, "integers_block": 164, "integers_rest": 114,
        "jacobian_layer": 132, "layer": 56, "loop": 14, "neuron_exponential": 116,
        "neuron_leaky_relu": 34, "neuron_leaky_relu_slope": 150, "neuron_relu": 52,
        "neuron_relu_slope": 134, "neuron_sigmoid_slope": 44, "neuron_softmax": 414,
        "neuron_swish": 64, "sigmoid": 140, "standardize": 80, "sum_2": 20, "sum_3": 52,
        "sum_4": 88, "tanh": 200,
    },
    64: {
        "exp_inside": 110, "exp_sum": 28, "exp_within": 294, "gelu": 620, "gelu_slope": 114,
        "inputs": 36, "integers": 184, "integers_block": 196, "integers_rest": 162,
        "jacobian_layer": 156, "layer": 38, "loop": 14, "neuron_exponential": 74,
        "neuron_exponential_slope": 72, "neuron_leaky_relu": 6,
        "neuron_leaky_relu_slope": 78, "neuron_relu": 20, "neuron_softmax": 380,
        "neuron_softmax_slope": 62, "neuron_swish": 76, "neuron_tanh_slope": 12, "sigmoid": 154,
        "standardize": 36, "sum_1": 26, "sum_2": 126, "sum_3": 106, "sum_4": 100, "tanh": 334,
    },
}  # fmt: skip


# The activations that were measured.
_KINDS = {
    "sigmoid",
    "softmax",
    "linear",
    "exponential",
    "tanh",
    "relu",
    "leaky-relu",
    "gelu",
    "swish",
}


def code(source: Source, text: str) -> int | None:
    """A bound of the bytes of code in Thumb-2 of the file whose text, in the notation of
    ``c_functions``, this is; for gcc -Os and a processor that computes in the network's type. None
    with an activation that was not measured."""
    if not {kind.name for kind in source.activations} <= _KINDS:
        return None
    sizes = _BYTES[source.bits]
    total = sum(n * sizes.get(part, 0) for part, n in _parts(source, text).items())
    return -(-105 * total // 1000) * 10


def _parts(source: Source, text: str) -> Counter[str]:
    """How often the file has each part."""
    names = set(re.findall(r"^(?:static|@INLINE) [^(;={]*@(\w+)\(", text, re.MULTILINE))
    # Activations that differ in parameters only are one function more each.
    parts = Counter(re.sub(r"^(neuron_[a-z_]+?)_\d+(_slope)?$", r"\1\2", name) for name in names)
    widths = source.model.sizes[1:]
    if source.int8:
        del parts["sums"]
        parts["integers"] = 1
        parts["integers_block"] = int(max(widths) >= c_int8.NEURONS)
        parts["integers_rest"] = int(any(n % c_int8.NEURONS for n in widths))
    parts["layer"] = len(widths)
    parts["loop"] = sum(k.name != "linear" and not k.of_layer for k in source.activations)
    parts["jacobian_layer"] = len(widths) * source.jacobian
    standardizes = source.model.schema.standardize is not None
    parts["standardize"] = int(standardizes)
    parts["inputs"] = int(source.stores_inputs and not standardizes)
    return parts
