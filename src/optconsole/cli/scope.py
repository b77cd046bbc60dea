"""``--scope``: what a closing command acts on."""

from __future__ import annotations

import argparse

from optconsole.engine.commands import Scope, ScopeKind
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import parse_contract
from optconsole.engine.trading.closing import in_scope


def scope(text: str) -> Scope:
    """``all``, ``account:A``, ``underlying:NIFTY``, ``contract:NAME``."""
    kind, colon, name = text.partition(":")
    try:
        chosen = ScopeKind(kind.lower())
        if (chosen is ScopeKind.ALL) == bool(colon and name.strip()):
            raise ValueError
        name = " ".join(name.split())
        if chosen is ScopeKind.UNDERLYING:
            name = name.upper()
        if chosen is ScopeKind.CONTRACT:
            name = str(parse_contract(name))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a scope; use all, account:A, underlying:NIFTY or contract:NAME."
        ) from None
    except Refusal as refusal:
        raise argparse.ArgumentTypeError(refusal.text) from None
    return Scope(chosen, name)


def working_in(state: TradingState, chosen: Scope) -> int:
    """Orders of the scope that may still trade or be sent."""
    return sum(
        not each.status.final and in_scope(chosen, each.terms.account, each.terms.contract)
        for each in state.orders.values()
    )


def open_in(state: TradingState, chosen: Scope) -> int:
    """Positions of the scope that are open."""
    return sum(
        each.qty != 0 and in_scope(chosen, each.key.account, each.key.contract) for each in state.positions.values()
    )
