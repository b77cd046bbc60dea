"""Rules of a leg in words: ``25%``, ``10/5``, ``peak 10 after 20``, ``cost x2``, ``high of option``."""

from __future__ import annotations

import re
from typing import Final

from optconsole.engine.model.leg_rules import (
    Breakout,
    Edge,
    EntryWait,
    LegStop,
    LockStep,
    Measure,
    Reentry,
    ReentryMode,
    SpikeGuard,
    StopKind,
    Trail,
    TrailKind,
    Watch,
    WatchKind,
)
from optconsole.engine.strategies.amounts import (
    BadText,
    hundredths,
    plain,
    read_measure,
    read_time,
    read_whole,
    write_measure,
    write_time,
)

STOP_HINT: Final = "write 25%, 20, 0.5% underlying, 2000 a lot, range, previous-day-high or previous-day-low"
_NAMED_STOPS: Final = {kind.value: kind for kind in StopKind if kind is not StopKind.MOVE}


def clean(text: str) -> str:
    """Lower case, single spaces."""
    return " ".join(text.lower().split())


def read_stop(text: str) -> LegStop:
    """LX-1: a distance, ``range``, ``previous-day-high``, ``previous-day-low of underlying``. Raises BadText."""
    name, _, of = clean(text).partition(" of ")
    kind = _NAMED_STOPS.get(name)
    if kind is not None and of in ("", "underlying", "option"):
        return LegStop(kind=kind, of_underlying=of == "underlying")
    if of:
        raise BadText(f"{text.strip()!r} is no stop; {STOP_HINT}")
    return LegStop(move=read_measure(text))


def write_stop(stop: LegStop) -> str:
    """The text that ``read_stop`` reads back."""
    if stop.kind is StopKind.MOVE and stop.move is not None:
        return write_measure(stop.move)
    return stop.kind.value + (" of underlying" if stop.of_underlying else "")


WAIT_HINT: Final = "write +15, -6%, +1% underlying, and 'first only' where one entry cancels the other waits"


def read_wait(text: str) -> EntryWait:
    """EN-2: ``+15``, ``-6%``, ``+1% underlying first only``. Raises BadText."""
    cleaned = clean(text)
    first_only = cleaned.endswith(" first only")
    cleaned = cleaned.removesuffix(" first only")
    if cleaned[:1] not in ("+", "-"):
        raise BadText(f"{text.strip()!r} does not say which way; {WAIT_HINT}")
    return EntryWait(move=read_measure(cleaned, may_sign=True), first_only=first_only)


def write_wait(wait: EntryWait) -> str:
    """The text that ``read_wait`` reads back."""
    return write_measure(wait.move, sign=True) + (" first only" if wait.first_only else "")


def read_breakout(text: str) -> Breakout:
    """EN-4 of a leg: ``high``, ``low of option``. Raises BadText."""
    edge, _, of = clean(text).partition(" of ")
    if edge not in ("high", "low") or of not in ("", "underlying", "option"):
        raise BadText(f"{text.strip()!r} is no edge of a range; write high, low, high of option or low of option")
    return Breakout(Edge(edge), of == "option")


def write_breakout(breakout: Breakout) -> str:
    """The text that ``read_breakout`` reads back."""
    return breakout.edge.value + (" of option" if breakout.of_option else "")


TRAIL_HINT: Final = (
    "write 10/5 (for every 10, 5), 5%/5%, peak 10, peak 10% after 20%, with 'every 60s' for whole minutes"
)
_EVERY: Final = re.compile(r"(?P<rest>.+?) every (?P<seconds>\d+) ?s")


def read_trail(text: str) -> Trail:
    """LX-3 ``10/5``, LX-4 ``peak 10 after 20``, either ``every 60s``. Raises BadText."""
    cleaned, interval = clean(text), 0
    match = _EVERY.fullmatch(cleaned)
    if match is not None:
        cleaned, interval = match["rest"], read_whole(match["seconds"], "seconds", 1, 3600)
    if cleaned.startswith("peak "):
        move, _, after = cleaned.removeprefix("peak ").partition(" after ")
        gain = read_measure(after) if after else None
        return Trail(kind=TrailKind.PEAK, move=read_measure(move), after=gain, interval=interval)
    every, slash, move = cleaned.partition("/")
    if not slash:
        raise BadText(f"{text.strip()!r} is no trail; {TRAIL_HINT}")
    return Trail(move=read_measure(move), every=read_measure(every), interval=interval)


def write_trail(trail: Trail) -> str:
    """The text that ``read_trail`` reads back."""
    if trail.kind is TrailKind.PEAK or trail.every is None:
        text = f"peak {write_measure(trail.move)}"
        text += f" after {write_measure(trail.after)}" if trail.after is not None else ""
    else:
        text = f"{write_measure(trail.every)}/{write_measure(trail.move)}"
    return text + (f" every {trail.interval}s" if trail.interval else "")


def read_lock(text: str) -> LockStep:
    """LX-6, one step: ``20: 10`` puts the stop 10 beyond the entry at a gain of 20. ``0`` keeps the cost."""
    profit, colon, keep = clean(text).partition(":")
    if not colon:
        raise BadText(f"{text.strip()!r} is no step of a lock; write 20: 10 or 20%: 10%")
    return LockStep(read_measure(profit), Measure(0) if keep.strip() == "0" else read_measure(keep))


def write_lock(step: LockStep) -> str:
    """The text that ``read_lock`` reads back."""
    return f"{write_measure(step.profit)}: {write_measure(step.keep) if step.keep.amount else '0'}"


def read_watch(text: str) -> Watch:
    """LX-10: ``ltp``, ``mid``, ``minute-close``, with ``twice`` for two quotes in a row. Raises BadText."""
    kind, _, twice = clean(text).partition(" ")
    if kind not in tuple(WatchKind) or twice not in ("", "twice"):
        raise BadText(f"{text.strip()!r} is nothing to watch; write ltp, mid, minute-close or ltp twice")
    return Watch(kind=WatchKind(kind), twice=bool(twice))


def write_watch(watch: Watch) -> str:
    """The text that ``read_watch`` reads back."""
    return watch.kind.value + (" twice" if watch.twice else "")


_SPIKE: Final = re.compile(r"(?P<percent>[\d.]+) ?%(?: (?P<hold>\d+) ?ms)?")


def read_spike(text: str) -> SpikeGuard:
    """LX-12: ``5% 1500ms``. Raises BadText."""
    match = _SPIKE.fullmatch(clean(text))
    if match is None:
        raise BadText(f"{text.strip()!r} is no spike guard; write 5% 1500ms")
    return SpikeGuard(
        disagree=hundredths(match["percent"]), hold=read_whole(match["hold"] or "1500", "milliseconds", 1, 60_000)
    )


def write_spike(guard: SpikeGuard) -> str:
    """The text that ``read_spike`` reads back."""
    return f"{plain(guard.disagree)}% {guard.hold}ms"


REENTRY_HINT: Final = (
    "write execute, cost x2, close x2, momentum +10% x1 or lazy pe2; then, in this order, 'wait +5%', 'after 30s', "
    "'reverse', 'all', 'from 09:30', 'until 14:30'"
)
_REENTRY: Final = re.compile(
    r"(?P<mode>execute|cost|close|momentum|lazy)(?P<move> [+-][^ ]+(?: underlying)?)?(?P<arms>(?: [a-z0-9-]+)*?)"
    r"(?: x ?(?P<times>\d+))?(?: wait (?P<wait>[+-][^ ]+(?: underlying)?))?(?: after (?P<delay>\d+) ?s)?"
    r"(?P<reverse> reverse)?(?P<all> all)?(?: from (?P<start>[\d:]+))?(?: until (?P<end>[\d:]+))?"
)


def read_reentry(text: str) -> Reentry:
    """Section 1.7: ``cost x2``, ``momentum +10%``, ``lazy pe2``, ``execute x1 after 30s reverse``. Raises BadText."""
    match = _REENTRY.fullmatch(clean(text))
    if match is None:
        raise BadText(f"{text.strip()!r} is no re-entry; {REENTRY_HINT}")
    mode, arms = ReentryMode(match["mode"]), tuple(match["arms"].split())
    if (mode is ReentryMode.LAZY) != bool(arms) or (mode is ReentryMode.MOMENTUM) != bool(match["move"]):
        raise BadText(f"{text.strip()!r}: lazy names the legs it arms, momentum its move; {REENTRY_HINT}")
    if match["wait"] and mode is ReentryMode.MOMENTUM:
        raise BadText(f"momentum waits by itself; {REENTRY_HINT}")
    move = match["move"] or match["wait"]
    return Reentry(
        mode=mode,
        times=read_whole(match["times"] or "1", "a number of times", 1, 20),
        delay=read_whole(match["delay"] or "0", "seconds", 0, 86_400),
        reverse=bool(match["reverse"]),
        wait=read_measure(move, may_sign=True) if move else None,
        arms=arms,
        square_off_all=bool(match["all"]),
        not_before=read_time(match["start"]) if match["start"] else None,
        not_after=read_time(match["end"]) if match["end"] else None,
    )


def write_reentry(rule: Reentry) -> str:
    """The text that ``read_reentry`` reads back."""
    momentum = rule.mode is ReentryMode.MOMENTUM
    move = "" if rule.wait is None else write_measure(rule.wait, sign=True)
    parts = (
        rule.mode.value,
        move if momentum else "",
        *rule.arms,
        f"x{rule.times}" if rule.times != 1 else "",
        f"wait {move}" if move and not momentum else "",
        f"after {rule.delay}s" if rule.delay else "",
        "reverse" if rule.reverse else "",
        "all" if rule.square_off_all else "",
        "" if rule.not_before is None else f"from {write_time(rule.not_before)}",
        "" if rule.not_after is None else f"until {write_time(rule.not_after)}",
    )
    return " ".join(part for part in parts if part)
