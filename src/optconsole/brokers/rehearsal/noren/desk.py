"""The order desk: what clients ask becomes orders at the paper exchange, what happens there becomes Noren's stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.body import BadRequest, Body
from optconsole.brokers.rehearsal.noren.intents import Change, modifying, placing
from optconsole.brokers.rehearsal.noren.record import OWN_TAG, RISK_DESK, Record, Stage, Ticket, ticket_of
from optconsole.brokers.rehearsal.noren.replies import NOT_FOUND, NOT_FOUND_TO_CANCEL
from optconsole.brokers.rehearsal.noren.symbols import Symbols
from optconsole.brokers.rehearsal.noren.words import PRICE_TYPES, PRODUCTS, RETENTIONS, SIDES
from optconsole.engine.clock import fresh_id
from optconsole.engine.ports import (
    Accepted,
    BrokerOrder,
    BrokerTrade,
    BrokerUpdate,
    ModifyRequest,
    PlaceOutcome,
    PlaceRequest,
    Rejected,
)

Tell = Callable[[Record, Stage], None]

REFUSED_NUMBERS: Final = 90_000_000
"""Orders that never reached the exchange are numbered from here within a day; the others as the exchange counts."""
KEPT_NUMBERS: Final = 80_000_000
MOST_CHANGES: Final = 25


class ServerTimeout(Exception):
    """The server gave up waiting, and what was asked may have happened."""


class Desk:
    """Every order of the day under its Noren number. ``tell`` hears of each stage as it happens."""

    def __init__(self, market: Market, tell: Tell) -> None:
        self._market, self._tell = market, tell
        self.symbols = Symbols(market.now().date(), market.instruments())
        self.records: dict[str, Record] = {}
        self.trades: list[tuple[Record, BrokerTrade, int]] = []
        self._of_broker: dict[str, Record] = {}
        self._broker_ids: dict[str, str] = {}
        self._expected: dict[str, Ticket] = {}
        self._remarks: set[str] = set()
        self._changes: dict[str, int] = {}
        self._refused = 0

    async def open(self) -> None:
        """Take over what the exchange has of today already."""
        broker = self._market.desk
        for order in await broker.orders():
            self._first_seen(order)
        for trade in await broker.trades():
            self._filled(trade)
        for order in await broker.orders():
            self._follow(order)

    def turn(self) -> None:
        """Begin another day: its contracts, no orders."""
        self.symbols = Symbols(self._market.now().date(), self._market.instruments())
        for book in (self.records, self._of_broker, self._broker_ids, self._expected, self._changes):
            book.clear()
        self.trades.clear()
        self._remarks.clear()
        self._refused = 0

    def find(self, number: str) -> Record | None:
        return self.records.get(number)

    # ------------------------------------------------------------ what clients ask

    async def place(self, body: Body) -> str:
        """The number of the new order, whether or not it lives. Raises BadRequest for what is no order at all."""
        return await self.submit(placing(body, self.symbols))

    async def submit(self, ticket: Ticket) -> str:
        """Send an order; what the risk desk or the exchange refuses is in the book as REJECTED."""
        if ticket.prd not in PRODUCTS:
            return self._refuse(ticket, f"RED:Product {ticket.prd} is not enabled for {ticket.symbol.exch}").number
        fresh = ticket.remarks and ticket.remarks not in self._remarks
        tag = ticket.remarks if fresh else OWN_TAG + fresh_id()
        self._remarks.add(ticket.remarks)
        outcome = await self._send(ticket, tag)
        if isinstance(outcome, Rejected) and outcome.code == "DUPLICATE_TAG":
            # remarks may repeat on this wire, the exchange behind numbers by them: an earlier day had this one
            outcome = await self._send(ticket, OWN_TAG + fresh_id())
        if isinstance(outcome, Rejected):
            return self._refuse(ticket, f"RED:{outcome.reason}").number
        return self._taken(outcome.broker_id, ticket).number

    async def modify(self, body: Body) -> str:
        """The order's number once the change is on its way. Raises BadRequest."""
        change = modifying(body, self.symbols)
        record = self._alive(change.number, NOT_FOUND)
        if record.ticket.symbol != self.symbols.named(body.word("exch"), body.word("tsym")):
            raise BadRequest(NOT_FOUND)
        count = self._changes[record.number] = self._changes.get(record.number, 0) + 1
        if count > MOST_CHANGES:
            raise BadRequest("Rejected : ORA:Maximum modification limit reached")
        await self._change(record, change)
        return record.number

    async def cancel(self, number: str) -> str:
        """The order's number once the cancel is on its way. Raises BadRequest."""
        record = self._alive(number, NOT_FOUND_TO_CANCEL)
        self._say(record, record.asked(self._market.now(), "CanAck", "PendingCancel"))
        outcome = await self._market.desk.cancel(self._broker_ids[number])
        self._changed(record, "CancelRejected", outcome)
        return number

    # ------------------------------------------------------------ what the exchange tells

    def on_update(self, update: BrokerUpdate) -> None:
        """Follow one update."""
        if isinstance(update, BrokerOrder):
            self._follow(update)
        elif isinstance(update, BrokerTrade):
            self._filled(update)

    def _follow(self, order: BrokerOrder) -> None:
        record = self._of_broker.get(order.broker_id) or self._first_seen(order)
        if record is not None:
            self._say(record, record.seen(order))

    def _first_seen(self, order: BrokerOrder) -> Record | None:
        """Open the record of an order: one that a client just sent, or one that is there without us."""
        symbol = self.symbols.of(order.contract)
        found = None if symbol is None else ticket_of(order, symbol)
        ticket = self._expected.pop(order.tag, None) or found
        return None if ticket is None else self._taken(order.broker_id, ticket)

    def _filled(self, trade: BrokerTrade) -> None:
        record = self._of_broker.get(trade.broker_id)
        if record is None:
            return
        stage = record.filled(trade)
        self.trades.append((record, trade, stage.filled))
        self._say(record, [stage])

    # ------------------------------------------------------------ inside

    async def _send(self, ticket: Ticket, tag: str) -> Accepted | Rejected:
        """Raises ServerTimeout where nobody knows what became of it."""
        kind = PRICE_TYPES[ticket.prctyp]
        request = PlaceRequest(
            tag=tag,
            account=self._market.account.id,
            instrument=ticket.symbol.instrument,
            side=SIDES[ticket.trantype],
            qty=ticket.qty,
            type=kind,
            price=ticket.prc,
            trigger=ticket.trgprc or None,
            product=PRODUCTS[ticket.prd],
            validity=RETENTIONS[ticket.ret],
        )
        self._expected[tag] = ticket
        outcome = await self._market.desk.place(request)
        if isinstance(outcome, (Accepted, Rejected)):
            self._expected.pop(tag, None)
            return outcome
        raise ServerTimeout(outcome.cause)

    async def _change(self, record: Record, change: Change) -> None:
        self._say(record, record.asked(self._market.now(), "ModAck", "PendingReplace"))
        outcome = await self._market.desk.modify(
            ModifyRequest(
                broker_id=self._broker_ids[record.number],
                qty=change.qty,
                price=change.prc,
                trigger=change.trgprc or None,
            )
        )
        self._changed(record, "ReplaceRejected", outcome)

    def _changed(self, record: Record, report: str, outcome: PlaceOutcome) -> None:
        """A change or cancel that was refused leaves the order as it is. Raises ServerTimeout."""
        if isinstance(outcome, Rejected):
            self._say(record, [record.change_refused(self._market.now(), report, outcome.reason)])
        elif not isinstance(outcome, Accepted):
            raise ServerTimeout(outcome.cause)

    def _alive(self, number: str, gone: str) -> Record:
        record = self.records.get(number)
        if record is None or not record.alive:
            raise BadRequest(gone)
        return record

    def _taken(self, broker_id: str, ticket: Ticket) -> Record:
        """The record of an order at the exchange: its first row may come before or after the answer."""
        record = self._of_broker.get(broker_id)
        if record is None:
            record = self._open(_number(broker_id), ticket)
            self._of_broker[broker_id] = record
            self._broker_ids[record.number] = broker_id
        return record

    def _open(self, number: str, ticket: Ticket) -> Record:
        record = Record(number, ticket, self._market.now(), f"1500000{number[-9:]}")
        self.records[number] = record
        self._say(record, record.taken(self._market.now()))
        return record

    def _refuse(self, ticket: Ticket, reason: str) -> Record:
        self._refused += 1
        now = self._market.now()
        record = self._open(f"{now:%y%m%d}{REFUSED_NUMBERS + self._refused:08d}", ticket)
        self._say(record, [record.refused(now, reason, RISK_DESK)])
        return record

    def _say(self, record: Record, stages: Sequence[Stage]) -> None:
        for stage in stages:
            self._tell(record, stage)


def _number(broker_id: str) -> str:
    """Noren's number of an order: the date and eight digits; those that a fault keeps from the exchange begin at 8."""
    letter, date, count = broker_id[0], broker_id[1:7], broker_id[7:]
    return f"{date}{count}" if letter == "P" else f"{date}{KEPT_NUMBERS + int(count):08d}"
