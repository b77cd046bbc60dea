"""Which adapter serves which account, and what the instrument files of brokers leave out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from optconsole.brokers.transport.gateway import Credentials, Evidence, Gateway
from optconsole.engine.clock import Clock, seeded
from optconsole.engine.market import contracts, facts
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account
from optconsole.engine.model.errors import Refusal
from optconsole.runtime.broker_settings import angel_settings, kite_settings, roots_of, shoonya_settings
from optconsole.sections import BrokerAccount


class MarketAlmanac:
    """The packaged tables as adapters ask for them; ``today`` is the day whose freeze quantities hold."""

    def __init__(self, calendar: Calendar, today: Callable[[], date]) -> None:
        self._calendar = calendar
        self._today = today

    def freeze(self, underlying: str) -> int | None:
        try:
            return contracts.freeze(underlying, self._today())
        except Refusal:
            return None

    def last_trade(self, underlying: str, expiry: date) -> datetime | None:
        return self._calendar.last_trade(underlying, expiry) if underlying in facts.underlyings() else None

    def index_tick(self, underlying: str) -> int:
        return contracts.INDEX_TICK

    def underlyings(self) -> tuple[str, ...]:
        return contracts.UNDERLYINGS


def open_gateway(
    account: Account,
    written: BrokerAccount,
    credentials: Credentials,
    clock: Clock,
    evidence: Evidence,
    almanac: MarketAlmanac,
) -> Gateway:
    """The adapter of an account, not yet connected. Raises Refusal(BAD_ROOTS | NO_ADAPTER …)."""
    rng, roots = seeded(f"{account.id} {clock.monotonic()}"), roots_of(written)
    # each adapter loads its tables; only what an account needs is loaded
    if written.broker == "zerodha":
        from optconsole.brokers.zerodha.gateway import open_gateway as zerodha

        return zerodha(account, kite_settings(written), credentials, clock, rng, evidence, almanac, roots)
    if written.broker == "angelone":
        from optconsole.brokers.angelone.gateway import open_gateway as angelone

        return angelone(account, angel_settings(written), credentials, clock, rng, evidence, almanac, roots)
    if written.broker == "shoonya":
        from optconsole.brokers.shoonya.gateway import open_gateway as shoonya

        return shoonya(account, shoonya_settings(written), credentials, clock, rng, evidence, almanac, roots)
    raise Refusal("NO_ADAPTER", f"No adapter serves {written.broker}; the account {account.id} cannot be opened.")
