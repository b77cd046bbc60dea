"""What Kite proves by a hash over a secret: logins and postbacks."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import msgspec

from optconsole.engine.model.secrets import Secret

LONGEST_POSTBACK: Final = 64 * 1024


class Postback(msgspec.Struct, frozen=True):
    """The part of a postback that its checksum covers; status, quantity and price are not among it."""

    order_id: str
    order_timestamp: str
    checksum: str


_POSTBACKS: Final = msgspec.json.Decoder(Postback)


def checksum(api_key: str, token: str, api_secret: Secret) -> str:
    """Proof of the app for exchanging a request token, or renewing by a refresh token."""
    return _hash(f"{api_key}{token}{api_secret.reveal()}")


def postback(body: bytes, api_secret: Secret) -> str | None:
    """The order id that a genuine postback is about; None for anything else.

    It is a hint to read that order again and nothing more: the checksum says nothing about what became of it.
    """
    if len(body) > LONGEST_POSTBACK or not api_secret:
        return None
    try:
        said = _POSTBACKS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    proof = _hash(f"{said.order_id}{said.order_timestamp}{api_secret.reveal()}")
    return said.order_id if hmac.compare_digest(proof.encode(), said.checksum.encode()) else None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
