"""Legs, fills and prices in few words, for tests of leg rules. Rupees in, paise out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import LegStop, Measure, Unit
from optconsole.engine.model.leg_state import Levels
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Leg
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.leg_levels import Fill, open_levels
from optconsole.engine.rules.leg_prices import Look, Seen
from optconsole.engine.rules.leg_trails import on_price

FILLED = datetime(2026, 11, 23, 9, 20, 0, tzinfo=IST)


def paise(rupees: float) -> int:
    return round(rupees * 100)


def points(rupees: float) -> Measure:
    return Measure(paise(rupees))


def percent(share: float) -> Measure:
    return Measure(round(share * 100), Unit.PERCENT)


def of_index(rupees: float) -> Measure:
    return Measure(paise(rupees), Unit.UNDERLYING_POINTS)


def a_leg(side: Side = Side.SELL, right: Right | None = Right.CALL, stop: Measure | None = None, **rules: Any) -> Leg:
    if stop is not None:
        rules["stop"] = LegStop(move=stop)
    return Leg(id=rules.pop("id", "a"), side=side, right=right, **rules)


def a_fill(side: Side, entry: float, index: float | None = None, **facts: Any) -> Fill:
    return Fill(
        side=side,
        entry=paise(entry),
        at=FILLED,
        tick=facts.pop("tick", 5),
        lot=facts.pop("lot", 65),
        index=None if index is None else paise(index),
        **facts,
    )


def opened(leg: Leg, entry: float, index: float | None = None, **facts: Any) -> Levels:
    return open_levels(leg, a_fill(leg.side, entry, index, **facts))


def after(seconds: float) -> datetime:
    return FILLED + timedelta(seconds=seconds)


def seen(
    ltp: float | None = None,
    index: float | None = None,
    *,
    at: datetime | None = None,
    bid: float | None = None,
    ask: float | None = None,
    stamp: int = 0,
) -> Seen:
    look = Look(
        ltp=None if ltp is None else paise(ltp),
        bid=None if bid is None else paise(bid),
        ask=None if ask is None else paise(ask),
        stamp=stamp,
    )
    return Seen(at=at or after(1), leg=look, index=Look(ltp=None if index is None else paise(index)))


def minute_closed(close: float, minute: int, *, now: float | None = None) -> Seen:
    """A minute that ended so many minutes after the fill, looked at ``now`` seconds after it."""
    closed_at = after(60 * minute)
    return Seen(
        at=closed_at if now is None else after(now), leg=Look(ltp=paise(close), close=paise(close), closed_at=closed_at)
    )


def through(levels: Levels, leg: Leg, *prices: float) -> Levels:
    for price in prices:
        levels = on_price(levels, leg, seen(price))
    return levels
