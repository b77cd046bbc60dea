"""ATM: the listed strike nearest to the chosen reference, a tie to the lower one, whatever the gaps (OC-2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.strikes import PriceKind, Reference
from optconsole.engine.rules.strike_rows import Candidate, Slate, at_the_money, atm_straddle, nearest, reference_value


def rows(*strikes: int) -> tuple[Candidate, ...]:
    return tuple(Candidate(strike=strike * 100, contract=f"C{strike}") for strike in strikes)


def priced(prices: dict[int, int]) -> tuple[Candidate, ...]:
    return tuple(Candidate(strike=strike * 100, contract=f"C{strike}", ltp=price) for strike, price in prices.items())


@pytest.mark.parametrize(
    ("reference", "strike"),
    [(24_510, 24_500), (24_530, 24_550), (24_525, 24_500), (24_500, 24_500), (24_449, 24_450), (24_570, 24_550)],
)
def test_atm_is_the_nearest_listed_strike_and_a_tie_goes_to_the_lower_one(reference: int, strike: int) -> None:
    slate = Slate(right=Right.CALL, rows=rows(24_450, 24_500, 24_550), reference=reference * 100)
    assert slate.rows[at_the_money(slate)].strike == strike * 100


def test_atm_walks_the_list_as_it_is_where_strikes_are_missing() -> None:
    slate = Slate(right=Right.CALL, rows=rows(24_000, 24_400, 24_500, 25_000), reference=24_760_00)
    assert slate.rows[at_the_money(slate)].strike == 25_000_00


@given(st.lists(st.integers(1, 60_000), min_size=1, unique=True).map(sorted), st.integers(0, 70_000))
def test_no_listed_strike_is_nearer_than_the_nearest(strikes: list[int], price: int) -> None:
    found = rows(*strikes)[nearest(rows(*strikes), price * 100)].strike // 100
    assert (abs(found - price), found) == min((abs(strike - price), strike) for strike in strikes)


def test_a_reference_off_the_list_has_no_atm() -> None:
    slate = Slate(right=Right.PUT, rows=rows(24_450, 24_500, 24_550), reference=25_100_00)
    with pytest.raises(Refusal, match="24450 to 24550") as refused:
        at_the_money(slate)
    assert refused.value.code == "OFF_THE_LIST"


@pytest.mark.parametrize(
    ("listed", "reference", "code"),
    [((), 24_500_00, "NO_STRIKES"), ((24_500,), None, "NO_REFERENCE"), ((24_500,), 0, "NO_REFERENCE")],
)
def test_atm_needs_strikes_and_a_reference(listed: tuple[int, ...], reference: int | None, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        at_the_money(Slate(right=Right.CALL, rows=rows(*listed), reference=reference))
    assert refused.value.code == code


def test_a_premium_is_of_the_kind_asked_for_and_unknown_is_not_zero() -> None:
    row = Candidate(strike=1, contract="C", ltp=100_00, bid=99_00, ask=102_05, minute=98_00)
    assert [row.premium(kind) for kind in PriceKind] == [100_00, 100_52, 98_00]
    assert [Candidate(strike=1, contract="C", ltp=0, bid=0, ask=5).premium(kind) for kind in PriceKind] == [None] * 3


def test_the_straddle_is_unknown_while_one_of_its_options_is() -> None:
    calls, puts = priced({24_500: 222_00, 24_550: 190_00}), priced({24_500: 273_00})
    assert atm_straddle(calls, puts, 24_500_00) == 495_00
    assert atm_straddle(calls, puts, 24_550_00) is None
    assert atm_straddle(rows(24_500), puts, 24_500_00) is None


def test_the_synthetic_future_is_the_strike_plus_call_minus_put() -> None:
    calls, puts = priced({24_450: 250_00, 24_500: 222_00}), priced({24_450: 240_00, 24_500: 190_00})
    told = {"spot": 24_490_00, "future": 24_540_00, "calls": calls, "puts": puts}
    assert reference_value(Reference.SPOT, **told) == 24_490_00
    assert reference_value(Reference.FUTURE, **told) == 24_540_00
    assert reference_value(Reference.SYNTHETIC, **told) == 24_532_00


def test_the_synthetic_future_is_unknown_without_both_options() -> None:
    calls, puts = priced({24_500: 222_00}), rows(24_500)
    assert reference_value(Reference.SYNTHETIC, spot=24_490_00, future=None, calls=calls, puts=puts) is None
    assert reference_value(Reference.SYNTHETIC, spot=None, future=None, calls=calls, puts=calls) is None
