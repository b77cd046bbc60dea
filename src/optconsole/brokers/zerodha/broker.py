"""An account at Zerodha as the engine's port: each order sent once, each answer judged by what it proves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from optconsole.brokers.transport.gateway import Evidence
from optconsole.brokers.zerodha import forms
from optconsole.brokers.zerodha.books import KiteBooks
from optconsole.brokers.zerodha.instruments import KiteMaster
from optconsole.brokers.zerodha.market import KiteMarket
from optconsole.brokers.zerodha.money import KiteMoney
from optconsole.brokers.zerodha.orders import OrderCalls, no_order, well_formed
from optconsole.brokers.zerodha.rows import OrderRow
from optconsole.brokers.zerodha.session import KiteSession
from optconsole.brokers.zerodha.settings import KiteSettings
from optconsole.brokers.zerodha.settling import Settling
from optconsole.brokers.zerodha.stream import KiteStream
from optconsole.brokers.zerodha.triggers import KiteTriggers
from optconsole.brokers.zerodha.updates import Updates
from optconsole.engine.clock import Clock
from optconsole.engine.model.accounts import Account, Funds
from optconsole.engine.model.errors import Refusal
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


class KiteBroker:
    """The port, and beside it what Kite has besides: ``books``, ``money``, ``market`` and ``triggers``.

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
        self.books = KiteBooks(account.id, session, evidence)
        self.money = KiteMoney(account.id, session, self.books.listed)
        self.market = market
        self.triggers = KiteTriggers(session)
        self._updates = Updates(self.books.reader, self._trades_for_updates, clock, evidence)
        self._settling = Settling(self.orders, self._updates.tell, clock)
        self._calls = OrderCalls(session, evidence)
        self._why = ""
        self._connected = False
        self._catching_up: asyncio.Task[None] | None = None
        stream.on_order = self._hear
        stream.on_live = self._came_back

    def adopt(self, master: KiteMaster) -> None:
        """Go by another day's instrument file."""
        self.books.adopt(master)

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
        listed, tags = self.books.listed(request.instrument), self.books.tags
        if listed is None:
            return Rejected("NO_CONTRACT", f"Zerodha's file of today does not list {request.instrument.name}.")
        if request.tag in tags:
            return Rejected("DUPLICATE_TAG", f"An order with the tag {request.tag} was sent already.")
        if not self._connected:
            return NotSent(CLOSED)
        tags.add(request.tag)
        form = forms.place(request, listed, self._settings.algo_id)
        outcome = await self._calls.send("POST", "/orders/regular", form=form)
        if isinstance(outcome, NotSent):
            tags.discard(request.tag)
        if isinstance(outcome, Accepted):
            self.books.reader.tags[outcome.broker_id] = request.tag
            self._settling.accepted(outcome.broker_id)
        return outcome

    async def modify(self, request: ModifyRequest) -> PlaceOutcome:
        if not well_formed(request.broker_id):
            return no_order(request.broker_id)
        if not self._connected:
            return NotSent(CLOSED)
        path, _ = self.books.place_of(request.broker_id)
        return await self._calls.send("PUT", path, form=forms.modify(request), expected=request.broker_id)

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        if not well_formed(broker_id):
            return no_order(broker_id)
        if not self._connected:
            return NotSent(CLOSED)
        path, parent = self.books.place_of(broker_id)
        params = {"parent_order_id": parent} if parent else None
        return await self._calls.send("DELETE", path, params=params, expected=broker_id)

    async def orders(self) -> list[BrokerOrder]:
        return await self.books.orders()

    async def trades(self) -> list[BrokerTrade]:
        return await self.books.trades()

    async def positions(self) -> list[BrokerPosition]:
        return await self.books.positions()

    async def settlements(self) -> list[Settlement]:
        """Kite publishes none: what expired is gone from the next day's positions."""
        return []

    async def funds(self) -> Funds:
        return await self.money.funds()

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        return await self.money.margin(requests)

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

    async def reread(self, broker_id: str) -> None:
        """Read one order again and tell the engine: somebody hinted that it changed (a postback).

        Raises BrokerUnreachable, LoginLost, Refusal(NO_ORDER).
        """
        told = await self.books.history(broker_id)
        if told:
            self._updates.tell(told[-1])

    # ------------------------------------------------------------ inside

    async def _trades_for_updates(self, broker_id: str) -> list[BrokerTrade]:
        return await self.books.trades(broker_id, TRADES_DEADLINE)

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
            self._why = ""
        except BrokerUnreachable as silent:
            self._why = str(silent)
        finally:
            self._catching_up = None
