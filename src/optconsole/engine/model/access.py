"""What a console may do: look, trade, or also loosen what restrains trading (features AD-1)."""

from __future__ import annotations

from enum import StrEnum


class Access(StrEnum):
    """From least to most. A connection may give access up and never gains it."""

    OBSERVER = "observer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """0 for the one that may do least."""
        return list(Access).index(self)
