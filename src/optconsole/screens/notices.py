"""The list of what the trader was told: alarms, warnings, and which of them nobody has seen yet."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from optconsole.engine.commands import AcknowledgeNotices
from optconsole.engine.model.book import Notice, TradingState
from optconsole.screens.deck import Deck
from optconsole.screens.formats import Formats
from optconsole.screens.mirror import Topic
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon

SENTINEL = "SENTINEL_"
"""How codes of the sentinel's alarms begin."""
ROLES = {"alarm": "bad", "warning": "warn"}


def notice_columns(fmt: Formats) -> list[Column]:
    """The columns of ``notice_row``."""
    return [
        Column("Seen", 4, str, "dim", align="left"),
        Column("Time", 8, fmt.clock, "dim", align="left", priority=1),
        Column("Level", 8, _text, _role, align="left"),
        Column("What", 30, lambda told: fmt.text(told[0]), _role, align="left", grow=160),
        Column("About", 14, fmt.text, "dim", align="left", priority=2, grow=10),
        Column("Code", 16, fmt.text, "dim", align="left", priority=1, grow=8),
    ]


def _text(told: tuple[str, str]) -> str:
    return told[0]


def _role(told: tuple[str, str]) -> str:
    return told[1]


def notice_row(notice: Notice, state: TradingState, fmt: Formats) -> Row:
    """One notice; what nobody has seen keeps its colour."""
    seen = notice.seq <= state.acknowledged
    role = "dim" if seen else ROLES.get(notice.level, "")
    mark = fmt.glyph("✓", "+") if seen else ""
    values = [mark, notice.at, (notice.level, role), (notice.text, role), notice.subject, notice.code]
    return Row(str(notice.seq), values, "alarm" if broken_rule(notice, state) else "")


def broken_rule(notice: Notice, state: TradingState) -> bool:
    """Whether it tells of a rule that does not hold, and nobody has seen it yet."""
    return notice.code.startswith(SENTINEL) and notice.seq > state.acknowledged


class NoticesScreen(Dialog[None]):
    """Newest on top; Enter marks all as seen."""

    BINDINGS = [
        Binding("escape,q,N", "close", "Close", tooltip="Back; nothing is marked.", id="notices.close"),
        Binding(
            "enter,exclamation_mark", "seen", "Seen", tooltip="Mark all as seen.", id="notices.seen", priority=True
        ),
    ]
    DEFAULT_CSS = """
    NoticesScreen #detail {
        width: 110; max-width: 96%; height: 20; max-height: 90%; padding: 0 2;
        background: $background; border: round $quiet;
    }
    NoticesScreen QuoteGrid { height: 1fr; margin: 1 0; }
    """

    def __init__(self, deck: Deck) -> None:
        super().__init__()
        self.deck = deck
        self._stop = deck.mirror.on(Topic.NOTICES, self._show)

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(id="detail-head")
            yield QuoteGrid(notice_columns(self.deck.fmt))
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        keys = [Part("Enter", "key"), Part(" all seen  ", "dim"), Part("Esc", "key"), Part(" back", "dim")]
        self.query_one("#detail-keys", Ribbon).show((keys, []))
        self.query_one(QuoteGrid).focus()
        self._show()

    def on_unmount(self) -> None:
        self._stop()

    def _show(self) -> None:
        if self.gone:
            return
        state, fmt = self.deck.mirror.state, self.deck.fmt
        unseen = self.deck.mirror.unseen()
        told = f"{unseen} not seen yet" if unseen else "all seen" if state.notices else "nothing has been raised"
        head = [Part("Notices", "title"), Part(f"  {told}", "warn" if unseen else "dim")]
        self.query_one("#detail-head", Ribbon).show((head, []))
        rows = [notice_row(notice, state, fmt) for notice in reversed(state.notices)]
        self.query_one(QuoteGrid).set_rows(rows)

    async def action_seen(self) -> None:
        notices = self.deck.mirror.state.notices
        if notices:
            await self.deck.submit(AcknowledgeNotices(id=self.deck.fresh_id(), actor="key:seen", upto=notices[-1].seq))
        self.dismiss(None)

    def action_close(self) -> None:
        self.dismiss(None)
