"""The keys with the trader's own in place: what feeds dispatch, footer, help and the palette."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Final

from textual.binding import Binding, BindingType
from textual.keys import format_key

from optconsole.engine.model.text import display
from optconsole.screens.key import Key
from optconsole.screens.keys import KEYS

_BY_ID: Final = {key.id: key for key in KEYS}
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
