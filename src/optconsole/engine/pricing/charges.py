"""What the state, the exchange and the broker take of a trade. Exact decimals; rates come in as dated data."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import msgspec

from optconsole.engine.model.money import rupees
from optconsole.engine.model.orders import Side

_NOTHING = Decimal(0)
_RUPEE = Decimal(1)


class ChargeRates(msgspec.Struct, frozen=True, kw_only=True):
    """Fractions of the value traded (premium of an option, turnover of a future), as in force on one day.

    ``stt_exercise`` is a fraction of the intrinsic value; ``ipft`` the exchange's levy for its investor protection
    fund, on which no GST is due; ``brokerage_flat`` rupees an executed order, at most ``brokerage_share`` of the
    value where that is given.
    """

    stt_sell: Decimal
    stt_exercise: Decimal
    transaction: Decimal
    ipft: Decimal
    sebi: Decimal
    stamp_buy: Decimal
    gst: Decimal
    brokerage_flat: Decimal
    brokerage_share: Decimal | None = None


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """The charges of one order in rupees, unrounded. ``exchange`` is the transaction charge with its levy."""

    brokerage: Decimal = _NOTHING
    stt: Decimal = _NOTHING
    exchange: Decimal = _NOTHING
    sebi: Decimal = _NOTHING
    stamp: Decimal = _NOTHING
    gst: Decimal = _NOTHING

    @property
    def total(self) -> Decimal:
        """The exact sum in rupees."""
        return self.brokerage + self.stt + self.exchange + self.sebi + self.stamp + self.gst

    @property
    def paise(self) -> int:
        """The total in whole paise, half to even."""
        return int((self.total * 100).to_integral_value(ROUND_HALF_EVEN))

    def noted(self) -> Bill:
        """The bill as a contract note prints it: both taxes, STT and stamp duty, in whole rupees."""
        return msgspec.structs.replace(
            self, stt=self.stt.quantize(_RUPEE, ROUND_HALF_UP), stamp=self.stamp.quantize(_RUPEE, ROUND_HALF_UP)
        )


def bill(rates: ChargeRates, side: Side, value: int, executed_orders: int = 1) -> Bill:
    """The charges on ``value`` paise traded by ``executed_orders`` orders of one side.

    For an order filled in parts pass the value of all its fills so far: a bill is not the sum of its parts,
    brokerage being due once.
    """
    turnover = rupees(value)
    brokerage = rates.brokerage_flat * executed_orders
    if rates.brokerage_share is not None:
        brokerage = min(brokerage, rates.brokerage_share * turnover)
    transaction = rates.transaction * turnover
    sebi = rates.sebi * turnover
    buying = side is Side.BUY
    return Bill(
        brokerage=brokerage,
        stt=_NOTHING if buying else rates.stt_sell * turnover,
        exchange=transaction + rates.ipft * turnover,
        sebi=sebi,
        stamp=rates.stamp_buy * turnover if buying else _NOTHING,
        gst=rates.gst * (brokerage + transaction + sebi),
    )


def exercise_bill(rates: ChargeRates, intrinsic_value: int) -> Bill:
    """The tax on a long option exercised at expiry, on its intrinsic value in paise. A writer owes none."""
    return Bill(stt=rates.stt_exercise * rupees(intrinsic_value))
