"""Cancelling and closing in a scope: what it touches, how it is asked, what it sends."""

from __future__ import annotations

from typing import Final

from optconsole.engine.commands import AbandonFlatten, CancelAll, Flatten, ReleaseKill, Reverse, Scope, ScopeKind
from optconsole.engine.model.orders import Order, RiskClass
from optconsole.engine.model.positions import Position
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.closing_words import progress, scope_name
from optconsole.screens.confirmation import TYPED_LOTS
from optconsole.screens.deck import Deck
from optconsole.screens.dialogs import Confirm
from optconsole.screens.order_words import side_role
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line
from optconsole.screens.words import order_line

SHOWN: Final = 6
UNLOCK: Final = "UNLOCK"


def within(scope: Scope, account: str, contract: str) -> bool:
    """Whether something of this account and contract belongs to the scope."""
    match scope.kind:
        case ScopeKind.ALL:
            return True
        case ScopeKind.ACCOUNT:
            return account == scope.name
        case ScopeKind.UNDERLYING:
            return contract.split(" ")[0] == scope.name
        case ScopeKind.CONTRACT:
            return contract == scope.name
        case ScopeKind.EXPIRY:
            return contract.startswith(f"{scope.name} ") or contract.split(" ")[1:2] == [scope.name]
        case ScopeKind.POSITION:
            return scope.name.startswith(f"{account}/") and scope.name.endswith(f"/{contract}")
        case ScopeKind.STRATEGY:
            return False  # not offered here: the screens do not tell whose units are whose


def working_in(deck: Deck, scope: Scope) -> list[Order]:
    """Orders of the scope that may still trade."""
    return [order for order in deck.mirror.working() if within(scope, order.terms.account, order.terms.contract)]


def open_in(deck: Deck, scope: Scope) -> list[Position]:
    """Open positions of the scope."""
    positions = deck.mirror.state.positions.values()
    return [each for each in positions if each.qty and within(scope, each.key.account, each.key.contract)]


def scope_words(scope: Scope) -> str:
    """``everything``, ``NIFTY``, ``account PAPER1``."""
    if scope.kind is ScopeKind.ALL:
        return "everything"
    return f"account {scope.name}" if scope.kind is ScopeKind.ACCOUNT else scope.name


def counted(number: int, what: str) -> str:
    """``1 lot``, ``2 lots``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def cancel_all(screen: ConsoleScreen, scope: Scope, actor: str) -> None:
    """Ask, then cancel every working order of the scope; Enter is enough where none of them guards a position."""
    deck = screen.deck
    orders = working_in(deck, scope)
    if not orders:
        screen.say(f"No order is working in {scope_words(scope)}.", "dim")
        return
    lines: list[Line] = [
        (
            [
                Part(f"{deck.fmt.text(order.id):<6}", "dim"),
                Part(order_line(order, deck.fmt), side_role(order.terms.side)),
            ],
            [],
        )
        for order in orders[:SHOWN]
    ]
    guards = sum(order.risk is not RiskClass.INCREASE for order in orders)
    if guards:
        verb = "closes or protects" if guards == 1 else "close or protect"
        lines.append(([Part(f"{guards} of them {verb} a position.", "warn")], []))
    lines += _tail(deck, len(orders), {order.terms.account for order in orders})

    async def answered(yes: bool | None) -> None:
        if yes:
            await screen.ask(CancelAll(id=deck.fresh_id(), actor=actor, scope=scope), "Cancellations are on their way.")

    title = f"Cancel {counted(len(orders), 'order')} in {scope_words(scope)}"
    screen.app.push_screen(Confirm(title, lines, easy=not guards), answered)


def flatten(screen: ConsoleScreen, scope: Scope, actor: str, percent: int = 100) -> None:
    """Ask, then cancel what works and close what is open in the scope."""
    deck, fmt = screen.deck, screen.deck.fmt
    held = open_in(deck, scope)
    if not held and not working_in(deck, scope):
        screen.say(f"Nothing is open or working in {scope_words(scope)}.", "dim")
        return
    lines: list[Line] = [
        (
            [
                Part(fmt.lots(each.qty, each.lot).rjust(14), "buy" if each.qty > 0 else "sell"),
                Part("  " + fmt.contract(each.key.contract)),
            ],
            [Part(fmt.pnl(deck.mirror.unrealised(each)))],
        )
        for each in held[:SHOWN]
    ]
    lines += _tail(deck, len(held), {each.key.account for each in held})
    lots = sum(abs(each.qty) // max(each.lot, 1) for each in held)
    live = deck.mode in ("live", "halted")
    word = str(lots) if live and lots > TYPED_LOTS else ""
    part = "" if percent == 100 else f"{percent} % of "

    async def answered(yes: bool | None) -> None:
        if yes:
            command = Flatten(id=deck.fresh_id(), actor=actor, scope=scope, percent=percent)
            await screen.ask(command, "Closing; shorts go first.")

    title = f"Close {part}{scope_words(scope)}: {counted(lots, 'lot')} in {counted(len(held), 'position')}"
    screen.app.push_screen(Confirm(title, lines, easy=not word, word=word), answered)


def _tail(deck: Deck, count: int, accounts: set[str]) -> list[Line]:
    named = ", ".join(deck.fmt.text(account) for account in sorted(accounts))
    more: list[Line] = [([Part(f"{deck.fmt.ellipsis} and {count - SHOWN} more", "dim")], [])] if count > SHOWN else []
    return [*more, ([], []), ([Part(f" {deck.mode.upper()} ", deck.mode), Part(f" {named}", "dim")], [])]


def reverse(screen: ConsoleScreen, position: Position, actor: str) -> None:
    """Ask, then close a position and open as much the other way once it is flat; live, large ones want their lots."""
    deck, fmt, key = screen.deck, screen.deck.fmt, position.key
    lots = abs(position.qty) // max(position.lot, 1)
    lines: list[Line] = [
        (
            [
                Part(fmt.lots(position.qty, position.lot), "buy" if position.qty > 0 else "sell"),
                Part(f" {fmt.glyph('→', '->')} "),
                Part(fmt.lots(-position.qty, position.lot), "sell" if position.qty > 0 else "buy"),
                Part(f"  {fmt.contract(key.contract)}", "title"),
            ],
            [Part(fmt.pnl(deck.mirror.unrealised(position)))],
        ),
        ([Part("It is closed first; the other side is opened at the market, and only")], []),
        ([Part("once it is flat and no order works there.")], []),
        *_tail(deck, 1, {key.account}),
    ]

    async def answered(yes: bool | None) -> None:
        if yes:
            scope = Scope(ScopeKind.POSITION, str(key))
            await screen.ask(Reverse(id=deck.fresh_id(), actor=actor, scope=scope))

    word = str(lots) if deck.mode in ("live", "halted") and lots > TYPED_LOTS else ""
    screen.app.push_screen(Confirm(f"Reverse {counted(lots, 'lot')}?", lines, word=word), answered)


def give_up(screen: ConsoleScreen, flatten_id: str, actor: str) -> None:
    """Ask, then leave open what a closing has not closed yet."""
    deck, fmt = screen.deck, screen.deck.fmt
    wish = deck.mirror.state.flattening.get(flatten_id)
    if wish is None:
        screen.say("That closing is over already.", "dim")
        return
    lines: list[Line] = [
        ([Part(progress(deck.mirror.state, wish).words(fmt))], []),
        ([Part("Its closing orders are cancelled; what is open stays open.", "warn")], []),
    ]

    async def answered(yes: bool | None) -> None:
        if yes:
            await screen.ask(AbandonFlatten(id=deck.fresh_id(), actor=actor, flatten_id=flatten_id))

    screen.app.push_screen(Confirm(f"Give up closing {scope_name(wish, fmt)}?", lines), answered)


def release_kill(screen: ConsoleScreen, actor: str) -> None:
    """Ask for the word, then allow new risk again."""
    lines: list[Line] = [
        ([Part("New risk is allowed again. Nothing resumes by itself.")], []),
        ([Part("It holds for a minute, and while an order works or is in doubt.", "dim")], []),
    ]

    async def answered(yes: bool | None) -> None:
        if yes:
            await screen.ask(ReleaseKill(id=screen.deck.fresh_id(), actor=actor, typed=UNLOCK))

    screen.app.push_screen(Confirm("Release the kill switch?", lines, word=UNLOCK), answered)
