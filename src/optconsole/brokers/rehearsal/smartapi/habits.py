"""How Angel One prints figures: rupees from paise, and now a string, now a number for the same field."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from optconsole.engine.clock import Rng, seeded

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def rupees(paise: int) -> str:
    """``123.45``; exact, since it never becomes a float."""
    whole, part = divmod(abs(paise), 100)
    return f"{'-' if paise < 0 else ''}{whole}.{part:02d}"


def spaced(paise: int) -> str:
    """``- 2235.80``: the positions' value has a space after its minus sign."""
    return f"- {rupees(-paise)}" if paise < 0 else rupees(paise)


def number(paise: int) -> float:
    """Rupees as a JSON number: the shortest decimal that names the same amount."""
    return paise / 100


def stamp(moment: datetime) -> str:
    """``24-Nov-2026 10:15:02``, IST without saying so."""
    return f"{moment.day:02d}-{_MONTHS[moment.month - 1]}-{moment.year} {moment:%H:%M:%S}"


class Mixed:
    """Prints a figure as a string or as a number, as chance has it; the same seed gives the same prints."""

    def __init__(self, seed: int) -> None:
        self._rng: Rng = seeded(f"smartapi {seed}")

    def price(self, paise: int) -> str | float:
        """Rupees."""
        return number(paise) if self._rng.random() < 0.5 else rupees(paise)

    def units(self, count: int) -> str | int:
        """A whole number."""
        return count if self._rng.random() < 0.5 else str(count)

    def chance(self, odds: float) -> bool:
        """True that often."""
        return self._rng.random() < odds

    def one_of(self, values: Sequence[int]) -> int:
        """Any of some values."""
        return values[int(self._rng.random() * len(values))]
