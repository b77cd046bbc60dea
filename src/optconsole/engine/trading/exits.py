"""Orders that the engine derives from an open position: how they are cut, sent, changed, and tried again.

They pass no pre-trade rule that could refuse them: their quantity comes from ``covering``, their price from the ladder,
so that whatever limits a trader has set, nothing keeps a position from being closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Pending, RiskClass, Role
from optconsole.engine.model.timeline import Since, millis
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.ports import ModifyRequest
from optconsole.engine.rules import ladder, tags
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.rules.slicing import largest_order, slices
from optconsole.engine.trading.decision import Decision, SendModify, SendPlace
from optconsole.engine.trading.desk import request_for

PAUSES: Final = (2, 5, 10, 30, 60, 120)
"""Seconds after each round of refused orders; the last goes on for ever."""
STALE: Final = 10.0
"""Seconds without a quote, beyond what is usual for the source, after which a price is no ground to act on."""

MOVED: Final = 60
"""Seconds since the exchange changed a price, within which a market that should be closed is seen to trade."""
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Scene:
    """What a duty looks at."""

    state: TradingState
    master: InstrumentMaster
    situation: Situation
    install: str

    @property
    def now(self) -> datetime:
        return self.situation.now

    @property
    def since(self) -> Since:
        """How long ago something happened."""
        return self.situation.since

    def trading(self, instrument: Instrument) -> bool:
        """Whether the contract trades at this instant."""
        now = self.situation.earliest or self.now
        over = instrument.last_trade is not None and now >= instrument.last_trade
        return not over and (self.situation.phase is MarketPhase.OPEN or self.moves(instrument.name))

    def moves(self, name: str) -> bool:
        """Whether a price changes on a day without a known session: then it is the calendar that is wrong.

        A Saturday, Sunday or Muhurat session may be called at short notice (reliability T02). The exchange's own time
        is looked at, since a feed shows the last prices of Friday to whoever connects.
        """
        phase, quote = self.situation.phase, self.situation.quote(name)
        unknown = phase is MarketPhase.HOLIDAY or (phase is MarketPhase.CLOSED and self.now.weekday() >= _SATURDAY)
        return unknown and quote is not None and abs(millis(self.now) - quote.ts) <= MOVED * 1_000

    def fresh(self, name: str) -> bool:
        """Whether the price of a contract is young enough to act on."""
        return fresh(self.situation, name)


def silent(situation: Situation, name: str) -> bool:
    """Whether a contract has been silent for so long that somebody must be told.

    What it did while nobody watched, the market closed or the machine asleep, is no silence.
    """
    return not fresh(situation, name) and situation.watched_for > STALE + 3 * situation.patience


def fresh(situation: Situation, name: str) -> bool:
    """Whether the price of a contract is young enough to act on (reliability O16, I-26)."""
    age = situation.age(name)
    return age is not None and age <= STALE + 3 * situation.patience


def largest(scene: Scene, instrument: Instrument) -> int:
    """Units of the largest order that is sent: within the freeze and the own limit, and half of what was refused."""
    lot = max(instrument.lot, 1)
    most = min(largest_order(instrument), scene.situation.limits.max_lots * lot)
    for order in scene.state.orders.values():
        refused = order.status is OrderStatus.REJECTED and order.role is not Role.ENTRY and _too_large(order)
        if refused and order.terms.contract.split(" ")[0] == instrument.underlying:
            most = min(most, order.terms.qty // 2)
    return max(most, lot)


def _too_large(order: Order) -> bool:
    return "FREEZE" in order.reason_code.upper() or "freeze" in order.reason.lower()


def cut(scene: Scene, instrument: Instrument, qty: int) -> tuple[int, ...]:
    """Whole lots of ``qty`` units as orders that the exchange takes; what is less than a lot is left out."""
    lot = max(instrument.lot, 1)
    whole = qty - qty % lot
    return slices(whole, lot, largest(scene, instrument)) if whole > 0 else ()


def send(
    scene: Scene,
    decision: Decision,
    terms: OrderTerms,
    instrument: Instrument,
    role: Role,
    parent: str,
    risk: RiskClass = RiskClass.REDUCE,
) -> None:
    """Append one order: intent, send and request."""
    order_id = decision.next_order_id(scene.state)
    tag = tags.encode(
        tags.Tag(install=scene.install, counter=int(order_id[1:]), role=role.value, leg=0, part=0, attempt=0)
    )
    decision.facts += [
        ev.OrderIntended(
            order_id=order_id, terms=terms, tag=tag, risk=risk, lot=max(instrument.lot, 1), role=role, parent=parent
        ),
        ev.OrderSent(order_id=order_id, attempt=0),
    ]
    decision.effects.append(SendPlace(order_id, request_for(terms, instrument, tag)))


def change(decision: Decision, order: Order, terms: OrderTerms) -> None:
    """Append a change of an order. The trigger of one that has done its work is not stated again."""
    decision.facts.append(ev.OrderChangeAsked(order_id=order.id, terms=terms))
    waits = terms.type.has_trigger and not order.triggered
    request = ModifyRequest(
        broker_id=order.broker_id or "",
        qty=terms.qty,
        price=terms.limit or 0,
        trigger=terms.trigger if waits else None,
    )
    decision.effects.append(SendModify(order.id, terms.account, request))


def free(order: Order) -> bool:
    """Whether a change can be sent now: acknowledged, alive, and nothing asked that is not answered."""
    return (
        order.broker_id is not None
        and order.status in (OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING, OrderStatus.PARTIAL)
        and order.pending is Pending.NONE
    )


def waits(order: Order) -> bool:
    """Whether an order waits for its trigger; otherwise it works at its limit."""
    return order.terms.type.has_trigger and not order.triggered


def priced(terms: OrderTerms, limit: int) -> OrderTerms:
    """The terms with another worst price, whatever their type."""
    if terms.type in (OrderType.MARKET, OrderType.SL_M):
        return msgspec.structs.replace(terms, protection=limit)
    return msgspec.structs.replace(terms, price=limit)


def converted(terms: OrderTerms, limit: int) -> OrderTerms:
    """A waiting stop as the limit order that it becomes."""
    return msgspec.structs.replace(terms, type=OrderType.LIMIT, price=limit, trigger=None, protection=None)


def step_due(order: Order, since: Since) -> bool:
    """Whether an order has had its time at the present price."""
    moved = order.changed_at or order.sent_at or order.intended_at
    pause = ladder.AFTER_REFUSAL if order.reason_code and order.changed_at else ladder.STEP
    return since(moved) >= timedelta(seconds=pause)


def failed(order: Order) -> bool:
    """Whether an order of the engine ended without doing its work and without being asked to end."""
    if order.status is OrderStatus.CANCELLED:
        return not order.cancel_wanted
    return order.status in (OrderStatus.REJECTED, OrderStatus.EXPIRED)


def resting(orders: Iterable[Order], since: Since) -> bool:
    """Whether the next attempt still has to wait after those that failed.

    Orders of one decision count as one attempt. A fill starts the count anew.
    """
    tried = list(orders)
    lost = [order for order in tried if failed(order)]
    if not lost:
        return False
    progress = max((order.intended_at for order in tried if order.filled), default=None)
    rounds = {order.intended_at for order in lost if progress is None or order.intended_at > progress}
    if not rounds:
        return False
    pause = PAUSES[min(len(rounds), len(PAUSES)) - 1]
    return since(max(order.updated_at for order in lost)) < timedelta(seconds=pause)
