"""What the broker does by the clock: closing intraday positions, ending day orders, settling what expires."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import msgspec

from optconsole.brokers.paper.account import traded
from optconsole.brokers.paper.exchange import Exchange
from optconsole.brokers.paper.orders import AUTO_SQUARE_OFF, Batch, CashEntry, PaperOrder
from optconsole.brokers.paper.settlement import cash_price, exercised
from optconsole.brokers.paper.tape import closing_value
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.timeline import millis
from optconsole.engine.ports import PlaceRequest, Settlement

PATIENCE = timedelta(minutes=1)
"""How long a square-off order may rest before it follows the price band."""


class Session:
    """Everything here follows from books and time alone, so a restart at any moment goes on where it stopped."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._books = exchange.books
        self._tape = exchange.tape
        self._window = exchange.settings.settlement_minutes

    def open_day(self, day: date, instruments: Iterable[Instrument]) -> None:
        """Find the indices that make a settlement today, with the minutes of them that are durable already."""
        for contract in instruments:
            if contract.expiry != day or contract.last_trade is None:
                continue
            until = millis(contract.last_trade)
            since = millis(contract.last_trade - timedelta(minutes=self._window))
            known = self._tape.closing.get(contract.underlying, (since, until))
            self._tape.closing[contract.underlying] = (min(since, known[0]), max(until, known[1]))
        for name in self._tape.closing:
            for minute, total, count in self._books.minutes(name, day):
                self._tape.minutes[name, minute] = (total, count)
                self._tape.kept.add((name, minute))

    def tend(self, now: datetime) -> None:
        """Do what is due at ``now``."""
        self._keep_minutes(now)
        self._end_orders([order for order in self._books.all_working() if self._ended(order, now)])
        self._square_off(now)
        for key in list(self._books.holdings):
            contract = self._exchange.contract(key[0])
            if contract.last_trade is not None and contract.last_trade <= now:
                self._settle(contract, key[1])

    def end(self, day: date) -> None:
        """End ``day`` whatever the clock says: its orders expire, what expired by then is settled."""
        self._end_orders([order for order in self._books.all_working() if order.day <= day])
        for name, product in list(self._books.holdings):
            contract = self._exchange.contract(name)
            if contract.expiry is not None and contract.expiry <= day:
                self._settle(contract, product)

    # ------------------------------------------------------------ orders

    def _ended(self, order: PaperOrder, now: datetime) -> bool:
        if order.day < now.date():
            return True
        hours = self._exchange.rules.trading(self._exchange.contract(order.contract), order.day)
        return hours is None or now >= hours[1]

    def _end_orders(self, orders: list[PaperOrder]) -> None:
        self._exchange.close_orders(
            orders, OrderStatus.EXPIRED, "DAY_OVER", "The session ended before the order was filled."
        )

    # ------------------------------------------------------------ intraday positions

    def _square_off(self, now: datetime) -> None:
        names = {name for name, product in self._books.holdings if product is Product.MIS}
        names |= {order.contract for order in self._books.all_working() if order.product is Product.MIS}
        for name in sorted(names):
            contract = self._exchange.contract(name)
            hours = self._exchange.rules.trading(contract, now.date())
            if hours is None or name not in self._exchange.listed:
                continue
            start = hours[1] - timedelta(minutes=self._exchange.settings.mis_square_off_minutes)
            if max(start, hours[0]) <= now < hours[1]:
                self._close_out(contract, now)

    def _close_out(self, contract: Instrument, now: datetime) -> None:
        resting = [order for order in self._books.resting(contract.name) if order.product is Product.MIS]
        foreign = [order for order in resting if order.code != AUTO_SQUARE_OFF]
        self._exchange.close_orders(
            foreign, OrderStatus.CANCELLED, AUTO_SQUARE_OFF, "MIS orders are cancelled at the auto square-off."
        )
        band = self._exchange.band(contract)
        if band is None:
            return
        own = [order for order in resting if order.code == AUTO_SQUARE_OFF]
        self._follow(contract, own, band, now)
        held = self._books.net(contract.name, Product.MIS)
        side = Side.SELL if held > 0 else Side.BUY
        missing = abs(held) - sum(order.remaining for order in own if order.side is side)
        largest = max(contract.freeze // contract.lot, 1) * contract.lot
        while missing > 0:
            self._send(contract, side, min(missing, largest), band)
            missing -= largest

    def _follow(self, contract: Instrument, own: list[PaperOrder], band: tuple[int, int], now: datetime) -> None:
        """Move square-off orders that found nobody to the edge of the present band."""
        for order in own:
            edge = _edge(order.side, band)
            if edge != order.price and now - order.updated_at >= PATIENCE:
                moved = msgspec.structs.replace(order, price=edge, updated_at=now)
                self._exchange.run(contract.name, Batch(orders=[moved]))

    def _send(self, contract: Instrument, side: Side, qty: int, band: tuple[int, int]) -> None:
        batch = Batch(contracts=[contract])
        request = PlaceRequest(
            tag="",
            account=self._books.account.id,
            instrument=contract,
            side=side,
            qty=qty,
            type=OrderType.LIMIT,
            price=_edge(side, band),
            trigger=None,
            product=Product.MIS,
            validity=Validity.DAY,
        )
        self._exchange.enter(batch, request, AUTO_SQUARE_OFF, "Auto square-off of an MIS position by the broker.")
        self._exchange.run(contract.name, batch)

    # ------------------------------------------------------------ expiry

    def _keep_minutes(self, now: datetime) -> None:
        """Make the finished minutes of a settling index durable."""
        present = now.replace(second=0, microsecond=0)
        done = {
            key: sums for key, sums in self._tape.minutes.items() if key[1] < present and key not in self._tape.kept
        }
        if done:
            self._books.keep(Batch(minutes=done))
            self._tape.kept.update(done)

    def _settle(self, contract: Instrument, product: Product) -> None:
        closing = self._closing(contract)
        held = self._books.holdings.get((contract.name, product))
        if closing is None or held is None:
            return
        now, qty = self._exchange.now(), held[0]
        price = cash_price(contract, closing)
        batch = Batch()
        settlement = Settlement(
            settlement_id=f"S{now:%y%m%d}{self._books.number(batch, 'settlement'):06d}",
            account=self._books.account.id,
            contract=contract.name,
            product=product,
            qty=qty,
            price=price,
            at=now,
        )
        side = Side.SELL if qty > 0 else Side.BUY
        after, cash = traded(held, contract, side, abs(qty), price)
        batch.positions[contract.name, product] = after
        batch.settlements.append(settlement)
        batch.cash.append(CashEntry(at=now, kind="SETTLEMENT", ref=settlement.settlement_id, amount=cash))
        value = exercised(contract, qty, price)
        tax = self._exchange.rules.exercise(contract.expiry or now.date(), contract, value) if value else 0
        if tax:
            batch.cash.append(CashEntry(at=now, kind="CHARGES", ref=settlement.settlement_id, amount=-tax))
        self._books.keep(batch)
        self._exchange.publish(settlement)

    def _closing(self, contract: Instrument) -> int | None:
        """The index's mean of the last minutes; where nobody watched them, its last value seen; None if never seen."""
        if contract.last_trade is None:
            return None
        day = contract.last_trade.date()
        rows = {minute: sums for (name, minute), sums in self._tape.minutes.items() if name == contract.underlying}
        if not any(minute.date() == day for minute in rows):
            rows = {minute: (total, count) for minute, total, count in self._books.minutes(contract.underlying, day)}
        mean = closing_value(
            [(minute, total, count) for minute, (total, count) in rows.items()], contract.last_trade, self._window
        )
        if mean is not None:
            return mean
        quote = self._tape.latest.get(contract.underlying)
        return None if quote is None else quote.ltp


def _edge(side: Side, band: tuple[int, int]) -> int:
    """The most aggressive price the exchange takes."""
    return band[1] if side is Side.BUY else band[0]
