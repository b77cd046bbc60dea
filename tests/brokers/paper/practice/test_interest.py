from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.brokers.paper.practice.interest import growth
from optconsole.brokers.paper.practice.noise import stream, words
from optconsole.engine.model.instruments import Kind
from tests.brokers.paper.practice.conftest import DayMaker


@settings(deadline=None)
@given(st.integers(0, 2**40), st.lists(st.floats(0.0, 1.0), min_size=2, max_size=50))
def test_growth_starts_at_nothing_ends_at_everything_and_never_falls(seed: int, instants: list[float]) -> None:
    clock = np.array([0.0, *sorted(instants), 1.0])
    share = growth(stream(seed), clock, 200)
    assert share[0] == 0.0
    assert share[-1] > 1.0 - 1e-9
    assert (np.diff(share) >= -1e-12).all()


def test_growth_is_not_the_same_for_every_contract() -> None:
    keys = words(stream(1), np.arange(50))
    halfway = growth(keys, np.full(50, 0.5), 200)
    assert halfway.std() > 0.02


def test_open_interest_crowds_at_round_strikes(plain_day: PracticeDay) -> None:
    near = min(item.expiry for item in plain_day.sheet.instruments if item.underlying == "NIFTY" and item.expiry)
    quotes = {q.name: q for q in plain_day.quotes(plain_day.sheet.instruments, plain_day.opens)}
    held: dict[bool, list[int]] = {True: [], False: []}
    for item in plain_day.sheet.instruments:
        if item.underlying == "NIFTY" and item.expiry == near and item.strike is not None:
            held[item.strike % 500_00 == 0].append(quotes[item.name].oi_open or 0)
    assert np.mean(held[True]) > 2.0 * np.mean(held[False])


def test_what_is_held_at_the_close_is_held_at_the_next_open(make_day: DayMaker) -> None:
    wednesday, thursday = make_day(7, date(2026, 11, 25)), make_day(7, date(2026, 11, 26))
    common = [i for i in wednesday.sheet.instruments if i.name in thursday.sheet.place and i.kind is not Kind.INDEX]
    evening = wednesday.quotes(common, wednesday.closes)
    morning = thursday.quotes(common, thursday.opens)
    assert len(common) > 3000
    assert all(abs((a.oi or 0) - (b.oi_open or 0)) <= i.lot for i, a, b in zip(common, evening, morning, strict=True))


def test_a_contract_is_mostly_unwound_on_its_last_day(expiry_day: PracticeDay) -> None:
    last = [i for i in expiry_day.sheet.instruments if i.expiry == expiry_day.day and i.kind is Kind.OPTION]
    quotes = expiry_day.quotes(last, expiry_day.closes)
    assert last
    assert sum(q.oi or 0 for q in quotes) < 0.6 * sum(q.oi_open or 0 for q in quotes)
