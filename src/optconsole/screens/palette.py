"""What the command palette finds beside the keys: screens, themes, and the ticket of any contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from optconsole.engine.commands import RunAction
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.orders import Side
from optconsole.engine.model.text import display
from optconsole.engine.queries import FindInstruments, InstrumentList
from optconsole.screens import steering
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.command_actions import perform
from optconsole.screens.dialogs import Confirm
from optconsole.screens.keys import MODE_NUMBERS
from optconsole.screens.wishes import BasketWish, Release, RunWish, Show, Steer, Trade, UseTheme, Wish

FOUND: Final = 10
UNLOCK: Final = "UNLOCK"
_VERBS_IN: Final = {
    BasketStatus.ACTIVE: ("pause", "stop", "exit", "edit"),
    BasketStatus.PAUSED: ("start", "stop", "exit", "edit"),
    BasketStatus.STOPPED: ("start", "edit", "archive"),
    BasketStatus.ARCHIVED: ("edit",),
}
"""What the palette offers for a basket."""


class ConsoleCommands(Provider):
    """Wishes by name, carried out as if they were typed on the ``:`` line."""

    def _wishes(self) -> Iterator[tuple[str, str, Wish]]:
        for name in MODE_NUMBERS:
            yield f"Go to {name}", f"Show the {name} screen", Show(name)
        for theme in sorted(self.app.available_themes):
            yield f"Theme {theme}", f"Wear the theme {theme}", UseTheme(theme)
        yield from self._of_baskets()
        yield "Release the kill switch", f"Allow new risk again; {UNLOCK} is asked for", Release(UNLOCK)
        yield "Pause the market", "Hold the market's clock", Steer("pause")
        yield "Resume the market", "Let the market's clock run", Steer("resume")

    def _of_baskets(self) -> Iterator[tuple[str, str, Wish]]:
        """What can be done with each basket in its present state, and with the runs that can be steered."""
        screen = self.screen
        if not isinstance(screen, ConsoleScreen):
            return
        yield "New basket", "Build a basket from a structure", BasketWish("new")
        state, fmt = screen.deck.mirror.state, screen.deck.fmt
        for name, book in sorted(state.baskets.items()):
            shown = fmt.text(name)
            for verb in _VERBS_IN[book.status]:
                yield f"Basket {shown}: {verb}", f"Version {book.version}, {book.status.value}", BasketWish(verb, name)
        for run in state.runs.values():
            if not run.status.over:
                shown = f"Run {run.id} {fmt.text(run.strategy.name)}"
                for action in RunAction:
                    if steering.may(run, action):
                        wish = RunWish(action.value, run.id)
                        yield f"{shown}: {action.value}", f"{fmt.text(run.account)}, {run.status.value}", wish

    def _run(self, wish: Wish) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            screen = self.screen
            if not isinstance(screen, ConsoleScreen):
                return
            if not isinstance(wish, Release):
                await perform(wish, screen)
                return

            async def answered(yes: bool | None) -> None:
                if yes:
                    await perform(wish, screen)

            await screen.app.push_screen(Confirm("Release the kill switch?", (), word=UNLOCK), answered)

        return run

    async def discover(self) -> Hits:
        for name, tip, wish in self._wishes():
            yield DiscoveryHit(name, self._run(wish), help=tip)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, tip, wish in self._wishes():
            if (score := matcher.match(name)) > 0:
                yield Hit(score, matcher.highlight(name), self._run(wish), help=tip)
        if len(query) < 3 or not isinstance(self.screen, ConsoleScreen):
            return
        answer = await self.screen.deck.query(FindInstruments(text=query.upper(), limit=FOUND))
        for listed in answer.instruments if isinstance(answer, InstrumentList) else ():
            if listed.tradable:
                for side in Side:
                    # content, as a plain string would be read as markup
                    text = Content(f"{side.value.capitalize()} {display(listed.name)}")
                    wish = Trade(side, listed.name)
                    yield Hit(0.9, text, self._run(wish), help="Open the ticket")
