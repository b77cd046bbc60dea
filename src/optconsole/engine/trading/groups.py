"""Groups of dependent orders, emulated here since no broker keeps them: OCO, OUO and OTO (features OE-7).

Everything follows from facts, so a restart goes on where it was.
"""

from __future__ import annotations

from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelOrder, PlaceGroup, Reply, SetStop
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.groups import GroupKind
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.limits import CAPS
from optconsole.engine.model.orders import OrderTerms, OrderType, RiskClass, Validity
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.contingency import closes_first, uncovered
from optconsole.engine.rules.exposure import Change
from optconsole.engine.rules.pretrade import REFUSE, Situation, checks, refusal, risk_class, with_protection
from optconsole.engine.trading import peers, releasing
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel, cancellable
from optconsole.engine.trading.membership import closed_by, end, key_of, members_of, working
from optconsole.engine.trading.parents import SESSION_OVER, cancel_late
from optconsole.engine.trading.stops import set_stop

MOST_MEMBERS: Final = 8
FIXED: Final = frozenset(
    (
        "UNKNOWN_ACCOUNT",
        "NOT_TRADABLE",
        "EXPIRED_CONTRACT",
        "BAD_QUANTITY",
        "LOT_MULTIPLE",
        "MAX_LOTS",
        "FREEZE_QUANTITY",
        "NO_FREEZE",
        "PRICE_MISSING",
        "TRIGGER_MISSING",
        "TICK_SIZE",
    )
)
"""Rules that an order released later will break as surely as now; the others are judged when it leaves."""
CAPPED: Final = frozenset(f"LIMIT_{kind.name}" for kind in CAPS)
"""Caps count what waits as if it worked: the fill that releases it would otherwise find no room left."""


def open_group(state: TradingState, command: PlaceGroup, master: InstrumentMaster, situation: Situation) -> Decision:
    """Check every member and tie them together; ``advance`` sends them. Raises Refusal, and then nothing is sent."""
    if not 2 <= len(command.orders) <= MOST_MEMBERS:
        raise Refusal("BAD_GROUP", f"A group ties 2 to {MOST_MEMBERS} orders; {len(command.orders)} are given.")
    listed = [master.resolve(wanted.contract) for wanted in command.orders]
    orders = tuple(
        msgspec.structs.replace(wanted, contract=instrument.name)
        for wanted, instrument in zip(command.orders, listed, strict=True)
    )
    beside: list[Change] = []
    for place, (terms, instrument) in enumerate(zip(orders, listed, strict=True)):
        _check(state, command.kind, place, orders, instrument, situation, tuple(beside))
        beside.append(Change(terms, terms.qty, max(instrument.lot, 1)))
    closes, alone = False, False
    if command.kind is GroupKind.OTO:
        _check_released(orders)
    else:
        closes, alone = _closing(state, orders)
    guard = _as_guard(state, command, orders) if alone and command.kind is GroupKind.OCO else None
    if guard is not None:
        guarded = set_stop(state, guard, master, situation)
        names = tuple(fact.protection_id for fact in guarded.facts if isinstance(fact, ev.ProtectionSet))
        text = "" if guarded.reply is None else guarded.reply.text
        guarded.reply = Reply(ok=True, code="GUARDED", text=text, ids=names)
        return guarded
    decision = Decision(command.actor, command.id)
    group_id = f"T{state.group_count + 1}"
    decision.facts.append(
        ev.GroupOpened(
            group_id=group_id,
            kind=command.kind,
            orders=orders,
            lots=tuple(max(instrument.lot, 1) for instrument in listed),
            closes=closes,
            alone=alone,
        )
    )
    text = f"{group_id} ties {len(orders)} orders."
    decision.reply = Reply(ok=True, code="SENT", text=text, ids=(group_id,))
    return decision


def _check(
    state: TradingState,
    kind: GroupKind,
    place: int,
    orders: tuple[OrderTerms, ...],
    instrument: Instrument,
    situation: Situation,
    beside: tuple[Change, ...],
) -> None:
    """``beside`` are the members before it: together they may come to more than a limit that each keeps."""
    terms, later = orders[place], kind is GroupKind.OTO and place > 0
    judged = FIXED if later and closes_first(orders, terms) else FIXED | CAPPED
    ready = with_protection(terms, instrument, situation.quote(instrument.name), situation.reference(instrument.name))
    found = [check for check in checks(state, ready, instrument, situation, beside=beside) if check.severity == REFUSE]
    refused = refusal(check for check in found if not later or check.code in judged)
    if refused is not None:
        raise Refusal(refused.code, f"Order {place + 1} of the group: {refused.text}")
    waits = terms.type is not OrderType.MARKET and terms.validity is Validity.DAY
    if kind is not GroupKind.OTO and not waits:
        raise Refusal("BAD_GROUP", f"Order {place + 1} of the group would trade at once; give it a price to wait for.")


def _check_released(orders: tuple[OrderTerms, ...]) -> None:
    """Two orders that close what the first opens would close it twice: that is a stop and a target, a bracket."""
    first = orders[0]
    closing = [each for each in orders[1:] if key_of(each) == key_of(first) and each.side is not first.side]
    if len(closing) > 1:
        raise Refusal(
            "USE_BRACKET", "Two orders would close what the first opens; give the first a stop and a target instead."
        )
    if any(each.qty > first.qty for each in closing):
        raise Refusal("CLOSES_MORE", "An order that closes what the first opens may not be larger than the first.")


def _closing(state: TradingState, orders: tuple[OrderTerms, ...]) -> tuple[bool, bool]:
    """Whether the members close one position, and whether together more of it than is open.

    Raises Refusal for members of which only some close.
    """
    held = closed_by(state, orders[0])
    closing = [
        held is not None and key_of(each) == held.key and risk_class(state, each) is RiskClass.REDUCE for each in orders
    ]
    if held is None or not any(closing):
        return False, False
    if not all(closing):
        raise Refusal("MIXED_GROUP", "Some of the orders close a position and others do not; tie only one kind.")
    return True, sum(each.qty for each in orders) > uncovered(state, held)


def _as_guard(state: TradingState, command: PlaceGroup, orders: tuple[OrderTerms, ...]) -> SetStop | None:
    """A stop and a target for all of a position are its guard, and kept as such; None for anything else."""
    stop = next((each for each in orders if each.type.has_trigger), None)
    target = next((each for each in orders if each.type is OrderType.LIMIT), None)
    held = closed_by(state, orders[0])
    if stop is None or target is None or held is None or len(orders) != 2:
        return None
    if (stop.qty, target.qty) != (abs(held.qty), abs(held.qty)):
        return None
    return SetStop(
        id=command.id,
        actor=command.actor,
        account=stop.account,
        product=stop.product,
        contract=stop.contract,
        stop=stop.trigger,
        target=target.price,
    )


def advance(state: TradingState, master: InstrumentMaster, situation: Situation, install: str) -> Decision | None:
    """The next step of any group: an alarm, an order, a cancellation that could not leave before, or its end."""
    for group in state.groups.values():
        alarm = peers.raced(state, group)
        if alarm is not None:
            return alarm
        if group.ended:
            orders = (order for sent in members_of(state, group) for order in sent)
            step = cancel_late(group.actor, group.id, orders, situation.since) if group.cancelling else None
        elif situation.phase is not MarketPhase.OPEN:
            step = None if working(members_of(state, group)) else end(group, SESSION_OVER)
        elif group.kind is GroupKind.OTO:
            step = releasing.step(state, group, master, situation, install)
        else:
            step = peers.step(state, group, master, situation, install)
        if step is not None:
            return step
    return None


def cancel(state: TradingState, command: CancelOrder) -> Decision:
    """Untie a group and cancel its orders. Raises Refusal(ORDER_FINAL)."""
    group = state.groups[command.order_id]
    orders = [order for sent in members_of(state, group) for order in sent]
    if group.ended and all(order.status.final for order in orders):
        raise Refusal("ORDER_FINAL", f"{group.id} has ended and cannot be cancelled.")
    decision = Decision(command.actor, command.id)
    decision.facts.append(ev.GroupEnded(group_id=group.id, why="cancelled", cancel=True))
    for order in orders:
        if cancellable(order):
            ask_cancel(decision, order, f"{group.id} is cancelled")
    decision.reply = Reply(ok=True, code="SENT", text=f"Cancel of {group.id} sent.", ids=(group.id,))
    return decision
