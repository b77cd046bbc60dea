"""The peer under load: Textual's DataTable with the same columns, formats and quotes, batched once a beat."""

from __future__ import annotations

import asyncio
import sys
import time

from rich.text import Text
from textual.app import App, ComposeResult
from textual.widgets import DataTable, Static

from benchmarks.load import LOT, Holding, Load, echo, options
from optconsole.engine.model.quotes import Quote
from optconsole.screens.formats import FULL

UP, DOWN = "#3fb950", "#f85149"
COLUMNS = {
    "Contract": 34,
    "Lots (units)": 13,
    "Avg": 12,
    "LTP": 12,
    "Age": 5,
    "Bid": 12,
    "Ask": 12,
    "P&L": 14,
    "%": 8,
    "Realised": 10,
    "Charges": 8,
    "Delta": 8,
    "Theta": 8,
    "Stop": 8,
}
"""The console's titles and its widths at this size; all fourteen are visible in both."""


class EchoTable(DataTable[Text]):
    """The table, saying on the line above that the cursor has moved."""

    moves = 0
    load: Load

    def action_cursor_down(self) -> None:
        super().action_cursor_down()
        self._echo()

    def action_cursor_up(self) -> None:
        super().action_cursor_up()
        self._echo()

    def _echo(self) -> None:
        self.moves += 1
        self.app.query_one("#echo", Static).update(echo(self.moves, self.load.made), layout=False)


class DataTableApp(App[None]):
    """One table, one line that echoes the cursor. Stock settings; cells are finished ``Text``, no markup."""

    CSS = """
    #echo { height: 1; }
    DataTable { height: 1fr; }
    """
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, load: Load, hz: float) -> None:
        super().__init__()
        self._load = load
        self._hz = hz
        self._tap = load.board.open_tap(holding.name for holding in load.holdings)
        self._held = {holding.name: holding for holding in load.holdings}
        self._last = {holding.name: 0 for holding in load.holdings}

    def compose(self) -> ComposeResult:
        yield Static("", id="echo", markup=False)
        yield EchoTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.table = self.query_one(EchoTable)
        for title, width in COLUMNS.items():
            table.add_column(title, width=width, key=title)
        for holding in self._load.holdings:
            quote = self._load.board.get(holding.name)
            assert quote is not None
            moving = self.moving(holding, quote)
            lots = FULL.lots(holding.qty, LOT)
            fixed = {"Contract": FULL.contract(holding.name), "Lots (units)": lots, "Avg": FULL.price(holding.price)}
            cells = {**dict.fromkeys(COLUMNS, "–"), **fixed, "Charges": FULL.money(holding.charges), **moving}
            table.add_row(*(cells[title] for title in COLUMNS), key=holding.name)
        table.focus()
        self._making = asyncio.create_task(self._load.run())
        self.set_interval(1 / self._hz, self.flush)

    def moving(self, holding: Holding, quote: Quote) -> dict[str, Text]:
        """The cells that a quote changes."""
        assert quote.ltp is not None
        before, self._last[holding.name] = self._last[holding.name], quote.ltp
        gain = holding.qty * (quote.ltp - holding.price)
        way = UP if gain >= 0 else DOWN
        return {
            "LTP": Text(FULL.price(quote.ltp), UP if quote.ltp >= before else DOWN, justify="right"),
            "Age": Text(FULL.age(max(time.time() - quote.ts / 1000, 0.0)), "dim", justify="right"),
            "Bid": Text(FULL.price(quote.bid), "dim", justify="right"),
            "Ask": Text(FULL.price(quote.ask), "dim", justify="right"),
            "P&L": Text(FULL.pnl(gain), way, justify="right"),
            "%": Text(FULL.percent(gain / abs(holding.qty * holding.price)), way, justify="right"),
        }

    def flush(self) -> None:
        """One beat: the cells of every contract quoted since the last."""
        update = self.table.update_cell
        for quote in self._tap.drain():
            for title, cell in self.moving(self._held[quote.name], quote).items():
                update(quote.name, title, cell)


def main() -> None:
    args = options("DataTable under load.")
    EchoTable.load = Load(args.rows, args.rate)
    DataTableApp(EchoTable.load, args.hz).run()


if __name__ == "__main__":
    sys.exit(main())
