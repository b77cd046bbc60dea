"""GetQuotes and GetSecurityInfo, with the habit of answering for another instrument of the same login."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren import listings
from optconsole.brokers.rehearsal.noren.body import BadRequest, Body
from optconsole.brokers.rehearsal.noren.desk import Desk
from optconsole.brokers.rehearsal.noren.hazards import Hazards
from optconsole.brokers.rehearsal.noren.replies import BAD_INPUT, Row, not_ok, ok
from optconsole.brokers.rehearsal.noren.sight import Sight, look
from optconsole.brokers.rehearsal.noren.symbols import Symbol
from optconsole.engine.clock import Rng

REMEMBERED: Final = 16
NOT_QUOTED: Final = "No Data :"


class Quoting:
    """One instrument a call. ``hazards`` is asked at each call; ``tape`` draws which answers are wrong."""

    def __init__(self, market: Market, desk: Desk, hazards: Callable[[], Hazards], tape: Rng) -> None:
        self._market, self._desk, self._hazards, self._tape = market, desk, hazards, tape
        self._asked: deque[Symbol] = deque(maxlen=REMEMBERED)

    def turn(self) -> None:
        """Another day: what was asked is of contracts that may be gone."""
        self._asked.clear()

    def quotes(self, body: Body) -> Row:
        """Raises BadRequest."""
        wanted = self._named(body)
        symbol = self._mixed_up(wanted)
        if symbol not in self._asked:
            self._asked.append(symbol)
        if wanted not in self._asked:
            self._asked.append(wanted)
        seen = look(self._market, symbol)
        if seen is None:
            return not_ok(self._market.now(), NOT_QUOTED)
        underlying = self._underlying(symbol)
        spot = self._market.quote(underlying.instrument.name) if underlying is not None else None
        return ok(self._market.now(), listings.quote_row(seen, underlying, spot.ltp if spot else None))

    def security(self, body: Body) -> Row:
        """Raises BadRequest."""
        symbol = self._named(body)
        seen = look(self._market, symbol) or _unseen(symbol, self._market.stamp())
        return ok(self._market.now(), listings.security_row(seen, self._underlying(symbol)))

    def _mixed_up(self, wanted: Symbol) -> Symbol:
        """The wanted contract, or by the hazard another one that this login asked for: an index, where it did."""
        percent = self._hazards().wrong_quotes
        if not percent or self._tape.random() * 100 >= percent:
            return wanted
        others = [symbol for symbol in self._asked if symbol is not wanted]
        indices = [symbol for symbol in others if symbol.exch == "NSE"]
        return (indices or others or [wanted])[-1]

    def _named(self, body: Body) -> Symbol:
        body.need("exch", "token")
        symbol = self._desk.symbols.at(body.word("exch"), body.word("token"))
        if symbol is None:
            raise BadRequest(BAD_INPUT)
        return symbol

    def _underlying(self, symbol: Symbol) -> Symbol | None:
        return self._desk.symbols.of(symbol.instrument.underlying)


def _unseen(symbol: Symbol, stamp: int) -> Sight:
    """A contract before its first quote: static facts only."""
    return Sight(
        symbol=symbol,
        stamp=stamp,
        booked=False,
        last=None,
        open=0,
        high=0,
        low=0,
        close=0,
        volume=0,
        oi=0,
        oi_before=0,
        trade_qty=0,
        trade_time="",
        bids=(),
        asks=(),
    )
