"""The paper broker: the embedded exchange behind the engine's broker port, with a real one's delays."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from optconsole.brokers.paper.account import Claim
from optconsole.brokers.paper.books import CAPITAL, Books
from optconsole.brokers.paper.desk import Answer, Desk
from optconsole.brokers.paper.exchange import DepthOf, Exchange
from optconsole.brokers.paper.ledger import Ledger, LedgerBroken
from optconsole.brokers.paper.orders import CashEntry
from optconsole.brokers.paper.outbox import Outbox
from optconsole.brokers.paper.rules import PaperRules
from optconsole.brokers.paper.session import Session
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.clock import Clock, Rng
from optconsole.engine.model.accounts import Account, Funds
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Product
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import BrokerVitals, LinkState
from optconsole.engine.ports import (
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    BrokerUnreachable,
    BrokerUpdate,
    Doubtful,
    ModifyRequest,
    NotSent,
    PlaceOutcome,
    PlaceRequest,
    Settlement,
    UpdateSink,
)

_LATENCIES_KEPT: Final = 100
_BEAT: Final = timedelta(seconds=1)


def _no_depth(_name: str) -> None:
    return None


class PaperBroker:
    """One paper account. Raises Refusal(PAPER_LEDGER) when its ledger cannot serve.

    Feed it with ``load`` (today's contracts, first), ``on_quotes`` and ``on_time``; it also looks at the clock
    itself with every batch of quotes.
    """

    def __init__(
        self,
        account: Account,
        clock: Clock,
        ledger_path: Path,
        settings: PaperSettings,
        rules: PaperRules,
        rng: Rng,
        depth: DepthOf = _no_depth,
    ) -> None:
        self._account = account
        self._clock = clock
        self._settings = settings
        self._rng = rng
        self._ledger = Ledger(ledger_path, account.id)
        self._outbox = Outbox(clock, lambda: self._delay(settings.update_latency_ms))
        self._books = Books(self._ledger, account)
        self._exchange = Exchange(self._books, settings, rules, clock.now, depth, self._publish)
        self._desk = Desk(self._exchange)
        self._session = Session(self._exchange)
        self._latencies: deque[float] = deque(maxlen=_LATENCIES_KEPT)
        self._on_the_way: set[asyncio.Future[None]] = set()
        self._connected = False
        self._next_beat: datetime | None = None
        self._open(clock.now())

    # ------------------------------------------------------------ the port

    @property
    def name(self) -> str:
        return self._account.broker

    @property
    def account(self) -> Account:
        return self._account

    @property
    def book_is_proof(self) -> bool:
        """What is not in the ledger never existed."""
        return True

    async def connect(self, sink: UpdateSink) -> None:
        """Send updates to ``sink`` from now on; what happened before is in the books."""
        self._outbox.open(sink)
        self._connected = True

    async def close(self) -> None:
        """Stop sending and let go of the ledger."""
        self._connected = False
        await self._outbox.close()
        self._ledger.close()

    async def place(self, request: PlaceRequest) -> PlaceOutcome:
        return await self._call(lambda: self._desk.place(request))

    async def modify(self, request: ModifyRequest) -> PlaceOutcome:
        return await self._call(lambda: self._desk.modify(request))

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        return await self._call(lambda: self._desk.cancel(broker_id))

    async def convert(self, contract: str, held: Product, wanted: Product, qty: int) -> PlaceOutcome:
        """Carry signed units of a position under another product; the answer's id is empty."""
        return await self._call(lambda: self._desk.convert(contract, held, wanted, qty))

    async def orders(self) -> list[BrokerOrder]:
        """Today's order book, once every call that is on its way has arrived: absence from it is proof."""
        if self._on_the_way:
            await asyncio.wait(set(self._on_the_way))
        return [order.row() for order in self._books.orders.values()]

    async def trades(self) -> list[BrokerTrade]:
        return list(self._books.trades)

    async def positions(self) -> list[BrokerPosition]:
        return [
            BrokerPosition(account=self._account.id, contract=name, product=product, qty=qty)
            for (name, product), (qty, _cost) in self._books.holdings.items()
        ]

    async def settlements(self) -> list[Settlement]:
        return list(self._books.settlements)

    async def funds(self) -> Funds:
        """Cash is capital, all that trades and settlements moved, less charges.

        Raises BrokerUnreachable while a price that the margin needs is unknown.
        """
        used = self._required(self._desk.claims(), filled=False)
        return Funds(account=self._account.id, cash=self._books.cash, margin_used=used)

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        claims = [
            Claim(request.instrument, request.product, request.side, request.qty, request.price) for request in requests
        ]
        return self._required(claims, filled=True)

    def vitals(self) -> BrokerVitals:
        state = LinkState.LIVE if self._connected else LinkState.CLOSED
        ordered = sorted(self._latencies)
        return BrokerVitals(
            name=self.name,
            quotes=state if self._exchange.tape.latest else LinkState.STALE,
            order_read=state,
            order_write=LinkState.DEAD if self._ledger.fault else state,
            latency_p50=ordered[len(ordered) // 2] if ordered else None,
            latency_p99=ordered[len(ordered) * 99 // 100] if ordered else None,
            note=self._ledger.fault,
        )

    # ------------------------------------------------------------ what drives it

    def load(self, instruments: Sequence[Instrument]) -> None:
        """Take today's contracts. On a new day yesterday's orders end and its prices are forgotten."""
        self._guarded(lambda: self._load(instruments, self._clock.now().date()))

    def on_quotes(self, quotes: Sequence[Quote]) -> None:
        """New quotes: working orders trade, stops trigger, the clock is looked at."""
        self._exchange.see(quotes)
        now = self._clock.now()
        if self._next_beat is None or now >= self._next_beat:
            self.on_time(now)

    def on_time(self, now: datetime) -> None:
        """Do what is due: square-off, end of day orders, settlement."""
        self._next_beat = now + _BEAT
        self._guarded(lambda: self._session.tend(now))

    def end_session(self, day: date) -> None:
        """End a trading day whatever the clock says. Calling it again changes nothing."""
        self._guarded(lambda: self._session.end(day))

    async def delivered(self) -> None:
        """Wait until every update that is on its way has arrived: a day's last reports belong to that day."""
        await self._outbox.delivered()

    def mark_time(self, moment: datetime) -> None:
        """Remember how far the market's time has run."""
        self._guarded(lambda: self._ledger.mark_time(moment))

    def last_time(self) -> datetime | None:
        """How far the market's time has run: marked, or proven by what happened since."""
        return self._ledger.last_time()

    # ------------------------------------------------------------ inside

    def _load(self, instruments: Sequence[Instrument], day: date) -> None:
        new = day != self._books.day
        if new:
            self._books.turn(day)
        self._exchange.open_day(instruments, new)
        self._session.open_day(day, instruments)
        self._session.end(day - timedelta(days=1))

    def _open(self, now: datetime) -> None:
        """Read the books and pay in the capital; a changed capital is one more movement."""
        account = self._account
        try:
            self._books.turn(now.date())
            self._books.fund(CashEntry(at=now, kind=CAPITAL, ref=account.id, amount=account.capital))
        except LedgerBroken as broken:
            raise Refusal("PAPER_LEDGER", str(broken)) from broken

    def _required(self, claims: Sequence[Claim], filled: bool) -> int:
        try:
            return self._desk.required(claims, filled)
        except Refusal as unknown:
            raise BrokerUnreachable(unknown.text) from unknown

    async def _call(self, act: Callable[[], Answer]) -> PlaceOutcome:
        """One order call: on its way, at the exchange, answered. What the ledger did not take stays in doubt."""
        if not self._connected:
            return NotSent("The paper broker is not connected.")
        started = self._clock.monotonic()
        delay = self._delay(self._settings.ack_latency_ms)
        if delay > 0:
            await self._travel(delay)
        try:
            outcome: PlaceOutcome = act()
        except LedgerBroken as broken:
            outcome = Doubtful(str(broken))
        self._latencies.append((self._clock.monotonic() - started) * 1000)
        return outcome

    async def _travel(self, delay: float) -> None:
        arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_the_way.add(arrival)
        try:
            await self._clock.sleep(delay)
        finally:
            self._on_the_way.discard(arrival)
            arrival.set_result(None)

    def _guarded(self, act: Callable[[], None]) -> None:
        """A step the ledger refuses has not happened; it is shown in the vitals and tried again by the next one."""
        with suppress(LedgerBroken):  # the ledger keeps the reason, which the vitals show
            act()

    def _publish(self, update: BrokerUpdate) -> None:
        self._outbox.post(update)

    def _delay(self, base_ms: int) -> float:
        jitter = self._settings.latency_jitter_ms
        return (base_ms + (self._rng.uniform(0, jitter) if jitter else 0)) / 1000
