"""What the rules may know of the world at one instant. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from optconsole.engine.model.health import WELL, AccountHealth, BookSeen
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import Since
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.queries import Check
from optconsole.engine.rules.limits import FundsSeen
from optconsole.engine.rules.sensitivity import SensitivityOf

PRICE_OLD: Final = 5.0
"""Seconds of silence after which a price no longer tells what a position is worth."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules may know of the world at one instant.

    ``age`` gives machine seconds since a contract's price was last known to be true, None when it never was;
    ``patience`` is the silence that is usual for the source; ``watched_for`` how long this market was watched without
    a break. ``queued`` is how many seconds an entry would wait for its turn to leave.
    ``guard_only`` says why only guards and exits may act, empty when all is well; ``stops`` are other refusals of risk.
    ``tick`` is the machine's monotonic second; ``closes`` when the session ends, None outside one; ``funds`` the
    broker's last word on an account's money. ``book`` is what the account's book said when it was last read, None
    where it cannot differ from ours. ``elapsed`` measures time as ``since`` where the time of day may be set;
    ``earliest`` is what the time of day may be at least. ``margin`` gives paise that signed units by contract tie up
    together, None where that cannot be told; ``reference_of`` what an exchange's price band is measured from;
    ``known`` what a unit of a contract does when its market moves.
    """

    now: datetime
    phase: MarketPhase
    quote: Callable[[str], Quote | None]
    limits: OrderLimits
    health: Callable[[str], AccountHealth] = lambda _account: WELL
    age: Callable[[str], float | None] = lambda _name: 0.0
    patience: float = 0.0
    queued: float = 0.0
    guard_only: str = ""
    stops: tuple[Check, ...] = ()
    tick: float = 0.0
    closes: datetime | None = None
    funds: Callable[[str], FundsSeen | None] = lambda _account: None
    watched_for: float = float("inf")
    book: Callable[[str], BookSeen | None] = lambda _account: None
    elapsed: Since | None = None
    known: SensitivityOf = lambda _name: None
    reference_of: Callable[[str], int | None] | None = None
    margin: Callable[[Mapping[str, int]], int | None] = lambda _units: None
    earliest: datetime | None = None

    def since(self, moment: datetime) -> timedelta:
        """How long ago something happened, by the machine's own time."""
        return self.now - moment if self.elapsed is None else self.elapsed(moment)

    def reference(self, name: str) -> int | None:
        """Paise that the price band of a contract is measured from; its mark where nothing better is known."""
        if self.reference_of is not None:
            return self.reference_of(name)
        quote = self.quote(name)
        return None if quote is None else quote.mark

    def price(self, name: str) -> int | None:
        """What open quantity is valued at; None when no price is known or the last one is too old to be true."""
        quote, age = self.quote(name), self.age(name)
        return None if quote is None or age is None or age > PRICE_OLD + 2 * self.patience else quote.mark
