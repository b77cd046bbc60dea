"""Positions that change hands between a person and a run: at their cost, watched from then on (features BK-7)."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.runs import LegStage, RunStatus
from tests.engine.facts import terms
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"'
CE, PE = name(24500, "CE"), name(24500, "PE")
FAR = name(24600, "CE")


def key(contract: str) -> str:
    return f"paper/NRML/{contract}"


def by_hand(stage: Stage, side: Side, lots: int, contract: str, price: int) -> None:
    wanted = msgspec.structs.replace(terms(side, lots * 65, price, contract=contract))
    stage.trades += 1
    stage.fill(stage.order(wanted), lots * 65, price, f"h{stage.trades}")


def straddle(at: str = "09:20:00") -> Stage:
    stage = Stage()
    stage.start(strategy(HEAD, ce='sell CE stop = "25%"', pe='sell PE stop = "25%"'))
    stage.to(at)
    return stage


def adopt(stage: Stage, leg: str, contract: str, units: int = 0) -> None:
    command = cmd.AdoptIntoRun(
        id=f"t{stage.state.seq}", actor="key", run_id="R1", leg=leg, key=key(contract), units=units
    )
    stage.ask(command)
    stage.settle()


def release(stage: Stage, leg: str, units: int = 0) -> None:
    stage.ask(cmd.ReleaseFromRun(id=f"t{stage.state.seq}", actor="key", run_id="R1", leg=leg, units=units))
    stage.settle()


def refused(ask: object, *args: object) -> str:
    with pytest.raises(Refusal) as fault:
        ask(*args)  # type: ignore[operator]
    return fault.value.code


def owners(stage: Stage, contract: str) -> dict[str, int]:
    parts = stage.state.books.get(key(contract), ())
    return {part.source.rpartition("/")[2]: part.held.qty for part in parts if part.held.qty}


def worth(stage: Stage) -> int:
    """Realised, less charges, plus what is open at its cost, over all parts and over all positions."""
    found = [sum(each.realised - each.charges - each.cost for each in stage.state.positions.values())]
    found.append(sum(p.held.realised - p.held.charges - p.held.cost for ps in stage.state.books.values() for p in ps))
    assert found[0] == found[1]
    return found[0]


def test_a_position_by_hand_becomes_a_watched_leg_of_a_run_that_has_not_begun() -> None:
    stage = straddle("09:19:30")
    by_hand(stage, Side.SELL, 2, CE, 11_000)
    by_hand(stage, Side.SELL, 1, CE, 9_500)
    adopt(stage, "ce", CE)
    leg = stage.run().legs["ce"]
    assert (leg.stage, leg.qty, leg.entry, leg.lots) == (LegStage.OPEN, 195, 10_500, 3)
    assert leg.levels is not None
    assert leg.levels.leg.stop == 10_500 * 125 // 100
    assert stage.said(RunStatus.ACTIVE) == "ADOPTED"
    stage.to("09:21:00")
    assert stage.held() == {"24500 CE": -195}, "what nobody gave it is not entered"
    stage.price(CE, 140)
    assert stage.held() == {}
    assert stage.run().legs["ce"].code == "LEG_SL"
    assert stage.said(RunStatus.CLOSED)


def test_a_part_of_a_position_goes_and_the_hand_keeps_the_rest_at_the_same_average() -> None:
    stage = straddle("09:19:30")
    by_hand(stage, Side.SELL, 3, CE, 10_000)
    by_hand(stage, Side.SELL, 1, CE, 10_003)
    before = sum(each.realised - each.charges - each.cost for each in stage.state.positions.values())
    adopt(stage, "ce", CE, 65)
    assert owners(stage, CE) == {"": -195, "ce": -65}
    assert worth(stage) == before


def test_an_adopted_position_leaves_at_the_exit_time_and_the_hands_stays() -> None:
    stage = straddle("09:19:30")
    by_hand(stage, Side.SELL, 2, CE, 10_000)
    adopt(stage, "ce", CE, 65)
    stage.to("15:15:00")
    assert stage.held() == {"24500 CE": -65}
    assert owners(stage, CE) == {"": -65}
    assert stage.said(RunStatus.CLOSED) == "TIME"


def test_more_of_what_a_leg_holds_moves_its_average_and_its_stop() -> None:
    stage = straddle()
    first = stage.run().legs["ce"]
    assert first.entry is not None
    by_hand(stage, Side.SELL, 1, CE, first.entry + 1_000)
    adopt(stage, "ce", CE)
    leg = stage.run().legs["ce"]
    assert (leg.qty, leg.lots, leg.entry) == (130, 2, first.entry + 500)
    assert leg.levels is not None
    assert leg.levels.leg.stop == leg.entry * 125 // 100 // 5 * 5


def test_a_leg_given_back_is_the_hands_and_the_run_lets_it_be() -> None:
    stage = straddle()
    before = worth(stage)
    release(stage, "ce")
    assert owners(stage, CE) == {"": -65}
    assert worth(stage) == before
    leg = stage.run().legs["ce"]
    assert (leg.stage, leg.code) == (LegStage.OUT, "RELEASED")
    stage.price(CE, 150)
    stage.to("15:15:00")
    assert stage.held() == {"24500 CE": -65}
    assert stage.said(RunStatus.CLOSED) == "TIME"


def test_a_part_of_a_leg_is_given_back_and_the_rest_keeps_its_levels() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce='sell CE stop = "25%"; lots = 3'))
    stage.to("09:20:00")
    stop = stage.run().legs["ce"].levels
    release(stage, "ce", 65)
    leg = stage.run().legs["ce"]
    assert (leg.stage, leg.qty, leg.lots, leg.levels) == (LegStage.OPEN, 130, 2, stop)
    stage.price(CE, 140)
    assert stage.held() == {"24500 CE": -65}


def test_what_was_adopted_can_be_given_back_to_the_paisa() -> None:
    stage = straddle("09:19:30")
    by_hand(stage, Side.SELL, 2, CE, 10_001)
    by_hand(stage, Side.SELL, 1, CE, 9_998)
    before = stage.state.positions[key(CE)]
    adopt(stage, "ce", CE, 130)
    release(stage, "ce")
    assert stage.state.positions[key(CE)] == before
    hand = stage.state.books[key(CE)][0].held
    assert (hand.qty, hand.cost, hand.realised) == (before.qty, before.cost, before.realised)


def test_what_does_not_fit_is_refused_with_its_code() -> None:
    stage = straddle("09:19:30")
    by_hand(stage, Side.BUY, 1, CE, 10_000)
    by_hand(stage, Side.SELL, 2, PE, 10_000)
    assert refused(adopt, stage, "ce", CE) == "NOT_THE_LEG"
    assert refused(adopt, stage, "ce", PE) == "NOT_THE_LEG"
    assert refused(adopt, stage, "xx", PE) == "NO_SUCH_LEG"
    assert refused(adopt, stage, "pe", FAR) == "NO_POSITION"
    assert refused(adopt, stage, "pe", PE, 66) == "LOT_SIZE"
    assert refused(adopt, stage, "pe", PE, 195) == "NOT_SO_MANY"
    stage.order(terms(Side.BUY, 130, 8_000, contract=PE))
    assert refused(adopt, stage, "pe", PE) == "ORDER_WORKS"
    assert refused(release, stage, "pe") == "NOT_NOW"
    assert stage.run().status is RunStatus.SCHEDULED


def test_a_run_that_is_over_and_a_drifting_position_take_nothing() -> None:
    stage = straddle()
    by_hand(stage, Side.SELL, 1, FAR, 9_000)
    assert refused(adopt, stage, "ce", FAR) == "HOLDS_ANOTHER"
    stage.price(CE, 140)
    stage.tell(ev.DriftSeen(account="paper", product=Product.NRML, contract=FAR, ours=-65, theirs=0))
    assert refused(adopt, stage, "ce", FAR) == "DRIFT"
    stage.tell(ev.DriftEnded(account="paper", product=Product.NRML, contract=FAR))
    adopt(stage, "ce", FAR)
    assert stage.run().legs["ce"].contract == FAR
    stage.to("15:15:00")
    by_hand(stage, Side.SELL, 1, FAR, 9_000)
    assert refused(adopt, stage, "ce", FAR) == "NOT_NOW"


def test_a_start_between_the_units_and_the_levels_sets_the_levels() -> None:
    stage = straddle("09:19:30")
    by_hand(stage, Side.SELL, 1, CE, 10_000)
    stage.ask(cmd.AdoptIntoRun(id="t", actor="key", run_id="R1", leg="ce", key=key(CE)))
    again = Stage()
    again.state, again.now = stage.state, stage.now
    again.settle()
    assert again.run().legs["ce"].levels is not None
