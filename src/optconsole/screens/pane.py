"""Panes: what a screen shows, as a widget, so that a wide terminal can hold two side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widget import Widget

from optconsole.screens.base import ConsoleScreen
from optconsole.screens.deck import Deck
from optconsole.screens.key import Key
from optconsole.screens.mirror import Topic
from optconsole.screens.widgets.quote_grid import QuoteGrid

TWO_ABREAST: Final = (180, 40)
"""The least size of a terminal that shows two panes."""


class Pane(Vertical):
    """One view with its own keys. Its screen feeds it; ``host`` is that screen."""

    CONTEXTS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, deck: Deck, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.deck = deck

    @property
    def host(self) -> PanedScreen:
        """The screen this pane is part of."""
        screen = self.screen
        assert isinstance(screen, PanedScreen)
        return screen

    @property
    def grid(self) -> QuoteGrid:
        """The pane's table."""
        return self.query_one(QuoteGrid)

    def reload(self) -> None:
        """Build everything anew from the mirror."""

    def beat(self, changed: set[str]) -> None:
        """Show new quotes of ``changed``."""

    def quote_names(self) -> Iterable[str]:
        """Contracts whose quotes the pane shows now."""
        return ()

    def selected_contract(self) -> str | None:
        """What the ticket opens on."""
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a contract under the cursor there is nothing to buy or sell, and no key that says so."""
        return action != "ticket" or (self.is_mounted and self.selected_contract() is not None)

    @on(QuoteGrid.CursorMoved)
    def _other_row(self) -> None:
        """Another row may offer other keys."""
        self.host.refill_keys()

    def action_ticket(self, side: str) -> None:
        self.host.open_ticket(self.selected_contract(), side)


class PanedScreen(ConsoleScreen):
    """A screen of one pane, and of a second one beside it where the terminal is wide enough."""

    DEFAULT_CSS = """
    PanedScreen #panes { height: 1fr; }
    PanedScreen #panes > Pane { width: 1fr; }
    PanedScreen .companion { border-left: solid $quiet; }
    """

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self.pane = self.make_pane()
        self.companion: Pane | None = None
        self._wide = False

    def make_pane(self) -> Pane:
        """The pane that is always there."""
        return Pane(self.deck)

    def make_companion(self) -> Pane | None:
        """The pane for a wide terminal; None where the screen needs all the width itself."""
        return None

    def body(self) -> ComposeResult:
        with Horizontal(id="panes"):
            yield self.pane

    def on_mount(self) -> None:
        super().on_mount()
        self.pane.grid.focus()

    def panes(self) -> list[Pane]:
        """The panes shown."""
        second = self.companion
        return [self.pane, second] if second is not None and second.display and second.is_mounted else [self.pane]

    @property
    def active(self) -> Pane:
        """The pane that has the focus."""
        focused = self.focused
        return next(
            (pane for pane in self.panes() if focused is not None and pane in focused.ancestors_with_self), self.pane
        )

    def on_resize(self, event: Resize) -> None:
        super().on_resize(event)
        self._wide = event.size.width >= TWO_ABREAST[0] and event.size.height >= TWO_ABREAST[1]
        # at the start what is heavy waits until the first figures are painted
        if self.deck.pulse.beats:
            self._join()
        if self.companion is not None and self.companion.display != self._wide:
            self.companion.display = self._wide
            if not self._wide:
                self.pane.grid.focus()
            self._on_resync()
            self.deck.pulse.rewatch()

    def _join(self) -> None:
        """Mount the second pane where there is room and it is missing."""
        if self._wide and self.companion is None and self.is_mounted:
            self.companion = self.make_companion()
            if self.companion is None:
                self._wide = False
            else:
                self.companion.add_class("companion")
                self.query_one("#panes").mount(self.companion)

    def on_descendant_focus(self) -> None:
        """The footer shows the keys of the pane that has the focus."""
        self.refill_keys()

    # ------------------------------------------------------------ what the panes do together

    def topics(self) -> Iterable[Topic]:
        return (Topic.ORDERS, Topic.POSITIONS)

    def reload(self) -> None:
        for pane in self.panes():
            pane.reload()

    def beat(self, changed: set[str]) -> None:
        for pane in self.panes():
            pane.beat(changed)
        if self._wide and self.companion is None:
            self.call_after_refresh(self._join)

    def quote_names(self) -> Iterable[str]:
        return [name for pane in self.panes() for name in pane.quote_names()]

    def selected_contract(self) -> str | None:
        return self.active.selected_contract()

    def main_grid(self) -> QuoteGrid | None:
        return self.active.grid

    def actor_of(self, key: Key) -> Widget:
        return self.active if key.context in self.active.CONTEXTS else self

    def contexts(self) -> tuple[str, ...]:
        return self.active.CONTEXTS

    def own_keys(self) -> list[Key]:
        pane = self.active
        return [key for key in self.deck.keymap.of(*pane.CONTEXTS) if pane.check_action(key.action.split("(")[0], ())]
