"""Moments as the tables hold them: ISO 8601, always with six digits of a second, so that text order is time order."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

_encode: Final = msgspec.json.Encoder().encode
_SECONDS: Final = len("2026-11-23T09:15:00")


def stamp(moment: datetime) -> str:
    """What ``moment.isoformat(timespec="microseconds")`` gives, five times as fast; a fact has up to five moments."""
    text = _encode(moment).decode()[1:-1]
    if text[-1] == "Z":
        text = text[:-1] + "+00:00"
    if text[_SECONDS : _SECONDS + 1] != ".":
        text = f"{text[:_SECONDS]}.000000{text[_SECONDS:]}"
    return text
