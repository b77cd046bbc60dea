"""The order ticket: a draft under the fingers, its preview from the engine, and the fate of what was sent."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Final

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.worker import WorkType

from optconsole.engine.commands import AnyCommand, PlaceOrder, Reply
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import parse_contract
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, Pending, Side
from optconsole.engine.model.parents import Parent
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.queries import DepthAnswer, GetDepth, OrderPreview, PreviewOrder, Refused
from optconsole.screens.closing import counted
from optconsole.screens.confirmation import Effort, effort, reduces
from optconsole.screens.deck import Deck
from optconsole.screens.depth import at_top
from optconsole.screens.dialogs import Confirm
from optconsole.screens.keymap import bindings
from optconsole.screens.keys import KEYS
from optconsole.screens.mirror import Topic
from optconsole.screens.presence import Dialog
from optconsole.screens.ticket_face import CHOICE_WIDTH, Face, Phase, field_row, lines
from optconsole.screens.ticket_model import USUAL_TICK, Changing, Draft, Field, draft_of, first_price
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line, Ribbon

PREVIEW_PAUSE: Final = 0.08
"""Seconds without a key before the engine is asked what an order would meet."""
PREVIEW_EVERY: Final = 1.0
DEPTH_EVERY: Final = 0.5
CLOSE_AFTER_FILL: Final = 1.5
CHECKING: Final = "Checking; Enter sends it once the checks show."
MOST_LINES: Final = 40
_REFUSED: Final = (OrderStatus.REJECTED, OrderStatus.DENIED)


class TicketScreen(Dialog[None]):
    """One order, placed or changed. Every opening sends at most one command until the engine has answered it."""

    BINDINGS = bindings("ticket")
    DEFAULT_CSS = """
    TicketScreen #dialog { max-height: 100%; }
    """

    def __init__(
        self, deck: Deck, contract: str, side: Side, *, order: Changing | None = None, draft: Draft | None = None
    ) -> None:
        super().__init__()
        self.deck = deck
        self.contract = contract
        listed = deck.instruments.get(contract)
        if draft is None:
            tick = listed.tick if listed else USUAL_TICK
            draft = draft_of(order, tick) if order is not None else opening(deck, contract, side)
        self.draft = draft
        self.phase = Phase.WRITING
        self.preview: OrderPreview | None = None
        self.order_id = order.id if order is not None else ""
        self._previewed: OrderTerms | None = None
        self._asked_at = 0.0
        self._depth_at = 0.0
        self._timer: Timer | None = None
        self._said = ""
        self._said_role = "bad"
        self._ladder = False
        self._change_seen = False
        self._depth: Depth | None = None
        self._command_id = deck.fresh_id()
        self._shown_quote: Quote | None = None
        self._money_moved = False
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
        self._changed()

    def on_unmount(self) -> None:
        for stop in self._stops:
            stop()
        self.deck.pulse.detach(self)

    def _run(self, work: Callable[[], Coroutine[None, None, None]], group: str) -> None:
        """Run beside the keys, in place of what the group ran before.

        Called only once it runs: what never comes to run, as the console leaves, is no coroutine yet.
        """
        asked: WorkType[None] = work
        self.run_worker(asked, group=group, exclusive=True)

    async def _learn(self) -> None:
        """Lot, tick and a first price, where the screen beneath did not know them."""
        if self.contract not in self.deck.instruments:
            try:
                name = parse_contract(self.contract)
            except Refusal as refusal:
                self._say(refusal.text)
                return
            await self.deck.contracts(name.underlying, name.expiry)
        listed = self.deck.instruments.get(self.contract)
        if listed is not None:
            self.draft = replace(self.draft, lot=listed.lot, tick=listed.tick)
        self._changed()

    def quote_names(self) -> tuple[str, ...]:
        return (self.contract,)

    def on_pulse(self, changed: set[str]) -> None:
        """The market moves beneath the ticket; what the engine says of the order is asked again once a second."""
        if self.gone:
            return
        untouched = self.draft.price is None and self.draft.typed is None and self.draft.changing is None
        if untouched and (price := first_price(self._quote(), self.draft.side, self.draft.tick)) is not None:
            self.draft = replace(self.draft, price=price)
            self._changed()
        now = self.deck.monotonic()
        if now - self._asked_at > PREVIEW_EVERY:
            self._ask_preview()
        if self._ladder and (self._outrun() or now - self._depth_at > DEPTH_EVERY):
            self._depth_at = now
            self._run(self._read_depth, "depth")
        self._show()

    def _outrun(self) -> bool:
        """Whether the best prices have left those of the ladder that was read, so that its last levels are missing."""
        depth, quote = self._depth, self._quote()
        if depth is None or quote is None:
            return False
        best = tuple(side[0][0] if side else None for side in (depth.bids, depth.asks))
        return best != (quote.bid, quote.ask)

    # ------------------------------------------------------------ typing

    def on_key(self, event: events.Key) -> None:
        if self.phase is Phase.ASKING and event.key not in ("y", "escape"):
            event.stop()
            self.phase = Phase.WRITING
            self._show()
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
            self._say(refusal.text)

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
            self._changed()

    def action_field(self, step: int) -> None:
        self._become(self.draft.tab(step))

    def action_nudge(self, steps: int) -> None:
        self._become(self.draft.nudge(steps))

    def action_take(self, which: str) -> None:
        quote = self._shown_quote
        price = {"bid": quote.bid, "ask": quote.ask, "mid": quote.mid}[which] if quote is not None else None
        if price is None:
            self._say(f"No {which} is known.")
            return
        self._become(self.draft.take_price(price))

    def action_extras(self) -> None:
        """Show or take away the guard of what fills, and the number of parts."""
        self._become(self.draft.toggle_extras())

    def action_next_type(self) -> None:
        self._become(self.draft.next_type(self._quote()))

    def action_next_product(self) -> None:
        self._become(self.draft.next_product())

    def action_next_validity(self) -> None:
        self._become(self.draft.next_validity())

    def action_next_account(self) -> None:
        accounts = sorted(self.deck.mirror.state.accounts)
        if self.draft.changing is None and self.draft.account in accounts:
            after = accounts[(accounts.index(self.draft.account) + 1) % len(accounts)]
            self._become(replace(self.draft, account=after))

    def action_ladder(self) -> None:
        self._ladder = not self._ladder
        self._depth_at = self.deck.monotonic()
        self._depth = None
        if self._ladder:
            self._run(self._read_depth, "depth")
        self._show()

    # ------------------------------------------------------------ the preview

    def _terms(self) -> OrderTerms | None:
        try:
            return self.draft.terms()
        except Refusal:
            return None

    def _changed(self) -> None:
        """Show the draft at once; ask the engine when the keys rest."""
        self._recheck()
        self._show()

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
        answer = await self.deck.query(self._question(terms))
        if isinstance(answer, OrderPreview):
            self.preview, self._previewed = answer, terms
            if self._said == CHECKING:
                self._said = ""
            if self.phase is Phase.ASKING and not answer.ok:
                self.phase = Phase.WRITING
        elif isinstance(answer, Refused):
            self._say(answer.text)
        self._show()

    def _question(self, terms: OrderTerms) -> PreviewOrder:
        """What to ask of these terms; of a parent one part at work stands for all, as the engine changes each."""
        changing = self.draft.changing
        if not isinstance(changing, Parent):
            return PreviewOrder(terms=terms, replacing=changing.id if changing else "")
        parts = [order for order in self.deck.mirror.working(self.contract) if order.parent == changing.id]
        qty = min(parts[0].terms.qty if parts else changing.largest, terms.qty)
        return PreviewOrder(terms=msgspec.structs.replace(terms, qty=qty), replacing=parts[0].id if parts else "")

    async def _read_depth(self) -> None:
        answer = await self.deck.query(GetDepth(name=self.contract))
        self._depth = answer.depth if isinstance(answer, DepthAnswer) else None
        self._show()

    # ------------------------------------------------------------ sending

    def action_send(self) -> None:
        if self.phase is not Phase.WRITING or not self.deck.debounce.fresh("ticket.send", self.deck.monotonic()):
            return
        try:
            terms = self.draft.terms()
            if self.draft.changing is not None:
                self.draft.change(self._command_id, "key:ticket")
        except Refusal as refusal:
            self._say(refusal.text)
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
                self._show()
            case Effort.TYPED:
                self._ask_typed(terms, lots)

    def _passes(self, terms: OrderTerms) -> bool:
        """Whether the engine's checks of exactly these terms stand on the screen and refuse nothing."""
        if self.preview is None or self._previewed != terms:
            self._say(CHECKING, "accent")
            self._ask_preview()
            return False
        if not self.preview.ok:
            refusing = [check.text for check in self.preview.checks if check.severity == "refuse"]
            self._say(f"Not sent. {refusing[0] if refusing else 'The engine would refuse it.'}")
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
        self.app.push_screen(Confirm(title, self._weight(terms), word=str(lots)), answered)

    def _weight(self, terms: OrderTerms) -> list[Line]:
        """What a large order means: account, mode, contract, worst case, what stays free."""
        fmt, seen = self.deck.fmt, self.preview
        loss = "unlimited" if seen and seen.unlimited else fmt.money(seen.max_loss if seen else None)
        return [
            ([Part(fmt.contract(terms.contract), "title")], [Part(f" {self.deck.mode.upper()} ", self.deck.mode)]),
            ([Part("account ", "dim"), Part(fmt.text(terms.account))], [Part("max loss ", "dim"), Part(loss, "warn")]),
            (
                [Part("margin ", "dim"), Part(fmt.pnl_compact(seen.margin if seen else None))],
                [Part("free after ", "dim"), Part(fmt.money(seen.free_after if seen else None))],
            ),
        ]

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
        self._show()
        self._run(partial(self._submit, command), "send")

    async def _submit(self, command: AnyCommand) -> None:
        reply = await self.deck.submit(command)
        if reply.code == "LINK_LOST":
            self.phase = Phase.UNSURE
            self._say(reply.text)
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
        self._say(reply.text)

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
        self._show()

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
            self._show()
        else:
            self.dismiss(None)

    # ------------------------------------------------------------ showing

    def _quote(self) -> Quote | None:
        return self.deck.mirror.quote(self.contract)

    def _order(self) -> Order | None:
        return self.deck.mirror.state.orders.get(self.order_id) if self.order_id else None

    def _say(self, text: str, role: str = "bad") -> None:
        self._said, self._said_role = text, role
        self._show()

    def face(self) -> Face:
        """Everything the ticket shows now."""
        mirror, terms = self.deck.mirror, self._terms()
        problem = ""
        try:
            self.draft.terms()
        except Refusal as refusal:
            problem = refusal.text
        quote = self._quote()
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
            keys=_letters(self.deck),
        )

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
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


def _letters(deck: Deck) -> dict[str, str]:
    """The trader's own keys of the choices, by the letters the face asks with."""
    ids = {"t": "ticket.type", "p": "ticket.product", "v": "ticket.validity", "y": "ticket.yes"}
    by_id = {key.id: key for key in KEYS}
    return {letter: deck.keymap.shown(by_id[name]) for letter, name in ids.items()}


def opening(deck: Deck, contract: str, side: Side) -> Draft:
    """A first draft: where the contract is held, its account and product, so that the other side closes it."""
    state, listed = deck.mirror.state, deck.instruments.get(contract)
    tick = listed.tick if listed else USUAL_TICK
    held = [position.key for position in state.positions.values() if position.key.contract == contract and position.qty]
    account = held[0].account if held else next(iter(state.accounts), "")
    draft = Draft(
        account=account,
        contract=contract,
        side=side,
        lot=deck.lot_of(contract),
        tick=tick,
        price=first_price(deck.mirror.quote(contract), side, tick),
    )
    return replace(draft, product=held[0].product) if held else draft


def _same(one: OrderTerms, other: OrderTerms) -> bool:
    return (one.qty, one.price, one.trigger) == (other.qty, other.price, other.trigger)
