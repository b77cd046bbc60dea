"""What an adjustment of a run comes to now: contracts, sizes and order of its moves (features BK-8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from optconsole.engine.model.adjustments import (
    AddHedge,
    Adjustment,
    AnyAdjust,
    Convert,
    DeltaNeutral,
    Move,
    RollLeg,
    ShiftLeg,
)
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Role, Side
from optconsole.engine.model.positions import position_name
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.model.strategies import MOST_LEGS, Leg
from optconsole.engine.model.strikes import AnyStrike, ExactStrike, ExpiryRule
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.adjustments import Sized, added_name, net_delta, neutral, ordered, shifted
from optconsole.engine.trading.runs.adjustment_moves import (
    at_strike,
    closing,
    contract_of,
    on_day,
    opening,
    tight,
    wing,
)
from optconsole.engine.trading.runs.deltas import deltas_of
from optconsole.engine.trading.runs.scene import RunScene, defined, open_legs, orders_of, units

MOST_ADDED: Final = 4 * MOST_LEGS
"""Legs of one run, those added in its course included."""
_UNDER_WAY: Final = (RunStatus.WAITING, RunStatus.ENTERING, RunStatus.ACTIVE)


def planned(scene: RunScene, run: Run, how: AnyAdjust) -> Adjustment:
    """The adjustment as it would be made at this instant. Raises Refusal saying why it cannot be."""
    _need_calm(scene, run)
    match how:
        case RollLeg():
            change = _roll(scene, run, how)
        case ShiftLeg():
            change = _shift(scene, run, how)
        case AddHedge():
            change = _hedge(scene, run, how)
        case Convert():
            change = _convert(scene, run, how)
        case DeltaNeutral():
            change = _neutral(scene, run, how)
    _need_market(scene, run, change.moves)
    return _in_order(scene, run, change)


def _need_calm(scene: RunScene, run: Run) -> None:
    if scene.state.killed:
        raise Refusal("KILLED", "The kill switch is on; release it before a run is adjusted.")
    if run.status not in _UNDER_WAY:
        raise Refusal("NOT_NOW", f"{run.id} is {run.status.value.lower()}; only a run under way is adjusted.")
    book = scene.state.baskets.get(run.basket)
    if book is None or book.status in (BasketStatus.STOPPED, BasketStatus.ARCHIVED):
        raise Refusal("STOPPED", f"{run.basket} is stopped and enters nothing more; start it before it is adjusted.")
    if run.adjusting is not None:
        raise Refusal("ADJUSTING", f"{run.id} is being adjusted: {run.adjusting.text}")
    if scene.situation.phase is not MarketPhase.OPEN:
        raise Refusal("MARKET_CLOSED", "The market is closed; an adjustment could not be carried through.")
    if len(run.legs) >= MOST_ADDED:
        raise Refusal("TOO_MANY_LEGS", f"{run.id} has had {len(run.legs)} legs; a run has {MOST_ADDED} at most.")


def _need_market(scene: RunScene, run: Run, moves: Sequence[Move]) -> None:
    for move in moves:
        drift = scene.state.drifts.get(position_name(move.account, run.strategy.product, move.contract))
        if drift is not None:
            text = f"Our book holds {drift.ours} of {move.contract} and the broker {drift.theirs}; settle that first."
            raise Refusal("DRIFT", text)
        if move.opens and move.price is None:
            raise Refusal("NO_PRICE", f"{move.contract} has no price now; nothing is closed for it.")


def _open(scene: RunScene, run: Run, name: str) -> LegRun:
    leg = run.legs.get(name)
    if leg is None:
        raise Refusal("NO_SUCH_LEG", f"{run.id} has no leg {name!r}; it has: {', '.join(run.legs)}.")
    if leg.stage is not LegStage.OPEN:
        raise Refusal(
            "NOT_NOW", f"Leg {leg.id} of {run.id} is {leg.stage.value.lower()}; only an open one is adjusted."
        )
    return leg


def _roll(scene: RunScene, run: Run, how: RollLeg) -> Adjustment:
    if how.expiry is None and how.strike is None:
        raise Refusal("NOTHING_TO_ROLL", "Say where to roll: another expiry, another strike, or both.")
    leg = _open(scene, run, how.leg)
    now = contract_of(scene, leg)
    expiry = how.expiry or on_day(now.expiry)
    strike = how.strike or at_strike(now)
    return _moved(scene, run, leg, "roll", "ROLLED", strike, expiry)


def _shift(scene: RunScene, run: Run, how: ShiftLeg) -> Adjustment:
    leg = _open(scene, run, how.leg)
    now = contract_of(scene, leg)
    if now.strike is None or now.right is None or now.expiry is None:
        raise Refusal("NOT_AN_OPTION", f"Leg {leg.id} is a future and has no strike; roll it to another expiry.")
    place = 1 if now.right is Right.CALL else 2
    listed = [row[0] for row in scene.master.chain(now.underlying, now.expiry) if row[place] is not None]
    strike = ExactStrike(shifted(listed, now.strike, how.steps, now.right))
    return _moved(scene, run, leg, "shift", "SHIFTED", strike, on_day(now.expiry))


def _moved(
    scene: RunScene, run: Run, leg: LegRun, kind: str, code: str, strike: AnyStrike, expiry: ExpiryRule
) -> Adjustment:
    """One leg closed and another opened in its place, under the same rules."""
    name = added_name(leg.id, run.legs)
    written = _anew(defined(run, leg), name, side=leg.side, strike=strike, expiry=expiry, lots=leg.lots)
    opened = opening(scene, run, written, leg.account, leg.lots)
    if opened.contract == leg.contract:
        raise Refusal("SAME_CONTRACT", f"Leg {leg.id} would come to {leg.contract}, where it is; nothing to {kind}.")
    text = f"{kind.capitalize()} {leg.id} from {leg.contract} to {opened.contract} as {name}."
    moves = (closing(scene, leg), opened)
    return Adjustment(kind=kind, code=code, text=text, moves=moves, replaces={leg.id: name})


def _hedge(scene: RunScene, run: Run, how: AddHedge) -> Adjustment:
    leg = _open(scene, run, how.leg)
    opened = wing(scene, run, leg, added_name(leg.id, run.legs, "hedge"), how.steps, how.strike)
    return Adjustment(
        kind="hedge", code="HEDGED", text=f"Protect {leg.id} with {opened.contract} as {opened.leg}.", moves=(opened,)
    )


def _convert(scene: RunScene, run: Run, how: Convert) -> Adjustment:
    sold = [leg for leg in open_legs(run) if leg.side is Side.SELL and contract_of(scene, leg).right is not None]
    covered = {name for leg in open_legs(run) if leg.side is Side.BUY for name in defined(run, leg).hedges}
    bare = [leg for leg in sold if leg.id not in covered]
    rights = {contract_of(scene, leg).right for leg in bare}
    if rights != {Right.CALL, Right.PUT}:
        raise Refusal("NO_STRADDLE", f"{run.id} has no sold call and put without wings, of which a fly could be made.")
    strikes = {contract_of(scene, leg).strike for leg in bare}
    what = "iron fly" if len(strikes) == 1 else "iron condor"
    taken, wings = set(run.legs), list[Move]()
    for leg in bare:
        name = added_name(leg.id, taken, "hedge")
        taken.add(name)
        wings.append(wing(scene, run, leg, name, how.steps, None))
    text = f"Make an {what} of {', '.join(leg.id for leg in bare)} with {', '.join(each.contract for each in wings)}."
    return Adjustment(kind="convert", code="CONVERTED", text=text, moves=tuple(wings))


def _neutral(scene: RunScene, run: Run, how: DeltaNeutral) -> Adjustment:
    if how.leg:
        _open(scene, run, how.leg)
    net, sized = run_delta(scene, run), []
    deltas = deltas_of(scene, {leg.contract for leg in run.legs.values() if leg.contract})
    for leg in open_legs(run):
        each = deltas[leg.contract]
        if each is not None and how.leg in ("", leg.id):
            sized.append(Sized(leg=leg.id, lot=leg.lot, delta=each * leg.side.sign))
    if net is None:
        raise Refusal("NO_DELTA", "The delta of a leg is unknown for want of quotes in its chain; try again later.")
    found = neutral(net, how.bound, sized, how.most)
    leg = run.legs[found.leg]
    now = contract_of(scene, leg)
    name = added_name(leg.id, run.legs, "add")
    written = _anew(
        defined(run, leg), name, side=leg.side, strike=at_strike(now), expiry=on_day(now.expiry), lots=found.lots
    )
    opened = opening(scene, run, written, leg.account, found.lots)
    lots = f"{found.lots} lot{'s' * (found.lots != 1)}"
    text = f"Add {lots} of {leg.contract} as {name}: the net delta goes from {net:.0f} to {found.after:.0f}."
    return Adjustment(kind="neutral", code="ADDED", text=text, moves=(opened,))


def run_delta(scene: RunScene, run: Run, moves: Sequence[Move] = ()) -> float | None:
    """Net delta of what a run holds, in units of the underlying, once these moves are made."""
    held = {leg.id: (leg.contract, units(scene, run, leg)) for leg in run.legs.values() if leg.contract}
    for move in moves:
        held[move.leg] = (move.contract, move.units * move.side.sign if move.opens else 0)
    deltas = deltas_of(scene, {contract for contract, qty in held.values() if qty})
    return net_delta((qty, deltas.get(contract)) for contract, qty in held.values())


def _anew(leg: Leg, name: str, *, side: Side, strike: AnyStrike, expiry: ExpiryRule, lots: int) -> Leg:
    """The rules of a leg for what takes its place: entered at once, and not again with the next cycle."""
    return msgspec.structs.replace(
        leg, id=name, side=side, strike=strike, expiry=expiry, lots=lots, lazy=True, wait=None, breakout=None
    )


def _in_order(scene: RunScene, run: Run, change: Adjustment) -> Adjustment:
    going = {move.leg for move in change.moves if not move.opens}
    for name in going:
        _need_idle(scene, run, run.legs[name])
    stays = any(leg.side is Side.SELL and leg.stage.holds and leg.id not in going for leg in run.legs.values())
    sells = any(move.opens and move.side is Side.SELL for move in change.moves)
    moves = ordered(change.moves, protects=stays or sells, tight=tight(scene, change.moves))
    return msgspec.structs.replace(change, moves=moves, since=scene.now)


def _need_idle(scene: RunScene, run: Run, leg: LegRun) -> None:
    """Raise Refusal where an order of the leg's own, other than its stop, is still at work."""
    working = [order for order in orders_of(scene, run.source(leg.id)) if order.role is not Role.STOP]
    if working:
        raise Refusal("ORDER_WORKS", f"{working[0].id} of leg {leg.id} still works; wait for it or cancel it.")
