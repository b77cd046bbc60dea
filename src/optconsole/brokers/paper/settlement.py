"""What expiry does to an open position: cash on the underlying's closing value (market.md 7). Pure."""

from __future__ import annotations

from optconsole.engine.model.instruments import Instrument, Kind, Right


def cash_price(instrument: Instrument, closing: int) -> int:
    """Cash value of one unit at expiry in paise: the closing value of a future, the intrinsic value of an option."""
    if instrument.kind is Kind.FUTURE or instrument.strike is None:
        return closing
    gap = closing - instrument.strike
    return max(0, gap if instrument.right is Right.CALL else -gap)


def exercised(instrument: Instrument, qty: int, price: int) -> int:
    """Intrinsic value in paise on which an exercised long option is taxed; 0 for everything else."""
    return qty * price if instrument.kind is Kind.OPTION and qty > 0 else 0
