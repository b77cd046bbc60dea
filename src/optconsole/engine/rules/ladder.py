"""The ladder of a closing order (features OE-2): four worst prices, each further through the market, within the band.

Rung 0 is the protected limit off the best opposite price, rungs 1 and 2 widen its buffer twofold and fourfold, the last
is the edge of the price band of the moment. A price only ever moves towards the edge, so that every step
makes a fill likelier and none can be refused for standing outside the band.
"""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.bands import nearest_ticks, price_band, protected_limit
from optconsole.engine.rules.pretrade import reference_price

LAST: Final = 3
MOST_CHANGES: Final = 20
"""Changes of one order before a new one takes its place: brokers stop taking them at 25 (reliability I-15)."""
STEP: Final = 2.0
"""Seconds a rung is given to fill."""
AFTER_REFUSAL: Final = 5.0
"""Seconds before a step that the broker refused is tried again."""


def price(
    side: Side, quote: Quote | None, instrument: Instrument, rung: int, band_from: int | None = None
) -> int | None:
    """The worst price in paise of a rung; None while nothing is known to measure it from.

    ``band_from`` is what the exchange measures its band from, the mark where it is not given.
    """
    reference = reference_price(quote, side)
    if quote is None or reference is None or reference <= 0:
        return None
    low, high = price_band(instrument, band_from or quote.mark or reference)
    edge = high if side is Side.BUY else low
    if rung >= LAST:
        return edge
    near = protected_limit(side, reference, instrument.tick)
    reach = abs(near - reference) * 2**rung
    below, above = nearest_ticks(max(reference + side.sign * reach, instrument.tick), instrument.tick)
    return min(above, edge) if side is Side.BUY else max(below, edge)


def next_step(
    side: Side, current: int, quote: Quote | None, instrument: Instrument, changes: int, band_from: int | None = None
) -> tuple[int, int] | None:
    """(price, rung) for an order at ``current`` that was changed so many times; None when it stands at the edge.

    The rung grows with each change; one whose price the market has overtaken is skipped.
    """
    for rung in range(min(changes + 1, LAST), LAST + 1):
        wanted = price(side, quote, instrument, rung, band_from)
        if wanted is not None and (wanted - current) * side.sign > 0:
            return wanted, rung
    return None
