"""Where the underlying stood when a run was entered, and where the run breaks even around it (features SX-8)."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.orders import Side
from optconsole.engine.model.runs import LegStage, Run
from optconsole.engine.rules.breakevens import PaidLeg, break_even_band
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.scene import RunScene, decision_of, defined, watched


def step(scene: RunScene, run: Run) -> Decision | None:
    """Keep the first price of the underlying after the cycle's first fill, and the break-evens once all is entered."""
    watch, band = run.watch, run.strategy.overall.band
    if not any(leg.first is not None for leg in run.legs.values()):
        return None
    if watch.index is None:
        watch = msgspec.structs.replace(watch, index=scene.look(run.strategy.underlying).ltp)
    moving = (LegStage.WAITING, LegStage.DUE, LegStage.ENTERING)
    entered = not any(leg.stage in moving for leg in run.legs.values())
    if band is not None and band.break_even and watch.break_evens is None and watch.index is not None and entered:
        legs = _paid(scene, run)
        if legs is not None:
            watch = msgspec.structs.replace(watch, break_evens=break_even_band(legs, watch.index))
    if watch == run.watch:
        return None
    decision = decision_of(run)
    decision.facts.append(watched(run, "entered", watch, {"index": watch.index, "break_evens": watch.break_evens}))
    return decision


def _paid(scene: RunScene, run: Run) -> list[PaidLeg] | None:
    """The legs as first entered; None where they expire on several days, or one is not listed any more."""
    found, expiries = [], set()
    for leg in run.legs.values():
        if leg.first is None:
            continue
        instrument = scene.master.get(leg.contract)
        if instrument is None:
            return None
        price, qty = leg.first
        expiries.add(instrument.expiry)
        found.append(
            PaidLeg(
                sign=1 if leg.side is Side.BUY else -1,
                quantity=qty,
                entry=price,
                right=defined(run, leg).right,
                strike=instrument.strike,
            )
        )
    return found if len(expiries) == 1 else None
