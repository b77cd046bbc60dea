"""The quote board keeps the latest sane quote and tells each tap exactly what changed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.market.board import HIGHEST_PRICE, QuoteBoard
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, millis

CALL = "NIFTY 01DEC26 24500 CE"
NAMES = ("A 01DEC26 FUT", "B 01DEC26 FUT", "C 01DEC26 FUT")


def quote(name: str = CALL, ltp: int = 100_00, ts: int = 1, **other: int) -> Quote:
    return Quote(name=name, ts=ts, ltp=ltp, **other)  # type: ignore[arg-type]


def test_a_quote_overwrites_the_one_before() -> None:
    board = QuoteBoard()
    board.update([quote(ltp=100_00, ts=5), quote(ltp=101_00, ts=6)])
    assert board.get(CALL) == quote(ltp=101_00, ts=6)
    assert list(board.names()) == [CALL]
    assert (board.quotes_seen, board.rejected, board.last_update_ms) == (2, 0, 6)
    assert board.get("NIFTY") is None


@pytest.mark.parametrize(
    "bad",
    [
        quote(ltp=0),
        quote(ltp=-5),
        quote(ltp=HIGHEST_PRICE),
        quote(bid=0, bid_qty=65),
        quote(ask=-1, ask_qty=65),
        quote(bid=101_00, bid_qty=65, ask=100_95, ask_qty=65),
        quote(bid=100_00, bid_qty=0),
        quote(ask=100_00, ask_qty=-65),
        quote(volume=-1),
        quote(oi=-1),
        quote(prev_close=0),
        quote(ltp=float("nan")),  # type: ignore[arg-type]
        quote(ltp=float("inf")),  # type: ignore[arg-type]
    ],
)
def test_an_insane_quote_is_counted_and_the_one_before_stands(bad: Quote) -> None:
    board = QuoteBoard()
    tap = board.open_tap([CALL])
    good = quote(ltp=99_00)
    board.update([good])
    tap.drain()
    board.update([bad])
    assert board.get(CALL) == good
    assert board.rejected == 1
    assert board.last_rejection.startswith(CALL)
    assert tap.drain() == ()


def test_a_locked_book_and_an_empty_side_are_sane() -> None:
    board = QuoteBoard()
    board.update([quote(bid=100_00, bid_qty=65, ask=100_00, ask_qty=65), quote(ask=100_00, ask_qty=65)])
    assert board.rejected == 0


def test_an_option_priced_like_its_index_is_a_mixed_tick() -> None:
    board = QuoteBoard()
    board.update([quote("NIFTY", 24_584_00), quote(ltp=24_584_00), quote("NIFTY 01DEC26 FUT", 24_584_00)])
    assert board.rejected == 1
    assert board.get(CALL) is None
    assert board.get("NIFTY 01DEC26 FUT") is not None


def test_age_counts_from_the_exchange_s_time() -> None:
    board = QuoteBoard()
    then = datetime(2026, 11, 23, 9, 15, tzinfo=IST)
    board.update([quote(ts=millis(then))])
    assert board.age(CALL, then + timedelta(seconds=2.5)) == 2.5
    assert board.age("NIFTY", then) is None


def test_a_tap_hands_out_each_changed_contract_once_with_its_latest_quote() -> None:
    board = QuoteBoard()
    tap = board.open_tap(NAMES[:2])
    board.update([quote(NAMES[0], 1_00), quote(NAMES[1], 2_00), quote(NAMES[0], 3_00), quote(NAMES[2], 4_00)])
    assert tap.drain() == (quote(NAMES[0], 3_00), quote(NAMES[1], 2_00))
    assert tap.drain() == ()


def test_watching_replaces_the_set_and_shows_new_names_at_once() -> None:
    board = QuoteBoard()
    board.update([quote(name, 1_00) for name in NAMES])
    tap = board.open_tap([NAMES[0]])
    assert tap.drain() == (quote(NAMES[0], 1_00),)
    board.update([quote(NAMES[0], 2_00)])
    tap.watch([NAMES[1]])
    assert tap.drain() == (quote(NAMES[1], 1_00),)
    board.update([quote(NAMES[0], 3_00)])
    assert tap.drain() == ()
    tap.watch([NAMES[1]])
    assert tap.drain() == ()


def test_taps_do_not_take_from_one_another_and_a_closed_one_is_empty() -> None:
    board = QuoteBoard()
    first, second = board.open_tap(NAMES), board.open_tap(NAMES)
    board.update([quote(NAMES[0], 1_00)])
    first.close()
    first.close()
    board.update([quote(NAMES[1], 1_00)])
    assert first.drain() == ()
    assert second.drain() == (quote(NAMES[0], 1_00), quote(NAMES[1], 1_00))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("update"), st.sampled_from(NAMES), st.integers(1, 50)),
        st.tuples(st.just("watch"), st.sets(st.sampled_from(NAMES))),
        st.tuples(st.just("drain")),
    ),
    max_size=40,
)


@given(STEPS)
def test_a_reader_that_drains_always_ends_with_the_board_s_own_view(steps: list[tuple[object, ...]]) -> None:
    board = QuoteBoard()
    tap = board.open_tap()
    seen: dict[str, Quote] = {}
    watched: set[str] = set()
    for serial, step in enumerate(steps):
        match step:
            case ("update", str(name), int(price)):
                board.update([quote(name, price, serial)])
            case ("watch", set() as names):
                tap.watch(names)
                seen = {name: seen[name] for name in names & watched if name in seen}
                watched = names
            case _:
                seen.update((each.name, each) for each in tap.drain())
    seen.update((each.name, each) for each in tap.drain())
    assert seen == {name: held for name in watched if (held := board.get(name)) is not None}


def test_contracts_that_are_listed_no_more_are_forgotten_unless_somebody_watches_them() -> None:
    board = QuoteBoard()
    board.update([Quote(name=name, ts=1, ltp=100) for name in ("OLD", "SHOWN", "NEW")])
    tap = board.open_tap(["SHOWN"])
    board.keep({"NEW"})
    assert set(board.names()) == {"SHOWN", "NEW"}
    assert board.seen("OLD") is None
    tap.close()
    board.keep({"NEW"})
    assert set(board.names()) == {"NEW"}
