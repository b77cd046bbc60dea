"""Which runs a day brings: one for each strategy and account of every active basket (features SC-3, BK-5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import cache
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.baskets import Allocation, BasketBook, BasketStatus
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.runs import LegRun, Run, RunStatus
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.strikes import ExpiryRule, Series
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.allocation import Departure, departures, share
from optconsole.engine.rules.faults import MarketFacts
from optconsole.engine.rules.lint import lint_strategy
from optconsole.engine.rules.schedules import NotToday, Planned, plan
from optconsole.engine.trading.baskets import market_facts
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.scene import RunScene, move_run, why

FAULTY: Final = "STRATEGY_FAULTY"
"""The code of a run whose strategy does not fit today's contracts any more."""


def plan_day(scene: RunScene) -> Decision | None:
    """Plan what is not planned yet, and plan anew what has not begun and was written anew."""
    day = scene.state.day
    if day is None or not scene.state.session_open:
        return None
    decision = Decision("engine", f"plan {day.isoformat()}")
    facts = cache(lambda: market_facts(scene.state, scene.master))
    known = {
        (run.basket, run.strategy.name, run.account): run for run in scene.state.runs.values() if run.trade_date == day
    }
    for book in scene.state.baskets.values():
        if book.status is BasketStatus.ACTIVE:
            _plan_basket(scene, book, day, known, decision, facts)
    _drop_stopped(scene, decision)
    return decision if decision.facts else None


def _plan_basket(
    scene: RunScene,
    book: BasketBook,
    day: date,
    known: dict[tuple[str, str, str], Run],
    decision: Decision,
    facts: Callable[[], MarketFacts],
) -> None:
    basket = book.basket
    turns = {each.account: each for each in departures(basket.allocations, basket.pace, basket.stagger_ms)}
    for strategy in basket.strategies:
        for allocation in basket.allocations:
            before = known.get((basket.name, strategy.name, allocation.account))
            if not allocation.enabled or (before is not None and not _stale(before, book)):
                continue
            added = sum(isinstance(fact, ev.RunPlanned) for fact in decision.facts)
            run_id = f"R{scene.state.run_count + added + 1}" if before is None else before.id
            run, told = _planned(scene, book, strategy, allocation, turns[allocation.account], day, run_id, facts)
            decision.facts.append(ev.RunPlanned(run_id=run_id, run=run, why=told))
            if run.code == FAULTY:
                text = f"{strategy.name} of {basket.name} will not run today: {run.text}"
                decision.facts.append(ev.NoticeRaised(level="alarm", code=FAULTY, text=text, subject=run_id))


def _stale(run: Run, book: BasketBook) -> bool:
    """Whether a run that has not begun was planned from an older version."""
    return run.version != book.version and run.status in (RunStatus.SCHEDULED, RunStatus.SKIPPED) and not run.first_fill


def _planned(
    scene: RunScene,
    book: BasketBook,
    strategy: Strategy,
    allocation: Allocation,
    turn: Departure,
    day: date,
    run_id: str,
    facts: Callable[[], MarketFacts],
) -> tuple[Run, dict[str, object]]:
    outcome = _plan(scene, strategy, allocation, day, facts)
    account = scene.state.accounts.get(allocation.account)
    sound = not isinstance(outcome, NotToday) and account is not None
    when = outcome[0] if not isinstance(outcome, NotToday) else _no_plan(strategy, day)
    lots = outcome[1] if not isinstance(outcome, NotToday) else {}
    code, text = (
        (outcome.code, outcome.text) if isinstance(outcome, NotToday) else ("", f"Enters at {when.entry_at:%H:%M:%S}.")
    )
    run = Run(
        id=run_id,
        basket=book.basket.name,
        version=book.version,
        strategy=strategy,
        account=allocation.account,
        mode=account.account.mode if account is not None else Mode.PAPER,
        trade_date=day,
        entry_at=when.entry_at,
        entry_until=when.entry_until,
        triggers_until=when.triggers_until,
        exit_at=when.exit_at,
        watch_from=when.watch_from,
        expiry=when.expiry,
        dte=when.dte,
        depart_ms=turn.offset_ms,
        after=turn.after,
        status=RunStatus.SCHEDULED if sound else RunStatus.SKIPPED,
        since=scene.now,
        code=code,
        text=text,
        legs={
            leg.id: LegRun(
                id=leg.id,
                account=leg.account or allocation.account,
                side=leg.side,
                lots=lots.get(leg.id, 0),
            )
            for leg in strategy.legs
        },
    )
    told: dict[str, object] = {} if isinstance(outcome, NotToday) else why(when)
    return run, told


def _plan(
    scene: RunScene, strategy: Strategy, allocation: Allocation, day: date, facts: Callable[[], MarketFacts]
) -> tuple[Planned, dict[str, int]] | NotToday:
    for account in {allocation.account, *(leg.account for leg in strategy.legs if leg.account)}:
        if account not in scene.state.accounts:
            return NotToday("UNKNOWN_ACCOUNT", f"No account is called {account!r}.")
    listed = scene.master.expiries(strategy.underlying)
    if not listed:
        return NotToday("NOT_LISTED", f"{strategy.underlying} has no contracts here today.")
    try:
        # a registered strategy gives its legs at entry time, and they are shared out then
        lots = share({leg.id: leg.lots for leg in strategy.legs}, allocation).lots if strategy.legs else {}
    except Refusal as refused:
        return NotToday(refused.code, refused.text)
    faults = lint_strategy(strategy, facts())
    if faults:
        # sound when it was saved; since then the contracts have changed
        return NotToday(FAULTY, f"{faults[0].path}: {faults[0].text}")
    rules = [leg.expiry for leg in strategy.legs] or [_nearest(listed, day)]
    when = plan(strategy.schedule, day, scene.days, listed, rules, strategy.underlying)
    return when if isinstance(when, NotToday) else (_over_days(scene, strategy, when), lots)


def _over_days(scene: RunScene, strategy: Strategy, when: Planned) -> Planned:
    """A range that ends on a later day can be broken until that day's end (features EN-4)."""
    rule = strategy.entry.range
    if rule is None or rule.end_dte is None or rule.end_dte >= when.dte:
        return when
    day = scene.days.before_expiry(when.expiry, rule.end_dte)
    hours, last = scene.days.hours(day), strategy.schedule.no_entry_after
    ends = when.exit_at if hours is None else min(hours.closes, when.exit_at)
    if last is not None:
        ends = min(ends, datetime.combine(day, last, IST))
    return msgspec.structs.replace(when, triggers_until=max(ends, when.triggers_until))


def _nearest(listed: Sequence[date], day: date) -> ExpiryRule:
    """The next expiry of all, for a strategy that has no legs yet."""
    return ExpiryRule(series=Series.FIXED, day=next((each for each in listed if each >= day), listed[-1]))


def _no_plan(strategy: Strategy, day: date) -> Planned:
    """The times as written, for a run that only says why it is none."""
    entry, leave = (datetime.combine(day, at, IST) for at in (strategy.schedule.entry_at, strategy.schedule.exit_at))
    return Planned(
        trade_date=day, entry_at=entry, entry_until=entry, triggers_until=entry, exit_at=leave, expiry=day, dte=0
    )


def _drop_stopped(scene: RunScene, decision: Decision) -> None:
    """Runs that have not begun and whose basket was stopped since."""
    for run in scheduled(scene):
        book = scene.state.baskets.get(run.basket)
        if book is None or book.status in (BasketStatus.STOPPED, BasketStatus.ARCHIVED):
            decision.facts.append(move_run(run, RunStatus.SKIPPED, "STOPPED", f"{run.basket} was stopped."))


def scheduled(scene: RunScene) -> Iterator[Run]:
    """Runs that have not begun."""
    return (run for run in scene.state.runs.values() if run.status is RunStatus.SCHEDULED)
