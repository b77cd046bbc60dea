"""What is wrong with a strategy or a basket as written, by field, and what of the market a check may know."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, time

import msgspec


class Fault(msgspec.Struct, frozen=True, order=True):
    """One fault: a stable code, the field it is of (``legs[0].stop``), and a sentence with what would pass."""

    code: str
    path: str
    text: str


Faults = Iterator[Fault]


class MarketFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the market and the accounts when a strategy is checked; what is not known is not checked.

    ``listed`` are open expiries by underlying, ``strikes`` (paise) by underlying and expiry, ``lots`` and ``freeze``
    (the largest order) units by underlying, ``accounts`` the ids that exist, ``opens`` and ``closes`` the session.
    """

    today: date | None = None
    listed: Mapping[str, Sequence[date]] = {}
    strikes: Mapping[tuple[str, date], Collection[int]] = {}
    lots: Mapping[str, int] = {}
    freeze: Mapping[str, int] = {}
    accounts: frozenset[str] | None = None
    opens: time | None = None
    closes: time | None = None


def under(prefix: str, faults: Iterator[Fault]) -> Faults:
    """The same faults with their fields inside ``prefix``."""
    for fault in faults:
        yield Fault(fault.code, f"{prefix}.{fault.path}" if fault.path else prefix, fault.text)
