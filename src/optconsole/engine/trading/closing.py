"""Cancel-all, flatten and kill as commands: they write wishes, and ``supervision`` carries them out."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.commands import (
    AbandonFlatten,
    CancelAll,
    EngageKill,
    Flatten,
    ReleaseKill,
    Reply,
    Scope,
    ScopeKind,
)
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.positions import Position
from optconsole.engine.model.timeline import Since
from optconsole.engine.trading.covering import counts
from optconsole.engine.trading.decision import Decision, working_orders
from optconsole.engine.trading.desk import ask_cancel, cancellable
from optconsole.engine.trading.precedence import KILL_WHY, owned, steered
from optconsole.engine.trading.scopes import ALL, canonical, open_in, working_in

RELEASE_WORD: Final = "UNLOCK"
HOLD: Final = timedelta(seconds=60)


def cancel_all(state: TradingState, command: CancelAll) -> Decision:
    """Ask to cancel every order of the scope that can be cancelled.

    Stops that guard a position and orders that are closing one stay: the guard or the flatten would send them anew.
    """
    decision = Decision(command.actor, command.id)
    chosen = working_in(state, canonical(command.scope))
    kept = [order for order in chosen if steered(order) and owned(state, order)]
    asked = [order for order in chosen if cancellable(order) and order not in kept]
    for order in asked:
        ask_cancel(decision, order, "cancel all")
    unsent = len(chosen) - len(asked) - len(kept)
    tail = f" {unsent} more wait for the broker's answer." if unsent else ""
    if kept:
        tail += f" {len(kept)} that guard or close a position stay."
    decision.reply = Reply(
        ok=True, text=f"Cancelling {len(asked)} orders.{tail}", ids=tuple(order.id for order in asked)
    )
    return decision


def flatten(state: TradingState, command: Flatten) -> Decision:
    """Write the wish to be flat and cancel what works.

    Raises Refusal for a percentage outside 1 to 100 and for a scope without position or order.
    """
    if not 1 <= command.percent <= 100:
        raise Refusal("BAD_PERCENT", f"{command.percent} % cannot be closed; give 1 to 100.")
    scope = canonical(command.scope)
    if scope.kind is ScopeKind.STRATEGY and command.percent != 100:
        raise Refusal("BAD_PERCENT", "What a strategy holds is closed whole; leave the percentage out, or give 100.")
    working, positions = working_in(state, scope), open_in(state, scope)
    if not working and not positions:
        raise Refusal("NOTHING_OPEN", "Nothing is open and no order works there.")
    decision = Decision(command.actor, command.id)
    whole = command.percent == 100
    targets = {} if whole else {str(each.key): _left_open(each, command.percent) for each in positions}
    decision.facts.append(
        ev.FlattenBegun(
            flatten_id=command.id,
            kind=scope.kind.value,
            name=scope.name,
            percent=command.percent,
            why="flatten",
            targets=targets,
        )
    )
    if whole:
        _cancel_entries(state, decision, scope, "flatten")
    decision.reply = Reply(
        ok=True,
        text=f"Closing {command.percent} % of {len(positions)} positions, cancelling {len(working)} orders.",
        ids=tuple(order.id for order in working),
    )
    return decision


def _left_open(position: Position, percent: int) -> int:
    """Signed units that a part exit leaves open. What goes is whole lots, at least one, never more than is open."""
    size = abs(position.qty)
    lots = max(size // position.lot * percent // 100, 1)
    left = size - min(lots * position.lot, size)
    return left if position.qty > 0 else -left


def _cancel_entries(state: TradingState, decision: Decision, scope: Scope, why: str) -> None:
    """Everything but what closes or guards: that is turned, not dropped."""
    for order in working_in(state, scope):
        if cancellable(order) and not steered(order):
            ask_cancel(decision, order, why)


def abandon(state: TradingState, command: AbandonFlatten) -> Decision:
    """Give up a flatten and with it the guard that began it. Raises Refusal."""
    wish = state.flattening.get(command.flatten_id)
    if wish is None:
        living = ", ".join(each.id for each in state.flattening.values()) or "none"
        raise Refusal("NO_SUCH_FLATTEN", f"No flatten is called {command.flatten_id!r}; under way: {living}.")
    if wish.why == KILL_WHY:
        raise Refusal("KILLED", "A kill is not given up; it ends when everything is flat, and is then released.")
    decision = Decision(command.actor, command.id)
    sent = tuple(order.id for order in state.orders.values() if order.parent == wish.id)
    decision.facts.append(ev.FlattenEnded(flatten_id=wish.id, orders=sent, text="given up"))
    guard = state.protections.get(wish.name)
    if guard is not None and wish.id.startswith(f"{guard.id}."):
        decision.facts.append(ev.ProtectionEnded(key=guard.key, source=guard.source, reason="given up"))
    decision.reply = Reply(ok=True, text=f"{wish.id} is given up; its closing orders are cancelled.", ids=sent)
    return decision


def engage_kill(state: TradingState, command: EngageKill) -> Decision:
    """Latch the switch, cancel everything, go flat. Engaging again changes nothing: the kill watches by itself."""
    decision = Decision(command.actor, command.id)
    at_work = any(wish.why == KILL_WHY for wish in state.flattening.values())
    if not state.killed:
        decision.facts.append(ev.KillEngaged(why=command.why or "asked"))
        _cancel_entries(state, decision, ALL, KILL_WHY)
    if not at_work and not state.killed and (open_in(state, ALL) or working_orders(state)):
        decision.facts.append(
            ev.FlattenBegun(flatten_id=command.id, kind=ALL.kind.value, name="", percent=100, why=KILL_WHY)
        )
    decision.reply = Reply(
        ok=True, code="KILLED", text="Kill engaged: cancelling all orders and closing all positions."
    )
    return decision


def release_kill(state: TradingState, command: ReleaseKill, since: Since) -> Decision:
    """Release the latch by typed text, not before it has held for a minute. Nothing resumes by itself.

    Raises Refusal.
    """
    if not state.killed or state.killed_at is None:
        raise Refusal("NOT_KILLED", "The kill switch is not on.")
    if command.typed != RELEASE_WORD:
        raise Refusal("TYPE_UNLOCK", f"Type {RELEASE_WORD} to release the kill switch.")
    left = HOLD - since(state.killed_at)
    if left > timedelta(0):
        raise Refusal("KILL_HOLD", f"The kill switch holds for {left.total_seconds():.0f} s more.")
    if any(counts(order) and not order.foreign for order in state.orders.values()):
        raise Refusal("ORDERS_WORK", "Orders still work or are in doubt; release is possible once none is.")
    decision = Decision(command.actor, command.id)
    for wish in state.flattening.values():
        if wish.why == KILL_WHY:  # or it would go on closing, without the memory of what others traded since the kill
            sent = tuple(order.id for order in state.orders.values() if order.parent == wish.id)
            decision.facts.append(ev.FlattenEnded(flatten_id=wish.id, orders=sent, text="the kill was released"))
    decision.facts.append(ev.KillReleased())
    names = ", ".join(f"{each.key.contract} {each.qty}" for each in open_in(state, ALL))
    still = f" Still open: {names}." if names else ""
    decision.reply = Reply(ok=True, code="RELEASED", text=f"Kill released; nothing resumes by itself.{still}")
    return decision
