"""Vaults for tests: a clock that stands, and guesses that cost a millisecond."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from optconsole.engine.clock import MarketClock
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST
from optconsole.engine.store.sealing import Cost
from optconsole.engine.store.vault import Vault

CHEAP = Cost(passes=1, memory=64, lanes=1)
PASSPHRASE = Secret("correct horse battery staple again")
OTHER = Secret("another long passphrase entirely")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=IST)


def still() -> MarketClock:
    """A clock that moves only when it is set."""
    return MarketClock(NOON, speed=0)


def a_vault(home: Path, clock: MarketClock | None = None) -> Vault:
    """The vault of a home, as one process holds it."""
    return Vault(home, clock or still(), lambda: CHEAP)


def new_vault(home: Path, clock: MarketClock | None = None) -> Vault:
    vault = a_vault(home, clock)
    vault.create(PASSPHRASE)
    return vault


def later(clock: MarketClock, **time: float) -> None:
    clock.set(clock.now() + timedelta(**time))
