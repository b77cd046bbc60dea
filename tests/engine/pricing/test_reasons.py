"""Where there is no volatility, the code says why; scalar and array alike."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optconsole.engine.pricing import scalar
from optconsole.engine.pricing.implied import COLD_KNEE, implied_vols
from optconsole.engine.pricing.reasons import Reason

WEEK = 7 / 365
NAN, INF = math.nan, math.inf
DEEP = 24_000.0, 22_000.0

# price, forward, strike, years, rate, is_call
CASES = {
    "below intrinsic": ((1_999.0, *DEEP, WEEK, 0.0, True), Reason.PRICE_BELOW_INTRINSIC),
    "put below intrinsic": ((1_999.0, 22_000.0, 24_000.0, WEEK, 0.0, False), Reason.PRICE_BELOW_INTRINSIC),
    "nothing for something": ((0.0, *DEEP, WEEK, 0.0, True), Reason.PRICE_BELOW_INTRINSIC),
    "exactly intrinsic": ((2_000.0, *DEEP, WEEK, 0.0, True), Reason.PRICE_AT_INTRINSIC),
    "exactly discounted intrinsic": (
        (2_000.0 * math.exp(-0.065 * WEEK), *DEEP, WEEK, 0.065, True),
        Reason.PRICE_AT_INTRINSIC,
    ),
    "worthless out of the money": ((0.0, 24_000.0, 26_000.0, WEEK, 0.0, True), Reason.PRICE_AT_INTRINSIC),
    "worthless at the money": ((0.0, 24_000.0, 24_000.0, WEEK, 0.0, False), Reason.PRICE_AT_INTRINSIC),
    "a few digits above intrinsic": ((2_000.0 + 9 * math.ulp(2_000.0), *DEEP, WEEK, 0.0, True), Reason.NO_INFORMATION),
    "a digit below the bound": ((math.nextafter(24_000.0, 0), *DEEP, WEEK, 0.0, True), Reason.NO_INFORMATION),
    "call worth the forward": ((24_000.0, *DEEP, WEEK, 0.0, True), Reason.PRICE_ABOVE_BOUND),
    "call above the forward": ((24_001.0, *DEEP, WEEK, 0.0, True), Reason.PRICE_ABOVE_BOUND),
    "put above the strike": ((22_001.0, *DEEP, WEEK, 0.0, False), Reason.PRICE_ABOVE_BOUND),
    "at expiry": ((100.0, 24_000.0, 24_000.0, 0.0, 0.0, True), Reason.EXPIRED),
    "past expiry": ((100.0, 24_000.0, 24_000.0, -WEEK, 0.0, True), Reason.EXPIRED),
    "unknown price": ((NAN, 24_000.0, 26_000.0, WEEK, 0.0, True), Reason.BAD_INPUT),
    "infinite price": ((INF, 24_000.0, 26_000.0, WEEK, 0.0, True), Reason.BAD_INPUT),
    "negative price": ((-1.0, 24_000.0, 26_000.0, WEEK, 0.0, True), Reason.BAD_INPUT),
    "unknown forward": ((1.0, NAN, 26_000.0, WEEK, 0.0, True), Reason.BAD_INPUT),
    "no forward": ((1.0, 0.0, 26_000.0, WEEK, 0.0, True), Reason.BAD_INPUT),
    "infinite forward": ((1.0, INF, 26_000.0, WEEK, 0.0, True), Reason.BAD_INPUT),
    "negative strike": ((1.0, 24_000.0, -1.0, WEEK, 0.0, True), Reason.BAD_INPUT),
    "no strike": ((1.0, 24_000.0, 0.0, WEEK, 0.0, True), Reason.BAD_INPUT),
    "unknown time": ((1.0, 24_000.0, 26_000.0, NAN, 0.0, True), Reason.BAD_INPUT),
    "endless time": ((1.0, 24_000.0, 26_000.0, INF, 0.0, True), Reason.BAD_INPUT),
    "unknown rate": ((1.0, 24_000.0, 26_000.0, WEEK, NAN, True), Reason.BAD_INPUT),
    "absurd rate": ((1.0, 24_000.0, 26_000.0, 1.0, 1e6, True), Reason.BAD_INPUT),
    "one tick, far away": ((0.05, 24_000.0, 22_000.0, 2 / 24 / 365, 0.0, False), Reason.SOLVED),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("start", [NAN, 0.2, INF, -1.0, 0.0, 1e300, 1e-300])
def test_one_option_names_the_reason(name: str, start: float) -> None:
    case, expected = CASES[name]
    vol, reason = scalar.implied_vol(*case, start)
    assert reason is expected
    assert math.isnan(vol) == (expected is not Reason.SOLVED)


@pytest.mark.parametrize("start", [None, 0.2, INF, -1.0, 0.0, 1e300, 1e-300])
def test_arrays_name_the_same_reasons(start: float | None) -> None:
    assert len(CASES) * 3 > COLD_KNEE
    columns = np.array([case for case, _ in CASES.values()] * 3, dtype=float).T
    found = implied_vols(*columns, start=start)
    expected = [reason for _, reason in CASES.values()] * 3
    assert [Reason(code) for code in found.reason] == expected
    assert np.isnan(found.vol).tolist() == [reason is not Reason.SOLVED for reason in expected]


def test_a_few_options_take_the_scalar_way_and_give_the_same() -> None:
    columns = np.array([case for case, _ in CASES.values()][:5], dtype=float).T
    assert [Reason(code) for code in implied_vols(*columns).reason] == [r for _, r in CASES.values()][:5]


def test_an_empty_chain_gives_empty_arrays() -> None:
    found = implied_vols([], 24_000.0, [], WEEK, 0.0, [])
    assert (found.vol.size, found.reason.size) == (0, 0)


def test_every_reason_has_a_sentence() -> None:
    for reason in Reason:
        assert reason.text.endswith(".")
