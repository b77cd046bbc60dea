"""Parent orders: what is too large for one order of the exchange, or is meant to leave in parts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from optconsole.engine.model.orders import OrderTerms, RiskClass


class Pace(StrEnum):
    """When the next part leaves: with the others, once those before it are filled, or at an interval."""

    AT_ONCE = "AT_ONCE"
    FILLED = "FILLED"
    TIMED = "TIMED"


class ParentStatus(StrEnum):
    """WORKING while parts may still leave or fill, DONE when all is filled, STOPPED when no further part leaves."""

    WORKING = "WORKING"
    DONE = "DONE"
    STOPPED = "STOPPED"


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """An order that leaves in parts; the parts are ordinary orders whose ``parent`` is this id.

    ``terms`` are those of the whole; ``parts`` the units planned for each; ``largest`` the most one part may hold.
    ``every`` is seconds between parts, ``drift`` the paise the price may move from ``reference`` before the rest is
    given up (0: any). ``cancelling`` is set when its parts are to be cancelled as well. ``epoch`` is the engine's run.
    """

    id: str
    terms: OrderTerms
    risk: RiskClass
    lot: int
    largest: int
    parts: tuple[int, ...]
    pace: Pace
    every: float
    drift: int
    reference: int | None
    opened_at: datetime
    epoch: int
    actor: str
    status: ParentStatus = ParentStatus.WORKING
    why: str = ""
    cancelling: bool = False
