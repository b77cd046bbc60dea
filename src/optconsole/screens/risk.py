"""Risk: what is limited at every level, how much of it is used, and what orders may leave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import Level, Limit, Standing, scope_key
from optconsole.engine.queries import GetRisk, LimitRow, RiskAnswer
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.dialogs import Confirm
from optconsole.screens.keymap import bindings
from optconsole.screens.limit_words import read_limit, read_value, value_text
from optconsole.screens.mirror import Topic
from optconsole.screens.restraining import ask_reason, drop_limit, set_limit, set_standing, standing_line
from optconsole.screens.risk_rows import (
    STANDING_ROLES,
    STANDING_WORDS,
    limit_columns,
    limit_rows,
)
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon

TEACH: Final = (
    ("No limit is set yet.", "title"),
    ("A limit holds at a level (order, leg, strategy, basket, account, global) and acts when it is reached.", ""),
    ("n sets one: global max-loss 25000 exit-scope, account:NAME open-lots 20, global hours 09:20-15:10", "dim"),
)


class RiskScreen(ConsoleScreen):
    """Limits as bars below the level they are for, and that level's trading state."""

    NAME = "risk"
    CONTEXTS: ClassVar[tuple[str, ...]] = ("risk",)
    OFFERS: ClassVar[frozenset[str]] = frozenset({"find"})
    BINDINGS = bindings("risk")
    DEFAULT_CSS = """
    RiskScreen #risk-head { margin: 0 1; }
    RiskScreen #risk-teach { margin: 1 1; display: none; height: auto; }
    RiskScreen.-bare #risk-teach { display: block; }
    """

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self._answer: RiskAnswer | None = None
        self._shape: list[tuple[str, str]] = []
        self._clock = -1

    def body(self) -> ComposeResult:
        yield Ribbon(id="risk-head")
        yield QuoteGrid(limit_columns(self.deck.fmt), id="limits")
        yield Ribbon(len(TEACH), id="risk-teach")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#limits", QuoteGrid).focus()
        self.query_one("#risk-teach", Ribbon).show(*[([Part(text, role)], []) for text, role in TEACH])

    def topics(self) -> Iterable[Topic]:
        return (Topic.POSITIONS,)

    # ------------------------------------------------------------ content

    def reload(self) -> None:
        """Ask anew: what is used follows from prices, which only the engine has all of."""
        beside(self, self._read, group="risk", exclusive=True)

    def beat(self, changed: set[str]) -> None:
        now = self.deck.mirror.now
        second = int(now.timestamp()) if now else -1
        if second != self._clock:
            self._clock = second
            self.reload()

    async def _read(self) -> None:
        answer = await self.deck.query(GetRisk())
        if isinstance(answer, RiskAnswer) and self.fed:
            self._answer = answer
            self._show(answer)

    def _show(self, answer: RiskAnswer) -> None:
        grid, fmt = self.query_one("#limits", QuoteGrid), self.deck.fmt
        rows = limit_rows(answer.limits, answer.states, fmt)
        if (shape := [(row.key, row.kind) for row in rows]) == self._shape:
            grid.apply({row.key: row.values for row in rows})
        else:
            self._shape = shape
            grid.set_rows(rows)
        self.set_class(not answer.limits, "-bare")
        standing = next((state.standing for state in answer.states if state.level is Level.GLOBAL), Standing.ACTIVE)
        head = [
            Part("Trading is ", "dim"),
            Part(standing.value.upper(), STANDING_ROLES[standing]),
            Part(f": {STANDING_WORDS[standing]}", "dim", 1),
        ]
        worst = max((row.percent for row in answer.limits if row.percent is not None), default=None)
        used = [Part("most used ", "dim", 2), Part(f"{worst:.0f} %", "", 2)] if worst is not None else []
        self.query_one("#risk-head", Ribbon).show((head, used))
        self.refill_keys()

    # ------------------------------------------------------------ selection

    def limit(self) -> LimitRow | None:
        """The limit under the cursor; None on a level's own row."""
        key = self.query_one("#limits", QuoteGrid).cursor_key
        rows = self._answer.limits if self._answer is not None else ()
        return next((row for row in rows if f"{scope_key(row.level, row.name)}/{row.kind.value}" == key), None)

    def scope(self) -> tuple[Level, str]:
        """The level under the cursor, whether on its own row or on one of its limits."""
        limit = self.limit()
        if limit is not None:
            return limit.level, limit.name
        key = (self.query_one("#limits", QuoteGrid).cursor_key or "group/global").removeprefix("group/")
        level, _, name = key.partition(":")
        return Level(level), name

    def standing(self) -> Standing:
        """The trading state of the level under the cursor."""
        states = self._answer.states if self._answer is not None else ()
        return next((each.standing for each in states if (each.level, each.name) == self.scope()), Standing.ACTIVE)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A state that is in force already needs no key; changing needs a limit under the cursor."""
        if not self.is_mounted or action not in ("change", "remove", "state"):
            return True
        if action == "state":
            return not parameters or self.standing().value != parameters[0]
        return self.limit() is not None

    @on(QuoteGrid.CursorMoved)
    def _other_row(self) -> None:
        self.refill_keys()

    # ------------------------------------------------------------ keys

    def action_state(self, name: str) -> None:
        """Stricter after a yes; looser only with a reason in words."""
        wanted, (level, which), now = Standing(name), self.scope(), self.standing()
        if wanted is now:
            return
        if wanted.severity < now.severity:
            set_standing(self, level, which, wanted, now, "key:state")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                set_standing(self, level, which, wanted, now, "key:state")

        scope = self.deck.fmt.text(scope_key(level, which))
        title = f"Set {scope} to {wanted.value.upper()}?"
        self.app.push_screen(Confirm(title, [standing_line(wanted)], easy=True), answered)

    def action_change(self) -> None:
        """Another value; one that allows more needs a reason."""
        row = self.limit()
        if row is None:
            return
        fmt = self.deck.fmt
        name = f"{row.kind.value} of {fmt.text(scope_key(row.level, row.name))}"
        now = value_text(row.unit, row.value, row.second, fmt)
        line: Line = ([Part("now ", "dim"), Part(now, "strong"), Part(f"   then {row.action.value}", "dim")], [])

        def typed(text: str) -> None:
            try:
                value, second = read_value(row.kind, text)
            except Refusal as refusal:
                self.say(f"{refusal.text} [{refusal.code}]", "bad")
                return
            limit = Limit(
                level=row.level,
                kind=row.kind,
                value=value,
                name=row.name,
                second=second,
                action=row.action,
                until=row.until,
            )
            set_limit(self, limit, "key:limit")

        ask_reason(self, f"{name}: new value", [line], typed, "the new value")

    def action_add(self) -> None:
        lines: list[Line] = [
            ([Part("level kind value [action], such as", "dim")], []),
            ([Part("global max-loss 25000 exit-scope")], []),
            ([Part("account:NAME open-lots 20", "")], []),
        ]

        def typed(text: str) -> None:
            try:
                set_limit(self, read_limit(text), "key:limit")
            except Refusal as refusal:
                self.say(f"{refusal.text} [{refusal.code}]", "bad")

        ask_reason(self, "A new limit", lines, typed, "global max-loss 25000")

    def action_remove(self) -> None:
        row = self.limit()
        if row is not None:
            drop_limit(self, row.level, row.kind, row.name, "key:limit")
