"""Orders larger than the exchange takes at once, cut into whole lots."""

from __future__ import annotations

from optconsole.engine.model.errors import Refusal


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
