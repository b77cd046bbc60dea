"""Five levels of a contract's book with one's own orders marked; what the source does not say stays blank."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from optconsole.engine.model.orders import Order, Side
from optconsole.engine.model.quotes import Depth, Level, Quote
from optconsole.screens.formats import Formats
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line

LEVELS: Final = 5
MINE, SIZE, PRICE = 4, 8, 9
HEIGHT: Final = LEVELS + 2


def at_top(depth: Depth | None, quote: Quote | None) -> Depth | None:
    """The ladder at the moment of the quote: its best prices on top, below them what was read and is still beyond."""
    if depth is None or quote is None:
        return depth
    bids, asks = _best(quote.bid, quote.bid_qty), _best(quote.ask, quote.ask_qty)
    beneath = tuple(level for level in depth.bids if bids and level[0] < bids[0][0])
    above = tuple(level for level in depth.asks if asks and level[0] > asks[0][0])
    return replace(depth, ts=quote.ts, bids=(bids + beneath)[:LEVELS], asks=(asks + above)[:LEVELS])


def _best(price: int | None, size: int) -> tuple[Level, ...]:
    return () if price is None else ((price, size),)


def depth_lines(depth: Depth | None, orders: Iterable[Order], fmt: Formats) -> list[Line]:
    """A head, five levels and the totals: mine, size and bid to the left, ask, size and mine to the right."""
    head = f"{'mine':>{MINE}} {'size':>{SIZE}} {'bid':>{PRICE}}   {'ask':>{PRICE}} {'size':>{SIZE}} {'mine':>{MINE}}"
    lines: list[Line] = [([Part(head, "dim")], [])]
    mine = own_lots(orders)
    bids = depth.bids if depth else ()
    asks = depth.asks if depth else ()
    for place in range(LEVELS):
        bid = bids[place] if place < len(bids) else None
        ask = asks[place] if place < len(asks) else None
        lines.append(
            (
                [
                    Part(_own(mine, Side.BUY, bid, fmt).rjust(MINE), "mine"),
                    Part(f" {_size(bid, fmt):>{SIZE}}", "dim"),
                    Part(f" {_price(bid, fmt):>{PRICE}}", "buy"),
                    Part("   "),
                    Part(f"{_price(ask, fmt):>{PRICE}}", "sell"),
                    Part(f" {_size(ask, fmt):>{SIZE}}", "dim"),
                    Part(" " + _own(mine, Side.SELL, ask, fmt).rjust(MINE), "mine"),
                ],
                [],
            )
        )
    lines.append(([Part(_totals(bids, asks, fmt), "dim")], []))
    return lines


def own_lots(orders: Iterable[Order]) -> dict[tuple[Side, int], int]:
    """Lots still working by side and limit price."""
    found: dict[tuple[Side, int], int] = {}
    for order in orders:
        limit = order.terms.limit
        if order.status.working and limit is not None and (order.triggered or not order.terms.type.has_trigger):
            key = (order.terms.side, limit)
            found[key] = found.get(key, 0) + order.remaining // max(order.lot, 1)
    return found


def _own(mine: dict[tuple[Side, int], int], side: Side, level: Level | None, fmt: Formats) -> str:
    lots = mine.get((side, level[0]), 0) if level else 0
    return f"{fmt.grouped(lots)}L" if lots else ""


def _size(level: Level | None, fmt: Formats) -> str:
    return fmt.count(level[1]) if level else ""


def _price(level: Level | None, fmt: Formats) -> str:
    return fmt.price(level[0]) if level else ""


def _totals(bids: tuple[Level, ...], asks: tuple[Level, ...], fmt: Formats) -> str:
    if not bids and not asks:
        return "no book is published for this contract"
    bid = fmt.count(sum(size for _, size in bids))
    ask = fmt.count(sum(size for _, size in asks))
    return f"{'all':>{MINE}} {bid:>{SIZE}} {'':>{PRICE}}   {'':>{PRICE}} {ask:>{SIZE}}"
