"""One account's exchange: the shipped paper exchange as ground truth, with the habits of its broker and its faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.matching import reached
from optconsole.brokers.paper.orders import Batch, PaperOrder
from optconsole.brokers.paper.rules import PaperRules
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.quotes import Quote
from optconsole.engine.ports import (
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    BrokerUpdate,
    PlaceRequest,
    Settlement,
)
from tests.simulation.kernel import SimClock, SimLoop
from tests.simulation.swarm import Faults

NUMBERS: Final = 100_000
"""Each account's exchange numbers its orders and trades from another start."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """A broker's habits. ``embedded``: in our process, its book is proof; ``lag``: seconds its book is behind;
    ``paces``: its 429 is documented to mean that nothing was taken."""

    name: str
    embedded: bool = False
    lag: float = 0.0
    paces: bool = False


EMBEDDED: Final = Dialect("embedded", embedded=True)
PLAIN: Final = Dialect("plain")
LAGGY: Final = Dialect("laggy", lag=3.0, paces=True)
DIALECTS: Final = (PLAIN, EMBEDDED, LAGGY)


@dataclass(frozen=True, slots=True)
class Books:
    """One look at the exchange."""

    orders: list[BrokerOrder]
    trades: list[BrokerTrade]
    positions: list[BrokerPosition]
    settlements: list[Settlement]


class Venue:
    """The exchange of one account. Its ledger is real SQL in memory: it costs no sync, and outlives every engine."""

    def __init__(
        self,
        place: int,
        dialect: Dialect,
        clock: SimClock,
        loop: SimLoop,
        faults: Faults,
        calendar: Calendar,
        mode: Mode = Mode.PAPER,
    ) -> None:
        self.dialect, self.faults = dialect, faults
        self.account = Account(id=f"SIM{place + 1}", broker=dialect.name, mode=mode, capital=10**11)
        self._clock, self._loop = clock, loop
        self._dry: dict[str, float] = {}
        self._past: deque[tuple[float, Books]] = deque()
        self.told: Callable[[BrokerUpdate], None] = lambda _update: None
        rules = PaperRules(
            hours=lambda exchange, day: (
                None if (session := calendar.session(day, exchange)) is None else (session.opens, session.closes)
            ),
            band=lambda _day, _instrument, price: self._band(price),
            charges=lambda _day, _instrument, _side, value: 20_00 + value // 1000,
            exercise=lambda _day, _instrument, value: value // 800,
            margin=lambda _held, _quote, _now: 0,
        )
        self.exchange = PaperBroker(
            self.account, clock, Path(":memory:"), PaperSettings(), rules, faults.tape("exchange")
        )
        self.books = self.exchange._books
        if not dialect.embedded:
            self._forgets_tags()
        self.books.keep(Batch(counters={"order": place * NUMBERS, "trade": place * NUMBERS}))
        now(self.exchange.connect(self._happened))

    def _forgets_tags(self) -> None:
        """No broker behind a network refuses a tag it has seen: whoever sends twice has two orders."""
        self.exchange._ledger._db.execute("DROP INDEX orders_tag")
        self.books.knows_tag = lambda _tag: False  # type: ignore[method-assign]

    def _band(self, price: int) -> tuple[int, int]:
        """Limit price protection; now and then much narrower than published."""
        share = 3 if self.faults.on("ex.band") else 60
        return max(price * (100 - share) // 100 // 5 * 5, 5), price * (100 + share) // 100 // 5 * 5

    # ------------------------------------------------------------ the day

    def open_day(self, listed: Sequence[Instrument], opening: Sequence[Quote]) -> None:
        """List the day's contracts, now and then with a smaller freeze quantity than published."""
        if self.faults.strikes("ex.freeze_limit") is not None:
            listed = [msgspec.structs.replace(item, freeze=min(item.freeze, 2 * item.lot)) for item in listed]
        self.exchange.load(listed)
        self._past.clear()  # over a night even a laggy book catches up
        self._keep_picture()
        self.exchange.on_quotes(opening)

    def on_quotes(self, quotes: Sequence[Quote]) -> None:
        """A second of the market, as this exchange has it."""
        shown = [self._shown(quote) for quote in quotes]
        self.faults.lasting("ex.band", 5, 40)
        self._dry_up(shown)
        for quote in shown:
            self._refuse_at_trigger(quote)
        self.exchange.on_quotes(shown)
        self.exchange.on_time(self._clock.now())

    def _shown(self, quote: Quote) -> Quote:
        until = self._dry.get(quote.name)
        if until is None:
            return quote
        if until < self._loop.time() or self.faults.swarm.off:
            del self._dry[quote.name]
            return quote
        return _nobody(quote)

    def _dry_up(self, shown: list[Quote]) -> None:
        """From now on nobody is there to trade a contract with, whatever the price."""
        options = [place for place, quote in enumerate(shown) if quote.booked and quote.name not in self._dry]
        if not options:
            return
        tape = self.faults.strikes("ex.never_fill")
        if tape is not None:
            place = tape.pick(options)
            self._dry[shown[place].name] = self._loop.time() + tape.uniform(5, 50)
            shown[place] = _nobody(shown[place])

    def _refuse_at_trigger(self, quote: Quote) -> None:
        for order in self.books.resting(quote.name) if quote.name in self.books.working else ():
            if not order.waiting or order.filled or not reached(order.side, order.trigger or 0, quote.mark):
                continue
            if self.faults.strikes("ex.reject_at_trigger", order) is not None:
                self._reject(order, "LPP", "Order price is beyond LPP limit")

    # ------------------------------------------------------------ what else happens to orders

    def accepted(self, broker_id: str) -> None:
        """An order of ours was taken: the risk desk may think again, somebody may copy it."""
        tape = self.faults.strikes("ex.reject_after_ack", broker_id)
        if tape is not None:
            self._loop.call_later(tape.uniform(0.02, 3), self._think_again, broker_id)
        if self.faults.strikes("ex.clone", broker_id) is not None:
            self._clone(broker_id)

    def _think_again(self, broker_id: str) -> None:
        order = self.books.orders.get(broker_id)
        if order is not None and not order.status.final and not order.filled:
            self._reject(order, "RMS", "RMS: order rejected by the risk desk after acceptance")

    def _reject(self, order: PaperOrder, code: str, reason: str) -> None:
        self.exchange._exchange.close_orders([order], OrderStatus.REJECTED, code, reason)

    def _clone(self, broker_id: str) -> None:
        order = self.books.orders[broker_id]
        if order.type is OrderType.LIMIT and not self.dialect.embedded:
            self._foreign(order.contract, order.side, order.qty, order.price, order.product, order.tag)

    def foreign(self, name: str, side: Side, qty: int, price: int) -> None:
        """The trader's phone: an order without our tag."""
        self._foreign(name, side, qty, price, Product.NRML, "")

    def close_leg(self, choices: int) -> str:
        """The broker's risk desk closes one position at the market; the contract, empty when none is open."""
        held = sorted(
            (name, product) for name, product in self.books.holdings if name in self.exchange._exchange.listed
        )
        if not held:
            return ""
        name, product = held[choices % len(held)]
        qty = self.books.net(name, product)
        band = self.exchange._exchange.band(self.exchange._exchange.listed[name])
        if band is None:
            return ""
        self._foreign(name, Side.SELL if qty > 0 else Side.BUY, abs(qty), band[0] if qty > 0 else band[1], product, "")
        return name

    def _foreign(self, name: str, side: Side, qty: int, price: int, product: Product, tag: str) -> None:
        request = PlaceRequest(
            tag=tag,
            account=self.account.id,
            instrument=self.exchange._exchange.listed[name],
            side=side,
            qty=qty,
            type=OrderType.LIMIT,
            price=price,
            trigger=None,
            product=product,
            validity=Validity.DAY,
        )
        now(self.exchange.place(request))

    # ------------------------------------------------------------ books

    def picture(self) -> Books:
        """The exchange's books as they are."""
        books, account = self.books, self.account.id
        positions = [
            BrokerPosition(account=account, contract=name, product=product, qty=qty)
            for (name, product), (qty, _cost) in books.holdings.items()
        ]
        return Books(
            [order.row() for order in books.orders.values()], list(books.trades), positions, list(books.settlements)
        )

    def shown(self) -> Books:
        """The books as this broker shows them now: a laggy one shows how they were."""
        if not self.dialect.lag:
            return self.picture()
        moment = self._loop.time() - self.dialect.lag
        while len(self._past) > 1 and self._past[1][0] <= moment:
            self._past.popleft()
        return self._past[0][1] if self._past else self.picture()

    def held(self) -> dict[tuple[str, Product], int]:
        """Open units by contract and product."""
        return {key: qty for key, (qty, _cost) in self.books.holdings.items() if qty}

    def close(self) -> None:
        """Let go of the ledger."""
        self.exchange._ledger.close()

    def _happened(self, update: BrokerUpdate) -> None:
        self._keep_picture()
        self.told(update)

    def _keep_picture(self) -> None:
        if self.dialect.lag:
            moment = self._loop.time()
            if self._past and self._past[-1][0] == moment:
                self._past.pop()
            self._past.append((moment, self.picture()))
            while len(self._past) > 1 and self._past[1][0] <= moment - self.dialect.lag:
                self._past.popleft()


def _nobody(quote: Quote) -> Quote:
    """The quote with an empty book: a last price and nobody to trade with."""
    return msgspec.structs.replace(quote, bid=None, bid_qty=0, ask=None, ask_qty=0)


def now(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine of the exchange, which never waits: its own delays are zero."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value
    raise RuntimeError("the exchange waited")
