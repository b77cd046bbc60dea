"""Rates by day: what a trade costs, what a position must be backed with, what prices are taken."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

from optconsole.engine.market.tables import day_of, rows
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind
from optconsole.engine.pricing.charges import ChargeRates
from optconsole.engine.pricing.margin import MarginParams
from optconsole.engine.rules.bands import BandRule

ANY: Final = "*"
DEFAULT_PLAN: Final = "zerodha"


@lru_cache(maxsize=256)
def rates_on(day: date, exchange: str, kind: Kind, underlying: str, plan: str = DEFAULT_PLAN) -> ChargeRates:
    """The rates of all charges in force on a day. Raises Refusal(NO_RATES) where the tables hold none."""
    rate = {
        item: _charge(item, day, exchange, kind, underlying)
        for item in ("stt_sell", "stt_exercise", "transaction", "ipft", "sebi", "stamp_buy", "gst")
    }
    flat, share = _brokerage(day, kind, plan)
    return ChargeRates(**rate, brokerage_flat=flat, brokerage_share=share)


@lru_cache(maxsize=64)
def margin_params_on(day: date) -> MarginParams:
    """The clearing house's risk parameters for index contracts on a day. Raises Refusal(NO_RATES)."""
    found: dict[str, tuple[date, Decimal]] = {}
    for row in rows("margin"):
        since = date.fromisoformat(row["since"])
        known = found.get(row["parameter"])
        if since <= day and (known is None or since >= known[0]):
            found[row["parameter"]] = (since, Decimal(row["value"]))
    if not found:
        raise Refusal("NO_RATES", f"The margin table does not reach back to {day}.")
    value = {name: float(number) for name, (_, number) in found.items()}
    spread = bool(value.pop("expiry_day_spread"))
    return MarginParams(**value, expiry_day_spread=spread)


@lru_cache(maxsize=64)
def band_on(day: date, exchange: str, kind: Kind) -> BandRule | None:
    """Limit price protection in force on a day; None before it was introduced."""
    best: tuple[date, BandRule] | None = None
    for row in rows("price_bands"):
        since = date.fromisoformat(row["since"])
        if (row["exchange"], row["kind"]) == (exchange, kind.value) and since <= day:
            rule = BandRule(int(Decimal(row["share"]) * 10_000), int(row["least_rupees"]) * 100)
            best = (since, rule) if best is None or since >= best[0] else best
    return best[1] if best else None


def _charge(item: str, day: date, exchange: str, kind: Kind, underlying: str) -> Decimal:
    """The rate of the most exact row that fits: one that names the underlying beats one for all."""
    wanted = {"exchange": exchange, "kind": kind.value, "underlying": underlying}
    fitting = [
        row
        for row in rows("charges")
        if row["item"] == item
        and _covers(row, day)
        and all(row[name] in (ANY, value) for name, value in wanted.items())
    ]
    if not fitting:
        raise Refusal("NO_RATES", f"No {item} rate is known for {underlying} {kind.value} at {exchange} on {day}.")
    return Decimal(max(fitting, key=lambda row: sum(row[name] != ANY for name in wanted))["rate"])


def _covers(row: dict[str, str], day: date) -> bool:
    return date.fromisoformat(row["since"]) <= day <= (day_of(row["until"]) or date.max)


def _brokerage(day: date, kind: Kind, plan: str) -> tuple[Decimal, Decimal | None]:
    for row in rows("brokerage"):
        if (row["plan"], row["kind"]) == (plan, kind.value) and date.fromisoformat(row["since"]) <= day:
            share = row["share_of_turnover"]
            return Decimal(row["flat_rupees"]), Decimal(share) if share else None
    raise Refusal("NO_RATES", f"No brokerage of plan {plan!r} is known for {kind.value} on {day}.")
