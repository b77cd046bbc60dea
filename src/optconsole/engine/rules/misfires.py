"""Whether an entry is due now: on time, late within its grace, for a person to decide, or missed (EN-1, SC-6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from optconsole.engine.model.strategies import Misfire
from optconsole.engine.rules.schedules import Planned

ON_TIME: Final = timedelta(seconds=1)
"""An entry within its own second is on time; one that comes later carries the LATE tag."""


class Timing(StrEnum):
    """What an entry's time says."""

    EARLY = "EARLY"
    DUE = "DUE"
    LATE = "LATE"
    ASK = "ASK"
    MISSED = "MISSED"


class Due(msgspec.Struct, frozen=True):
    """Whether to enter. ``lag_ms`` is how long after its time; negative while it is still to come."""

    timing: Timing
    lag_ms: int
    text: str

    @property
    def enters(self) -> bool:
        """Whether the run starts now."""
        return self.timing in (Timing.DUE, Timing.LATE)


def due(now: datetime, planned: Planned, misfire: Misfire, up_since: datetime | None = None) -> Due:
    """What becomes of an entry that has not been made yet. The window is half-open: ``entry_until`` is too late.

    ``up_since`` is when the engine last became ready; None says that it was up at the entry's time. An engine that was
    up enters within the grace whatever ``misfire`` says; the rule is for one that was down. SKIP then lets the entry
    go, RUN_WITHIN_GRACE makes it inside the window, ASK leaves it to a person while conditions may still enter.
    """
    lag = now - planned.entry_at
    lag_ms = lag // timedelta(milliseconds=1)
    if lag < timedelta():
        return Due(Timing.EARLY, lag_ms, f"Enters at {planned.entry_at:%H:%M:%S}.")
    if lag < ON_TIME and now < planned.entry_until:
        return Due(Timing.DUE, lag_ms, f"Due at {planned.entry_at:%H:%M:%S}, {lag_ms} ms ago.")
    was_down = up_since is not None and up_since > planned.entry_at
    if was_down and misfire is Misfire.ASK and now < planned.triggers_until:
        return Due(Timing.ASK, lag_ms, f"{_late(planned, lag)} while the engine was down; enter now or let it go.")
    if now >= planned.entry_until:
        return Due(
            Timing.MISSED, lag_ms, f"{_late(planned, lag)}; it could be made until {planned.entry_until:%H:%M:%S}."
        )
    if was_down and misfire is Misfire.SKIP:
        return Due(Timing.MISSED, lag_ms, f"{_late(planned, lag)} while the engine was down; such entries are skipped.")
    return Due(Timing.LATE, lag_ms, f"{_late(planned, lag)}, within its grace.")


def _late(planned: Planned, lag: timedelta) -> str:
    return f"The entry of {planned.entry_at:%H:%M:%S} is {lag // timedelta(seconds=1)} s late"
