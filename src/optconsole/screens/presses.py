"""Telling a deliberate press from one that repeats, is pasted, or waits for its second half."""

from __future__ import annotations

from collections import deque
from typing import Final

ORDER_KEY_PAUSE: Final = 0.3
"""Seconds in which a repeated order key is the same press: a key held down must not order twice."""
_REMEMBERED: Final = 1_000
"""Presses remembered: more than wait to be handled at any time."""


class Debounce:
    """Tells a fresh press from a key that repeats: ``fresh`` is False within ORDER_KEY_PAUSE of the last press."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def fresh(self, name: str, now: float) -> bool:
        """Whether a press at ``now`` (monotonic seconds) counts. A repeat keeps pushing the pause on."""
        last = self._last.get(name)
        self._last[name] = now
        return last is None or now - last >= ORDER_KEY_PAUSE


class Presses:
    """Remembers when keys were pressed, so that a key held down or pasted is not taken for an answer."""

    def __init__(self) -> None:
        self._pressed: deque[tuple[str, float]] = deque(maxlen=_REMEMBERED)

    def add(self, key: str, at: float) -> None:
        """A key was pressed ``at`` this time (monotonic seconds)."""
        self._pressed.append((key, at))

    def repeats(self, key: str, at: float) -> bool:
        """Whether the press of this key ``at`` that time only repeats one shortly before it."""
        return any(key == other and 0 < at - then < ORDER_KEY_PAUSE for other, then in self._pressed)


class Chord:
    """A key that acts only on its second press within ``window`` seconds."""

    def __init__(self, window: float = 2.0) -> None:
        self._window = window
        self._last: float | None = None

    def pressed(self, now: float) -> bool:
        """Whether the press at ``now`` (monotonic seconds) is the second of a pair."""
        last, self._last = self._last, now
        return last is not None and now - last <= self._window
