"""``--scope``: what a closing command acts on."""

from __future__ import annotations

import argparse

from optconsole.engine.commands import Scope, ScopeKind
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.trading import scopes
from optconsole.engine.trading.scopes import canonical


def scope(text: str) -> Scope:
    """``all``, ``account:A``, ``underlying:NIFTY``, ``expiry:NIFTY 01DEC26``, ``contract:NAME``, ``position:KEY``.

    ``strategy:PATH`` is what a strategy or basket holds itself.
    """
    kind, colon, name = text.partition(":")
    try:
        chosen = ScopeKind(kind.lower())
        if (chosen is ScopeKind.ALL) == bool(colon and name.strip()):
            raise ValueError
        return canonical(Scope(chosen, name))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a scope; use all, account:A, underlying:NIFTY, expiry:NIFTY 01DEC26, contract:NAME, "
            "position:ACCOUNT/PRODUCT/NAME or strategy:PATH."
        ) from None
    except Refusal as refusal:
        raise argparse.ArgumentTypeError(refusal.text) from None


def working_in(state: TradingState, chosen: Scope) -> int:
    """Orders of the scope that may still trade or be sent."""
    return sum(not each.status.final and scopes.ordered_in(chosen, each.terms) for each in state.orders.values())


def open_in(state: TradingState, chosen: Scope) -> int:
    """Positions of the scope that are open."""
    return len(scopes.open_in(state, chosen))
