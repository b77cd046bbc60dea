"""The guided resolver: one order in doubt at a time, with what is known of it and every choice there is."""

from __future__ import annotations

from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical

from optconsole.engine.commands import AnyCommand, CancelOrder, ReadBookNow, ReleaseDoubt
from optconsole.engine.events import OrderDoubted
from optconsole.engine.model.orders import Order, OrderStatus
from optconsole.engine.queries import JournalPage, ReadJournal
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.dialog_keys import key_line
from optconsole.screens.dialogs import Confirm
from optconsole.screens.doubt_face import TALL, lines
from optconsole.screens.keymap import bindings
from optconsole.screens.mirror import Topic
from optconsole.screens.order_words import in_doubt, side_role
from optconsole.screens.presence import Dialog
from optconsole.screens.reason import Reason
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line, Ribbon
from optconsole.screens.words import order_line

MOST_LINES: Final = 30
AROUND: Final = 5
"""Rows of the dialog that are not its text: border, what is said, keys."""


def doubted(deck: Deck) -> list[Order]:
    """Orders in doubt, oldest first."""
    return [order for order in deck.mirror.state.orders.values() if in_doubt(order)]


class DoubtScreen(Dialog[None]):
    """Leads through one order in doubt; stays open when it is settled, to say how."""

    BINDINGS = bindings("doubt")
    DEFAULT_CSS = """
    DoubtScreen #doubt {
        width: 88; max-width: 96%; height: auto; max-height: 100%; padding: 0 2;
        background: $background; border: round $quiet;
    }
    DoubtScreen.-tall #doubt-keys { margin-top: 1; }
    """

    def __init__(self, deck: Deck, order_id: str) -> None:
        super().__init__()
        self.deck = deck
        self.order_id = order_id
        self._causes: dict[str, str] = {}
        self._stops = [deck.mirror.on(topic, self._follow) for topic in (Topic.ORDERS, Topic.STATE)]

    def compose(self) -> ComposeResult:
        with Vertical(id="doubt"):
            yield Ribbon(MOST_LINES, id="doubt-text")
            yield Ribbon(id="doubt-said")
            yield Ribbon(id="doubt-keys")

    def on_mount(self) -> None:
        self.deck.pulse.attach(self)
        self._open(self.order_id)

    def on_unmount(self) -> None:
        for stop in self._stops:
            stop()
        self.deck.pulse.detach(self)

    def on_pulse(self, _changed: set[str]) -> None:
        self._follow()

    def on_resize(self) -> None:
        self.set_class(self.app.size.height >= TALL, "-tall")
        self._follow()

    def quote_names(self) -> tuple[str, ...]:
        """It shows no prices."""
        return ()

    # ------------------------------------------------------------ content

    def _open(self, order_id: str) -> None:
        self.order_id = order_id
        beside(self, partial(self._learn, order_id), exclusive=True)
        self._follow()

    async def _learn(self, order_id: str) -> None:
        """The cause stands in the journal only: what follows writes over the order's reason."""
        page = await self.deck.query(ReadJournal(stream=f"order:{order_id}", limit=500))
        if isinstance(page, JournalPage) and not self.gone:
            causes = [fact.event.cause for fact in page.facts if isinstance(fact.event, OrderDoubted)]
            self._causes[order_id] = causes[-1] if causes else ""
            self._follow()

    @property
    def order(self) -> Order | None:
        """The order as it is now; None once its day is over."""
        return self.deck.mirror.state.orders.get(self.order_id)

    def _follow(self) -> None:
        if self.gone or not self.is_mounted:
            return
        order, vitals = self.order, self.deck.mirror.vitals
        if order is None:
            self.dismiss(None)
            return
        text = self.query_one("#doubt-text", Ribbon)
        doubt = next((each for each in (vitals.doubts if vitals else ()) if each.order_id == order.id), None)
        height = self.app.size.height
        shown = lines(
            order,
            doubt,
            self._causes.get(order.id, ""),
            self.deck.mirror.now,
            self.deck.fmt,
            max(text.size.width, 60),
            height,
        )
        text.styles.height = min(len(shown), height - AROUND)
        text.show(*shown, *[([], [])] * (MOST_LINES - len(shown)))
        keys = self.deck.keymap.of("doubt")
        offered = [key for key in keys if key.footer and self.check_action(key.action, ())]
        self.query_one("#doubt-keys", Ribbon).show(key_line(self.deck.keymap, offered))

    def _say(self, text: str, role: str) -> None:
        if not self.gone:
            self.query_one("#doubt-said", Ribbon).show(([Part(self.deck.fmt.text(text), role)], []))

    # ------------------------------------------------------------ keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is there only while it can do something."""
        order = self.order
        match action:
            case "release":
                return order is not None and order.status is OrderStatus.UNKNOWN and not order.released
            case "cancel":
                return order is not None and order.broker_id is not None and order.status.working
            case "read_book":
                return order is not None and in_doubt(order)
            case "other":
                return any(each.id != self.order_id for each in doubted(self.deck))
            case _:
                return True

    async def action_read_book(self) -> None:
        if (order := self.order) is not None:
            fresh = self.deck.fresh_id()
            await self._ask(ReadBookNow(id=fresh, actor="key:read-book", account=order.terms.account))

    def action_copy_tag(self) -> None:
        if (order := self.order) is not None and order.tag:
            self.app.copy_to_clipboard(order.tag)
            self._say("The tag is in the terminal's clipboard, where the terminal allows that.", "dim")

    def action_release(self) -> None:
        """Two steps: the reason in words, then a deliberate yes."""
        order = self.order
        if order is None:
            return
        if not order.releasable:
            wait = "It may still turn up: look for the tag at the broker meanwhile, or let the book be read again."
            self._say(wait, "warn")
            return
        head: Line = ([Part(order_line(order, self.deck.fmt), side_role(order.terms.side))], [])

        def reasoned(why: str | None) -> None:
            if why is None:
                return

            async def answered(yes: bool | None) -> None:
                if yes:
                    command = ReleaseDoubt(id=self.deck.fresh_id(), actor="key:release", order_id=order.id, why=why)
                    await self._ask(command)

            told: list[Line] = [head, ([Part(f"Because: {why}")], []), ([], []), *_CONSEQUENCES]
            self.app.push_screen(Confirm(f"Release {order.id} and let entries go on?", told), answered)

        ask: list[Line] = [head, ([Part("Say why it is not at the broker; the journal keeps it.", "dim")], [])]
        self.app.push_screen(Reason(f"Release {order.id}: why?", ask, "its tag is not in the broker's book"), reasoned)

    async def action_cancel(self) -> None:
        order = self.order
        if order is not None and self.deck.debounce.fresh("doubt.cancel", self.deck.monotonic()):
            await self._ask(CancelOrder(id=self.deck.fresh_id(), actor="key:cancel", order_id=order.id))

    def action_other(self) -> None:
        ids = [each.id for each in doubted(self.deck)]
        after = ids.index(self.order_id) + 1 if self.order_id in ids else 0
        self._say("", "")
        self._open(ids[after % len(ids)])

    def action_close(self) -> None:
        self.dismiss(None)

    async def _ask(self, command: AnyCommand) -> None:
        reply = await self.deck.submit(command)
        code = "" if reply.ok else f" [{reply.code}]"
        self._say(f"{reply.text}{code}", "good" if reply.ok else "bad")


_CONSEQUENCES: Final[tuple[Line, ...]] = (
    ([Part("It stays watched to the end of the day, and counted in risk.", "warn")], []),
    ([Part("If it turns up after all, it is taken in, and you are told.", "dim")], []),
)
