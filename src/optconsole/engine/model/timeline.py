"""Indian Standard Time: the one zone of the market."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from optconsole.engine.model.errors import Refusal

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
"""Fixed offset: India has had no daylight saving since 1945, so no zone database is needed."""

Since = Callable[[datetime], timedelta]
"""Machine time that has passed since a moment of ours, whatever was done to the time of day meanwhile."""


def millis(moment: datetime) -> int:
    """Epoch milliseconds of an aware moment."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def from_millis(stamp: int) -> datetime:
    """Aware IST moment of epoch milliseconds."""
    return datetime.fromtimestamp(stamp / 1000, IST)


def time_of_day(day: datetime, text: str) -> datetime:
    """``HH:MM[:SS]`` on the day of a moment. Raises Refusal(BAD_TIME)."""
    try:
        hour, minute, second = (int(part) for part in (*text.split(":"), "0")[:3])
        return day.replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError:
        raise Refusal("BAD_TIME", f"{text!r} is not a time of day; write it like 15:00 or 15:00:30.") from None
