"""``--scope``: what a closing command acts on."""

from __future__ import annotations

import argparse

from optconsole.engine.commands import Scope, ScopeKind
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.trading.scopes import canonical, in_scope


def scope(text: str) -> Scope:
    """``all``, ``account:A``, ``underlying:NIFTY``, ``expiry:NIFTY 01DEC26``, ``contract:NAME``, ``position:KEY``."""
    kind, colon, name = text.partition(":")
    try:
        chosen = ScopeKind(kind.lower())
        if (chosen is ScopeKind.ALL) == bool(colon and name.strip()):
            raise ValueError
        return canonical(Scope(chosen, name))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a scope; use all, account:A, underlying:NIFTY, expiry:NIFTY 01DEC26, contract:NAME "
            "or position:ACCOUNT/PRODUCT/NAME."
        ) from None
    except Refusal as refusal:
        raise argparse.ArgumentTypeError(refusal.text) from None


def working_in(state: TradingState, chosen: Scope) -> int:
    """Orders of the scope that may still trade or be sent."""
    return sum(
        not each.status.final and in_scope(chosen, each.terms.account, each.terms.contract, each.terms.product)
        for each in state.orders.values()
    )


def open_in(state: TradingState, chosen: Scope) -> int:
    """Positions of the scope that are open."""
    return sum(
        each.qty != 0 and in_scope(chosen, each.key.account, each.key.contract, each.key.product)
        for each in state.positions.values()
    )
