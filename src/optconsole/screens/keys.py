"""The keys of the screens, of lists, and of every place: what each does and where it works."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from optconsole.screens.key import Key
from optconsole.screens.keys_of_dialogs import DIALOG_KEYS
from optconsole.screens.keys_of_runs import RUN_KEYS

MODE_NUMBERS: Final[dict[str, int]] = {
    "positions": 1,
    "chain": 2,
    "orders": 3,
    "baskets": 4,
    "today": 5,
    "risk": 6,
    "journal": 8,
    "health": 9,
}
"""Screens and their number keys; the numbers between them belong to screens of the same order in the guide."""


def _screens() -> Iterable[Key]:
    aliases = {"orders": ",f3", "positions": ",f4"}
    for name, number in MODE_NUMBERS.items():
        yield Key(
            f"screen.{name}",
            f"{number}{aliases.get(name, '')}",
            f"app.show_screen('{name}')",
            name.capitalize(),
            f"Show the {name} screen.",
            footer=False,
        )


KEYS: Final[tuple[Key, ...]] = (
    # --- what trades
    Key("buy", "b,f1", "ticket('BUY')", "Buy", "Open the ticket to buy the selected contract.", "trade", order=True),
    Key(
        "sell", "s,f2", "ticket('SELL')", "Sell", "Open the ticket to sell the selected contract.", "trade", order=True
    ),
    Key(
        "exit",
        "x",
        "exit_row",
        "Exit",
        "Close what the selected row holds, after a confirmation.",
        "positions",
        order=True,
    ),
    Key(
        "reverse",
        "R",
        "reverse",
        "Reverse",
        "Close the selected position and open as much the other way, after a question.",
        "positions",
        order=True,
    ),
    Key("stop", "p", "stop", "Stop", "Guard the position: stop, target, who watches.", "positions"),
    Key("stop.up", "plus", "move_stop(1)", "Stop up", "The stop one tick up.", "positions", footer=False),
    Key("stop.down", "minus", "move_stop(-1)", "Stop down", "The stop one tick down.", "positions", footer=False),
    Key("adopt.position", "A", "adopt", "Adopt", "Take the broker's quantity for ours where they differ.", "positions"),
    Key("group", "o", "group", "Group", "Group by underlying, account, expiry or basket.", "positions"),
    Key("detail", "enter", "detail", "Open", "Fills and orders of the selected row.", "positions", footer=False),
    Key("fold", "space", "fold", "Fold", "Fold or unfold the selected group.", "positions"),
    Key("expiry.next", "right_square_bracket", "expiry(1)", "Expiry", "The next expiry.", "chain"),
    Key(
        "expiry.previous",
        "left_square_bracket",
        "expiry(-1)",
        "Expiry back",
        "The expiry before.",
        "chain",
        footer=False,
    ),
    Key("underlying.next", "n,right_curly_bracket", "underlying(1)", "Index", "The next underlying.", "chain"),
    Key(
        "underlying.previous",
        "left_curly_bracket",
        "underlying(-1)",
        "Index back",
        "The underlying before.",
        "chain",
        footer=False,
    ),
    Key("columns", "v", "columns", "Columns", "Change the column set: prices, Greeks, open interest.", "chain"),
    Key("centre", "a", "centre", "ATM", "Go to the at-the-money strike.", "chain"),
    Key("doubt", "u", "doubt", "Doubt", "What is known of an order in doubt, and what can be done about it.", "orders"),
    Key("adopt.order", "A", "adopt", "Adopt", "Take over an order that was not sent from here.", "orders"),
    Key("modify", "m", "modify", "Modify", "Change the selected working order.", "orders", order=True),
    Key("cancel", "c", "cancel", "Cancel", "Cancel the selected working order.", "orders", order=True),
    Key(
        "cancel.all", "C", "cancel_all", "Cancel all", "Cancel all that works, after a question.", "orders", order=True
    ),
    Key("depth", "d", "depth", "Depth", "Five levels of the selected contract.", "orders"),
    Key("order.open", "enter", "order_detail", "History", "Everything that happened to the order.", "orders"),
    Key("risk.active", "a", "state('active')", "Active", "All orders may leave again; asks for a reason.", "risk"),
    Key("risk.reducing", "e", "state('reducing')", "Reduce only", "Only orders that reduce may leave.", "risk"),
    Key("risk.halted", "t", "state('halted')", "Halt", "Only exits and guards may leave.", "risk"),
    Key("risk.change", "m,enter", "change", "Change", "Another value for the selected limit.", "risk"),
    Key("risk.add", "n", "add", "New", "Set a limit that is not there yet.", "risk"),
    Key("risk.remove", "d", "remove", "Remove", "Take the selected limit away; asks for a reason.", "risk"),
    Key("refresh", "r", "refresh_page", "Newest", "Go to the newest fact.", "journal"),
    Key("older", "left_square_bracket", "older", "Older", "Earlier facts.", "journal"),
    Key("newer", "right_square_bracket", "newer", "Newer", "Later facts.", "journal"),
    Key(
        "verify", "v", "verify", "Verify", "Check the journal's chain and that its replay equals the state.", "journal"
    ),
    Key("cause", "c", "cause", "Cause", "Go to what caused the selected fact.", "journal"),
    Key("stream", "f", "only_stream", "Only this", "Only the history of the selected fact's subject.", "journal"),
    *RUN_KEYS,
    *DIALOG_KEYS,
    # --- moving in a grid
    Key("grid.up", "up,k", "cursor(-1)", "Up", "One row up.", "grid", footer=False),
    Key("grid.down", "down,j", "cursor(1)", "Down", "One row down.", "grid", footer=False),
    Key("grid.page_up", "pageup", "page(-1)", "Page up", "One page up.", "grid", footer=False),
    Key("grid.page_down", "pagedown", "page(1)", "Page down", "One page down.", "grid", footer=False),
    Key("grid.first", "home,g", "edge(-1)", "First", "The first row.", "grid", footer=False),
    Key("grid.last", "end,G", "edge(1)", "Last", "The last row.", "grid", footer=False),
    Key("grid.left", "left,h", "sideways(-1)", "Left", "The side or the columns to the left.", "grid", footer=False),
    Key("grid.right", "right,l", "sideways(1)", "Right", "The side or the columns to the right.", "grid", footer=False),
    Key("grid.open", "enter", "activate", "Open", "Open the selected row.", "grid", footer=False),
    # --- everywhere
    *_screens(),
    Key(
        "leader",
        "X",
        "close_leader",
        "Close",
        "Cancel orders or close positions in a scope, after a question.",
    ),
    Key("find", "slash", "find", "Find", "Show only rows that contain a text."),
    Key("command", "colon", "command_line", "Command", "Type a command, with completion and preview."),
    Key("why", "w", "why", "Why", "Why the selected row is as it is."),
    Key("help", "question_mark", "show_help", "Help", "Keys and the meaning of this screen."),
    Key("notices.list", "N", "show_notices", "Notices", "All you were told, and what is not seen."),
    Key("notices", "exclamation_mark", "acknowledge", "Seen", "Mark all notices as seen."),
    Key(
        "palette",
        "ctrl+p,ctrl+k",
        "command_palette",
        "Palette",
        "Every command by name.",
        "app",
        footer=False,
        priority=True,
    ),
    Key("theme", "comma", "app.change_theme", "Theme", "Choose a theme.", footer=False),
    Key("sort", "S", "sort", "Sort", "Sort by the next column.", footer=False),
    Key("quit", "q", "app.quit", "Quit", "Leave; asks while an order works or a short is open."),
    Key(
        "leave",
        "ctrl+c",
        "quit",
        "Leave",
        "Leave from anywhere, dialogs too; asks while an order works or a short is open.",
        "app",
        footer=False,
        priority=True,
    ),
    Key(
        "kill",
        "ctrl+x",
        "kill_chord",
        "KILL",
        "Twice: cancel everything, flatten, refuse new risk.",
        "app",
        footer=False,
        priority=True,
    ),
)
