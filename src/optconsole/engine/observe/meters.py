"""Small bounded measurements: latencies, rates, loop lag."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

KEPT: Final = 500


def percentiles(samples: Sequence[float]) -> tuple[float, float] | None:
    """Median and 99th percentile; None without samples."""
    if not samples:
        return None
    ordered = sorted(samples)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


class Latency:
    """The last few hundred durations in milliseconds."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=KEPT)

    def add(self, milliseconds: float) -> None:
        self._samples.append(milliseconds)

    def percentiles(self) -> tuple[float, float] | None:
        """Median and 99th percentile; None before the first."""
        return percentiles(self._samples)


class Rate:
    """Events a second over the last second, from counts at moments of a monotonic clock."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()
        self._total = 0

    def add(self, now: float, count: int = 1) -> None:
        self._total += count
        self._marks.append((now, count))
        self._forget(now)

    def per_second(self, now: float) -> float:
        """Events in the second before ``now``."""
        self._forget(now)
        return float(sum(count for _, count in self._marks))

    def _forget(self, now: float) -> None:
        while self._marks and self._marks[0][0] <= now - 1.0:
            self._marks.popleft()


class Meters:
    """The engine's gauges, in monotonic seconds: ``started`` its birth, ``beat`` its loop's last look at the time."""

    def __init__(self, started: float) -> None:
        self.loop_lag = Latency()
        self.quotes = Rate()
        self.last_quote: float | None = None
        self.beat: float | None = None
        self.started = started
