"""Facts about the engine itself, its days and its accounts."""

from __future__ import annotations

from datetime import date

from optconsole.engine.events.base import Event
from optconsole.engine.model.accounts import Account


class EngineStarted(Event, frozen=True, kw_only=True):
    """An engine took the store. ``epoch`` grows by one with each start."""

    version: str
    world: str
    epoch: int


class EngineReady(Event, frozen=True, kw_only=True):
    """The book agrees with the broker's; entries are allowed."""

    orders_checked: int
    fills_adopted: int


class EngineStopped(Event, frozen=True, kw_only=True):
    """The engine let go of the store in good order."""

    reason: str


class SessionOpened(Event, frozen=True, kw_only=True):
    """A trading day began."""

    day: date


class SessionClosed(Event, frozen=True, kw_only=True):
    """A trading day ended; DAY orders are gone."""

    day: date


class AccountOpened(Event, frozen=True, kw_only=True):
    """An account became known, with its opening cash."""

    account: Account

    @property
    def stream(self) -> str:
        return f"account:{self.account.id}"
