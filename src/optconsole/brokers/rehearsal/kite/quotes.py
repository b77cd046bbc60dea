"""Kite's quotes and candles over REST."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from optconsole.brokers.rehearsal.kite.book import Row
from optconsole.brokers.rehearsal.kite.contracts import KiteContract, KiteContracts
from optconsole.brokers.rehearsal.kite.replies import INPUT, STAMP, KiteError, rupees, stamp
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.minutes import Minute
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Depth, Level, Quote
from optconsole.engine.model.timeline import IST, from_millis, millis

MOST_QUOTES: Final = 500
MOST_PRICES: Final = 1000
LEVELS: Final = 5
SPANS: Final = {
    "minute": (1, 60),
    "3minute": (3, 100),
    "5minute": (5, 100),
    "10minute": (10, 100),
    "15minute": (15, 200),
    "30minute": (30, 200),
    "60minute": (60, 400),
    "day": (24 * 60, 2000),
}
"""Minutes of a candle, and the most days of one request, by Kite's name of an interval."""


class KiteQuotes:
    def __init__(self, market: Market) -> None:
        self._market = market

    def quotes(self, keys: Sequence[str], contracts: KiteContracts, kind: str) -> Row:
        """By key; one that is not listed or has no price yet is absent. Raises KiteError for too many."""
        most = MOST_QUOTES if kind == "full" else MOST_PRICES
        if len(keys) > most:
            raise KiteError(INPUT, f"At most {most} instruments are quoted at once.")
        found: Row = {}
        for key in keys:
            contract = contracts.keyed(key)
            quote = None if contract is None else self._market.quote(contract.instrument.name)
            if contract is None or quote is None or quote.ltp is None:
                continue
            self._market.watch([contract.instrument.name])
            found[key] = self._row(contract, quote, quote.ltp, kind)
        return found

    def _row(self, contract: KiteContract, quote: Quote, last: int, kind: str) -> Row:
        row: Row = {"instrument_token": contract.token, "last_price": rupees(last)}
        if kind == "ltp":
            return row
        row["ohlc"] = self.ohlc(quote, last)
        return row if kind == "ohlc" else {**row, **self._rest(contract, quote, last)}

    def ohlc(self, quote: Quote, last: int) -> Row:
        """The day's; ``close`` is the previous day's."""
        session = self._market.session(quote.name)
        first, high, low = (session.open, session.high, session.low) if session is not None else (last, last, last)
        return {
            "open": rupees(first),
            "high": rupees(high),
            "low": rupees(low),
            "close": rupees(quote.prev_close or last),
        }

    def _rest(self, contract: KiteContract, quote: Quote, last: int) -> Row:
        """What only the full quote has; an index has neither book nor volume."""
        at = stamp(from_millis(quote.ts))
        row: Row = {"timestamp": at, "net_change": (last - (quote.prev_close or last)) / 100}
        if not contract.instrument.tradable:
            return row
        low, high = self._band(contract, last)
        depth = self._market.depth(quote.name)
        return {
            **row,
            "last_trade_time": at,
            "last_quantity": contract.instrument.lot,
            "average_price": rupees(last),
            "volume": quote.volume,
            "buy_quantity": total(depth.bids if depth is not None else ()),
            "sell_quantity": total(depth.asks if depth is not None else ()),
            "oi": quote.oi or 0,
            "oi_day_high": max(quote.oi or 0, quote.oi_open or 0),
            "oi_day_low": min(quote.oi or 0, quote.oi_open or quote.oi or 0),
            "lower_circuit_limit": rupees(low),
            "upper_circuit_limit": rupees(high),
            "depth": book(depth, contract.instrument.lot),
        }

    def _band(self, contract: KiteContract, last: int) -> tuple[int, int]:
        try:
            return self._market.rules.band(self._market.now().date(), contract.instrument, last)
        except Refusal:
            return 0, 0

    # ------------------------------------------------------------ candles

    def candles(self, contract: KiteContract, interval: str, asked: dict[str, str]) -> Row:
        """Raises KiteError for an interval that is none, or a span that is too long."""
        if interval not in SPANS:
            raise KiteError(INPUT, "Invalid `interval`.")
        minutes, days = SPANS[interval]
        since, until = _moment(asked, "from"), _moment(asked, "to")
        if until - since > timedelta(days=days):
            raise KiteError(INPUT, f"interval exceeds max limit: {days} days")
        first, last = millis(since), millis(until)
        rows = [row for row in self._market.minutes(contract.instrument.name) if first <= row.ts <= last]
        with_oi = asked.get("oi") in ("1", "true", "True")
        return {"candles": [_candle(group, with_oi) for group in _groups(rows, minutes)]}


def book(depth: Depth | None, lot: int) -> Row:
    """Five levels a side, padded with zeros."""
    return {
        "buy": [_level(level, lot) for level in padded(depth.bids if depth is not None else ())],
        "sell": [_level(level, lot) for level in padded(depth.asks if depth is not None else ())],
    }


def padded(levels: Sequence[Level]) -> list[Level]:
    """Exactly five."""
    return [*levels[:LEVELS], *[(0, 0)] * (LEVELS - len(levels))]


def orders_at(level: Level, lot: int) -> int:
    """How many orders a level holds: the market behind knows only their units."""
    return -(-level[1] // (lot * 4)) if level[1] else 0


def total(levels: Sequence[Level]) -> int:
    return sum(qty for _, qty in levels)


def _level(level: Level, lot: int) -> Row:
    return {"price": rupees(level[0]), "quantity": level[1], "orders": orders_at(level, lot)}


def _moment(asked: dict[str, str], name: str) -> datetime:
    given = asked.get(name, "")
    for form in (STAMP, "%Y-%m-%d"):
        try:
            return datetime.strptime(given, form).replace(tzinfo=IST)
        except ValueError:
            continue
    raise KiteError(INPUT, f"Invalid `{name}` date.")


def _groups(rows: Iterable[Minute], minutes: int) -> list[list[Minute]]:
    """Minutes of the same candle together; candles are counted from 09:15, days from midnight."""
    groups: dict[tuple[int, int], list[Minute]] = {}
    for row in rows:
        start = from_millis(row.ts)
        since = start.hour * 60 + start.minute - (9 * 60 + 15)
        groups.setdefault((start.toordinal(), 0 if minutes >= 24 * 60 else since // minutes), []).append(row)
    return list(groups.values())


def _candle(rows: Sequence[Minute], with_oi: bool) -> list[object]:
    first = from_millis(rows[0].ts)
    at = first.strftime("%Y-%m-%dT%H:%M:%S%z")
    prices = (rows[0].open, max(row.high for row in rows), min(row.low for row in rows), rows[-1].close)
    volume = rows[-1].volume - rows[0].before
    return [at, *map(rupees, prices), volume, *([rows[-1].oi] if with_oi else [])]
