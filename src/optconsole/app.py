"""The Textual app: modes, themes, keys, palette, and the link's lifetime.

Only what the first frame shows is imported here; what needs the engine's words is imported behind that frame.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment, Segments
from textual.app import App, SystemCommand
from textual.screen import Screen

from optconsole.engine.model.errors import Refusal
from optconsole.paths import package_data, themes_dir
from optconsole.screens.framed import FramedScreen
from optconsole.screens.keymap import Keymap, bindings
from optconsole.screens.keys import MODE_NUMBERS
from optconsole.screens.presses import Chord
from optconsole.screens.splash import Splash
from optconsole.screens.terminal import CHECK_EVERY, TERMINATED, is_remote, on_signals
from optconsole.screens.terminal_app import TerminalApp
from optconsole.screens.theming import BrokenTheme, Look
from optconsole.screens.wardrobe import Wardrobe

if TYPE_CHECKING:
    from textual.command import Provider

    from optconsole.screens.deck import Deck
    from optconsole.screens.lifeline import Lifeline, Opener

HOUSEKEEPING: Final = 1.0
FUNDS_EVERY: Final = 5.0
FUNDS_AFTER_FILL: Final = 0.3
"""Seconds from a fill to asking for funds: the fills of one order come together."""


@dataclass(frozen=True, kw_only=True)
class ConsoleOptions:
    """How the console looks. ``keys`` are the trader's own bindings by id, ``hz`` the beat (None chooses)."""

    home: Path
    screen: str = "positions"
    theme: str | None = None
    ascii: bool = False
    hz: float | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    argv: tuple[str, ...] = ()
    attached: bool = False


def _console_commands() -> type[Provider]:
    """The palette's own finds, imported when the palette first opens."""
    from optconsole.screens.palette import ConsoleCommands

    return ConsoleCommands


class ConsoleApp(TerminalApp):
    """One console on one engine. ``opener`` is called after the first paint, and again when the link is lost."""

    CSS_PATH = package_data() / "app.tcss"
    TITLE = "optconsole"
    BINDINGS = bindings("app")
    COMMANDS = App.COMMANDS | {_console_commands}
    COMMAND_PALETTE_BINDING = "ctrl+backslash"
    ESCAPE_TO_MINIMIZE: ClassVar[bool] = False

    def __init__(self, opener: Opener, options: ConsoleOptions) -> None:
        keymap = Keymap(options.keys)
        super().__init__(keymap, ascii=options.ascii)
        self.options = options
        self.deck: Deck | None = None
        self._opener = opener
        self._lifeline: Lifeline | None = None
        self._first = options.screen if options.screen in MODE_NUMBERS else "positions"
        self._tasks: set[asyncio.Task[None]] = set()
        self._kill = Chord()
        self._kill_waits = False
        self._leaving = False
        self._funds_at = -FUNDS_EVERY
        self._funds_due = False
        for name in tuple(self.available_themes):
            self.unregister_theme(name)
        self.wardrobe = Wardrobe([themes_dir(), options.home / "themes"])
        name = self.wardrobe.choose(options.theme, no_color=self.no_color, remote=is_remote(os.environ))
        self._look = self.wardrobe.looks[name]
        self.register_theme(self._look.theme)
        self.theme = name

    def _monotonic(self) -> float:
        # the engine's clock brings more with it than the first frame may wait for
        from optconsole.engine.clock import WallClock

        return WallClock().monotonic()

    # ------------------------------------------------------------ looks

    @property
    def look(self) -> Look:
        """The finished styles of the present theme."""
        return self._look

    def _watch_theme(self, theme_name: str) -> None:
        self._look = self.wardrobe.looks.get(theme_name, self._look)
        super()._watch_theme(theme_name)

    def reload_theme(self) -> None:
        """Put the present theme on again when its file has changed; a broken file is told and changes nothing."""
        try:
            look = self.wardrobe.changed(self.theme)
        except BrokenTheme as error:
            self.say(str(error), "bad")
            return
        if look is not None:
            self.register_theme(look.theme)
            self._watch_theme(look.name)

    # ------------------------------------------------------------ life

    def get_default_screen(self) -> Screen[None]:
        doing = "reaching the engine …" if self.options.attached else "starting the engine …"
        return Splash(doing, self._first, self._keys, ascii=self.options.ascii)

    def on_mount(self) -> None:
        self.set_class(self.options.ascii, "-ascii")
        self.set_keymap(self._keys.own)
        if not self.is_headless:
            on_signals(lambda: self._spawn(self._leave(TERMINATED)), lambda: self._spawn(self.hang_up()))
            self.set_interval(CHECK_EVERY, self.check_terminal)
        # the engine is imported and started only once the first frame is on its way to the terminal
        self.call_after_refresh(lambda: self._spawn(self._open()))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run beside the screens; a fault there ends the console as one in a screen does."""

        async def run() -> None:
            try:
                await work
            except Exception as error:
                self._handle_exception(error)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self) -> None:
        from optconsole.screens.boarding import board
        from optconsole.screens.catalog import screen_maker
        from optconsole.screens.lifeline import Lifeline
        from optconsole.screens.mirror import Topic

        options = self.options
        self._lifeline = Lifeline(self._opener)
        try:
            deck = await board(
                self._lifeline,
                self._keys,
                self._monotonic,
                ascii=options.ascii,
                attached=options.attached,
                hz=options.hz,
            )
        except Refusal as refusal:
            self.exit(1, return_code=1, message=f"optconsole: {refusal}")
            return
        self.deck = deck
        deck.mirror.on(Topic.STATE, lambda: self._spawn(deck.learn()))
        deck.mirror.on(Topic.POSITIONS, self._funds_soon)
        self._spawn(self._lifeline.follow(deck.mirror, deck.pulse))
        for name in MODE_NUMBERS:
            self.add_mode(name, screen_maker(name, deck))
        await self.switch_mode(self._first)
        self.set_interval(1 / deck.pulse.hz, deck.pulse.beat)
        self.set_interval(HOUSEKEEPING, self._keep_house)
        if self._kill_waits:
            await self._engage_kill(deck)
        self.call_after_refresh(lambda: self._spawn(self._settle(deck)))

    async def _settle(self, deck: Deck) -> None:
        """What can wait until the first screen has been painted."""
        self.wardrobe.fill()
        for look in self.wardrobe.looks.values():
            self.register_theme(look.theme)
        if problems := [*self.wardrobe.problems, *deck.keymap.problems, *deck.keymap.clashes()]:
            self.say(problems[0], "warn")
        from optconsole.screens.tour import Tour, first_time

        if first_time(self.options.home):
            await self.push_screen(Tour(deck, self.options.home))
        await self._ask_funds(deck)
        calm_the_collector()

    async def _keep_house(self) -> None:
        """Once a second: has the theme's file changed, how old is what is shown, what does the broker say on money."""
        self.reload_theme()
        deck = self.deck
        if deck is None:
            return
        if deck.mirror.lost:
            if isinstance(self.screen, FramedScreen):
                self.screen.on_pulse(set())
        elif self._monotonic() - self._funds_at > FUNDS_EVERY:
            self._spawn(self._ask_funds(deck))

    def _funds_soon(self) -> None:
        if not self._funds_due and self.deck is not None:
            self._funds_due = True
            self.set_timer(FUNDS_AFTER_FILL, self._count_fill)

    def _count_fill(self) -> None:
        """Ask for funds after a fill, unless a dialog that needs them has asked already."""
        self._funds_due = False
        deck = self.deck
        if deck is not None and not deck.mirror.lost and deck.mirror.funds_seq < deck.mirror.state.seq:
            self._spawn(self._ask_funds(deck))

    async def _ask_funds(self, deck: Deck) -> None:
        self._funds_at = self._monotonic()
        await deck.ask_funds()

    async def _leave(self, code: int) -> None:
        if self._leaving:
            return
        self._leaving = True
        # asked to end by a signal this is itself one of the tasks
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        await self.let_go()
        self.exit(code, return_code=code)

    async def let_go(self) -> None:
        if self._lifeline is not None:
            await self._lifeline.close()

    def say(self, text: str, role: str = "") -> None:
        """Say something on the present screen, or on the one beneath a dialog."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, FramedScreen):
                screen.say(text, role)
                return

    def _fatal_error(self) -> None:
        """One sentence with an incident number; what was in memory stays out of the terminal."""
        error = self._exception if self._exception is not None else RuntimeError("unknown fault")
        from optconsole.incident import report

        line = report(error, self.options.argv, self.options.home)
        self._exit_renderables.append(Segments([Segment(line), Segment.line()]))
        self._close_messages_no_wait()

    # ------------------------------------------------------------ keys

    async def action_quit(self) -> None:
        deck = self.deck
        if deck is None or self.options.attached:
            await self._leave(0)
            return
        from optconsole.screens.leaving import LeavingQuestion, leaving_question

        if any(isinstance(screen, LeavingQuestion) for screen in self.screen_stack):
            return
        question = leaving_question(deck.mirror.state, deck.fmt)
        if question is None:
            await self._leave(0)
            return

        async def answered(yes: bool | None) -> None:
            if yes:
                await self._leave(0)

        await self.push_screen(question, answered)

    async def action_kill_chord(self) -> None:
        """Twice within two seconds. Never slowed by a question; before there is an engine it waits for it."""
        if not self._kill.pressed(self._monotonic()):
            again = self._keys.kill_key()
            self.say(f"{again} again within two seconds: KILL cancels all, flattens, refuses new risk.", "bad")
        elif self.deck is None:
            self._kill_waits = True
            self.say("KILL is sent as soon as the engine can be reached.", "bad")
        else:
            await self._engage_kill(self.deck)

    async def _engage_kill(self, deck: Deck) -> None:
        reply = await deck.kill()
        self.say(reply.text if reply.text else "KILL engaged.", "bad")

    def action_change_theme(self) -> None:
        from optconsole.screens.theme_picker import ThemePicker

        self.push_screen(ThemePicker(self.wardrobe.looks, self.theme))

    async def action_show_screen(self, name: str) -> None:
        if self.deck is not None:
            await self.switch_mode(name)
        elif isinstance(self.screen, Splash):
            self._first = name
            self.screen.choose(name)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every binding by name: what can be pressed can be found."""
        if self.deck is None:
            return ()
        from optconsole.screens.key_commands import key_commands

        return key_commands(self, screen)


def calm_the_collector() -> None:
    """What start-up built stays; collecting it again and again is what makes a console stutter."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run_console(opener: Opener, options: ConsoleOptions) -> int:
    """Open the console, start or reach its engine with ``opener`` behind the first frame, return the exit code."""
    app = ConsoleApp(opener, options)
    code = app.run()
    return code if code is not None else app.return_code or 0
