"""The chain's own forward survives junk quotes and says when it cannot be known."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from optconsole.engine.pricing.ladder import Ladder, Side
from optconsole.engine.pricing.parity import Source, parity_forward
from tests.engine.pricing.ladders import FORWARD, RATE, YEARS, strikes_around, synthetic_ladder, traded

EMPTY = Side((), (), ())


def test_books_give_the_forward_to_the_half_paisa() -> None:
    found = parity_forward(synthetic_ladder(), YEARS, RATE)
    assert (found.source, found.strikes_used) == (Source.BOOK, 7)
    assert found.value == pytest.approx(FORWARD, abs=1.0)
    assert found.width < 3.0


def test_a_third_of_all_books_may_be_junk() -> None:
    ladder, rng = synthetic_ladder(), random.Random(4)
    bid, ask = list(ladder.calls.bid), list(ladder.calls.ask)
    for at in rng.sample(range(ladder.size), ladder.size // 3):
        bid[at] = (bid[at] or 0) + 40_000
        ask[at] = (ask[at] or 0) + 90_000
    found = parity_forward(replace_calls(ladder, bid, ask), YEARS, RATE)
    assert found.value == pytest.approx(FORWARD, abs=1.0)


def replace_calls(ladder: Ladder, bid: list[int | None], ask: list[int | None]) -> Ladder:
    return Ladder(ladder.strikes, replace(ladder.calls, bid=tuple(bid), ask=tuple(ask)), ladder.puts)


def test_without_books_the_last_trades_speak() -> None:
    strikes = strikes_around()
    found = parity_forward(Ladder(strikes, traded(strikes, True), traded(strikes, False)), YEARS, RATE)
    assert found.source is Source.LAST_TRADE
    assert found.value == pytest.approx(FORWARD, abs=2.0)


def test_one_good_pair_of_books_beats_any_number_of_last_trades() -> None:
    ladder = synthetic_ladder()
    keep = ladder.size // 2
    bid = [value if at == keep else None for at, value in enumerate(ladder.calls.bid)]
    ask = [value if at == keep else None for at, value in enumerate(ladder.calls.ask)]
    found = parity_forward(replace_calls(ladder, bid, ask), YEARS, RATE)
    assert (found.source, found.strikes_used) == (Source.BOOK, 1)


@pytest.mark.parametrize(
    "ladder",
    [
        Ladder((), EMPTY, EMPTY),
        Ladder((100,), Side((5,), (6,), (5,)), Side((None,), (None,), (None,))),
        Ladder((100,), Side((6,), (5,), (None,)), Side((5,), (6,), (None,))),
        Ladder((100,), Side((0,), (0,), (0,)), Side((5,), (6,), (5,))),
        Ladder((100,), Side((5,), (6,), (5,)), Side((500,), (600,), (500,))),
    ],
    ids=["no strike", "calls only", "crossed book", "zero prices", "a negative forward"],
)
def test_no_pair_of_prices_gives_no_forward(ladder: Ladder) -> None:
    found = parity_forward(ladder, YEARS, RATE)
    assert (found.value, found.source, found.strikes_used) == (None, Source.NO_PAIR, 0)
    assert found.source.text.endswith(".")
