"""Questions answered from the state, the board and the journal, changing nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from optconsole.engine import previewing
from optconsole.engine import queries as q
from optconsole.engine.deadlines import within
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.health import AccountHealth
from optconsole.engine.model.instruments import Instrument, Right
from optconsole.engine.model.limits import Level, Limit, LimitDay, Standing
from optconsole.engine.model.orders import Order, OrderTerms, RiskClass, Side
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.vitals import BrokerVitals, LinkState, MarketPhase, Vitals
from optconsole.engine.ports import Broker, JournalBroken, PlaceRequest
from optconsole.engine.queries import AnyAnswer, AnyQuery, Check, OrderPreview
from optconsole.engine.rules import pretrade
from optconsole.engine.rules.bands import price_band
from optconsole.engine.rules.limits import measure
from optconsole.engine.rules.slicing import largest_order, slices
from optconsole.engine.trading.desk import request_for
from optconsole.engine.watching import FUNDS_DEADLINE

if TYPE_CHECKING:
    from optconsole.engine.core import Engine

FEED_STALE: Final = 5.0
FEED_DEAD: Final = 15.0
"""Seconds without any quote in an open session (features MD-4)."""
ORDERS_PER_SECOND: Final = 10
MARGIN_DEADLINE: Final = 4.0
"""Seconds for the three questions of one preview: a ticket waits for them."""
MOST_FACTS: Final = 5_000
"""Facts in one answer: while they are read, nothing can be stored."""


class Reader:
    """Reads an engine. Holds no state of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def answer(self, query: AnyQuery) -> AnyAnswer:
        """The answer to one question. Raises Refusal, BrokerUnreachable or JournalBroken."""
        engine = self._engine
        match query:
            case q.FindInstruments():
                return self._instruments(query)
            case q.ListUnderlyings():
                return self._underlyings()
            case q.GetQuotes(names=names):
                return self._quotes(names)
            case q.GetDepth(name=name):
                return q.DepthAnswer(depth=engine.world.feed.depth(name))
            case q.ReadJournal() | q.VerifyJournal() | q.BackupJournal():
                return await self._of_journal(query)
            case q.GetVitals():
                return q.VitalsAnswer(vitals=self.vitals())
            case q.GetFunds(account=account):
                return await self._funds(account)
            case q.PreviewOrder() | q.PreviewBasket() | q.PreviewRun() | q.PreviewAdjustment():
                return await self._before_sending(query)
            case q.GetRisk() | q.ListStrategies():
                return await self._listed(query)

    async def _listed(self, query: q.GetRisk | q.ListStrategies) -> AnyAnswer:
        engine = self._engine
        if isinstance(query, q.GetRisk):
            return risk_answer(engine.state, engine.situation())
        host = engine.world.strategies
        return q.StrategyList(cards=() if host is None else tuple(await host.cards()))

    def _quotes(self, names: Sequence[str]) -> q.QuoteList:
        engine = self._engine
        found = (engine.board.get(name) for name in names)
        engine.want_quotes(names)
        return q.QuoteList(quotes=tuple(quote for quote in found if quote is not None))

    def _instruments(self, query: q.FindInstruments) -> q.InstrumentList:
        words = (query.text or "").upper().split()
        chosen = [
            instrument
            for instrument in self._engine.master.instruments()
            if (query.underlying is None or instrument.underlying == query.underlying.upper())
            and (query.expiry is None or instrument.expiry == query.expiry)
            and all(word in instrument.name for word in words)
        ]
        return q.InstrumentList(instruments=tuple(chosen[: query.limit]))

    def _underlyings(self) -> q.UnderlyingList:
        master = self._engine.master
        rows = []
        for name in master.underlyings():
            expiries = master.expiries(name)
            if not expiries:
                continue
            # The last expiry of its month is the monthly one, whatever its weekday.
            monthly = tuple(
                not any(other > day and (other.year, other.month) == (day.year, day.month) for other in expiries)
                for day in expiries
            )
            index = master.index(name)
            rows.append(
                q.Underlying(
                    name=name, exchange=index.exchange if index else "", expiries=tuple(expiries), monthly=monthly
                )
            )
        return q.UnderlyingList(underlyings=tuple(rows))

    async def _of_journal(self, query: q.ReadJournal | q.VerifyJournal | q.BackupJournal) -> AnyAnswer:
        match query:
            case q.ReadJournal():
                return await self._journal(query)
            case q.VerifyJournal(anchors=anchors):
                return await self._engine.verify(anchors)
            case q.BackupJournal(target=target):
                return await self._engine.world.journal.backup(target)

    async def _journal(self, query: q.ReadJournal) -> q.JournalPage:
        journal = self._engine.world.journal
        facts = await journal.read(
            after=query.after,
            limit=min(max(query.limit, 1), MOST_FACTS),
            stream=query.stream,
            text=query.text,
            last=query.last,
        )
        return q.JournalPage(facts=tuple(facts), head=self._engine.state.seq)

    async def _funds(self, account: str) -> q.FundsAnswer:
        broker = self._engine.world.brokers.get(account)
        if broker is None:
            known = ", ".join(sorted(self._engine.world.brokers)) or "none"
            raise Refusal("UNKNOWN_ACCOUNT", f"No account is called {account!r}; known: {known}.")
        funds = await within(FUNDS_DEADLINE, broker.funds())
        return q.FundsAnswer(account=account, cash=funds.cash, margin_used=funds.margin_used, free=funds.free)

    async def _before_sending(
        self, query: q.PreviewOrder | q.PreviewBasket | q.PreviewRun | q.PreviewAdjustment
    ) -> AnyAnswer:
        if isinstance(query, q.PreviewOrder):
            return await self._preview(query.terms, self._engine.state.orders.get(query.replacing))
        return await previewing.answer(self._engine, query)

    async def _preview(self, terms: OrderTerms, replacing: Order | None) -> OrderPreview:
        """All checks at once, so the ticket can show every obstacle before Enter, not the first after it."""
        engine = self._engine
        instrument = engine.master.resolve(terms.contract)
        situation = engine.situation()
        quote = engine.board.get(instrument.name)
        terms = pretrade.with_protection(
            msgspec.structs.replace(terms, contract=instrument.name),
            instrument,
            quote,
            situation.reference(instrument.name),
        )
        pretrade.require_sane(terms.qty, terms.price, terms.trigger)
        if replacing is None:
            found = list(pretrade.checks_in_parts(engine.state, terms, instrument, situation))
        else:
            found = list(pretrade.checks(engine.state, terms, instrument, situation, replacing))
        mark = None if quote is None else quote.mark
        low, high = (
            (None, None) if mark is None else price_band(instrument, situation.reference(instrument.name) or mark)
        )
        margin, free_after = None, None
        broker = engine.world.brokers.get(terms.account)
        # the broker's margin holds the order that a change replaces already, and cannot tell them apart
        weighable = broker is not None and replacing is None and instrument.tradable
        if broker is not None and weighable and terms.limit is not None and terms.qty > 0:
            free, margin = await within(MARGIN_DEADLINE, _weighed(broker, request_for(terms, instrument, "")))
            # the broker itself is asked here, and knows better than what it last said
            found = [check for check in found if check.code not in ("MARGIN", "FUNDS_UNKNOWN")]
            free_after = free - margin
            if free_after < 0 and pretrade.risk_class(engine.state, terms) is RiskClass.INCREASE:
                short = pretrade.price_in(-free_after)
                found.append(
                    Check(
                        code="MARGIN", severity="refuse", text=f"The account is short of {short} rupees for this order."
                    )
                )
        price = terms.limit if terms.price is not None else mark
        charges = None
        if price is not None and terms.qty > 0:
            charges = engine.world.charge_for(situation.now.date(), instrument, terms.side, terms.qty * price)
        max_loss, unlimited = _worst_case(engine, terms, instrument, terms.limit or price)
        return OrderPreview(
            ok=pretrade.refusal(found) is None,
            checks=tuple(found),
            protection=terms.protection,
            margin=margin,
            free_after=free_after,
            charges=charges,
            band_low=low,
            band_high=high,
            orders=_order_count(terms.qty, instrument),
            max_loss=max_loss,
            unlimited=unlimited,
        )

    def vitals(self) -> Vitals:
        """A picture of the engine's health at this instant."""
        engine = self._engine
        clock = engine.world.clock
        now, tick = clock.now(), clock.monotonic()
        phase, ends = engine.world.calendar.phase(now)
        age = engine.feed_age()
        commits = engine.world.journal.commit_percentiles()
        lag = engine.meters.loop_lag.percentiles()
        playback, stops = engine.world.playback, engine.stops()
        guard, why = _guard(engine.world.guard_only, engine.broken, stops)
        return Vitals(
            now=now,
            world=engine.world.name,
            phase=phase,
            phase_ends=ends,
            feed=feed_state(phase, age, playback is not None and playback.paused, engine.world.patience()),
            feed_age=age,
            quotes_per_second=engine.meters.quotes.per_second(tick),
            store=self._store(stops),
            commit_p50=commits[0] if commits else None,
            commit_p99=commits[1] if commits else None,
            loop_lag=lag[1] if lag else None,
            inbox=engine.inbox_size,
            seq=engine.state.seq,
            consoles=engine.consoles,
            orders_last_second=engine.orders_last_second(),
            orders_per_second_cap=ORDERS_PER_SECOND,
            brokers=tuple(
                with_health(broker.vitals(), name, engine.health(name)) for name, broker in engine.world.brokers.items()
            ),
            disk_free=engine.world.disk_free(),
            uptime=tick - engine.meters.started,
            paused=playback.paused if playback else False,
            speed=playback.speed if playback else None,
            guard=guard,
            guard_why=why,
            entry_wait=engine.entry_wait(),
            doubts=engine.doubts(),
        )

    def _store(self, stops: tuple[Check, ...]) -> LinkState:
        if self._engine.broken is not None:
            return LinkState.DEAD
        return LinkState.STALE if any(stop.code == "STORE_DOWN" for stop in stops) else LinkState.LIVE


async def _weighed(broker: Broker, request: PlaceRequest) -> tuple[int, int]:
    """Paise that are free, and paise of margin that an order needs on top of what is open.

    What open orders tie up stays tied up; the premium of a bought option is in the margin already.
    """
    funds = await broker.funds()
    return funds.free, await broker.margin([request]) - await broker.margin([])


def _guard(guard_only: str, broken: JournalBroken | None, stops: tuple[Check, ...]) -> tuple[str, str]:
    """The first reason why not everything may be done, as the frame shows it, and as a sentence."""
    if broken is not None:
        return broken.code.replace("_", " "), broken.text
    if guard_only:
        return "GUARD ONLY", guard_only
    return (stops[0].code.replace("_", " "), stops[0].text) if stops else ("", "")


def with_health(broker: BrokerVitals, account: str, health: AccountHealth) -> BrokerVitals:
    """A broker's own word, worse where our requests say so: what they cannot do, it cannot."""
    read, write = broker.order_read, broker.order_write
    if health.lost:
        read = write = LinkState.DEAD
    else:
        if health.book_age is None or health.book_age > pretrade.BOOK_OLD:
            read = _worse(read, LinkState.DEAD)
        if health.refusing_for > 0:
            write = _worse(write, LinkState.STALE)
    return msgspec.structs.replace(
        broker,
        order_read=read,
        order_write=write,
        account=account,
        book_age=health.book_age,
        refusing_for=health.refusing_for,
        failures=health.failures,
        lost=health.lost,
    )


def _worse(said: LinkState, found: LinkState) -> LinkState:
    """What we found, unless the broker itself says that it is closed or gone."""
    return said if said in (LinkState.CLOSED, LinkState.DEAD) else found


def risk_answer(state: TradingState, situation: pretrade.Situation) -> q.RiskAnswer:
    """Every limit with what is used of it now."""
    order = tuple(Level)
    chosen = sorted(state.limits.values(), key=lambda each: (order.index(each.level), each.name, each.kind.value))
    states = tuple(scope for _key, scope in sorted(state.scopes.items()) if scope.standing is not Standing.ACTIVE)
    return q.RiskAnswer(limits=tuple(_limit_row(state, limit, situation) for limit in chosen), states=states)


def _limit_row(state: TradingState, limit: Limit, situation: pretrade.Situation) -> q.LimitRow:
    usage = measure(state, limit, situation.price, situation.funds, situation.known)
    day = state.limit_days.get(limit.key) or LimitDay()
    scope = state.scopes.get(limit.scope)
    return q.LimitRow(
        level=limit.level,
        name=limit.name,
        kind=limit.kind,
        unit=limit.unit,
        value=limit.value,
        second=limit.second,
        used=None if usage is None else usage.used,
        percent=None if usage is None else usage.share,
        state=Standing.ACTIVE if scope is None else scope.standing,
        action=limit.action,
        until=limit.until,
        warned=day.warned,
        broken=day.broken,
        missing="" if usage is None else usage.missing,
    )


def feed_state(phase: MarketPhase, age: float | None, paused: bool, patience: float = 0.0) -> LinkState:
    """LIVE, STALE after 5 s and DEAD after 15 s of silence in an open session; CLOSED otherwise.

    ``patience`` is the silence that is usual for the source, in seconds.
    """
    if phase is not MarketPhase.OPEN or paused:
        return LinkState.CLOSED
    if age is None or age > FEED_DEAD + 3 * patience:
        return LinkState.DEAD
    return LinkState.STALE if age > FEED_STALE + 2 * patience else LinkState.LIVE


def _order_count(qty: int, instrument: Instrument) -> int:
    """Orders the freeze quantity would cut it into; 0 for what is no order at all."""
    try:
        return len(slices(qty, max(instrument.lot, 1), largest_order(instrument)))
    except Refusal:
        return 0


def _worst_case(
    engine: Engine, terms: OrderTerms, instrument: Instrument, price: int | None
) -> tuple[int | None, bool]:
    """Paise this order alone can lose at expiry, and whether nothing bounds it. Closing orders add no loss."""
    held = engine.state.positions.get(str(PositionKey(terms.account, terms.product, terms.contract)))
    if held is not None and held.qty * terms.side.sign < 0 and terms.qty <= abs(held.qty):
        return 0, False
    if price is None:
        return None, False
    if instrument.strike is None:
        return (terms.qty * price, False) if terms.side is Side.BUY else (None, True)
    if terms.side is Side.BUY:
        return terms.qty * price, False
    if instrument.right is Right.PUT:
        return terms.qty * (instrument.strike - price), False
    return None, True
