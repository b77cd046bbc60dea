"""The vault's keys: passphrase -> Argon2id -> a key that wraps a random key -> one key a purpose -> sealed values."""

from __future__ import annotations

from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from optconsole.engine.clock import fresh_bytes, monotonic_seconds
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.passphrase import key_material, wipe

KEY: Final = 32
NONCE: Final = 12
TAG: Final = 16
SALT: Final = 16
AIM_SECONDS: Final = 0.7
"""How long one guess should take on the machine that made the vault."""
_WRAPPED: Final = b"optconsole vault key"


class Cost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one guess costs: passes over ``memory`` KiB in ``lanes``."""

    passes: int
    memory: int
    lanes: int

    @property
    def bearable(self) -> bool:
        """Whether a file may ask this of the machine: a forged one must not exhaust it."""
        return 1 <= self.passes <= 64 and 1 <= self.lanes <= 16 and 8 * self.lanes <= self.memory <= 2 << 20


FLOOR: Final = Cost(passes=3, memory=64 << 10, lanes=2)


class Unsealable(Exception):
    """Sealed bytes that this key, or this place, does not open."""


def calibrated() -> Cost:
    """The floor, or as many more passes as make a guess cost ``AIM_SECONDS`` here."""
    began = monotonic_seconds()
    wipe(derive(Secret("how long does one guess take?"), bytes(SALT), FLOOR))
    taken = max(monotonic_seconds() - began, 0.001)
    passes = min(max(FLOOR.passes, round(FLOOR.passes * AIM_SECONDS / taken)), 32)
    return msgspec.structs.replace(FLOOR, passes=passes)


def derive(passphrase: Secret, salt: bytes, cost: Cost) -> bytearray:
    """The key that wraps the vault's own. Takes most of a second and all of ``cost.memory``."""
    material = key_material(passphrase)
    try:
        made = Argon2id(
            salt=salt, length=KEY, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory
        ).derive(material)  # type: ignore[arg-type]  # takes any buffer; bytes could not be wiped
        return bytearray(made)
    finally:
        wipe(material)


def fresh_key() -> bytearray:
    """A key nobody chose."""
    return bytearray(fresh_bytes(KEY))


def wrap(key: bytearray, under: bytearray, where: bytes) -> bytes:
    """The vault's key under the passphrase's."""
    return seal(bytes(key), under, bound(_WRAPPED, where))


def unwrap(wrapped: bytes, under: bytearray, where: bytes) -> bytearray:
    """The vault's key. Raises Unsealable for another passphrase."""
    return bytearray(unseal(wrapped, under, bound(_WRAPPED, where)))


def for_purpose(key: bytearray, purpose: str) -> bytearray:
    """A key of its own for each use, so that what is sealed for one means nothing to another."""
    return bytearray(HKDFExpand(SHA256(), KEY, f"optconsole {purpose} 1".encode()).derive(bytes(key)))


def seal(plain: bytes, key: bytearray, place: bytes) -> bytes:
    """``plain`` so that only ``key`` opens it, and only at ``place``."""
    nonce = fresh_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, place)


def unseal(sealed: bytes, key: bytearray, place: bytes) -> bytes:
    """Raises Unsealable for another key, another place, or one changed bit."""
    if len(sealed) < NONCE + TAG:
        raise Unsealable
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], place)
    except InvalidTag:
        raise Unsealable from None


def bound(*parts: bytes) -> bytes:
    """Parts in one, each with its length: no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
