"""The day's requests: those of a preview, and of all runs that are planned or open."""

from __future__ import annotations

from datetime import datetime

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Side
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.rules.order_rate import Wave
from optconsole.engine.rules.slicing import largest_order, slices
from optconsole.engine.trading.previews.still import StillScene
from optconsole.engine.trading.runs.scene import defined


class Waves:
    """A day's waves of requests. What is bought leaves before what is sold, whoever it is for."""

    def __init__(self) -> None:
        self._bought: list[Wave] = []
        self._sold: list[Wave] = []
        self._exits: list[Wave] = []

    def enter(self, name: str, at: datetime, bought: int, sold: int) -> None:
        """The orders of one entry."""
        for waves, count in ((self._bought, bought), (self._sold, sold)):
            if count:
                waves.append(Wave(name=name, at=at, count=count))

    def leave(self, name: str, at: datetime, count: int) -> None:
        """The orders of one exit."""
        if count:
            self._exits.append(Wave(name=name, at=at, count=count, exits=True))

    def all(self) -> list[Wave]:
        """Every wave, those of one instant in the order in which they leave."""
        return sorted((*self._exits, *self._bought, *self._sold), key=lambda wave: wave.at)


def order_sizes(qty: int, instrument: Instrument) -> tuple[int, ...]:
    """Units of the orders that so many units leave in; none where no order of them would be taken."""
    try:
        return slices(qty, max(instrument.lot, 1), largest_order(instrument))
    except Refusal:
        return ()


def add_runs(scene: StillScene, waves: Waves, without: str) -> None:
    """Entries and exits still to come today of every run, but for those of the basket ``without``."""
    for run in scene.state.runs.values():
        if run.status.over or run.basket == without:
            continue
        name = f"{run.strategy.name} on {run.account}"
        planned = run.status is RunStatus.SCHEDULED
        bought, sold = (sum(_orders(scene, run, leg) for leg in _started(run, side)) for side in (Side.BUY, Side.SELL))
        if planned and run.entry_at >= scene.now:
            waves.enter(name, run.entry_at, bought, sold)
        if run.exit_at.date() == scene.now.date() and run.exit_at >= scene.now:
            waves.leave(name, run.exit_at, bought + sold if planned else _open_orders(scene, run))


def _started(run: Run, side: Side) -> list[LegRun]:
    return [leg for leg in run.legs.values() if leg.side is side and not defined(run, leg).lazy]


def _open_orders(scene: StillScene, run: Run) -> int:
    return sum(_orders(scene, run, leg) for leg in run.legs.values() if leg.stage not in (LegStage.OUT, LegStage.IDLE))


def _orders(scene: StillScene, run: Run, leg: LegRun) -> int:
    instrument = scene.master.get(leg.contract) if leg.contract else _usual(scene, run.strategy.underlying)
    return 0 if instrument is None else len(order_sizes(leg.lots * max(instrument.lot, 1), instrument))


def _usual(scene: StillScene, underlying: str) -> Instrument | None:
    """Any contract of the nearest expiry, for its lot and freeze quantity."""
    for day in scene.master.expiries(underlying):
        for _, call, put in scene.master.chain(underlying, day):
            if call is not None or put is not None:
                return call or put
    return None
