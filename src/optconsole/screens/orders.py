"""Orders: what works, what is done, the trades, and the book of the selected contract."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from optconsole.engine.commands import CancelOrder, Scope, ScopeKind
from optconsole.engine.model.orders import Order
from optconsole.engine.model.parents import Parent
from optconsole.engine.model.quotes import Depth
from optconsole.engine.queries import DepthAnswer, GetDepth
from optconsole.screens import closing
from optconsole.screens.adopting import adopt_order
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.depth import HEIGHT, depth_lines
from optconsole.screens.doubt import DoubtScreen, doubted
from optconsole.screens.keymap import bindings
from optconsole.screens.mirror import Topic
from optconsole.screens.order_purpose import purposes
from optconsole.screens.order_rows import chosen_line, order_columns, order_rows, trade_columns, trade_row
from optconsole.screens.order_tree import TIE, Bundle, bundle_line, bundles, linked, named
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon

EMPTY: Final = (
    ("No orders yet today.", "title"),
    ("", ""),
    ("Every order of the day is here, in words: what works on top, then what is done.", ""),
    ("To place one, press 2 for the chain, stand on a strike and press b to buy or s to sell.", "dim"),
)
WIDE: Final = 120
"""Columns from which the book of the selected contract has a pane of its own."""
DEPTH_EVERY: Final = 0.5
_NEEDS_ORDER: Final = frozenset(
    {"modify", "cancel", "cancel_all", "order_detail", "ticket", "why", "doubt", "adopt"},
)
"""Actions that are offered only where there is an order for them."""


class OrdersScreen(ConsoleScreen):
    """Working orders on top, then done ones; trades below; depth at the side where there is room."""

    NAME = "orders"
    CONTEXTS: ClassVar[tuple[str, ...]] = ("orders", "trade")
    OFFERS: ClassVar[frozenset[str]] = frozenset({"find", "why"})
    BINDINGS = bindings("orders", "trade")
    DEFAULT_CSS = """
    OrdersScreen #orders { height: 2fr; }
    OrdersScreen #books { height: 1fr; }
    OrdersScreen.-book #books { height: 9; }
    OrdersScreen #book { width: 52; padding: 0 0 0 2; display: none; }
    OrdersScreen.-book #book { display: block; }
    OrdersScreen.-empty #books, OrdersScreen.-empty #chosen { display: none; }
    """

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self.book_wanted = True
        self._depth: Depth | None = None
        self._depth_of = ""
        self._depth_at = 0.0
        self._clock = -1
        self._tied: list[Bundle] = []
        self._meant: dict[str, str] = {}

    def body(self) -> ComposeResult:
        fmt = self.deck.fmt
        yield QuoteGrid(order_columns(fmt), id="orders", frozen=0)
        yield Ribbon(len(EMPTY), id="empty")
        yield Ribbon(id="chosen")
        with Horizontal(id="books"):
            with Vertical(id="traded"):
                yield Ribbon(id="trades-head")
                yield QuoteGrid(trade_columns(fmt), id="trades", frozen=0)
            with Vertical(id="book"):
                yield Ribbon(id="book-head")
                yield Ribbon(HEIGHT, id="book-levels")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#orders", QuoteGrid).focus()
        self.query_one("#empty", Ribbon).show(*[([Part(f"  {text}", role)], []) for text, role in EMPTY])

    # ------------------------------------------------------------ content

    def topics(self) -> Iterable[Topic]:
        return (Topic.ORDERS,)

    def quote_names(self) -> Iterable[str]:
        contract = self.selected_contract()
        return () if contract is None else (contract,)

    def reload(self) -> None:
        """Every order and trade of the day."""
        state, fmt = self.deck.mirror.state, self.deck.fmt
        self.set_class(not (state.orders or state.groups), "-empty")
        lots = {order.terms.contract: order.lot for order in state.orders.values() if order.lot}
        for order in state.orders.values():
            lots.setdefault(order.terms.contract, self.deck.lot_of(order.terms.contract))
        grid = self.query_one("#orders", QuoteGrid)
        self._tied = bundles(state, fmt)
        self._meant = purposes(state)
        grid.set_rows(order_rows(state.orders.values(), self.deck.mirror.now, lots, fmt, self._tied, self._meant))
        self._leave_header(grid)
        trades = sorted(state.trades.items(), key=lambda item: item[1].at, reverse=True)
        self.query_one("#trades", QuoteGrid).set_rows(
            [trade_row(key, trade, lots.get(trade.contract, 0), fmt) for key, trade in trades]
        )
        charges = sum(trade.charges for _, trade in trades)
        self.query_one("#trades-head", Ribbon).show(
            (
                [Part(" Trades ", "title"), Part(f"{len(trades)}", "dim")],
                [Part("charges ", "dim"), Part(fmt.amount(charges)), Part(" ")],
            )
        )
        self.deck.pulse.rewatch()
        self._show_book()
        self._show_chosen()
        self.refill_keys()

    def _show_chosen(self) -> None:
        order, bundle, fmt = self.selected(), self.bundle(), self.deck.fmt
        line: Line = ([], [])
        if order is not None:
            line = chosen_line(order, fmt, self._meant.get(order.id, ""), linked(self.deck.mirror.state, order, fmt))
        elif bundle is not None:
            line = [Part(f" {fmt.text(bundle.name)} ", "title"), Part(bundle_line(bundle, fmt))], []
        self.query_one("#chosen", Ribbon).show(line)

    def _leave_header(self, grid: QuoteGrid) -> None:
        """The cursor begins on an order, not on the header above it."""
        if (grid.cursor_key or "").startswith("group/") and len(grid.keys) > 1:
            grid.move_to(grid.keys[1])

    def beat(self, changed: set[str]) -> None:
        """Ages once a second, the book twice."""
        now = self.deck.mirror.now
        second = int(now.timestamp()) if now else -1
        if second != self._clock:
            self._clock = second
            lots = {order.terms.contract: order.lot for order in self.deck.mirror.working()}
            rows = order_rows(self.deck.mirror.working(), now, lots, self.deck.fmt, self._tied, self._meant)
            self.query_one("#orders", QuoteGrid).apply(
                {row.key: row.values for row in rows if not row.key.startswith(("group/", TIE))}
            )
        if self.selected_contract() in changed:
            self._show_book()
        if self.has_class("-book") and self.deck.monotonic() - self._depth_at > DEPTH_EVERY:
            self._ask_depth()

    # ------------------------------------------------------------ the book

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._place_book()

    def _place_book(self) -> None:
        self.set_class(self.book_wanted and self.app.size.width >= WIDE, "-book")
        self._show_book()

    def _ask_depth(self) -> None:
        contract = self.selected_contract()
        if contract is not None and self.fed:
            self._depth_at = self.deck.monotonic()
            beside(self, partial(self._read_depth, contract), group="depth", exclusive=True)

    async def _read_depth(self, contract: str) -> None:
        answer = await self.deck.query(GetDepth(name=contract))
        self._depth = answer.depth if isinstance(answer, DepthAnswer) else None
        self._depth_of = contract
        if self.fed:
            self._show_book()

    def _show_book(self) -> None:
        if not self.has_class("-book"):
            return
        contract, fmt = self.selected_contract(), self.deck.fmt
        if contract is None:
            return
        if contract != self._depth_of:
            self._depth, self._depth_of = None, contract
            self._ask_depth()
        quote = self.deck.mirror.quote(contract)
        self.query_one("#book-head", Ribbon).show(
            (
                [Part(fmt.contract(contract), "title")],
                [Part("ltp ", "dim"), Part(fmt.price(quote.ltp if quote else None), "strong")],
            ),
        )
        lines = depth_lines(self._depth, self.deck.mirror.working(contract), fmt)
        self.query_one("#book-levels", Ribbon).show(*lines)

    # ------------------------------------------------------------ selection

    def selected(self) -> Order | None:
        """The order under the cursor, or the order of the trade under it."""
        state = self.deck.mirror.state
        trades = self.query_one("#trades", QuoteGrid)
        if trades.has_focus:
            trade = state.trades.get(trades.cursor_key or "")
            return state.orders.get(trade.order_id) if trade is not None else None
        return state.orders.get(self.query_one("#orders", QuoteGrid).cursor_key or "")

    def bundle(self) -> Bundle | None:
        """The parent or group under the cursor."""
        if self.query_one("#trades", QuoteGrid).has_focus:
            return None
        return named(self._tied, self.query_one("#orders", QuoteGrid).cursor_key or "")

    def _changing(self) -> Order | Parent | None:
        """What ``m`` changes: the order under the cursor while it works, or the parent with all its parts."""
        order, bundle = self.selected(), self.bundle()
        if bundle is not None:
            return bundle.parent
        return order if order is not None and not order.status.final else None

    def selected_contract(self) -> str | None:
        if not self.is_mounted:
            return None
        order, bundle = self.selected(), self.bundle()
        chosen = order if order is not None else bundle.parent if bundle is not None else None
        return chosen.terms.contract if chosen is not None else None

    def main_grid(self) -> QuoteGrid | None:
        trades = self.query_one("#trades", QuoteGrid)
        return trades if trades.has_focus else self.query_one("#orders", QuoteGrid)

    @on(QuoteGrid.CursorMoved)
    def _moved(self) -> None:
        self.deck.pulse.rewatch()
        self._show_book()
        self._show_chosen()
        self.refill_keys()

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        if self.fed:
            self._moved()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that need an order that works are offered only on one."""
        if not self.is_mounted or action not in _NEEDS_ORDER:
            return True
        order = self.selected()
        match action:
            case "doubt":
                return bool(doubted(self.deck))
            case "adopt":
                return order is not None and order.foreign and not order.status.final
            case "cancel" if self.bundle() is not None:
                return True
            case "modify":
                return self._changing() is not None
            case "cancel":
                return order is not None and not order.status.final
            case "cancel_all":
                return bool(self.deck.mirror.working())
            case "ticket":
                return self.selected_contract() is not None
            case "why":
                return order is not None or self.bundle() is not None
            case _:
                return order is not None

    # ------------------------------------------------------------ keys

    @on(QuoteGrid.RowActivated)
    def _open(self) -> None:
        self.action_order_detail()

    def action_order_detail(self) -> None:
        order = self.selected()
        if order is not None:
            from optconsole.screens.order_detail import OrderDetail

            self.app.push_screen(OrderDetail(self.deck, order.id))

    def action_why(self) -> None:
        order, bundle = self.selected(), self.bundle()
        if bundle is not None:
            self.say(f"{self.deck.fmt.text(bundle.name)}: {bundle_line(bundle, self.deck.fmt)}", "dim")
        if order is None:
            return
        text = order.reason or "nothing has gone wrong with it"
        self.say(f"{self.deck.fmt.text(order.id)}: {self.deck.fmt.text(text)}", "" if order.reason else "dim")

    def action_doubt(self) -> None:
        """The selected order if it is in doubt, else the oldest one that is."""
        order, waiting = self.selected(), doubted(self.deck)
        if waiting:
            chosen = order if order in waiting and order is not None else waiting[0]
            self.app.push_screen(DoubtScreen(self.deck, chosen.id))

    def action_adopt(self) -> None:
        order = self.selected()
        if order is not None and order.foreign:
            adopt_order(self, order)

    def action_modify(self) -> None:
        chosen = self._changing()
        if chosen is None or not self.fresh_press("modify"):
            return
        from optconsole.screens.ticket import TicketScreen

        self.app.push_screen(TicketScreen(self.deck, chosen.terms.contract, chosen.terms.side, order=chosen))

    async def action_cancel(self) -> None:
        """One order, or all parts of one, goes without a question."""
        order, bundle = self.selected(), self.bundle()
        name = order.id if order is not None else bundle.name if bundle is not None else ""
        if not name or not self.fresh_press("cancel"):
            return
        command = CancelOrder(id=self.deck.fresh_id(), actor="key:cancel", order_id=name)
        await self.ask(command, f"Cancellation of {self.deck.fmt.text(name)} is on its way.")

    def action_cancel_all(self) -> None:
        """All that works, or under a filter by contract, that contract's."""
        if not self.fresh_press("cancel.all"):
            return
        orders = self.query_one("#orders", QuoteGrid)
        order = self.selected()
        narrowed = bool(orders.needle) and order is not None
        scope = Scope(ScopeKind.CONTRACT, order.terms.contract) if narrowed and order is not None else Scope()
        closing.cancel_all(self, scope, "key:cancel-all")

    def action_depth(self) -> None:
        self.book_wanted = not self.book_wanted
        self._place_book()
        if self.book_wanted and not self.has_class("-book"):
            self.say(f"The book needs {WIDE} columns here; the ticket shows it with l at any width.", "dim")
