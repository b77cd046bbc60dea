"""Facts in plain words: the newest-fact line, the journal and the notices say the same of the same fact."""

from __future__ import annotations

from typing import NamedTuple

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderTerms, OrderType, Side
from optconsole.screens.book_words import book_text, contract_lot, doubt_text
from optconsole.screens.composite_words import Composite, said
from optconsole.screens.formats import Formats
from optconsole.screens.guard_words import guard_words
from optconsole.screens.risk_words import risk_text
from optconsole.screens.run_words import run_text


class Words(NamedTuple):
    """A fact as a mark, a sentence and the colour role of both."""

    mark: str
    text: str
    role: str


def in_words(event: ev.AnyEvent, state: TradingState, fmt: Formats) -> Words:
    """One fact as a trader would say it. ``state`` supplies the order's terms where the fact has only its id."""
    ok, no, ask = fmt.glyph("✓", "+"), fmt.glyph("✗", "x"), fmt.glyph("…", "?")
    match event:
        case ev.OrderFilled():
            verb = "BOUGHT" if event.side is Side.BUY else "SOLD"
            lot = _lot(state, event.order_id)
            text = f"{verb} {fmt.lots(event.qty, lot)} {fmt.contract(event.contract)} @ {fmt.price(event.price)}"
            return Words(ok, text, "buy" if event.side is Side.BUY else "sell")
        case ev.OrderDenied():
            denied = _terms(event.terms, state, event.order_id, fmt)
            return Words(no, f"Denied {denied}: {fmt.text(event.reason)}", "bad")
        case ev.OrderRejected():
            return Words(no, f"Rejected {_named(state, event.order_id, fmt)}: {fmt.text(event.reason)}", "bad")
        case ev.OrderDoubted() | ev.OrderPresumedAbsent() | ev.OrderReleasable() | ev.OrderDoubtReleased():
            return Words(ask, doubt_text(event, _named(state, event.order_id, fmt), fmt), "warn")
        case ev.NoticeRaised():
            role = {"alarm": "bad", "warning": "warn"}.get(event.level, "")
            return Words(fmt.glyph("⚑", "!"), fmt.text(event.text), role)
        case ev.KillEngaged():
            why = f": {fmt.text(event.why)}" if event.why else ""
            return Words(no, f"KILL engaged{why}; no order that adds risk may leave", "bad")
        case ev.KillReleased():
            return Words(ok, "Kill released; entries are allowed again", "good")
        case ev.CommandRefused() | ev.CommandNoted():
            return _command_words(event, fmt)
        case ev.OrderEvent():
            return _order_words(event, state, fmt)
        case _:
            return _engine_words(event, state, fmt)


def _command_words(event: ev.CommandRefused | ev.CommandNoted, fmt: Formats) -> Words:
    if isinstance(event, ev.CommandNoted):
        return Words(fmt.glyph("·", "-"), fmt.text(event.text), "dim")
    return Words(fmt.glyph("✗", "x"), f"Refused: {fmt.text(event.reason)}", "bad")


def _order_words(event: ev.OrderEvent, state: TradingState, fmt: Formats) -> Words:
    dot = fmt.glyph("·", "-")
    named = _named(state, event.order_id, fmt)
    match event:
        case ev.OrderAdopted():
            terms = _terms(event.terms, state, event.order_id, fmt)
            text = f"Found at the broker, not sent from here: {fmt.text(event.order_id)} {terms}"
            return Words(fmt.glyph("⚑", "!"), text, "warn")
        case ev.OrderIntended():
            return Words(dot, f"Intends {_terms(event.terms, state, event.order_id, fmt)}", "dim")
        case ev.OrderChangeAsked():
            return Words(dot, f"Asks to change {named} to {_price(event.terms, fmt)}", "dim")
        case ev.OrderChanged():
            return Words(fmt.glyph("✓", "+"), f"Changed {named}", "")
        case ev.OrderChangeRefused() | ev.OrderCancelRefused():
            return Words(fmt.glyph("✗", "x"), f"Not changed, {named}: {fmt.text(event.reason)}", "bad")
        case ev.OrderCancelled() | ev.OrderExpired():
            verb = "Cancelled" if isinstance(event, ev.OrderCancelled) else "Expired"
            reason = f": {fmt.text(event.reason)}" if event.reason else ""
            return Words(dot, f"{verb} {named}{reason}", "")
        case _:
            verbs = {
                ev.OrderSent: "Sent",
                ev.OrderAcknowledged: "Working at the broker:",
                ev.OrderTriggered: "Triggered",
                ev.OrderCancelAsked: "Asks to cancel",
                ev.OrderConfirmed: "Seen in the broker's book:",
                ev.OrderClaimed: "Adopted",
            }
            return Words(dot, f"{verbs.get(type(event), type(event).__name__)} {named}", "dim")


def _engine_words(event: ev.Event, state: TradingState, fmt: Formats) -> Words:
    dot = fmt.glyph("·", "-")
    match event:
        case ev.EngineStarted():
            return Words(dot, f"Engine {fmt.text(event.version)} started, {fmt.text(event.world)}", "dim")
        case ev.EngineReady():
            return Words(fmt.glyph("✓", "+"), "The books agree with the broker; entries are allowed", "good")
        case ev.EngineStopped():
            return Words(dot, f"Engine stopped: {fmt.text(event.reason)}", "dim")
        case ev.SessionOpened():
            return Words(dot, f"Trading day {event.day:%d %b %Y} began", "")
        case ev.SessionClosed():
            return Words(dot, f"Trading day {event.day:%d %b %Y} ended", "")
        case ev.AccountOpened():
            account = event.account
            return Words(dot, f"Account {fmt.text(account.id)} with {fmt.money(account.capital)}", "")
        case ev.PositionSettled():
            text = f"Settled {fmt.contract(event.contract)} at {fmt.price(event.price)}"
            return Words(fmt.glyph("✓", "+"), text, "")
        case ev.NoticeAcknowledged():
            return Words(dot, "Notices seen", "dim")
        case _:
            return _flatten_words(event, state, fmt)


def _flatten_words(event: ev.Event, state: TradingState, fmt: Formats) -> Words:
    dot = fmt.glyph("·", "-")
    match event:
        case ev.FlattenBegun():
            part = "" if event.percent == 100 else f"{event.percent} % of "
            scope = fmt.text(event.name) or "everything"
            why = f": {fmt.text(event.why)}" if event.why else ""
            return Words(dot, f"Closing {part}{scope}{why}; shorts go first", "warn")
        case ev.FlattenHeld():
            if not event.text:
                return Words(dot, "Closing goes on", "")
            return Words(fmt.glyph("✗", "x"), f"Closing waits: {fmt.text(event.text)}", "bad")
        case ev.FlattenEnded():
            if event.text:
                return Words(fmt.glyph("✗", "x"), f"Closing left something open: {fmt.text(event.text)}", "bad")
            done = f"{event.closed} positions closed, {event.cancelled} orders cancelled"
            return Words(
                fmt.glyph("✓", "+"), f"Closed: {done}" if event.orders else "Nothing was left to close", "good"
            )
        case _ if isinstance(event, Composite):
            text, role = said(event, fmt)
            return Words(fmt.glyph("✗", "x") if role == "bad" else dot, text, role)
        case ev.ProtectionEvent():
            return Words(*guard_words(event, fmt))
        case _:
            text, role = risk_text(event, fmt) or run_text(event, state, fmt) or book_text(event, state, fmt)
            return Words(dot, text or type(event).__name__, role)


def _lot(state: TradingState, order_id: str) -> int:
    order = state.orders.get(order_id)
    return order.lot if order is not None else 0


def _named(state: TradingState, order_id: str, fmt: Formats) -> str:
    order = state.orders.get(order_id)
    if order is None:
        return fmt.text(order_id)
    return f"{fmt.text(order_id)} {_terms(order.terms, state, order_id, fmt)}"


def _terms(terms: OrderTerms, state: TradingState, order_id: str, fmt: Formats) -> str:
    qty = fmt.lots(terms.qty, _lot(state, order_id) or contract_lot(state, terms.contract))
    return f"{terms.side.value} {qty} {fmt.contract(terms.contract)} {_price(terms, fmt)}"


def _price(terms: OrderTerms, fmt: Formats) -> str:
    match terms.type:
        case OrderType.LIMIT:
            return f"LIMIT {fmt.price(terms.price)}"
        case OrderType.SL:
            return f"SL {fmt.price(terms.trigger)} limit {fmt.price(terms.price)}"
        case OrderType.SL_M:
            return f"SL-M {fmt.price(terms.trigger)}"
        case OrderType.MARKET:
            return "MARKET"


def order_line(order: Order, fmt: Formats) -> str:
    """An order in one line: ``SELL 2L (130) NIFTY 25Nov 24500 CE LIMIT 101.25``."""
    qty = fmt.lots(order.terms.qty, order.lot)
    return f"{order.terms.side.value} {qty} {fmt.contract(order.terms.contract)} {_price(order.terms, fmt)}"
