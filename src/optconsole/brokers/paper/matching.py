"""Matching: pure functions from resting orders and what a market shows to fills.

Our orders trade against displayed size only, in whole lots, at the displayed prices, best price first; among our
own by price, then time. A displayed size can be had once: it counts as new only when price or size changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from optconsole.brokers.paper.orders import PaperOrder
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.money import rupees
from optconsole.engine.model.orders import OrderStatus, OrderType, Side, Validity
from optconsole.engine.model.quotes import Depth, Level, Quote


@dataclass(frozen=True, slots=True)
class Market:
    """What one instant shows of a contract. ``last`` is what triggers are tested on, None while nothing traded.

    ``stamp`` tells apart showings of a source without a book, whose assumed sizes never change; else 0.
    """

    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    last: int | None = None
    stamp: int = 0

    def facing(self, side: Side) -> tuple[Level, ...]:
        """The levels an order of ``side`` trades against, best first."""
        return self.asks if side is Side.BUY else self.bids


@dataclass(frozen=True, slots=True)
class Taken:
    """Units we had of a level that showed ``size`` at ``stamp``."""

    size: int
    stamp: int
    units: int


Memory = Mapping[tuple[Side, int], Taken]
"""What is taken of the levels on show, by (side of the taker, price)."""

Band = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fill:
    """Units of one order traded at one price."""

    broker_id: str
    qty: int
    price: int


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at the market does: orders that changed, fills in order of execution, the new memory."""

    orders: tuple[PaperOrder, ...]
    fills: tuple[Fill, ...]
    memory: Memory


NOTHING: Final[Memory] = {}


def market(quote: Quote, depth: Depth | None, instrument: Instrument, settings: PaperSettings) -> Market:
    """The levels an order can trade against.

    With a book: the quote's best price, then the levels of ``depth`` behind it, unless that is of an earlier
    moment and begins elsewhere. Without one: the last trade, widened by the assumed spread. A best price that
    comes without a size shows the assumed size.
    """
    assumed = settings.assumed_lots * instrument.lot
    last = None if quote.ltp is None else quote.mark
    if quote.booked:
        late = depth is not None and depth.ts < quote.ts
        bids = _levels(Side.SELL, quote.bid, quote.bid_qty or assumed, depth.bids if depth else (), late)
        asks = _levels(Side.BUY, quote.ask, quote.ask_qty or assumed, depth.asks if depth else (), late)
        return Market(bids, asks, last)
    if quote.ltp is None:
        return Market()
    tick = instrument.tick
    spread = settings.half_spread_ticks * tick + -(-quote.ltp * settings.half_spread_bps // 10_000)
    ask = -(-(quote.ltp + spread) // tick) * tick
    bid = (quote.ltp - spread) // tick * tick
    return Market(((bid, assumed),) if bid > 0 else (), ((ask, assumed),), last, quote.ts)


def _levels(taker: Side, best: int | None, size: int, deep: tuple[Level, ...], late: bool) -> tuple[Level, ...]:
    if best is None:
        return ()
    if not deep or (late and deep[0][0] != best):
        return ((best, size),)
    return ((best, size), *(level for level in deep if (level[0] - best) * taker.sign > 0))


def reached(side: Side, trigger: int, last: int | None) -> bool:
    """Whether the last trade reaches a stop's trigger: a buy stop from below, a sell stop from above."""
    return last is not None and (last - trigger) * side.sign >= 0


def crosses(side: Side, limit: int, price: int) -> bool:
    """Whether ``price`` is as good as ``limit`` or better for ``side``."""
    return (limit - price) * side.sign >= 0


def beyond(side: Side, limit: int, band: Band) -> bool:
    """Whether a limit is refused by price protection: a buy above the band or a sell below it (market.md 5)."""
    return limit > band[1] if side is Side.BUY else limit < band[0]


def awake(order: PaperOrder, last: int | None, band: Band | None, now: datetime) -> PaperOrder:
    """The order after its trigger was tested: unchanged, latched open, or refused by the price band."""
    if not order.waiting or order.trigger is None or not reached(order.side, order.trigger, last):
        return order
    if band is not None and beyond(order.side, order.price, band):
        return msgspec.structs.replace(
            order,
            status=OrderStatus.REJECTED,
            triggered=True,
            code="LPP",
            reason=beyond_words(order.price, band),
            updated_at=now,
        )
    return msgspec.structs.replace(order, status=OrderStatus.OPEN, triggered=True, updated_at=now)


def beyond_words(price: int, band: Band) -> str:
    """The exchange's sentence for a price outside the limit price protection."""
    low, high = rupees(band[0]), rupees(band[1])
    return f"Order price is beyond LPP limit: {rupees(price)} is outside {low} to {high}."


def priority(order: PaperOrder) -> tuple[int, int]:
    """Sorting key among orders of one side: better price first, then the earlier."""
    return (-order.price * order.side.sign, order.rank)


def play(
    orders: Iterable[PaperOrder],
    shown: Market,
    memory: Memory,
    lot: int,
    share_percent: int,
    band: Band | None,
    now: datetime,
) -> Round:
    """Let the orders of one contract meet the market once."""
    changed: dict[str, PaperOrder] = {}
    live: list[PaperOrder] = []
    for order in orders:
        tested = awake(order, shown.last, band, now)
        if tested is not order:
            changed[order.broker_id] = tested
        if not tested.status.final and not tested.waiting:
            live.append(tested)
    fills: list[Fill] = []
    known = _on_show(shown, memory)
    for order in sorted(live, key=priority):
        mine = _sweep(order, shown, known, lot, share_percent)
        after = _after(order, mine, now)
        if after is not order:
            changed[order.broker_id] = after
            fills.extend(mine)
    return Round(tuple(changed.values()), tuple(fills), known)


def _on_show(shown: Market, memory: Memory) -> dict[tuple[Side, int], Taken]:
    """Memory of the levels still on show; a changed size at the same price is a new showing."""
    kept: dict[tuple[Side, int], Taken] = {}
    for (side, price), taken in memory.items():
        same = any(level == (price, taken.size) and taken.stamp == shown.stamp for level in shown.facing(side))
        if same:
            kept[side, price] = taken
    return kept


def _sweep(
    order: PaperOrder, shown: Market, known: dict[tuple[Side, int], Taken], lot: int, share_percent: int
) -> list[Fill]:
    """Take what the order may have, walking the levels; ``known`` remembers it."""
    found: list[Fill] = []
    wanted = order.remaining
    for price, size in shown.facing(order.side):
        if wanted < lot or not crosses(order.side, order.price, price):
            break
        before = known.get((order.side, price))
        had = before.units if before else 0
        ours = min(size, max(lot, size * share_percent // 100))
        units = min(wanted, ours - had) // lot * lot
        if units <= 0:
            continue
        known[order.side, price] = Taken(size, shown.stamp, had + units)
        found.append(Fill(order.broker_id, units, price))
        wanted -= units
    return found


def _after(order: PaperOrder, fills: list[Fill], now: datetime) -> PaperOrder:
    """The order with its fills; what an IOC could not have expires."""
    filled = order.filled + sum(fill.qty for fill in fills)
    value = order.filled_value + sum(fill.qty * fill.price for fill in fills)
    status, reason = order.status, order.reason
    if filled >= order.qty:
        status = OrderStatus.FILLED
    elif order.validity is Validity.IOC:
        status, reason = OrderStatus.EXPIRED, "What an IOC order could not fill at once is cancelled."
    elif fills:
        status = OrderStatus.PARTIAL
    if not fills and status is order.status:
        return order
    return msgspec.structs.replace(
        order, filled=filled, filled_value=value, status=status, reason=reason, updated_at=now
    )


def converted(order: PaperOrder) -> PaperOrder:
    """A waiting stop turned into a limit order by request: nothing triggered it."""
    return msgspec.structs.replace(order, type=OrderType.LIMIT, trigger=None, status=OrderStatus.OPEN)
