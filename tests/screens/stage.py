"""A stage for screens: an engine link over facts folded by the engine's own ``apply``, and a clock that stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec

from optconsole.app import ConsoleApp, ConsoleOptions
from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine import queries as q
from optconsole.engine.events import Recorded
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, RiskClass, Side
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.timeline import IST, millis
from optconsole.engine.model.vitals import BrokerVitals, LinkState, MarketPhase, Vitals
from optconsole.engine.ports import Beat, Snapshot
from optconsole.engine.state import apply
from optconsole.link.protocol import LinkLost

NOON = datetime(2026, 11, 23, 9, 20, 7, tzinfo=IST)
NEAR, FAR = date(2026, 11, 25), date(2026, 12, 1)
LOT, STEP, SPOT = 65, 5_000, 2_451_235
UNDERLYINGS = (
    q.Underlying(name="NIFTY", exchange="NSE", expiries=(NEAR, FAR), monthly=(True, False)),
    q.Underlying(name="BANKNIFTY", exchange="NSE", expiries=(NEAR,), monthly=(True,)),
    q.Underlying(name="SENSEX", exchange="BSE", expiries=(date(2026, 11, 26),), monthly=(True,)),
)
SPOTS = {"NIFTY": (SPOT, 2_440_980), "BANKNIFTY": (5_211_010, 5_216_750), "SENSEX": (8_012_345, 8_012_345)}

PREVIEW = q.OrderPreview(
    ok=True,
    checks=(q.Check(code="LOT", severity="ok", text="2 lots of 65"),),
    protection=None,
    margin=17_300_000,
    free_after=28_300_000,
    charges=3_608,
    band_low=6_075,
    band_high=14_175,
    orders=1,
    max_loss=None,
    unlimited=True,
)


def instrument(underlying: str, expiry: date, strike: int, right: Right) -> Instrument:
    return Instrument(
        name=contract_name(underlying, expiry, strike, right),
        underlying=underlying,
        exchange="NSE",
        kind=Kind.OPTION,
        lot=LOT,
        tick=5,
        freeze=1800,
        expiry=expiry,
        strike=strike,
        right=right,
        last_trade=datetime(expiry.year, expiry.month, expiry.day, 15, 30, tzinfo=IST),
    )


def option_quote(listed: Instrument, ts: int, nudge: int = 0) -> Quote:
    """A price that depends on the contract alone: intrinsic value and a bell of time value around the spot."""
    assert listed.strike is not None
    spot = SPOTS[listed.underlying][0]
    away = (listed.strike - spot) / 100
    sign = 1 if listed.right is Right.CALL else -1
    intrinsic = max(-away * sign, 0.0)
    value = intrinsic + 140 / (1 + (away / 160) ** 2)
    ltp = max(round(value * 20) * 5 + nudge, 5)
    oi = 65 * (2_000 + round(40_000 / (1 + ((away - 150 * sign) / 220) ** 2)))
    return Quote(
        name=listed.name,
        ts=ts,
        bid=max(ltp - 5, 5),
        bid_qty=650,
        ask=ltp + 10,
        ask_qty=1_235,
        ltp=ltp,
        volume=oi * 3,
        oi=oi,
        oi_open=oi - 65 * round(away),
        prev_close=ltp + 300,
    )


def listed_chain(expiry: date = NEAR, around: int = 20, underlying: str = "NIFTY") -> list[Instrument]:
    centre = round(SPOTS[underlying][0] / STEP) * STEP
    strikes = [centre + n * STEP for n in range(-around, around + 1)]
    return [instrument(underlying, expiry, strike, right) for strike in strikes for right in Right]


def vitals(now: datetime, **changes: object) -> Vitals:
    base = Vitals(
        now=now,
        world="practice",
        phase=MarketPhase.OPEN,
        phase_ends=now.replace(hour=15, minute=40, second=0),
        feed=LinkState.LIVE,
        feed_age=0.2,
        quotes_per_second=950.0,
        store=LinkState.LIVE,
        commit_p50=1.2,
        commit_p99=4.0,
        loop_lag=0.4,
        inbox=0,
        seq=0,
        consoles=1,
        orders_last_second=2,
        orders_per_second_cap=10,
        brokers=(
            BrokerVitals(
                name="paper",
                quotes=LinkState.LIVE,
                order_read=LinkState.LIVE,
                order_write=LinkState.LIVE,
                latency_p50=3.0,
                latency_p99=9.0,
            ),
        ),
        disk_free=50_000_000_000,
        uptime=420.0,
    )
    return msgspec.structs.replace(base, **changes)


class StageTap:
    """Gives a beat when the stage says so."""

    def __init__(self, link: StageLink) -> None:
        self._link = link
        self.watched: tuple[str, ...] = ()
        self.waiting: asyncio.Queue[Beat | None] = asyncio.Queue()

    def watch(self, names: Sequence[str]) -> None:
        fresh = set(names) - set(self.watched)
        self.watched = tuple(names)
        known = tuple(self._link.quotes[name] for name in sorted(fresh) if name in self._link.quotes)
        self.waiting.put_nowait(Beat(vitals=self._link.vitals, quotes=known))

    async def __aiter__(self) -> AsyncIterator[Beat]:
        while (beat := await self.waiting.get()) is not None:
            yield beat
        raise LinkLost("The stage dropped the link.")

    async def close(self) -> None:
        self.watched = ()


class StageLink:
    """An EngineLink without an engine: facts are given, commands are remembered and answered as told."""

    where = "stage"

    def __init__(self, facts: Iterable[ev.AnyEvent] = (), mode: Mode = Mode.PAPER) -> None:
        self.state = TradingState()
        self.vitals = vitals(NOON)
        self.instruments = [*listed_chain(NEAR), *listed_chain(FAR), *listed_chain(NEAR, 10, "BANKNIFTY")]
        ts = millis(NOON) - 200
        self.quotes = {listed.name: option_quote(listed, ts) for listed in self.instruments}
        for name, (last, close) in SPOTS.items():
            self.quotes[name] = Quote(name=name, ts=ts, ltp=last, prev_close=close, booked=False)
        self.taps: list[StageTap] = []
        self.streams: list[asyncio.Queue[Recorded | None]] = []
        self.journal: list[Recorded] = []
        self.submitted: list[cmd.AnyCommand] = []
        self.asked: list[q.AnyQuery] = []
        self.replies: dict[type[cmd.Command], cmd.Reply] = {}
        self.answers: dict[type[q.Query], q.AnyAnswer] = {}
        account = Account(id="PAPER1", broker="paper", mode=mode, capital=100_000_000)
        opening = (
            ev.EngineStarted(version="0.1.0", world="practice", epoch=1),
            ev.AccountOpened(account=account),
            ev.SessionOpened(day=NOON.date()),
            ev.EngineReady(orders_checked=0, fills_adopted=0),
        )
        for event in (*opening, *facts):
            self.happen(event)

    # ------------------------------------------------------------ what a test does

    def happen(self, event: ev.AnyEvent) -> Recorded:
        """One more fact, journalled, applied and sent to whoever follows."""
        at = NOON - timedelta(seconds=max(60 - self.state.seq, 0))
        fact = Recorded(seq=self.state.seq + 1, at=at, actor="engine", cause="", event=event)
        apply(self.state, fact)
        self.journal.append(fact)
        for stream in self.streams:
            stream.put_nowait(fact)
        return fact

    def quote(self, *quotes: Quote) -> None:
        """New quotes in one beat to every tap that watches them."""
        for quote in quotes:
            self.quotes[quote.name] = quote
        for tap in self.taps:
            seen = tuple(quote for quote in quotes if quote.name in tap.watched)
            tap.waiting.put_nowait(Beat(vitals=self.vitals, quotes=seen))

    def nudge(self, *names: str, by: int = 25) -> None:
        """Move the last price of contracts."""
        moved = []
        for name in names:
            old = self.quotes[name]
            moved.append(msgspec.structs.replace(old, ltp=(old.ltp or 0) + by, ask=(old.ask or 0) + by))
        self.quote(*moved)

    def drop(self) -> None:
        """Lose the link."""
        for tap in self.taps:
            tap.waiting.put_nowait(None)

    # ------------------------------------------------------------ EngineLink

    async def submit(self, command: cmd.AnyCommand) -> cmd.Reply:
        self.submitted.append(command)
        return self.replies.get(type(command), cmd.Reply(ok=True, seq=self.state.seq))

    async def query(self, query: q.AnyQuery) -> q.AnyAnswer:
        self.asked.append(query)
        if type(query) in self.answers:
            return self.answers[type(query)]
        match query:
            case q.FindInstruments():
                return q.InstrumentList(instruments=tuple(self._find(query)))
            case q.GetQuotes():
                return q.QuoteList(quotes=tuple(self.quotes[name] for name in query.names if name in self.quotes))
            case q.ReadJournal():
                return self._page(query)
            case q.GetDepth():
                return self._depth(query.name)
            case _:
                return self._standing(query)

    def _standing(self, query: q.AnyQuery) -> q.AnyAnswer:
        verdict = f"{self.state.seq} facts, chain and replay agree"
        account = query.account if isinstance(query, q.GetFunds) else ""
        standing: dict[type[q.Query], q.AnyAnswer] = {
            q.ListUnderlyings: q.UnderlyingList(underlyings=UNDERLYINGS),
            q.GetFunds: q.FundsAnswer(account=account, cash=100_000_000, margin_used=45_600_000, free=54_400_000),
            q.GetVitals: q.VitalsAnswer(vitals=self.vitals),
            q.GetRisk: q.RiskAnswer(limits=(), states=()),
            q.VerifyJournal: q.JournalVerdict(
                ok=True, events=self.state.seq, head_hash="ab12", first_bad=None, text=verdict
            ),
            q.PreviewOrder: PREVIEW,
        }
        return standing[type(query)]

    def _find(self, query: q.FindInstruments) -> list[Instrument]:
        found = [
            listed
            for listed in self.instruments
            if query.underlying in (None, listed.underlying)
            and query.expiry in (None, listed.expiry)
            and (query.text or "").upper() in listed.name
        ]
        return found[: query.limit]

    def _page(self, query: q.ReadJournal) -> q.JournalPage:
        found = [fact for fact in self.journal if fact.seq > query.after and query.stream in (None, fact.event.stream)]
        page = found[-query.limit :] if query.last else found[: query.limit]
        return q.JournalPage(facts=tuple(page), head=self.state.seq)

    def _depth(self, contract: str) -> q.DepthAnswer:
        quote = self.quotes.get(contract)
        if quote is None or quote.bid is None or quote.ask is None:
            return q.DepthAnswer(depth=None)
        bids = tuple((quote.bid - 5 * n, 65 * (n + 1) * 4) for n in range(5) if quote.bid - 5 * n > 0)
        asks = tuple((quote.ask + 5 * n, 65 * (n + 2) * 3) for n in range(5))
        return q.DepthAnswer(depth=Depth(name=contract, ts=quote.ts, bids=bids, asks=asks))

    async def snapshot(self) -> Snapshot:
        return Snapshot(seq=self.state.seq, state=self.state.copy(), vitals=self.vitals, version="0.1.0")

    async def facts(self, after: int) -> AsyncIterator[Recorded]:
        stream: asyncio.Queue[Recorded | None] = asyncio.Queue()
        for fact in self.journal:
            if fact.seq > after:
                stream.put_nowait(fact)
        self.streams.append(stream)
        try:
            while (fact := await stream.get()) is not None:
                yield fact
        finally:
            self.streams.remove(stream)

    def tap(self, hz: float) -> StageTap:
        made = StageTap(self)
        self.taps.append(made)
        return made

    async def close(self) -> None:
        """Nothing is open."""


# ---------------------------------------------------------------- a day's trading, as facts


def placed(
    number: int,
    contract: str,
    side: Side,
    lots: int,
    price: int,
    *,
    fill: bool = True,
    kind: OrderType = OrderType.LIMIT,
    trigger: int | None = None,
    account: str = "PAPER1",
) -> list[ev.AnyEvent]:
    """The facts of one order, filled whole or left working."""
    order_id = f"O{number}"
    limit = price if kind in (OrderType.LIMIT, OrderType.SL) else None
    terms = OrderTerms(
        account=account,
        contract=contract,
        side=side,
        qty=lots * LOT,
        type=kind,
        price=limit,
        trigger=trigger,
        protection=price if limit is None else None,
    )
    facts: list[ev.AnyEvent] = [
        ev.OrderIntended(order_id=order_id, terms=terms, tag=f"T{number:014d}", risk=RiskClass.INCREASE, lot=LOT),
        ev.OrderSent(order_id=order_id, attempt=1),
        ev.OrderAcknowledged(order_id=order_id, broker_id=f"B{number}"),
    ]
    if fill:
        facts.append(
            ev.OrderFilled(
                order_id=order_id,
                trade_id=f"{7000 + number}",
                account=account,
                contract=contract,
                product=Product.NRML,
                side=side,
                qty=lots * LOT,
                price=price,
                charges=1_804,
                traded_at=NOON,
            )
        )
    return facts


def name(strike: int, right: str, expiry: date = NEAR, underlying: str = "NIFTY") -> str:
    return contract_name(underlying, expiry, strike * 100, Right(right))


def straddle_day() -> list[ev.AnyEvent]:
    """A short straddle with wings, a bank position and one order that works."""
    return [
        *placed(1, name(24500, "CE"), Side.SELL, 2, 14_500),
        *placed(2, name(24500, "PE"), Side.SELL, 2, 13_980),
        *placed(3, name(24900, "CE"), Side.BUY, 2, 2_215),
        *placed(4, name(24100, "PE"), Side.BUY, 2, 1_940),
        *placed(5, name(52100, "CE", underlying="BANKNIFTY"), Side.BUY, 1, 15_050),
        *placed(6, name(24550, "CE"), Side.SELL, 1, 14_000, fill=False),
    ]


def stage_app(
    link: StageLink | None = None,
    screen: str = "positions",
    *,
    theme: str | None = "harbour",
    ascii: bool = False,
    home: Path = Path("/dev/null/optconsole-stage"),
    keys: dict[str, str] | None = None,
    attached: bool = False,
    hz: float = 20.0,
) -> ConsoleApp:
    """The real app on a stage link."""
    on = link if link is not None else StageLink(straddle_day())

    async def reach() -> tuple[StageLink, object]:
        return on, on.close

    options = ConsoleOptions(
        home=home, screen=screen, theme=theme, ascii=ascii, hz=hz, keys=keys or {}, attached=attached
    )
    return ConsoleApp(reach, options)  # type: ignore[arg-type]
