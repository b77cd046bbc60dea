"""One pricing case in, one answer out: the pure half of `optconsole calc`.

A case has the fields id, model (bsm, black76, nse_iv), type (C or P), S or F, K, q, r, T_years and either vol or
given_price. S holds the forward for black76. The answer echoes `id` and names the quantities price, iv, delta,
gamma, vega_per_1.00, theta_per_year, theta_per_day365, rho_per_1.00, dividend_rho_per_1.00 (and price_rel, the price
again, for tables that judge it relatively); null with `reason` and `detail` where there is none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from optconsole.engine.model.errors import Refusal
from optconsole.engine.pricing import bsm, nse, scalar
from optconsole.engine.pricing.reasons import Reason

MODELS = ("bsm", "black76", "nse_iv")
DAYS_A_YEAR = 365.0
QUANTITIES = (
    "price",
    "price_rel",
    "iv",
    "delta",
    "gamma",
    "vega_per_1.00",
    "theta_per_year",
    "theta_per_day365",
    "rho_per_1.00",
    "dividend_rho_per_1.00",
)
_FIELDS = "model, type, S or F, K, r, T_years and vol or given_price"
_TOO_FAR = "These inputs are too large or too far apart to be one option."
_AT_EXPIRY = "At expiry only price and delta have a value."
_TYPES = {"C": True, "CE": True, "CALL": True, "P": False, "PE": False, "PUT": False}
_NUMBER = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*"
_PRODUCT = re.compile(rf"{_NUMBER}(?:[*/]{_NUMBER})*")


class _Case(NamedTuple):
    model: str
    is_call: bool
    underlying: float
    strike: float
    years: float
    rate: float
    dividend: float
    vol: float | None
    price: float | None


def answer(case: object) -> dict[str, object]:
    """The answer to one decoded case; a case that cannot be read gives {id, error, detail}. Raises nothing."""
    fields: Mapping[object, object] = case if isinstance(case, Mapping) else {}
    name = fields.get("id")
    if not isinstance(name, str | int | float | None):
        name = None
    try:
        if not isinstance(case, Mapping):
            raise Refusal("BAD_CASE", f"A case is a JSON object with {_FIELDS}.")
        return {"id": name, **_solve(_read(fields))}
    except Refusal as refusal:
        return {"id": name, "error": refusal.code, "detail": refusal.text}


def _read(fields: Mapping[object, object]) -> _Case:
    model = fields.get("model")
    if not isinstance(model, str) or model not in MODELS:
        raise Refusal("UNKNOWN_MODEL", f"model is {_shown(model)}; use one of {', '.join(MODELS)}.")
    kind = fields.get("type")
    is_call = _TYPES.get(kind.strip().upper()) if isinstance(kind, str) else None
    if is_call is None:
        raise Refusal("BAD_TYPE", f"type is {_shown(kind)}; use C for a call or P for a put.")
    vol, price = _optional(fields, "vol"), _optional(fields, "given_price")
    if vol is None and price is None:
        raise Refusal("MISSING_FIELD", "Give vol for price and Greeks, or given_price for the implied volatility.")
    if vol is not None and price is not None:
        raise Refusal("CONFLICTING_FIELDS", "Give either vol or given_price, not both.")
    rate = _optional(fields, "r")
    if rate is None and model != "nse_iv":
        raise Refusal("MISSING_FIELD", "r is missing; give the yearly rate, such as 0.065.")
    found = _Case(
        model=model,
        is_call=is_call,
        underlying=_required(fields, "F" if _absent(fields.get("S")) and not _absent(fields.get("F")) else "S"),
        strike=_required(fields, "K"),
        years=_required(fields, "T_years"),
        rate=nse.RATE if rate is None else rate,
        dividend=_optional(fields, "q") or 0.0,
        vol=vol,
        price=price,
    )
    return _checked(found)


def _checked(case: _Case) -> _Case:
    """Refuse what no option can have."""
    for name, value in (("S", case.underlying), ("K", case.strike)):
        if value <= 0.0:
            raise Refusal("OUT_OF_RANGE", f"{name} is {value:g}; it must be above zero.")
    for name, amount in (("T_years", case.years), ("vol", case.vol), ("given_price", case.price)):
        if amount is not None and amount < 0.0:
            raise Refusal("OUT_OF_RANGE", f"{name} is {amount:g}; it must not be negative.")
    return case


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _required(fields: Mapping[object, object], name: str) -> float:
    value = _optional(fields, name)
    if value is None:
        raise Refusal("MISSING_FIELD", f"{name} is missing.")
    return value


def _optional(fields: Mapping[object, object], name: str) -> float | None:
    """A finite number, also written as text or as a product like 5/1440/365; None when absent."""
    value = fields.get(name)
    if _absent(value):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Refusal("BAD_NUMBER", f"{name} is {_shown(value)}; it must be a number.")
    try:
        number = _product(value) if isinstance(value, str) else float(value)
    except (ValueError, OverflowError, ZeroDivisionError):
        raise Refusal("BAD_NUMBER", f"{name} is {_shown(value)}; it must be a number.") from None
    if not math.isfinite(number):
        raise Refusal("NOT_FINITE", f"{name} is not finite; give an ordinary number.")
    return number


def _product(text: str) -> float:
    if len(text) > 200 or not _PRODUCT.fullmatch(text):
        raise ValueError
    first, *rest = re.split(r"([*/])", text)
    total = float(first)
    for sign, factor in zip(rest[::2], rest[1::2], strict=True):
        total = total * float(factor) if sign == "*" else total / float(factor)
    return total


def _shown(value: object) -> str:
    """A value of somebody else's, short and without control characters."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        return repr(value[:40])
    return str(value)[:40] if isinstance(value, float) else f"of type {type(value).__name__}"


def _solve(case: _Case) -> dict[str, object]:
    vol, reason = case.vol, Reason.SOLVED
    if case.price is not None:
        vol, reason = _implied(case, case.price)
    if vol is None or reason is not Reason.SOLVED:
        if reason is Reason.BAD_INPUT:
            raise Refusal("OUT_OF_RANGE", _TOO_FAR)
        return _named(case.price, None, (), reason.name, reason.text)
    greeks = _greeks(case, vol)
    if math.isnan(greeks.price):
        raise Refusal("OUT_OF_RANGE", _TOO_FAR)
    if case.years == 0.0:
        return _named(greeks.price, vol, greeks[1:], Reason.EXPIRED.name, _AT_EXPIRY)
    if math.isnan(greeks.gamma):
        detail = "Without volatility gamma, vega and theta have no value."
        return _named(greeks.price, vol, greeks[1:], "NO_VOLATILITY", detail)
    return _named(greeks.price if case.price is None else case.price, vol, greeks[1:], None, None)


def _implied(case: _Case, price: float) -> tuple[float, Reason]:
    if case.model == "black76":
        return scalar.implied_vol(price, case.underlying, case.strike, case.years, case.rate, case.is_call)
    return bsm.implied_vol(price, case.underlying, case.strike, case.years, case.rate, case.dividend, case.is_call)


def _greeks(case: _Case, vol: float) -> bsm.SpotGreeks:
    if case.model == "black76":
        at = scalar.greeks(case.underlying, case.strike, case.years, case.rate, vol, case.is_call)
        # With the forward given, no dividend enters the price.
        return bsm.SpotGreeks(*at, dividend_rho=0.0)
    return bsm.greeks(case.underlying, case.strike, case.years, case.rate, case.dividend, vol, case.is_call)


def _named(
    price: float | None, vol: float | None, greeks: tuple[float, ...], reason: str | None, detail: str | None
) -> dict[str, object]:
    """The answer's quantities in the table's order; what is not finite is null."""
    delta, gamma, vega, theta, rho, dividend_rho = greeks or (math.nan,) * 6
    values = (price, price, vol, delta, gamma, vega, theta, theta / DAYS_A_YEAR, rho, dividend_rho)
    named: dict[str, object] = {
        name: value if value is not None and math.isfinite(value) else None
        for name, value in zip(QUANTITIES, values, strict=True)
    }
    if reason is not None:
        named["reason"], named["detail"] = reason, detail
    return named
