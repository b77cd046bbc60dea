"""GTT orders and alerts: prices that are watched, and what is sent when they are reached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from optconsole.brokers.rehearsal.noren.body import BadRequest, Body
from optconsole.brokers.rehearsal.noren.desk import ServerTimeout
from optconsole.brokers.rehearsal.noren.intents import placing, symbol_of
from optconsole.brokers.rehearsal.noren.record import Ticket
from optconsole.brokers.rehearsal.noren.replies import Row
from optconsole.brokers.rehearsal.noren.symbols import Symbol, Symbols
from optconsole.brokers.rehearsal.noren.words import money, noren_time
from optconsole.engine.model.quotes import Quote

ABOVE: Final = "LTP_A"
BELOW: Final = "LTP_B"
CREATED: Final = "Oi created"
REPLACED: Final = "OI replaced"
DELETED: Final = "Oi delete success"
UNKNOWN: Final = "Invalid Oi"
FIRST_NUMBER: Final = 26_000_001
Submit = Callable[[Ticket], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Watch:
    """A price that is waited for. Without a ticket it is an alert only."""

    number: str
    symbol: Symbol
    kind: str
    price: int
    validity: str
    remarks: str
    since: datetime
    ticket: Ticket | None

    def reached(self, last: int) -> bool:
        return last > self.price if self.kind == ABOVE else last < self.price

    def row(self) -> Row:
        """A row of GetPendingGTTOrder or GetPendingAlert."""
        row: Row = {
            "stat": "Ok",
            "ai_t": self.kind,
            "al_id": self.number,
            "tsym": self.symbol.tsym,
            "exch": self.symbol.exch,
            "token": self.symbol.token,
            "remarks": self.remarks,
            "validity": self.validity,
            "norentm": noren_time(self.since),
            "pp": "2",
            "ti": self.symbol.tick,
            "ls": self.symbol.lot,
            "d": money(self.price),
        }
        ticket = self.ticket
        if ticket is not None:
            row |= {
                "trantype": ticket.trantype,
                "prctyp": ticket.prctyp,
                # a number here, unlike everywhere else
                "qty": ticket.qty,
                "prc": money(ticket.prc),
                "prd": ticket.prd,
                "ret": ticket.ret,
                "dscqty": ticket.dscqty,
            }
        return row


class Watches:
    """Watches of one account, by number. A GTT lives over nights, a DAY one does not."""

    def __init__(self, submit: Submit, now: Callable[[], datetime]) -> None:
        self._submit, self._now = submit, now
        self._watches: dict[str, Watch] = {}
        self._numbered = 0

    def set(self, body: Body, symbols: Symbols, order: bool) -> str:
        """The number of a new watch. Raises BadRequest."""
        self._numbered += 1
        number = f"{self._now():%y%m%d}{FIRST_NUMBER + self._numbered:08d}"
        self._watches[number] = self._read(body, symbols, number, order)
        return number

    def replace(self, body: Body, symbols: Symbols, order: bool) -> str:
        """New terms under the same number. Raises BadRequest."""
        before = self._known(body, order)
        changed = self._read(body, symbols, before.number, order)
        self._watches[before.number] = replace(changed, since=before.since)
        return before.number

    def drop(self, body: Body, order: bool) -> str:
        """Raises BadRequest."""
        return self._watches.pop(self._known(body, order).number).number

    def rows(self, order: bool) -> list[Row]:
        return [watch.row() for watch in self._watches.values() if (watch.ticket is not None) is order]

    def turn(self, symbols: Symbols) -> None:
        """Another day: what was for a day is over, and what is no longer listed cannot be reached."""
        self._watches = {
            number: watch
            for number, watch in self._watches.items()
            if watch.validity == "GTT" and symbols.of(watch.symbol.instrument.name) is not None
        }

    def due(self, quotes: Sequence[Quote]) -> list[Watch]:
        """Watches whose price has come; they are gone from then on."""
        if not self._watches:
            return []
        last = {quote.name: quote.ltp for quote in quotes if quote.ltp is not None}
        found = [
            watch
            for watch in self._watches.values()
            if (price := last.get(watch.symbol.instrument.name)) is not None and watch.reached(price)
        ]
        for watch in found:
            del self._watches[watch.number]
        return found

    async def fire(self, watch: Watch) -> None:
        """Send the order of a watch that was reached; nobody waits for an answer, the book shows what became of it."""
        if watch.ticket is not None:
            with suppress(ServerTimeout):
                await self._submit(watch.ticket)

    def _known(self, body: Body, order: bool) -> Watch:
        watch = self._watches.get(body.word("al_id"))
        if watch is None or (watch.ticket is not None) is not order:
            raise BadRequest(UNKNOWN)
        return watch

    def _read(self, body: Body, symbols: Symbols, number: str, order: bool) -> Watch:
        if body.word("ai_t") not in (ABOVE, BELOW):
            raise BadRequest("Invalid Input : Invalid Alert Type")
        if body.word("validity") not in ("DAY", "GTT"):
            raise BadRequest("Invalid Input : Invalid Validity")
        return Watch(
            number=number,
            symbol=symbol_of(body, symbols),
            kind=body.word("ai_t"),
            price=body.price("d"),
            validity=body.word("validity"),
            remarks=body.word("remarks"),
            since=self._now(),
            ticket=placing(body, symbols) if order else None,
        )
