"""Positions and money as Angel One prints them: every figure a string."""

from __future__ import annotations

from typing import Any

import msgspec

from optconsole.brokers.rehearsal.smartapi.habits import rupees, spaced
from optconsole.brokers.rehearsal.smartapi.orders import strike_figure
from optconsole.brokers.rehearsal.smartapi.symbols import Scrip, instrument_type, long_expiry, option_type


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One contract and product over a day. Units; values in paise paid or received; carried ones are signed.

    ``ltp`` is None while no price is known.
    """

    scrip: Scrip
    producttype: str
    buy_qty: int = 0
    sell_qty: int = 0
    buy_value: int = 0
    sell_value: int = 0
    carried_qty: int = 0
    carried_value: int = 0
    ltp: int | None = None

    @property
    def net(self) -> int:
        """Open units, signed."""
        return self.carried_qty + self.buy_qty - self.sell_qty


def position_row(standing: Standing) -> dict[str, Any]:
    """A row of the position book."""
    item = standing.scrip.instrument
    held, cost = abs(standing.carried_qty), abs(standing.carried_value)
    long = standing.carried_qty > 0
    bought = (held, cost) if long else (0, 0)
    sold = (0, 0) if long else (held, cost)
    buys, paid = standing.buy_qty + bought[0], standing.buy_value + bought[1]
    sells, got = standing.sell_qty + sold[0], standing.sell_value + sold[1]
    net = standing.net
    average = _each(paid, buys) if net > 0 else _each(got, sells) if net < 0 else 0
    realised = _realised(buys, paid, sells, got)
    last = standing.ltp if standing.ltp is not None else 0
    open_value = got - paid + net * last
    row = {
        "exchange": standing.scrip.segment,
        "symboltoken": standing.scrip.token,
        "producttype": standing.producttype,
        "tradingsymbol": standing.scrip.symbol,
        "symbolname": item.underlying,
        "instrumenttype": instrument_type(item),
        "priceden": "1",
        "pricenum": "1",
        "genden": "1",
        "gennum": "1",
        "precision": "2",
        "multiplier": "-1",
        "boardlotsize": "1",
        "buyqty": str(standing.buy_qty),
        "sellqty": str(standing.sell_qty),
        "buyamount": rupees(standing.buy_value),
        "sellamount": rupees(standing.sell_value),
        "symbolgroup": "",
        "strikeprice": str(strike_figure(standing.scrip)),
        "optiontype": option_type(item.right),
        "expirydate": long_expiry(item.expiry),
        "lotsize": str(item.lot),
        "cfbuyqty": str(bought[0]),
        "cfsellqty": str(sold[0]),
        "cfbuyamount": rupees(bought[1]),
        "cfsellamount": rupees(sold[1]),
        "buyavgprice": rupees(_each(standing.buy_value, standing.buy_qty)),
        "sellavgprice": rupees(_each(standing.sell_value, standing.sell_qty)),
        "avgnetprice": rupees(average),
        "netvalue": spaced(got - paid),
        "netqty": str(net),
        "totalbuyvalue": rupees(paid),
        "totalsellvalue": rupees(got),
        "cfbuyavgprice": rupees(_each(bought[1], bought[0])),
        "cfsellavgprice": rupees(_each(sold[1], sold[0])),
        "totalbuyavgprice": rupees(_each(paid, buys)),
        "totalsellavgprice": rupees(_each(got, sells)),
        "netprice": rupees(average),
    }
    if standing.ltp is not None:
        row |= {
            "ltp": rupees(last),
            "pnl": rupees(open_value),
            "realised": rupees(realised),
            "unrealised": rupees(open_value - realised),
        }
    return row


def _each(value: int, units: int) -> int:
    return round(value / units) if units else 0


def _realised(buys: int, paid: int, sells: int, got: int) -> int:
    """Profit of the units that were both bought and sold, at their averages."""
    closed = min(buys, sells)
    return round(closed * (got / sells - paid / buys)) if closed else 0


def rms_row(cash: int, used: int, premium: int = 0) -> dict[str, Any]:
    """The funds: ``used`` paise of ``cash`` are tied up, ``premium`` of them by bought options."""
    return {
        "net": rupees(cash - used),
        "availablecash": rupees(cash - used),
        "availableintradaypayin": "0.0000",
        "availablelimitmargin": "0.0000",
        "collateral": "0.0000",
        "m2munrealized": "0.0000",
        "m2mrealized": "0.0000",
        "utiliseddebits": rupees(used),
        "utilisedspan": rupees(used - premium),
        "utilisedoptionpremium": rupees(premium),
        "utilisedholdingsales": None,
        "utilisedexposure": None,
        "utilisedturnover": None,
        "utilisedpayout": "0.0000",
    }
