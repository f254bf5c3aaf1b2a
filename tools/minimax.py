"""Print the polynomial coefficients of csrc/exp_log_tmpl.h.

Near-minimax fits (Chebyshev interpolation in 40-digit arithmetic), each with
its largest error, so that the constants in the C source can be made again:

    pip install mpmath && python tools/minimax.py
"""

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


def show(name: str, function, interval, degree: int, digits: int) -> None:
    coefficients, error = mpmath.chebyfit(function, interval, degree + 1, error=True)
    print(f"{name}: degree {degree}, largest error of the fit {mpmath.nstr(error, 3)}")
    for power, value in enumerate(reversed(coefficients)):
        print(f"    c{power} = {mpmath.nstr(value, digits)}")


HALF_LN2 = mpmath.log(2) / 2 * mpf("1.0001")
LOG_T = ((mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1)) ** 2 * mpf("1.0001")

if __name__ == "__main__":
    show("exp, float32", exp_tail, [-HALF_LN2, HALF_LN2], 4, 12)
    show("exp, float64", exp_tail, [-HALF_LN2, HALF_LN2], 9, 20)
    show("log, float64", log_tail, [0, LOG_T], 6, 20)
