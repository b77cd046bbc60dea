"""A small but complete engine port: real facts, real ``apply``, a journal in a list. No broker, no store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine import queries as q
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument, Kind, Right
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, RiskClass, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST
from optconsole.engine.model.vitals import BrokerVitals, LinkState, MarketPhase, Vitals
from optconsole.engine.ports import Beat, Snapshot
from optconsole.engine.state import apply

SRC = str(Path(__file__).resolve().parents[2] / "src")
"""Where a program that a test starts finds the package."""

START = datetime(2026, 11, 23, 9, 20, tzinfo=IST)
EXPIRY = date(2026, 11, 24)
CALL = "NIFTY 24NOV26 24500 CE"
PUT = "NIFTY 24NOV26 24500 PE"
LOT = 75


def option(name: str, right: Right) -> Instrument:
    return Instrument(
        name=name,
        underlying="NIFTY",
        exchange="NSE",
        kind=Kind.OPTION,
        lot=LOT,
        tick=5,
        freeze=1800,
        expiry=EXPIRY,
        strike=24_500_00,
        right=right,
    )


INDEX = Instrument(name="NIFTY", underlying="NIFTY", exchange="NSE", kind=Kind.INDEX, lot=LOT, tick=5, freeze=0)


class SmallEngine:
    """Orders are acknowledged and limit orders rest; market orders fill at once, at the quote."""

    def __init__(self) -> None:
        self.journal: list[ev.Recorded] = []
        self.state = TradingState()
        self.quotes = {
            "NIFTY": Quote("NIFTY", 0, ltp=24_512_35),
            CALL: Quote(CALL, 0, bid=101_20, bid_qty=650, ask=101_30, ask_qty=1235, ltp=101_25),
            PUT: Quote(PUT, 0, bid=88_00, bid_qty=650, ask=88_10, ask_qty=1235, ltp=88_05),
        }
        self.instruments = (INDEX, option(CALL, Right.CALL), option(PUT, Right.PUT))
        self.consoles = 0
        self.live_readers = 0
        self.journal_reads = 0
        self.answered: dict[str, cmd.Reply] = {}
        self._grown = asyncio.Event()
        self._quoted = asyncio.Event()
        self._broken_query: Exception | None = None
        account = Account(id="paper", broker="paper", mode=Mode.PAPER, capital=10_00_000_00)
        self.record(ev.EngineStarted(version="0", world="practice", epoch=1))
        self.record(ev.AccountOpened(account=account))
        self.record(ev.EngineReady(orders_checked=0, fills_adopted=0))

    # ------------------------------------------------------------ what tests drive

    def record(self, event: ev.AnyEvent, actor: str = "engine") -> None:
        seq = len(self.journal) + 1
        fact = ev.Recorded(seq=seq, at=START + timedelta(seconds=seq), actor=actor, cause="", event=event)
        self.state = apply(self.state, fact)
        self.journal.append(fact)
        self._grown.set()
        self._grown = asyncio.Event()

    def notice(self, text: str) -> None:
        self.record(ev.NoticeRaised(level="info", code="TEST", text=text))

    def quote(self, quote: Quote) -> None:
        self.quotes[quote.name] = quote
        self._quoted.set()
        self._quoted = asyncio.Event()

    def break_queries(self, error: Exception) -> None:
        self._broken_query = error

    # ------------------------------------------------------------ the port

    async def submit(self, command: cmd.AnyCommand) -> cmd.Reply:
        if command.id not in self.answered:
            self.answered[command.id] = self._carry_out(command)
        return self.answered[command.id]

    async def query(self, query: q.AnyQuery) -> q.AnyAnswer:
        if self._broken_query is not None:
            raise self._broken_query
        match query:
            case q.GetQuotes(names=names):
                return q.QuoteList(quotes=tuple(self.quotes[name] for name in names if name in self.quotes))
            case q.FindInstruments(underlying=underlying, text=text):
                wanted = (text or "").upper()
                found = (i for i in self.instruments if underlying in (None, i.underlying) and wanted in i.name)
                return q.InstrumentList(instruments=tuple(found))
            case q.ListUnderlyings():
                nifty = q.Underlying(name="NIFTY", exchange="NSE", expiries=(EXPIRY,), monthly=(True,))
                return q.UnderlyingList(underlyings=(nifty,))
            case q.ReadJournal(after=after, limit=limit, last=last):
                facts = self.journal[-limit:] if last else self.journal[after : after + limit]
                return q.JournalPage(facts=tuple(facts), head=len(self.journal))
            case q.GetVitals():
                return q.VitalsAnswer(vitals=self.vitals())
            case q.GetFunds(account=account):
                return q.FundsAnswer(account=account, cash=10_00_000_00, margin_used=0, free=10_00_000_00)
            case q.VerifyJournal():
                return q.JournalVerdict(
                    ok=True, events=len(self.journal), head_hash="ab" * 32, first_bad=None, text="The chain holds."
                )
        return q.Refused(code="NOT_HERE", text="This small engine does not answer that.")

    async def snapshot(self) -> Snapshot:
        return Snapshot(seq=self.state.seq, state=self.state, vitals=self.vitals(), version="0")

    async def facts(self, after: int) -> AsyncIterator[ev.Recorded]:
        self.live_readers += 1
        self.journal_reads += 1
        try:
            while True:
                while after < len(self.journal):
                    fact = self.journal[after]
                    after = fact.seq
                    yield fact
                await self._grown.wait()
        finally:
            self.live_readers -= 1

    def tap(self, hz: float) -> SmallTap:
        return SmallTap(self, hz)

    # ------------------------------------------------------------ inside

    def vitals(self) -> Vitals:
        paper = BrokerVitals(name="paper", quotes=LinkState.LIVE, order_read=LinkState.LIVE, order_write=LinkState.LIVE)
        return Vitals(
            now=START,
            world="practice",
            phase=MarketPhase.OPEN,
            phase_ends=None,
            feed=LinkState.LIVE,
            feed_age=0.1,
            quotes_per_second=0.0,
            store=LinkState.LIVE,
            commit_p50=None,
            commit_p99=None,
            loop_lag=None,
            inbox=0,
            seq=self.state.seq,
            consoles=self.consoles,
            orders_last_second=0,
            orders_per_second_cap=10,
            brokers=(paper,),
            disk_free=None,
            uptime=1.0,
        )

    async def until_quoted(self) -> None:
        await self._quoted.wait()

    def _carry_out(self, command: cmd.AnyCommand) -> cmd.Reply:
        match command:
            case cmd.PlaceOrder(terms=terms):
                return self._place(terms, command.actor)
            case cmd.CancelOrder(order_id=order_id):
                if order_id not in self.state.orders:
                    return cmd.Reply(ok=False, code="NO_SUCH_ORDER", text=f"There is no order {order_id}.")
                self.record(ev.OrderCancelAsked(order_id=order_id))
                self.record(ev.OrderCancelled(order_id=order_id))
                return cmd.Reply(ok=True, ids=(order_id,), seq=self.state.seq)
            case cmd.AcknowledgeNotices(upto=upto):
                self.record(ev.NoticeAcknowledged(upto=upto))
                return cmd.Reply(ok=True, seq=self.state.seq)
        return cmd.Reply(ok=False, code="NOT_HERE", text="This small engine does not do that.")

    def _place(self, terms: OrderTerms, actor: str) -> cmd.Reply:
        order_id = f"O{self.state.order_count + 1}"
        if terms.contract not in self.quotes:
            reason = f"{terms.contract} is not listed."
            self.record(ev.OrderDenied(order_id=order_id, terms=terms, code="NOT_LISTED", reason=reason), actor)
            return cmd.Reply(ok=False, code="NOT_LISTED", text=reason, ids=(order_id,), seq=self.state.seq)
        self.record(
            ev.OrderIntended(order_id=order_id, terms=terms, tag=order_id, risk=RiskClass.INCREASE, lot=LOT), actor
        )
        self.record(ev.OrderSent(order_id=order_id, attempt=1))
        self.record(ev.OrderAcknowledged(order_id=order_id, broker_id=f"B{order_id}"))
        if terms.type is OrderType.MARKET:
            self._fill(order_id, terms)
        return cmd.Reply(ok=True, text="On its way.", ids=(order_id,), seq=self.state.seq)

    def _fill(self, order_id: str, terms: OrderTerms) -> None:
        quote = self.quotes[terms.contract]
        price = quote.ask if terms.side is Side.BUY else quote.bid
        assert price is not None
        self.record(
            ev.OrderFilled(
                order_id=order_id,
                trade_id=f"T{order_id}",
                account=terms.account,
                contract=terms.contract,
                product=Product(terms.product),
                side=terms.side,
                qty=terms.qty,
                price=price,
                charges=36_08,
                traded_at=START,
            )
        )


class SmallTap:
    """Conflated by construction: each beat carries what changed since the one before."""

    def __init__(self, engine: SmallEngine, hz: float) -> None:
        self._engine = engine
        self._names: tuple[str, ...] = ()
        self._shown: dict[str, Quote] = {}
        self._rewatched = asyncio.Event()
        self._closed = False
        self.hz = hz

    def watch(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._shown = {}
        self._rewatched.set()

    async def __aiter__(self) -> AsyncIterator[Beat]:
        while not self._closed:
            self._rewatched.clear()
            changed = tuple(
                quote
                for name in self._names
                if (quote := self._engine.quotes.get(name)) is not None and self._shown.get(name) is not quote
            )
            if changed:
                self._shown.update((quote.name, quote) for quote in changed)
                yield Beat(vitals=self._engine.vitals(), quotes=changed)
                continue
            waits = [
                asyncio.ensure_future(self._rewatched.wait()),
                asyncio.ensure_future(self._engine.until_quoted()),
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    async def close(self) -> None:
        self._closed = True
        self._rewatched.set()


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Let the loop turn until the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition lies in code that announces nothing
            await asyncio.sleep(0)
