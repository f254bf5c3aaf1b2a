"""A network as the text of one C99 file: the parts that compute.

``to_c`` joins them with the comment on top (``c_comment``) and the test (``c_self_test``).

Weights are stored as the kernels store them, input-major: row 0 has the biases of a layer, row
1 + k the weights from input k to all neurons. The neurons of a block are computed together, as in
the kernels: each sum is over ascending k, one product per statement. The last block of a layer
overlaps the one before it, so that no other loops are needed.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fastnet.convert import c_functions, c_int8
from fastnet.model import Model
from fastnet.nn.activations import ACTIVATIONS, Activation

# Neurons that are computed together. Measured with gcc -O2 for x86-64 and -Os for Thumb-2: for
# Thumb-2 more accumulators need more code; on x86-64 the vectors make more unnecessary.
BLOCK = 4
VECTORS = 4  # of 16 bytes, on processors that have them


@dataclass(frozen=True)
class Source:
    """The network and the options from which the parts of a file are made.

    Attributes
    ----------
    model : Model
    name : str
        The name of the function; all other names in the file begin with it.
    scale : float
        The factor of the inputs.
    jacobian : bool
    int8 : bool
        Whether the weights have 8 bits.
    """

    model: Model
    name: str
    scale: float
    jacobian: bool
    int8: bool = False

    @property
    def bits(self) -> int:
        return 8 * self.model.dtype.itemsize

    @property
    def activations(self) -> list[Activation]:
        """The activations of the hidden layers and of the output layer."""
        return [*self.model.hidden, ACTIVATIONS[self.model.cost_spec.output]]

    @property
    def has_factor(self) -> bool:
        """Whether the first layer multiplies its inputs by the scale. This needs a scale that the
        network's type represents exactly, so that the product is rounded as in the network."""
        exact = float(self.model.dtype.type(self.scale)) == self.scale
        return self.scale != 1 and exact and self.model.schema.standardize is None

    @property
    def stores_inputs(self) -> bool:
        """Whether the transformed inputs are stored before the first layer."""
        return self.model.schema.standardize is not None or (
            self.scale != 1 and not self.has_factor
        )

    @cached_property
    def layers(self) -> list[NDArray]:
        """For each layer the biases and the weights, (1 + n_in, n_out); subnormal numbers, which
        the kernels count as zero, are zero."""
        made = []
        parameters = self.model.parameters
        for w, b in zip(parameters.arrays("weights"), parameters.arrays("biases"), strict=True):
            rows = np.vstack([b.T, w.T])
            made.append(np.where(np.abs(rows) < np.finfo(rows.dtype).tiny, 0, rows))
        return made

    @cached_property
    def rounded(self) -> list[c_int8.Int8Layer]:
        """The layers with weights of 8 bits."""
        return [c_int8.rounded(rows) for rows in self.layers]

    @property
    def buffers(self) -> dict[str, int]:
        """{name: size} of the function's arrays: "inputs" for transformed inputs, "odd" for hidden
        layers 1, 3, ..., "even" for 2, 4, ..."""
        sizes = self.model.sizes
        wanted = {
            "inputs": sizes[0] if self.stores_inputs else 0,
            "odd": max(sizes[1:-1:2], default=0),
            "even": max(sizes[2:-1:2], default=0),
        }
        return {name: n for name, n in wanted.items() if n}

    @property
    def jacobian_buffers(self) -> list[tuple[str, int]]:
        """The arrays of the function that computes the Jacobian: also the slopes of each hidden
        layer, and for the output layer its weighted inputs or its derivatives."""
        sizes, output = self.model.sizes, self.activations[-1]
        made = [*self.buffers.items()]
        made += [(f"slope_{l}", sizes[l]) for l in range(1, len(sizes) - 1)]
        made += [("top" if output.of_layer else "output", sizes[-1])]
        return made

    @property
    def widths(self) -> list[int]:
        """The numbers of neurons per block that the layers need."""
        return sorted({min(n, BLOCK) for n in self.model.sizes[1:]})

    @property
    def has_vectors(self) -> bool:
        """Whether sums are computed in vectors on processors that have them."""
        return BLOCK in self.widths and not self.int8


# ---- declarations and constants


def declarations(source: Source) -> str:
    """The numbers of inputs and outputs, and the functions that other files can call."""
    sizes = source.model.sizes
    called = [f"void {source.name}(const @real *x, @real *a);"]
    if source.jacobian:
        called.append(f"void {source.name}_jacobian(const @real *x, @real *a, @real *j);")
    lines = "\n".join(called)
    return f"""
enum {{ @n_in = {sizes[0]}, @n_out = {sizes[-1]} }};

#ifdef __cplusplus
extern "C" {{
#endif
{lines}
#ifdef __cplusplus
}}
#endif
"""


def constants(source: Source) -> str:
    """The tables of the network."""
    model = source.model
    text = ""
    standardize = model.schema.standardize
    if standardize is not None:
        for name, values in (("mean", standardize.mean), ("deviation", standardize.deviation)):
            text += _table(f"@{name}", values, 64, "double")
    for l, rows in enumerate(source.layers):
        text += f"\n/* {model.sizes[l]} inputs, {model.sizes[l + 1]} neurons */"
        if source.int8:
            text += _int8_tables(source.rounded[l], l + 1, source.bits)
            continue
        text += _table(f"@layer_{l + 1}", rows, source.bits, "@real")
    return text


def _table(name: str, values: NDArray, bits: int, of: str) -> str:
    rows = c_functions.rows(values, bits)
    return f"\nstatic const {of} {name}[{values.size}] = {{\n{rows}\n}};\n"


def _int8_tables(layer: c_int8.Int8Layer, l: int, bits: int) -> str:
    """The two tables of layer l: its weights; its scales, followed by its biases."""
    rows = c_functions.lines(map(str, layer.weights.reshape(-1).tolist()))
    text = f"\nstatic const int8_t @weights_{l}[{layer.weights.size}] = {{\n{rows}\n}};"
    return text + _table(f"@layer_{l}", np.append(layer.scales, layer.biases), bits, "@real")


def classes(source: Source) -> str:
    """The names of the classes, in the code only if the program defines a macro."""
    names = source.model.schema.classes
    if names is None:
        return ""
    rows = "\n".join(f"    {quoted(str(name))}," for name in names)
    macro = f"{source.name.upper()}_CLASSES"
    return (
        f"\n#ifdef {macro}\n/* The names of the classes, in UTF-8. */\n"
        f"static const char *const @classes[{len(names)}] = {{\n{rows}\n}};\n#endif\n"
    )


def printable(text: str) -> str:
    """A text for a comment: characters outside ASCII are escaped, and nothing in it ends the
    comment.

    >>> print(printable("a */ b"))
    a * / b
    """
    shown = text.encode("unicode_escape").decode()
    return shown.replace("*/", "* /").replace("/*", "/ *").replace("??/", "? ?/")


def quoted(text: str) -> str:
    """A string constant, which C and C++ read alike. Octal escapes have three digits at most, so
    that what follows cannot extend them; they also keep trigraphs and comments apart.

    >>> print(quoted("so *it* is?"))
    "so \\052it\\052 is\\077"
    """
    plain = {ord(each) for each in map(chr, range(32, 127))} - {*b'"\\?*/'}
    made = ""
    for byte in text.encode("utf-8", "surrogatepass"):
        if byte in plain:
            made += chr(byte)
        else:
            made += f"\\{chr(byte)}" if byte in b'"\\' else f"\\{byte:03o}"
    return f'"{made}"'


# ---- functions


def identifier(each: Activation, others: Iterable[Activation]) -> str:
    """The name of an activation's function; activations that differ only in their parameters are
    numbered."""
    same = [one for one in dict.fromkeys(others) if one.name == each.name]
    number = f"_{same.index(each) + 1}" if len(same) > 1 else ""
    return f"neuron_{each.name.replace('-', '_')}{number}"


def functions(source: Source) -> str:
    """The functions of the activations, and those that they call, each once."""
    bits, kinds = source.bits, [*dict.fromkeys(source.activations)]
    own = []
    for each in kinds:
        name = identifier(each, kinds)
        own.append(_value(each, name, bits))
        if source.jacobian:
            own.append(_slope(each, name, bits))
    sums_of_integers = [c_int8.sums(source.model.sizes[1:], source.model.dtype)] * source.int8
    shared = c_functions.used_by([*own, *sums_of_integers], bits)
    if not any("@normal(" in text for text in shared):
        own = [c_functions.without_rest(text) for text in own]
    return "".join([*shared, *own])


def _statements(text: str) -> str:
    """Statements, indented."""
    return textwrap.indent(textwrap.dedent(text).strip(), "    ")


def _value(each: Activation, name: str, bits: int) -> str:
    body = _statements(c_functions.with_parameters(each.c_value, each, bits))
    comment = f"\n/* {_ascii(each.filled(each.formula))} */\n"
    if each.of_layer:
        return f"{comment}static void @{name}(@real *z, size_t n)\n{{\n{body}\n}}\n"
    return f"{comment}@INLINE @real @{name}(@real z)\n{{\n{body}\n}}\n"


def _slope(each: Activation, name: str, bits: int) -> str:
    body = _statements(c_functions.with_parameters(each.c_slope, each, bits))
    if each.of_layer:
        arguments = "const @real *a, size_t n, size_t o, @real *d"
        return f"\nstatic void @{name}_slope({arguments})\n{{\n{body}\n}}\n"
    used = c_functions.words(body)
    unused = "".join(f"    (void){each};\n" for each in ("z", "a") if each not in used)
    return f"\nstatic @real @{name}_slope(@real z, @real a)\n{{\n{unused}{body}\n}}\n"


def _ascii(text: str) -> str:
    for symbol, word in {"σ": "sigma", "Φ": "Phi", "Σ": "sum", "⊙": "*"}.items():
        text = text.replace(symbol, word)
    return text.encode("ascii", "replace").decode()


def sums(source: Source) -> str:
    """The functions that compute the weighted inputs of a layer."""
    if source.int8:
        return c_int8.sums(source.model.sizes[1:], source.model.dtype)
    factor = source.has_factor
    arguments = f"const @real *x, {'@real factor, ' * factor}size_t n_in, const @real *w, "
    arguments += "size_t n_out, @real *z"
    passed = "x, " + "factor, " * factor
    text = _SUMS_COMMENT if not factor else _SUMS_COMMENT.replace("x[k]", "factor x[k]")
    x = "x[k] * factor" if factor else "x[k]"
    wide = VECTORS * 128 // source.bits
    has_wide = any(n >= wide for n in source.model.sizes[1:])
    for width in source.widths:
        lanes = 128 // source.bits
        scalar = _block(width, arguments, x, 1)
        if width == BLOCK:
            vector = _block(width, arguments, x, lanes)
            if has_wide:
                vector += _block(wide, arguments, x, lanes)
            text += f"{_VECTORS}{vector}#else{scalar}#endif\n"
        else:
            text += scalar
    if BLOCK in source.widths:
        text += _blocks(arguments, passed, wide if has_wide else 0)
    return text


_SUMS_COMMENT = """
/* z[j] = w[j] + sum over k of x[k] w[(1 + k) n_out + j], for a block of neurons j; w has the
 * biases, then the weights of one input after the other. Each sum is added in the order of the
 * inputs, one product per statement. */"""

# Intrinsics, since gcc fuses the products of vectors only from -O2 on and with -ffp-contract=fast.
_VECTORS = """
/* Vectors of 16 bytes, where gcc and clang have registers for them. */
#if defined(__GNUC__) && (defined(__SSE2__) || defined(__aarch64__))
#define @VECTORS
typedef @real @lanes __attribute__((vector_size(16), aligned(sizeof(@real)), may_alias));
#if defined(__FMA__)
#include <immintrin.h>
#define @FMA_LANES(a, b, c) (@lanes)@FMA_X86(a, b, c)
#elif defined(__aarch64__)
#include <arm_neon.h>
#define @FMA_LANES(a, b, c) (@lanes)@FMA_NEON(c, a, b)
#else
#define @FMA_LANES(a, b, c) ((a) * (b) + (c))
#endif
"""


def _block(width: int, arguments: str, x: str, lanes: int) -> str:
    """The function for ``width`` neurons, in vectors of ``lanes``."""
    places = range(0, width, lanes)
    of = "@real" if lanes == 1 else "@lanes"

    def at(array: str, o: int) -> str:
        if lanes == 1:
            return f"{array}[{o}]"
        return f"*({'const ' * (array == 'w')}@lanes *)" + (f"({array} + {o})" if o else array)

    comma = f",\n{' ' * (5 + len(of))}"
    first = comma.join(f"s{i} = {at('w', o)}" for i, o in enumerate(places))
    if lanes == 1:
        products = [f"s{i} = @FMA(v, w[{i}], s{i});" for i in places]
    else:
        products = [f"s{i} = @FMA_LANES(v, {at('w', o)}, s{i});" for i, o in enumerate(places)]
    lines = "\n".join(f"        {each}" for each in products)
    stores = "\n".join(f"    {at('z', o)} = s{i};" for i, o in enumerate(places))
    value = "v" if lanes == 1 else f"{{{', '.join(['value'] * lanes)}}}"
    read = f"        const @real v = {x};\n"
    if lanes > 1:
        read = f"        const @real value = {x};\n        const @lanes v = {value};\n"
    return f"""
static void @sum_{width}({arguments})
{{
    {of} {first};
    for (size_t k = 0; k < n_in; k++) {{
{read}        w += n_out;
{lines}
    }}
{stores}
}}
"""


def _blocks(arguments: str, passed: str, wide: int) -> str:
    """The function for any number of neurons from ``BLOCK`` on."""

    def loop(width: int, indent: str) -> str:
        return f"""{indent}for (size_t j = 0; j < n_out; j += {width}) {{
{indent}    const size_t at = j + {width} <= n_out ? j : n_out - {width};
{indent}    @sum_{width}({passed}n_in, w + at, n_out, z + at);
{indent}}}
"""

    of_vectors = ""
    if wide:
        of_vectors = f"""#ifdef @VECTORS
    if (n_out >= {wide}) {{
{loop(wide, " " * 8)}        return;
    }}
#endif
"""
    return f"""
/* All neurons of a layer; the last block overlaps the one before it. */
static void @sums({arguments})
{{
{of_vectors}{loop(BLOCK, " " * 4)}}}
"""


_NARROW = """
/* Where gcc reads the sums in larger vectors than they were stored in, the processor waits for the
 * stores. */
#if defined(__AVX__) && defined(__GNUC__) && __GNUC__ >= 12
#pragma GCC push_options
#pragma GCC target("prefer-vector-width=128")
#endif
"""
_NARROW_END = """
#if defined(__AVX__) && defined(__GNUC__) && __GNUC__ >= 12
#pragma GCC pop_options
#endif
"""


def with_narrow_vectors(source: Source, text: str) -> str:
    """The text between the directives that keep gcc's vectors at 16 bytes, where that matters."""
    return f"{_NARROW}{text}{_NARROW_END}" if source.has_vectors else text


# ---- the function


def function(source: Source) -> str:
    """The function ``name`` itself."""
    arrays = "".join(f"    @real {name}[{n}];\n" for name, n in source.buffers.items())
    return f"""
void {source.name}(const @real *x, @real *a)
{{
{arrays}{inputs(source)}{forward(source, with_slopes=False)}}}
"""


def inputs(source: Source) -> str:
    """The statements that transform the inputs, if they are stored."""
    if not source.stores_inputs:
        return ""
    scaled = "(double)x[k]"
    before = ""
    if source.scale != 1:
        product = f"(double)x[k] * {c_functions.literal(source.scale, 64)}"
        if source.model.schema.standardize is None:
            scaled = product
        else:  # so that no compiler fuses the product with the difference
            before, scaled = f"        const volatile double product = {product};\n", "product"
    if source.model.schema.standardize is not None:
        scaled = f"({scaled} - @mean[k]) / @deviation[k]"
    return (
        f"    for (size_t k = 0; k < @n_in; k++) {{\n{before}"
        f"        inputs[k] = (@real)({scaled});\n    }}\n"
    )


def forward(source: Source, *, with_slopes: bool) -> str:
    """The statements that compute all layers."""
    sizes, kinds = source.model.sizes, source.activations
    text, below = "", "inputs" if source.stores_inputs else "x"
    for l in range(1, len(sizes)):
        n_in, n_out, last = sizes[l - 1], sizes[l], l + 1 == len(sizes)
        to = "a" if last else ("even", "odd")[l % 2]
        factor = ""
        if source.has_factor:
            factor = f"{c_functions.literal(source.scale if l == 1 else 1.0, source.bits)}, "
        if source.int8:
            text += _int8_call(source, l, below, to)
        else:
            called = "@sums" if n_out >= BLOCK else f"@sum_{n_out}"
            text += f"    {called}({below}, {factor}{n_in}, @layer_{l}, {n_out}, {to});\n"
        if last and with_slopes and not kinds[-1].of_layer:
            text += "    memcpy(output, a, sizeof output);\n"
        text += _activate(source, l, to, with_slopes and not last)
        below = to
    return text


def _int8_call(source: Source, l: int, below: str, to: str) -> str:
    """The call that computes the weighted inputs of layer l."""
    sizes, layer = source.model.sizes, source.rounded[l - 1]
    scale = source.scale if l == 1 and source.has_factor else 1.0
    factor, steps = (c_functions.literal(each, source.bits) for each in (scale, layer.steps))
    return (
        f"    @sums({below}, {sizes[l - 1]}, {factor}, {steps}, @weights_{l}, @layer_{l},\n"
        f"          {sizes[l]}, {to});\n"
    )


def _activate(source: Source, l: int, to: str, with_slopes: bool) -> str:
    """The statements that replace the weighted inputs of layer l by activations."""
    n, kind = source.model.sizes[l], source.activations[l - 1]
    name = identifier(kind, source.activations)
    if kind.of_layer:
        return f"    @{name}({to}, {n});\n"
    loop = f"    for (size_t i = 0; i < {n}; i++)"
    if not with_slopes:
        return f"{loop}\n        {to}[i] = @{name}({to}[i]);\n"
    return f"""{loop} {{
        const @real z = {to}[i];
        {to}[i] = @{name}(z);
        slope_{l}[i] = @{name}_slope(z, {to}[i]);
    }}
"""
