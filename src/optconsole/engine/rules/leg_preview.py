"""What changed rules would mean for an open leg, before they are accepted (features SX-10, for legs). Pure.

The levels are measured from the fill as it was and from the best price so far, so that a changed stop may lie behind
the market already.
"""

from __future__ import annotations

import msgspec

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.leg_state import Arming, Levels, Track
from optconsole.engine.model.strategies import Leg
from optconsole.engine.rules.leg_exits import ExitNow, decide
from optconsole.engine.rules.leg_levels import Fill, open_levels
from optconsole.engine.rules.leg_prices import Seen
from optconsole.engine.rules.leg_trails import tightened


class LegPreview(msgspec.Struct, frozen=True, kw_only=True):
    """The levels after the change, and the code under which it would close the leg at once; ``why`` says so.

    ``to_stop`` and ``to_target`` are paise of the contract's own price, None where unknown or not on that price.
    """

    levels: Levels
    to_stop: int | None
    to_target: int | None
    fires: ExitCode | None
    why: str


def changed_levels(levels: Levels, changed: Leg, fill: Fill) -> Levels:
    """The levels of an open leg under changed rules, with all that was seen since the fill.

    A stop may loosen here: a person asked for it.
    """
    fresh = open_levels(changed, fill)
    own = _carried(fresh.leg, levels.leg)
    index = fresh.index
    if index is not None and levels.index is not None:
        index = _carried(index, levels.index)
    return tightened(msgspec.structs.replace(fresh, leg=own, index=index, interval=levels.interval), changed)


def preview_leg(levels: Levels, changed: Leg, fill: Fill, seen: Seen) -> LegPreview:
    """What ``changed`` would do now; what waits only for its confirmation counts as done."""
    after = changed_levels(levels, changed, fill)
    verdict = decide(after, changed, seen)
    fires, why = None, ""
    if isinstance(verdict, Arming):
        track = after.track(verdict.place)
        assert track is not None
        fires = ExitCode.LEG_TGT if verdict.target else track.code
        why = "The level is reached already, and the leg is left once that is confirmed."
    elif verdict is not None:
        fires, why = (verdict.code if isinstance(verdict, ExitNow) else None), verdict.why
    price, own = seen.leg.ltp, after.leg
    return LegPreview(
        levels=after,
        to_stop=None if price is None or own.stop is None else (price - own.stop) * own.sign,
        to_target=None if price is None or own.target is None else (own.target - price) * own.sign,
        fires=fires,
        why=why,
    )


def _carried(fresh: Track, known: Track) -> Track:
    return msgspec.structs.replace(
        fresh, best=known.best, trailed=known.trailed, running=known.running, at_cost=known.at_cost
    )
