"""The book: five levels, blanks for what nobody published, my own orders on their level."""

from __future__ import annotations

from optconsole.engine.model.orders import OrderType, Side
from optconsole.engine.model.quotes import Depth
from optconsole.screens.depth import HEIGHT, LEVELS, depth_lines, own_lots
from optconsole.screens.formats import FULL
from tests.screens.stage import StageLink, name, placed

CALL = name(24500, "CE")


def texts(depth: Depth | None, link: StageLink | None = None) -> list[str]:
    orders = list(link.state.orders.values()) if link else []
    return ["".join(part.text for part in left) for left, _ in depth_lines(depth, orders, FULL)]


def test_a_thin_book_shows_blanks_not_zeros() -> None:
    lines = texts(Depth(name=CALL, ts=0, bids=((10_120, 650),), asks=()))
    assert len(lines) == HEIGHT
    assert "101.20" in lines[1]
    assert "650" in lines[1]
    assert all(not line.strip() for line in lines[2 : LEVELS + 1])


def test_no_book_at_all_is_said() -> None:
    assert "no book" in texts(None)[-1]


def test_every_line_is_equally_wide_so_that_decimals_stand_under_each_other() -> None:
    deep = Depth(name=CALL, ts=0, bids=((10_120, 650), (905, 65)), asks=((10_130, 99_99_999), (2_00_000, 65)))
    lines = texts(deep)
    assert len({len(line) for line in lines[:3]}) == 1
    assert {line.index(".") for line in lines[1:3]} == {lines[1].index(".")}


def test_my_lots_stand_on_their_price_and_side() -> None:
    link = StageLink(
        [
            *placed(1, CALL, Side.BUY, 3, 10_120, fill=False),
            *placed(2, CALL, Side.BUY, 2, 10_120, fill=False),
            *placed(3, CALL, Side.SELL, 1, 10_120, fill=True),
            *placed(4, CALL, Side.SELL, 1, 9_000, fill=False, kind=OrderType.SL, trigger=9_100),
        ]
    )
    assert own_lots(link.state.orders.values()) == {(Side.BUY, 10_120): 5}
    lines = texts(Depth(name=CALL, ts=0, bids=((10_120, 650),), asks=((10_130, 650),)), link)
    assert lines[1].strip().startswith("5L")
