"""Baskets: what runs by itself, what it does next, what it has made, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult

from optconsole.engine.commands import RunAction
from optconsole.engine.model.baskets import BasketBook, BasketStatus
from optconsole.engine.model.runs import Run, RunStatus
from optconsole.screens import basket_files, steering
from optconsole.screens.basket_rows import BasketTable, Node, basket_columns, leg_line
from optconsole.screens.deck import Deck
from optconsole.screens.keymap import bindings
from optconsole.screens.run_screen import RunScreen
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon

EMPTY: Final = (
    ("No basket yet.", "title"),
    ("", ""),
    ("A basket holds strategies that enter, guard, re-enter and leave by themselves, on the accounts you name.", ""),
    ("n begins one from a structure such as a short straddle or an iron condor; i brings one in from a file.", ""),
    ("It stays stopped until t starts it. w then says why each strike was chosen and each leg was left.", "dim"),
)
_ON_BASKET: Final = {
    "start": (BasketStatus.PAUSED, BasketStatus.STOPPED, BasketStatus.ARCHIVED),
    "pause": (BasketStatus.ACTIVE,),
    "stop_basket": (BasketStatus.ACTIVE, BasketStatus.PAUSED),
    "archive": (BasketStatus.PAUSED, BasketStatus.STOPPED),
    "clone": tuple(BasketStatus),
    "export": tuple(BasketStatus),
    "edit": tuple(BasketStatus),
    "preview": tuple(BasketStatus),
}
"""The states of a basket in which a key does something."""


class BasketsScreen(RunScreen):
    """A tree of baskets, strategies and legs; keys act on the row, and on what is above it where it has none."""

    NAME = "baskets"
    CONTEXTS: ClassVar[tuple[str, ...]] = ("baskets", "runs")
    OFFERS: ClassVar[frozenset[str]] = frozenset({"find", "why"})
    BINDINGS = bindings("baskets", "runs")

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self._toggled: dict[str, bool] = {}
        self._archived = False
        self._table = BasketTable(deck, self._toggled)

    def body(self) -> ComposeResult:
        yield QuoteGrid(basket_columns(self.deck.fmt), id="baskets")
        yield Ribbon(len(EMPTY), id="empty")
        yield Ribbon(id="chosen")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#baskets", QuoteGrid).focus()
        self.query_one("#empty", Ribbon).show(*[([Part(f"  {text}", role)], []) for text, role in EMPTY])

    # ------------------------------------------------------------ content

    def quote_names(self) -> Iterable[str]:
        return self._table.contracts()

    def reload(self) -> None:
        """The whole tree anew: facts about baskets, runs and fills change it."""
        super().reload()
        self._table = BasketTable(self.deck, self._toggled, self._archived)
        self.set_class(not self._table.nodes, "-empty")
        self.query_one("#baskets", QuoteGrid).set_rows(self._table.rows())
        self.deck.pulse.rewatch()
        self._chosen()
        self.refill_keys()

    def tick(self) -> None:
        self.query_one("#baskets", QuoteGrid).touch(self._table.counting(), self._table.values)

    def priced(self, changed: set[str]) -> None:
        if keys := self._table.touched(changed):
            self.query_one("#baskets", QuoteGrid).touch(keys, self._table.values)

    def _chosen(self) -> None:
        """The reason of the selected row in full."""
        node, fmt = self.node(), self.deck.fmt
        if node is None:
            self.query_one("#chosen", Ribbon).show(([], []))
            return
        code = ""
        if node.run is None:
            book = node.book
            name, text = book.basket.name, book.basket.note or f"saved {book.saved_at:%d %b %H:%M} by {book.by}"
        elif node.leg is None:
            name, code, text = node.run.strategy.name, node.run.code, node.run.text
        else:
            name, code = f"{node.run.strategy.name}/{node.leg.id}", node.leg.code
            text = node.leg.blind or node.leg.text or leg_line(node.leg, fmt)
        left = [Part(f" {fmt.text(name)} ", "title"), Part(fmt.text(text).replace("\n", " "))]
        right = (
            [Part(f"{node.run.id} {fmt.text(node.run.account)} {code} ".replace("  ", " "), "dim", 1)]
            if node.run
            else []
        )
        self.query_one("#chosen", Ribbon).show((left, right))

    # ------------------------------------------------------------ selection

    def node(self) -> Node | None:
        """What the row under the cursor stands for."""
        if not self.is_mounted:
            return None
        return self._table.nodes.get(self.query_one("#baskets", QuoteGrid).cursor_key or "")

    def chosen_run(self) -> tuple[Run | None, str]:
        node = self.node()
        if node is None or node.run is None:
            return None, ""
        return node.run, node.leg.id if node.leg is not None else ""

    def book(self) -> BasketBook | None:
        """The basket that the row belongs to."""
        node = self.node()
        return None if node is None else node.book

    def selected_contract(self) -> str | None:
        node = self.node()
        return node.leg.contract or None if node is not None and node.leg is not None else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of a basket need one, in a state in which they change something."""
        if not self.is_mounted:
            return True
        if action in _ON_BASKET:
            book = self.book()
            return book is not None and book.status in _ON_BASKET[action]
        if action == "exit_row":
            node = self.node()
            if node is None or (node.strategy is not None and node.run is None):
                return False  # a strategy without a run has nothing to close, and the basket is another row
            return node.run is None or steering.may(node.run, RunAction.EXIT)
        if action in ("open_row", "show_archived"):
            return bool(self.deck.mirror.state.baskets)
        return super().check_action(action, parameters)

    @on(QuoteGrid.CursorMoved, "#baskets")
    def _moved(self) -> None:
        self._chosen()
        self.refill_keys()

    @on(QuoteGrid.RowActivated, "#baskets")
    def _open(self) -> None:
        self.action_open_row()

    # ------------------------------------------------------------ keys

    def action_open_row(self) -> None:
        node = self.node()
        if node is None:
            return
        if self._table.toggle(node.key):
            self.reload()
        else:
            self.action_why()

    def action_new(self) -> None:
        from optconsole.screens.building import new_basket

        new_basket(self)

    def action_edit(self) -> None:
        from optconsole.screens.building import edit_basket, edit_run

        node = self.node()
        if node is None:
            return
        if node.run is not None and not node.run.status.over and node.run.status is not RunStatus.SCHEDULED:
            edit_run(self, node.run)
        else:
            edit_basket(self, node.book, node.strategy.name if node.strategy is not None else "")

    def action_preview(self) -> None:
        """Of the basket, or of the one strategy under the cursor."""
        from optconsole.engine.queries import PreviewBasket
        from optconsole.screens.basket_preview import PreviewDialog

        node = self.node()
        if node is not None:
            name, strategy = node.book.basket.name, node.strategy.name if node.strategy is not None else ""
            query = PreviewBasket(name=name, strategy=strategy)
            self.app.push_screen(PreviewDialog(self.deck, query, f"{name} / {strategy}" if strategy else name))

    def _set(self, status: BasketStatus, action: str) -> None:
        if (book := self.book()) is not None:
            steering.set_status(self, book.basket.name, status, f"key:{action}")

    def action_start(self) -> None:
        self._set(BasketStatus.ACTIVE, "start")

    def action_pause(self) -> None:
        self._set(BasketStatus.PAUSED, "pause")

    def action_stop_basket(self) -> None:
        self._set(BasketStatus.STOPPED, "stop")

    def action_archive(self) -> None:
        self._set(BasketStatus.ARCHIVED, "archive")

    def action_show_archived(self) -> None:
        self._archived = not self._archived
        self.reload()
        self.say("Archived baskets show too." if self._archived else "Archived baskets are out of sight.", "dim")

    def action_exit_row(self) -> None:
        """The leg, the run or the whole basket, whichever the row is."""
        node = self.node()
        if node is None or not self.check_action("exit_row", ()) or not self.fresh_press("baskets.exit"):
            return
        if node.run is None:
            steering.exit_basket(self, node.book.basket.name, "key:exit")
        else:
            steering.exit_run(self, node.run, "key:exit", node.leg.id if node.leg is not None else "")

    def action_clone(self) -> None:
        if (book := self.book()) is not None:
            basket_files.ask_name(self, book, "key:clone")

    def action_import_file(self) -> None:
        basket_files.ask_import(self, "key:import")

    def action_export(self) -> None:
        if (book := self.book()) is not None:
            basket_files.ask_export(self, book)

    def action_why(self) -> None:
        run, leg = self.chosen_run()
        if run is not None:
            self.show_why(run, leg)
        elif (book := self.book()) is not None:
            word = book.status.value.lower()
            self.say(f"{self.deck.fmt.text(book.basket.name)} is {word}, version {book.version} by {book.by}.", "dim")
