"""A small stage for the paper broker: a hand-set clock, four contracts, real rules, and a record of updates."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.clock import seeded
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.timeline import IST, millis
from optconsole.engine.ports import (
    BrokerOrder,
    BrokerTrade,
    BrokerUpdate,
    ModifyRequest,
    PlaceRequest,
    Settlement,
)
from optconsole.runtime.rates import paper_rules
from tests.engine import facts

DAY = date(2026, 11, 18)
EXPIRY = date(2026, 11, 23)
LOT = 65
CAPITAL = 10_00_000_00


def at(clock: str, day: date = DAY) -> datetime:
    """IST moment of ``HH:MM`` or ``HH:MM:SS``."""
    return datetime.combine(day, time.fromisoformat(clock), IST)


def option(strike: int, right: Right = Right.CALL, expiry: date = EXPIRY) -> Instrument:
    """Strike in rupees."""
    return facts.option(strike * 100, right, expiry)


INDEX = Instrument(name="NIFTY", underlying="NIFTY", exchange="NSE", kind=Kind.INDEX, lot=1, tick=1, freeze=0)
CALL = option(25_000)
HEDGE = option(25_500)
PUT = option(25_000, Right.PUT)
FUTURE = Instrument(
    name=contract_name("NIFTY", EXPIRY),
    underlying="NIFTY",
    exchange="NSE",
    kind=Kind.FUTURE,
    lot=LOT,
    tick=10,
    freeze=1800,
    expiry=EXPIRY,
    last_trade=at("15:40", EXPIRY),
)
LISTED = [INDEX, CALL, HEDGE, PUT, FUTURE]


class HandClock:
    """Time moves only when told, or by sleeping."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def stepped(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self._monotonic += seconds
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def set(self, moment: datetime) -> None:
        self._monotonic += max(0.0, (moment - self._now).total_seconds())
        self._now = moment


@dataclass
class Stage:
    """One broker with its clock; ``updates`` is what the client was told."""

    broker: PaperBroker
    clock: HandClock
    path: Path
    updates: list[BrokerUpdate] = field(default_factory=list)
    books: dict[str, Depth] = field(default_factory=dict)
    _tags: int = 0

    def show(
        self,
        instrument: Instrument,
        bid: tuple[int, int] | None = None,
        ask: tuple[int, int] | None = None,
        ltp: int | None = None,
        booked: bool = True,
        volume: int = 0,
    ) -> None:
        """One new quote at the clock's time; prices in paise, sizes in units."""
        quote = Quote(
            name=instrument.name,
            ts=millis(self.clock.now()),
            bid=bid[0] if bid else None,
            bid_qty=bid[1] if bid else 0,
            ask=ask[0] if ask else None,
            ask_qty=ask[1] if ask else 0,
            ltp=ltp,
            volume=volume,
            booked=booked,
        )
        self.broker.on_quotes([quote])

    def request(
        self,
        side: Side = Side.BUY,
        qty: int = LOT,
        price: int = 100_00,
        instrument: Instrument = CALL,
        trigger: int | None = None,
        product: Product = Product.NRML,
        validity: Validity = Validity.DAY,
        tag: str | None = None,
    ) -> PlaceRequest:
        self._tags += 1
        return PlaceRequest(
            tag=f"T{self._tags:014d}" if tag is None else tag,
            account=self.broker.account.id,
            instrument=instrument,
            side=side,
            qty=qty,
            type=OrderType.LIMIT if trigger is None else OrderType.SL,
            price=price,
            trigger=trigger,
            product=product,
            validity=validity,
        )

    async def place(self, request: PlaceRequest) -> str:
        """Place and return the broker's id; the order must be taken."""
        outcome = await self.broker.place(request)
        assert hasattr(outcome, "broker_id"), outcome
        return outcome.broker_id

    async def modify(self, broker_id: str, qty: int, price: int, trigger: int | None = None) -> object:
        return await self.broker.modify(ModifyRequest(broker_id=broker_id, qty=qty, price=price, trigger=trigger))

    async def order(self, broker_id: str) -> BrokerOrder:
        return next(order for order in await self.broker.orders() if order.broker_id == broker_id)

    async def net(self) -> dict[str, int]:
        return {row.contract: row.qty for row in await self.broker.positions()}

    async def cash(self) -> int:
        return (await self.broker.funds()).cash

    def told_trades(self) -> list[BrokerTrade]:
        return [row for row in self.updates if isinstance(row, BrokerTrade)]

    def told_orders(self, broker_id: str) -> list[BrokerOrder]:
        return [row for row in self.updates if isinstance(row, BrokerOrder) and row.broker_id == broker_id]

    def told_settlements(self) -> list[Settlement]:
        return [row for row in self.updates if isinstance(row, Settlement)]


ACCOUNT = Account(id="PAPER1", broker="paper", mode=Mode.PAPER, capital=CAPITAL)


async def open_stage(
    folder: Path,
    start: datetime | None = None,
    settings: PaperSettings | None = None,
    listed: Sequence[Instrument] = tuple(LISTED),
    account: Account = ACCOUNT,
    clock: HandClock | None = None,
) -> Stage:
    """A connected broker on ``folder``'s ledger, in the middle of a trading day."""
    clock = clock or HandClock(start or at("10:00"))
    path = folder / "paper.db"
    books: dict[str, Depth] = {}
    rules = paper_rules(Calendar.load())
    broker = PaperBroker(account, clock, path, settings or PaperSettings(), rules, seeded(7), books.get)
    stage = Stage(broker, clock, path, books=books)
    broker.load(listed)
    await broker.connect(stage.updates.append)
    return stage
