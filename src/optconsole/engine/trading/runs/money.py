"""What a run has made, read off its own parts of the positions."""

from __future__ import annotations

from optconsole.engine.automation import made
from optconsole.engine.model.adjustments import adjusted
from optconsole.engine.model.orders import Side
from optconsole.engine.model.runs import LegStage, Run
from optconsole.engine.rules.run_money import Entered, Held, RunFacts, mtm
from optconsole.engine.trading.exits import Scene
from optconsole.engine.trading.runs.scene import defined, part


def run_facts(scene: Scene, run: Run, greeks: tuple[int | None, int | None] = (None, None)) -> RunFacts:
    """The run at this instant: realised and charges of its present cycle, what is held, what was entered first.

    ``greeks`` are net delta in thousandths of a lot and net gamma in millionths, where they were solved.
    """
    realised, charges = made(scene.state, run)
    base = run.watch.base
    held, entered = [], []
    for leg in run.legs.values():
        written = defined(run, leg)
        mine = part(scene, run, leg)
        if mine is not None and mine.qty:
            held.append(
                Held(
                    leg=leg.id,
                    sign=1 if mine.qty > 0 else -1,
                    entry=round(abs(mine.cost / mine.qty)),
                    quantity=abs(mine.qty),
                    price=scene.situation.price(leg.contract),
                    lots=abs(mine.qty) // leg.lot,
                )
            )
        if leg.first is not None and not adjusted(leg.id):  # what a percentage is of stays what was entered first
            price, qty = leg.first
            sign = 1 if leg.side is Side.BUY else -1
            entered.append(
                Entered(leg=leg.id, sign=sign, entry=price, quantity=qty, lots=qty // leg.lot, hedges=written.hedges)
            )
    moving = (LegStage.WAITING, LegStage.DUE, LegStage.ENTERING)
    return RunFacts(
        now=scene.now,
        first_fill=run.first_fill,
        complete=not any(leg.stage in moving for leg in run.legs.values()),
        realised=realised - base[0],
        charges=charges - base[1],
        entered=tuple(entered),
        held=tuple(held),
        index=scene.situation.price(run.strategy.underlying),
        index_at_entry=run.watch.index,
        break_evens=run.watch.break_evens,
        delta=greeks[0],
        gamma=greeks[1],
    )


def run_mtm(scene: Scene, run: Run) -> int | None:
    """Paise that the run has made on all its days and cycles; None while an open leg has no price."""
    facts = run_facts(scene, run)
    total = mtm(facts, net=run.strategy.overall.net)
    if total is None:
        return None
    base = run.watch.base
    return total + base[0] - (base[1] if run.strategy.overall.net else 0)
