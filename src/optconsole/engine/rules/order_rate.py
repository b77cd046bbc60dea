"""How long the requests of a day will take to leave (features SC-7). Pure.

The same rolling windows that requests are sent under, run ahead of time: entries may use a share of what an exchange
takes in a second, exits all of it, and exits go first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from optconsole.engine.model.previews import Delay, RateForecast, Stagger

_FAINT: Final = 0.05
"""Seconds of waiting that nobody notices."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that may have left within ``window`` seconds, and within a minute, when one more leaves.

    ``patience`` is how many seconds an entry may have to wait before it is held back and tried again.
    """

    entries: int
    exits: int
    window: float
    entries_a_minute: int
    exits_a_minute: int
    patience: float


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    """Requests due together: ``count`` of them, on behalf of ``name``, at that instant."""

    name: str
    at: datetime
    count: int
    exits: bool = False


class Leaving(msgspec.Struct, frozen=True):
    """When the first and the last request of a wave leave, in seconds after it is due."""

    wave: Wave
    first: float
    last: float


def forecast(waves: Sequence[Wave], budget: Budget) -> RateForecast:
    """What the waves of a day come to; among those of one instant the first given leave first."""
    leavings = departures(waves, budget)
    by_second: dict[datetime, list[Leaving]] = {}
    for leaving in leavings:
        by_second.setdefault(leaving.wave.at.replace(microsecond=0), []).append(leaving)
    waits = [leaving.last for leaving in leavings if not leaving.wave.exits]
    return RateForecast(
        requests=sum(wave.count for wave in waves),
        busiest=max((sum(each.wave.count for each in those) for those in by_second.values()), default=0),
        slowest=max(waits, default=0.0),
        patience=budget.patience,
        late=tuple(dict.fromkeys(each.wave.name for each in leavings if _too_late(each, budget))),
        delays=tuple(
            _delay(at, those) for at, those in sorted(by_second.items()) if max(each.last for each in those) > _FAINT
        ),
        staggered=stagger(leavings),
    )


def departures(waves: Sequence[Wave], budget: Budget) -> list[Leaving]:
    """When each wave leaves, in the order given for waves of one instant; exits before entries that wait."""
    if not waves:
        return []
    start = min(wave.at for wave in waves)
    coming = deque(sorted(enumerate(waves), key=lambda each: each[1].at))
    queues: dict[bool, deque[int]] = {True: deque(), False: deque()}
    left: deque[float] = deque()
    found: dict[int, tuple[float, float]] = {}
    now = 0.0
    while coming or queues[True] or queues[False]:
        if not queues[True] and not queues[False]:
            now = max(now, _seconds(coming[0][1].at, start))
        while coming and _seconds(coming[0][1].at, start) <= now:
            place, wave = coming.popleft()
            queues[wave.exits].extend([place] * wave.count)
        urgent = bool(queues[True])
        if not urgent and not queues[False]:
            continue
        ready = _ready(left, now, urgent, budget)
        upcoming = _seconds(coming[0][1].at, start) if coming else None
        if ready > now and upcoming is not None and upcoming < ready:
            now = upcoming  # something more urgent may come while this waits
            continue
        now = max(now, ready)
        place = queues[urgent].popleft()
        left.append(now)
        since = now - _seconds(waves[place].at, start)
        found[place] = (found.get(place, (since, since))[0], since)
    return [Leaving(wave, *found.get(place, (0.0, 0.0))) for place, wave in enumerate(waves)]


def stagger(leavings: Iterable[Leaving]) -> tuple[Stagger, ...]:
    """Whole seconds later for entries that would wait: when there is room for them, and no later than they leave now.

    They then choose their contracts at the prices they meet, and none is refused for having waited too long.
    """
    return tuple(
        Stagger(name=each.wave.name, at=each.wave.at, instead=each.wave.at + timedelta(seconds=int(each.first)))
        for each in leavings
        if not each.wave.exits and each.first >= 1.0
    )


def _seconds(at: datetime, start: datetime) -> float:
    return (at - start).total_seconds()


def _ready(left: deque[float], now: float, urgent: bool, budget: Budget) -> float:
    """The first second at which both windows have room."""
    ready = now
    limits = (
        (budget.window, budget.exits if urgent else budget.entries),
        (60.0, budget.exits_a_minute if urgent else budget.entries_a_minute),
    )
    for window, most in limits:
        if len(left) >= most:
            ready = max(ready, left[-most] + window)
    return ready


def _too_late(leaving: Leaving, budget: Budget) -> bool:
    return not leaving.wave.exits and leaving.last > budget.patience


def _delay(at: datetime, those: Sequence[Leaving]) -> Delay:
    return Delay(
        at=at,
        entries=sum(each.wave.count for each in those if not each.wave.exits),
        exits=sum(each.wave.count for each in those if each.wave.exits),
        seconds=max(each.last for each in those),
        names=tuple(dict.fromkeys(each.wave.name for each in those)),
    )
