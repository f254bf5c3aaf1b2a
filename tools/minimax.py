"""Print the coefficients of csrc/math/exp_log.h and csrc/math/tanh_gelu.h.

Near-minimax fits in 40-digit arithmetic, each with its largest error, so that the
constants in the C source can be recomputed. Polynomials by Chebyshev interpolation;
rational functions by interpolation whose nodes move until the error is as large
between any two of them (C. Hofreither, An algorithm for best rational approximation
based on barycentric rational interpolation, 2021).

    pip install mpmath && python tools/minimax.py
"""

import itertools

import mpmath
from mpmath import mpf

mpmath.mp.dps = 40


def exp_tail(r: mpf) -> mpf:
    """(e^r - 1 - r) / r^2, so that e^r = 1 + r + r^2 q(r)."""
    if abs(r) < mpf("1e-8"):
        return mpf(1) / 2 + r / 6 + r * r / 24
    return (mpmath.expm1(r) - r) / (r * r)


def log_tail(t: mpf) -> mpf:
    """(ln((1+s)/(1-s)) - 2s) / s^3 at s = sqrt(t), so that ln = 2s + s t q(t)."""
    if t < mpf("1e-12"):
        return mpf(2) / 3 + 2 * t / 5
    s = mpmath.sqrt(t)
    return (mpmath.log((1 + s) / (1 - s)) - 2 * s) / (s * t)


def tanh_tail(t: mpf) -> mpf:
    """(tanh(z) - z) / z^3 at z = sqrt(t), so that tanh z = z + z t q(t)."""
    if t < mpf("1e-12"):
        return -mpf(1) / 3 + 2 * t / 15
    z = mpmath.sqrt(t)
    return (mpmath.tanh(z) - z) / (z * t)


def normal_tail(x: mpf) -> mpf:
    """Phi(-x) e^(x^2 / 2), Phi being the normal distribution."""
    return mpmath.erfc(x / mpmath.sqrt(2)) * mpmath.exp(x * x / 2) / 2


def interpolated(function, nodes: list[mpf], above: int, below: int) -> tuple[list, list]:
    """Coefficients of p and q, the lowest first and q's last 1: p / q = function at the nodes."""
    rows, values = [], []
    for x in nodes:
        y = function(x)
        rows.append([x**k for k in range(above + 1)] + [-y * x**k for k in range(below)])
        values.append(y * x**below)
    solved = list(mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix(values)))
    return solved[: above + 1], [*solved[above + 1 :], mpf(1)]


def rational(function, end: mpf, above: int, below: int) -> tuple[list, list, mpf]:
    """p, q and the largest relative error of p / q on [0, end].

    The nodes are spaced in u, with x = 3 u / (1 - u), so that there are more of them near 0.
    """
    count, last = above + below + 1, end / (end + 3)

    def place(u: mpf) -> mpf:
        return 3 * u / (1 - u)

    angles = [mpmath.pi * i / (count + 1) for i in range(count + 2)]
    lengths = [last * (mpmath.cos(a) - mpmath.cos(b)) / 2 for a, b in itertools.pairwise(angles)]
    while True:
        ends = [mpf(0), *itertools.accumulate(lengths)]
        p, q = interpolated(function, [place(u) for u in ends[1:-1]], above, below)
        errors = []
        for u, v in itertools.pairwise(ends):
            between = [place(u + (v - u) * k / 12) for k in range(13)]
            quotients = [mpmath.polyval(p[::-1], x) / mpmath.polyval(q[::-1], x) for x in between]
            pairs = zip(between, quotients, strict=True)
            errors.append(max(abs(y / function(x) - 1) for x, y in pairs))
        if max(errors) < min(errors) * mpf("1.02"):
            return p, q, max(errors)
        mean = sum(errors) / len(errors)
        lengths = [a * (mean / e) ** mpf("0.15") for a, e in zip(lengths, errors, strict=True)]
        lengths = [a * last / sum(lengths) for a in lengths]


def show(name: str, function, interval, degree: int, digits: int) -> None:
    coefficients, error = mpmath.chebyfit(function, interval, degree + 1, error=True)
    print(f"{name}: degree {degree}, largest error of the fit {mpmath.nstr(error, 3)}")
    for power, value in enumerate(reversed(coefficients)):
        print(f"    c{power} = {mpmath.nstr(value, digits)}")


def rounded(coefficients: list, bits: int) -> list:
    with mpmath.workprec(bits):
        return [+value for value in coefficients]


def show_rational(name: str, function, end: mpf, degrees: tuple[int, int], bits: int) -> None:
    """Print p and q times a common factor: of 200 factors with which q0 is from 3/4 to 1, where
    rounding has the least effect, the one with the smallest error after rounding."""
    p, q, error = rational(function, end, *degrees)
    print(f"{name}: degrees {degrees}, largest relative error of the fit {mpmath.nstr(error, 3)}")
    points = [(end * k / 200, function(end * k / 200)) for k in range(201)]

    def loss(factor: mpf) -> mpf:
        above, below = (rounded([value * factor for value in c[::-1]], bits) for c in (p, q))
        return max(
            abs(mpmath.polyval(above, x) / mpmath.polyval(below, x) / y - 1) for x, y in points
        )

    factor = min(((600 + mpf(k)) / 800 / q[0] for k in range(200)), key=loss)
    print(f"    with the coefficients rounded to {bits} bits {mpmath.nstr(loss(factor), 3)}")
    for letter, coefficients in (("p", p), ("q", q)):
        for power, value in enumerate(coefficients):
            print(f"    {letter}{power} = {mpmath.nstr(value * factor, 12 if bits == 24 else 20)}")


HALF_LN2 = mpmath.log(2) / 2 * mpf("1.0001")
LOG_T = ((mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1)) ** 2 * mpf("1.0001")
TANH_T = mpf("0.5625") ** 2

if __name__ == "__main__":
    show("exp, float32", exp_tail, [-HALF_LN2, HALF_LN2], 4, 12)
    show("exp, float64", exp_tail, [-HALF_LN2, HALF_LN2], 9, 20)
    show("log, float64", log_tail, [0, LOG_T], 6, 20)
    show("tanh, float32", tanh_tail, [0, TANH_T], 4, 12)
    show("tanh, float64", tanh_tail, [0, TANH_T], 9, 20)
    show_rational("normal tail, float32", normal_tail, mpf("13.25"), (4, 5), 24)
    show_rational("normal tail, float64", normal_tail, mpf("37.7"), (9, 10), 53)
