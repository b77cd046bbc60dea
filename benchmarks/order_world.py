"""A world for the order desk's benchmarks: the real engine, a market that stands still, brokers that only listen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime

from optconsole.engine.clock import MarketClock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account, Funds, Mode
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import OrderStatus, OrderTerms, OrderType, Product, Side, Validity
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.timeline import IST, millis
from optconsole.engine.model.vitals import BrokerVitals, LinkState
from optconsole.engine.ports import (
    Accepted,
    Broker,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    Doubtful,
    Journal,
    ModifyRequest,
    PlaceOutcome,
    PlaceRequest,
    QuoteSink,
    Rejected,
    Settlement,
    UpdateSink,
)
from optconsole.engine.world import World
from tests.engine.facts import option

OPENED = datetime(2026, 11, 23, 10, 0, tzinfo=IST)
EXPIRY = date(2026, 12, 1)
LOT = 65
PRICE = 100_00
ACCOUNT = Account(id="bench", broker="bench", mode=Mode.PAPER, capital=10**12)
INDEX = Instrument(name="NIFTY", underlying="NIFTY", exchange="NSE", kind=Kind.INDEX, lot=1, tick=5, freeze=0)

OPTIONS = tuple(option((24_000 + 50 * at) * 100, expiry=EXPIRY) for at in range(50))


def limit_order(contract: str, side: Side = Side.BUY) -> OrderTerms:
    """One lot that rests."""
    return OrderTerms(account=ACCOUNT.id, contract=contract, side=side, qty=LOT, type=OrderType.LIMIT, price=PRICE - 5)


class StillFeed:
    """Every contract has one price, and keeps it."""

    name = "bench"

    async def start(self, sink: QuoteSink) -> None:
        sink(picture(OPENED))

    async def stop(self) -> None:
        return None

    def instruments(self, day: date) -> list[Instrument]:
        return [INDEX, *OPTIONS]

    def watch(self, names: Sequence[str]) -> None:
        return None

    def depth(self, name: str) -> Depth | None:
        return None


def picture(moment: datetime) -> list[Quote]:
    """A quote of everything, as fresh as the moment."""
    stamp = millis(moment)
    options = [
        Quote(name=item.name, ts=stamp, bid=PRICE - 5, bid_qty=LOT, ask=PRICE + 5, ask_qty=LOT, ltp=PRICE)
        for item in OPTIONS
    ]
    return [Quote(name=INDEX.name, ts=stamp, ltp=24_500_00, booked=False), *options]


class QuietBroker:
    """A broker with a book to read and nothing to tell; it takes no orders."""

    name = "bench"
    account = ACCOUNT
    book_is_proof = False

    def __init__(self, book: Sequence[BrokerOrder] = ()) -> None:
        self._book = list(book)

    async def connect(self, sink: UpdateSink) -> None:
        return None

    async def close(self) -> None:
        return None

    async def place(self, request: PlaceRequest) -> PlaceOutcome:
        return Rejected("NOT_HERE", "This broker only shows its book.")

    async def modify(self, request: ModifyRequest) -> PlaceOutcome:
        return Rejected("NOT_HERE", "This broker only shows its book.")

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        return Rejected("NOT_HERE", "This broker only shows its book.")

    async def orders(self) -> list[BrokerOrder]:
        return list(self._book)

    async def trades(self) -> list[BrokerTrade]:
        return []

    async def positions(self) -> list[BrokerPosition]:
        return []

    async def settlements(self) -> list[Settlement]:
        return []

    async def funds(self) -> Funds:
        return Funds(account=ACCOUNT.id, cash=ACCOUNT.capital, margin_used=0)

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        return 0

    def vitals(self) -> BrokerVitals:
        live = LinkState.LIVE
        return BrokerVitals(
            name=self.name, quotes=live, order_read=live, order_write=live, latency_p50=None, latency_p99=None, note=""
        )


class WireBroker(QuietBroker):
    """Writes each order as one line to a loopback socket; the receiver answers with the time its first byte came."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._waiting: dict[bytes, asyncio.Future[int]] = {}
        self._count = 0
        self.arrived: list[int] = []
        """Nanoseconds of the machine's monotonic clock, in the order of the answers."""

    async def connect(self, sink: UpdateSink) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._reading = asyncio.create_task(self._read(reader))

    async def close(self) -> None:
        self._writer.close()
        self._reading.cancel()

    async def place(self, request: PlaceRequest) -> PlaceOutcome:
        tag = request.tag.encode()
        answer = self._waiting[tag] = asyncio.get_running_loop().create_future()
        self._writer.write(
            b"%s %s %s %d %d\n"
            % (tag, request.instrument.name.encode(), request.side.value.encode(), request.qty, request.price)
        )
        try:
            self.arrived.append(await answer)
        except ConnectionError as failed:
            return Doubtful(str(failed))
        self._count += 1
        broker_id = f"B{self._count}"
        self._book.append(broker_row(request.tag, broker_id, limit_order(request.instrument.name, request.side)))
        return Accepted(broker_id)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            tag, at = line.split()
            self._waiting.pop(tag).set_result(int(at))


def broker_row(tag: str, broker_id: str, terms: OrderTerms) -> BrokerOrder:
    """A resting order as the broker's book shows it."""
    return BrokerOrder(
        broker_id=broker_id,
        tag=tag,
        account=terms.account,
        contract=terms.contract,
        side=terms.side,
        qty=terms.qty,
        filled=0,
        type=terms.type,
        price=terms.price or 0,
        trigger=None,
        product=Product.NRML,
        validity=Validity.DAY,
        status=OrderStatus.OPEN,
        triggered=False,
        code="",
        reason="",
        updated_at=OPENED,
    )


def world(journal: Journal, broker: Broker, clock: MarketClock | None = None, install_id: str = "bench") -> World:
    """What the engine stands on."""
    return World(
        name="practice",
        version="0",
        install_id=install_id,
        clock=clock or MarketClock(OPENED),
        journal=journal,
        feed=StillFeed(),
        brokers={ACCOUNT.id: broker},
        calendar=Calendar.load(),
        limits=OrderLimits(max_lots=50, deviation_percent=50),
        charge_for=lambda _day, _instrument, _side, _value: 20_00,
        exercise_charge=lambda _day, _instrument, _value: 0,
        disk_free=lambda: None,
    )
