"""Cancel-all, flatten and kill: derived from the live position, able only to reduce, shorts first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelAll, EngageKill, Flatten, ReleaseKill, Reply, Scope, ScopeKind
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import Flattening, TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import parse_contract
from optconsole.engine.model.orders import Order, OrderTerms, OrderType, Pending, Side
from optconsole.engine.model.positions import Position
from optconsole.engine.rules.pretrade import Situation, working_on
from optconsole.engine.rules.slicing import slices
from optconsole.engine.trading.decision import Decision, working_orders
from optconsole.engine.trading.desk import EXIT, KILL, add_order, ask_cancel, cancellable

ALL: Final = Scope()
RELEASE_WORD: Final = "UNLOCK"
HOLD: Final = timedelta(seconds=60)
ASK_AGAIN: Final = timedelta(seconds=5)
"""How long a flatten rests before it repeats a cancellation the broker refused."""


def in_scope(scope: Scope, account: str, contract: str) -> bool:
    """Whether a contract held or ordered in an account belongs to the scope."""
    match scope.kind:
        case ScopeKind.ALL:
            return True
        case ScopeKind.ACCOUNT:
            return account == scope.name
        case ScopeKind.UNDERLYING:
            return parse_contract(contract).underlying == scope.name.upper()
        case ScopeKind.CONTRACT:
            return contract == str(parse_contract(scope.name))


def cancel_all(state: TradingState, command: CancelAll) -> Decision:
    """Ask to cancel every order of the scope that can be cancelled."""
    decision = Decision(command.actor, command.id)
    chosen = _working_in(state, command.scope)
    asked = [order for order in chosen if cancellable(order)]
    for order in asked:
        ask_cancel(decision, order, "cancel all")
    unsent = len(chosen) - len(asked)
    tail = f" {unsent} more wait for the broker's answer." if unsent else ""
    decision.reply = Reply(
        ok=True, text=f"Cancelling {len(asked)} orders.{tail}", ids=tuple(order.id for order in asked)
    )
    return decision


def flatten(state: TradingState, command: Flatten) -> Decision:
    """Write the wish to be flat and cancel what works; ``advance`` closes once nothing can trade underneath.

    Raises Refusal for a percentage outside 1 to 100 and for a scope without position or order.
    """
    if not 1 <= command.percent <= 100:
        raise Refusal("BAD_PERCENT", f"{command.percent} % cannot be closed; give 1 to 100.")
    working = _working_in(state, command.scope)
    open_positions = _open_in(state, command.scope)
    if not working and not open_positions:
        raise Refusal("NOTHING_OPEN", "Nothing is open and no order works there.")
    decision = Decision(command.actor, command.id)
    _begin(decision, command.id, command.scope, command.percent, "flatten")
    if command.percent == 100:
        for order in working:
            if cancellable(order):
                ask_cancel(decision, order, "flatten")
    decision.reply = Reply(
        ok=True,
        text=f"Closing {command.percent} % of {len(open_positions)} positions, cancelling {len(working)} orders.",
        ids=tuple(order.id for order in working),
    )
    return decision


def engage_kill(state: TradingState, command: EngageKill) -> Decision:
    """Latch the switch, cancel everything, go flat. Engaging again repeats the work, not the latch."""
    decision = Decision(command.actor, command.id)
    if not state.killed:
        decision.facts.append(ev.KillEngaged(why=command.why or "asked"))
    for order in working_orders(state):
        if cancellable(order):
            ask_cancel(decision, order, "kill")
    if _open_in(state, ALL) or working_orders(state):
        _begin(decision, command.id, ALL, 100, "kill")
    decision.reply = Reply(
        ok=True, code="KILLED", text="Kill engaged: cancelling all orders and closing all positions."
    )
    return decision


def release_kill(state: TradingState, command: ReleaseKill, now: datetime) -> Decision:
    """Release the latch by typed text, not before it has held for a minute. Nothing resumes by itself.

    Raises Refusal.
    """
    if not state.killed or state.killed_at is None:
        raise Refusal("NOT_KILLED", "The kill switch is not on.")
    if command.typed != RELEASE_WORD:
        raise Refusal("TYPE_UNLOCK", f"Type {RELEASE_WORD} to release the kill switch.")
    left = HOLD - (now - state.killed_at)
    if left > timedelta(0):
        raise Refusal("KILL_HOLD", f"The kill switch holds for {left.total_seconds():.0f} s more.")
    if any(order.status.working for order in state.orders.values()):
        raise Refusal("ORDERS_WORK", "Orders still work; release is possible once none does.")
    decision = Decision(command.actor, command.id)
    decision.facts.append(ev.KillReleased())
    decision.reply = Reply(ok=True, code="RELEASED", text="Kill released; nothing resumes by itself.")
    return decision


def advance(state: TradingState, master: InstrumentMaster, situation: Situation, install: str) -> Decision | None:
    """The next step of a flatten: cancel what became cancellable, then close once the scope is quiet.

    None when every flatten waits for the broker.
    """
    for wish in state.flattening.values():
        scope = Scope(ScopeKind(wish.kind), wish.name)
        working = _working_in(state, scope) if wish.percent == 100 else []
        if not working:
            return _close(state, wish, scope, master, situation, install)
        late = [order for order in working if _may_ask(order, situation.now)]
        if late:
            decision = Decision(wish.actor, wish.id)
            for order in late:
                ask_cancel(decision, order, wish.why)
            return decision
    return None


def _may_ask(order: Order, now: datetime) -> bool:
    """An order whose change or cancellation was refused is asked again only after a rest, or it would be for ever."""
    if not cancellable(order) or order.pending is not Pending.NONE:
        return False
    return not order.reason_code or now - order.updated_at >= ASK_AGAIN


def _close(
    state: TradingState,
    wish: Flattening,
    scope: Scope,
    master: InstrumentMaster,
    situation: Situation,
    install: str,
) -> Decision:
    decision = Decision(wish.actor, wish.id)
    failures: list[str] = []
    for position in sorted(_open_in(state, scope), key=lambda held: held.qty > 0):
        instrument = master.get(position.key.contract)
        if instrument is None:
            failures.append(f"{position.key.contract} is not listed today")
            continue
        role = KILL if wish.why == "kill" else EXIT
        try:
            lot, asked = max(instrument.lot, 1), _asked(position, wish.percent)
            free = min(asked, _uncovered(state, position))
            if free < asked:
                failures.append(
                    f"{position.key.contract}: orders that already work to close it hold {asked - free} units"
                )
            odd = free % lot
            if odd:
                failures.append(f"{position.key.contract}: {odd} units are less than a lot of {lot}")
            for qty in _slices(free - odd, lot, min(instrument.freeze, situation.limits.max_lots * lot)):
                before = len(decision.effects)
                add_order(
                    state,
                    decision,
                    _closing_terms(position, qty, wish.why),
                    instrument,
                    situation,
                    install,
                    role,
                    wish.id,
                )
                if len(decision.effects) == before and decision.reply is not None:
                    failures.append(f"{position.key.contract}: {decision.reply.text}")
        except Refusal as refused:
            failures.append(f"{position.key.contract}: {refused.text}")
    sent = tuple(fact.order_id for fact in decision.facts if isinstance(fact, ev.OrderIntended))
    decision.facts.append(ev.FlattenEnded(flatten_id=wish.id, orders=sent, text="; ".join(failures)))
    if failures:
        decision.facts.append(
            ev.NoticeRaised(
                level="alarm", code="NOT_FLAT", text="Not closed: " + "; ".join(failures), subject=wish.name
            )
        )
    decision.reply = None
    return decision


def _slices(qty: int, lot: int, largest: int) -> tuple[int, ...]:
    return slices(qty, lot, largest) if qty else ()


def _asked(position: Position, percent: int) -> int:
    """Units that a percentage of the position comes to: whole lots, at least one, never more than is open."""
    size = abs(position.qty)
    lots = max(size // position.lot * percent // 100, 1)
    return size if percent == 100 else min(lots * position.lot, size)


def _uncovered(state: TradingState, position: Position) -> int:
    """Units that no working order closes already; more than these would go past flat."""
    size = abs(position.qty)
    terms = _closing_terms(position, size, "")
    covered = sum(order.remaining for order in working_on(state, terms) if order.terms.side is terms.side)
    return max(size - covered, 0)


def _closing_terms(position: Position, qty: int, why: str) -> OrderTerms:
    return OrderTerms(
        account=position.key.account,
        contract=position.key.contract,
        side=Side.BUY if position.qty < 0 else Side.SELL,
        qty=qty,
        type=OrderType.MARKET,
        product=position.key.product,
        note=why,
    )


def _begin(decision: Decision, flatten_id: str, scope: Scope, percent: int, why: str) -> None:
    decision.facts.append(
        ev.FlattenBegun(flatten_id=flatten_id, kind=scope.kind.value, name=scope.name, percent=percent, why=why)
    )


def _working_in(state: TradingState, scope: Scope) -> list[Order]:
    """Our working orders; those of others are left alone, and what they close is not closed again."""
    return [
        order
        for order in working_orders(state)
        if not order.foreign and in_scope(scope, order.terms.account, order.terms.contract)
    ]


def _open_in(state: TradingState, scope: Scope) -> list[Position]:
    return [
        position
        for position in state.positions.values()
        if position.qty and in_scope(scope, position.key.account, position.key.contract)
    ]
