"""GetOptionGreek: a pure calculator of Black and Scholes that knows no market."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Final

from optconsole.brokers.rehearsal.noren.body import BadRequest, Body
from optconsole.brokers.rehearsal.noren.replies import Row
from optconsole.brokers.rehearsal.noren.words import MONTHS

YEAR_DAYS: Final = 365.0


def greeks(body: Body, now: datetime) -> Row:
    """Values of a call and a put. Raises BadRequest for figures that describe no option."""
    spot, strike = _figure(body, "sptprc"), _figure(body, "strprc")
    rate, volatility = _figure(body, "int_rate") / 100, _figure(body, "volatility") / 100
    years = max((_expiry(body.word("exd")) - now.date()).days, 0.5) / YEAR_DAYS
    if spot <= 0 or strike <= 0 or volatility <= 0:
        raise BadRequest("Invalid Input : sptprc, strprc and volatility must be positive")
    root = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + (rate + volatility * volatility / 2) * years) / root
    d2 = d1 - root
    paid = strike * math.exp(-rate * years)
    density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    decay = -spot * density * volatility / (2 * math.sqrt(years))
    both = {"gamma": density / (spot * root), "vego": spot * density * math.sqrt(years) / 100}
    call = {
        "price": spot * _below(d1) - paid * _below(d2),
        "delta": _below(d1),
        "theta": (decay - rate * paid * _below(d2)) / YEAR_DAYS,
        "rho": paid * years * _below(d2) / 100,
    }
    put = {
        "price": paid * _below(-d2) - spot * _below(-d1),
        "delta": _below(d1) - 1,
        "theta": (decay + rate * paid * _below(-d2)) / YEAR_DAYS,
        "rho": -paid * years * _below(-d2) / 100,
    }
    named = {"cal": call | both, "put": put | both}
    return {f"{side}_{name}": f"{value:.6f}" for side, values in named.items() for name, value in values.items()}


def _below(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2


def _figure(body: Body, name: str) -> float:
    try:
        value = float(body.word(name))
    except ValueError:
        raise BadRequest(f"Invalid Input : {name} is not a number") from None
    if not math.isfinite(value):
        raise BadRequest(f"Invalid Input : {name} is not a number")
    return value


def _expiry(text: str) -> date:
    day, _, rest = text.partition("-")
    month, _, year = rest.partition("-")
    try:
        return date(int(year), MONTHS.index(month.upper()) + 1, int(day))
    except ValueError:
        raise BadRequest("Invalid Input : exd is not a date like 24-NOV-2026") from None
