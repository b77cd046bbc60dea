"""Positions: what is held, what it has made, what it is worth now."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult

from optconsole.engine.commands import Scope, ScopeKind
from optconsole.engine.model.book import Drift
from optconsole.engine.model.positions import Position
from optconsole.engine.model.protection import Protection
from optconsole.engine.model.runs import Run
from optconsole.screens.adopting import adopt_position
from optconsole.screens.beside import beside
from optconsole.screens.closing import flatten, reverse
from optconsole.screens.deck import Deck
from optconsole.screens.dialogs import Confirm
from optconsole.screens.drift_words import drift_line
from optconsole.screens.formats import Formats, age_role, known_role, sign_role
from optconsole.screens.keymap import bindings
from optconsole.screens.pane import Pane, PanedScreen
from optconsole.screens.position_parts import leg_of
from optconsole.screens.position_rows import GROUPS, Grouping, PositionTable, read_name, why_held, with_drifted
from optconsole.screens.steering import exit_run
from optconsole.screens.ticket_model import USUAL_TICK
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon

EMPTY: Final = (
    ("No open positions.", "title"),
    ("", ""),
    ("This screen shows what you hold: average, live price, profit and loss, grouped as you like.", ""),
    ("To fill it, press 2 for the chain, stand on a strike and press b to buy or s to sell.", "dim"),
)


DRIFTS_SHOWN: Final = 3


def columns(fmt: Formats) -> list[Column]:
    """The columns of a position row, in the order of ``position_rows.Line.values``."""
    rupee = fmt.glyph("₹", "Rs")
    return [
        Column("Contract", 25, str, align="left", grow=13),
        Column("Lots (units)", 12, str, role=_side_role, grow=1),
        Column("Avg", 8, fmt.price, priority=1, grow=4),
        Column("LTP", 9, fmt.price, role=known_role, direction=True, flash=True, grow=3),
        Column("Age", 5, fmt.age, role=age_role, priority=5),
        Column("Bid", 10, fmt.price, role="dim", priority=8, grow=2),
        Column("Ask", 10, fmt.price, role="dim", priority=8, grow=2),
        Column(f"P&L {rupee}", 9, fmt.pnl, role=sign_role, grow=5),
        Column("%", 6, lambda ratio: _percent(ratio, fmt), role=sign_role, priority=4, grow=2),
        Column("Stop", 8, lambda level: _level(level, fmt), role=_level_role, priority=1, grow=2),
        Column(" Guard", 10, lambda told: f" {told[0]}", lambda told: told[1], align="left", priority=3),
        Column("To stop", 8, fmt.points, priority=6),
        Column(f"Risk {rupee}", 9, fmt.pnl, role=sign_role, priority=7),
        Column("Target", 8, fmt.price, role="dim", priority=9),
        Column("Realised", 10, fmt.pnl, role=sign_role, priority=10),
        Column("Charges", 8, fmt.money, role="dim", priority=12),
        Column("Delta", 8, lambda units: fmt.fixed(units, 1), priority=11),
        Column(f"Theta {rupee}", 8, lambda rupees: fmt.fixed(rupees, 0), priority=11),
    ]


def _percent(ratio: float | None, fmt: Formats) -> str:
    """As many decimals as six cells take."""
    size = abs(ratio) if ratio is not None else 0.0
    return fmt.percent(ratio, 2 if size < 0.09995 else 1 if size < 0.9995 else 0)


def _level(level: int | str, fmt: Formats) -> str:
    """A price, or in words that there is none where there must be one."""
    return level if isinstance(level, str) else fmt.price(level)


def _level_role(level: object) -> str:
    return "bad" if isinstance(level, str) else ""


def _side_role(text: str) -> str:
    if not text or text[0] == "0" or text.endswith("open"):
        return "dim"
    return "sell" if text[0] in "-\u2212" else "buy"


class PositionsPane(Pane):
    """Grouped positions with pinned totals; ``x`` exits the row's scope, Enter opens it."""

    CONTEXTS: ClassVar[tuple[str, ...]] = ("trade", "positions")
    BINDINGS = bindings("trade", "positions")

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self.grouping = Grouping.UNDERLYING
        self._folded: set[str] = set()
        self._asked: set[str] = set()
        self._table = PositionTable((), deck, self.grouping, self._folded)
        self._clock = -1

    def compose(self) -> ComposeResult:
        yield QuoteGrid(columns(self.deck.fmt), id="positions")
        yield Ribbon(DRIFTS_SHOWN, id="drifts")
        yield Ribbon(len(EMPTY), id="empty")

    def on_mount(self) -> None:
        self.grid.flashing = not self.deck.remote
        self.query_one("#empty", Ribbon).show(*[([Part(f"  {text}", role)], []) for text, role in EMPTY])

    # ------------------------------------------------------------ content

    def quote_names(self) -> Iterable[str]:
        return {position.key.contract for position in self._positions()}

    def _positions(self) -> list[Position]:
        state = self.deck.mirror.state
        return with_drifted(state.positions.values(), state.drifts, self.deck.lot_of)

    def _show_drifts(self) -> None:
        """Both numbers of every difference below the table, that of the selected row first."""
        deck, drifts = self.deck, self.deck.mirror.state.drifts
        chosen = self.grid.cursor_key
        first = sorted(drifts, key=lambda key: key != chosen)[:DRIFTS_SHOWN]
        books = deck.mirror.state.books
        lines = [
            drift_line(drifts[key], self._lot(drifts[key]), deck.mirror.now, deck.fmt, books.get(key, ()))
            for key in first
        ]
        ribbon = self.query_one("#drifts", Ribbon)
        ribbon.styles.height = len(lines)
        ribbon.display = bool(lines)
        ribbon.show(*lines, *[([], [])] * (DRIFTS_SHOWN - len(lines)))

    def _learn_lots(self) -> None:
        """Ask for the lots of what only the broker holds; until they are known units are shown."""
        drifts = self.deck.mirror.state.drifts.values()
        unknown = {read_name(drift.key.contract).underlying for drift in drifts if not self._lot(drift)} - self._asked
        self._asked |= unknown
        for underlying in unknown:
            beside(self, partial(self._learn, underlying))

    async def _learn(self, underlying: str) -> None:
        if await self.deck.contracts(underlying) and self.is_mounted:
            self.reload()

    def _lot(self, drift: Drift) -> int:
        held = self.deck.mirror.state.positions.get(str(drift.key))
        return held.lot if held is not None else self.deck.lot_of(drift.key.contract)

    def reload(self) -> None:
        """Rows for every position of the day; what is flat stays, below what is open."""
        positions = self._positions()
        self.set_class(not positions, "-empty")
        self._learn_lots()
        self._show_drifts()
        self._table = PositionTable(positions, self.deck, self.grouping, self._folded)
        self.grid.set_rows(*self._table.rows())
        self.host.refill_keys()

    def beat(self, changed: set[str]) -> None:
        """Rows of the changed contracts and the sums at once; all ages once a second."""
        now = self.deck.mirror.now
        second = int(now.timestamp()) if now else -1
        aged, self._clock = second != self._clock, second
        if aged:
            self._show_drifts()
        if keys := self._table.weigh_all() if aged else self._table.weigh(changed):
            self.grid.touch(keys, self._table.values)

    # ------------------------------------------------------------ selection

    def selected(self) -> Position | None:
        """The position under the cursor; None on a group's row."""
        return self.deck.mirror.state.positions.get(self.grid.cursor_key or "")

    def drift(self) -> Drift | None:
        """The difference of the row under the cursor; None where the books agree."""
        return self.deck.mirror.state.drifts.get(self.grid.cursor_key or "")

    def selected_contract(self) -> str | None:
        chosen = self.selected() or self.drift()
        if chosen is None and "|" in (key := self.grid.cursor_key or ""):
            return key.partition("|")[0].rpartition("/")[2]
        return chosen.key.contract if chosen else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that need a row do nothing, and are not offered, without one."""
        if action == "adopt":
            return self.is_mounted and self.drift() is not None
        if action in ("stop", "reverse"):
            held = self.selected() if self.is_mounted else None
            return held is not None and held.qty != 0
        if action == "move_stop":
            return self.is_mounted and self._guard() is not None
        if action in ("exit_row", "group", "fold", "detail"):
            return bool(self.deck.mirror.state.positions)
        return super().check_action(action, parameters)

    @on(QuoteGrid.RowActivated, "#positions")
    def _open(self, event: QuoteGrid.RowActivated) -> None:
        if event.key.startswith("group/"):
            self.action_fold()
        else:
            self.action_detail()

    # ------------------------------------------------------------ keys

    def action_group(self) -> None:
        self.grouping = GROUPS[(GROUPS.index(self.grouping) + 1) % len(GROUPS)]
        self._folded.clear()
        self.reload()
        self.host.say(f"Grouped by {self.grouping.value}.", "dim")

    def action_fold(self) -> None:
        grid = self.grid
        keys = grid.keys
        if grid.cursor_key not in keys:
            return
        at = keys.index(grid.cursor_key)
        header = next((key for key in reversed(keys[: at + 1]) if key.startswith("group/")), None)
        if header is not None:
            self._folded ^= {header}
            self.reload()
            grid.move_to(header)

    def action_detail(self) -> None:
        position = self.selected()
        if position is not None:
            from optconsole.screens.position_detail import PositionDetail

            self.app.push_screen(PositionDetail(self.deck, position.key))

    def action_adopt(self) -> None:
        if (drift := self.drift()) is not None:
            adopt_position(self.host, drift, self._lot(drift))

    def _guard(self) -> Protection | None:
        """The guard of the row under the cursor, if it has a stop."""
        guard = self.deck.mirror.state.protections.get(self.grid.cursor_key or "")
        return guard if guard is not None and guard.stop is not None else None

    def action_reverse(self) -> None:
        position = self.selected()
        if position is not None and position.qty and self.host.fresh_press("reverse"):
            reverse(self.host, position, "key:reverse")

    def action_stop(self) -> None:
        position = self.selected()
        if position is not None and position.qty:
            from optconsole.screens.stop import StopScreen

            self.app.push_screen(StopScreen(self.deck, position.key))

    async def action_move_stop(self, ticks: int) -> None:
        """A tick tighter goes at once; live, a tick looser is asked first."""
        position, guard = self.selected(), self._guard()
        if position is None or guard is None:
            return
        from optconsole.screens.stop_model import draft_of

        listed = self.deck.instruments.get(position.key.contract)
        mark = self.deck.mirror.mark(position.key.contract)
        draft = draft_of(position, guard, listed.tick if listed else USUAL_TICK, mark).nudge(ticks)
        command = draft.command(self.deck.fresh_id(), "key:stop")
        if not (draft.loosens and self.deck.mode == "live"):
            await self.host.ask(command)
            return

        async def answered(yes: bool | None) -> None:
            if yes:
                await self.host.ask(command)

        title = f"Loosen the stop of {self.deck.fmt.contract(position.key.contract)}?"
        self.app.push_screen(Confirm(title, ()), answered)

    def part(self) -> tuple[Run, str] | None:
        """The run of the row under the cursor where rows are grouped by basket, and its leg; no leg on its head."""
        if self.grouping is not Grouping.BASKET:
            return None
        key, state = self.grid.cursor_key or "", self.deck.mirror.state
        if key.startswith("group/"):
            run = state.runs.get(key.rpartition("/")[2])
            return None if run is None else (run, "")
        owner = leg_of(state, key.partition("|")[2])
        return None if owner is None else (owner[0], owner[1].id)

    def action_exit_row(self) -> None:
        if self.grouping is Grouping.BASKET:
            self._exit_part()
            return
        if not self.host.fresh_press("exit"):
            return
        if (scope := self._scope()) is None:
            self.host.say("Group by underlying or account to exit a whole group.", "warn")
        else:
            flatten(self.host, scope, "key:exit")

    def _exit_part(self) -> None:
        """Of a part only its run's own units go; what was traded by hand has no scope of its own here."""
        part = self.part()
        if part is None:
            self.host.say("Group by underlying or account to exit what was traded by hand.", "warn")
        elif self.host.fresh_press("exit"):
            exit_run(self.host, part[0], "key:exit", part[1])

    def _scope(self) -> Scope | None:
        """What ``x`` closes: the row's contract, or its group where the engine can act on such a group."""
        position = self.selected()
        if position is not None:
            return Scope(ScopeKind.CONTRACT, position.key.contract)
        group = (self.grid.cursor_key or "").removeprefix("group/")
        match self.grouping:
            case Grouping.UNDERLYING:
                return Scope(ScopeKind.UNDERLYING, group)
            case Grouping.ACCOUNT:
                return Scope(ScopeKind.ACCOUNT, group)
            case _:
                return None


class PositionsScreen(PanedScreen):
    """Positions; with the chain beside them where there is room."""

    NAME = "positions"
    OFFERS: ClassVar[frozenset[str]] = frozenset({"find", "why"})
    CONTEXTS: ClassVar[tuple[str, ...]] = PositionsPane.CONTEXTS

    def action_why(self) -> None:
        """Say which order moved the selected position last, and who asked for it."""
        contract = self.selected_contract()
        part = self.pane.part() if isinstance(self.pane, PositionsPane) and self.active is self.pane else None
        if part is not None:
            from optconsole.screens.run_why import RunWhy

            self.app.push_screen(RunWhy(self.deck, part[0].id, part[1]))
            return
        held = self.pane.selected() if isinstance(self.pane, PositionsPane) and self.active is self.pane else None
        if held is not None:
            self.say(why_held(held, self.deck))
        elif contract is None:
            self.say("This row is a sum: stand on a position to learn what moved it last.", "dim")
        else:
            self.say("Go to the positions with Tab: why tells what moved one of them last.", "dim")

    def make_pane(self) -> PositionsPane:
        return PositionsPane(self.deck)

    def make_companion(self) -> Pane:
        # the chain's numbers are heavy: only a terminal that shows them loads them
        from optconsole.screens.chain import ChainPane

        return ChainPane(self.deck)
