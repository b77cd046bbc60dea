"""Every fact has words of its own, and nothing from outside can act in them."""

from __future__ import annotations

import typing
from datetime import date

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.adjustments import Adjustment, AdjustStage
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.groups import GroupKind, ReversalLeg
from optconsole.engine.model.limits import Level, Limit, LimitAction, LimitKind, Standing
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, RiskClass, Side
from optconsole.engine.model.parents import ParentStatus
from optconsole.engine.model.positions import Basis, PositionKey
from optconsole.engine.model.protection import Guard, Repair, StopMode
from optconsole.engine.model.runs import RunStatus, RunWatch
from optconsole.engine.model.trigger_state import Candle
from optconsole.screens.formats import FULL, Formats
from optconsole.screens.words import in_words
from tests.screens.running import basket, run_of
from tests.screens.stage import NOON, StageLink, name, placed

CALL = name(24500, "CE")
KEY = PositionKey("A", Product.NRML, CALL)
TERMS = OrderTerms(account="A", contract=CALL, side=Side.SELL, qty=130, type=OrderType.SL, price=100, trigger=105)
HOSTILE = "[/] [@click=app.quit]x[/] \x1b]0;boo\x07 \u202egnp\u200b"
LIMIT = Limit(level=Level.BASKET, name=HOSTILE, kind=LimitKind.HOURS, value=560, second=910)

STRADDLE = run_of(basket().strategies[0], 1)
OF_RUNS: list[ev.AnyEvent] = [
    ev.BasketSaved(name=HOSTILE, basket=basket(), version=1),
    ev.BasketStatusChanged(name=HOSTILE, status=BasketStatus.PAUSED, why=HOSTILE),
    ev.BarsMarked(bars={}),
    ev.CandleClosed(name=HOSTILE, minutes=5, candle=Candle(start=NOON, open=1, high=1, low=1, close=1)),
    ev.RunPlanned(run_id="R1", run=msgspec.structs.replace(STRADDLE, text=HOSTILE, status=RunStatus.SKIPPED)),
    ev.RunMoved(run_id="R1", status=RunStatus.FAILED, code="X", text=HOSTILE, lag_ms=76),
    ev.RunWatched(run_id="R1", what="armed", watch=RunWatch()),
    ev.RunEdited(run_id="R1", strategy=STRADDLE.strategy, exit_at=NOON),
    ev.RunAdjusted(
        run_id="R1", adjustment=Adjustment(kind="roll", code="ROLLED", text=HOSTILE, moves=(), stage=AdjustStage.FAILED)
    ),
    ev.UnitsMoved(account="A", product=Product.NRML, contract=CALL, qty=-65, source="", to=HOSTILE),
    ev.LegsGiven(run_id="R1", strategy=STRADDLE.strategy, legs=STRADDLE.legs),
    ev.LegMoved(run_id="R1", what="opened", leg=msgspec.structs.replace(STRADDLE.legs["ce"], text=HOSTILE)),
]
FACTS: list[ev.AnyEvent] = [
    ev.EngineStarted(version="1", world="practice", epoch=1),
    ev.EngineReady(orders_checked=1, fills_adopted=0),
    ev.EngineStopped(reason=HOSTILE),
    ev.SessionOpened(day=date(2026, 11, 23)),
    ev.SessionClosed(day=date(2026, 11, 23)),
    ev.AccountOpened(account=Account(id="A", broker="paper", mode=Mode.PAPER, capital=1)),
    ev.OrderDenied(order_id="O9", terms=TERMS, code="X", reason=HOSTILE),
    ev.OrderIntended(order_id="O9", terms=TERMS, tag="T", risk=RiskClass.INCREASE, lot=65),
    ev.OrderAdopted(order_id="O9", terms=TERMS, tag="T", broker_id="B", risk=RiskClass.INCREASE, lot=65),
    ev.OrderSent(order_id="O1", attempt=1),
    ev.OrderAcknowledged(order_id="O1", broker_id="B"),
    ev.OrderTriggered(order_id="O1"),
    ev.OrderFilled(
        order_id="O1", trade_id="7", account="A", contract=CALL, product=Product.NRML, side=Side.SELL, qty=130,
        price=10_125, charges=1, traded_at=NOON,
    ),
    ev.OrderChangeAsked(order_id="O1", terms=TERMS),
    ev.OrderChanged(order_id="O1", terms=TERMS),
    ev.OrderChangeRefused(order_id="O1", code="X", reason=HOSTILE),
    ev.OrderCancelAsked(order_id="O1"),
    ev.OrderCancelRefused(order_id="O1", code="X", reason=HOSTILE),
    ev.OrderCancelled(order_id="O1", reason=HOSTILE),
    ev.OrderRejected(order_id="O1", code="X", reason=HOSTILE),
    ev.OrderExpired(order_id="O1", reason=HOSTILE),
    ev.OrderDoubted(order_id="O1", cause=HOSTILE),
    ev.OrderConfirmed(order_id="O1"),
    ev.OrderClaimed(order_id="O1"),
    ev.OrderPresumedAbsent(order_id="O1", reads=3),
    ev.OrderReleasable(order_id="O1", reads=14),
    ev.OrderDoubtReleased(order_id="O1", why=HOSTILE),
    ev.PositionAdopted(account="A", product=Product.NRML, contract=HOSTILE, lot=65, qty=-65, price=5),
    ev.DriftSeen(account="A", product=Product.NRML, contract=HOSTILE, ours=65, theirs=0),
    ev.DriftEnded(account="A", product=Product.NRML, contract=HOSTILE),
    ev.InputSetAside(letter_id=HOSTILE, account=HOSTILE, kind=HOSTILE, row=HOSTILE, why=HOSTILE),
    ev.InputReplayed(letter_id=HOSTILE),
    ev.InputDropped(letter_id=HOSTILE),
    ev.PositionSettled(account="A", product=Product.NRML, contract=CALL, qty=-130, price=5, charges=0),
    ev.NoticeRaised(level="alarm", code="X", text=HOSTILE),
    ev.NoticeAcknowledged(upto=3),
    ev.FlattenBegun(flatten_id="f", kind="underlying", name="NIFTY", percent=50, why=HOSTILE),
    ev.FlattenHeld(flatten_id="f", text=HOSTILE),
    ev.FlattenEnded(flatten_id="f", orders=("O2",), text=HOSTILE),
    ev.ProtectionSet(
        key=KEY, protection_id="G1", sign=-1, stop=12_000, target=8_000, mode=StopMode.BOTH, wide=13_000
    ),
    ev.ProtectionMoved(key=KEY, state=Guard.REPAIR, reason=Repair.STALE_QTY),
    ev.ProtectionCrossed(key=KEY, crossing=HOSTILE, price=12_000, ts=1),
    ev.ProtectionSight(key=KEY, blind=True),
    ev.ProtectionTriggered(key=KEY, why=HOSTILE, price=12_000),
    ev.ProtectionEnded(key=KEY, reason=HOSTILE),
    ev.KillEngaged(why=HOSTILE),
    ev.KillReleased(),
    ev.LimitsSeeded(limits=(LIMIT,)),
    ev.LimitSet(limit=LIMIT, before=msgspec.structs.replace(LIMIT, value=5), loosened=True, why=HOSTILE),
    ev.LimitRemoved(level=LIMIT.level, name=HOSTILE, kind=LIMIT.kind, before=LIMIT, why=HOSTILE),
    ev.LimitWarned(level=Level.BASKET, name=HOSTILE, kind=LimitKind.LOTS, step=80, used=8),
    ev.LimitBroken(
        level=Level.BASKET, name=HOSTILE, kind=LimitKind.LOTS, used=11, action=LimitAction.EXIT_SCOPE
    ),
    ev.ContractsMarked(basis=Basis.CLOSE, prices={HOSTILE: 10_000}),
    ev.ProfitPeaked(level=Level.GLOBAL, name="", profit=5_000_00),
    ev.ProfitLost(level=Level.GLOBAL, name="", contract=HOSTILE, blocks=True),
    ev.ProfitSeen(level=Level.GLOBAL, name=""),
    ev.TradingStateChanged(level=Level.BASKET, name=HOSTILE, standing=Standing.HALTED, why=HOSTILE, until=NOON),
    ev.CommandRefused(command="PlaceOrder", code="X", reason=HOSTILE),
    ev.CommandNoted(command="CancelAll", text=HOSTILE),
    ev.ParentOpened(parent_id="P1", terms=TERMS, risk=RiskClass.INCREASE, lot=65, largest=65, parts=(65, 65)),
    ev.ParentChanged(parent_id="P1", terms=TERMS),
    ev.ParentEnded(parent_id="P1", status=ParentStatus.STOPPED, why=HOSTILE),
    ev.GroupOpened(group_id="T1", kind=GroupKind.OCO, orders=(TERMS, TERMS), lots=(65, 65)),
    ev.GroupMemberSent(group_id="T1", member=0, order_id="O1"),
    ev.GroupSwitched(group_id="T1", member=1),
    ev.GroupRaced(group_id="T1", text=HOSTILE),
    ev.GroupEnded(group_id="T1", why=HOSTILE),
    ev.BracketAttached(entry_id="O1", account="A", product=Product.NRML, contract=CALL, side=Side.SELL, stop=100),
    ev.BracketGuarded(entry_id="O1", qty=65),
    ev.BracketEnded(entry_id="O1", why=HOSTILE),
    ev.ReversalBegun(
        reversal_id="r", kind="all", name="",
        legs=(ReversalLeg(key=PositionKey("A", Product.NRML, CALL), side=Side.SELL, qty=65),),
    ),
    ev.ReversalEnded(reversal_id="r", text=HOSTILE),
    *OF_RUNS,
]  # fmt: skip


def state() -> TradingState:
    return StageLink(placed(1, CALL, Side.SELL, 2, 10_125, fill=False)).state


def test_the_list_here_holds_every_fact_there_is() -> None:
    assert {type(fact) for fact in FACTS} == set(typing.get_args(ev.AnyEvent))


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
@pytest.mark.parametrize("fmt", [FULL, Formats(ascii=True)], ids=["full", "ascii"])
def test_a_fact_is_told_in_words_and_not_by_its_type(fact: ev.AnyEvent, fmt: Formats) -> None:
    words = in_words(fact, state(), fmt)
    assert type(fact).__name__ not in words.text
    assert len(words.text) > 8
    assert words.text.isprintable()
    assert "\u202e" not in words.text
    if fmt.ascii:
        assert (words.mark + words.text).replace("−", "-").isascii()


@pytest.mark.parametrize(("event", "text"), [
    (ev.FlattenBegun(flatten_id="f", kind="all", name="", percent=100, why=""), "Closing everything; shorts go first"),
    (ev.FlattenBegun(flatten_id="f", kind="u", name="N", percent=50, why=""), "Closing 50 % of N; shorts go first"),
    (
        ev.FlattenEnded(flatten_id="f", orders=("O2", "O3"), cancelled=1, closed=2),
        "Closed: 2 positions closed, 1 orders cancelled",
    ),
    (ev.FlattenHeld(flatten_id="f", text="no price"), "Closing waits: no price"),
    (ev.FlattenHeld(flatten_id="f", text=""), "Closing goes on"),
    (ev.FlattenEnded(flatten_id="f", orders=()), "Nothing was left to close"),
    (ev.FlattenEnded(flatten_id="f", orders=(), text="no price"), "Closing left something open: no price"),
])  # fmt: skip
def test_a_flatten_says_what_it_closes(event: ev.AnyEvent, text: str) -> None:
    assert in_words(event, state(), FULL).text == text
