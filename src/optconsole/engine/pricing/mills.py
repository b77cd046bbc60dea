"""Mills ratio of the normal distribution, M(z) = (1 - N(z)) / n(z), to double precision for z >= 0.

Every price, Greek and solver step here is written in M: the exponentials that cancel between a price and its
vega never appear, so the far tail keeps its digits.
"""

from __future__ import annotations

import math
from math import erfc, exp

PIVOT = 5.0
# (1 + z) M(z) as a polynomial in u = (z - PIVOT) / (z + PIVOT), lowest power first: the Chebyshev series of
# that function on [-1, 1], computed with 40 digits, cut where the tail is below 1e-17 and expanded in powers.
COEFFICIENTS = (
    1.1568486282918946, -0.22948753825211315, 0.07778159886873554, 0.0250721793016388, -0.0661776007789934,
    0.0615050458401865, -0.038026592187762366, 0.01634823128102938, -0.004201290310663574, 1.9530638370790786e-05,
    0.00045704381820007954, -0.0001343742785571135, -2.48054584472145e-05, 2.270961270923768e-05,
    -1.7723438185601556e-07, -3.277287633208865e-06, 3.2197131609042185e-07, 4.91996233147834e-07,
    -6.738323465177047e-08, -7.758520236786343e-08, 1.0082895646260188e-08, 1.1032071151574336e-08,
    -1.0846925288860795e-09, -9.564832934712551e-10, 6.288377855498677e-11,
)  # fmt: skip
_DESCENDING = COEFFICIENTS[::-1]

ROOT_HALF = math.sqrt(0.5)
ROOT_TAU = math.sqrt(2.0 * math.pi)
HALF_ROOT_TAU = 0.5 * ROOT_TAU
INV_ROOT_TAU = 1.0 / ROOT_TAU
LOG_ROOT_TAU = 0.5 * math.log(2.0 * math.pi)

# exp(z*z/2) carries z*z/4 rounding units: harmless up to here, and the C library's erfc is the faster way.
_DIRECT_LIMIT = 3.0


def mills(z: float) -> float:
    """M(z) for z >= 0, relative error below 6e-16."""
    if z < _DIRECT_LIMIT:
        y = z * ROOT_HALF
        return HALF_ROOT_TAU * exp(y * y) * erfc(y)
    u = (z - PIVOT) / (z + PIVOT)
    total = 0.0
    for coefficient in _DESCENDING:
        total = total * u + coefficient
    return total / (1.0 + z)


def reflected_mills(z: float) -> float:
    """M(-z) for z >= 0; the exponent is capped where the double range ends."""
    return ROOT_TAU * exp(min(0.5 * z * z, 700.0)) - mills(z)


SERIES_TIME = 0.12
"""Half the total deviation below which the difference of two Mills ratios is summed as a series."""
SERIES_GAP = 0.5
"""Half the log-moneyness below which that series keeps all its digits."""
SERIES_TERMS = ((0.02, 7), (0.06, 9), (SERIES_TIME, 11))
"""(deviation limit, last term needed there)."""


def mills_pair(h: float, t: float, half_gap: float) -> tuple[float, float]:
    """(M(h-t) - M(h+t), M(h+t)) for h, t >= 0 with h*t = half_gap.

    For small t the two ratios nearly cancel. Their Taylor terms Z_n = (t^n / n!) M^(n) obey
    Z_{n+1} = (t^2 Z_{n-1} - half_gap Z_n) / (n + 1), which needs no difference of large numbers.
    """
    if t >= SERIES_TIME or half_gap >= SERIES_GAP:
        far = mills(h + t)
        d = h - t
        return (mills(d) if d >= 0.0 else reflected_mills(-d)) - far, far
    tt = t * t
    if h < _DIRECT_LIMIT:  # as in mills(), spelled out: this line runs for almost every option there is
        y = h * ROOT_HALF
        z0 = HALF_ROOT_TAU * exp(y * y) * erfc(y)
    else:
        z0 = mills(h)
    z1 = t * (1.0 - h * z0)
    z2 = (tt * z0 - half_gap * z1) * 0.5
    z3 = (tt * z1 - half_gap * z2) / 3.0
    z4 = (tt * z2 - half_gap * z3) * 0.25
    z5 = (tt * z3 - half_gap * z4) * 0.2
    z6 = (tt * z4 - half_gap * z5) / 6.0
    z7 = (tt * z5 - half_gap * z6) / 7.0
    odd, even = z7 + z5 + z3 + z1, z6 + z4 + z2 + z0
    if t >= SERIES_TERMS[0][0]:
        z8 = (tt * z6 - half_gap * z7) * 0.125
        z9 = (tt * z7 - half_gap * z8) / 9.0
        z10 = (tt * z8 - half_gap * z9) * 0.1
        odd, even = odd + (z9 + (tt * z9 - half_gap * z10) / 11.0), even + (z8 + z10)
    return 2.0 * odd, even - odd
