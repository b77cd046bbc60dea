"""One account at Angel One behind the engine's broker port."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from optconsole.brokers.angelone import bodies
from optconsole.brokers.angelone.books import Books
from optconsole.brokers.angelone.envelope import Fault, Held
from optconsole.brokers.angelone.feed import AngelFeed
from optconsole.brokers.angelone.money import funds_of, margin_of, rupees
from optconsole.brokers.angelone.refusals import IP_REFUSED, RATE_LIMITED, judged
from optconsole.brokers.angelone.rows import BadRow, Kept, kept_of, ours
from optconsole.brokers.angelone.services import Services
from optconsole.brokers.angelone.settings import AngelSettings
from optconsole.brokers.angelone.tally import Tally
from optconsole.brokers.angelone.updates import BadUpdate, Hearing, order_data
from optconsole.brokers.angelone.wire import ORDERS, USER, Wire
from optconsole.brokers.angelone.words import PRODUCT_WORDS
from optconsole.brokers.transport.gateway import Listed
from optconsole.brokers.transport.rest import Unanswered
from optconsole.brokers.transport.socket import LiveSocket
from optconsole.engine.clock import Clock, Rng
from optconsole.engine.model.accounts import Account, Funds
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.engine.model.vitals import BrokerVitals, LinkState
from optconsole.engine.ports import (
    LOGIN_LOST,
    Accepted,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    BrokerUnreachable,
    Doubtful,
    LoginLost,
    ModifyRequest,
    NotSent,
    PlaceOutcome,
    PlaceRequest,
    Rejected,
    Settlement,
    UpdateSink,
)

T = TypeVar("T")
PLACE: Final = f"{ORDERS}/placeOrder"
MODIFY: Final = f"{ORDERS}/modifyOrder"
CANCEL: Final = f"{ORDERS}/cancelOrder"
ORDER_ID: Final = re.compile(r"[0-9A-Za-z-]{1,40}")
OPENING: Final = 3.0
"""Seconds for which connecting waits for the socket of order updates; the books are read without it as well."""


class AngelBroker:
    """The broker port over REST and the socket of order updates. ``services`` is what else the account can do."""

    def __init__(
        self,
        account: Account,
        settings: AngelSettings,
        wire: Wire,
        books: Books,
        feed: AngelFeed,
        clock: Clock,
        rng: Rng,
        tally: Tally,
        roots: Path | None = None,
    ) -> None:
        self._account = account
        self._settings = settings
        self._wire = wire
        self._books = books
        self._feed = feed
        self._tally = tally
        self.services = Services(wire)
        self._hearing: Hearing | None = None
        self._settled = asyncio.Event()
        self._rereading: asyncio.Task[None] | None = None
        self._read_fault = self._write_fault = self._socket_fault = ""
        self._lost = False
        self._connected = False
        self._socket = LiveSocket(
            self._socket_url,
            clock,
            rng,
            headers=wire.socket_headers,
            on_open=self._on_open,
            on_text=self._on_frame,
            on_binary=self._on_frame,
            on_state=self._on_state,
            silence=settings.silence,
            ping="ping",
            ping_every=settings.ping_every,
            pong_is_life=True,  # the documents know a text ping, the broker's own client only the protocol's
            roots=roots,
        )

    # ------------------------------------------------------------ the port

    @property
    def name(self) -> str:
        return self._account.broker

    @property
    def account(self) -> Account:
        return self._account

    @property
    def book_is_proof(self) -> bool:
        return False

    async def connect(self, sink: UpdateSink) -> None:
        """Listen for updates. Raises Refusal(WRONG_USER) where the login is another client's."""
        await self._require_own()
        self._hearing = Hearing(sink, self._books.trades)
        self._connected = True
        self._socket.start()
        try:
            async with asyncio.timeout(OPENING):
                await self._settled.wait()
        except TimeoutError:
            return  # it goes on trying, the vitals say so, and the books tell the same

    async def close(self) -> None:
        self._connected = False
        await self._socket.stop()
        if self._rereading is not None:
            self._rereading.cancel()
            await asyncio.gather(self._rereading, return_exceptions=True)
        if self._hearing is not None:
            await self._hearing.close()

    async def place(self, request: PlaceRequest) -> PlaceOutcome:
        """Send one order once. What is refused here was not sent at all."""
        listed = self._books.listed(request.instrument.name)
        refused = self._refused_here(request, listed)
        if refused is not None or listed is None:
            return refused or Rejected("NO_CONTRACT", "It is not listed.")
        self._books.tags.add(request.tag)
        outcome = await self._send(PLACE, bodies.place(request, listed))
        if isinstance(outcome, Accepted):
            self._books.keep(
                outcome.broker_id,
                kept_of(
                    listed,
                    request.type,
                    PRODUCT_WORDS[request.product],
                    request.validity,
                    bodies.variety(request.type),
                    request.tag,
                    request.qty,
                ),
            )
        elif not isinstance(outcome, Doubtful):
            self._books.tags.discard(request.tag)
        return outcome

    async def modify(self, request: ModifyRequest) -> PlaceOutcome:
        """New terms of a working order; the broker wants its contract and product told again."""
        kept = await self._working(request.broker_id)
        if not isinstance(kept, Kept):
            return kept
        body = bodies.modify(request, kept)
        outcome = await self._send(MODIFY, body, request.broker_id)
        if isinstance(outcome, Accepted):
            changed = replace(kept, variety=body["variety"], stop=request.trigger is not None, qty=request.qty)
            self._books.keep(request.broker_id, changed)
        elif isinstance(outcome, Doubtful):
            self._books.forget(request.broker_id)  # it may be of another variety now; the book says
        return outcome

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        kept = await self._working(broker_id)
        if not isinstance(kept, Kept):
            return kept
        return await self._send(CANCEL, bodies.cancel(broker_id, kept), broker_id)

    async def orders(self) -> list[BrokerOrder]:
        return await self._reading(self._books.orders())

    async def trades(self) -> list[BrokerTrade]:
        return await self._reading(self._books.trades())

    async def positions(self) -> list[BrokerPosition]:
        return await self._reading(self._books.positions())

    async def settlements(self) -> list[Settlement]:
        """The broker tells none: an expired contract is missing from the positions of the next day."""
        return []

    async def funds(self) -> Funds:
        data = await self._reading(self._wire.get(f"{USER}/getRMS", "funds"))
        try:
            return funds_of(data, self._account.id)
        except BadRow as bad:
            raise BrokerUnreachable(f"Angel One: {bad}.") from None

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        """One batch of all that is open and asked, so that hedges count."""
        held = [(each, self._place(each.contract)) for each in await self.positions()]
        asked = [(each, self._place(each.instrument.name)) for each in requests]
        most = self._settings.margin_a_call
        if len(held) + len(asked) > most:
            raise BrokerUnreachable(
                f"Angel One tells the margin of {most} positions at most, not of {len(held + asked)}."
            )
        if not held and not asked:
            return 0
        data = await self._reading(
            self._wire.post("/rest/secure/angelbroking/margin/v1/batch", "margin", bodies.margin(asked, held))
        )
        try:
            return margin_of(data)
        except BadRow as bad:
            raise BrokerUnreachable(f"Angel One: {bad}.") from None

    def vitals(self) -> BrokerVitals:
        """Each capability by itself: a socket may live on after the login died, and orders may be barred by address."""
        latencies = self._wire.latencies()
        return BrokerVitals(
            name=self.name,
            quotes=self._feed.state,
            order_read=self._state(self._read_fault),
            order_write=self._state(self._write_fault),
            latency_p50=latencies[0] if latencies else None,
            latency_p99=latencies[1] if latencies else None,
            note=self._write_fault or self._read_fault or self._socket_fault or self._feed.why,
            account=self._account.id,
        )

    # ------------------------------------------------------------ requests

    def _refused_here(self, request: PlaceRequest, listed: Listed | None) -> Rejected | None:
        """Why an order does not leave: no contract, no step, or a tag that was sent before, which the broker would take
        a second time."""
        if listed is None:
            return Rejected(
                "NO_CONTRACT",
                f"{request.instrument.name} is not in Angel One's instrument file of today; nothing was sent.",
            )
        tick = listed.instrument.tick
        for price in (request.price, request.trigger):
            if price is not None and price % tick:
                return Rejected("BAD_TICK", f"{rupees(price)} is no multiple of {rupees(tick)}; nothing was sent.")
        if request.tag in self._books.tags:
            return Rejected("DUPLICATE_TAG", f"An order with the tag {display(request.tag, 20)} was sent before.")
        return None

    async def _working(self, broker_id: str) -> Kept | PlaceOutcome:
        """What is kept of an order, or why nothing is sent about it."""
        try:
            kept = await self._books.kept(broker_id)
        except LoginLost as lost:
            return Rejected(LOGIN_LOST, str(lost))
        except BrokerUnreachable as silent:
            return NotSent(f"Angel One wants the order's own words again, and its book cannot be read: {silent}")
        if kept is None:
            return Rejected("NO_ORDER", f"Angel One's book shows no order {display(broker_id, 40)}; nothing was sent.")
        if kept.ended:
            return Rejected("ORDER_DONE", f"Order {display(broker_id, 40)} has ended; nothing was sent.")
        return kept

    async def _send(self, path: str, body: dict[str, Any], broker_id: str = "") -> PlaceOutcome:
        """One POST and what it proves; ``broker_id`` is the order it is about, empty for a new one."""
        try:
            answer = await self._wire.send("POST", path, "order", body, timed=True)
        except LoginLost as lost:
            outcome: PlaceOutcome = Rejected(LOGIN_LOST, str(lost))
        except Unanswered as silence:
            outcome = (
                Doubtful(f"Angel One: {silence.cause}") if silence.sent else NotSent(f"Angel One: {silence.cause}")
            )
        else:
            outcome = _accepted(answer, broker_id) if isinstance(answer, Held) else self._judged(answer)
        self._learn(outcome)
        return outcome

    def _judged(self, fault: Fault) -> PlaceOutcome:
        """What a failed request proves; a code that proves nothing yet is kept, so that the list may learn it."""
        outcome = judged(fault)
        if isinstance(outcome, Doubtful) and fault.code:
            self._tally.note("UNKNOWN_REFUSAL", f"A request ended in {fault.code}, which proves nothing.", fault.text)
        return outcome

    def _learn(self, outcome: PlaceOutcome) -> None:
        """What an outcome says of the way that orders take."""
        match outcome:
            case Rejected(code, reason) if code in (LOGIN_LOST, IP_REFUSED, RATE_LIMITED):
                self._write_fault = reason
                self._lost = self._lost or code == LOGIN_LOST
            case Doubtful(cause) | NotSent(cause):
                self._write_fault = cause
            case _:
                self._write_fault = ""
                self._lost = False

    async def _reading(self, read: Awaitable[T]) -> T:
        try:
            found = await read
        except BrokerUnreachable as failed:
            self._read_fault = str(failed)
            self._lost = isinstance(failed, LoginLost)
            raise
        self._read_fault = ""
        if self._lost:  # a new login was found: what it also cures is tried again
            self._lost, self._write_fault = False, ""
        return found

    def _place(self, contract: str) -> bodies.At:
        place = self._books.place(contract)
        if place is None:
            raise BrokerUnreachable(
                f"{contract} is not in Angel One's instrument file of today; its margin is unknown."
            )
        return place

    def _state(self, fault: str) -> LinkState:
        if not self._connected:
            return LinkState.CLOSED
        if self._lost:
            return LinkState.DEAD
        return LinkState.STALE if fault else LinkState.LIVE

    # ------------------------------------------------------------ updates

    async def _require_own(self) -> None:
        """Whether the login is the account's: another client's book would be taken for ours."""
        wanted = self._settings.client_id
        if not wanted:
            return
        try:
            profile = await self._reading(self._wire.get(f"{USER}/getProfile", "profile"))
        except BrokerUnreachable:
            return  # shown in the vitals; every later call is refused by the broker for the same cause
        found = str(profile.get("clientcode", "")) if isinstance(profile, dict) else ""
        if found.upper() != wanted.upper():
            raise Refusal(
                "WRONG_USER",
                f"The login is of {display(found, 20) or 'nobody'}, and the account {self._account.id} of {wanted}; "
                "log in again as that client.",
            )

    def _socket_url(self) -> str | None:
        return self._settings.order_ws_url if self._wire.socket_headers() else None

    async def _on_open(self, socket: LiveSocket) -> None:
        """Nothing is subscribed here; what was missed meanwhile is read (W04)."""
        if socket.opened > 1 and (self._rereading is None or self._rereading.done()):
            self._rereading = asyncio.create_task(self._reread())

    async def _reread(self) -> None:
        try:
            rows = await self.orders()
        except BrokerUnreachable:  # noted by the reading itself; the engine's own comes within seconds
            return
        for row in rows:
            self._hear(row)

    def _on_state(self, state: str, why: str) -> None:
        if state in ("live", "refused"):
            self._settled.set()
        self._socket_fault = f"Angel One's order updates are {state}: {display(why, 100)}." if why else ""

    def _on_frame(self, frame: str | bytes) -> None:
        try:
            row = order_data(frame)
        except BadUpdate as bad:
            self._tally.note("BAD_UPDATE", f"Angel One sent {bad}.", frame[:200])
            return
        if row is None or not ours(row):
            return
        try:
            order = self._books.pushed(row)
        except BrokerUnreachable:  # noted as evidence where it was read; the book tells the same order
            return
        if order is not None:
            self._hear(order)

    def _hear(self, row: BrokerOrder) -> None:
        if self._hearing is not None:
            self._hearing.take(row)


def _accepted(answer: Held, broker_id: str) -> PlaceOutcome:
    """A success counts with a well-formed order id, and where an order was named, with that one."""
    data = answer.data
    found = data.get("orderid") if isinstance(data, dict) else None
    text = str(found).strip() if isinstance(found, (str, int)) and not isinstance(found, bool) else ""
    if not ORDER_ID.fullmatch(text):
        return Doubtful("Angel One reported success without an order id")
    if broker_id and text != broker_id:
        return Doubtful(f"Angel One answered about order {display(text, 40)} instead of {display(broker_id, 40)}")
    return Accepted(text)
