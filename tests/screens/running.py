"""Baskets and runs on the stage: a short straddle that is open, one that asks, one that was skipped, one to come."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.baskets import Basket, BasketStatus
from optconsole.engine.model.leg_state import Levels, Track
from optconsole.engine.model.orders import OrderTerms, Side
from optconsole.engine.model.run_state import Floor
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus, RunWatch
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.strategies.linting import check_text
from tests.screens.stage import LOT, NOON, StageLink, name, placed

TEXT = """
format = 1

[basket]
name = "index income"
max_loss = 25000

[[account]]
name = "PAPER1"

[[strategy]]
name = "short straddle"
underlying = "NIFTY"
entry = "09:20"
exit = "15:15"
stop = "9000"
move_to_cost = "other-right"

[[strategy.leg]]
id = "ce"
side = "sell"
right = "CE"
expiry = "monthly"
lots = 2
stop = "25%"
on_stop = "cost x2"

[[strategy.leg]]
id = "pe"
side = "sell"
right = "PE"
expiry = "monthly"
lots = 2
stop = "25%"

[[strategy]]
name = "late strangle"
underlying = "NIFTY"
entry = "13:00"
exit = "15:20"
approve_within = 600

[[strategy.leg]]
id = "ce"
side = "sell"
right = "CE"
expiry = "monthly"
strike = "OTM 3"
stop = "30%"

[[strategy]]
name = "expiry call"
underlying = "NIFTY"
entry = "09:10"
exit = "15:15"
expiry_only = true

[[strategy.leg]]
id = "ce"
side = "buy"
right = "CE"
expiry = "monthly"
"""
CE, PE = name(24500, "CE"), name(24500, "PE")


def basket(text: str = TEXT) -> Basket:
    checked = check_text(text)
    assert checked.basket is not None, checked.faults
    return checked.basket


def at(clock: str) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    return NOON.replace(hour=hour, minute=minute, second=0)


def run_of(strategy: Strategy, number: int, **changes: object) -> Run:
    """A run of a strategy as it is planned for the stage's day."""
    schedule = strategy.schedule
    entry = NOON.replace(hour=schedule.entry_at.hour, minute=schedule.entry_at.minute, second=0)
    leave = NOON.replace(hour=schedule.exit_at.hour, minute=schedule.exit_at.minute, second=0)
    run = Run(
        id=f"R{number}",
        basket="index income",
        version=1,
        strategy=strategy,
        account="PAPER1",
        mode=Mode.PAPER,
        trade_date=NOON.date(),
        entry_at=entry,
        entry_until=entry + timedelta(seconds=60),
        triggers_until=leave - timedelta(minutes=15),
        exit_at=leave,
        expiry=NOON.date(),
        dte=2,
        since=NOON,
        text=f"Enters at {entry:%H:%M:%S}.",
        legs={leg.id: LegRun(id=leg.id, account="PAPER1", side=leg.side, lots=leg.lots) for leg in strategy.legs},
    )
    return msgspec.structs.replace(run, **changes)


def opened_leg(leg: LegRun, contract: str, entry: int, stop: int) -> LegRun:
    """A leg as it is once it was filled."""
    track = Track(entry=entry, sign=-1, tick=5, best=entry, trailed=entry, base=stop, stop=stop)
    return msgspec.structs.replace(
        leg,
        stage=LegStage.OPEN,
        contract=contract,
        lot=LOT,
        tick=5,
        entry=entry,
        qty=leg.lots * LOT,
        entered_at=NOON,
        levels=Levels(leg=track, lot=LOT, since=NOON),
    )


def sold(number: int, contract: str, lots: int, price: int, source: str) -> list[ev.AnyEvent]:
    """The facts of a sale on behalf of a leg."""
    facts = placed(number, contract, Side.SELL, lots, price)
    first = facts[0]
    assert isinstance(first, ev.OrderIntended)
    terms: OrderTerms = msgspec.structs.replace(first.terms, source=source)
    return [msgspec.structs.replace(first, terms=terms), *facts[1:]]


def running_facts() -> list[ev.AnyEvent]:
    """The facts of the stage's day up to its noon."""
    written = basket()
    straddle, strangle, expiry = (run_of(each, place) for place, each in enumerate(written.strategies, 1))
    skipped = {"status": RunStatus.SKIPPED, "code": "NOT_EXPIRY", "text": "Today is no expiry day of NIFTY."}
    facts: list[ev.AnyEvent] = [
        ev.BasketSaved(name=written.name, basket=written, version=1),
        ev.BasketStatusChanged(name=written.name, status=BasketStatus.ACTIVE),
        ev.BasketSaved(name="spare", basket=msgspec.structs.replace(written, name="spare"), version=1),
        *(ev.RunPlanned(run_id=run.id, run=run) for run in (straddle, strangle)),
        ev.RunPlanned(run_id=expiry.id, run=msgspec.structs.replace(expiry, **skipped)),
        ev.RunMoved(run_id="R1", status=RunStatus.ENTERING, code="ON_TIME", text="Due now.", lag_ms=76),
    ]
    for number, (leg, contract, price, stop) in enumerate((("ce", CE, 14_500, 18_125), ("pe", PE, 13_980, 17_475)), 1):
        facts += sold(number, contract, 2, price, straddle.source(leg))
        opened = opened_leg(straddle.legs[leg], contract, price, stop)
        facts.append(ev.LegMoved(run_id="R1", what="opened", leg=opened))
    return [
        *facts,
        ev.RunWatched(run_id="R1", what="floor", watch=RunWatch(floor=Floor(peak=0, level=-900_000))),
        ev.RunMoved(run_id="R1", status=RunStatus.ACTIVE, code="ON_TIME", text="Due now."),
    ]


def running_link() -> StageLink:
    return StageLink(running_facts())
