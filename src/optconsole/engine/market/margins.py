"""Margin of a whole account at the prices of now, fast enough to be asked before every order.

The dear part is a contract's own row of the risk array. The clearing house itself makes it a few times a day; here it
is kept for some minutes, and made anew at once where the underlying moves. What options are worth is always of now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec

from optconsole.engine.clock import Clock
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.market.tariffs import margin_params_on
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import contract_name
from optconsole.engine.model.quotes import Quote
from optconsole.engine.pricing.margin import MarginParams, UnitRisk, combined, unit_risk

KEPT: Final = 300.0
"""Machine seconds for which a contract's row stands while its underlying stands still."""
MOVED: Final = 500
"""One part in so many of the underlying's price: a move above it makes the rows anew."""


class _Row(NamedTuple):
    unit: UnitRisk
    made: float
    spot: int


class MarginSight:
    """What signed units of contracts tie up together. Rows are kept by contract."""

    def __init__(
        self, clock: Clock, quote: Callable[[str], Quote | None], master: Callable[[], InstrumentMaster]
    ) -> None:
        self._clock, self._quote, self._master = clock, quote, master
        self._rows: dict[str, _Row] = {}

    def margin(self, units: Mapping[str, int]) -> int | None:
        """Paise of margin of all of it together; None where a price or the rates of the day are unknown."""
        today = self._clock.now().date()
        try:
            params = margin_params_on(today)
            held = [(self._unit(name, params), qty) for name, qty in units.items() if qty]
        except Refusal:
            return None
        return combined(held, today, params).total

    def _unit(self, name: str, params: MarginParams) -> UnitRisk:
        """Raises Refusal(NO_PRICE | NO_EXPIRY | NOT_LISTED)."""
        contract = self._master().get(name)
        if contract is None or contract.expiry is None:
            raise Refusal("NOT_LISTED", f"{name} is not listed today.")
        spot, price = self._mark(contract.underlying), self._mark(name)
        tick, known = self._clock.monotonic(), self._rows.get(name)
        if known is not None and tick - known.made <= KEPT and abs(spot - known.spot) * MOVED <= spot:
            kept = known.unit
            return msgspec.structs.replace(kept, value=price) if kept.value and kept.value != price else kept
        future = self._quote(contract_name(contract.underlying, contract.expiry))
        forward = None if future is None else future.mark
        unit = unit_risk(contract, price, spot, forward or spot, self._clock.now(), params)
        self._rows[name] = _Row(unit, tick, spot)
        return unit

    def _mark(self, name: str) -> int:
        quote = self._quote(name)
        if quote is None or quote.mark is None:
            raise Refusal("NO_PRICE", f"{name} has no price yet.")
        return quote.mark
