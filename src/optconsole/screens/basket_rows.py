"""Baskets as a tree of rows: basket, its strategies or their runs of today, and the legs of a run. Pure but for prices.

What holds between two facts is made once; a beat makes only the profit of what is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from optconsole.engine.model.baskets import BasketBook, BasketStatus
from optconsole.engine.model.positions import Position
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.model.strategies import Strategy
from optconsole.screens.deck import Deck
from optconsole.screens.formats import Formats, sign_role
from optconsole.screens.run_figures import (
    ASKS,
    Next,
    cycles_left,
    gain,
    has_traded,
    next_of,
    next_of_leg,
    parts_by_source,
    reentries_left,
    run_gain,
    stop_of,
    target_of,
)
from optconsole.screens.run_words import BASKET_WORDS, STAGE_ROLES, STAGE_WORDS, STATUS_ROLES, STATUS_WORDS
from optconsole.screens.widgets.columns import BLANK, Column, Row

WIDTH: Final = 9
BASKET, STRATEGY, RUN, LEG = "b/", "s/", "r/", "l/"
"""What keys of rows begin with; then the name, the id, or ``id/leg``."""
FEW: Final = 6
"""Runs up to which those that are under way show their legs without being asked."""
UNDER_WAY: Final = frozenset({RunStatus.WAITING, RunStatus.ENTERING, RunStatus.ACTIVE, RunStatus.EXITING})
SOON: Final = 60.0
"""Seconds before something happens in which its countdown stands out."""


def basket_columns(fmt: Formats) -> list[Column]:
    """The columns of the tree's rows."""
    return [
        Column("Basket / strategy / leg", 27, str, _name_role, align="left", grow=9),
        Column("State", 8, lambda told: told[0], lambda told: told[1], align="left"),
        Column("Next", 12, str, lambda text: "warn" if text.startswith(ASKS) else "", align="left", grow=8),
        Column("in", 8, lambda told: told[0], lambda told: told[1]),
        Column("MTM", 8, fmt.pnl_compact, sign_role),
        Column("Floor", 8, lambda told: told[0], lambda told: told[1], priority=1),
        Column("Left", 4, str, "dim", priority=3),
        Column("Lag", 7, str, "dim", priority=4),
        Column(" Why", 20, lambda text: f" {fmt.text(text)}", "dim", align="left", priority=2, grow=90),
    ]


def _name_role(text: str) -> str:
    return "" if text.lstrip() == text or not text.startswith("    ") else "dim"


@dataclass(frozen=True, slots=True)
class Node:
    """One row of the tree: what it stands for. ``indent`` is its depth."""

    key: str
    indent: int
    book: BasketBook
    strategy: Strategy | None = None
    run: Run | None = None
    leg: LegRun | None = None


class BasketTable:
    """The tree as of one state; another fact about baskets, runs or fills makes a new one."""

    def __init__(self, deck: Deck, toggled: dict[str, bool], archived: bool = False) -> None:
        self._deck = deck
        self._toggled = toggled
        state = deck.mirror.state
        self._parts = parts_by_source(state)
        self._runs = runs_by_strategy(state.runs.values())
        self._few = sum(run.status in UNDER_WAY for run in state.runs.values()) <= FEW
        books = [each for each in state.baskets.values() if archived or each.status is not BasketStatus.ARCHIVED]
        self.nodes: dict[str, Node] = {}
        self._gains: dict[str, int | None] = {}
        for book in sorted(books, key=_rank):
            self._grow(book)
        self._by_contract = self._contracts()

    # ------------------------------------------------------------ the tree

    def _grow(self, book: BasketBook) -> None:
        name = book.basket.name
        head = Node(f"{BASKET}{name}", 0, book)
        self.nodes[head.key] = head
        if not self.opened(head):
            return
        for strategy in book.basket.strategies:
            runs = self._runs.get((name, strategy.name), ())
            if not runs:
                self._add(Node(f"{STRATEGY}{name}/{strategy.name}", 1, book, strategy))
            for run in runs:
                self._grow_run(book, run)
        written = {each.name for each in book.basket.strategies}
        for (basket, strategy_name), runs in self._runs.items():
            if basket == name and strategy_name not in written:
                # a strategy that was taken out of the basket goes on until it is over
                for run in runs:
                    self._grow_run(book, run)

    def _grow_run(self, book: BasketBook, run: Run) -> None:
        node = self._add(Node(f"{RUN}{run.id}", 1, book, run.strategy, run))
        if self.opened(node):
            for leg in run.legs.values():
                self._add(Node(f"{LEG}{run.id}/{leg.id}", 2, book, run.strategy, run, leg))

    def _add(self, node: Node) -> Node:
        self.nodes[node.key] = node
        return node

    def opened(self, node: Node) -> bool:
        """Whether what is inside the row shows: as the trader left it, else baskets and the few runs under way."""
        if node.leg is not None or (node.indent and node.run is None):
            return False
        usual = node.run is None or (self._few and node.run.status in UNDER_WAY)
        return self._toggled.get(node.key, usual)

    def toggle(self, key: str) -> bool:
        """Open a closed row, close an open one; False where there is nothing inside."""
        node = self.nodes.get(key)
        if node is None or node.leg is not None or (node.indent and node.run is None):
            return False
        self._toggled[key] = not self.opened(node)
        return True

    # ------------------------------------------------------------ money

    def contracts(self) -> set[str]:
        """Contracts that the shown profits hang on."""
        return set(self._by_contract)

    def _contracts(self) -> dict[str, set[str]]:
        """Runs by the contracts they hold."""
        found: dict[str, set[str]] = {}
        for runs in self._runs.values():
            for run in runs:
                for leg in run.legs.values():
                    for held in self._parts.get(run.source(leg.id), ()):
                        if held.qty:
                            found.setdefault(held.key.contract, set()).add(run.id)
        return found

    def touched(self, changed: Iterable[str]) -> list[str]:
        """Rows whose profit hangs on these contracts."""
        ids = {run_id for name in changed for run_id in self._by_contract.get(name, ())}
        if not ids:
            return []
        state = self._deck.mirror.state
        for run_id in ids:
            self._gains.pop(run_id, None)
        names = {state.runs[run_id].basket for run_id in ids}
        return [
            key
            for key, node in self.nodes.items()
            if (node.run is not None and node.run.id in ids) or (node.run is None and node.book.basket.name in names)
        ]

    def counting(self) -> list[str]:
        """Rows that count down."""
        return [key for key, node in self.nodes.items() if node.run is not None or not node.indent]

    def gain_of(self, run: Run) -> int | None:
        """The run's profit, reckoned once a price."""
        if run.id not in self._gains:
            self._gains[run.id] = run_gain(run, self._parts, self._deck.mirror.mark)
        return self._gains[run.id]

    def positions(self, run: Run, leg: LegRun) -> list[Position]:
        """What a leg holds and has made."""
        return self._parts.get(run.source(leg.id), [])

    # ------------------------------------------------------------ rows

    def rows(self) -> list[Row]:
        """All rows in the tree's order."""
        return [Row(key, self.values(key), self._kind(node), find=_find(node)) for key, node in self.nodes.items()]

    def _kind(self, node: Node) -> str:
        if node.indent == 0:
            return "total"
        alarming = node.run is not None and node.run.status in (RunStatus.FAILED, RunStatus.HALTED)
        return "alarm" if alarming and node.leg is None else ""

    def values(self, key: str) -> list[Any]:
        """One value per column as of now."""
        node = self.nodes[key]
        if node.leg is not None and node.run is not None:
            return self._leg_values(node.run, node.leg)
        if node.run is not None:
            return self._run_values(node, node.run)
        return self._basket_values(node) if node.strategy is None else self._strategy_values(node, node.strategy)

    def _mark(self, node: Node) -> str:
        fmt = self._deck.fmt
        return fmt.glyph("▾", "v") if self.opened(node) else fmt.glyph("▸", ">")

    def _basket_values(self, node: Node) -> list[Any]:
        book, fmt = node.book, self._deck.fmt
        runs = [run for (basket, _), those in self._runs.items() if basket == book.basket.name for run in those]
        traded = [self.gain_of(run) for run in runs if has_traded(run)]
        row: list[Any] = [BLANK] * WIDTH
        row[0] = f"{self._mark(node)} {fmt.text(book.basket.name)}"
        row[1] = BASKET_WORDS[book.status]
        live = [each for each in map(next_of, (run for run in runs if not run.status.over)) if each.at is not None]
        if live:
            row[2], row[3] = self._coming(min(live, key=lambda each: each.at or runs[0].exit_at))
        if traded:
            known = [each for each in traded if each is not None]
            row[4] = sum(known) if len(known) == len(traded) else None
        row[8] = basket_note(book, fmt)
        return row

    def _strategy_values(self, node: Node, strategy: Strategy) -> list[Any]:
        row: list[Any] = [BLANK] * WIDTH
        row[0] = f"    {self._deck.fmt.text(strategy.name)}"
        row[1] = ("no run", "dim")
        row[2] = f"enters {strategy.schedule.entry_at:%H:%M}"
        row[8] = "" if node.book.status is BasketStatus.ACTIVE else "t starts the basket; its runs are then planned"
        return row

    def _run_values(self, node: Node, run: Run) -> list[Any]:
        fmt = self._deck.fmt
        several = len(self._runs.get((run.basket, run.strategy.name), ())) > 1
        account = f" @{fmt.text(run.account)}" if several else ""
        row: list[Any] = [BLANK] * WIDTH
        row[0] = f"  {self._mark(node)} {fmt.text(run.strategy.name)}{account}"
        row[1] = (STATUS_WORDS[run.status], STATUS_ROLES[run.status])
        row[2], row[3] = self._coming(next_of(run))
        if has_traded(run):
            row[4] = self.gain_of(run)
        if (floor := run.watch.floor.level) is not None and not run.status.over:
            row[5] = (fmt.pnl_compact(floor), "")
        row[6] = _left(cycles_left(run))
        row[7] = BLANK if run.lag_ms is None else f"{run.lag_ms} ms"
        row[8] = run.text
        return row

    def _leg_values(self, run: Run, leg: LegRun) -> list[Any]:
        fmt, held = self._deck.fmt, self.positions(run, leg)
        row: list[Any] = [BLANK] * WIDTH
        # the underlying is that of the strategy above
        what = fmt.contract(leg.contract).partition(" ")[2] if leg.contract else f"{leg.side.value.lower()} {leg.lots}L"
        row[0] = f"      {fmt.text(leg.id)}  {what}"
        role = "bad" if leg.blind or (leg.stage is LegStage.OUT and leg.code == "FAILED") else STAGE_ROLES[leg.stage]
        row[1] = (STAGE_WORDS[leg.stage], role)
        row[2], row[3] = self._coming(next_of_leg(run, leg))
        if held:
            row[4] = gain(held, self._deck.mirror.mark)
        stop = stop_of(leg)
        if leg.stage is LegStage.OPEN:
            row[5] = (fmt.price(stop), "") if stop is not None else ("no stop", "warn" if leg.side.sign < 0 else "dim")
        row[6] = _left(reentries_left(run, leg))
        row[8] = leg.blind or leg.text
        return row

    def _coming(self, coming: Next) -> tuple[Any, Any]:
        """What comes and when; then the countdown, bright when it is near."""
        if coming.at is None:
            return coming.what or BLANK, BLANK
        now, fmt = self._deck.mirror.now, self._deck.fmt
        left = None if now is None else (coming.at - now).total_seconds()
        what = f"{coming.what} {moment(coming.at, now)}"
        if left is None or left < 0:
            return what, BLANK
        return what, (until(left, fmt), "warn" if left <= SOON else "dim")


def leg_line(leg: LegRun, fmt: Formats) -> str:
    """``SELL 1L NIFTY 25Nov 24500 CE at 101.25, stop 126.60, no target``."""
    if leg.entry is None or not leg.contract:
        return f"{leg.side.value} {leg.lots}L, {STAGE_WORDS[leg.stage]}"
    stop, target = stop_of(leg), target_of(leg)
    held = f"{leg.side.value} {leg.lots}L {fmt.contract(leg.contract)} at {fmt.price(leg.entry)}"
    guard = "no stop" if stop is None else f"stop {fmt.price(stop)}"
    return f"{held}, {guard}, {'no target' if target is None else f'target {fmt.price(target)}'}"


def moment(at: datetime, now: datetime | None) -> str:
    """``09:20``, with seconds where they are not nought and with the day where it is not today."""
    clock = f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
    return clock if now is None or at.date() == now.date() else f"{at.day} {at:%b} {clock}"


def until(seconds: float, fmt: Formats) -> str:
    """``−0:04:12``, or days from the second on."""
    return f"{fmt.minus}{int(seconds // 86_400)}d" if seconds >= 86_400 else fmt.countdown(seconds)


def basket_note(book: BasketBook, fmt: Formats) -> str:
    """``2 strategies, v3, paper ×1``."""
    basket = book.basket
    count = len(basket.strategies)
    strategies = "1 strategy" if count == 1 else f"{count} strategies"
    accounts = ", ".join(
        f"{each.account} {fmt.glyph('×', 'x')}{each.multiplier / 100:g}" for each in basket.allocations if each.enabled
    )
    pinned = f", from {book.source} {book.pin}".rstrip() if book.source else ""
    return f"{strategies}, v{book.version}, {accounts or 'no account: e adds one'}{pinned}"


def runs_by_strategy(runs: Iterable[Run]) -> dict[tuple[str, str], list[Run]]:
    """Runs by basket and strategy, in the order they were planned."""
    found: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        found.setdefault((run.basket, run.strategy.name), []).append(run)
    return found


def _rank(book: BasketBook) -> tuple[int, str]:
    order = (BasketStatus.ACTIVE, BasketStatus.PAUSED, BasketStatus.STOPPED, BasketStatus.ARCHIVED)
    return order.index(book.status), book.basket.name.lower()


def _find(node: Node) -> str:
    words = [node.book.basket.name, node.strategy.name if node.strategy else "", node.leg.contract if node.leg else ""]
    return " ".join(words)


def _left(count: int | None) -> Any:
    return BLANK if count is None else str(count)
