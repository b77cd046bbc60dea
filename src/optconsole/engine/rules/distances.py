"""Distances of leg rules as exact paise, and levels rounded to ticks. Pure.

Both kinds are rounded in the direction of the leg's gain: a stop is then never reached later than asked (the protective
side), and a target never gains less than asked. Neither is ever below one tick.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Final

from optconsole.engine.model.leg_rules import Measure, Unit
from optconsole.engine.model.leg_state import Place

WHOLE_BP: Final = 10_000
_OF_UNDERLYING: Final = frozenset({Unit.UNDERLYING_POINTS, Unit.UNDERLYING_PERCENT})
_PERCENTS: Final = frozenset({Unit.PERCENT, Unit.UNDERLYING_PERCENT})


def place_of(measure: Measure) -> Place:
    """Whose price the measure is about."""
    return Place.UNDERLYING if measure.unit in _OF_UNDERLYING else Place.LEG


def distance(measure: Measure, entry: int, lot: int) -> Fraction:
    """The measure in paise a unit; ``entry`` is what a percent is of, ``lot`` what rupees a lot are shared by."""
    if measure.unit in _PERCENTS:
        return Fraction(measure.amount * entry, WHOLE_BP)
    if measure.unit is Unit.RUPEES_A_LOT:
        return Fraction(measure.amount, lot)
    return Fraction(measure.amount)


def rounded(level: Fraction | int, sign: int, tick: int) -> int:
    """A stop or target on tick, in the direction of the leg's gain: up where a rise is its gain, down where a fall is.

    A sold leg can gain no more than its premium, so its target ends at one tick.
    """
    steps = ceil(Fraction(level) / tick) if sign > 0 else floor(Fraction(level) / tick)
    return max(steps, 1) * tick
