"""What Noren remembers of one order: the terms as asked, and each stage of its life."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from optconsole.brokers.rehearsal.noren.symbols import Symbol
from optconsole.brokers.rehearsal.noren.words import PRODUCT_WORD, RETENTION_WORD, SIDE_WORD, STATUS_WORD, TYPE_WORD
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.ports import BrokerOrder, BrokerTrade

PENDING: Final = "PENDING"
RISK_DESK: Final = "RED"
"""Who refuses before the exchange is asked."""
OWN_TAG: Final = "~"
"""Begins the tag of an order whose remarks could not be one: they were empty, or taken already."""
_ON_THE_WAY: Final = frozenset({"ModAck", "PendingReplace", "CanAck", "PendingCancel"})


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order as the client wrote it. Prices in paise, 0 where there is none."""

    symbol: Symbol
    trantype: str
    prctyp: str
    prd: str
    ret: str
    qty: int
    prc: int
    trgprc: int
    dscqty: int = 0
    remarks: str = ""
    source: str = "API"
    amo: str = ""


def ticket_of(order: BrokerOrder, symbol: Symbol) -> Ticket:
    """The ticket of an order that no client wrote here: of an earlier life, or the broker's own."""
    return Ticket(
        symbol=symbol,
        trantype=SIDE_WORD[order.side],
        prctyp=TYPE_WORD[order.type],
        prd=PRODUCT_WORD[order.product],
        ret=RETENTION_WORD[order.validity],
        qty=order.qty,
        prc=order.price,
        trgprc=order.trigger or 0,
        remarks="" if order.tag.startswith(OWN_TAG) else order.tag,
        source="API" if order.tag else "ADM",
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: what a row of the order book shows and an update reports. ``filled_value`` is paise."""

    status: str
    report: str
    at: datetime
    qty: int
    prc: int
    trgprc: int
    prctyp: str
    filled: int = 0
    filled_value: int = 0
    cancelled: int = 0
    reason: str = ""
    rejected_by: str = ""
    fill: BrokerTrade | None = None


@dataclass(slots=True)
class Record:
    """One order under its Noren number; ``stages`` oldest first, never empty."""

    number: str
    ticket: Ticket
    entered_at: datetime
    exchange_id: str
    stages: list[Stage] = field(default_factory=list)

    @property
    def now(self) -> Stage:
        return self.stages[-1]

    @property
    def alive(self) -> bool:
        return self.now.status in (PENDING, "OPEN", "TRIGGER_PENDING")

    def add(self, stage: Stage) -> Stage:
        self.stages.append(stage)
        return stage

    # ------------------------------------------------------------ how a life goes on

    def taken(self, at: datetime) -> list[Stage]:
        """The gateway has it and sends it on."""
        ticket = self.ticket
        first = Stage(PENDING, "NewAck", at, ticket.qty, ticket.prc, ticket.trgprc, ticket.prctyp)
        return [self.add(first), self.add(replace(first, report="PendingNew"))]

    def refused(self, at: datetime, reason: str, by: str) -> Stage:
        """The risk desk or the exchange turned it down after it was taken."""
        return self.add(replace(self.now, status="REJECTED", report="Rejected", at=at, reason=reason, rejected_by=by))

    def change_refused(self, at: datetime, report: str, reason: str) -> Stage:
        """A change or cancel was turned down and the order is as it was. ``report`` is what the update says.

        The stage after it is what the book shows from then on.
        """
        settled = next(stage for stage in reversed(self.stages) if stage.report not in _ON_THE_WAY)
        told = self.add(replace(settled, report=report, at=at, reason=reason, fill=None))
        self.add(replace(settled, fill=None))
        return told

    def asked(self, at: datetime, acknowledged: str, pending: str) -> list[Stage]:
        """A change or cancel is on its way to the exchange."""
        first = self.add(replace(self.now, report=acknowledged, at=at, fill=None, reason=""))
        return [first, self.add(replace(first, report=pending))]

    def filled(self, trade: BrokerTrade) -> Stage:
        """One execution: COMPLETE only when nothing is left, while every one reports Fill."""
        before = self.now
        filled = before.filled + trade.qty
        return self.add(
            replace(
                before,
                status="COMPLETE" if filled >= before.qty else "OPEN",
                report="Fill",
                at=trade.at,
                filled=filled,
                filled_value=before.filled_value + trade.qty * trade.price,
                fill=trade,
                reason="",
            )
        )

    def seen(self, row: BrokerOrder) -> list[Stage]:
        """Follow the exchange's own row; what executions told already adds nothing."""
        before = self.now
        status = STATUS_WORD[row.status]
        trigger = row.trigger or 0
        terms = (row.qty, row.price, trigger, TYPE_WORD[row.type])
        if row.status is OrderStatus.REJECTED:
            return [self.refused(row.updated_at, row.reason, self._judge(row))] if before.status != status else []
        if status == "CANCELED":
            return [self._cancelled(row)] if before.status != status else []
        if status == "COMPLETE":
            return []
        if before.status == PENDING:
            return [self._standing(row, status, "New")]
        if before.report == "PendingReplace" or terms != (before.qty, before.prc, before.trgprc, before.prctyp):
            return [self._standing(row, status, "Replaced")]
        return [self._standing(row, status, "New")] if before.status != status else []

    def _standing(self, row: BrokerOrder, status: str, report: str) -> Stage:
        return self.add(
            replace(
                self.now,
                status=status,
                report=report,
                at=max(row.updated_at, self.now.at),
                qty=row.qty,
                prc=row.price,
                trgprc=row.trigger or 0,
                prctyp=TYPE_WORD[row.type],
                reason="",
                fill=None,
            )
        )

    def _judge(self, row: BrokerOrder) -> str:
        """Who refused: the broker's risk desk by its own word, else the exchange."""
        if row.reason.startswith("RMS"):
            return RISK_DESK
        return "BSE" if self.ticket.symbol.exch == "BFO" else "NSE"

    def _cancelled(self, row: BrokerOrder) -> Stage:
        before = self.now
        return self.add(
            replace(
                before,
                status="CANCELED",
                report="Canceled",
                at=row.updated_at,
                cancelled=before.qty - before.filled,
                reason="",
                fill=None,
            )
        )
