"""Rupees at the edges, integer paise inside."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from optconsole.engine.model.errors import Refusal

PAISE_PER_RUPEE = 100


def paise(text: str) -> int:
    """Parse a rupee amount such as ``101.25`` or ``1,20,000`` into paise.

    Raises Refusal(BAD_AMOUNT) for anything that is not a number with at most two decimals.
    """
    try:
        value = Decimal(text.strip().replace(",", "")) * PAISE_PER_RUPEE
    except InvalidOperation:
        raise Refusal("BAD_AMOUNT", f"{text!r} is not an amount in rupees; write it like 101.25.") from None
    if not value.is_finite():
        raise Refusal("BAD_AMOUNT", f"{text!r} is not an amount in rupees; write it like 101.25.")
    if value != value.to_integral_value():
        raise Refusal("BAD_AMOUNT", f"{text!r} has more than two decimals; prices are whole paise.")
    return int(value)


def rupees(amount: int) -> Decimal:
    """Paise as an exact rupee Decimal with two places."""
    return Decimal(amount).scaleb(-2)
