"""What the judge keeps: its findings, and each order as the journal tells it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

CLOSING_ROLES: Final = "XKST"
"""Roles in the tag of orders that may only reduce: exit, kill, stop and target."""


@dataclass(frozen=True, slots=True)
class Breach:
    """An invariant that did not hold."""

    invariant: str
    text: str
    day: int
    at: float

    def __str__(self) -> str:
        return f"{self.invariant} day {self.day} at {self.at:.3f} s: {self.text}"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A notice that reached the journal."""

    at: float
    level: str
    code: str
    text: str
    subject: str


@dataclass(slots=True)
class Paper:
    """One order as the journal tells it."""

    order_id: str
    tag: str
    account: str
    risk: str
    cause: str
    terms: dict[str, Any]
    parent: str = ""
    valid_until: str | None = None
    sent: bool = False
    sent_at: float | None = None
    sent_on: float = 0.0
    doubted: bool = False
    settled: bool = False
    absent: bool = False
    broker_id: str = ""
    ended: str = ""
    filled: int = 0
    asks: Counter[str] = field(default_factory=Counter)
    open_asks: int = 0

    @property
    def in_doubt(self) -> bool:
        """Sent, and nothing proves yet what became of it."""
        return self.sent and not self.ended and not self.broker_id
