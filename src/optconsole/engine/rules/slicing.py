"""Orders larger than the exchange takes at once, cut into whole lots."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.rules.tags import ALPHABET

MOST_PARTS: Final = len(ALPHABET)
"""Parts of one parent: its tag has one digit for them."""


def largest_order(instrument: Instrument) -> int:
    """Units of the largest order that is sure to be taken: whole lots strictly below the published figure.

    Exchanges and brokers disagree whether the published quantity itself is still taken (reliability O08); one part
    more costs less than a refused exit. 0 when the figure is unknown.
    """
    lot = max(instrument.lot, 1)
    return max(instrument.freeze - 1, 0) // lot * lot


def parts(qty: int, lot: int, largest: int, wanted: int = 0) -> tuple[int, ...]:
    """Units of each part of an order: as few as the exchange takes, or ``wanted`` parts of nearly equal size.

    Raises Refusal as ``slices``; BAD_PARTS when the order has fewer lots than parts; TOO_LARGE when it needs more
    parts than a tag can count.
    """
    cut = slices(qty, lot, largest)
    if wanted > 1:
        lots = qty // lot
        if wanted > lots:
            raise Refusal("BAD_PARTS", f"{lots} lots cannot leave in {wanted} parts; ask for at most {lots}.")
        count = max(wanted, -(-lots // (largest // lot)))
        base, more = divmod(lots, count)
        cut = tuple((base + (place < more)) * lot for place in range(count))
    if len(cut) > MOST_PARTS:
        raise Refusal(
            "TOO_LARGE",
            f"{qty} units need {len(cut)} orders of at most {largest}; give at most {MOST_PARTS * largest} at once.",
        )
    return cut


def slices(qty: int, lot: int, freeze: int) -> tuple[int, ...]:
    """Cut ``qty`` units into orders of whole lots, each at most ``freeze`` units, the largest first.

    Raises Refusal: BAD_QTY for a quantity that is not a positive number of whole lots, NO_FREEZE when the largest
    order is unknown or smaller than one lot.
    """
    if qty <= 0 or qty % lot:
        raise Refusal("BAD_QTY", f"{qty} units is not a positive number of whole lots of {lot}.")
    largest = freeze // lot * lot
    if largest <= 0:
        raise Refusal(
            "NO_FREEZE", f"The largest order is unknown or below one lot of {lot} (freeze {freeze}); trade by hand."
        )
    full, rest = divmod(qty, largest)
    return (largest,) * full + ((rest,) if rest else ())
