"""Legs of a run rolled, shifted, hedged and added to, each step gated on the fills before it (features BK-8)."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.events import AnyEvent
from optconsole.engine.model.adjustments import AddHedge, AnyAdjust, Convert, DeltaNeutral, RollLeg, ShiftLeg
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Pending, Side
from optconsole.engine.model.runs import LegStage, RunStatus
from optconsole.engine.model.strikes import ExactStrike, ExpiryRule, PremiumStrike
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.trading.handlers import View
from optconsole.engine.trading.runs import adjustment_preview
from tests.engine.facts import Story
from tests.engine.trading.runs.stage import EXPIRIES, Stage, name, premium, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\nmove_to_cost = "other-right"'
STOP = 'stop = "25%"'


class Entered(Stage):
    """A stage that knows how many fills the entry took."""

    entered = 0


def straddle(head: str = HEAD, **more: str) -> Entered:
    """A sold straddle, open since 09:20."""
    stage = Entered()
    stage.start(strategy(head, ce=f"sell CE {STOP}", pe=f"sell PE {STOP}", **more))
    stage.to("09:20:00")
    stage.entered = len(stage.state.trades)
    return stage


def adjust(stage: Stage, how: AnyAdjust, expect: tuple[str, ...] = ()) -> None:
    stage.ask(cmd.AdjustRun(id=f"a{stage.state.seq}", actor="key", run_id="R1", how=how, expect=expect))
    stage.settle()


def traded(stage: Entered) -> list[tuple[str, Side]]:
    """Strike and right of every fill after those of the entry."""
    return [(trade.contract.split(" ", 2)[2], trade.side) for trade in stage.state.trades.values()][stage.entered :]


def patiently(stage: Stage) -> None:
    """Let retries have their time."""
    for _ in range(8):
        stage.settle(10)


def refused(stage: Stage, how: AnyAdjust, expect: tuple[str, ...] = ()) -> str:
    with pytest.raises(Refusal) as fault:
        adjust(stage, how, expect)
    return fault.value.code


def look(stage: Stage, how: AnyAdjust):
    return adjustment_preview.preview(View(stage.state, stage.master, stage.situation, "ABC").scene(), "R1", how)


def test_a_rolled_leg_is_closed_and_only_then_sold_again_in_the_next_expiry_under_the_same_rules() -> None:
    stage = straddle()
    adjust(stage, RollLeg(leg="ce", expiry=ExpiryRule(offset=1)))
    legs = stage.run().legs
    assert (legs["ce"].stage, legs["ce"].code) == (LegStage.OUT, "ROLLED")
    new = legs["ce~2"]
    assert (new.stage, new.contract, new.qty) == (LegStage.OPEN, name(24500, "CE", EXPIRIES[1]), 65)
    assert new.levels is not None
    assert new.entry is not None
    assert new.levels.leg.stop == new.entry * 125 // 100 // 5 * 5, "its own stop, from its own fill"
    assert traded(stage) == [("24500 CE", Side.BUY), ("24500 CE", Side.SELL)]
    assert stage.run().adjusting is None
    assert stage.said(RunStatus.ACTIVE) == "ON_TIME"


def test_nothing_is_sold_anew_before_the_old_leg_is_bought_back() -> None:
    stage = straddle()
    stage.fills = False
    adjust(stage, ShiftLeg(leg="ce", steps=2))
    assert traded(stage) == []
    assert stage.run().legs["ce~2"].stage is LegStage.IDLE
    stage.fills = True
    stage.settle()
    assert traded(stage) == [("24500 CE", Side.BUY), ("24600 CE", Side.SELL)]
    assert stage.held() == {"24500 PE": -65, "24600 CE": -65}
    assert stage.run().legs["ce"].code == "SHIFTED"


def test_the_only_leg_of_a_run_may_be_rolled_without_the_run_ending_between() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce=f"sell CE {STOP}"))
    stage.to("09:20:00")
    adjust(stage, ShiftLeg(leg="ce", steps=1))
    assert stage.held() == {"24550 CE": -65}
    assert stage.said(RunStatus.ACTIVE)
    stage.to("15:15:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "TIME"


def test_a_new_hedge_is_bought_before_the_old_one_is_sold() -> None:
    stage = straddle(wing='buy CE strike = "leg ce +6"; hedges = ["ce"]')
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65, "24800 CE": 65}
    adjust(stage, ShiftLeg(leg="wing", steps=-2))
    assert traded(stage) == [("24700 CE", Side.BUY), ("24800 CE", Side.SELL)]
    assert stage.run().strategy.leg("wing~2").hedges == ("ce",)


def test_a_hedge_of_a_leg_protects_what_takes_its_place() -> None:
    stage = straddle(wing='buy CE strike = "leg ce +6"; hedges = ["ce"]')
    adjust(stage, ShiftLeg(leg="ce", steps=1))
    assert stage.run().strategy.leg("wing").hedges == ("ce", "ce~2")


def test_a_straddle_becomes_an_iron_fly_by_wings_of_its_own_size() -> None:
    stage = straddle()
    shown = look(stage, Convert(steps=4))
    assert shown.unlimited_before
    assert not shown.unlimited_after
    adjust(stage, Convert(steps=4), tuple(move.contract for move in shown.moves))
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65, "24700 CE": 65, "24300 PE": 65}
    assert refused(stage, Convert(steps=4)) == "NO_STRADDLE"
    taken = 2 * (premium(2_450_000, Right.CALL) - 10)
    paid = 2 * (premium(2_470_000, Right.CALL) + 10)
    assert shown.max_loss_after == 65 * (20_000 - taken + paid)


def test_a_hedge_may_be_chosen_by_its_premium_and_must_lie_outside() -> None:
    stage = straddle()
    assert refused(stage, AddHedge(leg="ce", strike=PremiumStrike(20_000))) == "NOT_FURTHER"
    adjust(stage, AddHedge(leg="ce", strike=PremiumStrike(6_000)))
    hedge = stage.run().legs["ce~hedge"]
    assert (hedge.stage, hedge.side) == (LegStage.OPEN, Side.BUY)
    assert refused(stage, AddHedge(leg="ce~hedge")) == "NOTHING_TO_HEDGE"


def test_lots_are_added_until_the_delta_is_within_its_bound() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce='sell CE stop = "90%"; lots = 3', pe='sell PE stop = "90%"; lots = 3'))
    stage.to("09:20:00")
    stage.market(2_456_000)
    stage.settle()
    shown = look(stage, DeltaNeutral(bound=20))
    assert shown.delta_before is not None
    assert shown.delta_before < -20
    assert shown.delta_after is not None
    assert abs(shown.delta_after) <= 20
    adjust(stage, DeltaNeutral(bound=20))
    assert stage.run().legs["pe~add"].stage is LegStage.OPEN
    assert refused(stage, DeltaNeutral(bound=20)) == "NEUTRAL_ALREADY"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (RollLeg(leg="ce"), "NOTHING_TO_ROLL"),
        (RollLeg(leg="ce", expiry=ExpiryRule()), "SAME_CONTRACT"),
        (RollLeg(leg="ce", expiry=ExpiryRule(offset=9)), "NOT_LISTED"),
        (ShiftLeg(leg="ce", steps=0), "NO_SHIFT"),
        (ShiftLeg(leg="ce", steps=99), "OFF_THE_LIST"),
        (ShiftLeg(leg="xx", steps=1), "NO_SUCH_LEG"),
        (AddHedge(leg="ce", steps=0), "NO_STEPS"),
        (DeltaNeutral(bound=0), "BAD_BOUND"),
        (DeltaNeutral(bound=1, most=1, leg="ce"), "NO_NEUTRAL"),
    ],
)
def test_what_cannot_be_is_refused_with_its_code(how: AnyAdjust, code: str) -> None:
    stage = straddle()
    if code == "NO_NEUTRAL":
        stage.market(2_470_000)
    assert refused(stage, how) == code
    assert stage.run().adjusting is None


def test_what_has_become_another_contract_than_was_shown_is_refused() -> None:
    stage = straddle()
    assert (
        refused(stage, ShiftLeg(leg="ce", steps=1), ("NIFTY 01DEC26 24500 CE", "NIFTY 01DEC26 24600 CE")) == "CHANGED"
    )


def test_a_refused_new_leg_follows_the_policy_and_is_told() -> None:
    stage = straddle(HEAD + '\non_failure = "hold"')
    stage.refuse[name(24600, "CE")] = "RMS"
    adjust(stage, ShiftLeg(leg="ce", steps=2))
    patiently(stage)
    assert stage.held() == {"24500 PE": -65}
    assert stage.said(RunStatus.ACTIVE)
    assert {"LEG_FAILED", "ADJUST_FAILED"} <= set(stage.codes())
    assert stage.run().adjusting is None


def test_a_refused_new_leg_rolls_the_run_back_where_the_strategy_says_so() -> None:
    stage = straddle(HEAD + '\non_failure = "rollback"')
    stage.refuse[name(24600, "CE")] = "RMS"
    adjust(stage, ShiftLeg(leg="ce", steps=2))
    patiently(stage)
    assert stage.held() == {}
    assert stage.said(RunStatus.FAILED) == "ROLLBACK"


def test_a_leg_that_is_stopped_while_it_is_moved_is_not_sold_again() -> None:
    stage = straddle()
    stage.fills = False
    adjust(stage, ShiftLeg(leg="ce", steps=2))
    stage.ask(cmd.SteerRun(id="x", actor="key", run_id="R1", action=cmd.RunAction.EXIT))
    stage.fills = True
    stage.settle()
    assert stage.held() == {}
    assert stage.run().legs["ce~2"].entries == 0
    assert stage.said(RunStatus.CLOSED) == "MANUAL"


def test_a_cycle_enters_what_was_written_and_not_what_was_added() -> None:
    stage = straddle(HEAD + '\ntarget = "2000"\non_target = "run x1"')
    adjust(stage, ShiftLeg(leg="ce", steps=2))
    stage.quote(name(24600, "CE"), 5_000)
    stage.price(name(24500, "PE"), 70)
    assert stage.run().watch.cycle == 2
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    assert stage.run().legs["ce~2"].stage is LegStage.OUT


class Recorded(Stage):
    """A stage that knows where its journal could end: after each decision, and after each word of the broker."""

    def __init__(self) -> None:
        self.cuts: list[int] = []
        super().__init__()

    def tell(self, *events: AnyEvent, actor: str = "test") -> Story:
        super().tell(*events, actor=actor)
        self.cuts.append(len(self.facts))
        return self


def begun_again(whole: Recorded, cut: int) -> Stage:
    """An engine that knows only the first facts; what they had sent has reached the broker."""
    stage = Stage()
    stage.facts, stage.state = [], TradingState()
    for fact in whole.facts[:cut]:
        stage.now = fact.at
        stage.tell(fact.event, actor=fact.actor)
    stage.trades = 100 + cut
    for order in stage.working():
        if order.broker_id is None:
            stage.ack(order.id)
        if order.pending is Pending.MODIFY:
            stage.accept(order.id)
        elif order.pending is Pending.CANCEL:
            stage.tell(ev.OrderCancelled(order_id=order.id, reason="asked"))
    return stage


def test_every_cut_of_a_roll_goes_on_to_the_same_book() -> None:
    whole = Recorded()
    whole.start(strategy(HEAD, ce=f"sell CE {STOP}", pe=f"sell PE {STOP}"))
    whole.to("09:20:00")
    whole.cuts.clear()
    adjust(whole, ShiftLeg(leg="ce", steps=2))
    assert len(whole.cuts) > 8
    for cut in whole.cuts:
        stage = begun_again(whole, cut)
        stage.settle()
        assert stage.held() == whole.held(), cut
        for leg in whole.run().legs.values():
            mine = stage.run().legs[leg.id]
            assert (mine.stage, mine.code, mine.contract, mine.qty) == (leg.stage, leg.code, leg.contract, leg.qty)
        assert sum(order.filled for order in stage.state.orders.values()) == 65 * 4, "nothing was traded twice"
        assert stage.run().adjusting is None


def test_new_rules_of_a_leg_hold_for_what_took_its_place() -> None:
    stage = straddle()
    adjust(stage, ShiftLeg(leg="ce", steps=2))
    changed = strategy(HEAD, ce='sell CE stop = "50%"', pe=f"sell PE {STOP}")
    stage.ask(cmd.EditRun(id="e", actor="key", run_id="R1", strategy=changed))
    leg = stage.run().legs["ce~2"]
    assert leg.levels is not None
    assert leg.entry is not None
    assert leg.levels.leg.stop == leg.entry * 150 // 100 // 5 * 5
    assert stage.run().strategy.leg("ce~2").strike == ExactStrike(2_460_000)


def test_what_the_close_cut_off_is_not_opened_on_another_day_by_itself() -> None:
    stage = straddle('entry = "09:20"\nexit = "15:15"\nholding = "overnight"')
    stage.fills = False
    adjust(stage, ShiftLeg(leg="ce", steps=2))
    for order in stage.working():
        stage.tell(ev.OrderExpired(order_id=order.id, reason="the day ended"))
    stage.phase = MarketPhase.CLOSED
    stage.next_day(date(2026, 11, 26))
    stage.phase, stage.fills = MarketPhase.OPEN, True
    stage.market(2_450_000)
    stage.settle(1)
    assert stage.run().adjusting is None
    assert stage.run().legs["ce~2"].entries == 0
    assert "ADJUST_FAILED" in stage.codes()


def test_two_sold_puts_get_a_wing_each_under_names_of_their_own() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce='sell CE stop = "90%"; lots = 3', pe='sell PE stop = "90%"; lots = 3'))
    stage.to("09:20:00")
    stage.market(2_456_000)
    stage.settle()
    adjust(stage, DeltaNeutral(bound=20))
    adjust(stage, Convert(steps=2))
    wings = [leg for leg in stage.run().legs.values() if leg.side is Side.BUY]
    assert {leg.id: (leg.contract, leg.lots) for leg in wings} == {
        "ce~hedge": (name(24600, "CE"), 3),
        "pe~hedge": (name(24400, "PE"), 3),
        "pe~hedge2": (name(24400, "PE"), 1),
    }
    assert {leg.stage for leg in wings} == {LegStage.OPEN}


def test_a_stopped_basket_and_a_closed_market_are_not_adjusted() -> None:
    stage = straddle()
    stage.phase = MarketPhase.CLOSED
    assert refused(stage, ShiftLeg(leg="ce", steps=1)) == "MARKET_CLOSED"
    stage.phase = MarketPhase.OPEN
    stage.ask(cmd.SetBasketStatus(id="s", actor="key", name="day", status=BasketStatus.STOPPED))
    assert refused(stage, ShiftLeg(leg="ce", steps=1)) == "STOPPED"
    stage.ask(cmd.SteerRun(id="x", actor="key", run_id="R1", action=cmd.RunAction.HALT))
    assert refused(stage, ShiftLeg(leg="ce", steps=1)) == "NOT_NOW"


def test_one_adjustment_waits_for_the_end_of_another() -> None:
    stage = straddle()
    stage.fills = False
    adjust(stage, ShiftLeg(leg="ce", steps=2))
    assert refused(stage, ShiftLeg(leg="pe", steps=2)) == "ADJUSTING"


def test_nothing_is_closed_for_a_leg_that_has_no_price() -> None:
    stage = straddle()
    stage.quotes.pop(name(24600, "CE"))
    assert refused(stage, ShiftLeg(leg="ce", steps=2)) == "NO_PRICE"
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}


def test_a_run_left_at_its_break_evens_has_those_of_its_new_legs() -> None:
    stage = straddle(HEAD + '\nband = "break-even"')
    before = msgspec.structs.replace(stage.run().watch, break_evens=(2_430_000, 2_470_000))
    stage.tell(ev.RunWatched(run_id="R1", what="entered", watch=before))
    adjust(stage, ShiftLeg(leg="ce", steps=2))
    call, put, old = (stage.run().legs[each].entry for each in ("ce~2", "pe", "ce"))
    assert call is not None
    assert put is not None
    assert old is not None
    lost = premium(2_450_000, Right.CALL) + 10 - old
    took = call + put - lost
    assert stage.run().watch.break_evens == (2_450_000 - took, 2_460_000 + took)
