"""The scripted day: everything a trader does, and everything that can befall an order on its way."""

from __future__ import annotations

from optconsole.engine.commands import (
    CancelOrder,
    EngageKill,
    Flatten,
    ModifyOrder,
    ReleaseKill,
    Scope,
    ScopeKind,
)
from optconsole.engine.model.orders import OrderType, Side
from tests.crash.market import CALL, FAR, PUT
from tests.crash.trader import Trader

BUY, SELL = Side.BUY, Side.SELL
ACTOR = "key:crash"
HOLD_SECONDS = 61.0


async def live_through(trader: Trader) -> None:
    """The whole day, from the first start to the last orderly stop."""
    await trader.open()
    await _limit_in_parts(trader)
    await _short_with_stop(trader)
    await _resting_and_cancelled(trader)
    await _calls_in_trouble(trader)
    await _out_of_it(trader)
    await _killed(trader)
    await _released(trader)


async def _limit_in_parts(trader: Trader) -> None:
    """A limit order that rests, is moved to the market, and fills in two parts."""
    bought = await trader.place("limit", CALL, BUY, 4, OrderType.LIMIT, 95_00)
    await trader.show(CALL, 100_00, ask_lots=1)
    await trader.ask(ModifyOrder(id="limit-up", actor=ACTOR, order_id=bought, price=100_10))
    await trader.show(CALL, 100_00, ask_lots=3)


async def _short_with_stop(trader: Trader) -> None:
    """A short by market, a stop for it that is trailed, triggers, and fills in two parts."""
    await trader.place("short", PUT, SELL, 3)
    stop = await trader.place("stop", PUT, BUY, 3, OrderType.SL_M, trigger=140_00)
    await trader.ask(ModifyOrder(id="trail", actor=ACTOR, order_id=stop, trigger=135_00))
    await trader.show(PUT, 135_00, ask_lots=2)
    await trader.show(PUT, 134_00, ask_lots=20)


async def _resting_and_cancelled(trader: Trader) -> None:
    """An order that never fills and is cancelled; the same command twice is one order."""
    resting = await trader.place("rest", CALL, SELL, 1, OrderType.LIMIT, 110_00)
    await trader.place("rest", CALL, SELL, 1, OrderType.LIMIT, 110_00)
    await trader.ask(CancelOrder(id="cancel", actor=ACTOR, order_id=resting))


async def _calls_in_trouble(trader: Trader) -> None:
    """A refusal of ours, one of the broker's, a lost reply, a late order, a lost cancel."""
    await trader.place("odd", CALL, BUY, 1, OrderType.LIMIT, 99_03)
    await trader.exchange.arm("place", "reject")
    await trader.place("rejected", FAR, BUY, 1)
    await trader.exchange.arm("place", "lost")
    await trader.place("lost", FAR, BUY, 2)
    await trader.exchange.arm("place", "late", 0.05)
    late = await trader.place("late", FAR, BUY, 1, OrderType.LIMIT, 55_00)
    await trader.exchange.arm("cancel", "lost")
    await trader.ask(CancelOrder(id="cancel-late", actor=ACTOR, order_id=late))
    await trader.exchange.arm("")


async def _out_of_it(trader: Trader) -> None:
    """Half of a position, then all of one contract while an order rests there."""
    await trader.ask(Flatten(id="half", actor=ACTOR, scope=Scope(ScopeKind.CONTRACT, CALL.name), percent=50))
    await trader.until_flat()
    await trader.place("more", FAR, BUY, 1, OrderType.LIMIT, 55_00)
    await trader.ask(Flatten(id="flat", actor=ACTOR, scope=Scope(ScopeKind.CONTRACT, FAR.name)))
    await trader.until_flat()


async def _killed(trader: Trader) -> None:
    """Long, short, a stop and a resting order, then the kill switch. The latch survives an orderly restart."""
    await trader.place("short-again", PUT, SELL, 2)
    await trader.place("stop-again", PUT, BUY, 2, OrderType.SL, 145_00, 140_00)
    await trader.place("rest-again", CALL, BUY, 1, OrderType.LIMIT, 90_00)
    await trader.ask(EngageKill(id="kill", actor=ACTOR, why="enough"))
    await trader.until_flat()
    trader.heard.flat.append(await trader.exchange.tell())
    await trader.place("after-kill", CALL, BUY, 1)
    await trader.stop()
    trader.clock.pass_by(HOLD_SECONDS)
    await trader.rise()
    await trader.settle()
    await trader.until_flat()
    trader.heard.flat.append(await trader.exchange.tell())
    await trader.place("still-killed", CALL, BUY, 1)


async def _released(trader: Trader) -> None:
    """Released, one more round, and home."""
    await trader.ask(ReleaseKill(id="release", actor=ACTOR, typed="UNLOCK"))
    await trader.show(CALL, 101_00)
    await trader.place("last", CALL, BUY, 1)
    await trader.ask(Flatten(id="home", actor=ACTOR))
    await trader.until_flat()
