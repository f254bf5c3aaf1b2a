"""The C functions with which exported networks compute their activations.

They are those of the kernels, ``csrc/math/exp_log.h`` and ``csrc/math/tanh_gelu.h``, for one number
instead of a vector, with the same coefficients and the same order of operations, so that they give
the same bits. ``tests/test_to_c.py`` compares both.

The texts are templates. In them, here and in the attributes ``c_value`` and ``c_slope`` of
activations, ``@name`` stands for a name of the exported file, ``@real`` for float or double, and
``R(0.5)`` for a constant of that type. A product that is added to a number is written ``@FMA``, the
macro of ``FUSED``. The kernels treat subnormal results as zero; ``@flushed`` does this where
saturated neurons have such results.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from fastnet.nn.activations import Activation

# Compilers that vectorize only the products, and not the sums, do not fuse them. The builtin is
# always compiled to the fused instruction, with any options.
FUSED = """
/* a b + c, rounded once where the processor can do that. */
#if defined(__GNUC__) && (@HAS_FMA)
#define @FMA(a, b, c) @BUILTIN_FMA(a, b, c)
#else
#define @FMA(a, b, c) ((a) * (b) + (c))
#endif

/* Functions of one number become parts of loops, which compilers then vectorize, unless code must
 * be small. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define @INLINE static inline __attribute__((always_inline))
#else
#define @INLINE static
#endif
"""

_BITS = """
/* The bits of a number, and back. */
@INLINE @bits @bits_of(@real x)
{
    @bits bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

@INLINE @real @of_bits(@bits bits)
{
    @real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
"""

_FLUSHED = """
/* Subnormal numbers count as zero. */
static @real @flushed(@real a)
{
    const @bits bits = @bits_of(a), exponent = bits >> @DIGITS & @EXPONENT;
    return @of_bits(bits & (@SIGN | (0 - ((0 - exponent) >> @LAST))));
}
"""

_BOUNDED = """
/* z within the finite range of the type. */
static @real @bounded(@real z)
{
    return z > @LARGEST ? @LARGEST : z < -@LARGEST ? -@LARGEST : z;
}
"""

_SELECT = """
/* a where the condition, 0 or 1, is 1, else b: without a branch, so that compilers make vectors of
 * loops. */
@INLINE @real @select(int condition, @real a, @real b)
{
    const @bits mask = 0u - (@bits)condition;
    return @of_bits((@bits_of(a) & mask) | (@bits_of(b) & ~mask));
}
"""

_EXP = """
/* e^(x + rest), where rest is a few ULP of x, for x from @LOW to @HIGH; NaN stays NaN. */
@INLINE @real @exp_within(@real x, @real rest)
{
    /* x / ln 2, rounded to an integer n, is in the last bits of this sum. */
    const @bits n = @bits_of(@FMA(x, @PER_LN_2, @MAGIC)) - @bits_of(@MAGIC);
    const @real t = (@real)(int32_t)n; /* also with -ffast-math, unlike the sum minus @MAGIC */
    @real q, r = @FMA(t, @LN_2_UPPER, x);
    r = @FMA(t, @LN_2_LOWER, r);
    r += rest;
@HORNER
    q = @FMA(q, r * r, r);
    return (q + 1) * @of_bits((n + @BIAS) << @DIGITS);
}
"""

_EXP_INSIDE = """
/* The same; x beyond these limits is replaced by the nearer one. */
static @real @exp_inside(@real x, @real rest)
{
    return @exp_within(x < @LOW ? @LOW : x > @HIGH ? @HIGH : x, rest);
}
"""

_EXP_SUM = """
/* The same, 0 and infinity beyond these limits. */
static @real @exp_sum(@real x, @real rest)
{
    return x < @LOW ? 0 : x > @HIGH ? @of_bits(@INFINITE) : @exp_within(x, rest);
}
"""

_SIGMOID = """
/* 1 / (1 + e^-z); 0 where it would be subnormal. */
@INLINE @real @sigmoid(@real z)
{
    const @real x = -z, a = 1 / (1 + @exp_within(x, 0));
    return @select(x > @SIGMOID_END, 0, @select(x < @LOW, 1, a));
}
"""

_TANH = """
/* z + z^3 q(z^2) for |z| < 9/16, else 1 - 2 / (e^(2|z|) + 1), with the sign of z. */
static @real @tanh(@real z)
{
    const @bits sign = @bits_of(z) & @SIGN;
    const @real x = @of_bits(@bits_of(z) ^ sign), t = x * x;
    @real y;
    if (x < R(0.5625)) {
        @real q;
@HORNER
        y = @FMA(x, t * q, x);
    } else {
        y = 1 - 2 / (@exp_within(x > 20 ? 40 : 2 * x, 0) + 1);
    }
    return @of_bits(@bits_of(y) | sign);
}
"""

_GELU = """
/* The parts of GELU, z Phi(z) with the normal distribution Phi: *x = |z|, *tail = R(x), where
 * Phi(-x) = R(x) e^(-x^2/2); returns e^(-x^2/2). */
static @real @normal(@real z, @real *x_, @real *tail)
{
    const @real whole = @of_bits(@bits_of(z) & ~@SIGN);
    const @real x = whole > @TAIL_END ? @TAIL_END : whole, half = R(-0.5) * x;
    const @real upper = @of_bits(@bits_of(x) & @UPPER), lower = x - upper;
    const @real square = @of_bits(@bits_of(half * x) & ~(@bits)1);
    const @real middle = R(-0.5) * (x + upper), s = x * x;
    @real rest = @FMA(R(-0.5) * upper, upper, -square);
    @real p, q, line;
    rest = @FMA(lower, middle, rest);
@RATIO
    *x_ = x;
    *tail = p / q;
    return @exp_sum(square, rest);
}

static @real @gelu(@real z)
{
    @real x, tail;
    const @real bell = @normal(z, &x, &tail), lost = x * tail;
    const @real a = @FMA(-lost, bell, z > 0 ? z : 0);
    return @flushed(a);
}
"""

_GELU_SLOPE = """
static @real @gelu_slope(@real z)
{
    @real x, tail, below;
    const @real bell = @normal(z, &x, &tail);
    below = @FMA(-x, R(0.39894228040143267794), tail);
    return z > 0 ? @FMA(-below, bell, 1) : below * bell;
}
"""

_EXP_Q = {
    32: ["0.00139261835877", "0.00836317905272", "0.0416665546172", "0.166665769897", "0.5"],
    64: [
        "2.5100385495510319078e-8", "2.7620088445409748161e-7", "2.7557268459997064772e-6",
        "0.000024801521295954375131", "0.00019841269863053616878", "0.0013888888917213716901",
        "0.0083333333333300618325", "0.041666666666624127873", "0.16666666666666667453",
        "0.50000000000000010221",
    ],
}  # fmt: skip
_TANH_Q = {
    32: [
        "-0.006525572169", "0.0212633534472", "-0.0539017531646", "0.133330738135",
        "-0.333333316953",
    ],
    64: [
        "0.000052534524422812429868", "-0.00021273500276070225855", "0.00058078354026850900413",
        "-0.0014538272524617992254", "0.0035918547749548635336", "-0.0088632127085313763536",
        "0.021869487436008962533", "-0.053968253941225282517", "0.13333333333307501872",
        "-0.33333333333333292493",
    ],
}  # fmt: skip
# Numerator and denominator of R, highest power first. ``_ratio`` evaluates them in pairs c1 x + c0
# as polynomials in s = x^2.
_GELU_P = {
    32: ["0.00371451280952", "0.036956829719", "0.167623334986", "0.402893241357",
         "0.462500002309"],
    64: ["1.2952813112571186663e-6", "0.000034885700557281323514", "0.00045992287274266794885",
         "0.0038400268000756857972", "0.022208337248295874579", "0.091949662463960994442",
         "0.27258052324148774327", "0.56019854248964660956", "0.73144413733551133411",
         "0.4724999999999999771"],
}  # fmt: skip
_GELU_Q = {
    32: ["0.0093107691853", "0.0926439076293", "0.429326514317", "1.10454100724",
         "1.54383003187", "0.925"],
    64: ["3.246788758409255412e-6", "0.000087445483394945721817", "0.0011561024659310185849",
         "0.0097129652243892234645", "0.0568144086073971927", "0.23993424087748543447",
         "0.73665309039736880041", "1.616312659994949428", "2.4167187384064878318",
         "2.2168891846297214414", "0.945"],
}  # fmt: skip

_CONSTANTS = {
    32: {
        "@HAS_FMA": "defined(__FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)",
        "@BUILTIN_FMA": "__builtin_fmaf",
        "@FMA_X86": "_mm_fmadd_ps",
        "@FMA_NEON": "vfmaq_f32",
        "@bits": "uint32_t", "@EXPONENT": "0xFFu", "@LAST": "31", "@MAGIC": "R(12582912.0)",
        "@LOW": "R(-87.33)", "@HIGH": "R(88.37)", "@SIGMOID_END": "R(87.33654)",
        "@PER_LN_2": "R(1.44269504)",
        "@LN_2_UPPER": "R(-0.693359375)", "@LN_2_LOWER": "R(2.12194440e-4)", "@BIAS": "127u",
        "@DIGITS": "23", "@INFINITE": "0x7F800000u", "@SIGN": "0x80000000u",
        "@TAIL_END": "R(13.25)", "@UPPER": "0xFFFFF000u", "@LARGEST": "R(3.40282347e38)",
    },
    64: {
        "@HAS_FMA": "defined(__FP_FAST_FMA) || defined(__FMA__) || defined(__aarch64__)",
        "@BUILTIN_FMA": "__builtin_fma",
        "@FMA_X86": "_mm_fmadd_pd",
        "@FMA_NEON": "vfmaq_f64",
        "@bits": "uint64_t", "@EXPONENT": "0x7FFu", "@LAST": "63",
        "@MAGIC": "R(6755399441055744.0)", "@LOW": "R(-708.39)", "@HIGH": "R(709.43)",
        "@SIGMOID_END": "R(708.3964185322641)",
        "@PER_LN_2": "R(1.4426950408889634)", "@LN_2_UPPER": "R(-6.93147180369123816490e-01)",
        "@LN_2_LOWER": "R(-1.90821492927058770002e-10)", "@BIAS": "1023u", "@DIGITS": "52",
        "@INFINITE": "((uint64_t)0x7FF << 52)", "@SIGN": "((uint64_t)1 << 63)",
        "@TAIL_END": "R(37.7)", "@UPPER": "~(uint64_t)0x7FFFFFF",
        "@LARGEST": "R(1.7976931348623157e308)",
    },
}  # fmt: skip


def _horner(variable: str, coefficients: list[str], indent: str) -> str:
    first, *others = coefficients
    lines = [f"q = R({first});", *(f"q = @FMA(q, {variable}, R({each}));" for each in others)]
    return "\n".join(indent + line for line in lines)


def _ratio(bits: int) -> str:
    """The statements that compute p and q, two powers at a time."""
    lines = []
    for name, numbers in (("p", _GELU_P[bits]), ("q", _GELU_Q[bits])):
        rest = [*numbers]
        if len(rest) % 2 == 0:
            lines.append(f"{name} = @FMA(R({rest.pop(0)}), x, R({rest.pop(0)}));")
        else:
            lines.append(f"{name} = R({rest.pop(0)});")
        while rest:
            lines.append(f"line = @FMA(R({rest.pop(0)}), x, R({rest.pop(0)}));")
            lines.append(f"{name} = @FMA({name}, s, line);")
    return "\n".join(f"    {line}" for line in lines)


def _texts(bits: int) -> dict[str, str]:
    """{the names that a text defines: the text}, in the order of their definition."""
    return {
        "bits_of of_bits": _BITS,
        "flushed": _FLUSHED,
        "bounded": _BOUNDED,
        "select": _SELECT,
        "exp_within": _EXP.replace("@HORNER", _horner("r", _EXP_Q[bits], "    ")),
        "exp_inside": _EXP_INSIDE,
        "exp_sum": _EXP_SUM,
        "sigmoid": _SIGMOID,
        "tanh": _TANH.replace("@HORNER", _horner("t", _TANH_Q[bits], "        ")),
        "normal gelu": _GELU.replace("@RATIO", _ratio(bits)),
        "gelu_slope": _GELU_SLOPE,
    }


def used_by(texts: Iterable[str], bits: int) -> list[str]:
    """The functions that these texts call, each before the functions that call it."""
    wanted = set(re.findall(r"@(\w+)", " ".join(texts)))
    found: list[str] = []
    for names, text in reversed(_texts(bits).items()):
        if wanted & set(names.split()):
            found.insert(0, text)
            wanted |= set(re.findall(r"@(\w+)", text))
    if any("gelu" in text for text in found):
        return found
    return [without_rest(text) for text in found]


def without_rest(text: str) -> str:
    """The text without the argument ``rest`` of the exponential, which only GELU needs."""
    text = text.replace("e^(x + rest), where rest is a few ULP of x, for", "e^x for")
    text = text.replace(", @real rest", "").replace("    r += rest;\n", "")
    return re.sub(r"(@exp_\w+\(.*?), (rest|0)\)", r"\1)", text)


def with_parameters(text: str, activation: Activation, bits: int) -> str:
    """The text with each name in braces replaced by that parameter in the type, as the kernels
    convert it."""
    for name, value in activation.named_parameters.items():
        text = text.replace(f"{{{name}}}", literal(value, bits).removesuffix("f"))
    return text


def filled(text: str, name: str, bits: int) -> str:
    """The text with the names and constants of a file whose names begin with ``name``."""
    for constant, value in _CONSTANTS[bits].items():
        text = re.sub(rf"{constant}\b", value, text)
    text = text.replace("@real", "float" if bits == 32 else "double")
    text = re.sub(r"@([A-Z][A-Z_]*)\b", rf"{name.upper()}_\1", text)
    text = re.sub(r"@(\w+)", rf"{name}_\1", text)
    return re.sub(r"R\(([-+.\w]+)\)", r"\1f" if bits == 32 else r"\1", text)


def rows(values: NDArray, bits: int, indent: str = "    ") -> str:
    """The literals of numbers as lines of at most 100 characters."""
    return lines((literal(value, bits) for value in values.reshape(-1).tolist()), indent)


def lines(literals: Iterable[str], indent: str = "    ") -> str:
    """Literals, each followed by a comma, as lines of at most 100 characters."""
    made, line = [], indent
    for text in literals:
        if len(line) + len(text) + 2 > 100:
            made.append(line.rstrip())
            line = indent
        line += text + ", "
    made.append(line.rstrip())
    return "\n".join(made)


def literal(value: float, bits: int) -> str:
    """A C constant that compilers convert to exactly this number."""
    text = str(np.float32(value)) if bits == 32 else repr(float(value))
    return text + ("f" if bits == 32 else "")


def code(text: str) -> str:
    """C source without comments and string constants."""
    return re.sub(r'(?s)/\*.*?\*/|"(?:\\.|[^"\\])*"', " ", text)


def words(text: str) -> set[str]:
    """The identifiers in C source."""
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", code(text)))
