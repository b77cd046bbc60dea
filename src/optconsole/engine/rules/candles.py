"""Closed candles of n minutes, folded from prices (features EN-5, EN-7, LX-10). Pure.

Candles are counted from the session's opening, as charts do: one of an hour runs 09:15 to 10:15. An interval without a
price makes no candle. Nothing is decided on a candle that is still forming.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from optconsole.engine.model.trigger_state import Candle, Forming


def begins(at: datetime, opens: datetime, minutes: int) -> datetime:
    """The start of the candle that an instant belongs to; both are aware, ``opens`` the session's first instant."""
    size = timedelta(minutes=minutes)
    return opens + (at - opens) // size * size


def add(
    forming: Forming | None, price: int, at: datetime, opens: datetime, minutes: int, traded: int | None = None
) -> tuple[Forming, Candle | None]:
    """The candle under way after a price, and the one that it closed, if any.

    ``traded`` is the day's volume so far. A price of a candle that has been handed out is too late and changes nothing.
    """
    start = begins(at, opens, minutes)
    if forming is None:
        return _fresh(start, price, traded, traded), None
    if start > forming.candle.start:
        return _fresh(start, price, forming.traded, traded), None if forming.told else forming.candle
    if start < forming.candle.start or forming.told:
        return forming, None
    return _grown(forming, price, traded), None


def settle(forming: Forming | None, now: datetime, minutes: int) -> tuple[Forming | None, Candle | None]:
    """The candle under way if its time is over though no later price has come yet; it is handed out once."""
    if forming is None or forming.told or now < closes_at(forming.candle, minutes):
        return forming, None
    return msgspec.structs.replace(forming, told=True), forming.candle


def closes_at(candle: Candle, minutes: int) -> datetime:
    """The instant at which a candle ends; prices of that instant belong to the next."""
    return candle.start + timedelta(minutes=minutes)


def _fresh(start: datetime, price: int, before: int | None, traded: int | None) -> Forming:
    candle = Candle(start=start, open=price, high=price, low=price, close=price, volume=_between(before, traded))
    return Forming(candle=candle, before=before, traded=traded)


def _grown(forming: Forming, price: int, traded: int | None) -> Forming:
    candle, latest = forming.candle, forming.traded if traded is None else traded
    before = latest if forming.before is None else forming.before
    grown = msgspec.structs.replace(
        candle,
        high=max(candle.high, price),
        low=min(candle.low, price),
        close=price,
        volume=_between(before, latest),
    )
    return msgspec.structs.replace(forming, candle=grown, before=before, traded=latest)


def _between(before: int | None, traded: int | None) -> int | None:
    """Units traded between two readings of the day's volume, which starts again from nothing each day."""
    if before is None or traded is None:
        return None
    return traded - before if traded >= before else traded
