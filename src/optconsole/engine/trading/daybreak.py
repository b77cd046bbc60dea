"""Where one day's profit ends and the next one's begins, as facts: a limit of the day must not count yesterday again.

The exchange's own close has the last word, as soon as a quote carries it. Until then the last price of the day before
stands in, and where the engine was not there to see it, the first price of this one.
"""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.positions import Basis
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.decision import Decision


def mark_contracts(state: TradingState, decision: Decision, situation: Situation) -> Decision:
    """Append what open contracts are worth at the end of the day, and what carried ones were worth before it began."""
    found = _ending(state, situation) if not state.session_open else _beginning(state, situation)
    for basis, prices in found.items():
        if prices:
            decision.facts.append(ev.ContractsMarked(basis=basis, prices=prices))
    return decision


def _ending(state: TradingState, situation: Situation) -> dict[Basis, dict[str, int]]:
    prices: dict[str, int] = {}
    for position in state.positions.values():
        name = position.key.contract
        quote = situation.quote(name) if position.qty and name not in state.closes else None
        if quote is not None and quote.mark is not None:
            prices[name] = quote.mark
    return {Basis.CLOSE: prices}


def _beginning(state: TradingState, situation: Situation) -> dict[Basis, dict[str, int]]:
    found: dict[Basis, dict[str, int]] = {Basis.PREVIOUS: {}, Basis.FIRST: {}}
    if situation.phase is not MarketPhase.OPEN:
        return found
    for position in state.positions.values():
        name = position.key.contract
        base = state.bases.get(name)
        if not position.carried_qty or (base is not None and base.basis is Basis.PREVIOUS):
            continue
        # an old quote may be of the day before, and what it calls the previous close is a day older still
        quote, price = situation.quote(name), situation.price(name)
        if quote is None or price is None:
            continue
        if quote.prev_close is not None:
            found[Basis.PREVIOUS][name] = quote.prev_close
        elif base is None:
            found[Basis.FIRST][name] = price
    return found
