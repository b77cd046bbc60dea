"""Keys as data: one table feeds dispatch, footer, help and the palette, and is rebindable by id."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding, BindingType
from textual.keys import format_key

from optconsole.engine.model.text import display

ORDER_KEY_PAUSE: Final = 0.3
"""Seconds in which a repeated order key is the same press: a key held down must not order twice."""

MODE_NUMBERS: Final[dict[str, int]] = {"positions": 1, "chain": 2, "orders": 3, "risk": 6, "journal": 8, "health": 9}
"""Screens and their number keys; the numbers between them belong to screens of the same order in the guide."""


@dataclass(frozen=True, slots=True)
class Key:
    """One binding. ``order`` marks keys that may trade.

    ``context`` is ``app`` (everywhere, dialogs too), ``global`` (every screen), ``trade``, ``grid`` or a screen's name.
    """

    id: str
    keys: str
    action: str
    description: str
    tooltip: str
    context: str = "global"
    footer: bool = True
    priority: bool = False
    order: bool = False


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
    Key("group", "o", "group", "Group", "Group by underlying, account or expiry.", "positions"),
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
    # --- the ticket
    Key("ticket.send", "enter", "send", "Send", "Send the order; the ticket locks until the engine answers.", "ticket"),
    Key("ticket.yes", "y", "yes", "Yes", "Send a live order.", "ticket", footer=False),
    Key("ticket.close", "escape", "close", "Close", "Close; what was sent goes on.", "ticket"),
    Key("ticket.next", "tab,right", "field(1)", "Field", "The next field.", "ticket"),
    Key("ticket.previous", "shift+tab,left", "field(-1)", "Field back", "The field before.", "ticket", footer=False),
    Key("ticket.more", "up,plus", "nudge(1)", "More", "One lot or one tick more.", "ticket", footer=False),
    Key("ticket.less", "down,minus", "nudge(-1)", "Less", "One lot or one tick less.", "ticket", footer=False),
    Key("ticket.more5", "shift+up,pageup", "nudge(5)", "More by 5", "Five more.", "ticket", footer=False),
    Key("ticket.less5", "shift+down,pagedown", "nudge(-5)", "Less by 5", "Five less.", "ticket", footer=False),
    Key("ticket.mid", "equals_sign", "take('mid')", "Mid", "The middle of the spread.", "ticket"),
    Key("ticket.ask", "a", "take('ask')", "Ask", "Join the best ask.", "ticket"),
    Key("ticket.bid", "b", "take('bid')", "Bid", "Join the best bid.", "ticket"),
    Key("ticket.depth", "l", "ladder", "Depth", "Show or hide five levels of the book.", "ticket"),
    Key("ticket.guard", "g", "extras", "Guard", "Stop, target and parts with the order.", "ticket"),
    Key("ticket.type", "t", "next_type", "Type", "LIMIT, MARKET, SL, SL-M in turn.", "ticket", footer=False),
    Key("ticket.product", "p", "next_product", "Product", "NRML or MIS.", "ticket", footer=False),
    Key("ticket.validity", "v", "next_validity", "Validity", "DAY or IOC.", "ticket", footer=False),
    Key("ticket.account", "A", "next_account", "Account", "The next account.", "ticket", footer=False),
    # --- the stop of a position
    Key("stop.send", "enter", "send", "Set", "Guard the position so.", "stop"),
    Key("stop.close", "escape", "close", "Close", "Close; the guard stays as it is.", "stop"),
    Key("stop.field", "tab,left,right", "other", "Field", "Stop or target.", "stop"),
    Key("stop.more", "up,plus", "nudge(1)", "Tick up", "One tick up.", "stop", footer=False),
    Key("stop.less", "down,minus", "nudge(-1)", "Tick down", "One tick down.", "stop", footer=False),
    Key("stop.more5", "shift+up,pageup", "nudge(5)", "5 ticks up", "Five ticks up.", "stop", footer=False),
    Key("stop.less5", "shift+down,pagedown", "nudge(-5)", "5 down", "Five ticks down.", "stop", footer=False),
    Key("stop.percent", "percent_sign", "propose", "Propose", "25, 30, 40 per cent from the average and on.", "stop"),
    Key("stop.mode", "m", "mode", "Mode", "Who watches: both, the exchange, this engine.", "stop"),
    Key("stop.clear", "d", "clear", "Remove", "Guard the position no longer, after a question.", "stop"),
    # --- an order in doubt
    Key("doubt.read", "r", "read_book", "Read book", "Read the broker's book now, without waiting.", "doubt"),
    Key("doubt.copy", "t", "copy_tag", "Copy tag", "Put the tag in the terminal's clipboard.", "doubt"),
    Key("doubt.release", "l", "release", "Release", "Let entries go on in spite of it, with a reason.", "doubt"),
    Key("doubt.cancel", "c", "cancel", "Cancel", "Cancel it, now that the broker has it.", "doubt", order=True),
    Key("doubt.other", "n", "other", "Next", "The next order in doubt.", "doubt"),
    Key("doubt.close", "escape,q", "close", "Close", "Back to the orders.", "doubt"),
    # --- what the broker said and the book could not take
    Key("letter.replay", "r", "replay", "Hear again", "Have the broker's row taken in once more.", "letters"),
    Key("letter.drop", "d", "drop", "Put away", "Put the row away; the journal keeps it.", "letters"),
    Key("letter.close", "escape,q,enter", "close", "Close", "Back to Health.", "letter", footer=True),
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
        footer=False,
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
    Key("quit", "q", "app.quit", "Quit", "Leave; asks while an order works or a short is open.", footer=False),
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

_BY_ID: Final = {key.id: key for key in KEYS}


_REMEMBERED: Final = 1_000
"""Presses remembered: more than wait to be handled at any time."""
EVERYWHERE: Final = ("app", "global")
"""Contexts whose bindings work on every screen."""
_KEY: Final = re.compile(
    r"(?:(?:ctrl|shift|alt)\+)*(?:[^\s,+]|f\d{1,2}|[a-z]+(?:_[a-z]+)+|up|down|left|right|home|end|pageup|pagedown"
    r"|enter|escape|tab|space|backspace|delete|insert|plus|minus|slash|colon|comma|backslash)"
)
"""Names of keys as the terminal driver gives them."""


class Keymap:
    """The table with the trader's own keys in place."""

    def __init__(self, own: Mapping[str, str] | None = None) -> None:
        self.own = {name: keys for name, keys in (own or {}).items() if name in _BY_ID}
        self.problems = [
            f"There is no key named {display(name, 40)!r}; see the names in the help screen."
            for name in (own or {})
            if name not in _BY_ID
        ]

    def keys(self, key: Key) -> str:
        """The comma-separated keys that trigger ``key``."""
        return self.own.get(key.id, key.keys)

    def shown(self, key: Key) -> str:
        """The first key as it is printed: ``b``, ``^X``, ``[``."""
        return key_name(self.keys(key).split(",")[0].strip())

    def shown_of(self, name: str) -> str:
        """The first key of the binding with this id, as printed."""
        return self.shown(_BY_ID[name])

    def all_shown(self, key: Key) -> str:
        """Every key of a binding, for the help screen."""
        return " ".join(key_name(name.strip()) for name in self.keys(key).split(","))

    def kill_chord(self) -> str:
        """The two presses that kill, as printed."""
        return self.kill_key() * 2

    def kill_key(self) -> str:
        """One press of the kill chord, as printed."""
        return self.shown(_BY_ID["kill"])

    def of(self, *contexts: str) -> list[Key]:
        """The bindings of these contexts, in the table's order of contexts given."""
        return [key for context in contexts for key in KEYS if key.context == context]

    def clashes(self) -> list[str]:
        """One sentence for each key that is none, or that two bindings claim which work at the same time.

        A context's own binding may stand before a shared one in the table; what the trader sets must be clear.
        """
        found = [
            f"keys.{name}: {display(key.strip(), 20)!r} is no key; write one such as b, ctrl+x, f2 or pageup."
            for name, keys in self.own.items()
            for key in keys.split(",")
            if not _KEY.fullmatch(key.strip())
        ]
        for context in sorted({key.context for key in KEYS} - set(EVERYWHERE)):
            taken: dict[str, Key] = {}
            for key in self.of(context, *EVERYWHERE):
                for name in (name.strip() for name in self.keys(key).split(",")):
                    first = taken.setdefault(name, key)
                    same = first.context == key.context
                    if first is not key and (same or first.id in self.own or key.id in self.own):
                        found.append(f"Key {key_name(name)} means both {first.id} and {key.id}.")
        return list(dict.fromkeys(found))


def bindings(*contexts: str, only: Container[str] | None = None) -> list[BindingType]:
    """Textual bindings of these contexts, or ``only`` some of them by id.

    Their ids let the app put the trader's own keys in their place.
    """
    return [
        Binding(
            key.keys,
            key.action,
            key.description,
            show=key.footer,
            priority=key.priority,
            tooltip=key.tooltip,
            id=key.id,
        )
        for key in KEYS
        if key.context in contexts and (only is None or key.id in only)
    ]


def is_order_key(binding_id: str) -> bool:
    """Whether this binding may lead to an order, and so is debounced."""
    key = _BY_ID.get(binding_id)
    return key is not None and key.order


def key_name(key: str) -> str:
    """A key as printed in the footer."""
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+").upper()
    named = {
        "pageup": "PgUp",
        "pagedown": "PgDn",
        "enter": "Enter",
        "escape": "Esc",
        "space": "Space",
        "tab": "Tab",
        "home": "Home",
        "end": "End",
    }
    if key in named:
        return named[key]
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return format_key(key)


class Debounce:
    """Tells a fresh press from a key that repeats: ``fresh`` is False within ORDER_KEY_PAUSE of the last press."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def fresh(self, name: str, now: float) -> bool:
        """Whether a press at ``now`` (monotonic seconds) counts. A repeat keeps pushing the pause on."""
        last = self._last.get(name)
        self._last[name] = now
        return last is None or now - last >= ORDER_KEY_PAUSE


class Presses:
    """Remembers when keys were pressed, so that a key held down or pasted is not taken for an answer."""

    def __init__(self) -> None:
        self._pressed: deque[tuple[str, float]] = deque(maxlen=_REMEMBERED)

    def add(self, key: str, at: float) -> None:
        """A key was pressed ``at`` this time (monotonic seconds)."""
        self._pressed.append((key, at))

    def repeats(self, key: str, at: float) -> bool:
        """Whether the press of this key ``at`` that time only repeats one shortly before it."""
        return any(key == other and 0 < at - then < ORDER_KEY_PAUSE for other, then in self._pressed)


class Chord:
    """A key that acts only on its second press within ``window`` seconds."""

    def __init__(self, window: float = 2.0) -> None:
        self._window = window
        self._last: float | None = None

    def pressed(self, now: float) -> bool:
        """Whether the press at ``now`` (monotonic seconds) is the second of a pair."""
        last, self._last = self._last, now
        return last is not None and now - last <= self._window
