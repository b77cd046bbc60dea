"""Setting limits and trading states: what loosens asks for a reason, whether it was pressed or typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from optconsole.engine.commands import AnyCommand, RemoveLimit, SetLimit, SetTradingState
from optconsole.engine.model.limits import Level, Limit, LimitKind, Standing, scope_key
from optconsole.engine.rules.limit_terms import loosens
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.limit_words import value_text
from optconsole.screens.reason import Reason
from optconsole.screens.risk_rows import STANDING_ROLES, STANDING_WORDS
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line
from optconsole.screens.wishes import DropLimit, PutLimit, Restraint, Stand

Answered = Callable[[str], None]
BY_HAND: Final = "by hand"


def allows_more(deck: Deck, limit: Limit) -> bool:
    """Whether a limit allows more than the one that stands."""
    before = deck.mirror.state.limits.get(limit.key)
    return before is not None and loosens(before, limit)


def set_limit(screen: ConsoleScreen, limit: Limit, actor: str, why: str = "") -> None:
    """Set a limit; one that allows more asks for the reason first, unless it is given."""

    def send(reason: str) -> None:
        _send(screen, SetLimit(id=screen.deck.fresh_id(), actor=actor, limit=limit, why=reason))

    if why or not allows_more(screen.deck, limit):
        send(why)
    else:
        told: Line = ([Part("It allows more than the one before; the journal keeps the reason.", "warn")], [])
        ask_reason(screen, "Why?", [told], send)


def drop_limit(screen: ConsoleScreen, level: Level, kind: LimitKind, name: str, actor: str, why: str = "") -> None:
    """Take a limit away, with a reason."""

    def send(reason: str) -> None:
        fresh = screen.deck.fresh_id()
        _send(screen, RemoveLimit(id=fresh, actor=actor, level=level, kind=kind, name=name, why=reason))

    if why:
        send(why)
    else:
        scope = screen.deck.fmt.text(scope_key(level, name))
        ask_reason(screen, f"Take {kind.value} of {scope} away: why?", [], send)


def set_standing(
    screen: ConsoleScreen, level: Level, name: str, wanted: Standing, now: Standing, actor: str, why: str = ""
) -> None:
    """Change what orders of a level may leave; what lets more leave asks for the reason, unless it is given."""

    def send(reason: str) -> None:
        fresh = screen.deck.fresh_id()
        _send(screen, SetTradingState(id=fresh, actor=actor, level=level, name=name, standing=wanted, why=reason))

    if why or wanted.severity >= now.severity:
        send(why or BY_HAND)
    else:
        scope = screen.deck.fmt.text(scope_key(level, name))
        ask_reason(screen, f"{scope} becomes {wanted.value.upper()}: why?", [standing_line(wanted)], send)


def standing_of(deck: Deck, level: Level, name: str) -> Standing:
    """The trading state of a level, as the facts tell it."""
    scope = deck.mirror.state.scopes.get(scope_key(level, name))
    return scope.standing if scope is not None else Standing.ACTIVE


def standing_line(wanted: Standing) -> Line:
    """``HALTED: only exits and guards leave.``"""
    return [Part(f"{wanted.value.upper()}: {STANDING_WORDS[wanted]}.", STANDING_ROLES[wanted])], []


def preview_restraint(wish: Restraint, deck: Deck) -> str:
    """One sentence on what Enter will do."""
    fmt, because = deck.fmt, f" because {wish.why}" if wish.why else ""
    match wish:
        case PutLimit(limit=limit):
            value = value_text(limit.unit, limit.value, limit.second, fmt)
            asks = "; it allows more than the one before, so the reason is asked" if not because else ""
            asks = asks if allows_more(deck, limit) else ""
            return f"Sets {limit.kind.value} of {limit.scope} to {value}, then {limit.action.value}{asks}{because}."
        case DropLimit(level=level, kind=kind, name=name):
            does = "Takes" if because else "Asks why, then takes"
            return f"{does} {kind.value} of {scope_key(level, name)} away{because}."
        case Stand(level=level, standing=wanted, name=name):
            looser = wanted.severity < standing_of(deck, level, name).severity
            does = "Asks why, then sets" if looser and not because else "Sets"
            return f"{does} {scope_key(level, name)} to {wanted.value}: {STANDING_WORDS[wanted]}{because}."


def restrain(wish: Restraint, screen: ConsoleScreen, actor: str) -> None:
    """Carry out what was typed."""
    match wish:
        case PutLimit(limit=limit, why=why):
            set_limit(screen, limit, actor, why)
        case DropLimit(level=level, kind=kind, name=name, why=why):
            drop_limit(screen, level, kind, name, actor, why)
        case Stand(level=level, standing=wanted, name=name, why=why):
            set_standing(screen, level, name, wanted, standing_of(screen.deck, level, name), actor, why)


def ask_reason(
    screen: ConsoleScreen,
    title: str,
    lines: Sequence[Line],
    typed: Answered,
    hint: str = "the reason, for the journal",
) -> None:
    """Ask for words; leaving the dialog changes nothing."""

    def answered(text: str | None) -> None:
        if text is not None:
            typed(text)

    screen.app.push_screen(Reason(title, lines, hint), answered)


def _send(screen: ConsoleScreen, command: AnyCommand) -> None:
    async def send() -> None:
        await screen.ask(command)

    beside(screen, send, group="ask")
