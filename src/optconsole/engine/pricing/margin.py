"""SPAN-like margin of a portfolio of index contracts: sixteen scenarios, calendar charge, exposure, expiry extra.

Follows NSE Clearing's published method with its published parameters. The clearing house's own volatilities come
only in its files, so implied ones stand in for them here; figures differ from a broker's by a few per cent.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind, Right
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


class _Part(NamedTuple):
    """What one leg brings: losses by scenario, composite delta and the rest in paise."""

    underlying: str
    expiry: date
    losses: tuple[float, ...]
    delta: float
    option_value: int
    exposure: float
    extra: float
    premium: int


class _Risk:
    """What the legs of one underlying add up to."""

    __slots__ = ("deltas", "losses", "option_value")

    def __init__(self) -> None:
        self.losses = [0.0] * len(SCENARIOS)
        self.deltas: defaultdict[date, float] = defaultdict(float)
        self.option_value = 0

    def add(self, part: _Part, sign: int) -> None:
        """Put a leg on the account, or take it off."""
        for row, loss in enumerate(part.losses):
            self.losses[row] += sign * loss
        self.deltas[part.expiry] += sign * part.delta
        self.option_value += sign * part.option_value


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
        self._risks: defaultdict[str, _Risk] = defaultdict(_Risk)
        self._parts: dict[str, _Part] = {}
        self._exposure = self._extra = 0.0
        self._premium = 0

    def put(self, key: str, leg: MarginLeg) -> None:
        """Have this leg under its key, in place of what was there. Raises Refusal as ``portfolio_margin``."""
        before = self._parts.pop(key, None)
        if before is not None:
            self._take(before, -1)
        if leg.qty:
            part = self._parts[key] = self._part(leg)
            self._take(part, 1)

    def margin(self) -> Margin:
        """The margin of all legs together."""
        span = 0.0
        for underlying, risk in self._risks.items():
            charge = _calendar_charge(risk.deltas, underlying, self._forwards, self._spots, self._now, self._params)
            span += max(0.0, max(0.0, *risk.losses) + charge - risk.option_value)
        return Margin(
            span=round(span),
            exposure=round(self._exposure),
            expiry_extra=round(self._extra),
            premium=self._premium,
        )

    def _take(self, part: _Part, sign: int) -> None:
        self._risks[part.underlying].add(part, sign)
        self._exposure += sign * part.exposure
        self._extra += sign * part.extra
        self._premium += sign * part.premium

    def _part(self, leg: MarginLeg) -> _Part:
        contract, params = leg.instrument, self._params
        spot = _spot(self._spots, contract)
        expiry, years = _life(contract, self._now)
        forward = self._forwards.get((contract.underlying, expiry)) or self._forwards.get(contract.underlying) or spot
        reach = _price_scan(params, years, self._sigmas.get(contract.underlying, 0.0)) * spot
        losses, delta = _scanned(leg, years, forward, reach, params)
        short_today = contract.kind is Kind.OPTION and leg.qty < 0 and expiry == _today(self._now)
        return _Part(
            underlying=contract.underlying,
            expiry=expiry,
            losses=losses,
            delta=delta,
            option_value=0 if contract.strike is None else leg.qty * leg.price,
            exposure=_exposure(leg, spot, years, params),
            extra=-leg.qty * spot * params.expiry_extra if short_today else 0.0,
            premium=max(leg.qty, 0) * leg.price if contract.kind is Kind.OPTION else 0,
        )


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


def _spot(spots: Mapping[str, int], contract: Instrument) -> int:
    spot = spots.get(contract.underlying)
    if not spot:
        raise Refusal(
            "NO_PRICE", f"The price of {contract.underlying} is unknown, so {contract.name} has no margin yet."
        )
    return spot


def _life(contract: Instrument, now: datetime) -> tuple[date, float]:
    if contract.expiry is None or contract.last_trade is None:
        raise Refusal("NO_EXPIRY", f"{contract.name} does not expire; only futures and options bear margin.")
    return contract.expiry, max(0.0, (contract.last_trade - now).total_seconds() / SECONDS_A_YEAR)


def _today(now: datetime) -> date:
    return now.astimezone(IST).date()


def _price_scan(params: MarginParams, years: float, sigma: float) -> float:
    least = params.price_scan_long_dated if years > _LONG_DATED_YEARS else params.price_scan
    return max(least, 6.0 * sigma * math.sqrt(2.0))


def _scanned(
    leg: MarginLeg, years: float, forward: int, reach: float, params: MarginParams
) -> tuple[tuple[float, ...], float]:
    """(losses by scenario, composite delta) of a leg."""
    contract = leg.instrument
    if contract.strike is None or contract.right is None:
        return tuple(-leg.qty * move * reach * share for move, _, share in SCENARIOS), float(leg.qty)
    strike, is_call = float(contract.strike), contract.right is Right.CALL
    vol = leg.vol if leg.vol is not None else _implied(leg.price, forward, strike, years, is_call)
    scan = max(params.vol_scan_least, params.vol_scan_share * vol)
    today = greeks(forward, strike, years, 0.0, vol, is_call).price
    tomorrow = max(0.0, years - _DAY)
    losses = []
    for move, vol_move, share in SCENARIOS:
        shifted = max(1.0, forward + move * reach)
        then = greeks(shifted, strike, tomorrow, 0.0, max(0.0, vol + vol_move * scan), is_call).price
        losses.append(leg.qty * (today - then) * share)
    delta = leg.qty * sum(
        weight * greeks(max(1.0, forward + thirds / 3 * reach), strike, tomorrow, 0.0, vol, is_call).delta
        for thirds, weight in DELTA_WEIGHTS
    )
    return tuple(losses), delta


def _implied(price: int, forward: int, strike: float, years: float, is_call: bool) -> float:
    """The volatility a price implies; a usual one where it implies none, as for a price at intrinsic value."""
    vol, reason = implied_vol(float(price), float(forward), strike, years, 0.0, is_call)
    return vol if reason is Reason.SOLVED else _UNKNOWN_VOL


def _exposure(leg: MarginLeg, spot: int, years: float, params: MarginParams) -> float:
    """On the future's own value, or on the spot value of a short option; long options bear none."""
    contract = leg.instrument
    if contract.strike is None:
        return abs(leg.qty) * leg.price * params.exposure
    if leg.qty > 0:
        return 0.0
    out_of_money = (contract.strike - spot) * (1 if contract.right is Right.CALL else -1) / spot
    rate = params.exposure_far_money if out_of_money > _FAR_MONEY else params.exposure
    if years > _LONG_DATED_YEARS:
        rate = params.exposure_long_dated
    return -leg.qty * spot * rate


def _calendar_charge(
    deltas: Mapping[date, float],
    underlying: str,
    forwards: Forwards,
    spots: Mapping[str, int],
    now: datetime,
    params: MarginParams,
) -> float:
    """Opposite composite deltas of two expiries pair up, nearest first, at a rate on the farther one's price."""
    left = {day: deltas[day] for day in sorted(deltas) if params.expiry_day_spread or day > _today(now)}
    days, charge = list(left), 0.0
    for position, near in enumerate(days):
        for far in days[position + 1 :]:
            if left[near] * left[far] >= 0:
                continue
            paired = min(abs(left[near]), abs(left[far]))
            left[near] -= math.copysign(paired, left[near])
            left[far] -= math.copysign(paired, left[far])
            price = forwards.get((underlying, far)) or forwards.get(underlying) or spots[underlying]
            charge += paired * params.calendar_spread * price
    return charge
