"""The moments at which a run has something to do though no price moves: its entry, its exit, the ends of minutes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.runs import Run, RunStatus
from optconsole.engine.model.timeline import IST

MINUTE: Final = timedelta(minutes=1)


def next_alarm(state: TradingState, after: datetime) -> datetime | None:
    """The first moment after ``after`` at which strategies must be looked at; None while none is under way."""
    moments = (at for run in state.runs.values() if not run.status.over for at in _of(run, after))
    return min((at for at in moments if at > after), default=None)


def _of(run: Run, after: datetime) -> Iterator[datetime]:
    if run.status is RunStatus.SCHEDULED:
        yield run.entry_at + timedelta(milliseconds=run.depart_ms)
        return
    yield after.replace(second=0, microsecond=0) + MINUTE  # minute closes, candles, whatever is written as HH:MM
    yield from (run.exit_at, run.triggers_until)
    yield from (armed.due for armed in run.watch.armed.values())
    if run.watch.next_cycle is not None:
        yield run.watch.next_cycle.due
    for leg in run.strategy.legs:
        if leg.exit_at is not None:
            yield datetime.combine(after.astimezone(IST).date(), leg.exit_at, IST)
