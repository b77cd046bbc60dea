"""Legs as a trader holds them, for tests of payoffs: NIFTY around 24,500, lots of 65."""

from __future__ import annotations

from collections.abc import Sequence

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.previews import PayoffPicture
from optconsole.engine.pricing.payoff import PayoffLeg, forward_at
from optconsole.engine.pricing.picture import MarketLeg, picture
from optconsole.engine.pricing.scalar import greeks

SPOT = 24_500_00
WEEK, MONTH = 7 / 365, 28 / 365
CALL, PUT = Right.CALL, Right.PUT


def option(lots: int, right: Right, strike: int, premium: float, years: float = WEEK, vol: float = 0.12) -> PayoffLeg:
    """Strike and premium in rupees; negative lots are sold."""
    return PayoffLeg(qty=lots * 65, entry=round(premium * 100), years=years, right=right, strike=strike * 100, vol=vol)


def future(lots: int, price: float, years: float = WEEK) -> PayoffLeg:
    return PayoffLeg(qty=lots * 65, entry=round(price * 100), years=years)


def fair(lots: int, right: Right, strike: int, years: float = WEEK, vol: float = 0.12, carry: float = 0.0) -> PayoffLeg:
    """An option at the price of its volatility."""
    worth = greeks(forward_at(SPOT, carry, years), strike * 100.0, years, carry, vol, right is CALL).price
    return option(lots, right, strike, worth / 100, years, vol)


def condor(carry: float = 0.0) -> list[PayoffLeg]:
    strikes = ((1, PUT, 23_900), (-1, PUT, 24_200), (-1, CALL, 24_800), (1, CALL, 25_100))
    return [fair(lots, right, strike, carry=carry) for lots, right, strike in strikes]


def seen(legs: Sequence[PayoffLeg], spot: int = SPOT, basis: float = 0.0, realised: int = 0) -> PayoffPicture:
    """The picture with all volatilities given and futures so many paise above the spot."""
    forwards = [(leg.years, spot + basis) for leg in legs]
    return picture([MarketLeg(name="x", leg=leg, price=None) for leg in legs], spot, forwards, None, realised)
