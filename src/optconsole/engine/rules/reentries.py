"""What follows the exit of a leg (features 1.7): which re-entry is armed, or why none. Pure.

Nothing is armed while the outcome of the exit is unknown: it may still be filled twice, or not at all. Counters are
separate for stops and targets, and grow when a re-entry is taken (``taken``), not when it is armed.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum

import msgspec

from optconsole.engine.model.exit_codes import LEG_STOPS, ExitCode
from optconsole.engine.model.leg_rules import Measure, Reentry, ReentryMode
from optconsole.engine.model.orders import Side
from optconsole.engine.model.run_state import ArmedEntry, Counters
from optconsole.engine.model.strategies import Leg, Strategy
from optconsole.engine.rules.leg_exits import exit_due

_SAME_CONTRACT = frozenset({ReentryMode.COST, ReentryMode.CLOSE})


class Denial(StrEnum):
    """Why a leg is not entered again. EXIT_UNKNOWN alone passes: ask again once the exit is settled."""

    EXIT_UNKNOWN = "EXIT_UNKNOWN"
    MANUAL = "MANUAL"
    NOT_THIS_EXIT = "NOT_THIS_EXIT"
    NO_RULE = "NO_RULE"
    USED_UP = "USED_UP"
    SHARED_USED_UP = "SHARED_USED_UP"
    TOO_LATE = "TOO_LATE"


class NoReentry(msgspec.Struct, frozen=True):
    """No re-entry, and why, in a sentence."""

    code: Denial
    why: str


class LegExit(msgspec.Struct, frozen=True, kw_only=True):
    """A leg that was left. ``entry`` is its average entry, which is cost; ``price`` the average exit, if known.

    ``since`` is when it was entered. ``settled`` is False while any order of the exit is at work or in doubt.
    """

    leg: str
    code: ExitCode
    at: datetime
    since: datetime
    side: Side
    contract: str
    entry: int
    tick: int
    lot: int
    price: int | None = None
    settled: bool = True


def next_entry(
    strategy: Strategy, left: LegExit, counters: Counters, ends: datetime | None = None
) -> ArmedEntry | NoReentry:
    """The re-entry that this exit arms. ``ends`` is when the run is out, None where nothing ends it today."""
    leg = strategy.leg(left.leg)
    if leg is None:
        return NoReentry(Denial.NO_RULE, f"The strategy has no leg {left.leg} any more.")
    if not left.settled:
        return NoReentry(Denial.EXIT_UNKNOWN, f"The outcome of the exit of {leg.id} is not known yet.")
    if left.code is ExitCode.MANUAL:
        return NoReentry(Denial.MANUAL, f"{leg.id} was squared off by hand, so it stays out for the day.")
    target = left.code is ExitCode.LEG_TGT
    if not target and left.code not in LEG_STOPS:
        return NoReentry(Denial.NOT_THIS_EXIT, f"{leg.id} was left by {left.code}, after which nothing is entered.")
    rule = leg.on_target if target else leg.on_stop
    if rule is None:
        what = "target" if target else "stop"
        return NoReentry(Denial.NO_RULE, f"{leg.id} has no re-entry after its {what}.")
    spent = denied(strategy, leg, counters, left.at, target=target)
    if spent is not None:
        return spent
    due = _due(rule, left.at)
    last = _last(strategy, leg, rule, left, ends)
    if last is not None and due >= last:
        return NoReentry(
            Denial.TOO_LATE, f"{leg.id} could be entered again from {due:%H:%M:%S}, but only till {last:%H:%M:%S}."
        )
    return _armed(leg, rule, left, due, last, target=target)


def denied(strategy: Strategy, leg: Leg, counters: Counters, now: datetime, *, target: bool) -> NoReentry | None:
    """Why no further re-entry of this leg may be taken now; None when one may."""
    if counters.barred.get(leg.id) == now.date():
        return NoReentry(Denial.MANUAL, f"{leg.id} was squared off by hand today, so it stays out for the day.")
    rule = leg.on_target if target else leg.on_stop
    used = counters.used(leg.id, target=target)
    if rule is None or used >= rule.times:
        what = "target" if target else "stop"
        return NoReentry(Denial.USED_UP, f"{leg.id} has had its {used} re-entries after a {what}.")
    shared = strategy.reentry_shared_max
    if shared is not None and counters.together >= shared:
        return NoReentry(Denial.SHARED_USED_UP, f"All legs together have had their {shared} re-entries.")
    return None


def taken(counters: Counters, armed: ArmedEntry) -> Counters:
    """The counters once an armed re-entry has been sent."""
    return counters.counted(armed.leg, target=armed.target)


def _due(rule: Reentry, at: datetime) -> datetime:
    """The first instant at which the re-entry may be taken."""
    due = at + timedelta(seconds=rule.delay)
    return due if rule.not_before is None else max(due, _on(at, rule.not_before))


def _last(strategy: Strategy, leg: Leg, rule: Reentry, left: LegExit, ends: datetime | None) -> datetime | None:
    """The instant from which on it may not: the earliest of all that end it."""
    days = [each for each in (rule.not_after, strategy.schedule.no_reentry_after) if each is not None]
    moments = [_on(left.at, each) for each in days]
    if leg.exit_at is not None:
        moments.append(exit_due(left.since, leg.exit_at))
    if ends is not None:
        moments.append(ends)
    return min(moments, default=None)


def _on(at: datetime, clock: time) -> datetime:
    return at.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=clock.microsecond)


def _armed(leg: Leg, rule: Reentry, left: LegExit, due: datetime, last: datetime | None, *, target: bool) -> ArmedEntry:
    far = _far(rule.mode, left.side, target=target)
    return ArmedEntry(
        leg=leg.id,
        legs=_legs(leg, rule),
        mode=rule.mode,
        target=target,
        side=left.side.opposite if rule.reverse else left.side,
        cost=left.entry,
        due=due,
        ends=last,
        contract=left.contract if rule.mode in _SAME_CONTRACT else None,
        tick=left.tick,
        lot=left.lot,
        far=far,
        away=left.price is not None and (left.price - left.entry) * far > 0,
        wait=_wait(leg, rule),
        everything=rule.square_off_all,
    )


def _legs(leg: Leg, rule: Reentry) -> tuple[str, ...]:
    if rule.square_off_all:
        return ()
    return rule.arms if rule.mode is ReentryMode.LAZY else (leg.id,)


def _wait(leg: Leg, rule: Reentry) -> Measure | None:
    """EN-2 before the re-entry: its own, or for MOMENTUM that of the leg. A lazy leg brings its own."""
    if rule.wait is not None or rule.mode is not ReentryMode.MOMENTUM:
        return rule.wait
    return None if leg.wait is None else leg.wait.move


def _far(mode: ReentryMode, side: Side, *, target: bool) -> int:
    """From which side of cost the price comes back: after a stop from the side of loss, after a target from the gain's.

    A minute's close is always asked to be at or below cost for a leg that was sold, at or above for one bought.
    """
    gain = target and mode is not ReentryMode.CLOSE
    return side.sign if gain else -side.sign
