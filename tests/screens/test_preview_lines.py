"""The preview of a basket in words: what is endless, unknown, refused or short is said as such."""

from __future__ import annotations

from datetime import timedelta

from optconsole.engine.model.orders import Side
from optconsole.engine.model.previews import (
    Delay,
    Ledger,
    LegPick,
    MarginView,
    PayoffPicture,
    RateForecast,
    Share,
    StrategyView,
)
from optconsole.engine.queries import BasketPreview, PreviewBasket, Refused
from optconsole.screens.basket_preview import PreviewDialog
from optconsole.screens.formats import FULL
from optconsole.screens.preview_lines import preview_lines, worst_text
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened, settled
from tests.screens.running import CE, running_link
from tests.screens.stage import NOON, stage_app

PICKS = (
    LegPick(leg="ce", side=Side.SELL, lots=2, lazy=False, contract=CE, premium=14_500, vol=0.132, why="nearest to it"),
    LegPick(leg="pe", side=Side.SELL, lots=2, lazy=True, code="NO_STRIKE", why="No put is listed."),
)
PICTURE = PayoffPicture(
    spot=2_451_235,
    until=NOON,
    carry=0.06,
    vol=0.13,
    break_evens=(2_420_000, 2_480_000),
    max_profit=3_000_000,
    endless_loss=True,
    chance=0.62,
)
WORST = Ledger(mtm=0, open_stops=900_000, reentries=0, gap=0, total=-900_000, capped=500_000)
SHARES = (
    Share(account="PAPER1", text="", lots={"ce": 2}, orders=2, charges=3_600, worst=WORST),
    Share(account="OTHER", text="1.5 times 1 lot is no whole lot.", code="NOT_WHOLE"),
)
VIEW = StrategyView(
    name="short straddle", underlying="NIFTY", legs=PICKS, picture=PICTURE, shares=SHARES, text="Enters at 09:20:00."
)
ANSWER = BasketPreview(
    at=NOON,
    basket="index income",
    strategies=(VIEW,),
    margins=(
        MarginView(
            account="PAPER1", before=0, after=21_000_000, peak=30_000_000, apart=None, free=10_000_000, short=20_000_000
        ),
    ),
    rate=RateForecast(
        requests=40,
        busiest=24,
        slowest=2.3,
        patience=5.0,
        delays=(Delay(at=NOON + timedelta(seconds=3), entries=24, exits=0, seconds=2.3, names=("short straddle",)),),
    ),
)


def test_a_preview_tells_contracts_odds_worst_case_margin_and_orders() -> None:
    told = dict(preview_lines(ANSWER, FULL))
    assert told["  ce    SELL 2L  NIFTY 25Nov 24500 CE  145.00  IV 13.20"] == ""
    assert told["  pe    SELL 2L  no contract, armed by another leg: NO_STRIKE"] == "bad"
    assert told["  breaks even at 24,200.00 and 24,800.00; chance of a profit 62 %"] == "accent"
    assert told["  most made +30,000, most lost without end"] == "warn"
    worst = "worst case −9,000, ended by the overall stop at −5,000"
    assert told[f"  PAPER1: ce 2; 2 orders, charges 36, {worst}"] == ""
    assert told["  OTHER: 1.5 times 1 lot is no whole lot. [NOT_WHOLE]"] == "bad"
    assert told["  PAPER1: 0 → 2.10 L, 3.00 L on the way; free 1.00 L, 2.00 L SHORT"] == "bad"
    assert told["  09:20:10: 24 take 2.3 s (short straddle)"] == "warn"


def test_a_worst_case_without_end_names_its_legs() -> None:
    endless = Ledger(mtm=0, open_stops=None, reentries=None, gap=None, total=None, endless=("ce",))
    assert worst_text(endless, FULL) == "without end (ce)"


async def test_the_preview_is_asked_for_the_row_and_for_what_is_written() -> None:
    link = running_link()
    link.answers[PreviewBasket] = ANSWER
    async with stage_app(link, "baskets").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.screen.query_one("#baskets", QuoteGrid).move_to("r/R2")
        await pilot.press("P")
        await settled(pilot)
        assert isinstance(app.screen, PreviewDialog)
        assert link.asked[-1] == PreviewBasket(name="index income", strategy="late strangle")
        grid = app.screen.query_one(QuoteGrid)
        assert "short straddle on NIFTY" in grid.row_text("line/0")
        link.answers[PreviewBasket] = Refused(code="NO_PRICE", text="NIFTY has no price yet.")
        await pilot.press("r")
        await settled(pilot)
        assert "NO_PRICE" in line(app, "detail-head")
        await pilot.press("escape", "e", "ctrl+r")
        await settled(pilot)
        assert isinstance(app.screen, PreviewDialog)
        written = [each for each in link.asked if isinstance(each, PreviewBasket)][-1].written
        assert written is not None
        assert written.name == "index income"
