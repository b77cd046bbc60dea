"""What the builder is opened on, and what saving does there: a new basket, one in the book, the rules of a run."""

from __future__ import annotations

import textwrap
from datetime import time

import msgspec

from optconsole.engine.commands import EditRun, SaveBasket
from optconsole.engine.model.baskets import Allocation, Basket, BasketBook
from optconsole.engine.model.runs import Run
from optconsole.engine.model.strategies import Schedule, Strategy
from optconsole.engine.rules.faults import MarketFacts
from optconsole.engine.strategies.lines import Path
from optconsole.engine.strategies.linting import Checked
from optconsole.engine.strategies.templates import TEMPLATES, from_template
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.builder import BuilderScreen
from optconsole.screens.builder_form import BuilderForm, Save, Sheet
from optconsole.screens.deck import Deck
from optconsole.screens.dialogs import Confirm
from optconsole.screens.drafts import draft_of
from optconsole.screens.template_picker import BLANK_SHEET, TemplatePicker
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line

STALE, FIRES = "STALE_VERSION", "WOULD_FIRE"
FIRE = "FIRE"
"""What is typed on a live account to have a change that closes something at once."""
WIDTH = 64


def facts_of(deck: Deck) -> MarketFacts:
    """What this console knows of the market and the accounts; the engine looks at all of it once more."""
    state = deck.mirror.state
    return MarketFacts(
        today=state.day,
        listed={each.name: each.expiries for each in deck.underlyings},
        accounts=frozenset(state.accounts) or None,
    )


def new_basket(screen: ConsoleScreen, template: str = "") -> None:
    """Choose a structure, then build on it."""
    if template:
        _open_new(screen, template)
        return

    def chosen(name: str | None) -> None:
        if name is not None:
            _open_new(screen, "" if name == BLANK_SHEET else name)

    screen.app.push_screen(TemplatePicker(), chosen)


def _open_new(screen: ConsoleScreen, template: str) -> None:
    deck = screen.deck
    underlying = deck.underlyings[0].name if deck.underlyings else "NIFTY"
    if template:
        strategy = from_template(template, underlying)
    else:
        hours = Schedule(entry_at=time(9, 20), exit_at=time(15, 15))
        strategy = Strategy(name="strategy", underlying=underlying, schedule=hours)
    name = _free_name(template or "basket", deck)
    accounts = tuple(Allocation(account=each) for each in sorted(deck.mirror.state.accounts)[:1])
    basket = Basket(name=name, strategies=(strategy,), allocations=accounts)
    sheet = Sheet(
        title="new basket", draft=draft_of(basket), facts=facts_of(deck), save=_saving(screen, None), fresh=True
    )
    screen.app.push_screen(BuilderScreen(deck, sheet))


def _free_name(name: str, deck: Deck) -> str:
    taken, found, number = deck.mirror.state.baskets, name, 2
    while found in taken:
        found, number = f"{name} {number}", number + 1
    return found


def edit_basket(screen: ConsoleScreen, book: BasketBook, strategy: str = "") -> None:
    """Build on a basket of the book, beginning at one of its strategies."""
    screen.app.push_screen(BuilderScreen(screen.deck, _sheet(screen, book, strategy)))


def _sheet(screen: ConsoleScreen, book: BasketBook, strategy: str = "") -> Sheet:
    names = [each.name for each in book.basket.strategies]
    at: Path = ("strategy", names.index(strategy)) if strategy in names else ()
    return Sheet(
        title=f"{book.basket.name}, version {book.version}",
        draft=draft_of(book.basket),
        facts=facts_of(screen.deck),
        save=_saving(screen, book),
        at=at,
    )


def _saving(screen: ConsoleScreen, book: BasketBook | None) -> Save:
    """Save as the version after ``book``; one written in between is offered in place of what was typed."""

    async def save(builder: BuilderForm, checked: Checked) -> None:
        deck, basket = builder.deck, checked.basket
        assert basket is not None
        renamed = book is not None and basket.name != book.basket.name
        known = None if book is None or renamed else book
        command = SaveBasket(
            id=deck.fresh_id(),
            actor="key:builder",
            basket=basket,
            over=None if known is None else known.version,
            source="" if known is None else known.source,
            pin="" if known is None else known.pin,
        )
        reply = await deck.submit(command)
        if reply.ok:
            builder.dismiss(None)
            screen.say(f"{reply.text} t starts it." if book is None else reply.text, "good")
        elif reply.code == STALE:
            _offer_newer(screen, builder, basket.name, reply.text)
        else:
            builder.tell(f"{reply.text} [{reply.code}]", "bad")

    return save


def _offer_newer(screen: ConsoleScreen, builder: BuilderForm, name: str, told: str) -> None:
    newer = builder.deck.mirror.state.baskets.get(name)
    if newer is None:
        builder.tell(f"{told} [{STALE}]", "bad")
        return
    lines = [
        *_told(told),
        ([], []),
        ([Part("Yes takes that version and drops what you typed; Esc keeps it.", "warn")], []),
    ]

    def answered(yes: bool | None) -> None:
        if yes:
            builder.restart(_sheet(screen, newer))
        else:
            builder.tell(f"Not saved: {told} [{STALE}]", "bad")

    builder.app.push_screen(
        Confirm(f"{newer.basket.name} was changed meanwhile: take version {newer.version}?", lines), answered
    )


def edit_run(screen: ConsoleScreen, run: Run) -> None:
    """Build on the rules of a run that is under way; its legs stay as they were entered."""
    deck = screen.deck
    basket = Basket(name=run.basket, strategies=(run.strategy,))

    async def save(builder: BuilderForm, checked: Checked) -> None:
        assert checked.basket is not None
        command = EditRun(id=deck.fresh_id(), actor="key:builder", run_id=run.id, strategy=checked.basket.strategies[0])
        await _edit(screen, builder, command)

    sheet = Sheet(
        title=f"rules of {run.strategy.name} ({run.id}), under way",
        draft=draft_of(basket),
        facts=facts_of(deck),
        save=save,
        of_run=True,
    )
    screen.app.push_screen(BuilderScreen(deck, sheet))


async def _edit(screen: ConsoleScreen, builder: BuilderForm, command: EditRun) -> None:
    """A change that would close something at once says so with its numbers, and is asked for a second time."""
    deck = builder.deck
    reply = await deck.submit(command)
    if reply.ok:
        builder.dismiss(None)
        screen.say(reply.text, "good")
        return
    if reply.code != FIRES:
        builder.tell(f"{reply.text} [{reply.code}]", "bad")
        return

    async def answered(yes: bool | None) -> None:
        if yes:
            await _edit(screen, builder, msgspec.structs.replace(command, id=deck.fresh_id(), fire=True))
        else:
            builder.tell("Not changed: it would have fired at once.", "warn")

    word = FIRE if deck.mode in ("live", "halted") else ""
    builder.app.push_screen(Confirm("This would fire at once. Do it?", _told(reply.text), word=word), answered)


def _told(text: str) -> list[Line]:
    return [([Part(piece, "bad")], []) for piece in textwrap.wrap(text, WIDTH)]


def known_templates() -> tuple[str, ...]:
    """The structures by name."""
    return tuple(TEMPLATES)
