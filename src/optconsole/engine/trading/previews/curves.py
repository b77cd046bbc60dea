"""Legs as payoffs: what they make, and what a jump of the market would do to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Side
from optconsole.engine.model.previews import PayoffPicture
from optconsole.engine.pricing.payoff import PayoffLeg, value
from optconsole.engine.pricing.picture import MarketLeg, picture, priced, with_vols
from optconsole.engine.rules.verdicts import price_in
from optconsole.engine.trading.previews.still import StillScene

GAP: Final = 200
"""Basis points of the jump that a worst case is reckoned with: 2 %, about what an index has opened away from its close
once or twice a year."""


def market_leg(
    scene: StillScene, leg: str, instrument: Instrument, qty: int, entry: int, price: int | None
) -> MarketLeg:
    """A holding of signed units at its entry and at its price now."""
    held = PayoffLeg(
        qty=qty, entry=entry, years=scene.years(instrument), right=instrument.right, strike=instrument.strike
    )
    return MarketLeg(name=leg, leg=held, price=price)


def forwards(scene: StillScene, instruments: Iterable[Instrument]) -> list[tuple[float, float]]:
    """(years, paise) of every expiry among the contracts whose forward is known."""
    seen: dict[tuple[str, date], tuple[float, float]] = {}
    for each in instruments:
        if each.expiry is None or (each.underlying, each.expiry) in seen:
            continue
        level = scene.forward(each.underlying, each.expiry)
        if level is not None:
            seen[each.underlying, each.expiry] = scene.years(each), level
    return list(seen.values())


def drawn(
    scene: StillScene,
    underlying: str,
    legs: Sequence[MarketLeg],
    instruments: Sequence[Instrument],
    realised: int = 0,
) -> PayoffPicture | None:
    """The picture of the legs; None while the underlying has no price or nothing is open."""
    spot = scene.look(underlying).ltp
    if not spot or not any(each.leg.qty for each in legs):
        return None
    nearest = min((each.last_trade for each in instruments if each.last_trade is not None), default=None)
    return picture(legs, spot, forwards(scene, instruments), nearest, realised)


def volatilities(
    scene: StillScene, underlying: str, legs: Mapping[str, MarketLeg], instruments: Sequence[Instrument]
) -> dict[str, float | None]:
    """What each leg's own price implies, as drawn."""
    spot = scene.look(underlying).ltp
    if not spot or not legs:
        return {}
    carry, dark = priced(list(legs.values()), spot, forwards(scene, instruments))
    plain = with_vols([each for each in legs.values() if each.leg.qty], spot, carry)
    return {name: None if name in dark else leg.vol for name, leg in zip(legs, plain, strict=True)}


def gap_loss(
    scene: StillScene, underlying: str, legs: Sequence[MarketLeg], instruments: Sequence[Instrument]
) -> int | None:
    """Paise that the legs lose together where the market jumps either way by ``GAP``; None while that is unknown."""
    spot = scene.look(underlying).ltp
    held = [each for each in legs if each.leg.qty]
    if not held:
        return 0
    if not spot:
        return None
    carry, _ = priced(held, spot, forwards(scene, instruments))
    places = np.array([spot, spot * (10_000 - GAP) / 10_000, spot * (10_000 + GAP) / 10_000])
    now, down, up = (float(each) for each in value(with_vols(held, spot, carry), places, carry))
    worst = min(down, up) - now
    return None if np.isnan(worst) else max(round(-worst), 0)


def gap_text(spot: int | None) -> str:
    """What the jump is, in words."""
    where = "" if spot is None else f", {price_in(spot * GAP // 10_000)} points"
    return f"A jump of {GAP / 100:g} %{where} before any stop can act."


def signed(side: Side, units: int) -> int:
    """Units with the side's sign."""
    return side.sign * units
