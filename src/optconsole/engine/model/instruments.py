"""Contracts and their one canonical name, shared by every broker, screen and command."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal


class Kind(StrEnum):
    """What a contract is."""

    INDEX = "INDEX"
    FUTURE = "FUT"
    OPTION = "OPT"


class Right(StrEnum):
    """Call or put, by the exchange's letters."""

    CALL = "CE"
    PUT = "PE"


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One tradable contract, or an index that only quotes.

    ``name`` is the canonical name and the key everywhere; ``strike`` and ``tick`` are paise, ``lot`` and
    ``freeze`` units; ``last_trade`` is the aware IST moment at which the contract stops trading.
    """

    name: str
    underlying: str
    exchange: str
    kind: Kind
    lot: int
    tick: int
    freeze: int
    expiry: date | None = None
    strike: int | None = None
    right: Right | None = None
    last_trade: datetime | None = None

    @property
    def tradable(self) -> bool:
        """False for an index, which has a price but no order book."""
        return self.kind is not Kind.INDEX


_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_SHAPE: Final = re.compile(
    r"(?P<underlying>[A-Z0-9&-]+?)(?:\s+(?P<day>\d{2})(?P<month>[A-Z]{3})(?P<year>\d{2})"
    r"\s+(?:(?P<future>FUT)|(?P<strike>\d+(?:\.\d{1,2})?)\s+(?P<right>CE|PE)))?",
    re.ASCII,
)


_PARTIAL_DAY: Final = re.compile(r"(\d{1,2})([A-Z]{3})", re.ASCII)


class ContractName(msgspec.Struct, frozen=True):
    """The parts of a canonical name. ``strike`` is paise; an index has only an underlying."""

    underlying: str
    expiry: date | None = None
    strike: int | None = None
    right: Right | None = None

    def __str__(self) -> str:
        return contract_name(self.underlying, self.expiry, self.strike, self.right)


def expiry_code(day: date) -> str:
    """``25NOV26``: locale-free, as printed in every contract name."""
    return f"{day.day:02d}{_MONTHS[day.month - 1]}{day.year % 100:02d}"


def parse_expiry(text: str) -> date:
    """Read ``25NOV26`` or ``2026-11-25``. Raises Refusal(BAD_EXPIRY)."""
    code = text.strip().upper()
    match = re.fullmatch(r"(\d{2})([A-Z]{3})(\d{2})", code)
    try:
        if match and match[2] in _MONTHS:
            return date(2000 + int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]))
        return date.fromisoformat(code)
    except ValueError:
        raise Refusal("BAD_EXPIRY", f"{text!r} is not an expiry; write it like 25NOV26.") from None


def choose_expiry(text: str, listed: Iterable[date]) -> date:
    """An expiry as a person writes it: in full, or as screens show it without a year (``25Nov``).

    Without a year the nearest of ``listed`` with that day is meant. Raises Refusal(BAD_EXPIRY | UNKNOWN_EXPIRY).
    """
    match = _PARTIAL_DAY.fullmatch(text.strip().upper())
    if match is None or match[2] not in _MONTHS:
        return parse_expiry(text)
    days = sorted(listed)
    asked = (_MONTHS.index(match[2]) + 1, int(match[1]))
    for each in days:
        if (each.month, each.day) == asked:
            return each
    near = ", ".join(expiry_code(each) for each in days[:6]) or "none"
    raise Refusal("UNKNOWN_EXPIRY", f"No expiry {text.strip()} is listed; there are {near}.")


def with_year(text: str, expiries: Callable[[str], Iterable[date]]) -> str:
    """A contract's name with the year that screens leave out: ``NIFTY 25Nov 24500 CE`` in full; other text as it is.

    ``expiries`` gives what is listed of an underlying. Raises Refusal(UNKNOWN_EXPIRY).
    """
    parts = text.upper().split()
    if len(parts) < 3 or not _PARTIAL_DAY.fullmatch(parts[1]):
        return text
    parts[1] = expiry_code(choose_expiry(parts[1], expiries(parts[0])))
    return " ".join(parts)


def contract_name(
    underlying: str, expiry: date | None = None, strike: int | None = None, right: Right | None = None
) -> str:
    """The canonical name: ``NIFTY``, ``NIFTY 25NOV26 FUT``, ``NIFTY 25NOV26 24500 CE``. ``strike`` in paise."""
    if expiry is None:
        return underlying
    if strike is None or right is None:
        return f"{underlying} {expiry_code(expiry)} FUT"
    whole, part = divmod(strike, 100)
    figure = str(whole) if part == 0 else f"{whole}.{part:02d}"
    return f"{underlying} {expiry_code(expiry)} {figure} {right.value}"


@lru_cache(maxsize=8192)
def parse_contract(text: str) -> ContractName:
    """Read a canonical name, forgiving case and spacing.

    Raises Refusal(BAD_CONTRACT) when the text is not a contract name at all; whether the contract is
    listed is the instrument master's business.
    """
    cleaned = " ".join(text.upper().split())
    match = _SHAPE.fullmatch(cleaned)
    if match is None:
        raise Refusal(
            "BAD_CONTRACT",
            f"{text!r} is not a contract name; write it like NIFTY 25NOV26 24500 CE or NIFTY 25NOV26 FUT.",
        )
    if match["day"] is None:
        return ContractName(match["underlying"])
    expiry = parse_expiry(match["day"] + match["month"] + match["year"])
    if match["future"]:
        return ContractName(match["underlying"], expiry)
    whole, _, part = match["strike"].partition(".")
    strike = int(whole) * 100 + int(part.ljust(2, "0") or 0)
    return ContractName(match["underlying"], expiry, strike, Right(match["right"]))
