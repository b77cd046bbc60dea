"""The guard against a key pressed twice, and against meeting an order of one's own. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, RiskClass, Side
from optconsole.engine.queries import Check
from optconsole.engine.rules.risk_class import risk_class
from optconsole.engine.rules.situation import Situation
from optconsole.engine.rules.verdicts import price_in, refuse

DOUBLE_PRESS: Final = 2
"""Seconds in which the same order on a live account is one key pressed twice (SEC 15c3-5's duplicates; P02).

Two orders meant apart are farther apart than that. Paper and replay accounts ask only if they are told to: a doubled
order costs nothing there, and their time may stand still or run sixty times as fast.
"""


def pressed_twice(state: TradingState, terms: OrderTerms, situation: Situation) -> Check | None:
    """The guard against a key pressed twice: the same account, contract, side, quantity and source a moment ago.

    An order that failed may be repeated at once, and one that reduces a position always.
    """
    account = state.accounts.get(terms.account)
    seconds = situation.limits.duplicate_seconds
    if seconds is None:
        seconds = DOUBLE_PRESS if account is not None and account.account.mode is Mode.LIVE else 0
    if not seconds or risk_class(state, terms) is not RiskClass.INCREASE:
        return None
    for name, gone in _like(state, terms, situation.now):
        if gone < seconds:
            return refuse(
                "DUPLICATE",
                f"{name} is the same order, {gone:.1f} s old; wait {seconds - gone:.1f} s or say it is meant again.",
            )
    return None


def _like(state: TradingState, terms: OrderTerms, now: datetime) -> Iterator[tuple[str, float]]:
    """The newest order and the newest parent like the terms that did not fail, with their age in seconds."""
    for order in reversed(state.orders.values()):
        if not order.parent and order.status not in _FAILED and _alike(order.terms, terms):
            yield order.id, (now - order.intended_at).total_seconds()
            break
    for parent in reversed(state.parents.values()):
        if _alike(parent.terms, terms):
            yield parent.id, (now - parent.opened_at).total_seconds()
            break


_FAILED: Final = (OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)


def _alike(one: OrderTerms, other: OrderTerms) -> bool:
    return (one.account, one.contract, one.side, one.qty, one.source) == (
        other.account,
        other.contract,
        other.side,
        other.qty,
        other.source,
    )


def cross_rule(state: TradingState, terms: OrderTerms, replacing: Order | None, risk: RiskClass) -> Iterator[Check]:
    """Nobody may trade with himself. The engine's own exits and stops are exempt: they cancel first what they meet.

    An exit by hand waits for no order that perhaps does not exist.
    """
    limit, buys = terms.limit, terms.side is Side.BUY
    there = (kept for kept in state.reserved.values() if kept.contract == terms.contract)
    if limit is None or not any(kept.sells if buys else kept.buys for kept in there):
        return
    for order in state.orders.values():
        other = order.terms
        if (
            other.contract != terms.contract
            or other.side is terms.side
            or other.account != terms.account
            or not order.status.working
            or (risk is not RiskClass.INCREASE and order.broker_id is None)
            or (replacing is not None and order.id == replacing.id)
            or (other.type.has_trigger and not order.triggered)
            or other.limit is None
            or (limit - other.limit) * terms.side.sign < 0
        ):
            continue
        yield refuse(
            "SELF_CROSS",
            f"It would trade with your own {other.side.value} {order.id} at {price_in(other.limit)}; cancel it, or "
            f"stay {'below' if terms.side is Side.BUY else 'above'} it.",
        )
        return
