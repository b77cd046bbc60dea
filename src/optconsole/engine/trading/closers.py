"""The closing orders of a wish: stops are converted, what does not fill climbs the ladder, what is missing is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.model.book import Flattening, TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Pending, Role
from optconsole.engine.model.positions import Position
from optconsole.engine.rules import ladder
from optconsole.engine.trading import exits
from optconsole.engine.trading.covering import claimed, closing_on, closing_side, held, outstanding, room
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.exits import Scene
from optconsole.engine.trading.hedging import to_spare
from optconsole.engine.trading.portions import at_work, shared_out
from optconsole.engine.trading.precedence import KILL_WHY, steered
from optconsole.engine.trading.scopes import covers
from optconsole.engine.trading.standing import standing, unread
from optconsole.engine.trading.unwanted import conversion_failed
from optconsole.engine.trading.wishes import positions_of, to_close, wanted

SELF_TRADE: Final = timedelta(seconds=5)
"""How long closing waits for the end of an order of ours on the other side, with which it would trade."""
NOTES: Final = {"stop": "LEG_SL", "target": "LEG_TGT"}
"""Exit reason codes on the orders (features 1.11); other wishes are noted as they are called."""


@dataclass(slots=True)
class Step:
    """What one look at a wish decides, and what keeps it from deciding more.

    ``blocked`` are positions of a part exit whose units orders by hand close already: that is for the trader to undo.
    """

    decision: Decision
    held: list[str] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)


def close(scene: Scene, wish: Flattening, step: Step) -> None:
    for position in positions_of(scene.state, wish):
        name = position.key.contract
        instrument = scene.master.get(name)
        if instrument is None:
            step.held.append(f"{name} is not listed today")
        elif not scene.trading(instrument):
            step.held.append(f"{name} does not trade now")
        else:
            steer(scene, wish, position, instrument, step)
            _send(scene, wish, position, instrument, step)


def _mine(scene: Scene, wish: Flattening, position: Position) -> list[Order]:
    """Closing orders that a wish may move: its own, and where everything goes any that the engine derived."""
    return [
        order
        for order in closing_on(scene.state, position)
        if steered(order) and (wish.whole or order.parent == wish.id or (_broad(wish) and covers(wish, order.terms)))
    ]


def _broad(wish: Flattening) -> bool:
    """Whether a wish leaves all that a strategy holds, so that its stops go along."""
    return bool(wish.source) and not wish.parted


def steer(scene: Scene, wish: Flattening, position: Position, instrument: Instrument, step: Step) -> None:
    """Convert stops that wait, and move closing orders that do not fill up the ladder."""
    quote, side = scene.situation.quote(instrument.name), closing_side(position)
    band_from = scene.situation.reference(instrument.name)
    asked, fresh = _cancelling(step), scene.fresh(instrument.name)
    hedges = position.qty > 0 and to_spare(scene.state, wanted(scene.state, wish), position, scene.since) < 0
    for order in _mine(scene, wish, position):
        if not exits.free(order) or order.id in asked:
            continue
        if exits.waits(order):
            limit = ladder.price(side, quote, instrument, 0, band_from)
            # on an old price a stop guards better than a limit order would close, unless nothing may be left at work
            known = fresh or wish.why == KILL_WHY
            if limit is not None and known and not hedges and not conversion_failed(order, wish):
                exits.change(step.decision, order, exits.converted(order.terms, limit))
            continue
        if not fresh or (quote is not None and quote.empty):
            step.held.append(_unmovable(instrument, fresh))
            continue
        current = order.terms.limit
        if current is None or not exits.step_due(order, scene.since) or order.changes >= ladder.MOST_CHANGES:
            continue
        moved = ladder.next_step(side, current, quote, instrument, order.changes, band_from)
        if moved is not None:
            limit, rung = _beside(scene.state, position, instrument, moved[0], step), moved[1]
            if (limit - current) * side.sign <= 0:
                continue
            exits.change(step.decision, order, exits.priced(order.terms, limit))
            if rung == ladder.LAST:
                alarm_once(scene.state, step.decision, "ESCALATED", order.id, _escalated(order))


def _unmovable(instrument: Instrument, fresh: bool) -> str:
    """Why there is no price to go after.

    In a halt a worse price finds nobody either, and the first who comes back would have it (reliability T08).
    """
    if not fresh:
        return f"the price of {instrument.name} is too old to move its order"
    return f"nobody quotes {instrument.name}; its order keeps its price"


def _size(scene: Scene, wish: Flattening, position: Position, instrument: Instrument, step: Step) -> int:
    """Units for which closing orders may be sent now, and why not for more."""
    state, since, name = scene.state, scene.since, instrument.name
    own = at_work(state, wish.source, position) if _broad(wish) else _mine(scene, wish, position)
    mine = claimed(own, since)
    missing = to_close(state, wish, position) - mine
    qty = min(missing, room(state, position, since, standing(scene, position)))
    if position.qty > 0 and qty > 0:
        qty = min(qty, max(to_spare(state, wanted(state, wish), position, since), 0))
    _tell_room(scene, wish, position, step, missing, qty, alone=not mine)
    if 0 < qty < max(instrument.lot, 1):
        step.held.append(f"{name}: {qty} units are less than a lot of {instrument.lot}")
    return qty


def _send(scene: Scene, wish: Flattening, position: Position, instrument: Instrument, step: Step) -> None:
    """Closing orders for what nothing closes yet."""
    if unread(scene, wish, position):
        return
    state, since, name = scene.state, scene.since, instrument.name
    qty = _size(scene, wish, position, instrument, step)
    shares = shared_out(state, wish.source, position, qty, since) if wish.source else [("", qty)]
    pieces = [(source, piece) for source, units in shares for piece in exits.cut(scene, instrument, units)]
    if not pieces or _opposed(scene, position, step):
        return
    tried = [order for order in state.orders.values() if order.parent == wish.id and _on(order, position)]
    if exits.resting(tried, since):
        step.held.append(f"{name}: the broker refuses; it is tried again")
        return
    band_from, quote = scene.situation.reference(name), scene.situation.quote(name)
    limit = ladder.price(closing_side(position), quote, instrument, _first_rung(tried), band_from)
    if limit is None:
        step.held.append(f"{name} has no price")
        return
    limit = _beside(state, position, instrument, limit, step)
    for source, piece in pieces:
        terms = closing_terms(wish, position, piece, limit, source)
        exits.send(scene, step.decision, terms, instrument, _role(wish), wish.id)


def _tell_room(
    scene: Scene, wish: Flattening, position: Position, step: Step, missing: int, qty: int, alone: bool
) -> None:
    """What leaves less room than is ``missing``; ``alone`` is a wish that has no order at work there itself."""
    state, name = scene.state, position.key.contract
    taken = missing > 0 and room(state, position, scene.since) < missing
    if taken and wish.source:
        step.held.append(f"{name}: orders that already work to close it leave room for {max(qty, 0)} units")
    elif taken and alone and not wish.whole and not _guarded(state, position):
        step.blocked[str(position.key)] = (
            f"{name}: orders that already work to close it hold {missing - max(qty, 0)} units"
        )
    elif missing > 0 >= qty and alone and not wish.whole and _hedges_what_is_left(scene, wish, position, step):
        step.blocked[str(position.key)] = f"{name}: it hedges what is left to others"
    if missing > 0 and held(state, position) < abs(position.qty):
        step.held.append(f"{name}: the broker shows {held(state, position)} units")
    if taken and wish.whole:
        step.held += _left_to_others(state, position)


def _hedges_what_is_left(scene: Scene, wish: Flattening, position: Position, step: Step) -> bool:
    """Whether all the shorts for which a long waits are closed by orders of the trader, so that nothing goes on."""
    shorts = [each for each in positions_of(scene.state, wish) if each.qty < 0 < position.qty]
    mine = [each for each in shorts if each.key.account == position.key.account]
    return bool(mine) and all(str(each.key) in step.blocked for each in mine)


def _on(order: Order, position: Position) -> bool:
    terms, key = order.terms, position.key
    return (terms.account, terms.product, terms.contract) == (key.account, key.product, key.contract)


def _guarded(state: TradingState, position: Position) -> bool:
    """Whether a stop holds the units, which its guard gives up at once."""
    return any(order.role is Role.STOP for order in closing_on(state, position))


def _left_to_others(state: TradingState, position: Position) -> list[str]:
    """Orders of others that close what a wish wants closed: it is not closed twice, and nobody else moves them."""
    theirs = [order for order in closing_on(state, position) if order.foreign]
    units, names = sum(map(outstanding, theirs)), ", ".join(order.id for order in theirs)
    if not theirs:
        return []
    return [f"{position.key.contract}: {names} of others closes {units} units; cancel it there, or adopt it here"]


def _first_rung(tried: list[Order]) -> int:
    """An order in place of one that had climbed the whole ladder begins where that one ended."""
    return ladder.LAST if tried and max(tried, key=lambda order: int(order.id[1:])).changes >= ladder.LAST else 0


def _opposed(scene: Scene, position: Position, step: Step) -> bool:
    """Whether an order of ours on the other side is being cancelled, with which a closing order would trade."""
    for order in scene.state.orders.values():
        terms = order.terms
        if terms.contract != position.key.contract or terms.account != position.key.account:
            continue
        if terms.side is closing_side(position) or order.status not in (OrderStatus.OPEN, OrderStatus.PARTIAL):
            continue
        recent = order.changed_at is not None and scene.since(order.changed_at) < SELF_TRADE
        if order.id in _cancelling(step) or (order.pending is Pending.CANCEL and recent):
            return True
    return False


def _beside(state: TradingState, position: Position, instrument: Instrument, limit: int, step: Step) -> int:
    """The limit kept from crossing somebody else's order of the same account, which an exchange would refuse."""
    side = closing_side(position)
    for order in state.orders.values():
        terms = order.terms
        facing = terms.contract == position.key.contract and terms.account == position.key.account
        if not facing or terms.side is side or not order.status.working or exits.waits(order):
            continue
        if order.foreign and terms.limit is not None and (limit - terms.limit) * side.sign >= 0:
            limit = terms.limit - side.sign * instrument.tick
            step.held.append(f"{instrument.name}: {order.id} of others rests where it would trade; cancel it there")
    return limit


def _cancelling(step: Step) -> set[str]:
    return {fact.order_id for fact in step.decision.facts if isinstance(fact, ev.OrderCancelAsked)}


def _role(wish: Flattening) -> Role:
    return Role.KILL if wish.why == KILL_WHY else Role.EXIT


def closing_terms(wish: Flattening, position: Position, qty: int, limit: int, source: str) -> OrderTerms:
    """An order that closes so many units of a position at the market, protected by ``limit``."""
    return OrderTerms(
        account=position.key.account,
        contract=position.key.contract,
        side=closing_side(position),
        qty=qty,
        type=OrderType.MARKET,
        protection=limit,
        product=position.key.product,
        note=NOTES.get(wish.why, wish.why),
        source=source,
    )


def _escalated(order: Order) -> str:
    return f"{order.id} {order.terms.side.value} {order.terms.contract} does not fill; it goes to the edge of the band."


def alarm_once(state: TradingState, decision: Decision, code: str, subject: str, text: str) -> None:
    """An alarm, unless the same words about the same thing were told already."""
    told = ev.NoticeRaised(level="alarm", code=code, text=text, subject=subject)
    if not any((seen.code, seen.subject, seen.text) == (code, subject, text) for seen in state.notices):
        decision.facts.append(told)
