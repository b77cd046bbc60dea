"""Whether an account, its broker, the feed and the store could carry and guard one more order (rel. 4.9). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import OrderStatus, OrderTerms, RiskClass
from optconsole.engine.queries import Check
from optconsole.engine.rules.situation import Situation
from optconsole.engine.rules.verdicts import refuse

BOOK_OLD: Final = 60.0
"""Seconds after which a book that was not read again is no ground to take risk on."""

QUEUE_LIMIT: Final = 3.0
"""Seconds an entry may wait for its turn before it is refused instead."""

FEED_SILENT: Final = 15.0


def account_rules(state: TradingState, terms: OrderTerms, risk: RiskClass, situation: Situation) -> Iterator[Check]:
    if terms.account not in state.accounts:
        known = ", ".join(sorted(state.accounts)) or "none"
        yield refuse("UNKNOWN_ACCOUNT", f"No account is called {terms.account!r}; known: {known}.")
        return
    if not state.ready:
        yield refuse("NOT_READY", "The engine is still agreeing its book with the broker; try again when it is ready.")
    if state.killed and risk is RiskClass.INCREASE:
        yield refuse("KILLED", "The kill switch is on: only orders that reduce a position may leave. Release it first.")

    if risk is RiskClass.INCREASE:
        yield from _doubt_rule(state, terms.account)
        yield from _ability_rules(terms, situation)


def _doubt_rule(state: TradingState, account: str) -> Iterator[Check]:
    """No new risk on an account while it is not known what risk there is (reliability 4.7)."""
    for order in state.orders.values():
        if (
            order.status is OrderStatus.UNKNOWN
            and not order.released
            and order.terms.account == account
            and order.risk is RiskClass.INCREASE
        ):
            yield refuse(
                "ORDER_IN_DOUBT",
                f"What became of {order.id} is unknown; until it is, only orders that reduce a position may leave. "
                + ("Release it on the Orders screen if it is not at the broker." if order.releasable else ""),
            )
            return


def _ability_rules(terms: OrderTerms, situation: Situation) -> Iterator[Check]:
    """No new risk on a broker, a feed or a store that could not guard it (reliability 4.9)."""
    if situation.guard_only:
        yield refuse("GUARD_ONLY", f"Only guards and exits act: {situation.guard_only}")
    yield from situation.stops
    health = situation.health(terms.account)
    if health.lost:
        yield refuse("LOGIN_LOST", f"The login of {terms.account} is gone: {health.lost} Log in again to take risk.")
    elif health.refusing_for > 0:
        yield refuse(
            "BREAKER_OPEN",
            f"{health.failures} requests to {terms.account} failed in a row; entries are tried again in "
            f"{health.refusing_for:.0f} s. Exits, stops and cancels go on.",
        )
    elif health.book_age is None or health.book_age > BOOK_OLD:
        known = "never" if health.book_age is None else f"{health.book_age:.0f} s ago"
        yield refuse(
            "BOOK_UNSEEN",
            f"The book of {terms.account} was last read {known}; risk is taken only on one younger than "
            f"{BOOK_OLD:.0f} s.",
        )
    if situation.queued > QUEUE_LIMIT:
        yield refuse(
            "RATE_BUDGET",
            f"Orders that are due first need {situation.queued:.1f} s of the 10 a second; try again after that.",
        )
    age = situation.age(terms.contract)
    if age is not None and age > FEED_SILENT + 3 * situation.patience:
        yield refuse(
            "STALE_PRICE",
            f"The price of {terms.contract} is {age:.0f} s old; risk is taken only on prices younger than "
            f"{FEED_SILENT + 3 * situation.patience:.0f} s.",
        )
