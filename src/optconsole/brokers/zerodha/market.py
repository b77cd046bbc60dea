"""What Kite tells of the market when it is asked: quotes, checked to be of what was asked for, and past candles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from optconsole.brokers.transport.gateway import Evidence, Listed
from optconsole.brokers.zerodha.rows import BadRow, moment, paise
from optconsole.brokers.zerodha.session import KiteSession
from optconsole.brokers.zerodha.settings import HISTORY, QUOTES, KiteSettings
from optconsole.brokers.zerodha.ticks import Known
from optconsole.engine.clock import Clock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import IST, millis
from optconsole.engine.ports import BrokerUnreachable

LONGEST: Final = {
    "minute": 60,
    "3minute": 100,
    "5minute": 100,
    "10minute": 100,
    "15minute": 200,
    "30minute": 200,
    "60minute": 400,
    "day": 2000,
}
"""Days that one request for candles may span, by interval."""
_NOUGHT: Final = Decimal(0)


class LevelRow(msgspec.Struct, frozen=True):
    price: Decimal = _NOUGHT
    quantity: int = 0


class DepthRow(msgspec.Struct, frozen=True):
    buy: list[LevelRow] = []
    sell: list[LevelRow] = []


class Ohlc(msgspec.Struct, frozen=True):
    """``close`` is the day before's."""

    close: Decimal = _NOUGHT


class QuoteRow(msgspec.Struct, frozen=True):
    """One entry of GET /quote. An index has no depth, volume or circuits."""

    instrument_token: int
    last_price: Decimal
    timestamp: str | None = None
    volume: int = 0
    oi: int | None = None
    lower_circuit_limit: Decimal = _NOUGHT
    upper_circuit_limit: Decimal = _NOUGHT
    ohlc: Ohlc = Ohlc()
    depth: DepthRow | None = None


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """Prices in paise of the interval that begins at ``at``; ``oi`` where it was asked for."""

    at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int
    oi: int | None = None


class CandleRow(msgspec.Struct, frozen=True, array_like=True):
    """One candle as Kite writes it."""

    at: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    oi: int | None = None


class CandleRows(msgspec.Struct, frozen=True):
    candles: list[CandleRow]


class KiteMarket:
    """Reads of the market, within what Kite allows of them a second."""

    def __init__(self, settings: KiteSettings, session: KiteSession, clock: Clock, evidence: Evidence) -> None:
        self._settings, self._session, self._clock, self._evidence = settings, session, clock, evidence

    async def quotes(self, listed: Sequence[Listed]) -> list[Quote]:
        """Quotes of these contracts; those the broker does not know any more are missing.

        Raises BrokerUnreachable, LoginLost.
        """
        found: list[Quote] = []
        most = self._settings.quotes_per_call
        for start in range(0, len(listed), most):
            asked = {f"{row.segment}:{row.symbol}": row for row in listed[start : start + most]}
            rows = await self._session.read(
                "quotes", "/quote", dict[str, QuoteRow], params={"i": list(asked)}, bucket=QUOTES
            )
            now = millis(self._clock.now())
            quotes = (self._checked(key, asked.get(key), row, now) for key, row in rows.items())
            found += [quote for quote in quotes if quote is not None]
        return found

    def _checked(self, key: str, asked: Listed | None, row: QuoteRow, now: int) -> Quote | None:
        """The quote, if it is of what was asked for and can be true."""
        if asked is None or asked.token != str(row.instrument_token):
            self._evidence(
                "WRONG_INSTRUMENT",
                f"A quote of {display(key, 40)} with token {row.instrument_token} is not of what was asked for.",
                "",
            )
            return None
        try:
            quote = quote_of(asked.instrument.name, row, now)
            low, high = paise(row.lower_circuit_limit), paise(row.upper_circuit_limit)
        except BadRow as wrong:
            self._evidence("BAD_TICK", f"A quote of {asked.instrument.name} cannot be read: {wrong}.", "")
            return None
        last = quote.ltp or 0
        outside = high > 0 and last > 0 and not low <= last <= high
        if outside or not Known(asked.instrument).plausible(last, quote.prev_close or 0):
            self._evidence("BAD_TICK", f"A quote of {asked.instrument.name} at {last} paise was laid aside.", "")
            return None
        return quote

    async def candles(
        self, listed: Listed, interval: str, start: datetime, end: datetime, oi: bool = False
    ) -> list[Candle]:
        """Candles from ``start`` to ``end``, both included, asked in as many pieces as Kite's spans make of it.

        Raises Refusal(BAD_INTERVAL), BrokerUnreachable, LoginLost.
        """
        if interval not in LONGEST:
            raise Refusal("BAD_INTERVAL", f"{interval!r} is no interval of Zerodha; choose {', '.join(LONGEST)}.")
        found: list[Candle] = []
        span = timedelta(days=LONGEST[interval])
        while start <= end:
            until = min(end, start + span - timedelta(seconds=1))
            params = {"from": _local(start), "to": _local(until), "continuous": 0, "oi": int(oi)}
            path = f"/instruments/historical/{listed.token}/{interval}"
            read = await self._session.read("candles", path, CandleRows, params=params, bucket=HISTORY)
            try:
                found += [_candle(row) for row in read.candles]
            except (BadRow, ValueError) as wrong:
                raise BrokerUnreachable(f"Zerodha's candles cannot be read: {display(str(wrong), 100)}") from None
            start = until + timedelta(seconds=1)
        return found


def quote_of(name: str, row: QuoteRow, now: int) -> Quote:
    """A quote in our words; ``now`` where it has no time of its own. Raises BadRow."""
    bid, ask = _best(row.depth.buy if row.depth else []), _best(row.depth.sell if row.depth else [])
    try:
        stamp = millis(moment(row.timestamp)) if row.timestamp else now
    except ValueError:
        raise BadRow(f"its time is {display(row.timestamp or '', 30)!r}") from None
    return Quote(
        name=name,
        ts=stamp,
        bid=bid[0],
        bid_qty=bid[1],
        ask=ask[0],
        ask_qty=ask[1],
        ltp=paise(row.last_price) or None,
        volume=row.volume,
        oi=row.oi,
        prev_close=paise(row.ohlc.close) or None,
        booked=row.depth is not None,
    )


def _best(levels: Sequence[LevelRow]) -> tuple[int | None, int]:
    if not levels or levels[0].quantity <= 0 or levels[0].price <= 0:
        return None, 0
    return paise(levels[0].price), levels[0].quantity


def _local(at: datetime) -> str:
    return at.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")


def _candle(row: CandleRow) -> Candle:
    return Candle(
        at=moment(row.at),
        open=paise(row.open),
        high=paise(row.high),
        low=paise(row.low),
        close=paise(row.close),
        volume=row.volume,
        oi=row.oi,
    )
