"""A minute before its time a run's contracts are watched, and what would keep it from entering is told (SC-2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.runs import Run
from optconsole.engine.model.strikes import ExpiryRule
from optconsole.engine.rules.expiries import pick_expiry
from optconsole.engine.rules.schedules import WARM_UP
from optconsole.engine.trading.decision import Decision, WatchQuotes
from optconsole.engine.trading.runs.choosing import VIX
from optconsole.engine.trading.runs.planning import scheduled
from optconsole.engine.trading.runs.scene import RunScene

AROUND: Final = 60
"""Strikes on each side of the underlying that are watched: further out nothing is chosen in practice."""


class Warmth:
    """The runs that were prepared already. Of this process only: one that starts in between prepares them again."""

    def __init__(self) -> None:
        self._done: set[str] = set()

    def step(self, scene: RunScene) -> Decision | None:
        """Prepare the runs that are due within a minute."""
        decision = Decision("schedule", f"warm {scene.now:%H:%M:%S}")
        for run in scheduled(scene):
            if run.id in self._done or not run.entry_at - WARM_UP <= scene.now < run.entry_until:
                continue
            self._done.add(run.id)
            decision.effects.append(WatchQuotes(tuple(wanted(scene, run))))
            missing = list(troubles(scene, run))
            if missing and scene.now < run.entry_at:
                text = f"{run.strategy.name} on {run.account} is due at {run.entry_at:%H:%M:%S}: {' '.join(missing)}"
                decision.facts.append(ev.NoticeRaised(level="alarm", code="NOT_PREPARED", text=text, subject=run.id))
        return decision if decision.effects else None


def wanted(scene: RunScene, run: Run) -> Iterator[str]:
    """The contracts that the run may choose from, and what it measures them by."""
    underlying = run.strategy.underlying
    yield from (underlying, VIX)
    spot = scene.situation.price(underlying)
    for expiry in sorted(_expiries(scene, run)):
        future = scene.master.future(underlying, expiry)
        if future is not None:
            yield future.name
        chain = scene.master.chain(underlying, expiry)
        nearest = sorted(range(len(chain)), key=lambda place: abs(chain[place][0] - (spot or 0)))[: 2 * AROUND]
        for place in sorted(nearest) if spot is not None else range(len(chain)):
            yield from (each.name for each in chain[place][1:] if each is not None)


def _expiries(scene: RunScene, run: Run) -> set[date]:
    # a registered strategy has no legs yet: what it is shown is the chain of the run's own expiry
    found: set[date] = {run.expiry} if run.strategy.plugin else set()
    for leg in run.strategy.legs:
        day = _expiry(scene, run, leg.expiry)
        if day is not None:
            found.add(day)
    return found


def _expiry(scene: RunScene, run: Run, rule: ExpiryRule) -> date | None:
    try:
        underlying = run.strategy.underlying
        listed = scene.master.expiries(underlying)
        return pick_expiry(rule, listed, run.entry_at, scene.days.between, underlying).expiry
    except Refusal:
        return None


def troubles(scene: RunScene, run: Run) -> Iterator[str]:
    """What would keep the run from entering if it were its time now, in sentences."""
    if scene.state.killed:
        yield "The kill switch is on."
    for account in sorted({leg.account for leg in run.legs.values()}):
        known, health = scene.state.accounts.get(account), scene.situation.health(account)
        if known is None:
            yield f"No account is called {account}."
        elif known.account.mode is Mode.LIVE and health.lost:
            yield f"{account} is not logged in: {health.lost}"
    if scene.look(run.strategy.underlying).ltp is None:
        yield f"{run.strategy.underlying} has no fresh price."
    if scene.situation.guard_only:
        yield f"Only guards and exits act: {scene.situation.guard_only}"
