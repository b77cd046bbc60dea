"""The chain's columns: calls mirrored on the left, the strike in the middle, puts on the right."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Final, NamedTuple

from optconsole.screens.formats import Formats, sign_role
from optconsole.screens.widgets.columns import Column

CALL, PUT = "call", "put"
BAR_WIDTH: Final = 8


class Mine(NamedTuple):
    """What I have at one contract: signed lots held, and the lots that orders there would still buy and sell."""

    lots: int
    buying: int = 0
    selling: int = 0


class ColumnSet(StrEnum):
    """What a side shows besides its prices."""

    INTEREST = "open interest"
    GREEKS = "Greeks"
    TRADING = "trading"


SETS: Final = tuple(ColumnSet)

FIELDS: Final[dict[ColumnSet, tuple[str, ...]]] = {
    ColumnSet.INTEREST: ("mine", "ltp", "iv", "oi", "bar", "doi", "volume", "delta", "bid", "ask"),
    ColumnSet.GREEKS: ("mine", "ltp", "iv", "delta", "theta", "vega", "gamma", "bid", "ask"),
    ColumnSet.TRADING: ("mine", "bid", "ask", "iv", "ltp", "bid_qty", "ask_qty", "change", "volume", "oi"),
}
"""The fields of one side, from the strike outwards. Each later field leaves earlier on a narrow terminal."""


_TURNED: Final = {"bid": "ask", "ask": "bid", "bid_qty": "ask_qty", "ask_qty": "bid_qty"}


def side_fields(chosen: ColumnSet, zone: str) -> list[str]:
    """The fields of one side from left to right. Calls mirror puts, but a bid always stands left of its ask."""
    fields = FIELDS[chosen]
    return list(fields) if zone == PUT else [_TURNED.get(field, field) for field in reversed(fields)]


def side_column(field: str, fmt: Formats, zone: str) -> Column:
    """One field of one side."""
    plain = {
        "bid": Column("Bid", 9, fmt.price, "dim"),
        "ask": Column("Ask", 9, fmt.price, "dim"),
        "bid_qty": Column("Bid qty", 7, fmt.count, "dim"),
        "ask_qty": Column("Ask qty", 7, fmt.count, "dim"),
        "ltp": Column("LTP", 9, fmt.price, direction=True, flash=True),
        "change": Column("Chg", 8, fmt.percent, sign_role),
        "iv": Column("IV", 6, fmt.iv),
        "delta": Column("Delta", 6, fmt.delta),
        "gamma": Column("Gamma", 7, fmt.gamma, "dim"),
        "theta": Column("Theta", 7, fmt.theta),
        "vega": Column("Vega", 6, fmt.vega),
        "oi": Column("OI", 9, fmt.count),
        "doi": Column("OI chg", 8, fmt.change, sign_role),
        "volume": Column("Volume", 9, fmt.count, "dim"),
        "mine": Column("Mine", 6, lambda mine: _mine_text(mine, fmt), _mine_role),
    }
    if field == "bar":
        toward = zone == PUT
        return Column("", BAR_WIDTH, lambda share: fmt.bar(share, BAR_WIDTH, rightward=toward), "bar", zone=zone)
    return replace(plain[field], zone=zone)


def _mine_text(mine: Mine, fmt: Formats) -> str:
    held = fmt.change(mine.lots) if mine.lots else ""
    buying = fmt.change(mine.buying) if mine.buying else ""
    selling = fmt.change(-mine.selling) if mine.selling else ""
    waiting = f"{fmt.glyph('◦', 'o')}{buying}{selling}" if buying or selling else ""
    return f"{held} {waiting}".strip()


def _mine_role(mine: Mine) -> str:
    if mine.lots:
        return "buy" if mine.lots > 0 else "sell"
    return "accent"


def chain_columns(chosen: ColumnSet, fmt: Formats) -> list[Column]:
    """All columns from left to right; the outer ones leave first where room is short."""
    strike = Column("Strike", 8, fmt.strike, "strong", align="center")
    calls, puts = (
        [
            replace(_lit(side_column(field, fmt, zone), field, chosen), priority=_priority(field, FIELDS[chosen]))
            for field in side_fields(chosen, zone)
        ]
        for zone in (CALL, PUT)
    )
    return [*calls, strike, *puts]


def _lit(column: Column, field: str, chosen: ColumnSet) -> Column:
    """Bid and ask stand in full light where they are what is looked at."""
    shown = chosen is ColumnSet.TRADING and field in ("bid", "ask")
    return replace(column, role="", direction=True) if shown else column


def _priority(field: str, fields: tuple[str, ...]) -> int:
    """The outer a field stands, the earlier it leaves; a bid and its ask leave together."""
    pair = _TURNED.get(field, field)
    return max(min(fields.index(field), fields.index(pair)) - 1, 0)
