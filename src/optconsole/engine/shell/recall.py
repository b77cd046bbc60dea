"""Facts to answers: which commands of earlier runs were carried out, so that one sent anew is not repeated. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import Reply
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import OrderStatus

SENT: Final = "SENT"
_PARTS: Final = (ev.OrderCancelAsked, ev.ParentChanged, ev.ParentEnded, ev.GroupEnded, ev.ReversalBegun)
"""Facts that may be a part of what a command did whose own fact says more."""
_DONE: Final = (
    ev.ParentChanged,
    ev.ParentEnded,
    ev.GroupEnded,
    ev.ReversalBegun,
    ev.FlattenBegun,
    ev.KillEngaged,
    ev.KillReleased,
    ev.NoticeAcknowledged,
    ev.LimitSet,
    ev.LimitRemoved,
    ev.TradingStateChanged,
)


def recalled(facts: Iterable[Recorded]) -> dict[str, Reply]:
    """The answer to each command of which the facts, oldest first, tell, by the command's id."""
    replies: dict[str, Reply] = {}
    for fact in facts:
        reply = _reply(fact)
        if reply is not None and not (isinstance(fact.event, _PARTS) and fact.cause in replies):
            replies[fact.cause] = reply
    return replies


def _reply(fact: Recorded) -> Reply | None:
    match fact.event:
        case ev.OrderDenied(order_id=name, code=code, reason=reason):
            return Reply(ok=False, code=code, text=reason, ids=(name,), seq=fact.seq)
        case ev.CommandRefused(code=code, reason=reason):
            return Reply(ok=False, code=code, text=reason, seq=fact.seq)
        case ev.OrderIntended(order_id=name) | ev.OrderChangeAsked(order_id=name) | ev.OrderCancelAsked(order_id=name):
            return Reply(ok=True, code=SENT, text=f"{name} was sent before the restart.", ids=(name,), seq=fact.seq)
        case ev.ParentOpened(parent_id=name) | ev.GroupOpened(group_id=name):
            return Reply(ok=True, code=SENT, text=f"{name} was opened before the restart.", ids=(name,), seq=fact.seq)
        case ev.CommandNoted(text=text):
            return Reply(ok=True, text=text, seq=fact.seq)
        case event if isinstance(event, _DONE):
            return Reply(ok=True, text="Done before the restart.", seq=fact.seq)
        case _:
            return None


def reviewed(state: TradingState, replies: Mapping[str, Reply]) -> dict[str, Reply]:
    """Answers that change now that the books are agreed: an order that never left is no success."""
    changed: dict[str, Reply] = {}
    for cause, reply in replies.items():
        order = state.orders.get(reply.ids[0]) if reply.code == SENT and len(reply.ids) == 1 else None
        if order is not None and order.status in (OrderStatus.EXPIRED, OrderStatus.REJECTED):
            text = f"{order.id} is {order.status.value}: {order.reason}"
            changed[cause] = msgspec.structs.replace(reply, ok=False, code="NOT_SENT", text=text)
    return changed
