"""The leader key ``X``: what to close, then where, then a question. Three keys, none of them close to another habit."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from optconsole.engine.commands import Scope, ScopeKind
from optconsole.screens.closing import open_in, scope_words, working_in
from optconsole.screens.deck import Deck
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line, Ribbon

ORDERS, POSITIONS = "o", "p"
HEIGHT = 7


def scopes(deck: Deck, contract: str | None) -> dict[str, Scope]:
    """The scopes by their key: all, and where a contract is selected that one and its underlying."""
    found = {"a": Scope()}
    if contract is not None:
        found["u"] = Scope(ScopeKind.UNDERLYING, contract.split(" ")[0])
        found["c"] = Scope(ScopeKind.CONTRACT, contract)
    for place, account in enumerate(sorted(deck.mirror.state.accounts)[:9], start=1):
        found[str(place)] = Scope(ScopeKind.ACCOUNT, account)
    return found


class ClosingMenu(Dialog[tuple[str, Scope]]):
    """Answers what (``o`` orders, ``p`` positions) and where; None when another key is pressed."""

    def __init__(self, deck: Deck, contract: str | None) -> None:
        super().__init__()
        self.deck = deck
        self._scopes = scopes(deck, contract)
        self._what = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Ribbon(HEIGHT, id="dialog-text")
            yield Ribbon(id="dialog-keys")

    def on_mount(self) -> None:
        self._show()
        keys = [Part("Esc", "key"), Part(" leaves everything as it is", "dim")]
        self.query_one("#dialog-keys", Ribbon).show((keys, []))

    def _show(self) -> None:
        lines: list[Line]
        if not self._what:
            lines = [
                _choice(ORDERS, "cancel orders", f"{len(self.deck.mirror.working())} work"),
                _choice(POSITIONS, "close positions", f"{len(open_in(self.deck, Scope()))} are open"),
            ]
        else:
            lines = [_choice(key, scope_words(scope), self._count(scope)) for key, scope in self._scopes.items()]
        title = {"": "Close what?", ORDERS: "Cancel orders in", POSITIONS: "Close positions in"}[self._what]
        shown: list[Line] = [([Part(title, "title")], []), ([], []), *lines[: HEIGHT - 2]]
        self.query_one("#dialog-text", Ribbon).show(*shown, *[([], [])] * (HEIGHT - len(shown)))

    def _count(self, scope: Scope) -> str:
        return str(len(working_in(self.deck, scope) if self._what == ORDERS else open_in(self.deck, scope)))

    def on_key(self, event: events.Key) -> None:
        """Every key is an answer: what is not offered leaves."""
        event.stop()
        if not self._what and event.key in (ORDERS, POSITIONS):
            self._what = event.key
            self._show()
        elif self._what and event.key in self._scopes:
            self.dismiss((self._what, self._scopes[event.key]))
        else:
            self.dismiss(None)


def _choice(key: str, text: str, note: str) -> Line:
    return [Part(f"{key}  ", "key"), Part(text)], [Part(note, "dim")]
