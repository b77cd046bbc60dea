"""Flattens, watched until they are true: one pure step at a time, derived from the live book.

Each step looks at the whole state again, so that nothing depends on what an earlier step believed: cancel what works
against the wish, turn protective stops into closing orders, send for what nothing closes yet, move what does not fill.
"""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import Flattening, TradingState
from optconsole.engine.model.orders import Order, OrderStatus, RiskClass, Role
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.apart import close_apart
from optconsole.engine.trading.closers import Step, alarm_once, close
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel
from optconsole.engine.trading.exits import Scene
from optconsole.engine.trading.precedence import KILL_WHY, engaged, owned, steered
from optconsole.engine.trading.scopes import ALL, covers
from optconsole.engine.trading.unwanted import may_ask, unwanted
from optconsole.engine.trading.wishes import concerned, done, positions_of


def advance(state: TradingState, master: InstrumentMaster, situation: Situation, install: str) -> Decision | None:
    """The next step of any wish. None when all wait for the broker, for time, or for a market."""
    scene = Scene(state, master, situation, install)
    again = _kill_again(state)
    if again is not None:
        return again
    for wish in sorted(state.flattening.values(), key=lambda each: each.why != KILL_WHY):
        decision = _step(scene, wish)
        if decision is not None:
            return decision
    return _orphans(state, situation) or _strangers(state)


def _step(scene: Scene, wish: Flattening) -> Decision | None:
    # an engine that was down at the close gives up what it would have given up then
    over = not scene.state.session_open or (scene.state.day is not None and wish.begun.date() < scene.state.day)
    uncalled = any(scene.moves(each.key.contract) for each in positions_of(scene.state, wish))
    if over and wish.why != KILL_WHY and not uncalled:
        return _give_up(scene.state, wish, _open_words(scene.state, wish))
    step = Step(Decision(wish.actor, wish.id))
    if uncalled:
        text = "The calendar knows no session today, but prices move: exits and stops act, and nothing is opened."
        alarm_once(scene.state, step.decision, "UNKNOWN_SESSION", scene.now.date().isoformat(), text)
    if scene.situation.phase is MarketPhase.OPEN or uncalled:
        for order in unwanted(scene, wish):
            ask_cancel(step.decision, order, wish.why)
        close(scene, wish, step)
        if not step.decision.facts:
            close_apart(scene, wish, step)
    else:
        step.held.append("the market is closed")
    if step.decision.facts:
        return step.decision
    if done(scene.state, wish):
        return _ended(scene.state, wish, "")
    if _for_the_trader(scene, wish, step):
        return _give_up(scene.state, wish, "; ".join(step.blocked.values()))
    text = "; ".join(dict.fromkeys(step.held))
    return None if text == wish.held else _told(scene.state, wish, text)


def _for_the_trader(scene: Scene, wish: Flattening, step: Step) -> bool:
    """Whether all that a part exit still wants closed is closed by orders of the trader, which it does not touch."""
    left = {str(position.key) for position in positions_of(scene.state, wish)}
    return bool(step.blocked) and left <= step.blocked.keys() and not any(True for _ in concerned(scene.state, wish))


def _ended(state: TradingState, wish: Flattening, text: str) -> Decision:
    decision = Decision(wish.actor, wish.id)
    sent = [order for order in state.orders.values() if order.parent == wish.id]
    touched = [order for order in state.orders.values() if not order.foreign and covers(wish, order.terms)]
    cancelled = [
        order
        for order in touched
        if order.status is OrderStatus.CANCELLED and order.cancel_wanted and order.updated_at >= wish.begun
    ]
    done = [order for order in touched if order.filled and (order in sent or order.role is Role.STOP)]
    decision.facts.append(
        ev.FlattenEnded(
            flatten_id=wish.id,
            orders=tuple(order.id for order in sent),
            text=text,
            cancelled=len(cancelled),
            closed=len({(order.terms.account, order.terms.product, order.terms.contract) for order in done}),
        )
    )
    return decision


def _give_up(state: TradingState, wish: Flattening, why: str) -> Decision:
    """What is left cannot be closed: the session ended, or other orders hold it. Say what is open."""
    decision = _ended(state, wish, why)
    text = f"Not closed: {why}."
    decision.facts.append(ev.NoticeRaised(level="alarm", code="NOT_FLAT", text=text, subject=wish.id))
    return decision


def _open_words(state: TradingState, wish: Flattening) -> str:
    left = [f"{each.key.contract} {each.qty} units" for each in positions_of(state, wish)]
    return f"the session ended with {', '.join(left) or 'orders in doubt'}"


def _told(state: TradingState, wish: Flattening, text: str) -> Decision:
    decision = Decision(wish.actor, wish.id, [ev.FlattenHeld(flatten_id=wish.id, text=text)])
    if text:
        alarm_once(state, decision, "NOT_FLAT", wish.id, f"Closing waits: {text}.")
    return decision


def _kill_again(state: TradingState) -> Decision | None:
    """While killed, a wish for everything begins by itself whenever something of ours works or is open (I-13)."""
    if state.killed_at is None or any(wish.why == KILL_WHY for wish in state.flattening.values()):
        return None
    probe = Flattening(id="", kind=ALL.kind.value, name="", percent=100, why=KILL_WHY, actor="", begun=state.killed_at)
    ours = any(order for order in concerned(state, probe) if not _helping(state, order))
    if not ours and not positions_of(state, probe):
        return None
    name = f"kill:{state.seq + 1}"
    begun = ev.FlattenBegun(flatten_id=name, kind=ALL.kind.value, name="", percent=100, why=KILL_WHY)
    return Decision("engine", name, [begun])


def _helping(state: TradingState, order: Order) -> bool:
    """An order by hand after the kill that only reduces: the trader closes what is not ours to close."""
    return order.role is Role.ENTRY and order.risk is not RiskClass.INCREASE and int(order.id[1:]) > state.killed_after


def _orphans(state: TradingState, situation: Situation) -> Decision | None:
    """Closing orders and stops whose flatten or guard is over: nothing would watch what they trade (O11)."""
    if situation.phase is not MarketPhase.OPEN:
        return None
    decision = Decision("engine", "orphans")
    for order in state.orders.values():
        stray = order.status.working and steered(order) and not owned(state, order)
        if stray and engaged(state, order.terms) is None and may_ask(order, situation.since):
            ask_cancel(decision, order, "nothing left to close")
    return decision if decision.facts else None


def _strangers(state: TradingState) -> Decision | None:
    """Positions that others made after the kill: told once each, not touched."""
    decision = Decision("engine", "kill")
    for key, qty in state.strangers.items():
        text = f"Somebody else traded {qty} units of {key} after the kill; it is not touched."
        alarm_once(state, decision, "FOREIGN_AFTER_KILL", key, text)
    return decision if decision.facts else None
