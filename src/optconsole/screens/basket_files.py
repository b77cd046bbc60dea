"""Baskets brought in from files, taken out to files, and written once more under another name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from optconsole.engine.commands import SaveBasket
from optconsole.engine.model.baskets import BasketBook
from optconsole.engine.model.errors import Refusal
from optconsole.engine.strategies.files import LARGEST, write_basket
from optconsole.engine.strategies.linting import Checked, check_text
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.beside import beside
from optconsole.screens.dialogs import Confirm
from optconsole.screens.faults import FaultList
from optconsole.screens.reason import Reason
from optconsole.screens.steering import send
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line


def import_file(screen: ConsoleScreen, path: str, actor: str) -> None:
    """Read a file, check it, and save its basket as the next version; what is wrong shows with its lines."""

    async def work() -> None:
        try:
            text = await asyncio.to_thread(_read, path)
        except Refusal as refusal:
            screen.say(f"{refusal.text} [{refusal.code}]", "bad")
            return
        checked = await asyncio.to_thread(check_text, text)
        if checked.basket is None or not checked.sound:
            _complain(screen, path, checked)
            return
        basket = checked.basket
        known = screen.deck.mirror.state.baskets.get(basket.name)
        over = None if known is None else known.version
        command = SaveBasket(id=screen.deck.fresh_id(), actor=actor, basket=basket, over=over)
        if known is None:
            await screen.ask(command)
            return
        name = screen.deck.fmt.text(basket.name)
        lines: list[Line] = [
            ([Part(f"It is there as version {known.version}; the file becomes version {known.version + 1}.")], [])
        ]

        def answered(yes: bool | None) -> None:
            if yes:
                send(screen, command)

        screen.app.push_screen(Confirm(f"Write over {name}?", lines), answered)

    beside(screen, work, group="import", exclusive=True)


def export_file(screen: ConsoleScreen, book: BasketBook, path: str) -> None:
    """Write a basket to a file; one that is there already is asked about."""
    target = Path(path).expanduser()
    name = screen.deck.fmt.text(book.basket.name)

    async def work() -> None:
        try:
            await asyncio.to_thread(_write, target, write_basket(book.basket))
        except Refusal as refusal:
            screen.say(f"{refusal.text} [{refusal.code}]", "bad")
            return
        screen.say(f"{name} is in {screen.deck.fmt.text(path)}.", "good")

    def answered(yes: bool | None) -> None:
        if yes:
            beside(screen, work, group="export", exclusive=True)

    if target.exists():
        lines: list[Line] = [([Part(screen.deck.fmt.text(str(target)), "dim")], [])]
        screen.app.push_screen(Confirm("The file is there already: write over it?", lines), answered)
    else:
        answered(True)


def clone(screen: ConsoleScreen, book: BasketBook, new: str, actor: str) -> None:
    """Save a basket once more under another name, stopped."""
    if new in screen.deck.mirror.state.baskets:
        screen.say(f"A basket is called {screen.deck.fmt.text(new)} already; choose another name.", "bad")
        return
    copy = msgspec.structs.replace(book.basket, name=new)
    checked = check_text(write_basket(copy))
    if not checked.sound:
        screen.say(f"{screen.deck.fmt.text(new)!r} will not do: {checked.faults[0].text}", "bad")
        return
    send(screen, SaveBasket(id=screen.deck.fresh_id(), actor=actor, basket=copy))


def ask_name(screen: ConsoleScreen, book: BasketBook, actor: str) -> None:
    """Ask what the copy is to be called."""
    title = f"A copy of {screen.deck.fmt.text(book.basket.name)}: its name"
    screen.app.push_screen(
        Reason(title, [], "up to 40 letters, digits, spaces and . _ & -"),
        lambda new: None if new is None else clone(screen, book, new, actor),
    )


def ask_import(screen: ConsoleScreen, actor: str) -> None:
    """Ask for the file to bring in."""
    lines: list[Line] = [([Part("A file is data: it is checked and saved, nothing in it is run.", "dim")], [])]
    screen.app.push_screen(
        Reason("Import a basket", lines, "path of the TOML file"),
        lambda path: None if path is None else import_file(screen, path, actor),
    )


def ask_export(screen: ConsoleScreen, book: BasketBook) -> None:
    """Ask where to write it."""
    title = f"Export {screen.deck.fmt.text(book.basket.name)}"
    hint = f"path of the file, such as {book.basket.name.replace(' ', '-')}.toml"
    screen.app.push_screen(
        Reason(title, [], hint), lambda path: None if path is None else export_file(screen, book, path)
    )


def _complain(screen: ConsoleScreen, path: str, checked: Checked) -> None:
    screen.app.push_screen(FaultList(f"{screen.deck.fmt.text(path)} is not saved", checked.faults, screen.deck.fmt))


def _read(given: str) -> str:
    path = Path(given).expanduser()
    try:
        if path.stat().st_size > LARGEST:
            raise Refusal("TOO_LARGE", f"{path} is larger than {LARGEST:,} bytes; a basket is not.")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refusal("NOT_TEXT", f"{path} is not a text file in UTF-8.") from None
    except (OSError, ValueError) as failed:
        told = failed.strerror if isinstance(failed, OSError) else failed
        raise Refusal("NO_FILE", f"{path} cannot be read: {told}.") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as failed:
        told = failed.strerror if isinstance(failed, OSError) else failed
        raise Refusal("NO_FILE", f"{path} cannot be written: {told}.") from None
