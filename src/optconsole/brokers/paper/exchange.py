"""The paper exchange: orders and quotes in, committed changes and their reports out. Synchronous."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

import msgspec

from optconsole.brokers.paper.account import traded
from optconsole.brokers.paper.books import Books
from optconsole.brokers.paper.ledger import LedgerBroken
from optconsole.brokers.paper.matching import NOTHING, Fill, Market, Memory, Round, market, play
from optconsole.brokers.paper.orders import Batch, CashEntry, PaperOrder
from optconsole.brokers.paper.rules import PaperRules
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.brokers.paper.tape import Tape
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.ports import BrokerTrade, BrokerUpdate, PlaceRequest

DepthOf = Callable[[str], Depth | None]


class Exchange:
    """Matches orders against what the market shows and keeps the books. Raises LedgerBroken."""

    def __init__(
        self,
        books: Books,
        settings: PaperSettings,
        rules: PaperRules,
        now: Callable[[], datetime],
        depth: DepthOf,
        publish: Callable[[BrokerUpdate], None],
    ) -> None:
        self.books = books
        self.settings = settings
        self.rules = rules
        self.now = now
        self.publish = publish
        self.tape = Tape(settings.reference_seconds)
        self.listed: dict[str, Instrument] = {}
        self._depth = depth
        self._memory: dict[str, Memory] = {}

    def open_day(self, instruments: Sequence[Instrument], new: bool) -> None:
        """Take the contracts listed today; on a ``new`` day earlier prices are forgotten."""
        self.listed = {instrument.name: instrument for instrument in instruments}
        if new:
            self.tape.forget()
            self._memory.clear()

    # ------------------------------------------------------------ what the market shows

    def see(self, quotes: Sequence[Quote]) -> None:
        """Take new quotes; only contracts with a working order cost more than remembering.

        What the ledger refuses has not happened; it keeps the reason, and the next quote tries again.
        """
        saw, books = self.tape.saw, self.books
        for quote in quotes:
            saw(quote)
            if quote.name in books.working:
                with suppress(LedgerBroken):
                    self.run(quote.name, Batch())

    def run(self, name: str, batch: Batch) -> None:
        """Commit ``batch``, whose orders are of this contract, with all they and the resting ones trade now."""
        fresh = list(batch.orders)
        played = self._round(name, fresh)
        if not fresh and not played.orders:
            self._memory[name] = played.memory
            return
        self._record(batch, played, fresh)
        known = {**self.books.working.get(name, {}), **{order.broker_id: order for order in fresh}}
        self.books.keep(batch)
        self._memory[name] = played.memory
        self._report(fresh, known, played, batch.trades)

    def _round(self, name: str, fresh: Sequence[PaperOrder]) -> Round:
        memory = self._memory.get(name, NOTHING)
        listed, quote, now = self.listed.get(name), self.tape.latest.get(name), self.now()
        if listed is None:
            return Round((), (), memory)
        hours = self.rules.trading(listed, now.date())
        if hours is None or not hours[0] <= now < hours[1]:
            return Round((), (), memory)
        orders = {**self.books.working.get(name, {}), **{order.broker_id: order for order in fresh}}
        band = self.band(listed) if any(order.waiting for order in orders.values()) else None
        shown = market(quote, self._depth(name), listed, self.settings) if quote else Market()
        return play(orders.values(), shown, memory, listed.lot, self.settings.fill_share_percent, band, now)

    def _record(self, batch: Batch, played: Round, fresh: Sequence[PaperOrder]) -> None:
        """Write the round's orders, trades, holdings and cash into the batch."""
        after = {order.broker_id: order for order in (*fresh, *played.orders)}
        batch.orders = list(after.values())
        values: dict[str, int] = {}
        for fill in played.fills:
            order = after[fill.broker_id]
            before = values.get(fill.broker_id)
            if before is None:
                mine = [other for other in played.fills if other.broker_id == fill.broker_id]
                before = order.filled_value - sum(other.qty * other.price for other in mine)
            values[fill.broker_id] = before + fill.qty * fill.price
            self._record_fill(batch, order, fill, before)

    def _record_fill(self, batch: Batch, order: PaperOrder, fill: Fill, value_before: int) -> None:
        contract, now = self.contract(order.contract), self.now()
        trade_id = f"T{now:%y%m%d}{self.books.number(batch, 'trade'):08d}"
        batch.trades.append(
            BrokerTrade(
                trade_id=trade_id,
                broker_id=order.broker_id,
                tag=order.tag,
                account=order.account,
                contract=order.contract,
                product=order.product,
                side=order.side,
                qty=fill.qty,
                price=fill.price,
                at=now,
            )
        )
        key = (order.contract, order.product)
        batch.positions[key], cash = traded(self.books.held(batch, key), contract, order.side, fill.qty, fill.price)
        billed = self.rules.charges
        value = value_before + fill.qty * fill.price
        earlier = billed(now.date(), contract, order.side, value_before) if value_before else 0
        cost = billed(now.date(), contract, order.side, value) - earlier
        batch.cash.append(CashEntry(at=now, kind="TRADE", ref=trade_id, amount=cash))
        batch.cash.append(CashEntry(at=now, kind="CHARGES", ref=trade_id, amount=-cost))

    def _report(
        self,
        fresh: Sequence[PaperOrder],
        known: dict[str, PaperOrder],
        played: Round,
        trades: Sequence[BrokerTrade],
    ) -> None:
        """Tell the client in the order in which it happened: taken, triggered, traded, and how it stands now."""
        for order in fresh:
            self.publish(order.row())
        for order in played.orders:
            before = known[order.broker_id]
            if order.triggered and not before.triggered and order.filled > before.filled:
                latched = msgspec.structs.replace(before, triggered=True, status=OrderStatus.OPEN)
                self.publish(latched.row())
        for trade in trades:
            self.publish(trade)
        for order in played.orders:
            self.publish(order.row())

    # ------------------------------------------------------------ what the desk and the session ask

    def enter(self, batch: Batch, request: PlaceRequest, code: str = "", reason: str = "") -> PaperOrder:
        """A new order in ``batch`` under the next number."""
        now = self.now()
        number = self.books.number(batch, "order")
        order = PaperOrder(
            broker_id=f"P{now:%y%m%d}{number:08d}",
            tag=request.tag,
            account=request.account,
            contract=request.instrument.name,
            side=request.side,
            qty=request.qty,
            type=request.type,
            price=request.price,
            trigger=request.trigger,
            product=request.product,
            validity=request.validity,
            rank=self.books.number(batch, "rank"),
            day=now.date(),
            entered_at=now,
            updated_at=now,
            status=OrderStatus.TRIGGER_PENDING if request.trigger is not None else OrderStatus.OPEN,
            code=code,
            reason=reason,
        )
        batch.orders.append(order)
        return order

    def close_orders(self, orders: Sequence[PaperOrder], status: OrderStatus, code: str, reason: str) -> None:
        """End working orders without a fill."""
        if not orders:
            return
        now = self.now()
        ended = [
            msgspec.structs.replace(order, status=status, code=code, reason=reason, updated_at=now) for order in orders
        ]
        self.books.keep(Batch(orders=ended))
        for order in ended:
            self.publish(order.row())

    def contract(self, name: str) -> Instrument:
        """Terms of a contract that is listed, or was when it was traded."""
        return self.listed.get(name) or self.books.contracts[name]

    def band(self, instrument: Instrument) -> tuple[int, int] | None:
        """The price band of this moment; None while no price is known."""
        reference = self.tape.reference(instrument.name, self.now())
        return None if reference is None else self.rules.band(self.now().date(), instrument, reference)
