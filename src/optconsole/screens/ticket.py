"""The order ticket: what is written and checked is sent once, and its fate is told."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical

from optconsole.engine.commands import AnyCommand, PlaceOrder, Reply
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import parse_contract
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, Pending, Side
from optconsole.screens.closing import counted
from optconsole.screens.confirmation import Effort, effort, reduces
from optconsole.screens.deck import Deck
from optconsole.screens.depth import at_top
from optconsole.screens.dialogs import Confirm
from optconsole.screens.keymap import bindings
from optconsole.screens.mirror import Topic
from optconsole.screens.ticket_checking import CHECKING, TicketChecking
from optconsole.screens.ticket_face import Face, Phase, lines
from optconsole.screens.ticket_model import USUAL_TICK, Changing, Draft, draft_of
from optconsole.screens.ticket_opening import choice_letters, opening
from optconsole.screens.ticket_questions import weight
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Ribbon

CLOSE_AFTER_FILL: Final = 1.5
MOST_LINES: Final = 40
_REFUSED: Final = (OrderStatus.REJECTED, OrderStatus.DENIED)


class TicketScreen(TicketChecking):
    """One order, placed or changed. Every opening sends at most one command until the engine has answered it."""

    BINDINGS = bindings("ticket")
    DEFAULT_CSS = """
    TicketScreen #dialog { max-height: 100%; }
    """

    def __init__(
        self, deck: Deck, contract: str, side: Side, *, order: Changing | None = None, draft: Draft | None = None
    ) -> None:
        listed = deck.instruments.get(contract)
        if draft is None:
            tick = listed.tick if listed else USUAL_TICK
            draft = draft_of(order, tick) if order is not None else opening(deck, contract, side)
        super().__init__(deck, contract, draft)
        self.order_id = order.id if order is not None else ""
        self._change_seen = False
        self._command_id = deck.fresh_id()
        moved = (Topic.ORDERS, Topic.POSITIONS, Topic.STATE)
        self._stops = [
            *(deck.mirror.on(topic, self._follow) for topic in (Topic.ORDERS, Topic.STATE)),
            *(deck.mirror.on(topic, self._moved) for topic in moved),
            deck.mirror.on(Topic.FUNDS, self._recheck),
        ]

    # ------------------------------------------------------------ life

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Ribbon(MOST_LINES, id="dialog-text")
            yield Ribbon(id="dialog-keys")

    def on_mount(self) -> None:
        self.deck.pulse.attach(self)
        self._run(self._learn, "learn")
        self.changed()

    def on_unmount(self) -> None:
        for stop in self._stops:
            stop()
        self.deck.pulse.detach(self)

    async def _learn(self) -> None:
        """Lot, tick and a first price, where the screen beneath did not know them."""
        if self.contract not in self.deck.instruments:
            try:
                name = parse_contract(self.contract)
            except Refusal as refusal:
                self.tell(refusal.text)
                return
            await self.deck.contracts(name.underlying, name.expiry)
        listed = self.deck.instruments.get(self.contract)
        if listed is not None:
            self.draft = replace(self.draft, lot=listed.lot, tick=listed.tick)
        self.changed()

    # ------------------------------------------------------------ sending

    def action_send(self) -> None:
        if self.phase is not Phase.WRITING or not self.deck.debounce.fresh("ticket.send", self.deck.monotonic()):
            return
        try:
            terms = self.draft.terms()
            if self.draft.changing is not None:
                self.draft.change(self._command_id, "key:ticket")
        except Refusal as refusal:
            self.tell(refusal.text)
            return
        if not self._passes(terms):
            return
        state = self.deck.mirror.state
        lots = self.draft.lots or 0
        match effort(self.deck.mode, terms, lots, self.deck.mirror.mark(self.contract), reduces(state, terms)):
            case Effort.ENTER:
                self._send()
            case Effort.YES:
                self.phase = Phase.ASKING
                self.show()
            case Effort.TYPED:
                self._ask_typed(terms, lots)

    def _passes(self, terms: OrderTerms) -> bool:
        """Whether the engine's checks of exactly these terms stand on the screen and refuse nothing."""
        if self.preview is None or self._previewed != terms:
            self.tell(CHECKING, "accent")
            self._ask_preview()
            return False
        if not self.preview.ok:
            refusing = [check.text for check in self.preview.checks if check.severity == "refuse"]
            self.tell(f"Not sent. {refusing[0] if refusing else 'The engine would refuse it.'}")
            self._ask_preview()
        return self.preview.ok

    def action_yes(self) -> None:
        terms = self._terms()
        if self.phase is Phase.ASKING and terms is not None and self._passes(terms):
            self._send()

    def _ask_typed(self, terms: OrderTerms, lots: int) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._send()

        title = f"{terms.side.value} {counted(lots, 'lot')} ({terms.qty}) at {self.deck.fmt.price(terms.price)}?"
        self.app.push_screen(Confirm(title, weight(self.deck, terms, self.preview), word=str(lots)), answered)

    def _send(self) -> None:
        """Lock, then send: what is typed from here on changes nothing until the engine has answered."""
        command: AnyCommand
        if self.draft.changing is not None:
            command = self.draft.change(self._command_id, "key:ticket")
        else:
            command = PlaceOrder(
                id=self._command_id,
                actor="key:ticket",
                terms=self.draft.terms(),
                stop=self.draft.stop,
                target=self.draft.target,
                parts=self.draft.parts or 0,
            )
        self.phase, self._said = Phase.LOCKED, ""
        self.show()
        self._run(partial(self._submit, command), "send")

    async def _submit(self, command: AnyCommand) -> None:
        reply = await self.deck.submit(command)
        if reply.code == "LINK_LOST":
            self.phase = Phase.UNSURE
            self.tell(reply.text)
        elif reply.ok:
            self.phase = Phase.SENT
            self.order_id = reply.ids[0] if reply.ids else self.order_id
            self._follow()
        else:
            self._unlock(reply)

    def _unlock(self, reply: Reply) -> None:
        """Nothing left: the ticket can be corrected, and is another command from now on."""
        self.phase, self._change_seen = Phase.WRITING, False
        self._command_id = self.deck.fresh_id()
        self.tell(reply.text)

    def _follow(self) -> None:
        """The order's fate, as the facts tell it."""
        order = self._order()
        if order is not None and order.pending is Pending.MODIFY:
            self._change_seen = True
        if self.phase is Phase.SENT and order is not None:
            if order.status in _REFUSED:
                self._unlock(Reply(ok=False, code=order.reason_code, text=f"{order.id}: {order.reason}"))
            elif self.draft.changing is not None:
                self._follow_change(order)
            elif order.status is OrderStatus.FILLED:
                self.set_timer(CLOSE_AFTER_FILL, self.action_close)
        elif self.phase is Phase.SENT and self.order_id in self.deck.mirror.state.parents:
            # it leaves in parts: the Orders screen follows them
            self.set_timer(CLOSE_AFTER_FILL, self.action_close)
        self.show()

    def _follow_change(self, order: Order) -> None:
        # before its own facts have come the order still carries the reason of an earlier refusal
        if order.pending is Pending.MODIFY or not (self._change_seen or order.status.final):
            return
        asked = self._terms()
        if order.status.final or (asked is not None and _same(order.terms, asked)):
            self.set_timer(CLOSE_AFTER_FILL, self.action_close)
        elif order.reason:
            self.draft = replace(self.draft, changing=order)
            self._unlock(Reply(ok=False, code=order.reason_code, text=order.reason))

    def action_close(self) -> None:
        if self.phase is Phase.ASKING:
            self.phase = Phase.WRITING
            self.show()
        else:
            self.dismiss(None)

    # ------------------------------------------------------------ showing

    def _order(self) -> Order | None:
        return self.deck.mirror.state.orders.get(self.order_id) if self.order_id else None

    def face(self) -> Face:
        """Everything the ticket shows now."""
        mirror, terms = self.deck.mirror, self._terms()
        problem = ""
        try:
            self.draft.terms()
        except Refusal as refusal:
            problem = refusal.text
        quote = self.quote()
        return Face(
            draft=self.draft,
            mode=self.deck.mode,
            fmt=self.deck.fmt,
            phase=self.phase,
            quote=quote,
            age=mirror.age(quote),
            preview=self.preview,
            fresh=terms is not None and terms == self._previewed,
            problem=problem,
            said=self._said,
            said_role=self._said_role,
            order=self._order(),
            funds=mirror.funds.get(self.draft.account),
            book=(at_top(self._depth, quote), tuple(mirror.working(self.contract))) if self._ladder else None,
            keys=choice_letters(self.deck),
        )

    def on_resize(self) -> None:
        self.show()

    def show(self) -> None:
        if self.gone or not self.is_mounted:
            return
        text = self.query_one("#dialog-text", Ribbon)
        face = self.face()
        self._shown_quote = face.quote
        shown = lines(face, max(text.size.width, 40), self.app.size.height)
        text.styles.height = len(shown)
        text.show(*shown)
        self.query_one("#dialog-keys", Ribbon).show((self._keys(), []))

    def _keys(self) -> list[Part]:
        keymap = self.deck.keymap
        offered = [key for key in keymap.of("ticket") if key.footer]
        if self.phase is not Phase.WRITING:
            offered = [key for key in offered if key.id in ("ticket.close", "ticket.depth")]
        parts: list[Part] = []
        for place, key in enumerate(offered, start=1):
            parts += [Part(keymap.shown(key), "key", place), Part(f" {key.description}  ", "dim", place)]
        return parts


def _same(one: OrderTerms, other: OrderTerms) -> bool:
    return (one.qty, one.price, one.trigger) == (other.qty, other.price, other.trigger)
