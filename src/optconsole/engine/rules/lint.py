"""Everything that is wrong with a strategy or a basket as written, each with its field, before it is saved.

Each rule is a small function in a table. Given facts of the market and the accounts, what depends on them is checked
too: when saved, and again when the day's contracts have changed.
"""

from __future__ import annotations

from optconsole.engine.model.baskets import Allocation, Basket, Pace
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.rules.allocation import share
from optconsole.engine.rules.faults import Fault, Faults, MarketFacts, under
from optconsole.engine.rules.lint_legs import LEG_RULES
from optconsole.engine.rules.lint_links import LINK_RULES
from optconsole.engine.rules.lint_market import MARKET_RULES, unknown_account
from optconsole.engine.rules.lint_schedule import SCHEDULE_RULES
from optconsole.engine.rules.lint_whole import WHOLE_RULES

NOTHING_KNOWN = MarketFacts()


def lint_strategy(strategy: Strategy, facts: MarketFacts = NOTHING_KNOWN) -> list[Fault]:
    """All faults of a strategy, by the part of it they are of; empty when it can be saved."""
    return list(_of_strategy(strategy, facts))


def lint_basket(basket: Basket, facts: MarketFacts = NOTHING_KNOWN) -> list[Fault]:
    """All faults of a basket, those of its strategies as ``strategies[0].legs[1].stop``."""
    return list(_of_basket(basket, facts))


def _of_strategy(strategy: Strategy, facts: MarketFacts) -> Faults:
    for rule in (*WHOLE_RULES, *SCHEDULE_RULES, *LINK_RULES):
        yield from rule(strategy)
    for place, leg in enumerate(strategy.legs):
        for check in LEG_RULES:
            yield from under(f"legs[{place}]", check(strategy, leg))
    for fits in MARKET_RULES:
        yield from fits(strategy, facts)


def _of_basket(basket: Basket, facts: MarketFacts) -> Faults:
    if not basket.name.strip():
        yield Fault("BAD_NAME", "name", "Give the basket a name.")
    seen: set[str] = set()
    for place, strategy in enumerate(basket.strategies):
        path = f"strategies[{place}]"
        if strategy.name in seen:
            yield Fault("DUPLICATE_ID", f"{path}.name", f"Another strategy is called {strategy.name} already.")
        seen.add(strategy.name)
        yield from under(path, _of_strategy(strategy, facts))
    yield from _amounts(basket)
    yield from _allocations(basket, facts)


def _amounts(basket: Basket) -> Faults:
    for name, amount in (("capital", basket.capital), ("max_loss", basket.max_loss)):
        if amount is not None and amount <= 0:
            yield Fault("BAD_VALUE", name, "Give an amount of more than 0; leave it out for none.")
    if basket.pace is Pace.STAGGERED and basket.stagger_ms <= 0:
        yield Fault("BAD_VALUE", "stagger_ms", "Accounts that leave apart need the milliseconds between them.")
    if basket.pace is not Pace.STAGGERED and basket.stagger_ms:
        yield Fault("UNUSED", "stagger_ms", "Milliseconds between accounts are for the pace staggered.")


def _allocations(basket: Basket, facts: MarketFacts) -> Faults:
    legs = {leg.id for strategy in basket.strategies for leg in strategy.legs}
    seen: set[str] = set()
    for place, allocation in enumerate(basket.allocations):
        path = f"allocations[{place}]"
        if allocation.account in seen:
            yield Fault("DUPLICATE_ID", f"{path}.account", f"Account {allocation.account} has a part already.")
        seen.add(allocation.account)
        if facts.accounts is not None and allocation.account not in facts.accounts:
            yield unknown_account(allocation.account, f"{path}.account", facts.accounts)
        for leg in allocation.lots:
            if leg not in legs:
                yield Fault("UNKNOWN_LEG", f"{path}.lots", f"No strategy of the basket has a leg {leg}.")
        if allocation.priority < 1 or allocation.max_lots < 1:
            yield Fault("BAD_VALUE", path, "Priority and the most lots are 1 or more.")
        yield from under(path, _shares(basket, allocation))


def _shares(basket: Basket, allocation: Allocation) -> Faults:
    """Whether each strategy can be shared out to an account; a disabled one and bad lots are told elsewhere."""
    if not allocation.enabled:
        return
    for strategy in basket.strategies:
        legs = {leg.id: leg.lots for leg in strategy.legs}
        if not legs or min(legs.values()) < 1:
            continue
        try:
            share(legs, allocation)
        except Refusal as refusal:
            field = "lots" if refusal.code == "BAD_LOTS" else "multiplier"
            yield Fault(refusal.code, field, f"{strategy.name}: {refusal.text}")
