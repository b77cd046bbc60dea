"""A leg's entry, with everything that its levels are measured from."""

from __future__ import annotations

from datetime import datetime

import msgspec

from optconsole.engine.model.leg_state import Levels
from optconsole.engine.model.runs import LegRun, Run
from optconsole.engine.rules.leg_levels import Fill, Span
from optconsole.engine.rules.leg_preview import changed_levels
from optconsole.engine.trading.runs.daybars import yesterday
from optconsole.engine.trading.runs.scene import RunScene, defined


def fill_at(scene: RunScene, run: Run, leg: LegRun, entry: int, at: datetime, index: int | None) -> Fill:
    """A fill of the leg at this price; ``index`` is the underlying then."""
    written = defined(run, leg)
    seen = run.watch.ranges.get(leg.id if written.breakout is not None and written.breakout.of_option else "")
    return Fill(
        side=leg.side,
        entry=entry,
        at=at,
        tick=leg.tick,
        lot=leg.lot,
        index=index,
        range=None if seen is None else Span(high=seen.high, low=seen.low),
        day=yesterday(scene, leg.contract),
        index_day=yesterday(scene, run.strategy.underlying),
    )


def fill_of(scene: RunScene, run: Run, leg: LegRun, levels: Levels) -> Fill:
    """The leg's entry as it was."""
    index = run.watch.index if levels.index is None else levels.index.entry
    return fill_at(scene, run, leg, leg.entry or levels.leg.entry, levels.since, index)


def completed(scene: RunScene, run: Run, leg: LegRun, levels: Levels) -> Levels:
    """Levels that lacked the underlying, with its first known price; the same object where nothing is to be had."""
    if not levels.missing:
        return levels
    fill = fill_of(scene, run, leg, levels)
    if fill.index is None:
        fill = msgspec.structs.replace(fill, index=scene.look(run.strategy.underlying).ltp)
    fresh = changed_levels(levels, defined(run, leg), fill)
    return fresh if fresh.missing != levels.missing else levels
