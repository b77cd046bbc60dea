"""One position opened: its sums, its fills and its orders of the day."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from optconsole.engine.model.orders import Order, Side, Trade
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.screens.deck import Deck
from optconsole.screens.formats import Formats, sign_role
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon
from optconsole.screens.words import order_line


def side_role(side: Side) -> str:
    """The colour role of a direction."""
    return "buy" if side is Side.BUY else "sell"


def fill_columns(fmt: Formats) -> list[Column]:
    """The columns of a fill, in the order of ``fill_row``."""
    return [
        Column("Time", 8, fmt.clock, "dim", align="left"),
        Column("Side", 4, str, lambda side: side_role(Side(side)), align="left"),
        Column("Lots (units)", 13, str),
        Column("Price", 10, fmt.price),
        Column("Charges", 9, fmt.price, "dim", priority=1),
        Column("Trade", 10, fmt.text, "dim", align="left", priority=2, grow=10),
        Column("Order", 8, fmt.text, "dim", align="left", priority=1),
    ]


def fill_row(trade: Trade, lot: int, fmt: Formats) -> Row:
    """One fill as a row."""
    lots = fmt.lots(trade.qty, lot)
    values = [trade.at, trade.side.value, lots, trade.price, trade.charges, trade.id, trade.order_id]
    return Row(f"{trade.account}/{trade.id}", values)


class PositionDetail(Dialog[None]):
    """Fills and orders behind a row; it moves with the market while it is open."""

    BINDINGS = [Binding("escape,q,enter", "close", "Close", tooltip="Back to the positions.", id="detail.close")]
    DEFAULT_CSS = """
    PositionDetail #detail {
        width: 90;
        max-width: 96%;
        height: 24;
        max-height: 90%;
        padding: 0 2;
        background: $background;
        border: round $quiet;
    }
    PositionDetail QuoteGrid { height: 1fr; margin-bottom: 1; }
    """

    def __init__(self, deck: Deck, key: PositionKey) -> None:
        super().__init__()
        self.deck = deck
        self.key = key

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(4, id="detail-head")
            yield QuoteGrid(fill_columns(self.deck.fmt), id="fills")
            yield Ribbon(4, id="detail-orders")
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        fmt, mirror = self.deck.fmt, self.deck.mirror
        position = mirror.state.positions.get(str(self.key))
        lot = position.lot if position else 0
        trades = [
            trade
            for trade in mirror.state.trades.values()
            if (trade.account, trade.product, trade.contract) == (self.key.account, self.key.product, self.key.contract)
        ]
        self.query_one(QuoteGrid).set_rows([fill_row(trade, lot, fmt) for trade in trades])
        self.query_one("#detail-orders", Ribbon).show(*self._orders())
        keys = [Part("Esc", "key"), Part(" back", "dim")]
        self.query_one("#detail-keys", Ribbon).show((keys, []))
        self.deck.pulse.attach(self)
        self.on_pulse(set())

    def on_unmount(self) -> None:
        self.deck.pulse.detach(self)

    def quote_names(self) -> tuple[str, ...]:
        return (self.key.contract,)

    def on_pulse(self, changed: set[str]) -> None:
        """New figures in the head."""
        position = self.deck.mirror.state.positions.get(str(self.key))
        if position is not None:
            self.query_one("#detail-head", Ribbon).show(*self._head(position))

    def _head(self, position: Position) -> list[Line]:
        fmt, mirror = self.deck.fmt, self.deck.mirror
        quote = mirror.quote(self.key.contract)
        gain = mirror.unrealised(position)
        total = None if gain is None else gain + position.realised - position.charges
        return [
            (
                [Part(fmt.contract(self.key.contract), "title"), Part(f"  {self.key.product.value}", "dim")],
                [Part(fmt.text(self.key.account), "dim")],
            ),
            (
                [
                    Part("held ", "dim"),
                    Part(fmt.lots(position.qty, position.lot), "strong"),
                    Part("  avg ", "dim"),
                    Part(fmt.price(position.average)),
                    Part("  ltp ", "dim"),
                    Part(fmt.price(quote.ltp if quote else None), "strong"),
                    Part("  bid ", "dim", 2),
                    Part(fmt.price(quote.bid if quote else None), "", 2),
                    Part("  ask ", "dim", 2),
                    Part(fmt.price(quote.ask if quote else None), "", 2),
                ],
                [],
            ),
            (
                [
                    Part("unrealised ", "dim"),
                    Part(fmt.pnl(gain), sign_role(gain)),
                    Part("  realised ", "dim"),
                    Part(fmt.pnl(position.realised), sign_role(position.realised)),
                    Part("  charges ", "dim", 1),
                    Part(fmt.amount(position.charges), "", 1),
                    Part("  net ", "dim"),
                    Part(fmt.pnl(total), sign_role(total)),
                ],
                [],
            ),
            ([], []),
        ]

    def _orders(self) -> list[Line]:
        """The newest orders of this contract, at most four."""
        mirror = self.deck.mirror
        mine = [
            order
            for order in mirror.state.orders.values()
            if order.terms.contract == self.key.contract and order.terms.account == self.key.account
        ]
        return [self._order(order) for order in mine[-4:]]

    def _order(self, order: Order) -> Line:
        fmt = self.deck.fmt
        left = [
            Part(f"{fmt.text(order.id):<6}", "dim"),
            Part(order_line(order, fmt), side_role(order.terms.side)),
        ]
        return left, [Part(order.status.value.replace("_", " ").lower(), "dim")]

    def action_close(self) -> None:
        self.dismiss(None)
