"""Closes of whole minutes, kept only for what somebody looks at. Memory of this process: a restart begins anew."""

from __future__ import annotations

from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


class Minutes:
    """The last price of each minute by contract. A minute is over once time has passed its end, quoted or not."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[datetime, int]] = {}
        self._closed: dict[str, tuple[int, datetime]] = {}

    def observe(self, name: str, price: int, now: datetime) -> None:
        """A price at this instant."""
        begun = now.replace(second=0, microsecond=0)
        before = self._open.get(name)
        if before is not None and before[0] < begun:
            self._closed[name] = (before[1], before[0] + MINUTE)
        self._open[name] = (begun, price)

    def closed(self, name: str, now: datetime) -> tuple[int, datetime] | None:
        """The close of the last minute that ended, and when that was; None before one did."""
        last = self._open.get(name)
        if last is not None and last[0] + MINUTE <= now:
            return last[1], last[0] + MINUTE
        return self._closed.get(name)

    def forget(self) -> None:
        """A new day begins."""
        self._open.clear()
        self._closed.clear()
