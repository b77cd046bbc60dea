"""A difference from the broker in what runs hold: told with whose it could be, and nothing is entered (BK-6)."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.adjustments import ShiftLeg
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Product, Role, Side
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.protection import StopMode
from optconsole.engine.model.runs import LegStage, RunStatus
from optconsole.engine.model.shares import whose
from optconsole.engine.ports import BrokerPosition
from optconsole.engine.trading.drift import Drifts
from tests.engine.facts import CALL, terms
from tests.engine.trading.bench import Bench, cancelled
from tests.engine.trading.runs.stage import Stage, name, strategy
from tests.engine.trading.runs.test_adopting import by_hand, key

HEAD = 'entry = "09:20"\nexit = "15:15"'
CE, PE = name(24500, "CE"), name(24500, "PE")


def differ(stage: Stage, contract: str, ours: int, theirs: int) -> None:
    stage.tell(ev.DriftSeen(account="paper", product=Product.NRML, contract=contract, ours=ours, theirs=theirs))


def agree(stage: Stage, contract: str) -> None:
    stage.tell(ev.DriftEnded(account="paper", product=Product.NRML, contract=contract))


def test_the_alarm_names_the_parts_and_the_one_that_is_just_the_difference() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce="sell CE"))
    stage.to("09:20:00")
    by_hand(stage, Side.SELL, 2, CE, 10_000)
    drifts = Drifts("paper", "paper")
    theirs = [BrokerPosition(account="paper", contract=CE, product=Product.NRML, qty=-130)]
    for seconds in (0.0, 5.0, 40.0):
        stage.tell(*drifts.compare(stage.state, theirs, seconds).facts)
    told = next(notice.text for notice in stage.state.notices if notice.code == "POSITION_DRIFT")
    assert "by hand -130, day/s/R1/ce -65" in told
    assert "day/s/R1/ce holds just the difference" in told
    assert whose(stage.state.books[key(CE)]) == "by hand -130, day/s/R1/ce -65"


def test_a_run_enters_nothing_while_a_contract_it_holds_differs_and_goes_on_once_it_is_explained() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce='sell CE stop = "25%"; on_stop = "execute x2"', pe="sell PE"))
    stage.to("09:20:00")
    differ(stage, PE, -65, 0)
    stage.price(CE, 140)
    assert stage.held() == {"24500 PE": -65}
    leg = stage.run().legs["ce"]
    assert (leg.stage, leg.code) == (LegStage.DUE, "DRIFT")
    assert "ENTRY_HELD" in stage.codes()
    stage.settle(20)
    agree(stage, PE)
    stage.settle(1)
    assert stage.run().legs["ce"].stage is LegStage.OPEN


def test_an_entry_that_waited_half_a_minute_for_an_explanation_fails_by_the_strategys_word() -> None:
    stage = Stage()
    stage.start(
        strategy(HEAD + '\non_failure = "hold"', ce='sell CE stop = "25%"; on_stop = "execute x2"', pe="sell PE")
    )
    stage.to("09:20:00")
    differ(stage, PE, -65, 0)
    stage.price(CE, 140)
    stage.settle(29)
    assert stage.run().legs["ce"].stage is LegStage.DUE
    stage.settle(2)
    assert (stage.run().legs["ce"].stage, stage.run().legs["ce"].code) == (LegStage.OUT, "DRIFT")
    assert stage.held() == {"24500 PE": -65}
    assert stage.said(RunStatus.ACTIVE)


def test_a_run_that_holds_nothing_of_it_goes_on() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce="sell CE", pe="sell PE"))
    differ(stage, name(24900, "CE"), 0, -65)
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}


def test_a_leg_whose_contract_differs_is_not_adjusted() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce="sell CE"))
    stage.to("09:20:00")
    differ(stage, CE, -65, 0)
    with pytest.raises(Refusal) as refused:
        stage.ask(cmd.AdjustRun(id="a", actor="key", run_id="R1", how=ShiftLeg(leg="ce", steps=1)))
    assert refused.value.code == "DRIFT"
    assert stage.run().adjusting is None


def test_the_exits_of_two_parts_together_never_go_past_what_the_broker_shows() -> None:
    stage = Stage()
    stage.start(strategy(HEAD, ce="sell CE"))
    stage.to("09:20:00")
    by_hand(stage, Side.SELL, 1, CE, 10_000)
    differ(stage, CE, -130, -65)
    stage.fills = False
    stage.ask(cmd.SteerRun(id="x", actor="key", run_id="R1", action=cmd.RunAction.EXIT))
    stage.ask(cmd.Flatten(id="f", actor="key"))
    stage.settle()
    bought = [order for order in stage.working() if order.terms.side is Side.BUY]
    assert sum(order.remaining for order in bought) == 65


def test_the_stops_of_two_parts_together_never_go_past_what_the_broker_shows() -> None:
    bench = Bench()
    for source in ("am/x/ce", "am/y/ce"):
        order = bench.order(msgspec.structs.replace(terms(Side.SELL, 65), source=source))
        bench.fill(order, 65, 10_000, f"t{order}")
        guard = ev.ProtectionSet(
            key=PositionKey("paper", Product.NRML, CALL),
            source=source,
            protection_id=f"G{source}",
            sign=-1,
            stop=12_000,
            target=None,
            mode=StopMode.BROKER,
            wide=12_000,
        )
        bench.tell(guard)
    bench.settle()
    bench.seen(*(order.id for order in bench.working()))
    assert stops(bench) == {"am/x/ce": 65, "am/y/ce": 65}
    bench.tell(ev.DriftSeen(account="paper", product=Product.NRML, contract=CALL, ours=-130, theirs=-65))
    for order_id in cancelled(bench.settle(2.0)):
        bench.tell(ev.OrderCancelled(order_id=order_id, reason="asked"))
    assert stops(bench) == {"am/x/ce": 65}
    bench.tell(ev.DriftEnded(account="paper", product=Product.NRML, contract=CALL))
    bench.settle(2.0)
    assert stops(bench) == {"am/x/ce": 65, "am/y/ce": 65}


def stops(bench: Bench) -> dict[str, int]:
    return {order.terms.source: order.remaining for order in bench.working() if order.role is Role.STOP}
