"""What Shoonya knows of the past and of neighbours: candles, days, option chains, search."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from optconsole.brokers.shoonya import replies
from optconsole.brokers.shoonya.bodies import price
from optconsole.brokers.shoonya.replies import Row, Said
from optconsole.brokers.shoonya.wire import Wire
from optconsole.brokers.transport.coerce import paise, units
from optconsole.brokers.transport.gateway import Listed, Master
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import IST, millis
from optconsole.engine.ports import BrokerUnreachable

MINUTES: Final = (1, 3, 5, 10, 15, 30, 60, 120, 240)
"""The lengths of candles there are; there is none of a day."""


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One bar. ``at`` is its beginning; prices in paise, ``volume`` and ``oi`` in units."""

    at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int
    oi: int


class MarketHistory:
    """Questions about more than the present price."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def candles(self, listed: Listed, start: datetime, end: datetime, minutes: int) -> list[Candle]:
        """Bars from the oldest on. Raises Refusal(BAD_INTERVAL); LoginLost, BrokerUnreachable."""
        if minutes not in MINUTES:
            raise Refusal("BAD_INTERVAL", f"Shoonya has no candles of {minutes} minutes; ask for one of {MINUTES}.")
        fields = {
            "exch": listed.segment,
            "token": listed.token,
            "st": str(millis(start) // 1000),
            "et": str(millis(end) // 1000),
            "intrv": str(minutes),
        }
        said = await self._wire.said("TPSeries", fields, "candles", keyed=True)
        return sorted((_bar(row) for row in _list(said, "candles")), key=lambda bar: bar.at)

    async def days(self, segment: str, symbol: str, start: datetime, end: datetime) -> list[Candle]:
        """Daily bars by Shoonya's own symbol; of an index that is its display name."""
        fields = {
            "sym": f"{segment}:{symbol}",
            "from": str(millis(start) // 1000),
            "to": str(millis(end) // 1000),
        }
        said = await self._wire.said("EODChartData", fields, "daily bars", keyed=True)
        return sorted((_bar(row) for row in _list(said, "daily bars")), key=lambda bar: bar.at)

    async def chain(self, anchor: Listed, strike: int, each_side: int, master: Master) -> list[Listed]:
        """Options around a strike (paise) of the anchor's underlying and expiry, as far as the day's list has them.

        The anchor is an option or a future: names of indices are refused, and it alone decides the expiry.
        """
        fields = {
            "exch": anchor.segment,
            "tsym": anchor.symbol,
            "strprc": price(strike),
            "cnt": str(each_side),
        }
        said = await self._wire.fields("GetOptionChain", fields, "option chain")
        rows = said.get("values")
        if not isinstance(rows, list):
            raise BrokerUnreachable("Shoonya's option chain is no list.")
        found = (master.at(str(row.get("exch")), str(row.get("token"))) for row in rows if isinstance(row, dict))
        return [row for row in found if row is not None and row.instrument.expiry == anchor.instrument.expiry]

    async def search(self, text: str, segment: str = "") -> Sequence[Row]:
        """Shoonya's own search, as it answers it."""
        fields = {"stext": text, **({"exch": segment} if segment else {})}
        said = await self._wire.fields("SearchScrip", fields, "search")
        return [row for row in said.get("values") or () if isinstance(row, dict)]


def _list(said: Said, what: str) -> list[Row]:
    """Rows of an array, each of which may be the text of its own JSON."""

    if isinstance(said.value, list) and said.value and all(isinstance(row, str) for row in said.value):
        try:
            said = Said(said.status, [msgspec.json.decode(row) for row in said.value], said.fault)
        except msgspec.DecodeError as broken:
            raise BrokerUnreachable(f"Shoonya's {what} cannot be read.") from broken
    return replies.rows(said, what)


def _bar(row: Row) -> Candle:
    try:
        return Candle(
            at=datetime.fromtimestamp(units(row["ssboe"]), IST),
            open=paise(row["into"]),
            high=paise(row["inth"]),
            low=paise(row["intl"]),
            close=paise(row["intc"]),
            volume=units(row.get("intv") or "0"),
            oi=units(row.get("oi") or "0"),
        )
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise BrokerUnreachable(f"A bar of Shoonya cannot be read: {display(str(error), 80)}.") from error
