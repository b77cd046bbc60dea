"""An account at Zerodha as the engine's port: each order sent once, each answer judged by what it proves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from optconsole.brokers.transport.gateway import Evidence, Listed
from optconsole.brokers.zerodha import forms, rows
from optconsole.brokers.zerodha.envelope import SAID
from optconsole.brokers.zerodha.instruments import KiteMaster
from optconsole.brokers.zerodha.market import KiteMarket
from optconsole.brokers.zerodha.orders import OrderCalls, no_order, well_formed
from optconsole.brokers.zerodha.rows import BadRow, HoldingRow, Margins, OrderRow, Positions, Reader, TradeRow
from optconsole.brokers.zerodha.session import KiteSession
from optconsole.brokers.zerodha.settings import KiteSettings
from optconsole.brokers.zerodha.settling import Settling
from optconsole.brokers.zerodha.stream import KiteStream
from optconsole.brokers.zerodha.triggers import KiteTriggers
from optconsole.brokers.zerodha.updates import Updates
from optconsole.engine.clock import Clock
from optconsole.engine.model.accounts import Account, Funds
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.text import display
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

USER: Final = "orders"
CLOSED: Final = "The connection to Zerodha is closed."
TRADES_DEADLINE: Final = 2.0
"""Seconds for the trades of a fill: an order's update waits for them."""


class Profile(msgspec.Struct, frozen=True):
    user_id: str


class Total(msgspec.Struct, frozen=True):
    total: Decimal


class Basket(msgspec.Struct, frozen=True):
    """``final`` has the benefit of what hedges what."""

    final: Total


class KiteBroker:
    """The port, and beside it what only Kite has: ``market``, ``triggers``, holdings, conversion.

    Kite takes a second order with the same tag, so that it is refused here: one order a tag.
    """

    def __init__(
        self,
        account: Account,
        settings: KiteSettings,
        session: KiteSession,
        stream: KiteStream,
        market: KiteMarket,
        clock: Clock,
        evidence: Evidence,
    ) -> None:
        self._account, self._settings, self._session, self._stream = account, settings, session, stream
        self._clock, self._evidence = clock, evidence
        self.market = market
        self.triggers = KiteTriggers(session)
        self._master: KiteMaster | None = None
        self._reader = Reader(account.id, self._contract_of, evidence)
        self._updates = Updates(self._reader, self._trades_for_updates, clock, evidence)
        self._settling = Settling(self.orders, self._updates.tell, clock)
        self._tags: set[str] = set()
        self._varieties: dict[str, tuple[str, str | None]] = {}
        self._calls = OrderCalls(session, evidence)
        self._why = ""
        self._connected = False
        self._catching_up: asyncio.Task[None] | None = None
        stream.on_order = self._hear
        stream.on_live = self._came_back

    def adopt(self, master: KiteMaster) -> None:
        """Go by another day's instrument file; ids and tags of the day before mean nothing any more."""
        if self._master is None or master.day != self._master.day:
            self._tags.clear()
            self._varieties.clear()
            self._reader.tags.clear()
        self._master = master

    # ------------------------------------------------------------ the port

    @property
    def name(self) -> str:
        return "zerodha"

    @property
    def account(self) -> Account:
        return self._account

    @property
    def book_is_proof(self) -> bool:
        """An order may turn up more than a minute after it was not there."""
        return False

    async def connect(self, sink: UpdateSink) -> None:
        """Prove the login by the profile, then listen for updates. Raises Refusal(LOGIN_NEEDED), BrokerUnreachable."""
        if self._session.key_and_token() is None:
            raise Refusal(
                "LOGIN_NEEDED", f"{self._account.id} has no login at Zerodha today; log in: optconsole broker login."
            )
        await self.user()
        self._updates.open(sink)
        self._connected = True
        self._calls.state = LinkState.LIVE
        self._stream.start(USER)

    async def close(self) -> None:
        self._connected = False
        catching, self._catching_up = self._catching_up, None
        if catching is not None:
            catching.cancel()
            await asyncio.wait([catching])
        await self._settling.close()
        await self._updates.close()
        await self._stream.stop(USER)

    async def place(self, request: PlaceRequest) -> PlaceOutcome:
        listed = None if self._master is None else self._master.of(request.instrument.name)
        if listed is None:
            return Rejected("NO_CONTRACT", f"Zerodha's file of today does not list {request.instrument.name}.")
        if request.tag in self._tags:
            return Rejected("DUPLICATE_TAG", f"An order with the tag {request.tag} was sent already.")
        if not self._connected:
            return NotSent(CLOSED)
        self._tags.add(request.tag)
        form = forms.place(request, listed, self._settings.algo_id)
        outcome = await self._calls.send("POST", "/orders/regular", form=form)
        if isinstance(outcome, NotSent):
            self._tags.discard(request.tag)
        if isinstance(outcome, Accepted):
            self._reader.tags[outcome.broker_id] = request.tag
            self._settling.accepted(outcome.broker_id)
        return outcome

    async def modify(self, request: ModifyRequest) -> PlaceOutcome:
        if not well_formed(request.broker_id):
            return no_order(request.broker_id)
        if not self._connected:
            return NotSent(CLOSED)
        variety, _ = self._varieties.get(request.broker_id, ("regular", None))
        path = f"/orders/{variety}/{request.broker_id}"
        return await self._calls.send("PUT", path, form=forms.modify(request), expected=request.broker_id)

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        if not well_formed(broker_id):
            return no_order(broker_id)
        if not self._connected:
            return NotSent(CLOSED)
        variety, parent = self._varieties.get(broker_id, ("regular", None))
        params = {"parent_order_id": parent} if parent else None
        return await self._calls.send("DELETE", f"/orders/{variety}/{broker_id}", params=params, expected=broker_id)

    async def orders(self) -> list[BrokerOrder]:
        read = await self._session.read("orders", "/orders", list[OrderRow])
        return self._orders(read)

    async def trades(self) -> list[BrokerTrade]:
        return await self._trades("")

    async def positions(self) -> list[BrokerPosition]:
        read = await self._session.read("positions", "/portfolio/positions", Positions)
        return self._reader.positions(read.net)

    async def settlements(self) -> list[Settlement]:
        """Kite publishes none: what expired is gone from the next day's positions."""
        return []

    async def funds(self) -> Funds:
        try:
            return rows.funds(self._account.id, (await self._session.read("funds", "/user/margins", Margins)).equity)
        except BadRow as wrong:
            raise BrokerUnreachable(f"Zerodha's funds cannot be read: {wrong}.") from None

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        """What is blocked now, and what Kite says the basket needs on top with the account's positions considered."""
        used = (await self.funds()).margin_used
        if not requests:
            return used
        return used + await self.basket(requests)

    def vitals(self) -> BrokerVitals:
        p50, p99 = self._session.client.latencies() or (None, None)
        closed = not self._connected
        return BrokerVitals(
            name=self.name,
            account=self._account.id,
            quotes=LinkState.CLOSED if closed else self._stream.state(),
            order_read=LinkState.CLOSED if closed else self._session.reads,
            order_write=LinkState.CLOSED if closed else self._calls.state,
            latency_p50=p50,
            latency_p99=p99,
            note=self._calls.why or self._why or self._stream.why,
        )

    # ------------------------------------------------------------ beside the port

    async def user(self) -> str:
        """Whose login this is. Raises BrokerUnreachable, LoginLost."""
        return (await self._session.read("profile", "/user/profile", Profile)).user_id

    async def history(self, broker_id: str) -> list[BrokerOrder]:
        """What an order went through, oldest first. Raises BrokerUnreachable, LoginLost, Refusal(NO_ORDER)."""
        _require_id(broker_id)
        return self._orders(await self._session.read("history", f"/orders/{broker_id}", list[OrderRow]))

    async def reread(self, broker_id: str) -> None:
        """Read one order again and tell the engine: somebody hinted that it changed (a postback)."""
        told = await self.history(broker_id)
        if told:
            self._updates.tell(told[-1])

    async def holdings(self) -> list[HoldingRow]:
        """Shares in the account. Raises BrokerUnreachable, LoginLost."""
        return await self._session.read("holdings", "/portfolio/holdings", list[HoldingRow])

    async def basket(self, requests: Sequence[PlaceRequest]) -> int:
        """Paise that orders need together, beside what is open and with the benefit of hedges."""
        return await self._margin("/margins/basket", requests, {"consider_positions": "true"}, Basket)

    async def margins(self, requests: Sequence[PlaceRequest]) -> list[int]:
        """Paise that each order needs by itself."""
        body = forms.margin([(request, self._listed(request.instrument)) for request in requests])
        read = await self._session.ask("POST", "margins", "/margins/orders", list[Total], json=body)
        return [_amount(each) for each in read]

    async def convert(
        self, instrument: Instrument, side: Side, qty: int, old: Product, new: Product, overnight: bool
    ) -> None:
        """Move ``qty`` units of a position to another product. Raises BrokerUnreachable: read the positions then."""
        form = forms.convert(self._listed(instrument), side, qty, old.value, new.value, overnight)
        await self._session.ask("PUT", "conversion", "/portfolio/positions", bool, form=form)

    # ------------------------------------------------------------ inside

    def _orders(self, read: Sequence[OrderRow]) -> list[BrokerOrder]:
        try:
            found = [self._reader.order(row) for row in read]
        except BadRow as wrong:
            self._evidence("BAD_ROW", f"The order book cannot be read: {wrong}.", "")
            raise BrokerUnreachable(f"Zerodha's order book cannot be read: {wrong}.") from None
        for row in read:
            self._varieties[row.order_id] = (row.variety, row.parent_order_id)
        self._tags.update(order.tag for order in found if order.tag)
        return found

    async def _trades(self, broker_id: str, deadline: float | None = None) -> list[BrokerTrade]:
        path = f"/orders/{broker_id}/trades" if broker_id else "/trades"
        read = await self._session.read("trades", path, list[TradeRow], deadline=deadline)
        if any(row.order_id not in self._reader.tags for row in read):
            await self.orders()  # trades carry no tag: whose they are, the order book says
        try:
            return [self._reader.trade(row) for row in read]
        except BadRow as wrong:
            raise BrokerUnreachable(f"Zerodha's trades cannot be read: {wrong}.") from None

    async def _trades_for_updates(self, broker_id: str) -> list[BrokerTrade]:
        return await self._trades(broker_id, TRADES_DEADLINE)

    def _hear(self, row: OrderRow) -> None:
        """An order of the stream."""
        order = self._updates.read(row)
        if order is not None:
            self._settling.seen(order)
            self._updates.tell(order)

    def _came_back(self) -> None:
        """The stream is live: what was pushed while it was not is lost, so the books are read and told (W04)."""
        if self._connected and self._catching_up is None:
            self._catching_up = asyncio.get_running_loop().create_task(self._catch_up())

    async def _catch_up(self) -> None:
        try:
            found = await self.orders()
            self._updates.traded(await self.trades())
            for order in found:
                self._updates.tell(order)
        except BrokerUnreachable as silent:
            self._why = str(silent)
        finally:
            self._catching_up = None

    async def _margin(
        self, path: str, requests: Sequence[PlaceRequest], params: dict[str, str], kind: type[Basket]
    ) -> int:
        body = forms.margin([(request, self._listed(request.instrument)) for request in requests])
        return _amount((await self._session.ask("POST", "margin", path, kind, json=body, params=params)).final)

    def _listed(self, instrument: Instrument) -> Listed:
        found = None if self._master is None else self._master.of(instrument.name)
        if found is None:
            raise BrokerUnreachable(f"Zerodha's file of today does not list {instrument.name}.")
        return found

    def _contract_of(self, segment: str, symbol: str) -> str:
        return display(f"{segment}:{symbol}", 60) if self._master is None else self._master.contract_of(segment, symbol)


def _require_id(broker_id: str) -> None:
    if not well_formed(broker_id):
        raise Refusal("NO_ORDER", f"{display(broker_id, SAID)!r} is no order id of Zerodha's.")


def _amount(total: Total) -> int:
    try:
        return rows.paise(total.total)
    except BadRow as wrong:
        raise BrokerUnreachable(f"Zerodha's margin cannot be read: {wrong}.") from None
