"""Entries that wait for a level (features EN-5) or for the straddle (EN-6), and what is still waited for. Pure.

A trigger that has come true stays true for this entry; all that are given must have come true.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from math import ceil, floor

import msgspec

from optconsole.engine.model.trigger_state import CrossSeen
from optconsole.engine.model.triggers import Cross, Entry, LevelTrigger, StraddleTrigger
from optconsole.engine.rules.distances import WHOLE_BP
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.pretrade import price_in


class Fired(msgspec.Struct, frozen=True):
    """A trigger has come true: its name, the value seen and the level it was compared with, and a sentence."""

    name: str
    value: int
    level: int
    why: str


Answer = Fired | Blind | None
"""True, unwatched, or not yet."""
MOMENTUM, LEVEL, STRADDLE, SIGNAL, APPROVAL = "momentum", "level", "straddle", "signal", "approval"


def waited_for(entry: Entry, fired: Collection[str]) -> tuple[str, ...]:
    """The names of the triggers of a run that have not come true yet; indicators are counted from ``indicator-1``.

    Ranges and waits belong to legs and hold back only their own.
    """
    given = [
        (MOMENTUM, entry.momentum is not None),
        (LEVEL, entry.level is not None),
        (STRADDLE, entry.straddle is not None),
        *((f"indicator-{place}", True) for place in range(1, len(entry.indicators) + 1)),
        (SIGNAL, bool(entry.signal)),
        (APPROVAL, entry.approve_within is not None),
    ]
    return tuple(name for name, wanted in given if wanted and name not in fired)


def cross(rule: LevelTrigger, seen: CrossSeen, price: int | None) -> tuple[CrossSeen, Answer]:
    """EN-5: whether the reference crosses its level with this price: a tick, or a close of the rule's candles.

    It must have been on the near side since the watch began: a price that is beyond from the start has not crossed.
    """
    if price is None:
        return seen, Blind(why=f"The reference is unknown, so its cross of {price_in(rule.level)} is not watched.")
    up = 1 if rule.cross is Cross.UP else -1
    if (price - rule.level) * up < 0:
        return CrossSeen(ready=True), None
    if not seen.ready:
        return seen, None
    way = "up" if rule.cross is Cross.UP else "down"
    on = f" at the close of {rule.candle} minutes" if rule.candle else ""
    why = f"The reference crossed {price_in(rule.level)} {way}{on}, at {price_in(price)}."
    return seen, Fired(LEVEL, price, rule.level, why)


def straddle(rule: StraddleTrigger, price: int | None, at_open: int | None = None) -> Answer:
    """EN-6: whether the ATM straddle stands at its level or beyond, and has moved as far as asked since the open."""
    wanted = [] if rule.level is None else [(rule.level, rule.cross is Cross.UP)]
    if rule.move is not None:
        if at_open is None:
            return Blind(why="The straddle's price at the open is unknown, so its move is not watched.")
        reach = Fraction(at_open * (WHOLE_BP + rule.move), WHOLE_BP)
        wanted.append((ceil(reach) if rule.move > 0 else floor(reach), rule.move > 0))
    if price is None:
        return Blind(why="The straddle's price is unknown, so its level is not watched.")
    if not wanted or any(price < level if up else price > level for level, up in wanted):
        return None
    level = wanted[-1][0]
    return Fired(STRADDLE, price, level, f"The ATM straddle {price_in(price)} reached {price_in(level)}.")
