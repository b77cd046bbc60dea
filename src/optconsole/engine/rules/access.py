"""Which access a command needs: trading is an operator's, loosening what restrains it an admin's (AD-1). Pure."""

from __future__ import annotations

from optconsole.engine import commands as cmd
from optconsole.engine.model.access import Access
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import Standing, scope_key
from optconsole.engine.rules.limit_terms import loosens


def require_access(state: TradingState, command: cmd.Command) -> None:
    """Raises Refusal(OBSERVER | ADMIN_NEEDED) for a command that came over a console that may not give it."""
    if command.access is Access.OBSERVER:
        raise Refusal(
            "OBSERVER", "This console only observes and gives no commands; attach without --observe to trade."
        )
    needed = _loosening(state, command)
    if needed and command.access is not Access.ADMIN:
        raise Refusal(
            "ADMIN_NEEDED", f"{needed} is for an admin, and this console is an {command.access.value}'s; attach as one."
        )


def _loosening(state: TradingState, command: cmd.Command) -> str:
    """What a command loosens, in words; empty for one that loosens nothing."""
    match command:
        case cmd.ReleaseKill():
            return "Releasing the kill switch"
        case cmd.RemoveLimit():
            return "Taking a limit away"
        case cmd.SetLimit(limit=limit) if loosens(state.limits.get(limit.key), limit):
            return "Loosening a limit"
        case cmd.SetTradingState(level=level, name=name, standing=wanted):
            scope = state.scopes.get(scope_key(level, name))
            stands = Standing.ACTIVE if scope is None else scope.standing
            return "Allowing more trading again" if wanted.severity < stands.severity else ""
        case _:
            return ""
