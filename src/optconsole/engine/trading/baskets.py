"""Baskets as a trader writes, starts, pauses and stops them (features BK-1, SC-8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.commands import Reply, SaveBasket, SetBasketStatus
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.baskets import Basket, BasketBook, BasketStatus
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.plugins import ParamFault
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.ports.strategists import unregistered
from optconsole.engine.rules.faults import Fault, MarketFacts
from optconsole.engine.rules.lint import lint_basket
from optconsole.engine.trading.decision import Decision

MOST_BASKETS: Final = 500
S = BasketStatus


Vet = Callable[[Strategy], Sequence[ParamFault]]
"""What is wrong with a strategy's plug-in and its parameters."""


def save(state: TradingState, command: SaveBasket, master: InstrumentMaster, vet: Vet = unregistered) -> Decision:
    """Write a basket down as its next version. Raises Refusal(LINT, STALE_VERSION, TOO_MANY)."""
    basket, known = command.basket, state.baskets.get(command.basket.name)
    version = 0 if known is None else known.version
    if command.over != (version or None):
        there = f"version {version}" if version else "no such basket yet"
        made = f"version {command.over}" if command.over else "a new one"
        raise Refusal(
            "STALE_VERSION", f"{basket.name} was written from {made}, but there is {there}; look at it and save again."
        )
    if known is None and len(state.baskets) >= MOST_BASKETS:
        raise Refusal("TOO_MANY", f"There are {MOST_BASKETS} baskets already; archive and remove some first.")
    faults = [*lint_basket(basket, market_facts(state, master)), *plugin_faults(basket, vet)]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Refusal("LINT", f"{faults[0].path}: {faults[0].text}{more}")
    decision = Decision(command.actor, command.id)
    if known is not None and known.basket == basket and (known.source, known.pin) == (command.source, command.pin):
        decision.reply = Reply(ok=True, code="UNCHANGED", text=f"{basket.name} is as it was.", ids=(basket.name,))
        return decision
    decision.facts.append(
        ev.BasketSaved(name=basket.name, basket=basket, version=version + 1, source=command.source, pin=command.pin)
    )
    decision.reply = Reply(ok=True, code="SAVED", text=f"{basket.name} is version {version + 1}.", ids=(basket.name,))
    return decision


def plugin_faults(basket: Basket, vet: Vet) -> list[Fault]:
    """What is wrong with the plug-ins that a basket names, by field: ``strategies[0].params.width``."""
    return [
        Fault(each.code, f"strategies[{place}].{f'params.{each.field}' if each.field else 'plugin'}", each.text)
        for place, strategy in enumerate(basket.strategies)
        for each in vet(strategy)
    ]


def set_status(state: TradingState, command: SetBasketStatus) -> Decision:
    """Start, pause, stop or archive a basket. Raises Refusal(NO_SUCH_BASKET, NO_ACCOUNT, STILL_RUNS)."""
    book = basket_of(state, command.name)
    decision = Decision(command.actor, command.id)
    if book.status is command.status:
        text = f"{book.basket.name} is {command.status.value} already."
        decision.reply = Reply(ok=True, code="UNCHANGED", text=text, ids=(book.basket.name,))
        return decision
    if command.status is S.ACTIVE and not any(each.enabled for each in book.basket.allocations):
        raise Refusal(
            "NO_ACCOUNT", f"{book.basket.name} has no enabled account; give it one with [[account]] before it starts."
        )
    if command.status is S.ACTIVE:
        strangers = [each.account for each in book.basket.allocations if each.account not in state.accounts]
        if strangers:
            known = ", ".join(sorted(state.accounts)) or "none"
            raise Refusal("UNKNOWN_ACCOUNT", f"No account is called {strangers[0]!r}; known: {known}.")
    decision.facts.append(ev.BasketStatusChanged(name=book.basket.name, status=command.status, why=command.why))
    text = f"{book.basket.name} is {command.status.value}."
    decision.reply = Reply(ok=True, code=command.status.value, text=text, ids=(book.basket.name,))
    return decision


def basket_of(state: TradingState, name: str) -> BasketBook:
    """The basket of that name. Raises Refusal(NO_SUCH_BASKET)."""
    found = state.baskets.get(name)
    if found is None:
        known = ", ".join(sorted(state.baskets)) or "none"
        raise Refusal("NO_SUCH_BASKET", f"No basket is called {name!r}; there are: {known}.")
    return found


def market_facts(state: TradingState, master: InstrumentMaster) -> MarketFacts:
    """What of the market and the accounts a basket is checked against."""
    names = master.underlyings()
    listed = {name: master.expiries(name) for name in names}
    nearest = {name: master.chain(name, days[0]) for name, days in listed.items() if days}
    samples = {name: next((each for row in chain for each in row[1:] if each), None) for name, chain in nearest.items()}
    return MarketFacts(
        today=state.day,
        listed={name: days for name, days in listed.items() if days},
        strikes={
            (name, day): [row[0] for row in master.chain(name, day)] for name, days in listed.items() for day in days
        },
        lots={name: each.lot for name, each in samples.items() if each is not None},
        freeze={name: each.freeze for name, each in samples.items() if each is not None},
        accounts=frozenset(state.accounts),
    )
