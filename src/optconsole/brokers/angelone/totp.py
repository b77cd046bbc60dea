"""The six digits of an authenticator (RFC 6238: thirty seconds, SHA-1), computed from a stored seed."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret

WINDOW: Final = 30
DIGITS: Final = 6


def totp(seed: Secret, epoch_seconds: float) -> str:
    """The code of that moment. Raises Refusal(BAD_SEED) for a seed that is no base-32 text."""
    text = seed.reveal().replace(" ", "").replace("-", "").upper().rstrip("=")
    try:
        key = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise Refusal("BAD_SEED", "The stored TOTP seed is no base-32 text; copy it again from the enrolment page.")
    digest = hmac.digest(key, int(epoch_seconds // WINDOW).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0xF
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def window_ends_in(epoch_seconds: float) -> float:
    """Seconds until the next code."""
    return WINDOW - epoch_seconds % WINDOW
