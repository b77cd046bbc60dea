"""Why an option price has no implied volatility."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why there is, or is not, a volatility. The names are stable; anything but SOLVED comes with NaN."""

    SOLVED = 0
    PRICE_BELOW_INTRINSIC = 1
    PRICE_AT_INTRINSIC = 2
    NO_INFORMATION = 3
    PRICE_ABOVE_BOUND = 4
    EXPIRED = 5
    BAD_INPUT = 6

    @property
    def text(self) -> str:
        """The same in one sentence for the trader."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.SOLVED: "The price determines one volatility.",
    Reason.PRICE_BELOW_INTRINSIC: "The price is below the discounted intrinsic value, so no volatility gives it.",
    Reason.PRICE_AT_INTRINSIC: "The price is the discounted intrinsic value, so it holds no volatility.",
    Reason.NO_INFORMATION: "The rounding of the price alone moves the volatility, so the quote does not determine it.",
    Reason.PRICE_ABOVE_BOUND: "The price is at or above the most an option can be worth, so no volatility gives it.",
    Reason.EXPIRED: "No time is left to expiry, so the price holds no volatility.",
    Reason.BAD_INPUT: "Price, forward and strike must be finite and positive, time and rate finite.",
}

BLUR_LIMIT = 1e-6
"""Largest relative change of volatility per last digit of the price at which an answer is still given."""
