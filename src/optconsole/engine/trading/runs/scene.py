"""What the runs look at: the book, the market, the calendar, and the closes of minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.market.minutes import Minutes
from optconsole.engine.model.orders import Order
from optconsole.engine.model.positions import Position
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus, RunWatch
from optconsole.engine.model.strategies import Leg
from optconsole.engine.rules.leg_prices import Look, Seen
from optconsole.engine.rules.market_days import MarketDays
from optconsole.engine.trading.covering import counts
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.exits import Scene


@dataclass(frozen=True, slots=True)
class RunScene(Scene):
    """``up_since`` is when this engine became ready."""

    days: MarketDays
    minutes: Minutes
    up_since: datetime | None = None

    def look(self, name: str) -> Look:
        """What is known of a contract's price; nothing where it is too old to act on."""
        quote = self.situation.quote(name)
        closed = self.minutes.closed(name, self.now)
        close, at = (None, None) if closed is None else closed
        if quote is None or not self.fresh(name):
            return Look(close=close, closed_at=at)
        return Look(ltp=quote.mark, bid=quote.bid, ask=quote.ask, stamp=quote.ts, close=close, closed_at=at)

    def seen(self, run: Run, leg: LegRun) -> Seen:
        """What a leg's exits see now."""
        return Seen(at=self.now, leg=self.look(leg.contract), index=self.look(run.strategy.underlying))

    def observe(self, run: Run) -> None:
        """Remember the prices that minute closes are made of."""
        for name in {run.strategy.underlying, *(leg.contract for leg in run.legs.values() if leg.contract)}:
            price = self.situation.price(name)
            if price is not None:
                self.minutes.observe(name, price, self.now)


def part(scene: Scene, run: Run, leg: LegRun) -> Position | None:
    """What a leg holds of its contract."""
    source = run.source(leg.id)
    for key, parts in scene.state.books.items():
        if key.endswith(f"/{leg.contract}"):
            for each in parts:
                if each.source == source:
                    return each.held
    return None


def units(scene: Scene, run: Run, leg: LegRun) -> int:
    """Signed units that a leg holds."""
    held = part(scene, run, leg)
    return 0 if held is None else held.qty


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
    plain = msgspec.to_builtins(value)
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
