"""How many requests Angel One takes of one client in a second, a minute and an hour. Windows slide."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

Caps = tuple[tuple[int, float], ...]
"""((calls, seconds), …), all of which hold at once."""

_SECOND, _MINUTE, _HOUR = 1.0, 60.0, 3600.0

_SINGLE: Final[Caps] = ((1, _SECOND),)
_ORDERS: Final[Caps] = ((9, _SECOND), (500, _MINUTE), (1000, _HOUR))
_LOOKS: Final[Caps] = ((10, _SECOND), (500, _MINUTE), (5000, _HOUR))

CAPS: Final[dict[str, Caps]] = {
    "login": _SINGLE,
    "logout": _SINGLE,
    "tokens": ((1, _SECOND), (1000, _HOUR)),
    "profile": ((3, _SECOND), (1000, _HOUR)),
    "rms": ((2, _SECOND),),
    "orders": _ORDERS,
    "book": _SINGLE,
    "trades": _SINGLE,
    "positions": _SINGLE,
    "holdings": _SINGLE,
    "all_holdings": _SINGLE,
    "search": _SINGLE,
    "greeks": _SINGLE,
    "details": _LOOKS,
    "ltp": _LOOKS,
    "convert": _LOOKS,
    "quote": _LOOKS,
    "margin": _LOOKS,
    "gtt": ((9, _SECOND), (500, _MINUTE), (5000, _HOUR)),
    "gtt_looks": _LOOKS,
    "candles": ((3, _SECOND), (180, _MINUTE), (5000, _HOUR)),
}
"""Place, modify and cancel share ``orders``; every other bucket stands alone."""


class Limits:
    """Counts the calls of one client by bucket; ``monotonic`` is the machine's second."""

    def __init__(self, monotonic: Callable[[], float], caps: Mapping[str, Caps] = CAPS) -> None:
        self._monotonic = monotonic
        self._caps = caps
        self._calls: dict[str, deque[float]] = {}

    def allows(self, bucket: str) -> bool:
        """Count one call, unless it is one too many; a bucket without caps takes any number."""
        caps = self._caps.get(bucket)
        if not caps:
            return True
        now = self._monotonic()
        calls = self._calls.setdefault(bucket, deque())
        longest = max(seconds for _count, seconds in caps)
        while calls and calls[0] <= now - longest:
            calls.popleft()
        for count, seconds in caps:
            if sum(1 for at in reversed(calls) if at > now - seconds) >= count:
                return False
        calls.append(now)
        return True
