"""Put-call ratio and max pain, against counting by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.pricing.ladder import Ladder, Side
from optconsole.engine.pricing.open_interest import max_pain, put_call_ratio

STRIKES = (100, 150, 200, 300)


def ladder(calls: tuple[int | None, ...], puts: tuple[int | None, ...]) -> Ladder:
    unknown = (None,) * len(STRIKES)
    return Ladder(STRIKES, Side(unknown, unknown, unknown, calls), Side(unknown, unknown, unknown, puts))


def test_ratio_is_puts_over_calls() -> None:
    assert put_call_ratio(ladder((1, 2, 3, 4), (5, 5, 0, 0))) == 1.0


@pytest.mark.parametrize(
    ("calls", "puts"),
    [((), ()), ((0, 0, 0, 0), (1, 1, 1, 1)), ((None,) * 4, (1, 1, 1, 1)), ((1, 1, 1, 1), (None,) * 4)],
)
def test_unknown_open_interest_gives_no_ratio(calls: tuple[int | None, ...], puts: tuple[int | None, ...]) -> None:
    assert put_call_ratio(ladder(calls, puts)) is None


counts = st.tuples(*[st.one_of(st.none(), st.integers(0, 1_000_000))] * len(STRIKES))


@settings(deadline=None)
@given(counts, counts)
def test_max_pain_costs_the_writers_least(calls: tuple[int | None, ...], puts: tuple[int | None, ...]) -> None:
    def payout(settle: int) -> int:
        call = sum((oi or 0) * max(settle - strike, 0) for strike, oi in zip(STRIKES, calls, strict=True))
        return call + sum((oi or 0) * max(strike - settle, 0) for strike, oi in zip(STRIKES, puts, strict=True))

    found = max_pain(ladder(calls, puts))
    if (not any(calls) and not any(puts)) or set(calls) == {None} or set(puts) == {None}:
        assert found is None
    else:
        assert found == min(STRIKES, key=payout)
