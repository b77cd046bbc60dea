"""Strategies that come with the program, each a class as a trader would write it."""

from optconsole.engine.strategies.builtin.opening_range import OpeningRangeSeller
from optconsole.engine.strategies.builtin.strangle_roller import StrangleRoller

__all__ = ["OpeningRangeSeller", "StrangleRoller"]
