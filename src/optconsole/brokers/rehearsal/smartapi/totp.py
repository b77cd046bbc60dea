"""Codes of an authenticator: RFC 6238 with SHA-1, six digits and thirty seconds."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Final

STEP: Final = 30
"""Seconds that a code lives."""
_DIGITS: Final = 6


def code(seed: str, moment: datetime, steps: int = 0) -> str:
    """The code of a base-32 ``seed`` at an aware ``moment``, or so many ``steps`` later. Raises ValueError."""
    key = base64.b32decode(seed.upper() + "=" * (-len(seed) % 8))
    counter = int(moment.timestamp()) // STEP + steps
    digest = hmac.new(key, counter.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def matches(seed: str, given: str, moment: datetime) -> bool:
    """Whether ``given`` is the code of this half minute or of one beside it: clocks are off a little."""
    return any(hmac.compare_digest(code(seed, moment, step).encode(), given.encode()) for step in (-1, 0, 1))
