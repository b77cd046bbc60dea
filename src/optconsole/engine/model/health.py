"""What is known of the way to one broker at one instant; the rules refuse what it cannot carry."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class AccountHealth(msgspec.Struct, frozen=True, kw_only=True):
    """``book_age`` is seconds since the account's book was last read whole; None before the first reading.

    ``refusing_for`` is the seconds for which the breaker lets no entry through; ``lost`` says why the login is gone,
    empty while it holds.
    """

    book_age: float | None = 0.0
    refusing_for: float = 0.0
    failures: int = 0
    lost: str = ""


WELL = AccountHealth()


class BookSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What the last whole reading of a broker's book said of positions.

    ``asked`` is the machine's second at which it began; ``apart`` the units by which the broker's net quantity lay
    above ours once its rows were heard, for each position key where it did not agree.
    """

    asked: float
    apart: Mapping[str, int]
