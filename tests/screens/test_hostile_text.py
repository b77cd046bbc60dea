"""Text from outside never acts: it opens nothing, sends nothing, breaks nothing, and only visible characters leave.

Faults X06 (markup), X07 (escape sequences), D10 (bidi, invisible, floods); invariant I-21.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.geometry import Region
from textual.pilot import Pilot

from optconsole.app import ConsoleApp
from optconsole.engine import queries as q
from optconsole.engine.commands import CancelOrder, PlaceOrder, Reply
from optconsole.engine.events import AccountOpened, AnyEvent, NoticeRaised, OrderRejected
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.orders import Side
from optconsole.engine.model.text import MOST_MARKS, unseen
from optconsole.screens.widgets.cells import Align, Part, fit, lay, safe
from tests.screens.hostile import CORPUS, HOSTILE
from tests.screens.hostile_day import hostile_day
from tests.screens.opening import opened, settled
from tests.screens.stage import NOON, StageLink, name, placed, stage_app

EXAMPLES = int(os.environ.get("OPTCONSOLE_FUZZ", "150"))
"""Strings a fuzz runs through every widget; a long run says more."""
BATCH = 8
ACCOUNT = "[/]\x1b]0;acct\x07"
WALK = (
    *("3", "u", "t", "escape", "A", "escape", "9", "enter", "escape", "d", "escape"),
    *("1", "end", "up", "A", "escape"),
    *("1", "enter", "escape", "w", "2", "w", "b", "l", "escape", "3", "down", "enter", "escape", "w", "down", "w", "d"),
    *("8", "down", "enter", "escape", "f", "w", "9", "N", "escape", "question_mark", "escape", "S"),
    *(
        "X",
        "o",
        "escape",
        "X",
        "p",
        "escape",
        "colon",
        "b",
        "u",
        "y",
        "tab",
        "escape",
        "ctrl+p",
        "n",
        "i",
        "f",
        "escape",
    ),
)
"""Keys over every screen and dialog, none of which sends anything."""


def harmless(text: str) -> bool:
    """Whether a terminal would only draw this, each combining mark within reach of its character."""
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if unseen(char) or marks > MOST_MARKS:
            return False
    return True


def painted(app: ConsoleApp) -> list[str]:
    """Every line of the screen as it would go to the terminal."""
    compositor = app.screen._compositor
    strips = compositor.render_strips(app.screen.size)
    assert Region(0, 0, *app.screen.size).height == len(strips)
    return ["".join(segment.text for segment in strip) for strip in strips]


def hostile_link(texts: Iterable[str], mode: Mode = Mode.PAPER) -> StageLink:
    link = StageLink(mode=mode)
    texts = tuple(texts)
    link.happen(AccountOpened(account=Account(id=ACCOUNT, broker=texts[0], mode=mode, capital=100_000_000)))
    for event in hostile_day(texts, ACCOUNT, (name(24500, "CE"), name(24500, "PE")), NOON):
        link.happen(event)
    strange = msgspec.structs.replace(link.instruments[0], name=f"NIFTY {texts[0]}", underlying="NIFTY")
    link.instruments.append(strange)
    (broker,) = link.vitals.brokers
    said = msgspec.structs.replace(broker, name=texts[-1][:40], note=texts[0])
    link.vitals = msgspec.structs.replace(link.vitals, brokers=(said,), world=texts[-1])
    bad = q.Check(code=texts[0], severity="warn", text=texts[-1])
    link.answers[q.PreviewOrder] = q.OrderPreview(
        ok=True,
        checks=(bad,),
        protection=None,
        margin=None,
        free_after=None,
        charges=None,
        band_low=None,
        band_high=None,
        orders=1,
        max_loss=None,
        unlimited=True,
    )
    link.replies[CancelOrder] = Reply(ok=False, code=texts[0], text=texts[-1])
    link.replies[PlaceOrder] = Reply(ok=False, code=texts[0], text=texts[-1])
    return link


async def walk(pilot: Pilot[int], link: StageLink, app: ConsoleApp, keys: Iterable[str]) -> None:
    for key in keys:
        await pilot.press(key)
        for line in painted(app):
            assert harmless(line), (key, line)
    assert app.is_running
    assert not link.submitted, "a text sent something"


async def test_no_text_of_the_corpus_acts_on_any_screen_or_dialog() -> None:
    link = hostile_link(CORPUS)
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await walk(pilot, link, app, WALK)


async def test_no_text_of_the_corpus_acts_where_only_ascii_is_drawn() -> None:
    link = hostile_link(CORPUS)
    async with stage_app(link, "orders", ascii=True).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await walk(pilot, link, app, ("enter", "escape", "1", "2", "8", "9"))
        assert all(line.isascii() for line in painted(app))


async def test_what_the_palette_finds_is_only_text() -> None:
    link = StageLink()
    contract = msgspec.structs.replace(link.instruments[0], name="NIFTY [/] [@click=app.quit]x[/] \x1b]0;t\x07")
    link.instruments = [contract]
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("ctrl+p", "n", "i", "f", "t", "y")
        for _ in range(100):
            if any("Buy NIFTY [/] [@click=app.quit]x[/] \\x1b]0;t" in line for line in painted(app)):
                break
            await pilot.pause(0.02)
        else:
            raise AssertionError("the contract was never found")
        assert all(map(harmless, painted(app)))


async def test_a_refusal_of_an_order_or_a_cancellation_is_only_text() -> None:
    link = hostile_link(CORPUS)
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("b")
        await settled(pilot, 0.3)
        await pilot.press("enter")
        await settled(pilot)
        assert [type(command) for command in link.submitted] == [PlaceOrder]
        assert all(map(harmless, painted(app)))
        await pilot.press("escape", "3", "down", "down", "c")
        await settled(pilot)
        assert all(map(harmless, painted(app)))


async def test_a_click_on_markup_in_a_reason_does_nothing() -> None:
    link = StageLink([NoticeRaised(level="alarm", code="X", text="[@click=app.quit]CLICK ME[/]")] * 3)
    async with stage_app(link, "health").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        rows = [row for row, line in enumerate(painted(app)) if "CLICK ME" in line]
        assert rows
        for row in rows:
            column = painted(app)[row].index("CLICK ME")
            await pilot.click(offset=(column + 2, row))
            await settled(pilot)
        assert app.is_running
        assert not link.submitted


async def test_every_text_of_the_corpus_can_be_the_newest_fact() -> None:
    link = StageLink(placed(1, name(24500, "CE"), Side.BUY, 1, 100_00))
    async with stage_app(link, "journal").run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        for text in CORPUS:
            link.happen(NoticeRaised(level="warning", code="X", text=text, subject=text))
            await pilot.pause()
            await pilot.pause()
            assert all(map(harmless, painted(app))), text[:60]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=HOSTILE, width=st.integers(0, 120), align=st.sampled_from(["left", "right", "center"]))
def test_any_text_fits_any_cell_and_line_as_visible_characters(text: str, width: int, align: Align) -> None:
    assert harmless(safe(text))
    assert harmless(fit(text, width, align))
    left, _, right = lay([Part("head "), Part(text)], [Part(text, drop=1)], width)
    assert all(harmless(safe(part.text)) for part in (*left, *right))


def news(number: int, text: str) -> list[AnyEvent]:
    """A rejected order on a contract of that name, and a notice: text in every screen's rows."""
    order = placed(1_000 + number, name(24500, "CE"), Side.SELL, 1, 100_00, fill=False)
    rejected = OrderRejected(order_id=f"O{1_000 + number}", code=text, reason=text)
    return [*order[:2], rejected, NoticeRaised(level="alarm", code=text, text=text, subject=text)]


async def test_any_text_in_any_widget_is_only_drawn() -> None:
    """One console, fed with as many strings as the fuzz is long; every screen paints each of them."""
    link = hostile_link(CORPUS[:8])
    texts: list[str] = []

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(HOSTILE)
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        for number in range(0, len(texts), BATCH):
            batch = texts[number : number + BATCH]
            for place, text in enumerate(batch):
                for event in news(number + place, text):
                    link.happen(event)
            await pilot.press(str((1, 2, 3, 6, 8, 9)[number // BATCH % 6]))
            assert all(map(harmless, painted(app))), batch
    assert not link.submitted
