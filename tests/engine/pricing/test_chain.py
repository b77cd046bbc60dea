"""A whole chain: the surface that made the quotes comes back, and what is unknown stays unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optconsole.engine.pricing import scalar
from optconsole.engine.pricing.chain import SolvedChain, solve_chain
from optconsole.engine.pricing.ladder import Ladder, Side
from optconsole.engine.pricing.parity import Forward, Source
from optconsole.engine.pricing.reasons import Reason
from tests.engine.pricing.ladders import (
    FORWARD,
    RATE,
    YEARS,
    book,
    strikes_around,
    surface,
    synthetic_ladder,
    theoretical,
)


@pytest.fixture(scope="module")
def solved() -> SolvedChain:
    return solve_chain(synthetic_ladder(), YEARS, rate=RATE)


def test_forward_and_surface_come_back_from_the_quotes(solved: SolvedChain) -> None:
    assert solved.forward.value == pytest.approx(FORWARD, abs=1.0)
    for at, strike in enumerate(solved.strikes):
        side = solved.calls if strike >= FORWARD else solved.puts
        # Half a paisa of rounding and the forward's own half paisa, over the vega of a point.
        slack = 0.01 * (1.5 / max(float(side.vega[at]), 1e-3)) + 1e-6
        assert side.iv[at] == pytest.approx(surface(strike), abs=slack)


def test_greeks_are_per_point_per_day_and_per_rupee(solved: SolvedChain) -> None:
    assert solved.atm is not None
    strike = solved.strikes[solved.atm]
    exact = scalar.greeks(FORWARD, strike, YEARS, RATE, surface(strike), True)
    calls, at = solved.calls, solved.atm
    assert calls.delta[at] == pytest.approx(exact.delta, abs=1e-4)
    assert calls.gamma[at] == pytest.approx(exact.gamma * 100, rel=1e-3)
    assert calls.vega[at] == pytest.approx(exact.vega / 100, rel=1e-3)
    assert calls.theta[at] == pytest.approx(exact.theta / 365, rel=1e-3)


def test_the_strip_is_read_at_the_strike_nearest_the_forward(solved: SolvedChain) -> None:
    assert solved.atm is not None
    strike = solved.strikes[solved.atm]
    assert abs(strike - FORWARD) <= 2_500
    call, put = theoretical(strike, True), theoretical(strike, False)
    assert solved.straddle == pytest.approx(call + put, abs=1.0)
    assert solved.synthetic == pytest.approx(strike + call - put, abs=1.0)


def test_a_warm_start_gives_the_same_chain(solved: SolvedChain) -> None:
    moved = solve_chain(synthetic_ladder(), YEARS * 0.98, rate=RATE)
    warm = solve_chain(synthetic_ladder(), YEARS, rate=RATE, previous=moved)
    for side in ("calls", "puts"):
        ours, cold = getattr(warm, side), getattr(solved, side)
        assert ours.iv == pytest.approx(cold.iv, rel=1e-12, nan_ok=True)
        assert (ours.reason == cold.reason).all()


def test_a_solution_of_other_strikes_is_no_start(solved: SolvedChain) -> None:
    wider = solve_chain(synthetic_ladder(25), YEARS, rate=RATE, previous=solved)
    assert wider.calls.iv[5:-5] == pytest.approx(solved.calls.iv, rel=1e-6, nan_ok=True)


def test_an_unquoted_contract_is_unknown_and_alone() -> None:
    ladder = synthetic_ladder()
    bid, ask = list(ladder.calls.bid), list(ladder.calls.ask)
    bid[20], ask[20] = None, None
    found = solve_chain(
        Ladder(ladder.strikes, replace(ladder.calls, bid=tuple(bid), ask=tuple(ask)), ladder.puts), YEARS
    )
    calls = found.calls
    for column in (calls.price, calls.iv, calls.delta, calls.gamma, calls.vega, calls.theta):
        assert np.isnan(column[20])
    assert np.isfinite(found.puts.iv[20])
    assert (found.atm, found.straddle, found.synthetic) == (20, None, None)


def test_below_intrinsic_there_is_no_volatility_but_a_full_delta() -> None:
    ladder = synthetic_ladder()
    ltp: list[int | None] = [None] * ladder.size
    bid, ask = list(ladder.calls.bid), list(ladder.calls.ask)
    bid[0], ask[0], ltp[0] = None, None, round(theoretical(ladder.strikes[0], True)) - 5_000
    calls = replace(ladder.calls, bid=tuple(bid), ask=tuple(ask), ltp=tuple(ltp))
    found = solve_chain(Ladder(ladder.strikes, calls, ladder.puts), YEARS)
    assert found.calls.reason[0] == Reason.PRICE_BELOW_INTRINSIC
    assert (found.calls.delta[0], np.isnan(found.calls.iv[0]), np.isnan(found.calls.vega[0])) == (1.0, True, True)


def test_without_a_forward_nothing_is_solved_and_the_reason_is_kept() -> None:
    strikes = strikes_around(2)
    books = [book(theoretical(strike, True)) for strike in strikes]
    nothing = (None,) * len(strikes)
    calls = Side(tuple(b for b, _ in books), tuple(a for _, a in books), nothing, tuple(range(1, 6)))
    found = solve_chain(Ladder(strikes, calls, Side(nothing, nothing, nothing)), YEARS)
    assert found.forward == Forward(None, Source.NO_PAIR)
    assert (found.atm, found.straddle, found.put_call_ratio, found.max_pain) == (None, None, None, None)
    assert (found.calls.reason == Reason.BAD_INPUT).all()
    assert np.isnan(found.calls.delta).all()


def test_the_callers_own_forward_is_used_as_given() -> None:
    mine = Forward(FORWARD + 10_000, Source.BOOK)
    found = solve_chain(synthetic_ladder(), YEARS, rate=RATE, forward=mine)
    assert found.forward is mine
    assert found.atm == 22


def test_at_expiry_no_quote_has_a_volatility() -> None:
    found = solve_chain(synthetic_ladder(), 0.0)
    assert (found.calls.reason == Reason.EXPIRED).all()
    assert np.isnan(found.puts.iv).all()
    assert found.straddle is not None


def test_an_empty_chain_is_no_error() -> None:
    found = solve_chain(Ladder((), Side((), (), ()), Side((), (), ())), YEARS)
    assert (found.forward.value, found.calls.iv.size, found.max_pain) == (None, 0, None)
