"""Values as brokers write them, read exactly or refused: rupees into paise, figures into units, stamps into IST."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import IST

MOST_RUPEES: Final = Decimal(10) ** 13
"""Beyond this a figure is no amount of money but a fault of the sender."""


def number(value: object) -> Decimal:
    """``"123.45"``, ``123.45``, ``"- 2235.80"`` and ``"1,234.50"`` as an exact decimal.

    Raises ValueError for anything else: also for NaN, infinity, a boolean and nothing at all.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{type(value).__name__} where a number was expected")
    # the shortest text of a float is what its sender wrote
    cleaned = str(value).replace(",", "").replace(" ", "")
    try:
        found = Decimal(cleaned)
    except InvalidOperation:
        raise ValueError(f"{display(str(value), 40)!r} where a number was expected") from None
    if not found.is_finite():
        raise ValueError(f"{display(str(value), 40)!r} where a number was expected")
    return found


def paise(value: object) -> int:
    """Rupees as written into paise; a fraction of a paisa, as averages have, is rounded half to even.

    Raises ValueError.
    """
    rupees = number(value)
    if abs(rupees) > MOST_RUPEES:
        raise ValueError(f"{rupees:.3E} rupees cannot be right")
    return int((rupees * 100).to_integral_value())


def units(value: object) -> int:
    """A whole quantity, also where it is written as ``65.0``. Raises ValueError."""
    found = number(value)
    if found != found.to_integral_value() or abs(found) > MOST_RUPEES:
        raise ValueError(f"{display(str(value), 40)!r} where a whole number was expected")
    return int(found)


def text(value: object) -> str:
    """A text field; null is empty. What it says is not made safe to show yet. Raises ValueError."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{type(value).__name__} where text was expected")
    return str(value).strip()


def moment(value: object, *formats: str) -> datetime:
    """An aware IST time from the first of ``formats`` (strptime) that fits. Raises ValueError."""
    written = text(value)
    for shape in formats:
        try:
            found = datetime.strptime(written, shape)  # noqa: DTZ007 - brokers write IST without saying so
        except ValueError:
            continue
        return found.replace(tzinfo=IST) if found.tzinfo is None else found.astimezone(IST)
    raise ValueError(f"{display(written, 40)!r} where a time was expected")
