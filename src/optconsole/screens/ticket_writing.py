"""The ticket under the fingers: keys, pastes and clicks that change the draft, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from textual import events

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Quote
from optconsole.screens.deck import Deck
from optconsole.screens.presence import Dialog
from optconsole.screens.ticket_face import CHOICE_WIDTH, Phase, field_row
from optconsole.screens.ticket_model import Draft, Field
from optconsole.screens.widgets.ribbon import Ribbon


class TicketWriting(Dialog[None]):
    """A draft that is written: ``changed`` is called after every change, ``tell`` with what is wrong with a key."""

    def __init__(self, deck: Deck, contract: str, draft: Draft) -> None:
        super().__init__()
        self.deck = deck
        self.contract = contract
        self.draft = draft
        self.phase = Phase.WRITING
        self._said = ""
        self._said_role = "bad"
        self._shown_quote: Quote | None = None

    def changed(self) -> None:
        """The draft is another one."""

    def show(self) -> None:
        """Show the ticket as it is now."""

    def tell(self, text: str, role: str = "bad") -> None:
        """Say a sentence on the ticket."""
        self._said, self._said_role = text, role
        self.show()

    def quote(self) -> Quote | None:
        """The latest quote of the contract."""
        return self.deck.mirror.quote(self.contract)

    def on_key(self, event: events.Key) -> None:
        if self.phase is Phase.ASKING and event.key not in ("y", "escape"):
            event.stop()
            self.phase = Phase.WRITING
            self.show()
        elif self.phase is Phase.WRITING:
            self._type(event)

    def _type(self, event: events.Key) -> None:
        if event.key in ("backspace", "delete"):
            self._become(self.draft.erase())
        elif event.character is not None and (event.character in "0123456789." or not self._means(event.key)):
            self._become(self.draft.type_in(event.character))
        else:
            return
        event.stop()

    def _means(self, key: str) -> bool:
        """Whether a key does something in the ticket by itself."""
        keymap = self.deck.keymap
        return any(key in keymap.keys(each).split(",") for each in keymap.of("ticket", "app"))

    def on_paste(self, event: events.Paste) -> None:
        """A paste fills the focused field with a number or does nothing: it never reaches a key."""
        event.stop()
        if self.phase is not Phase.WRITING:
            return
        try:
            self._become(self.draft.paste(event.text))
        except Refusal as refusal:
            self.tell(refusal.text)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor in a field; on the right of its line it changes what stands there."""
        text = self.query_one("#dialog-text", Ribbon)
        row = event.screen_y - text.region.y - field_row(self.app.size.height)
        if not 0 <= row < len(Field) or not text.region.contains(event.screen_x, event.screen_y):
            return
        if event.screen_x >= text.region.right - CHOICE_WIDTH:
            choose = (self.action_next_type, self.action_next_product, self.action_next_validity)
            choose[row]()
        else:
            self._become(self.draft.focus(tuple(Field)[row]))

    def _become(self, draft: Draft) -> None:
        if self.phase is Phase.WRITING and draft != self.draft:
            self.draft, self._said = draft, ""
            self.changed()

    def action_field(self, step: int) -> None:
        self._become(self.draft.tab(step))

    def action_nudge(self, steps: int) -> None:
        self._become(self.draft.nudge(steps))

    def action_take(self, which: str) -> None:
        quote = self._shown_quote
        price = {"bid": quote.bid, "ask": quote.ask, "mid": quote.mid}[which] if quote is not None else None
        if price is None:
            self.tell(f"No {which} is known.")
            return
        self._become(self.draft.take_price(price))

    def action_extras(self) -> None:
        """Show or take away the guard of what fills, and the number of parts."""
        self._become(self.draft.toggle_extras())

    def action_next_type(self) -> None:
        self._become(self.draft.next_type(self.quote()))

    def action_next_product(self) -> None:
        self._become(self.draft.next_product())

    def action_next_validity(self) -> None:
        self._become(self.draft.next_validity())

    def action_next_account(self) -> None:
        accounts = sorted(self.deck.mirror.state.accounts)
        if self.draft.changing is None and self.draft.account in accounts:
            after = accounts[(accounts.index(self.draft.account) + 1) % len(accounts)]
            self._become(replace(self.draft, account=after))
