"""One Shoonya account behind the engine's broker port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from optconsole.brokers.shoonya import bodies, precheck, refusals, rows, words
from optconsole.brokers.shoonya.replies import Row
from optconsole.brokers.shoonya.rows import BadRow, Once, Reader
from optconsole.brokers.shoonya.settings import DERIVATIVES, ShoonyaSettings
from optconsole.brokers.shoonya.stream import Stream
from optconsole.brokers.shoonya.updates import Ears
from optconsole.brokers.shoonya.wire import Wire
from optconsole.brokers.transport.gateway import Evidence, Master
from optconsole.engine.clock import Clock
from optconsole.engine.model.accounts import Account, Funds
from optconsole.engine.model.orders import Product, Validity
from optconsole.engine.model.vitals import BrokerVitals, LinkState
from optconsole.engine.ports import (
    Accepted,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    BrokerUnreachable,
    ModifyRequest,
    NotSent,
    PlaceOutcome,
    PlaceRequest,
    Rejected,
    Settlement,
    UpdateSink,
)

T = TypeVar("T")
NOT_READY: Final = "Today's contracts of Shoonya are not loaded yet."


@dataclass(frozen=True, slots=True)
class _Route:
    """What a change of an order must name beside its number."""

    segment: str
    symbol: str
    validity: str


class ShoonyaBroker:
    """Orders, books and money of one account. Order updates come over the socket that quotes share."""

    def __init__(
        self, account: Account, settings: ShoonyaSettings, wire: Wire, stream: Stream, clock: Clock, evidence: Evidence
    ) -> None:
        self._account = account
        self._settings = settings
        self._wire = wire
        self._stream = stream
        self._evidence = Once(evidence)
        self._reader = Reader(account.id, self._name_of, evidence, clock.now)
        self._ears = Ears(self._reader)
        self._master: Master | None = None
        self._routes: dict[str, _Route] = {}
        self._tags: set[str] = set()
        self._sink: UpdateSink | None = None
        self._readings: dict[str, asyncio.Task[None]] = {}
        self._frames = 0
        self._last_frame: dict[str, int] = {}
        stream.on_order(self._hear)
        stream.on_live(self._catch_up)

    # ------------------------------------------------------------ the port: its life

    @property
    def name(self) -> str:
        return self._account.broker

    @property
    def account(self) -> Account:
        return self._account

    @property
    def book_is_proof(self) -> bool:
        """Shoonya's book may lag behind."""
        return False

    async def connect(self, sink: UpdateSink) -> None:
        """Hear of orders from now on. A socket that is not up yet is no refusal: the books are read anyway."""
        self._sink = sink
        await self._stream.open("orders")

    async def close(self) -> None:
        self._sink = None
        for task in list(self._readings.values()):
            task.cancel()
        await asyncio.gather(*self._readings.values(), return_exceptions=True)
        await self._stream.shut("orders")

    def adopt(self, master: Master) -> None:
        """Take today's contracts."""
        if self._master is not None and self._master.day != master.day:
            self._ears.forget()
            self._last_frame.clear()
            self._routes.clear()
            self._tags.clear()
        self._master = master

    # ------------------------------------------------------------ the port: orders

    async def place(self, request: PlaceRequest) -> PlaceOutcome:
        """Send an order once. The same tag is never sent twice: Shoonya itself would take both."""
        if self._sink is None:
            return NotSent("The account at Shoonya is not connected.")
        listed = self._master.of(request.instrument.name) if self._master else None
        refused = precheck.fault(request, listed)
        if refused is not None or listed is None:
            return refused or Rejected("MASTER_MISSING", NOT_READY)
        if request.tag in self._tags:
            return Rejected("DUPLICATE_TAG", f"An order with the tag {request.tag} has left already.")
        self._tags.add(request.tag)
        fields = bodies.place(
            self._wire.user, self._wire.account, listed.segment, listed.symbol, request, self._settings.algo_id
        )
        outcome = await self._wire.order("PlaceOrder", fields, refusals.placed)
        if isinstance(outcome, NotSent):
            self._tags.discard(request.tag)
        if isinstance(outcome, Accepted):
            route = _Route(listed.segment, listed.symbol, words.VALIDITY_WORDS[request.validity])
            self._routes.setdefault(outcome.broker_id, route)
        return outcome

    async def modify(self, request: ModifyRequest) -> PlaceOutcome:
        """New terms for a working order; what the wire wants beside them is read from the book where we forgot it."""
        route = await self._route(request.broker_id)
        if not isinstance(route, _Route):
            return route
        fields = bodies.modify(
            self._wire.user,
            route.segment,
            request.broker_id,
            route.symbol,
            request.qty,
            request.price,
            request.trigger,
            route.validity,
        )
        return await self._wire.order("ModifyOrder", fields, partial(refusals.changed, broker_id=request.broker_id))

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        fields = {"uid": self._wire.user, "norenordno": broker_id}
        return await self._wire.order("CancelOrder", fields, partial(refusals.changed, broker_id=broker_id))

    async def _route(self, broker_id: str) -> _Route | PlaceOutcome:
        if broker_id not in self._routes:
            try:
                await self.orders()
            except BrokerUnreachable as failed:
                return NotSent(f"The order could not be looked up: {failed}")
        unknown = Rejected("ORDER_UNKNOWN", "Shoonya's order book holds no such order; nothing was sent.")
        return self._routes.get(broker_id, unknown)

    # ------------------------------------------------------------ the port: books

    async def orders(self) -> list[BrokerOrder]:
        found = await self._book("OrderBook", {}, "order book", self._reader.order)
        self._tags.update(order.tag for order in found if order.tag)
        return found

    async def history(self, broker_id: str) -> list[BrokerOrder]:
        """What an order went through, oldest first."""
        rows_ = await self._book("SingleOrdHist", {"norenordno": broker_id}, "order history", self._reader.order)
        return rows_[::-1]

    async def trades(self) -> list[BrokerTrade]:
        """Today's trades, oldest first."""
        found = await self._book("TradeBook", {"actid": self._wire.account}, "trade book", self._reader.trade)
        for trade in found:
            self._ears.note(trade)
        found.reverse()  # the newest come first on the wire; those of one second keep their order
        return sorted(found, key=lambda trade: trade.at)

    async def positions(self) -> list[BrokerPosition]:
        """Open quantities; intraday products that only differ by how they are closed count together."""
        found = await self._book("PositionBook", {"actid": self._wire.account}, "positions", self._reader.position)
        total: dict[tuple[str, Product], int] = {}
        for row in found:
            total[row.contract, row.product] = total.get((row.contract, row.product), 0) + row.qty
        return [
            BrokerPosition(account=self._account.id, contract=contract, product=product, qty=qty)
            for (contract, product), qty in total.items()
            if qty
        ]

    async def settlements(self) -> list[Settlement]:
        """Shoonya tells of none: what expired is gone from the positions of the next day."""
        return []

    async def funds(self) -> Funds:
        said = await self._wire.fields("Limits", {"actid": self._wire.account}, "limits")
        try:
            return rows.funds(self._account.id, said)
        except BadRow as bad:
            raise BrokerUnreachable(str(bad)) from bad

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        """Shoonya's own figure for the account after ``requests`` have filled, with what offsets they bring."""
        if not requests:
            return (await self.funds()).margin_used
        legs = [self._margin_leg(request) for request in requests]
        fields: dict[str, object] = {"actid": self._wire.account, **legs[0], "basketlists": legs[1:]}
        said = await self._wire.fields("GetBasketMargin", fields, "margin")
        return rows.amount(said, "marginusedtrade")

    def vitals(self) -> BrokerVitals:
        latencies = self._wire.rest.latencies()
        return BrokerVitals(
            name=self.name,
            quotes=self._stream.state if self._sink is not None else LinkState.CLOSED,
            order_read=self._order_state(self._wire.readable is False),
            order_write=self._order_state(False),
            latency_p50=latencies[0] if latencies else None,
            latency_p99=latencies[1] if latencies else None,
            note=self._stream.note,
        )

    # ------------------------------------------------------------ inside

    def _order_state(self, failing: bool) -> LinkState:
        if self._sink is None:
            return LinkState.CLOSED
        if self._wire.token() is None:
            return LinkState.DEAD
        return LinkState.STALE if failing else LinkState.LIVE

    def _margin_leg(self, request: PlaceRequest) -> dict[str, str]:
        listed = self._master.of(request.instrument.name) if self._master else None
        if listed is None:
            raise BrokerUnreachable(f"{request.instrument.name} is not in Shoonya's list of today.")
        leg = bodies.place(self._wire.user, self._wire.account, listed.segment, listed.symbol, request)
        return {name: value for name, value in leg.items() if name in bodies.MARGIN_KEYS}

    async def _book(self, endpoint: str, fields: Mapping[str, object], what: str, read: Callable[[Row], T]) -> list[T]:
        said = await self._wire.rows(endpoint, fields, what)
        if said and self._master is None:
            raise BrokerUnreachable(NOT_READY)
        found: list[T] = []
        for row in said:
            self._remember(row)
            try:
                found.append(read(row))
            except BadRow as bad:
                # what is wrong with a share or a commodity is evidence, and hides no option
                if row.get("exch") in (None, "", *DERIVATIVES):
                    raise BrokerUnreachable(str(bad)) from bad
        return found

    def _remember(self, row: Mapping[str, Any]) -> None:
        number, segment, symbol = row.get("norenordno"), row.get("exch"), row.get("tsym")
        if isinstance(number, str) and isinstance(segment, str) and isinstance(symbol, str):
            validity = str(row.get("ret") or words.VALIDITY_WORDS[Validity.DAY])
            self._routes[number] = _Route(segment, symbol.replace("%26", "&"), validity)

    def _name_of(self, segment: str, symbol: str) -> str:
        """Our name of a contract; one that is not on our list keeps the broker's."""
        listed = self._master.named(segment, symbol) if self._master else None
        if listed is not None:
            return listed.instrument.name
        if segment in DERIVATIVES:
            self._evidence("UNKNOWN_CONTRACT", f"{segment} lists no such contract today.", symbol)
        return rows.stranger(symbol)

    def _hear(self, frame: Mapping[str, Any]) -> None:
        if self._sink is None:
            return
        if self._master is None:
            return  # the first reading of the books comes after the contracts, and tells it all
        self._remember(frame)
        heard = self._ears.hear(frame)
        self._frames += 1
        for update in heard.updates:
            if isinstance(update, BrokerOrder):
                self._last_frame[update.broker_id] = self._frames
            self._sink(update)
        if heard.read:
            self._read_soon(heard.read, self._read_order(heard.read))

    def _catch_up(self) -> None:
        """Nothing that happened while the socket was down is told again: read it."""
        if self._sink is not None and self._master is not None:
            self._read_soon("", self._read_order(""))

    def _read_soon(self, key: str, reading: Coroutine[Any, Any, None]) -> None:
        if key in self._readings:
            reading.close()
            return
        task = self._readings[key] = asyncio.create_task(reading)
        task.add_done_callback(lambda _done: self._readings.pop(key, None))

    async def _read_order(self, broker_id: str) -> None:
        """Tell an order's trades and then the order, from the books; all orders where none is named."""
        began = self._frames
        try:
            trades, orders = await self.trades(), await self.orders()
        except BrokerUnreachable:
            return  # the engine reads the books itself, and says so when it cannot
        # what a frame said of an order meanwhile is newer than the reading
        current = [order for order in orders if self._last_frame.get(order.broker_id, 0) <= began]
        rows_: list[BrokerTrade | BrokerOrder] = [*trades, *current]
        for update in rows_:
            if self._sink is not None and broker_id in ("", update.broker_id):
                self._sink(update)
