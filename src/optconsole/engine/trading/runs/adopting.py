"""Positions that change hands between a person and a run (features BK-7): at their cost, so that nobody gains by it.

A leg that is given units is opened by the run's own machine, with levels from its average; a leg whose units go back to
the hand is out, and does not enter again by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import AdoptIntoRun, ReleaseFromRun, Reply
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Role
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.model.shares import begun
from optconsole.engine.trading.covering import closing_on, outstanding
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs import triggering
from optconsole.engine.trading.runs.scene import RunScene, defined, move_leg, move_run, orders_of, units, watched
from optconsole.engine.trading.runs.steering import run_of
from optconsole.engine.trading.scopes import in_scope, parse_key, scope_of

RELEASED: Final = "RELEASED"
"""The code of a leg whose units went back to the hand."""
_ADOPTS: Final = (
    RunStatus.SCHEDULED,
    RunStatus.SKIPPED,
    RunStatus.WAITING,
    RunStatus.ENTERING,
    RunStatus.ACTIVE,
    RunStatus.HALTED,
)
_BEGINS: Final = (RunStatus.SCHEDULED, RunStatus.SKIPPED)
_TAKES: Final = (LegStage.IDLE, LegStage.WAITING, LegStage.OUT, LegStage.OPEN)


def adopt(scene: RunScene, command: AdoptIntoRun) -> Decision:
    """Give units of the hand to a leg. Raises Refusal: NOT_NOW, NOT_THE_LEG, NO_POSITION, LOT_SIZE, CLOSING, …"""
    run = run_of(scene, command.run_id)
    _need_time(scene, run)
    leg = _leg(run, command.leg)
    key = parse_key(command.key)
    position, hand = _hands(scene, key)
    instrument = scene.master.get(key.contract)
    if instrument is None:
        raise Refusal("NOT_LISTED", f"{key.contract} is not listed today.")
    _need_fit(scene, run, leg, key, instrument, hand)
    qty = _units(command.units, abs(hand.qty), hand.lot) * (1 if hand.qty > 0 else -1)
    _need_free(scene, position, hand, qty)
    decision = Decision(command.actor, command.id)
    decision.facts.append(_moved(key, qty, "", run.source(leg.id)))
    lots = (abs(units(scene, run, leg)) + abs(qty)) // hand.lot
    told = {"by": command.actor, "units": qty, "key": str(key)}
    entering = move_leg(
        run,
        leg,
        "adopted",
        told,
        stage=LegStage.ENTERING,
        contract=key.contract,
        lot=hand.lot,
        tick=instrument.tick,
        lots=lots,
        sent=(),
        tries=0,
        reference=None,
        index=None,
        leaving="",
        code="",
        text=f"{abs(qty)} units of {key.contract} were taken over from the hand.",
    )
    decision.facts.append(entering)
    armed = {name: each for name, each in run.watch.armed.items() if name != leg.id}
    if len(armed) != len(run.watch.armed):
        decision.facts.append(watched(run, "over", msgspec.structs.replace(run.watch, armed=armed)))
    if run.status in _BEGINS:
        text = f"Begun with what {command.actor} gave it; its other legs are not entered."
        decision.facts.append(move_run(run, RunStatus.ACTIVE, "ADOPTED", text))
    text = f"{run.id} {leg.id} holds {lots} lot{'s' * (lots != 1)} of {key.contract} now and watches them."
    decision.reply = Reply(ok=True, code="ADOPTED", text=text, ids=(run.id,))
    return decision


def release(scene: RunScene, command: ReleaseFromRun) -> Decision:
    """Give units of an open leg back to the hand. Raises Refusal: NOT_NOW, LOT_SIZE, OPPOSITE, ORDER_WORKS."""
    run = run_of(scene, command.run_id)
    leg = _leg(run, command.leg)
    if leg.stage is not LegStage.OPEN or run.status is RunStatus.EXITING:
        raise Refusal("NOT_NOW", f"Leg {leg.id} of {run.id} is {leg.stage.value.lower()}; only an open leg is let go.")
    if run.adjusting is not None:
        raise Refusal("ADJUSTING", f"{run.id} is being adjusted: {run.adjusting.text}")
    held = units(scene, run, leg)
    key = PositionKey(leg.account, run.strategy.product, leg.contract)
    working = [order for order in orders_of(scene, run.source(leg.id)) if order.role is not Role.STOP]
    if working:
        raise Refusal("ORDER_WORKS", f"{working[0].id} of leg {leg.id} still works; wait for it or cancel it.")
    hand = _parts(scene, key).get("")
    if hand is not None and hand.qty * held < 0:
        raise Refusal(
            "OPPOSITE", f"The hand holds {hand.qty} units of {leg.contract}, the opposite; close those first."
        )
    qty = _units(command.units, abs(held), leg.lot) * (1 if held > 0 else -1)
    left = abs(held) - abs(qty)
    decision = Decision(command.actor, command.id)
    decision.facts.append(_moved(key, qty, run.source(leg.id), ""))
    text = f"{abs(qty)} units of {leg.contract} went back to the hand; nothing guards them but what you set."
    told = {"by": command.actor, "units": qty, "key": str(key)}
    changes: Mapping[str, object] = {"lots": left // leg.lot, "qty": left}
    if not left:
        changes = {"stage": LegStage.OUT, "levels": None, "arming": None, "code": RELEASED, "text": text}
    decision.facts.append(move_leg(run, leg, "released", told, **changes))
    decision.reply = Reply(ok=True, code=RELEASED, text=text, ids=(run.id,))
    return decision


def _need_time(scene: RunScene, run: Run) -> None:
    if scene.state.killed:
        raise Refusal("KILLED", "The kill switch is on and closes everything; release it first.")
    if run.status not in _ADOPTS:
        raise Refusal("NOT_NOW", f"{run.id} is {run.status.value.lower()} and takes nothing over any more.")
    if scene.now >= run.exit_at:
        raise Refusal("NOT_NOW", f"The exit time of {run.id}, {run.exit_at:%d %b %H:%M:%S}, is past.")
    if triggering.waits(run):
        raise Refusal("NOT_NOW", f"{run.id} still waits for its conditions; approve or skip it first.")
    if run.adjusting is not None:
        raise Refusal("ADJUSTING", f"{run.id} is being adjusted: {run.adjusting.text}")


def _leg(run: Run, name: str) -> LegRun:
    leg = run.legs.get(name)
    if leg is None:
        raise Refusal("NO_SUCH_LEG", f"{run.id} has no leg {name!r}; it has: {', '.join(run.legs)}.")
    return leg


def _parts(scene: RunScene, key: PositionKey) -> dict[str, Position]:
    position = scene.state.positions.get(str(key))
    if position is None:
        return {}
    return {part.source: part.held for part in scene.state.books.get(str(key)) or begun(position)}


def _hands(scene: RunScene, key: PositionKey) -> tuple[Position, Position]:
    """The position, and what of it the hand holds."""
    position, hand = scene.state.positions.get(str(key)), _parts(scene, key).get("")
    if position is None or hand is None or not hand.qty:
        raise Refusal("NO_POSITION", f"By hand nothing is held of {key}; `optconsole positions` lists what is open.")
    drift = scene.state.drifts.get(str(key))
    if drift is not None:
        text = f"Our book holds {drift.ours} of {key.contract} and the broker {drift.theirs}; settle that first."
        raise Refusal("DRIFT", text)
    return position, hand


def _need_fit(scene: RunScene, run: Run, leg: LegRun, key: PositionKey, instrument: Instrument, hand: Position) -> None:
    """Raise Refusal where the position is nothing that the leg could have entered."""
    written = defined(run, leg)
    if leg.stage not in _TAKES:
        raise Refusal("NOT_NOW", f"Leg {leg.id} of {run.id} is {leg.stage.value.lower()}; wait until that is over.")
    faults = (
        (key.account != leg.account, f"it trades in {leg.account}"),
        (key.product is not run.strategy.product, f"it trades as {run.strategy.product.value}"),
        (instrument.underlying != run.strategy.underlying, f"it trades {run.strategy.underlying}"),
        (instrument.right is not written.right, "it is another kind of contract"),
        (hand.qty * leg.side.sign < 0, f"it is to {leg.side.value.lower()}"),
    )
    for bad, text in faults:
        if bad:
            raise Refusal("NOT_THE_LEG", f"{hand.qty} units of {key} do not fit leg {leg.id} of {run.id}: {text}.")
    held = units(scene, run, leg)
    if held and leg.contract != key.contract:
        raise Refusal("HOLDS_ANOTHER", f"Leg {leg.id} of {run.id} holds {leg.contract}; a leg holds one contract.")
    if orders_of(scene, run.source(leg.id)) and leg.stage is not LegStage.OPEN:
        raise Refusal("ORDER_WORKS", f"An order of leg {leg.id} still works; wait for it or cancel it.")
    own = _parts(scene, key).get(run.source(leg.id))
    if own is not None and own.qty * hand.qty < 0:
        raise Refusal("OPPOSITE", f"Leg {leg.id} of {run.id} holds {own.qty} units, the opposite.")


def _units(asked: int, held: int, lot: int) -> int:
    """How many units go. Raises Refusal."""
    qty = asked or held
    if not 0 < qty <= held:
        raise Refusal("NOT_SO_MANY", f"{qty} units are asked for and {held} are held.")
    if qty % lot:
        raise Refusal("LOT_SIZE", f"{qty} units are no whole lots of {lot}; give a multiple of {lot}.")
    return qty


def _need_free(scene: RunScene, position: Position, hand: Position, qty: int) -> None:
    """Raise Refusal where something closes already what would change hands."""
    key = position.key
    for wish in scene.state.flattening.values():
        ours = not wish.source and in_scope(scope_of(wish), key.account, key.contract, key.product)
        if ours and (wish.whole or str(key) in wish.targets):
            raise Refusal("CLOSING", f"{key.contract} is being closed ({wish.id}); give that up first.")
    closing = [order for order in closing_on(scene.state, position) if not order.terms.source]
    by_hand = [order for order in closing if order.role is not Role.STOP]
    if by_hand and sum(map(outstanding, by_hand)) > abs(hand.qty) - abs(qty):
        raise Refusal("ORDER_WORKS", f"{by_hand[0].id} would close these units; cancel it or give fewer.")


def _moved(key: PositionKey, qty: int, source: str, to: str) -> ev.UnitsMoved:
    return ev.UnitsMoved(account=key.account, product=key.product, contract=key.contract, qty=qty, source=source, to=to)
