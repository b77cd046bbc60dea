"""The ticket's draft against the market: what the engine says it would meet, and the book it would enter."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Final

from textual.timer import Timer

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderTerms
from optconsole.engine.model.quotes import Depth
from optconsole.engine.queries import DepthAnswer, GetDepth, OrderPreview, Refused
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.ticket_face import Phase
from optconsole.screens.ticket_model import Draft, first_price
from optconsole.screens.ticket_questions import question
from optconsole.screens.ticket_writing import TicketWriting

PREVIEW_PAUSE: Final = 0.08
"""Seconds without a key before the engine is asked what an order would meet."""
PREVIEW_EVERY: Final = 1.0
DEPTH_EVERY: Final = 0.5
CHECKING: Final = "Checking; Enter sends it once the checks show."


class TicketChecking(TicketWriting):
    """A draft whose checks are asked for when the keys rest, and once a second."""

    def __init__(self, deck: Deck, contract: str, draft: Draft) -> None:
        super().__init__(deck, contract, draft)
        self.preview: OrderPreview | None = None
        self._previewed: OrderTerms | None = None
        self._asked_at = 0.0
        self._depth_at = 0.0
        self._timer: Timer | None = None
        self._ladder = False
        self._depth: Depth | None = None
        self._money_moved = False

    def _run(self, work: Callable[[], Coroutine[None, None, None]], group: str) -> None:
        """Run beside the keys, in place of what the group ran before."""
        beside(self, work, group=group, exclusive=True)

    def quote_names(self) -> tuple[str, ...]:
        return (self.contract,)

    def on_pulse(self, changed: set[str]) -> None:
        """The market moves beneath the ticket; what the engine says of the order is asked again once a second."""
        if self.gone:
            return
        untouched = self.draft.price is None and self.draft.typed is None and self.draft.changing is None
        if untouched and (price := first_price(self.quote(), self.draft.side, self.draft.tick)) is not None:
            self._become(replace(self.draft, price=price))
        now = self.deck.monotonic()
        if now - self._asked_at > PREVIEW_EVERY:
            self._ask_preview()
        if self._ladder and (self._outrun() or now - self._depth_at > DEPTH_EVERY):
            self._depth_at = now
            self._run(self._read_depth, "depth")
        self.show()

    def _outrun(self) -> bool:
        """Whether the best prices have left those of the ladder that was read, so that its last levels are missing."""
        depth, quote = self._depth, self.quote()
        if depth is None or quote is None:
            return False
        best = tuple(side[0][0] if side else None for side in (depth.bids, depth.asks))
        return best != (quote.bid, quote.ask)

    def action_ladder(self) -> None:
        self._ladder = not self._ladder
        self._depth_at = self.deck.monotonic()
        self._depth = None
        if self._ladder:
            self._run(self._read_depth, "depth")
        self.show()

    def _terms(self) -> OrderTerms | None:
        try:
            return self.draft.terms()
        except Refusal:
            return None

    def changed(self) -> None:
        """Show the draft at once; ask the engine when the keys rest."""
        self._recheck()
        self.show()

    def _moved(self) -> None:
        """What an order would meet is another thing after a fill, a change or a kill, and so is the money."""
        self._money_moved = True
        self._recheck()

    def _recheck(self) -> None:
        if self.gone:
            return
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PREVIEW_PAUSE, self._ask_preview)

    def _ask_preview(self) -> None:
        terms = self._terms()
        if terms is not None and self.phase in (Phase.WRITING, Phase.ASKING):
            self._asked_at = self.deck.monotonic()
            self._run(partial(self._read_preview, terms), "preview")

    async def _read_preview(self, terms: OrderTerms) -> None:
        if self._money_moved:
            self._money_moved = False
            await self.deck.ask_funds()
        answer = await self.deck.query(question(self.deck, self.draft, terms))
        if isinstance(answer, OrderPreview):
            self.preview, self._previewed = answer, terms
            if self._said == CHECKING:
                self._said = ""
            if self.phase is Phase.ASKING and not answer.ok:
                self.phase = Phase.WRITING
        elif isinstance(answer, Refused):
            self.tell(answer.text)
        self.show()

    async def _read_depth(self) -> None:
        answer = await self.deck.query(GetDepth(name=self.contract))
        self._depth = answer.depth if isinstance(answer, DepthAnswer) else None
        self.show()
