"""Setting and clearing the guard of a position."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.commands import ClearStop, Reply, SetStop
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Role
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.protection import Guard, StopMode
from optconsole.engine.rules.pretrade import Situation, price_in
from optconsole.engine.rules.protection import check_levels, wide_trigger
from optconsole.engine.trading.covering import closing_on
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.protection import exiting


def set_stop(state: TradingState, command: SetStop, master: InstrumentMaster, situation: Situation) -> Decision:
    """Guard an open position, or move its levels. Raises Refusal."""
    instrument = master.resolve(command.contract)
    key = PositionKey(command.account, command.product, instrument.name)
    position = state.positions.get(str(key))
    if position is None or not position.qty:
        raise Refusal("NO_POSITION", f"Nothing is open in {key}; a stop guards an open position.")
    quote = situation.quote(instrument.name)
    mark = None if quote is None else quote.mark
    if mark is None:
        raise Refusal("NO_PRICE", f"{instrument.name} has no price; set its stop when it is quoted.")
    sign = 1 if position.qty > 0 else -1
    check_levels(sign, command.stop, command.target, command.wide, command.mode, mark, instrument)
    _allowed(state, position, command)
    wide = command.wide
    if command.stop is None or command.mode is StopMode.LOCAL:
        wide = None
    elif command.mode is StopMode.BROKER:
        wide = command.stop
    elif wide is None:
        wide = wide_trigger(sign, command.stop, mark, instrument.tick)
    known = state.protections.get(str(key))
    decision = Decision(command.actor, command.id)
    decision.facts.append(
        ev.ProtectionSet(
            key=key,
            protection_id=f"G{state.protection_count + 1}" if known is None else known.id,
            sign=sign,
            stop=command.stop,
            target=command.target,
            mode=command.mode,
            wide=wide,
        )
    )
    decision.reply = Reply(ok=True, code="GUARDED", text=_words(command, wide, instrument.name))
    return decision


def _allowed(state: TradingState, position: Position, command: SetStop) -> None:
    """Raises Refusal while the position is being closed, or while orders by hand close what a stop would close."""
    key = position.key
    if state.killed:
        raise Refusal("KILLED", "The kill switch is on and closes every position; nothing is left to guard.")
    if exiting(state, key):
        raise Refusal("CLOSING", f"{key.contract} is being closed already; a stop would come too late.")
    known = state.protections.get(str(key))
    if known is not None and known.state is Guard.TRIGGERED:
        raise Refusal("TRIGGERED", f"The stop of {key.contract} has triggered and is closing the position.")
    closers = [order.id for order in closing_on(state, position) if order.role is not Role.STOP and not order.foreign]
    if closers and command.stop is not None and command.mode is not StopMode.LOCAL:
        raise Refusal(
            "ORDERS_CLOSE",
            f"{', '.join(closers)} would close {key.contract} beside a stop at the exchange, and both could trade; "
            "cancel them and give the target with the stop, or keep the stop local.",
        )


def _words(command: SetStop, wide: int | None, name: str) -> str:
    parts = []
    if command.stop is not None:
        parts.append(f"stop {price_in(command.stop)}")
    if wide is not None:
        parts.append(f"at the exchange {price_in(wide)}")
    if command.target is not None:
        parts.append(f"target {price_in(command.target)}")
    return f"{name} is guarded: {', '.join(parts)}."


def clear_stop(state: TradingState, command: ClearStop) -> Decision:
    """Guard a position no longer. Raises Refusal."""
    key = PositionKey(command.account, command.product, command.contract)
    guard = state.protections.get(str(key))
    if guard is None:
        raise Refusal("NO_STOP", f"Nothing guards {key}.")
    if exiting(state, key):
        raise Refusal("CLOSING", f"{key.contract} is being closed; give up the flatten to keep it.")
    decision = Decision(command.actor, command.id)
    decision.facts.append(ev.ProtectionEnded(key=key, reason="cleared"))
    decision.reply = Reply(ok=True, code="CLEARED", text=f"{key.contract} is guarded no longer.")
    return decision
