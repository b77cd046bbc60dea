"""The 15-character order tag: the only handle a broker gives us to find an order again.

``V III CCCCCC R L S A K`` in Crockford base32: version, install, counter, role, leg, slice, attempt, check. It says
nothing about the strategy to whoever reads it at the broker.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 15
ROLES: Final = "ESTXHK"
"""Entry, Stop, Target, eXit, Hedge, Kill."""
_COUNTER_SPAN: Final = 32**6


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded tag."""

    install: str
    counter: int
    role: str
    leg: int
    part: int
    attempt: int


def install_code(install_id: str) -> str:
    """Three characters that tell this install's orders from another program's."""
    number = int.from_bytes(hashlib.sha256(install_id.encode()).digest()[:4], "big")
    return _digits(number % 32**3, 3)


def encode(tag: Tag) -> str:
    """The 15 characters. Raises ValueError when a part does not fit."""
    if not 0 <= tag.counter < _COUNTER_SPAN or tag.role not in ROLES or len(tag.install) != 3:
        raise ValueError(f"no tag can carry {tag}")
    body = (
        "1"
        + tag.install
        + _digits(tag.counter, 6)
        + tag.role
        + _digits(tag.leg, 1)
        + _digits(tag.part, 1)
        + _digits(tag.attempt, 1)
    )
    return body + _check(body)


def decode(text: str) -> Tag | None:
    """The parts of one of our tags; None for anything else."""
    if len(text) != LENGTH or text[0] != "1" or _check(text[:-1]) != text[-1] or text[10] not in ROLES:
        return None
    return Tag(
        install=text[1:4],
        counter=_number(text[4:10]),
        role=text[10],
        leg=_number(text[11]),
        part=_number(text[12]),
        attempt=_number(text[13]),
    )


def _digits(number: int, width: int) -> str:
    if not 0 <= number < 32**width:
        raise ValueError(f"{number} does not fit {width} base-32 digits")
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(width)))


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 32 + ALPHABET.index(digit)
    return number


def _check(body: str) -> str:
    """A checksum over the field of 32 elements: each place weighs a different power of its generator.

    Every single changed character and every swap of neighbours changes it, which no sum modulo 32 would notice.
    """
    total, weight = 0, 1
    for char in body:
        weight = _times(weight, 2)
        total ^= _times(weight, max(ALPHABET.find(char), 0))
    return ALPHABET[total]


def _times(a: int, b: int) -> int:
    """Product in GF(32) with the primitive polynomial x^5 + x^2 + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 32:
            a ^= 0b100101
        b >>= 1
    return product
