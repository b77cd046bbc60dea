"""Prices an exchange accepts: ticks, limit price protection, and the limit under a market order."""

from __future__ import annotations

from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.model.orders import Side


class BandRule(msgspec.Struct, frozen=True):
    """Limit price protection: ``share_bp`` hundredths of a per cent each way, at least ``least`` paise."""

    share_bp: int
    least: int


OPTION_BAND: Final = BandRule(4_000, 20_00)
FUTURE_BAND: Final = BandRule(200, 200_00)
"""In force at both exchanges for index contracts (NSE/FAOP/54242); the market room's dated table says since when."""

PROTECTION_SLABS: Final = ((9_99, 500), (100_00, 300), (500_00, 200))
"""(highest reference in paise, hundredths of a per cent): the brokers' usual protection of market orders."""
PROTECTION_ABOVE: Final = 100
_WHOLE_BP: Final = 10_000


def on_tick(price: int, tick: int) -> bool:
    """Whether a price in paise is a whole number of ticks."""
    return price % tick == 0


def nearest_ticks(price: int, tick: int) -> tuple[int, int]:
    """The prices on tick at or below and at or above; both the price itself when it is on tick."""
    lower = price - price % tick
    return lower, lower if lower == price else lower + tick


def price_band(instrument: Instrument, reference: int, rule: BandRule | None = None) -> tuple[int, int]:
    """Lowest and highest limit price in paise the exchange takes around ``reference``, both on tick.

    The low end is never below one tick. Raises Refusal(NOT_TRADABLE) for an index.
    """
    if not instrument.tradable:
        raise Refusal(
            "NOT_TRADABLE",
            f"{instrument.name} is an index and cannot be traded; choose its future or an option.",
        )
    if rule is None:
        rule = OPTION_BAND if instrument.kind is Kind.OPTION else FUTURE_BAND
    reach = max(rule.least, reference * rule.share_bp // _WHOLE_BP)
    lowest = nearest_ticks(reference - reach, instrument.tick)[1]
    highest = nearest_ticks(reference + reach, instrument.tick)[0]
    return max(instrument.tick, lowest), highest


def protected_limit(side: Side, reference: int, tick: int) -> int:
    """The limit price in paise under which a market order travels.

    Rounded away from the reference, so that the order stays marketable, and at least one tick away from it; a
    sell never goes below one tick. Every slab lies well inside the band of ``price_band``.
    """
    share = next((bp for highest, bp in PROTECTION_SLABS if reference <= highest), PROTECTION_ABOVE)
    away = -(-reference * share // _WHOLE_BP)
    if side is Side.BUY:
        return max(nearest_ticks(reference + away, tick)[1], nearest_ticks(reference, tick)[0] + tick)
    return max(tick, min(nearest_ticks(reference - away, tick)[0], nearest_ticks(reference, tick)[1] - tick))
