"""What a strategy says as a whole: its triggers, its overall exits, and flags that would do nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from optconsole.engine.model.leg_rules import StopKind
from optconsole.engine.model.overall_rules import Again, OverallReentry, ProfitLock
from optconsole.engine.model.strategies import CostShift, Holding, SquareOff, Strategy
from optconsole.engine.model.triggers import IndicatorKind, Range
from optconsole.engine.rules.faults import Fault, Faults

_WHOLE: Final = 100


def named(strategy: Strategy) -> Faults:
    """A name and an underlying."""
    if not strategy.name.strip():
        yield Fault("BAD_NAME", "name", "Give the strategy a name.")
    if not strategy.underlying.strip():
        yield Fault("BAD_NAME", "underlying", "Give the underlying, such as NIFTY.")


def opening_range(strategy: Strategy) -> Faults:
    """EN-4: a range ends before the last entry, within the day unless it spans days by days to expiry."""
    span = strategy.entry.range
    if span is None:
        return
    if strategy.entry.momentum is not None:
        yield Fault("ENTRY_CONFLICT", "entry.range", "While the combined premium is waited for, no range is broken.")
    if not any(leg.breakout or (leg.stop and leg.stop.kind is StopKind.RANGE) for leg in strategy.legs):
        yield Fault("UNUSED", "entry.range", "No leg enters on the break of the range or has its stop at its edge.")
    if span.start_dte is None and span.end_dte is None:
        yield from _within_a_day(strategy, span)
    elif span.start_dte is None or span.end_dte is None:
        yield Fault("BAD_RANGE", "entry.range", "A range over days needs both start_dte and end_dte.")
    elif (-span.start_dte, span.start) >= (-span.end_dte, span.end):
        yield Fault("BAD_RANGE", "entry.range.end", "The range ends after it begins.")


def triggers(strategy: Strategy) -> Faults:
    """Conditions that can come true."""
    entry = strategy.entry
    if entry.momentum is not None and entry.momentum.amount == 0:
        yield Fault("BAD_TRIGGER", "entry.momentum.amount", "Give a move of the combined premium, up or down.")
    if entry.level is not None and entry.level.level <= 0:
        yield Fault("BAD_TRIGGER", "entry.level.level", "A level of the underlying is more than 0.")
    if entry.straddle is not None and (entry.straddle.level is None) == (entry.straddle.move is None):
        yield Fault("BAD_TRIGGER", "entry.straddle", "Give the straddle's level or its move, one of the two.")
    for place, indicator in enumerate(entry.indicators):
        path = f"entry.indicators[{place}]"
        if indicator.candle < 1 or indicator.period < 1:
            yield Fault("BAD_TRIGGER", f"{path}.candle", "Candles are 1 minute or more, and so are periods.")
        if indicator.kind is IndicatorKind.EMA_CROSS and not 0 < indicator.fast < indicator.slow:
            yield Fault("BAD_TRIGGER", f"{path}.fast", "The fast average is shorter than the slow one.")
    if entry.approve_within is not None and entry.approve_within < 1:
        yield Fault("NO_ENTRY_WINDOW", "entry.approve_within", "Leave 1 second or more to approve.")


def filters(strategy: Strategy) -> Faults:
    """Filters whose lower end is not above the upper (EN-9)."""
    given = strategy.entry.filters
    for name, low, high in (
        ("vix", given.vix_min, given.vix_max),
        ("gap", given.gap_min, given.gap_max),
        ("move", given.move_min, given.move_max),
    ):
        if low is not None and high is not None and low > high:
            yield Fault("NO_DAY", f"entry.filters.{name}_min", f"No day passes: {name}_min is above {name}_max.")


def cost_shift(strategy: Strategy) -> Faults:
    """LX-7 moves the stops of legs that stay open when another is stopped."""
    if strategy.move_to_cost is CostShift.NONE:
        return
    if strategy.square_off is SquareOff.COMPLETE:
        yield Fault(
            "UNUSED", "move_to_cost", "With the square-off of all legs none is left whose stop could go to cost."
        )
    if not any(leg.stop for leg in strategy.legs):
        yield Fault("NO_STOP", "move_to_cost", "Stops go to cost when a leg is stopped, and no leg has a stop.")


def overall_exits(strategy: Strategy) -> Faults:
    """SX-1 to SX-8: amounts that can be reached."""
    overall = strategy.overall
    for name, level in (("stop", overall.stop), ("target", overall.target)):
        if level is not None and level.amount <= 0:
            yield Fault("BAD_LEVEL", f"overall.{name}.amount", "Give an amount of more than 0; leave it out for none.")
    if overall.trail is not None:
        if overall.stop is None:
            yield Fault("NO_STOP", "overall.trail", "The overall trail moves the overall stop; give one.")
        if overall.trail.every <= 0 or overall.trail.move <= 0:
            yield Fault("BAD_TRAIL", "overall.trail", "Give the gain of each step and the move, both more than 0.")
    if overall.lock is not None:
        yield from _lock(overall.lock)
    band = overall.band
    if band is not None and band.low is not None and band.high is not None and band.low >= band.high:
        yield Fault("BAD_BAND", "overall.band.low", "The lower end of the band is below the upper.")


def profit_ladder(strategy: Strategy) -> Faults:
    """SX-7: rising profits, and no more than the whole is closed."""
    ladder = strategy.overall.ladder
    for place, rung in enumerate(ladder):
        path = f"overall.ladder[{place}]"
        if rung.profit <= (ladder[place - 1].profit if place else 0):
            yield Fault("BAD_LADDER", f"{path}.profit", "The profits of the ladder rise from more than 0.")
        if rung.percent <= 0:
            yield Fault("BAD_LADDER", f"{path}.percent", "A rung closes more than 0 percent.")
    if sum(rung.percent for rung in ladder) > _WHOLE:
        yield Fault("BAD_LADDER", "overall.ladder", "The rungs close more than 100 percent together.")


def overall_reentries(strategy: Strategy) -> Faults:
    """What follows an overall stop or target needs one."""
    overall = strategy.overall
    if overall.on_stop is not None:
        if overall.stop is None and overall.lock is None:
            yield Fault("NO_STOP", "overall.on_stop", "A re-entry after the overall stop needs one.")
        yield from _again(overall.on_stop, "overall.on_stop")
    if overall.on_target is not None:
        if overall.target is None:
            yield Fault("NO_TARGET", "overall.on_target", "A re-entry after the overall target needs one.")
        yield from _again(overall.on_target, "overall.on_target")
    shared = strategy.reentry_shared_max
    if shared is not None and shared < 1:
        yield Fault("BAD_VALUE", "reentry_shared_max", "Re-entries of all legs together are 1 or more.")


def execution(strategy: Strategy) -> Faults:
    """Time for an order to fill."""
    if strategy.execution.patience < 1 or strategy.execution.retries < 0:
        yield Fault("BAD_VALUE", "execution", "Patience is 1 second or more, retries 0 or more.")


WHOLE_RULES: Final[tuple[Callable[[Strategy], Faults], ...]] = (
    named,
    opening_range,
    triggers,
    filters,
    cost_shift,
    overall_exits,
    profit_ladder,
    overall_reentries,
    execution,
)


def _within_a_day(strategy: Strategy, span: Range) -> Faults:
    schedule = strategy.schedule
    if span.end <= span.start:
        yield Fault("BAD_RANGE", "entry.range.end", f"The range ends after it begins at {span.start:%H:%M:%S}.")
    if schedule.holding is not Holding.INTRADAY:
        yield Fault(
            "BAD_RANGE",
            "entry.range",
            "A range of one day is for intraday strategies; over days give start_dte and end_dte.",
        )
    elif span.end >= schedule.exit_at:
        yield Fault("BAD_RANGE", "entry.range.end", f"The range ends before the exit at {schedule.exit_at:%H:%M:%S}.")
    if schedule.no_entry_after is not None and span.end >= schedule.no_entry_after:
        yield Fault(
            "NO_ENTRY_WINDOW",
            "schedule.no_entry_after",
            f"The last entry is after the range ends at {span.end:%H:%M:%S}.",
        )


def _lock(lock: ProfitLock) -> Faults:
    if lock.at < 0 or (lock.at and lock.keep >= lock.at):
        yield Fault("BAD_LOCK", "overall.lock.keep", "What is kept is less than the profit that locks it.")
    if (lock.every > 0) != (lock.move > 0) or lock.every < 0 or lock.move < 0:
        yield Fault("BAD_LOCK", "overall.lock.every", "A trailing lock needs both steps, every and move, more than 0.")
    if not lock.at and not lock.every:
        yield Fault("BAD_LOCK", "overall.lock", "Give the profit that locks, or the steps that trail.")


def _again(again: OverallReentry, path: str) -> Faults:
    if again.times < 1 or again.delay < 0:
        yield Fault("BAD_VALUE", f"{path}.times", "Cycles are 1 or more, and the delay 0 seconds or more.")
    if again.how is Again.MOMENTUM and again.move == 0:
        yield Fault("NO_WAIT", f"{path}.move", "A re-entry by momentum needs the move it waits for.")
