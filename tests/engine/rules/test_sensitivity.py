"""1.13: caps on delta and vega, on the worst case, with what cannot be told blocking new risk."""

from __future__ import annotations

import dataclasses

import pytest

from optconsole.engine import events as ev
from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.market.sensitivities import KEPT, SensitivitySight
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.limits import Level, Limit, LimitKind, OrderLimits
from optconsole.engine.model.orders import OrderTerms, Product, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.queries import Check
from optconsole.engine.rules.limit_terms import checked
from optconsole.engine.rules.limits import measure
from optconsole.engine.rules.pretrade import Situation, checks, refusal
from optconsole.engine.rules.sensitivity import Sensitivity
from tests.engine.facts import CALL, PUT, START, Story, index, option, terms
from tests.engine.virtual import play
from tests.simulation.kernel import SimClock

K = LimitKind
LOT = 65
CALLS, PUTS = Sensitivity(12_000_00, 14_00), Sensitivity(-12_000_00, 14_00)
KNOWN = {CALL: CALLS, PUT: PUTS}
QUOTE = Quote(name=CALL, ts=0, bid=9_990, bid_qty=650, ask=10_010, ask_qty=650, ltp=10_000)
SEEN = Situation(
    now=START, phase=MarketPhase.OPEN, quote=lambda _name: QUOTE, limits=OrderLimits(), known=KNOWN.__getitem__
)


def limited(kind: LimitKind, value: int, level: Level = Level.GLOBAL, name: str = "") -> Story:
    return Story().tell(ev.LimitSet(limit=Limit(level=level, kind=kind, value=value, name=name)))


def refused(story: Story, wanted: OrderTerms, at: Situation = SEEN) -> Check | None:
    return refusal(checks(story.state, wanted, option(right=Right.PUT if wanted.contract == PUT else Right.CALL), at))


def used(story: Story, at: Situation = SEEN) -> int | None:
    (limit,) = story.state.limits.values()
    usage = measure(story.state, limit, at.price, at.funds, at.known)
    assert usage is not None
    return usage.used


def test_delta_beyond_the_cap_is_refused_with_the_numbers_and_the_other_side_is_netted() -> None:
    story = limited(K.NET_DELTA, LOT * 12_000_00)
    assert refused(story, terms(Side.BUY)) is None
    story.fill(story.order(terms(Side.BUY)), LOT, 10_000, "t1")
    assert used(story) == LOT * 12_000_00
    found = refused(story, terms(Side.BUY, 2 * LOT))
    assert found is not None
    assert found.code == "LIMIT_NET_DELTA"
    assert (
        "come to 2340000.00 rupees, and the net-delta of global is 780000.00 rupees: 0.00 rupees are left" in found.text
    )
    assert refused(story, terms(Side.BUY, contract=PUT)) is None
    assert refused(story, terms(Side.SELL, product=Product.MIS)) is None


def test_what_works_counts_where_it_makes_the_worst_case_worse() -> None:
    story = limited(K.NET_DELTA, 2 * LOT * 12_000_00)
    story.order(terms(Side.BUY))
    story.order(terms(Side.SELL, price=20_000, contract=CALL))
    assert used(story) == LOT * 12_000_00
    assert refused(story, terms(Side.BUY)) is None
    found = refused(story, terms(Side.BUY, 2 * LOT))
    assert found is not None
    assert found.code == "LIMIT_NET_DELTA"


def test_vega_of_calls_and_puts_adds_up_where_delta_cancels_out() -> None:
    story = limited(K.NET_VEGA, 2 * LOT * 14_00 - 1)
    story.fill(story.order(terms()), LOT, 10_000, "t1")
    found = refused(story, terms(contract=PUT))
    assert found is not None
    assert found.code == "LIMIT_NET_VEGA"
    straddle = limited(K.NET_DELTA, 1)
    straddle.fill(straddle.order(terms()), LOT, 10_000, "t1").fill(
        straddle.order(terms(contract=PUT)), LOT, 100_00, "t2"
    )
    assert used(straddle) == 0


def test_a_contract_of_which_nothing_is_known_blocks_new_risk_and_no_exit() -> None:
    story = limited(K.NET_DELTA, 10**12)
    story.fill(story.order(terms(contract=PUT)), LOT, 10_000, "t1")
    blind = dataclasses.replace(SEEN, known={CALL: CALLS}.get)
    assert used(story, blind) is None
    found = refused(story, terms(), blind)
    assert found is not None
    assert found.code == "GREEKS_UNKNOWN"
    assert PUT in found.text
    assert refused(story, terms(Side.BUY, contract=PUT), blind) is None


def test_a_strategys_cap_counts_what_it_holds_itself() -> None:
    story = limited(K.NET_DELTA, LOT * 12_000_00, Level.STRATEGY, "am/straddle")
    story.fill(story.order(terms(Side.BUY)), LOT, 10_000, "t1")
    assert used(story) == 0
    for level, name in ((Level.ORDER, ""), (Level.LEG, CALL)):
        with pytest.raises(Refusal):
            checked(Limit(level=level, kind=K.NET_DELTA, value=1, name=name), ["paper"])
    for level, name in ((Level.STRATEGY, "a"), (Level.BASKET, "a"), (Level.ACCOUNT, "paper"), (Level.GLOBAL, "")):
        assert checked(Limit(level=level, kind=K.NET_VEGA, value=1, name=name), ["paper"]).value == 1


def test_greeks_are_worked_out_once_a_second_and_are_those_of_the_model() -> None:
    async def scene(clock: SimClock) -> list[Sensitivity | None]:
        board = QuoteBoard()
        master = InstrumentMaster([index(), option(), option(right=Right.PUT)])
        sight = SensitivitySight(clock, board.get, lambda: master)
        found = [sight.of(CALL)]

        def quoted(spot: int, call: int) -> None:
            board.update([Quote(name="NIFTY", ts=0, ltp=spot), Quote(name=CALL, ts=0, ltp=call)])

        quoted(24_500_00, 200_00)
        found.append(sight.of(CALL))
        await clock.sleep(KEPT + 0.1)
        found.append(sight.of(CALL))
        quoted(24_700_00, 320_00)
        found.append(sight.of(CALL))
        await clock.sleep(KEPT + 0.1)
        found.append(sight.of(CALL))
        quoted(25_500_00, 1_000_00)
        await clock.sleep(KEPT + 0.1)
        found.append(sight.of(CALL))
        return found

    unknown, still, first, kept, anew, inner = play(scene)
    assert unknown is still is None
    assert first is not None
    assert anew is not None
    assert first.delta / 24_500_00 == pytest.approx(0.505, abs=0.01)
    assert 10_00 < first.vega < 20_00
    assert kept == first
    assert anew.delta > first.delta
    assert inner == Sensitivity(25_500_00.0, 0.0)
