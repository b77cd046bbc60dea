from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.paper.tape import Tape, closing_value
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import millis
from tests.brokers.paper.stage import at


def quote(clock: str, ltp: int | None, bid: int | None = None, ask: int | None = None, name: str = "C") -> Quote:
    return Quote(name=name, ts=millis(at(clock)), bid=bid, bid_qty=65, ask=ask, ask_qty=65, ltp=ltp)


class TestReference:
    def test_without_a_quote_there_is_none(self) -> None:
        assert Tape(30).reference("C", at("10:00")) is None

    def test_trades_older_than_the_window_do_not_count(self) -> None:
        tape = Tape(30)
        for row in (quote("10:00:00", 100), quote("10:00:10", 300), quote("10:00:40", 500)):
            tape.saw(row)
        assert tape.reference("C", at("10:00:40")) == 400
        assert tape.reference("C", at("10:00:41")) == 500

    def test_while_nothing_trades_it_is_the_mark_not_a_stale_trade(self) -> None:
        tape = Tape(30)
        tape.saw(quote("10:00:00", 100, bid=250, ask=260))
        assert tape.reference("C", at("11:00")) == 250

    def test_a_price_that_stands_is_no_new_trade(self) -> None:
        tape = Tape(30)
        for second, ltp in ((0, 100), (1, 200), (2, 200), (3, 200), (4, 400)):
            tape.saw(quote(f"10:00:0{second}", ltp))
        assert tape.reference("C", at("10:00:05")) == 300


class TestClosingValue:
    def test_only_the_window_before_the_end_counts(self) -> None:
        rows = [
            (at("15:09"), 1_000, 1),
            (at("15:10"), 200, 2),
            (at("15:39"), 301, 1),
            (at("15:40"), 9_000, 1),
        ]
        assert closing_value(rows, at("15:40"), 30) == 167

    def test_nothing_seen_is_no_value(self) -> None:
        assert closing_value([], at("15:40"), 30) is None

    @given(st.lists(st.integers(1, 10**8), min_size=1, max_size=30))
    def test_it_is_the_mean_to_the_nearest_paisa(self, values: list[int]) -> None:
        rows = [(at("15:10") + timedelta(minutes=number), value, 1) for number, value in enumerate(values)]
        mean = closing_value(rows, at("15:40"), 30)
        assert mean is not None
        assert abs(mean * len(values) - sum(values)) * 2 <= len(values)


def test_index_values_are_collected_in_their_window_only() -> None:
    tape = Tape(30)
    tape.closing["NIFTY"] = (millis(at("15:10")), millis(at("15:40")))
    for clock in ("15:09:59", "15:10:00", "15:10:59", "15:39:59", "15:40:00"):
        tape.saw(quote(clock, 100, name="NIFTY"))
        tape.saw(quote(clock, 100, name="BANKNIFTY"))
    assert tape.minutes == {("NIFTY", at("15:10")): (200, 2), ("NIFTY", at("15:39")): (100, 1)}
