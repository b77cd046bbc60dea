"""Legs that contradict themselves: what one leg says about its lots, its strike, its levels and its re-entries."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from optconsole.engine.model.leg_rules import Measure, Reentry, ReentryMode, StopKind, TrailKind, Unit
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Holding, Leg, Strategy
from optconsole.engine.model.strikes import (
    CheapStrike,
    DeltaStrike,
    ExactStrike,
    Pick,
    PremiumStrike,
    Series,
    StepStrike,
    VolatilityStrike,
)
from optconsole.engine.rules.faults import Fault, Faults

MOST_LOTS: Final = 1_000
MOST_REENTRIES: Final = 20
_ID: Final = re.compile(r"[a-z0-9-]+", re.ASCII)
_WHOLE_BP: Final = 10_000
_MOST_TARGET: Final = 10 * _WHOLE_BP
_WHOLE_DELTA: Final = 1_000


def identity(_: Strategy, leg: Leg) -> Faults:
    """A name that fits a path, and lots."""
    if not _ID.fullmatch(leg.id):
        yield Fault("BAD_ID", "id", f"{leg.id!r} is no leg id; use small letters, digits and hyphens.")
    if not 1 <= leg.lots <= MOST_LOTS:
        yield Fault("BAD_LOTS", "lots", f"{leg.lots} lots will not do; give 1 to {MOST_LOTS}.")


def future(_: Strategy, leg: Leg) -> Faults:
    """A leg without a right is a future: it has no strike, and no weekly series."""
    if leg.right is not None:
        return
    if leg.strike != StepStrike():
        yield Fault("FUTURE_STRIKE", "strike", "A future has no strike; take it away or choose CE or PE.")
    if leg.expiry.series is Series.WEEKLY:
        yield Fault("NO_WEEKLY", "expiry.series", "Futures have monthly expiries only; choose monthly.")


def expiry(_: Strategy, leg: Leg) -> Faults:
    """A fixed date where the series is fixed, and only there."""
    rule = leg.expiry
    if rule.series is Series.FIXED and rule.day is None:
        yield Fault("BAD_EXPIRY", "expiry.day", "A fixed expiry needs its date.")
    if rule.series is not Series.FIXED and rule.day is not None:
        yield Fault("BAD_EXPIRY", "expiry.day", "Only a fixed expiry has a date; choose the series fixed.")
    if rule.offset < 0 or rule.min_dte < 0:
        yield Fault("BAD_EXPIRY", "expiry", "The number of the expiry and its least days are 0 or more.")


def strike(_: Strategy, leg: Leg) -> Faults:
    """Amounts that some strike could have."""
    match leg.strike:
        case ExactStrike(strike=exact) if exact <= 0:
            yield Fault("BAD_STRIKE", "strike.strike", "A strike is more than 0.")
        case PremiumStrike() as rule:
            yield from _premium(rule)
        case DeltaStrike(amount=low, upper=high):
            if not 0 < low <= (low if high is None else high) <= _WHOLE_DELTA:
                yield Fault("BAD_STRIKE", "strike.amount", "Deltas are thousandths from 1 to 1000, the lower first.")
        case CheapStrike(most=most) if most <= 0:
            yield Fault("BAD_STRIKE", "strike.most", "The most a hedge may cost is more than 0.")
        case VolatilityStrike(multiple=multiple) if multiple <= 0:
            yield Fault("BAD_STRIKE", "strike.multiple", "The multiple of the expected move is more than 0.")


def entry(strategy: Strategy, leg: Leg) -> Faults:
    """EN-2, EN-3 and EN-4 exclude one another; a breakout needs a range."""
    if leg.wait is not None and leg.breakout is not None:
        yield Fault("ENTRY_CONFLICT", "wait", "A leg waits for a move or for the break of a range, not for both.")
    if leg.wait is not None and leg.wait.move.amount == 0:
        yield Fault("BAD_VALUE", "wait.move", "Give a move to wait for, up (positive) or down (negative).")
    if strategy.entry.momentum is not None:
        for name, given in (("wait", leg.wait), ("breakout", leg.breakout)):
            if given is not None:
                yield Fault(
                    "ENTRY_CONFLICT", name, "While the combined premium is waited for, no leg has its own wait."
                )
    if leg.breakout is not None and strategy.entry.range is None:
        yield Fault("NO_RANGE", "breakout", "A breakout needs the range it breaks (entry.range).")


def stop(strategy: Strategy, leg: Leg) -> Faults:
    """A stop that can be reached."""
    if leg.stop is None:
        return
    move = leg.stop.move
    if leg.stop.kind is StopKind.MOVE:
        if move is None or move.amount <= 0:
            yield Fault("BAD_STOP", "stop.move", "Give the distance of the stop, more than 0.")
        elif leg.side is Side.BUY and move.unit is Unit.PERCENT and move.amount >= _WHOLE_BP:
            yield Fault(
                "STOP_NEVER", "stop.move", "A bought leg's stop of 100 % is at 0, where nothing trades; give less."
            )
    elif move is not None:
        yield Fault("BAD_STOP", "stop.move", f"A stop by {leg.stop.kind} has no distance; take it away.")
    if leg.stop.kind is StopKind.RANGE and strategy.entry.range is None:
        yield Fault("NO_RANGE", "stop.kind", "A stop at the opposite edge needs a range (entry.range).")


def target(_: Strategy, leg: Leg) -> Faults:
    """A target that can be reached (LX-2)."""
    if leg.target is None:
        return
    if leg.target.amount <= 0:
        yield Fault("BAD_TARGET", "target", "Give the distance of the target, more than 0.")
    elif leg.target.unit is Unit.PERCENT:
        most = _WHOLE_BP if leg.side is Side.SELL else _MOST_TARGET
        if leg.target.amount > most:
            who = "sold leg earns its premium at most" if leg.side is Side.SELL else "bought leg's target ends there"
            yield Fault("TARGET_NEVER", "target", f"Give at most {most // 100} %: a {who}.")


def trail(_: Strategy, leg: Leg) -> Faults:
    """LX-3 moves a stop, so it needs one; LX-4 makes its own."""
    if leg.trail is None:
        return
    if leg.trail.kind is TrailKind.STEP and leg.stop is None:
        yield Fault("NO_STOP", "trail", "A trail in steps moves a stop; give the leg one, or trail from the peak.")
    if leg.trail.kind is TrailKind.STEP and (leg.trail.every is None or leg.trail.every.amount <= 0):
        yield Fault("BAD_TRAIL", "trail.every", "A trail in steps needs the gain of each step, more than 0.")
    if leg.trail.move.amount <= 0:
        yield Fault("BAD_TRAIL", "trail.move", "Give how far the stop moves, more than 0.")


def locks(_: Strategy, leg: Leg) -> Faults:
    """Each step keeps less than the gain that sets it, and each gain is larger than the one before (LX-6)."""
    before: Measure | None = None
    for place, step in enumerate(leg.locks):
        path = f"locks[{place}]"
        if step.profit.amount <= 0:
            yield Fault("BAD_LOCK", f"{path}.profit", "Give a gain of more than 0.")
        if step.profit.unit is step.keep.unit and step.keep.amount >= step.profit.amount:
            yield Fault("BAD_LOCK", f"{path}.keep", "What is kept is less than the gain, or it is out at once.")
        if before is not None and before.unit is step.profit.unit and step.profit.amount <= before.amount:
            yield Fault("BAD_LOCK", f"{path}.profit", "The gains of a ladder rise from step to step.")
        before = step.profit


def exit_time(strategy: Strategy, leg: Leg) -> Faults:
    """A leg's own exit lies within an intraday run."""
    schedule = strategy.schedule
    if leg.exit_at is None or schedule.holding is not Holding.INTRADAY:
        return
    if not schedule.entry_at < leg.exit_at <= schedule.exit_at:
        yield Fault(
            "EXIT_TIME",
            "exit_at",
            f"The leg's exit is after the entry at {schedule.entry_at:%H:%M:%S} and not after the exit"
            f" at {schedule.exit_at:%H:%M:%S}.",
        )


def reentries(_: Strategy, leg: Leg) -> Faults:
    """What follows a stop needs a stop, and a target a target."""
    if leg.on_stop is not None:
        if leg.stop is None and leg.trail is None and leg.breakeven is None and not leg.locks:
            yield Fault("NO_STOP", "on_stop", "A re-entry after the stop needs a stop.")
        yield from _reentry(leg.on_stop, "on_stop")
    if leg.on_target is not None:
        if leg.target is None:
            yield Fault("NO_TARGET", "on_target", "A re-entry after the target needs a target.")
        yield from _reentry(leg.on_target, "on_target")


LEG_RULES: Final[tuple[Callable[[Strategy, Leg], Faults], ...]] = (
    identity,
    future,
    expiry,
    strike,
    entry,
    stop,
    target,
    trail,
    locks,
    exit_time,
    reentries,
)


def _premium(rule: PremiumStrike) -> Faults:
    if rule.amount <= 0:
        yield Fault("BAD_STRIKE", "strike.amount", "A premium is more than 0.")
    if rule.pick is Pick.WITHIN:
        if rule.upper is None or rule.upper < rule.amount:
            yield Fault("BAD_STRIKE", "strike.upper", "A range needs its upper end, not below the lower.")
    elif rule.upper is not None or rule.fallback is not None:
        yield Fault("BAD_STRIKE", "strike.upper", "Only a range has an upper end and a fallback (pick within).")
    if rule.fallback is Pick.WITHIN:
        yield Fault("BAD_STRIKE", "strike.fallback", "A range cannot fall back to itself; choose another pick.")


def _reentry(again: Reentry, field: str) -> Faults:
    if not 1 <= again.times <= MOST_REENTRIES:
        yield Fault("BAD_VALUE", f"{field}.times", f"Re-entries are 1 to {MOST_REENTRIES}.")
    if again.delay < 0:
        yield Fault("BAD_VALUE", f"{field}.delay", "The delay is 0 seconds or more.")
    if again.mode is ReentryMode.LAZY and not again.arms:
        yield Fault("NO_LAZY_LEG", f"{field}.arms", "Name the lazy legs that are armed.")
    if again.mode is not ReentryMode.LAZY and again.arms:
        yield Fault("NO_LAZY_LEG", f"{field}.arms", "Only the mode lazy arms legs.")
    if again.mode is ReentryMode.MOMENTUM and (again.wait is None or again.wait.amount == 0):
        yield Fault("NO_WAIT", f"{field}.wait", "A re-entry by momentum needs the move it waits for.")
    if again.not_before is not None and again.not_after is not None and again.not_after <= again.not_before:
        yield Fault("NO_REENTRY_WINDOW", f"{field}.not_after", "The last re-entry is after the first one allowed.")
