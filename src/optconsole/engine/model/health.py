"""What is known of the way to one broker at one instant; the rules refuse what it cannot carry."""

from __future__ import annotations

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
