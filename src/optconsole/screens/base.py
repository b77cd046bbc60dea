"""What all screens share: the frame around a body, their life on the pulse, and the keys that work everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key as KeyPress
from textual.events import Resize
from textual.geometry import Size
from textual.messages import Prune
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

from optconsole.engine.commands import AcknowledgeNotices, AnyCommand, Scope
from optconsole.screens.cramped import too_small, too_small_text
from optconsole.screens.deck import Deck
from optconsole.screens.framed import FramedScreen
from optconsole.screens.key import Key
from optconsole.screens.key_needs import NEEDS
from optconsole.screens.keymap import bindings, is_order_key, key_name
from optconsole.screens.mirror import Topic
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.frame import FactLine, Header, TroubleLine
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon
from optconsole.screens.widgets.shell import KeyLine, Tabs

BENEATH_DIALOGS: Final = 1.0
LAST_OFFERED: Final = frozenset({"leader", "quit"})
"""Keys of every screen that the footer shows where there is room for all."""


class ConsoleScreen(FramedScreen):
    """A screen of the console. Subclasses set NAME, give ``body`` and fill it in ``reload``.

    While visible it is fed by the pulse (``beat``) and by facts (``follow`` topics); hidden it costs nothing,
    and ``reload`` brings it up to date when it is shown again.
    """

    NAME: ClassVar[str] = ""
    CONTEXTS: ClassVar[tuple[str, ...]] = ()
    """Contexts of the key table whose bindings this screen has, besides the global ones."""
    OFFERS: ClassVar[frozenset[str]] = frozenset()
    """Ids of global keys that do something here and so belong in the footer."""
    BINDINGS = bindings("global")

    def __init__(self, deck: Deck) -> None:
        super().__init__(name=self.NAME)
        self.deck = deck
        self._stops: list[Callable[[], None]] = []
        self.fed = False
        self._fed_at = 0.0
        self._waiting: set[str] = set()

    # ------------------------------------------------------------ to be filled by each screen

    def body(self) -> ComposeResult:
        """The widgets inside the frame."""
        yield Ribbon()

    def reload(self) -> None:
        """Build everything anew from the mirror: on first show, on return, after a resync."""

    def beat(self, changed: set[str]) -> None:
        """Show new quotes of ``changed``; called once a beat while visible."""

    def quote_names(self) -> Iterable[str]:
        """Contracts whose quotes this screen shows now."""
        return ()

    def topics(self) -> Iterable[Topic]:
        """Topics after whose facts ``reload`` runs at once."""
        return ()

    def selected_contract(self) -> str | None:
        """What the ticket opens on."""
        return None

    def main_grid(self) -> QuoteGrid | None:
        """The grid that finding and sorting act on."""
        return next(iter(self.query(QuoteGrid)), None)

    # ------------------------------------------------------------ the frame

    def compose(self) -> ComposeResult:
        yield Header(self.deck)
        yield TroubleLine(self.deck)
        yield Tabs(self.NAME, ascii=self.deck.fmt.ascii)
        with Vertical(id="body"):
            yield from self.body()
        yield Input(id="find", placeholder="type to narrow, Enter keeps, Esc clears")
        yield FactLine(self.deck)
        yield KeyLine(self.deck.keymap)
        small = Ribbon(id="too-small")
        small.styles.height = "100%"
        yield small

    def on_mount(self) -> None:
        mirror = self.deck.mirror
        self._stops = [
            mirror.on(Topic.FACTS, self._on_fact),
            mirror.on(Topic.STATE, self._on_resync),
            mirror.on(Topic.LINK, self._on_resync),
            mirror.on(Topic.FUNDS, self._refill),
            *(mirror.on(topic, self._on_topic) for topic in self.topics()),
        ]

    async def on_prune(self, event: Prune) -> None:
        """From here on the widgets go: what still comes must not look for them."""
        self.fed = False

    def on_unmount(self) -> None:
        for stop in self._stops:
            stop()
        self.deck.pulse.detach(self)

    def on_screen_resume(self) -> None:
        self.fed = True
        self._fed_at = self.deck.monotonic()
        self._on_resync()
        self.deck.pulse.attach(self)

    def on_screen_suspend(self) -> None:
        stack = self.app.screen_stack
        covered_by_dialogs = self in stack and all(
            isinstance(screen, ModalScreen) for screen in stack[stack.index(self) + 1 :]
        )
        if covered_by_dialogs:
            self.refill_keys()
        else:
            self.fed = False
            self.query_one(FactLine).forget()
            self.deck.pulse.detach(self)

    def on_pulse(self, changed: set[str]) -> None:
        """One beat: the frame's figures, then the body; beneath a dialog once a second.

        What moves beneath a translucent dialog is composed and sent again as a whole.
        """
        if not self.fed:
            return
        self._waiting |= changed
        now = self.deck.monotonic()
        if self.app.screen is not self and now - self._fed_at < BENEATH_DIALOGS:
            return
        self._fed_at = now
        changed, self._waiting = self._waiting, set()
        self._refill_header()
        self.beat(changed)

    def _on_resync(self) -> None:
        if self.fed:
            mode = self.deck.mode
            for name in ("paper", "live", "halted", "replay", "what-if"):
                self.set_class(name == mode, f"-{name}")
            lost = self.deck.mirror.lost
            self.set_class(lost, "-lost")
            for widget in (*self.query(QuoteGrid), *self.query_one("#body").query(Ribbon)):
                widget.dim(lost)
            self.reload()
            self._refill()

    def _on_fact(self) -> None:
        if self.fed:
            self.query_one(FactLine).refill()
            self._refill_header()

    def _on_topic(self) -> None:
        if self.fed:
            self.reload()

    def _refill_header(self) -> None:
        self.query_one(Header).refill()
        self.query_one(TroubleLine).refill()

    def _refill(self) -> None:
        if self.fed:
            self._refill_header()
            self.query_one(Tabs).edge(f"edge-{self.deck.mode}")
            self.query_one(FactLine).refill()
            self.refill_keys()

    def refill_keys(self) -> None:
        """Show the keys that work here now; call it when that changes. Beneath a dialog none of them does."""
        covered = self.app.screen is not self
        self.query_one(KeyLine).offer([] if covered else [key for key in self.offered() if key.footer])

    def offered(self) -> list[Key]:
        """The bindings that do something on this screen now, its own before the global ones."""
        shared = self.OFFERS | {"command", "help"}
        everywhere = self.deck.keymap.of("global")
        return [
            *self.own_keys(),
            *(key for key in everywhere if key.id in shared),
            *(key for key in everywhere if key.id in LAST_OFFERED),
        ]

    def actor_of(self, key: Key) -> Widget:
        """What runs the action of one of the offered keys."""
        return self

    def own_keys(self) -> list[Key]:
        """The bindings of this screen's own contexts that do something now."""
        keymap = self.deck.keymap
        return [key for key in keymap.of(*self.contexts()) if self.check_action(key.action.split("(")[0], ())]

    def contexts(self) -> tuple[str, ...]:
        """Contexts of the key table that count here now."""
        return self.CONTEXTS

    def on_key(self, event: KeyPress) -> None:
        """A key that does nothing here says why, or where to read what does."""
        if self.has_class("-finding") or event.character is None or not event.character.strip():
            return
        if event.key not in self.active_bindings and (told := self.refused(event.key)):
            self.say(told, "dim")

    def refused(self, pressed: str) -> str:
        """Why a key does nothing now."""
        keymap = self.deck.keymap
        for key in keymap.of(*self.contexts(), "global"):
            if pressed in (name.strip() for name in keymap.keys(key).split(",")) and key.id in NEEDS:
                return f"{keymap.shown(key)} {key.description} needs {NEEDS[key.id]}."
        return f"{key_name(pressed)} does nothing here; {keymap.shown_of('help')} lists the keys that do."

    def on_resize(self, event: Resize) -> None:
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        """Say so where the terminal is too small to be used."""
        small = too_small(size)
        self.set_class(small, "-too-small")
        if small:
            self.query_one("#too-small", Ribbon).show(([Part(too_small_text(size), "warn")], []))

    # ------------------------------------------------------------ asking the engine

    async def ask(self, command: AnyCommand, done: str = "") -> bool:
        """Submit a command; a refusal is said in its own words. True when it was done."""
        reply = await self.deck.submit(command)
        if not reply.ok:
            self.say(f"{reply.text} [{reply.code}]", "bad")
        elif done or reply.text:
            self.say(done or reply.text, "good")
        return reply.ok

    def fresh_press(self, binding_id: str) -> bool:
        """False when this order key is only repeating: a key held down must not order twice."""
        return not is_order_key(binding_id) or self.deck.debounce.fresh(binding_id, self.deck.monotonic())

    # ------------------------------------------------------------ keys of every screen

    def action_ticket(self, side: str) -> None:
        self.open_ticket(self.selected_contract(), side)

    def open_ticket(self, contract: str | None, side: str) -> None:
        """Open the ticket on a contract; without one, or while the key is held down, nothing happens."""
        if contract is None or not self.fresh_press("buy" if side == "BUY" else "sell"):
            return
        # the ticket's widgets are needed only once a ticket opens
        from optconsole.engine.model.orders import Side
        from optconsole.screens.ticket import TicketScreen

        self.app.push_screen(TicketScreen(self.deck, contract, Side(side)))

    def action_show_help(self) -> None:
        from optconsole.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.deck, self.NAME, self.offered(), self.deck.keymap.of(*self.contexts())))

    def action_command_line(self) -> None:
        from optconsole.screens.command_line import CommandLine

        self.app.push_screen(CommandLine(self.deck))

    async def action_acknowledge(self) -> None:
        notices = self.deck.mirror.state.notices
        if not notices:
            self.say("There is no notice to mark.", "dim")
        else:
            await self.ask(
                AcknowledgeNotices(id=self.deck.fresh_id(), actor="key:seen", upto=notices[-1].seq),
                "All notices are marked as seen.",
            )

    def action_close_leader(self) -> None:
        from optconsole.screens import closing
        from optconsole.screens.closing_menu import GIVE_UP, ORDERS, RELEASE, ClosingMenu

        def chosen(answer: tuple[str, Scope] | None) -> None:
            if answer is not None:
                what, scope = answer
                if what == GIVE_UP:
                    closing.give_up(self, scope.name, "key:leader")
                elif what == RELEASE:
                    closing.release_kill(self, "key:leader")
                else:
                    act = closing.cancel_all if what == ORDERS else closing.flatten
                    act(self, scope, "key:leader")

        self.app.push_screen(ClosingMenu(self.deck, self.selected_contract()), chosen)

    def action_show_notices(self) -> None:
        from optconsole.screens.notices import NoticesScreen

        self.app.push_screen(NoticesScreen(self.deck))

    def action_why(self) -> None:
        self.say("Why is told of orders, of positions, and of runs on Baskets and Today.", "dim")

    def action_sort(self) -> None:
        grid = self.main_grid()
        if grid is not None and (title := grid.cycle_sort()) is not None:
            self.say(f"Sorted by {title}." if title else "In the natural order.", "dim")

    def action_find(self) -> None:
        if self.main_grid() is not None:
            self.add_class("-finding")
            self.query_one("#find", Input).focus()

    @on(Input.Changed, "#find")
    def _narrow(self, event: Input.Changed) -> None:
        if (grid := self.main_grid()) is not None:
            grid.narrow(event.value.strip())

    @on(Input.Submitted, "#find")
    def _keep(self) -> None:
        if (grid := self.main_grid()) is not None:
            grid.keep()
        self._leave_find()

    def key_escape(self) -> None:
        if self.has_class("-finding") or self.query_one("#find", Input).value:
            self.query_one("#find", Input).value = ""
            self._leave_find()

    def _leave_find(self) -> None:
        self.remove_class("-finding")
        if (grid := self.main_grid()) is not None:
            grid.focus()
