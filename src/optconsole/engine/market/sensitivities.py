"""Delta and vega of a contract at the prices of now, worked out at most once a second each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from optconsole.engine.clock import Clock
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.instruments import Instrument, Right, contract_name
from optconsole.engine.model.quotes import Quote
from optconsole.engine.pricing.margin import SECONDS_A_YEAR
from optconsole.engine.pricing.reasons import Reason
from optconsole.engine.pricing.scalar import greeks, implied_vol
from optconsole.engine.rules.sensitivity import Sensitivity

KEPT: Final = 1.0
"""Machine seconds for which what was worked out stands."""


class SensitivitySight:
    """What a unit of each contract does when its market moves. Answers are kept by contract."""

    def __init__(
        self, clock: Clock, quote: Callable[[str], Quote | None], master: Callable[[], InstrumentMaster]
    ) -> None:
        self._clock, self._quote, self._master = clock, quote, master
        self._kept: dict[str, tuple[float, Sensitivity | None]] = {}

    def of(self, name: str) -> Sensitivity | None:
        """None while a price that it needs is unknown, or is no price of an option."""
        tick, known = self._clock.monotonic(), self._kept.get(name)
        if known is not None and tick - known[0] <= KEPT:
            return known[1]
        contract = self._master().get(name)
        found = None if contract is None else self._worked_out(contract)
        self._kept[name] = tick, found
        return found

    def _worked_out(self, contract: Instrument) -> Sensitivity | None:
        price = self._mark(contract.name)
        if price is None or contract.expiry is None or contract.last_trade is None:
            return None
        if contract.strike is None:
            return Sensitivity(float(price), 0.0)
        forward = self._mark(contract_name(contract.underlying, contract.expiry)) or self._mark(contract.underlying)
        if forward is None:
            return None
        years = max(0.0, (contract.last_trade - self._clock.now()).total_seconds() / SECONDS_A_YEAR)
        strike, is_call = float(contract.strike), contract.right is Right.CALL
        vol, reason = implied_vol(float(price), float(forward), strike, years, 0.0, is_call)
        if reason is not Reason.SOLVED:
            inner = max(0.0, (forward - strike) * (1 if is_call else -1))
            if price > max(inner, contract.tick):
                return None
            # at or below what it is worth today: it moves with the future, or not at all
            return Sensitivity(float(forward if is_call else -forward) if inner else 0.0, 0.0)
        found = greeks(float(forward), strike, years, 0.0, vol, is_call)
        return Sensitivity(found.delta * forward, found.vega / 100)

    def _mark(self, name: str) -> int | None:
        quote = self._quote(name)
        return None if quote is None else quote.mark
