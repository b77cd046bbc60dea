"""Today: the day's timeline of everything that fires by itself, what was skipped, and what would have to wait."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult

from optconsole.engine.commands import RunAction
from optconsole.engine.model.runs import Run
from optconsole.engine.model.vitals import MarketPhase
from optconsole.screens import steering
from optconsole.screens.deck import Deck
from optconsole.screens.keymap import bindings
from optconsole.screens.run_screen import RunScreen
from optconsole.screens.today_rows import (
    COMING,
    OVER,
    Slot,
    day_slots,
    head_line,
    slot_values,
    today_columns,
    today_rows,
)
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon

EMPTY: Final = (
    ("Nothing is planned for today.", "title"),
    ("", ""),
    (
        "Everything that will fire by itself stands here in order: entries, exits, re-entries, with their countdowns.",
        "",
    ),
    ("To fill it, press 4 for the baskets: n makes one, and t starts it.", "dim"),
)


class TodayScreen(RunScreen):
    """The day in order, over a line that says what comes next and how many orders leave in its busiest second."""

    NAME = "today"
    CONTEXTS: ClassVar[tuple[str, ...]] = ("today", "runs")
    OFFERS: ClassVar[frozenset[str]] = frozenset({"find", "why"})
    BINDINGS = bindings("today", "runs")
    DEFAULT_CSS = """
    TodayScreen.-empty #chosen { display: none; }
    """

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self._past = True
        self._arrived = False
        self._slots: dict[str, Slot] = {}

    def body(self) -> ComposeResult:
        yield Ribbon(id="today-head")
        yield QuoteGrid(today_columns(self.deck.fmt), id="today", frozen=0)
        yield Ribbon(len(EMPTY), id="empty")
        yield Ribbon(id="chosen")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#today", QuoteGrid).focus()
        self.query_one("#empty", Ribbon).show(*[([Part(f"  {text}", role)], []) for text, role in EMPTY])

    # ------------------------------------------------------------ content

    def reload(self) -> None:
        """All of the day anew."""
        super().reload()
        mirror, fmt = self.deck.mirror, self.deck.fmt
        vitals = mirror.vitals
        closes = vitals.phase_ends if vitals is not None and vitals.phase is MarketPhase.OPEN else None
        slots = day_slots(mirror.state.runs.values(), closes)
        self._slots = {slot.key: slot for slot in slots}
        self.set_class(not mirror.state.runs, "-empty")
        grid = self.query_one("#today", QuoteGrid)
        grid.set_rows(today_rows(slots, mirror.now, fmt, self._past))
        if not self._arrived and mirror.state.runs and mirror.now is not None:
            self._arrived = True
            self.action_now()
        self._head()
        self._chosen()
        self.refill_keys()

    def _head(self) -> None:
        vitals, mirror = self.deck.mirror.vitals, self.deck.mirror
        cap = 0 if vitals is None else vitals.orders_per_second_cap
        slots = list(self._slots.values()) if mirror.state.runs else []
        line = head_line(slots, cap, mirror.now, self.deck.fmt) if slots else ([Part(" Today ", "title")], [])
        self.query_one("#today-head", Ribbon).show(line)

    def tick(self) -> None:
        now, fmt = self.deck.mirror.now, self.deck.fmt
        coming = [key for key, slot in self._slots.items() if not slot.over]
        grid = self.query_one("#today", QuoteGrid)
        grid.touch(coming, lambda key: slot_values(self._slots[key], now, fmt))
        grid.touch([COMING], lambda _key: [fmt.clock(now), "", f"{len(coming)} to come", *[""] * 6])
        self._head()

    def _chosen(self) -> None:
        slot, fmt = self.slot(), self.deck.fmt
        if slot is None or slot.run is None:
            self.query_one("#chosen", Ribbon).show(([], []))
            return
        run = slot.run
        left = [Part(f" {fmt.text(run.basket)} / {fmt.text(run.strategy.name)} ", "title"), Part(fmt.text(run.text))]
        told = f"{run.id} {fmt.text(run.account)} {run.code} "
        self.query_one("#chosen", Ribbon).show((left, [Part(told, "dim", 1)]))

    # ------------------------------------------------------------ selection

    def slot(self) -> Slot | None:
        """What the row under the cursor is."""
        return self._slots.get(self.query_one("#today", QuoteGrid).cursor_key or "") if self.is_mounted else None

    def chosen_run(self) -> tuple[Run | None, str]:
        slot = self.slot()
        return (None if slot is None else slot.run), ""

    @on(QuoteGrid.CursorMoved, "#today")
    def _moved(self) -> None:
        self._chosen()
        self.refill_keys()

    @on(QuoteGrid.RowActivated, "#today")
    def _open(self, event: QuoteGrid.RowActivated) -> None:
        if event.key == OVER:
            self.action_past()
        else:
            self.action_why()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Going to now needs a day with something in it."""
        if action in ("past", "now"):
            return bool(self.deck.mirror.state.runs)
        return super().check_action(action, parameters)

    # ------------------------------------------------------------ keys

    def action_exit_row(self) -> None:
        run, _leg = self.chosen_run()
        if run is not None and steering.may(run, RunAction.EXIT) and self.fresh_press("today.exit"):
            steering.exit_run(self, run, "key:exit")

    def action_past(self) -> None:
        self._past = not self._past
        self.reload()

    def action_now(self) -> None:
        """The first thing that comes, with what was before it above."""
        grid = self.query_one("#today", QuoteGrid)
        keys = grid.keys
        if COMING in keys:
            at = keys.index(COMING)
            grid.centre_on(keys[min(at + 1, len(keys) - 1)])

    def action_why(self) -> None:
        run, _leg = self.chosen_run()
        if run is not None:
            self.show_why(run)
        else:
            self.say("Stand on a strategy's row: w tells what was decided about it, and on what.", "dim")
