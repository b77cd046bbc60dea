"""SPAN-like margin of a portfolio of index contracts: sixteen scenarios, calendar charge, exposure, expiry extra.

Follows NSE Clearing's published method with its published parameters. The clearing house's own volatilities come
only in its files, so implied ones stand in for them here; figures differ from a broker's by a few per cent.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Right
from optconsole.engine.model.timeline import IST
from optconsole.engine.pricing.reasons import Reason
from optconsole.engine.pricing.scalar import greeks, implied_vol

SCENARIOS: Final = (
    *((move / 3, vol, 1.0) for move in (0, 1, -1, 2, -2, 3, -3) for vol in (1, -1)),
    (2.0, 0, 0.35),
    (-2.0, 0, 0.35),
)
"""(price move in scan ranges, volatility move in scan ranges, share of the loss that counts), risk-array order."""
DELTA_WEIGHTS: Final = ((0, 0.27), (1, 0.217), (-1, 0.217), (2, 0.111), (-2, 0.111), (3, 0.037), (-3, 0.037))
"""(price move in thirds of the scan range, weight) of the composite delta: SPAN's standard weights."""
SECONDS_A_YEAR: Final = 365 * 86_400
_DAY: Final = 1 / 365
_LONG_DATED_YEARS: Final = 0.75
_FAR_MONEY: Final = 0.10
_UNKNOWN_VOL: Final = 0.20

Forwards = Mapping[str | tuple[str, date], int]
"""Forward price in paise by (underlying, expiry), or by underlying for all its expiries."""


class MarginParams(msgspec.Struct, frozen=True, kw_only=True):
    """Risk parameters in force on a day, as fractions; ``vol_scan_least`` is 0.04 for four points."""

    price_scan: float
    price_scan_long_dated: float
    vol_scan_share: float
    vol_scan_least: float
    calendar_spread: float
    exposure: float
    exposure_far_money: float
    exposure_long_dated: float
    expiry_extra: float
    expiry_day_spread: bool


class MarginLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A position or an order taken as filled: signed units, price in paise, volatility as a fraction if known."""

    instrument: Instrument
    qty: int
    price: int
    vol: float | None = None


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """Paise to be blocked. ``span`` includes what buying back shorts costs, less what longs are worth.

    ``premium`` is the value of the long options, which their buyer pays in cash and which is no part of ``total``.
    """

    span: int = 0
    exposure: int = 0
    expiry_extra: int = 0
    premium: int = 0

    @property
    def total(self) -> int:
        """Paise to be blocked: SPAN, exposure and the extra of expiry day."""
        return self.span + self.exposure + self.expiry_extra


class UnitRisk(msgspec.Struct, frozen=True, kw_only=True):
    """What one bought unit of a contract adds to a portfolio, in paise: its row of the risk array.

    ``losses`` by scenario, ``delta`` the composite one, ``value`` the option's price (0 for a future); ``long`` and
    ``short`` are the exposure margin of a unit held either way, ``expiring`` what expiry day adds to a sold one.
    """

    underlying: str
    expiry: date
    losses: tuple[float, ...]
    delta: float
    forward: int
    value: int = 0
    long: float = 0.0
    short: float = 0.0
    expiring: float = 0.0


class _Risk:
    """What the legs of one underlying add up to."""

    __slots__ = ("deltas", "forwards", "losses", "option_value")

    def __init__(self) -> None:
        self.losses = [0.0] * len(SCENARIOS)
        self.deltas: defaultdict[date, float] = defaultdict(float)
        self.forwards: dict[date, int] = {}
        self.option_value = 0


class Portfolio:
    """Legs put together one by one, and their margin at any moment. A contract that comes again is put in anew.

    ``sigmas`` are daily volatilities by underlying, where known; without one the clearing house's floor of the price
    scan range stands.
    """

    def __init__(
        self,
        forwards: Forwards,
        spots: Mapping[str, int],
        now: datetime,
        params: MarginParams,
        sigmas: Mapping[str, float] | None = None,
    ) -> None:
        self._forwards, self._spots, self._now, self._params = forwards, spots, now, params
        self._sigmas = sigmas or {}
        self._held: dict[str, tuple[UnitRisk, int]] = {}

    def put(self, key: str, leg: MarginLeg) -> None:
        """Have this leg under its key, in place of what was there. Raises Refusal as ``portfolio_margin``."""
        self._held.pop(key, None)
        if leg.qty:
            self._held[key] = self._unit(leg), leg.qty

    def margin(self) -> Margin:
        """The margin of all legs together."""
        return combined(self._held.values(), _today(self._now), self._params)

    def _unit(self, leg: MarginLeg) -> UnitRisk:
        contract = leg.instrument
        spot, sigma = _spot(self._spots, contract), self._sigmas.get(contract.underlying, 0.0)
        own = None if contract.expiry is None else self._forwards.get((contract.underlying, contract.expiry))
        forward = own or self._forwards.get(contract.underlying) or spot
        return unit_risk(contract, leg.price, spot, forward, self._now, self._params, sigma, leg.vol)


def portfolio_margin(
    legs: Sequence[MarginLeg],
    forwards: Forwards,
    spots: Mapping[str, int],
    now: datetime,
    params: MarginParams,
    sigmas: Mapping[str, float] | None = None,
) -> Margin:
    """Margin of all legs together, each counted for itself. Prices in paise; ``sigmas`` as for Portfolio.

    Raises Refusal: NO_PRICE when the spot of an underlying is unknown, NO_EXPIRY for a leg that is not a derivative.
    """
    together = Portfolio(forwards, spots, now, params, sigmas)
    for place, leg in enumerate(legs):
        together.put(str(place), leg)
    return together.margin()


def combined(held: Iterable[tuple[UnitRisk, int]], today: date, params: MarginParams) -> Margin:
    """Margin of signed units of several contracts together, from what a unit of each adds."""
    risks: defaultdict[str, _Risk] = defaultdict(_Risk)
    exposure = extra = 0.0
    premium = 0
    for unit, qty in held:
        risk = risks[unit.underlying]
        risk.losses = [sofar + qty * loss for sofar, loss in zip(risk.losses, unit.losses, strict=True)]
        risk.deltas[unit.expiry] += qty * unit.delta
        risk.forwards[unit.expiry] = unit.forward
        risk.option_value += qty * unit.value
        premium += max(qty, 0) * unit.value
        exposure += abs(qty) * (unit.long if qty > 0 else unit.short)
        extra += max(-qty, 0) * unit.expiring
    span = 0.0
    for risk in risks.values():
        span += max(0.0, max(0.0, *risk.losses) + _calendar_charge(risk, today, params) - risk.option_value)
    return Margin(span=round(span), exposure=round(exposure), expiry_extra=round(extra), premium=premium)


def _spot(spots: Mapping[str, int], contract: Instrument) -> int:
    spot = spots.get(contract.underlying)
    if not spot:
        raise Refusal(
            "NO_PRICE", f"The price of {contract.underlying} is unknown, so {contract.name} has no margin yet."
        )
    return spot


def _today(now: datetime) -> date:
    return now.astimezone(IST).date()


def _price_scan(params: MarginParams, years: float, sigma: float) -> float:
    least = params.price_scan_long_dated if years > _LONG_DATED_YEARS else params.price_scan
    return max(least, 6.0 * sigma * math.sqrt(2.0))


def unit_risk(
    contract: Instrument,
    price: int,
    spot: int,
    forward: int,
    now: datetime,
    params: MarginParams,
    sigma: float = 0.0,
    vol: float | None = None,
) -> UnitRisk:
    """What one bought unit adds: two dozen option prices, which is the dear part of a margin.

    Raises Refusal(NO_EXPIRY) for what is not a derivative.
    """
    if contract.expiry is None or contract.last_trade is None:
        raise Refusal("NO_EXPIRY", f"{contract.name} does not expire; only futures and options bear margin.")
    years = max(0.0, (contract.last_trade - now).total_seconds() / SECONDS_A_YEAR)
    reach = _price_scan(params, years, sigma) * spot
    if contract.strike is None or contract.right is None:
        return UnitRisk(
            underlying=contract.underlying,
            expiry=contract.expiry,
            losses=tuple(-move * reach * share for move, _, share in SCENARIOS),
            delta=1.0,
            forward=forward,
            long=price * params.exposure,
            short=price * params.exposure,
        )
    strike, is_call = float(contract.strike), contract.right is Right.CALL
    vol = vol if vol is not None else _implied(price, forward, strike, years, is_call)
    scan = max(params.vol_scan_least, params.vol_scan_share * vol)
    today = greeks(forward, strike, years, 0.0, vol, is_call).price
    tomorrow = max(0.0, years - _DAY)
    losses: list[float] = []
    for move, vol_move, share in SCENARIOS:
        shifted = max(1.0, forward + move * reach)
        then = greeks(shifted, strike, tomorrow, 0.0, max(0.0, vol + vol_move * scan), is_call).price
        losses.append((today - then) * share)
    delta = sum(
        weight * greeks(max(1.0, forward + thirds / 3 * reach), strike, tomorrow, 0.0, vol, is_call).delta
        for thirds, weight in DELTA_WEIGHTS
    )
    return UnitRisk(
        underlying=contract.underlying,
        expiry=contract.expiry,
        losses=tuple(losses),
        delta=delta,
        forward=forward,
        value=price,
        short=_short_exposure(contract, contract.strike, spot, years, params),
        expiring=spot * params.expiry_extra if contract.expiry == _today(now) else 0.0,
    )


def _implied(price: int, forward: int, strike: float, years: float, is_call: bool) -> float:
    """The volatility a price implies; a usual one where it implies none, as for a price at intrinsic value."""
    vol, reason = implied_vol(float(price), float(forward), strike, years, 0.0, is_call)
    return vol if reason is Reason.SOLVED else _UNKNOWN_VOL


def _short_exposure(contract: Instrument, strike: int, spot: int, years: float, params: MarginParams) -> float:
    """On the spot value of a sold option; long options bear none."""
    out_of_money = (strike - spot) * (1 if contract.right is Right.CALL else -1) / spot
    rate = params.exposure_far_money if out_of_money > _FAR_MONEY else params.exposure
    if years > _LONG_DATED_YEARS:
        rate = params.exposure_long_dated
    return spot * rate


def _calendar_charge(risk: _Risk, today: date, params: MarginParams) -> float:
    """Opposite composite deltas of two expiries pair up, nearest first, at a rate on the farther one's price."""
    left = {day: risk.deltas[day] for day in sorted(risk.deltas) if params.expiry_day_spread or day > today}
    days, charge = list(left), 0.0
    for position, near in enumerate(days):
        for far in days[position + 1 :]:
            if left[near] * left[far] >= 0:
                continue
            paired = min(abs(left[near]), abs(left[far]))
            left[near] -= math.copysign(paired, left[near])
            left[far] -= math.copysign(paired, left[far])
            charge += paired * params.calendar_spread * risk.forwards[far]
    return charge
