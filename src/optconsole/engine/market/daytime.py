"""Which phase the market is in when the machine's time of day may be wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.queries import Check
from optconsole.engine.rules.pretrade import REFUSE

NEAR: Final = 1.0
"""Seconds by which two times of one instant may differ on their way here."""


def phase_within(
    calendar: Calendar, earliest: datetime, latest: datetime
) -> tuple[MarketPhase, datetime | None, Check | None]:
    """The phase, when it ends, and what keeps entries back where the two times do not agree on it.

    OPEN when either time says so: a stop that leaves too early or too late is refused by the exchange and tried again,
    one that never leaves guards nothing. An entry needs both (reliability I-25).
    """
    phase, ends = calendar.phase(latest)
    if (latest - earliest).total_seconds() <= NEAR:
        return phase, ends, None
    before, before_ends = calendar.phase(earliest)
    if before is phase:
        return phase, ends, None
    text = (
        f"It is {earliest:%H:%M:%S} or {latest:%H:%M:%S}: the machine's clock and the exchange's stamps do not agree "
        "whether the market is open. Set the clock by the time service."
    )
    doubt = Check(code="CLOCK_OFF", severity=REFUSE, text=text)
    return (before, before_ends, doubt) if before is MarketPhase.OPEN else (phase, ends, doubt)
