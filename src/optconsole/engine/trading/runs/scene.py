"""What the runs look at: the book, the market, the calendar, and the closes of minutes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.market.master import ChainRow
from optconsole.engine.market.minutes import Minutes
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.orders import Order
from optconsole.engine.model.positions import Position, position_name
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus, RunWatch
from optconsole.engine.model.strategies import Leg
from optconsole.engine.rules.leg_prices import Look, Seen
from optconsole.engine.rules.market_days import MarketDays
from optconsole.engine.rules.strike_rows import Candidate
from optconsole.engine.trading.covering import counts
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.exits import Scene

LET_GO: Final = frozenset({"NOT_TRIGGERED", "FIRST_ONLY", "STOPPED", "HALTED", "SKIPPED_BY_HAND", *ExitCode})
"""Why a leg was not entered though nothing failed."""
ChainKey = tuple[str, date, bool]
"""(underlying, expiry, whether with deltas)."""
Chain = tuple[list[ChainRow], tuple[Candidate, ...], tuple[Candidate, ...]]
"""The listed strikes, and what is known of their calls and puts."""


@dataclass(frozen=True, slots=True)
class RunScene(Scene):
    """``up_since`` is when this engine became ready.

    ``chains`` and ``looks`` keep what was read of the market: a scene is one instant, and a hundred strategies look at
    the same contracts in it.
    """

    days: MarketDays
    minutes: Minutes
    up_since: datetime | None = None
    chains: dict[ChainKey, Chain] = field(default_factory=dict)
    looks: dict[str, Look] = field(default_factory=dict)

    def look(self, name: str) -> Look:
        """What is known of a contract's price; nothing where it is too old to act on."""
        known = self.looks.get(name)
        if known is None:
            known = self.looks[name] = self._look(name)
        return known

    def _look(self, name: str) -> Look:
        quote = self.situation.quote(name)
        closed = self.minutes.closed(name, self.now)
        close, at = (None, None) if closed is None else closed
        if quote is None or not self.fresh(name):
            return Look(close=close, closed_at=at)
        return Look(ltp=quote.mark, bid=quote.bid, ask=quote.ask, stamp=quote.ts, close=close, closed_at=at)

    def seen(self, run: Run, leg: LegRun) -> Seen:
        """What a leg's exits see now.

        A spike guard weighs the last trade against the book itself, so it is given the trade as it was printed; every
        other leg looks at the mark, the last trade as far as the book allows it. With an empty book both are the same.
        """
        own, hours = self.look(leg.contract), self.days.hours(self.now.date())
        quote = self.situation.quote(leg.contract)
        if defined(run, leg).spike is not None and quote is not None and own.ltp is not None and quote.ltp is not None:
            own = msgspec.structs.replace(own, ltp=quote.ltp)
        opens = None if hours is None else hours.opens
        return Seen(at=self.now, opens=opens, leg=own, index=self.look(run.strategy.underlying))

    def watching(self, run: Run) -> bool:
        """Whether a run's conditions are looked at: from ``watch_from`` on each day after its first (SC-5)."""
        if run.watch_from is None or self.now.date() <= run.trade_date:
            return True
        return self.now.time() >= run.watch_from.time()

    def barred(self, run: Run) -> str:
        """Why a run enters nothing more now, not even again; empty while it may."""
        book = self.state.baskets.get(run.basket)
        if self.state.killed:
            return "The kill switch is on."
        if run.status in (RunStatus.EXITING, RunStatus.HALTED):
            return f"The run is {run.status.value.lower()}."
        if book is None or book.status is not BasketStatus.ACTIVE:
            return f"{run.basket} is {'gone' if book is None else book.status.value.lower()}."
        return ""

    def open_to_begin(self, run: Run) -> bool:
        """Whether the run's basket may begin something now: it is active, and nothing is killed."""
        book = self.state.baskets.get(run.basket)
        return not self.state.killed and book is not None and book.status is BasketStatus.ACTIVE

    def stopped(self, run: Run) -> bool:
        """Whether the run's basket was stopped: what it has not entered by then is given up."""
        book = self.state.baskets.get(run.basket)
        return book is None or book.status in (BasketStatus.STOPPED, BasketStatus.ARCHIVED)

    def observe(self, runs: Iterable[Run]) -> None:
        """Remember the prices that minute closes are made of; of a contract once, however many runs hold it."""
        names: dict[str, None] = {}
        for run in runs:
            names[run.strategy.underlying] = None
            names.update((leg.contract, None) for leg in run.legs.values() if leg.contract)
        for name in names:
            price = self.situation.price(name)
            if price is not None:
                self.minutes.observe(name, price, self.now)


def part(scene: Scene, run: Run, leg: LegRun) -> Position | None:
    """What a leg holds of its contract."""
    source = run.source(leg.id)
    parts = scene.state.books.get(position_name(leg.account, run.strategy.product, leg.contract), ())
    return next((each.held for each in parts if each.source == source), None)


def units(scene: Scene, run: Run, leg: LegRun) -> int:
    """Signed units that a leg holds."""
    held = part(scene, run, leg)
    return 0 if held is None else held.qty


def still_holds(scene: Scene, run: Run, leg: LegRun) -> bool:
    """Whether a leg has something left to leave.

    Under the kill switch what others of the same account hold against it is flat already, and stays as it is.
    """
    held = part(scene, run, leg)
    if held is None or not held.qty:
        return False
    net = scene.state.positions.get(str(held.key))
    return not scene.state.killed or (net is not None and net.qty != 0)


def orders_of(scene: Scene, source: str) -> list[Order]:
    """Orders on behalf of a run or leg that may still trade, as far as anybody can tell."""
    prefix = f"{source}/"
    return [
        order
        for order in scene.state.orders.values()
        if counts(order) and (order.terms.source == source or order.terms.source.startswith(prefix))
    ]


def defined(run: Run, leg: LegRun) -> Leg:
    """The leg as written."""
    found = run.strategy.leg(leg.id)
    assert found is not None  # a run's legs are made from its strategy
    return found


def why(value: object) -> dict[str, Any]:
    """The values of a decision as the journal keeps them."""
    # by way of JSON, since tuples and keys come back from the journal as lists and text
    plain = msgspec.json.decode(msgspec.json.encode(value))
    return plain if isinstance(plain, dict) else {"value": plain}


def move_leg(run: Run, leg: LegRun, what: str, reason: object = None, **changes: Any) -> ev.LegMoved:
    """The fact that a leg changed."""
    after = msgspec.structs.replace(leg, **changes)
    return ev.LegMoved(run_id=run.id, what=what, leg=after, why={} if reason is None else why(reason))


def move_run(
    run: Run, status: RunStatus, code: str, text: str, reason: object = None, lag_ms: int | None = None
) -> ev.RunMoved:
    """The fact that a run went on."""
    return ev.RunMoved(
        run_id=run.id,
        status=status,
        code=code,
        text=text,
        lag_ms=lag_ms,
        why={} if reason is None else why(reason),
    )


def watched(run: Run, what: str, watch: RunWatch, reason: object = None) -> ev.RunWatched:
    """The fact that a run remembers something new."""
    return ev.RunWatched(run_id=run.id, what=what, watch=watch, why={} if reason is None else why(reason))


def decision_of(run: Run) -> Decision:
    """An empty decision on a run's behalf."""
    return Decision(f"run:{run.id}", run.id)


def open_legs(run: Run) -> list[LegRun]:
    """Legs that are filled and not being left."""
    return [leg for leg in run.legs.values() if leg.stage is LegStage.OPEN]
