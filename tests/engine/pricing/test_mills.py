"""The Mills ratio and its near-cancelling difference keep their digits."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from optconsole.engine.pricing import mills, mills_array


def exact(z: float | mp.mpf) -> mp.mpf:
    with mp.workdps(60):
        y = mp.mpf(z)
        return mp.sqrt(mp.pi / 2) * mp.exp(y * y / 2) * mp.erfc(y / mp.sqrt(2))


POINTS = [0.0, 1e-9, 0.01, 0.3, 1.0, 2.0, 2.999, 3.0, 3.001, 5.0, 8.0, 15.0, 38.0, 250.0]


@pytest.mark.parametrize("z", POINTS)
def test_ratio_is_exact_to_a_few_last_digits(z: float) -> None:
    reference = float(exact(z))
    assert mills.mills(z) == pytest.approx(reference, rel=1e-15, abs=0)
    assert float(mills_array.mills(np.array([z]))[0]) == pytest.approx(reference, rel=1e-15, abs=0)


@pytest.mark.parametrize("t", [1e-6, 1e-3, 0.0199, 0.0201, 0.0599, 0.0601, 0.1199, 0.1201, 0.7, 2.5])
@pytest.mark.parametrize("h", [0.0, 0.1, 1.0, 2.5, 4.0])
def test_difference_keeps_its_digits(h: float, t: float) -> None:
    with mp.workdps(60):
        below, above = mp.mpf(h) - mp.mpf(t), mp.mpf(h) + mp.mpf(t)
        near, far = exact(below) if h >= t else _reflected(-below), exact(above)
        spread = float(near - far)
    # What the solver needs: digits relative to the price's own sensitivity, which grows with h squared.
    limit = 4e-15 * (1 + h * h)
    assert mills.mills_pair(h, t, h * t)[0] == pytest.approx(spread, rel=limit, abs=0)
    assert mills.mills_pair(h, t, h * t)[1] == pytest.approx(float(far), rel=1e-14, abs=0)
    column = np.array([h]), np.array([t]), np.array([h * t])
    assert mills_array.mills_spread(*column) == pytest.approx(spread, rel=limit, abs=0)
    assert mills_array.mills_pair(*column)[1] == pytest.approx(float(far), rel=1e-14, abs=0)


def _reflected(z: mp.mpf) -> mp.mpf:
    with mp.workdps(60):
        return mp.sqrt(2 * mp.pi) * mp.exp(z * z / 2) - exact(z)


def test_mixed_columns_take_both_ways_at_once() -> None:
    h, t = np.array([0.5, 0.5, 3.0]), np.array([0.01, 1.0, 0.3])
    spread, far = mills_array.mills_pair(h, t, h * t)
    for at in range(3):
        alone = mills.mills_pair(float(h[at]), float(t[at]), float(h[at] * t[at]))
        assert (spread[at], far[at]) == pytest.approx(alone, rel=2e-15)
