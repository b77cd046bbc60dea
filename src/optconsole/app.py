"""The Textual app: modes, themes, keys, palette, and the link's lifetime."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment, Segments
from textual.app import App, SystemCommand
from textual.filter import ANSIToTruecolor, LineFilter
from textual.screen import Screen

from optconsole.engine.clock import WallClock, fresh_id
from optconsole.engine.commands import EngageKill
from optconsole.engine.model.errors import Refusal
from optconsole.incident import report
from optconsole.link.protocol import LinkLost
from optconsole.paths import package_data, themes_dir
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.catalog import screen_maker
from optconsole.screens.deck import Deck
from optconsole.screens.dialogs import leaving_question
from optconsole.screens.formats import Formats
from optconsole.screens.key_commands import key_commands
from optconsole.screens.keymap import MODE_NUMBERS, Chord, Keymap, bindings
from optconsole.screens.lifeline import Lifeline, Opener, attached_opener
from optconsole.screens.mirror import Topic
from optconsole.screens.plain import AsciiFilter
from optconsole.screens.pulse import Pulse, beat_rate, is_remote
from optconsole.screens.splash import Splash
from optconsole.screens.terminal import CHECK_EVERY, HUNG_UP, TERMINATED, on_signals, terminal_gone
from optconsole.screens.theming import DEFAULT, BrokenTheme, Look
from optconsole.screens.wardrobe import Wardrobe

if TYPE_CHECKING:
    from textual.command import Provider

HOUSEKEEPING: Final = 1.0
FUNDS_EVERY: Final = 5.0
HANG_UP_LIMIT: Final = 5.0


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


class ConsoleApp(App[int]):
    """One console on one engine. ``opener`` is called after the first paint, and again when the link is lost."""

    CSS_PATH = package_data() / "app.tcss"
    TITLE = "optconsole"
    BINDINGS = bindings("app")
    COMMANDS = App.COMMANDS | {_console_commands}
    COMMAND_PALETTE_BINDING = "ctrl+backslash"
    ESCAPE_TO_MINIMIZE: ClassVar[bool] = False

    def __init__(self, opener: Opener, options: ConsoleOptions) -> None:
        self.wardrobe = Wardrobe([themes_dir(), options.home / "themes"])
        self._look = self.wardrobe.looks[DEFAULT]
        super().__init__()
        self.options = options
        self._ascii = AsciiFilter()
        self.deck: Deck | None = None
        self._lifeline = Lifeline(opener)
        self._tasks: set[asyncio.Task[None]] = set()
        self._monotonic = WallClock().monotonic
        self._kill = Chord()
        self._funds_at = -FUNDS_EVERY
        for name in tuple(self.available_themes):
            self.unregister_theme(name)
        for look in self.wardrobe.looks.values():
            self.register_theme(look.theme)
        self.theme = self.wardrobe.choose(options.theme, self.no_color)

    # ------------------------------------------------------------ looks

    @property
    def look(self) -> Look:
        """The finished styles of the present theme."""
        return self._look

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Without translating ANSI colours, as a theme is all truecolor or all ANSI; with ASCII where asked for."""
        filters = [each for each in super().get_line_filters() if not isinstance(each, ANSIToTruecolor)]
        return [*filters, self._ascii] if self.options.ascii else filters

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
        return Splash("reaching the engine …" if self.options.attached else "starting the engine …")

    def on_mount(self) -> None:
        self.set_class(self.options.ascii, "-ascii")
        self.set_keymap(Keymap(self.options.keys).own)
        if not self.is_headless:
            on_signals(lambda: self._spawn(self._leave(TERMINATED)), lambda: self._spawn(self._hang_up()))
            self.set_interval(CHECK_EVERY, self._check_terminal)
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
        try:
            mirror = await self._lifeline.open()
        except (Refusal, LinkLost) as refusal:
            self.exit(1, return_code=1, message=f"optconsole: {refusal}")
            return
        pulse = Pulse(mirror, beat_rate(os.environ, self.options.hz), self._monotonic)
        self.deck = deck = Deck(
            mirror,
            pulse,
            Formats(ascii=self.options.ascii),
            Keymap(self.options.keys),
            remote=is_remote(os.environ),
            attached=self.options.attached,
            monotonic=self._monotonic,
        )
        await self._learn(deck)
        mirror.on(Topic.POSITIONS, pulse.rewatch)
        mirror.on(Topic.STATE, lambda: self._spawn(self._learn(deck)))
        for name in MODE_NUMBERS:
            self.add_mode(name, screen_maker(name, deck))
        await self.switch_mode(self.options.screen if self.options.screen in MODE_NUMBERS else "positions")
        self._spawn(self._lifeline.follow(mirror, pulse))
        self.set_interval(1 / pulse.hz, pulse.beat)
        self.set_interval(HOUSEKEEPING, self._keep_house)
        self._spawn(self._ask_funds(deck))
        if problems := [*self.wardrobe.problems, *deck.keymap.problems, *deck.keymap.clashes()]:
            self.say(problems[0], "warn")
        from optconsole.screens.tour import Tour, first_time

        if first_time(self.options.home):
            await self.push_screen(Tour(deck, self.options.home))
        self.call_after_refresh(settle)

    async def _keep_house(self) -> None:
        """Once a second: has the theme's file changed, how old is what is shown, what does the broker say on money."""
        self.reload_theme()
        deck = self.deck
        if deck is None:
            return
        if deck.mirror.lost:
            if isinstance(self.screen, ConsoleScreen):
                self.screen.on_pulse(set())
        elif self._monotonic() - self._funds_at > FUNDS_EVERY:
            self._spawn(self._ask_funds(deck))

    async def _learn(self, deck: Deck) -> None:
        """What is listed changes with the day, and is unknown until the engine is ready."""
        await deck.learn()
        deck.pulse.always = deck.indices
        deck.pulse.rewatch()

    async def _ask_funds(self, deck: Deck) -> None:
        self._funds_at = self._monotonic()
        try:
            await deck.mirror.refresh_funds()
        except LinkLost as lost:
            deck.mirror.lose(str(lost))

    async def _leave(self, code: int) -> None:
        for task in self._tasks:
            task.cancel()
        await self._lifeline.close()
        self.exit(code, return_code=code)

    async def _check_terminal(self) -> None:
        if terminal_gone():
            await self._hang_up()

    async def _hang_up(self) -> None:
        """Stop our own engine and end at once: the driver would wait for ever to write its goodbye to nobody."""
        try:
            async with asyncio.timeout(HANG_UP_LIMIT):
                await self._lifeline.close()
        finally:
            os._exit(HUNG_UP)

    def say(self, text: str, role: str = "") -> None:
        """Say something on the present screen, or on the one beneath a dialog."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, ConsoleScreen):
                screen.say(text, role)
                return

    def _fatal_error(self) -> None:
        """One sentence with an incident number; what was in memory stays out of the terminal."""
        error = self._exception if self._exception is not None else RuntimeError("unknown fault")
        line = report(error, self.options.argv, self.options.home)
        self._exit_renderables.append(Segments([Segment(line), Segment.line()]))
        self._close_messages_no_wait()

    # ------------------------------------------------------------ keys

    async def action_quit(self) -> None:
        deck = self.deck
        if deck is None or self.options.attached or not deck.mirror.working():
            await self._leave(0)
            return

        async def answered(yes: bool | None) -> None:
            if yes:
                await self._leave(0)

        await self.push_screen(leaving_question(len(deck.mirror.working())), answered)

    async def action_kill_chord(self) -> None:
        """Twice within two seconds. Never slowed by a question."""
        second = self._kill.pressed(self._monotonic())
        deck = self.deck
        if deck is None:
            return
        if not second:
            again = deck.keymap.kill_key()
            self.say(f"{again} again within two seconds: KILL cancels all, flattens, refuses new risk.", "bad")
            return
        reply = await deck.submit(EngageKill(id=fresh_id(), actor="key:kill", why="kill chord"))
        self.say(reply.text if reply.text else "KILL engaged.", "bad")

    def action_change_theme(self) -> None:
        from optconsole.screens.theme_picker import ThemePicker

        self.push_screen(ThemePicker(self.wardrobe.looks, self.theme))

    async def action_show_screen(self, name: str) -> None:
        if self.deck is not None:
            await self.switch_mode(name)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every binding by name: what can be pressed can be found."""
        return key_commands(self, screen) if isinstance(screen, ConsoleScreen) else ()


def settle() -> None:
    """What start-up built stays; collecting it again and again is what makes a console stutter."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run_console(opener: Opener, options: ConsoleOptions) -> int:
    """Open the console, start its engine with ``opener`` behind the first frame, and return the exit code."""
    app = ConsoleApp(opener, options)
    code = app.run()
    return code if code is not None else app.return_code or 0


def run_attached(options: ConsoleOptions) -> int:
    """Open the console on the engine that runs in ``options.home``. Closing it changes nothing there."""
    return run_console(attached_opener(options.home), options)
