"""How many requests Noren takes: a count over a sliding window for each kind of call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

Window = tuple[int, float]
"""(calls, seconds of machine time)."""

Limits = Mapping[str, Sequence[Window]]
"""Every window of a kind of call must hold; a kind that is not named is not limited."""

TEXT: Final = "Invalid Input : Request rate exceeds Limit"
DEFAULT: Final[Limits] = {
    "orders": ((10, 1.0), (200, 60.0)),
    "quotes": ((120, 60.0),),
    "other": ((20, 1.0),),
}


class Pacing:
    """Counts the calls that were let through; one that was refused does not count."""

    def __init__(self, windows: Limits, monotonic: Callable[[], float]) -> None:
        self._windows, self._monotonic = windows, monotonic
        self._past: dict[str, deque[float]] = {}

    def admits(self, kind: str) -> bool:
        """Count one call, or say that there have been too many."""
        windows = self._windows.get(kind, ())
        if not windows:
            return True
        past = self._past.setdefault(kind, deque())
        now = self._monotonic()
        longest = max(seconds for _calls, seconds in windows)
        while past and now - past[0] >= longest:
            past.popleft()
        for calls, seconds in windows:
            if sum(1 for at in past if now - at < seconds) >= calls:
                return False
        past.append(now)
        return True
