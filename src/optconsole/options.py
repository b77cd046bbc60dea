"""What a start of the program was asked for, beyond its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunOptions:
    """One start of the engine or the console.

    ``replay`` is a recorded session, None for the practice market; ``speed`` market seconds per second, 0 as fast as
    it goes. ``start_at`` and ``until`` are ``HH:MM[:SS]`` of market time; ``hold`` waits there for orders to play on.
    ``fresh`` begins a new run of a recording. ``seed`` and ``rate`` (quotes a second) belong to the practice market,
    None leaves them to the configuration. ``first_day`` is where a fresh practice market begins, None the present.
    ``live`` trades the configured accounts on the real market.
    """

    home: Path
    replay: Path | None = None
    speed: float = 1.0
    start_at: str | None = None
    until: str | None = None
    hold: bool = False
    fresh: bool = False
    seed: int | None = None
    rate: int | None = None
    first_day: date | None = None
    live: bool = False
    screen: str | None = None
    ascii: bool = False
