"""What an adjustment would make of a run, before it is made: money, worst case, delta, obstacles (features BK-8)."""

from __future__ import annotations

from collections.abc import Sequence

from optconsole.engine.automation import made
from optconsole.engine.model.adjustments import AnyAdjust, Move
from optconsole.engine.model.orders import OrderTerms, OrderType
from optconsole.engine.model.runs import Run
from optconsole.engine.ports import PlaceRequest
from optconsole.engine.queries import AdjustmentPreview, Check
from optconsole.engine.rules.adjustments import Carried, premium, worst
from optconsole.engine.rules.protected import with_protection
from optconsole.engine.trading.desk import request_for
from optconsole.engine.trading.runs.adjusting import obstacles
from optconsole.engine.trading.runs.adjustment_plans import planned, run_delta
from optconsole.engine.trading.runs.scene import RunScene, part
from optconsole.engine.trading.runs.steering import run_of


def preview(scene: RunScene, run_id: str, how: AnyAdjust) -> AdjustmentPreview:
    """The change without its margin, which the broker is asked for. Raises Refusal as the command would."""
    run = run_of(scene, run_id)
    change = planned(scene, run, how)
    before, after = _worst(scene, run, ()), _worst(scene, run, change.moves)
    return AdjustmentPreview(
        run_id=run.id,
        text=change.text,
        moves=change.moves,
        premium=premium(change.moves),
        max_loss_before=before[0],
        max_loss_after=after[0],
        unlimited_before=before[1],
        unlimited_after=after[1],
        delta_before=run_delta(scene, run),
        delta_after=run_delta(scene, run, change.moves),
        checks=tuple(check for move in change.moves if move.opens for check in _told(scene, run, move)),
    )


def requests(scene: RunScene, run: Run, moves: Sequence[Move]) -> dict[str, list[PlaceRequest]]:
    """The orders of the moves by account, as a broker weighs them."""
    found: dict[str, list[PlaceRequest]] = {}
    for move in moves:
        instrument = scene.master.get(move.contract)
        if instrument is None:
            continue
        terms = OrderTerms(
            account=move.account,
            contract=move.contract,
            side=move.side,
            qty=move.units,
            type=OrderType.MARKET,
            product=run.strategy.product,
        )
        terms = with_protection(terms, instrument, scene.situation.quote(move.contract))
        found.setdefault(move.account, []).append(request_for(terms, instrument, ""))
    return found


def _told(scene: RunScene, run: Run, move: Move) -> list[Check]:
    return [
        Check(code=check.code, severity=check.severity, text=f"{move.leg}: {check.text}")
        for check in obstacles(scene, run, move)
        if check.severity != "ok"
    ]


def _worst(scene: RunScene, run: Run, moves: Sequence[Move]) -> tuple[int | None, bool]:
    """(paise that can be lost at expiry, whether nothing bounds it); unknown for legs of several expiries."""
    realised, _ = made(scene.state, run)
    legs: dict[str, Carried] = {}
    expiries = set()
    for leg in run.legs.values():
        held = part(scene, run, leg)
        if held is not None and held.qty:
            carried = _carried(scene, leg.contract, held.qty, round(held.cost / held.qty))
            legs[leg.id] = carried
    names = {leg.id: leg.contract for leg in run.legs.values() if leg.id in legs}
    for move in moves:
        if move.price is None:
            return None, False
        if move.opens:
            legs[move.leg] = _carried(scene, move.contract, move.units * move.side.sign, move.price)
            names[move.leg] = move.contract
        elif move.leg in legs:
            gone = legs.pop(move.leg)
            realised += gone.sign * gone.units * (move.price - gone.price)
            del names[move.leg]
    for name in names.values():
        instrument = scene.master.get(name)
        expiries.add(None if instrument is None else instrument.expiry)
    if len(expiries) > 1 or None in expiries:
        return None, False
    loss = worst(list(legs.values()), realised)
    return loss, loss is None


def _carried(scene: RunScene, contract: str, qty: int, price: int) -> Carried:
    instrument = scene.master.get(contract)
    right, strike = (None, None) if instrument is None else (instrument.right, instrument.strike)
    return Carried(sign=1 if qty > 0 else -1, units=abs(qty), price=price, right=right, strike=strike)
