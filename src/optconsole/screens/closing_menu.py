"""The leader key ``X``: what to close, then where, then a question. Three keys, none of them close to another habit."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from optconsole.engine.commands import Scope, ScopeKind
from optconsole.engine.model.book import Flattening
from optconsole.screens.closing import open_in, scope_words, working_in
from optconsole.screens.closing_words import progress, scope_name
from optconsole.screens.deck import Deck
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line, Ribbon

ORDERS, POSITIONS, GIVE_UP, RELEASE = "o", "p", "g", "r"
HEIGHT = 9
KILL = "kill"
"""Why of the closing that the kill switch began; it is not given up."""


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
    """Answers what and where: ``o`` orders and ``p`` positions in a scope, ``g`` a closing to give up, named by its
    id in the scope, ``r`` the kill switch to release. None when another key is pressed.
    """

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

    def _wishes(self) -> list[Flattening]:
        """Closings that can be given up."""
        return [wish for wish in self.deck.mirror.state.flattening.values() if wish.why != KILL]

    def _show(self) -> None:
        state, fmt = self.deck.mirror.state, self.deck.fmt
        lines: list[Line]
        if not self._what:
            lines = [
                _choice(ORDERS, "cancel orders", f"{len(self.deck.mirror.working())} work"),
                _choice(POSITIONS, "close positions", f"{len(open_in(self.deck, Scope()))} are open"),
            ]
            if wishes := self._wishes():
                lines.append(_choice(GIVE_UP, "give up a closing", f"{len(wishes)} under way"))
            if state.killed:
                lines.append(_choice(RELEASE, "release the kill switch", "asks for a word"))
            lines += [line for wish in state.flattening.values() for line in _under_way(self.deck, wish)]
        elif self._what == GIVE_UP:
            lines = [
                _choice(str(place), scope_name(wish, fmt), progress(state, wish).words(fmt))
                for place, wish in enumerate(self._wishes()[:9], start=1)
            ]
        else:
            lines = [_choice(key, scope_words(scope), self._count(scope)) for key, scope in self._scopes.items()]
        titles = {"": "Close what?", ORDERS: "Cancel orders in", POSITIONS: "Close positions in", GIVE_UP: "Give up"}
        shown: list[Line] = [([Part(titles[self._what], "title")], []), ([], []), *lines[: HEIGHT - 2]]
        text = self.query_one("#dialog-text", Ribbon)
        text.styles.height = len(shown)
        text.show(*shown, *[([], [])] * (HEIGHT - len(shown)))

    def _count(self, scope: Scope) -> str:
        return str(len(working_in(self.deck, scope) if self._what == ORDERS else open_in(self.deck, scope)))

    def on_key(self, event: events.Key) -> None:
        """Every key is an answer: what is not offered leaves."""
        event.stop()
        if not self._what and (event.key in (ORDERS, POSITIONS) or (event.key == GIVE_UP and self._wishes())):
            self._what = event.key
            self._show()
        elif not self._what and event.key == RELEASE and self.deck.mirror.state.killed:
            self.dismiss((RELEASE, Scope()))
        elif self._what == GIVE_UP:
            named = dict(zip("123456789", self._wishes(), strict=False))
            wish = named.get(event.key)
            self.dismiss(None if wish is None else (GIVE_UP, Scope(name=wish.id)))
        elif self._what and event.key in self._scopes:
            self.dismiss((self._what, self._scopes[event.key]))
        else:
            self.dismiss(None)


def _under_way(deck: Deck, wish: Flattening) -> list[Line]:
    """How far a closing is, and in a line of its own what it waits for."""
    found, fmt = progress(deck.mirror.state, wish), deck.fmt
    lines: list[Line] = [([Part(f"   {scope_name(wish, fmt)}: ", "dim"), Part(found.words(fmt), "warn")], [])]
    return [*lines, ([Part(f"   waits: {fmt.text(wish.held)}", "bad")], [])] if wish.held else lines


def _choice(key: str, text: str, note: str) -> Line:
    return [Part(f"{key}  ", "key"), Part(text)], [Part(note, "dim")]
