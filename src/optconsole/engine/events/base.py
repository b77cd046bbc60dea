"""Base of all facts."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Base of all facts. ``stream`` names the thing whose history the fact belongs to."""

    @property
    def stream(self) -> str:
        """Stream key, e.g. ``order:O12``."""
        return "engine"
