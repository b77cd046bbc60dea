"""Numbers as a trader in India reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.screens.formats import Formats, age_role, sign_role

FULL, PLAIN = Formats(), Formats(ascii=True)


def test_the_golden_examples() -> None:
    assert FULL.amount(123_456_780) == "12,34,567.80"
    assert FULL.money(4_560_000_000) == "4.56 Cr"
    assert FULL.grouped(-105_000) == "−1,05,000"
    assert FULL.money(-10_500_000) == "−1.05 L"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (1_000, "1,000"),
        (99_999, "99,999"),
        (100_000, "1,00,000"),
        (12_345_678, "1,23,45,678"),
    ],
)
def test_groups_are_three_then_pairs(number: int, shown: str) -> None:
    assert FULL.grouped(number) == shown


@given(st.integers(-(10**15), 10**15))
def test_grouping_loses_no_digit_and_ends_in_a_group_of_three(number: int) -> None:
    shown = FULL.grouped(number)
    assert int(shown.replace("−", "-").replace(",", "")) == number
    head, *groups = shown.lstrip("−").split(",")
    assert 1 <= len(head) <= 3
    assert all(len(group) == 2 for group in groups[:-1])
    assert not groups or len(groups[-1]) == 3


@given(st.integers(-(10**12), 10**12))
def test_a_price_always_has_two_decimals_and_is_exact(paise: int) -> None:
    shown = FULL.price(paise)
    assert shown[-3] == "."
    assert int(shown.replace("−", "-").replace(",", "").replace(".", "")) == paise


def test_unknown_is_a_dash_and_never_zero() -> None:
    for shown in (FULL.price(None), FULL.pnl(None), FULL.iv(None), FULL.delta(float("nan")), FULL.age(None)):
        assert shown == "–"
    assert PLAIN.price(None) == "-"


def test_profit_always_has_its_sign_and_zero_is_plain() -> None:
    assert [FULL.pnl(p) for p in (1_234_500, -1_234_500, 0)] == ["+12,345", "−12,345", "0"]


def test_profit_below_half_a_rupee_is_zero_without_a_sign() -> None:
    assert [FULL.pnl(p) for p in (49, -49, 50, -50)] == ["0", "0", "+1", "−1"]


def test_ascii_has_only_ascii() -> None:
    shown = [PLAIN.pnl(-500_00), PLAIN.trend(-0.0042), PLAIN.bar(0.6, 8), PLAIN.text("₹ é"), PLAIN.countdown(61)]
    assert all(text.isascii() for text in shown)


def test_small_negative_figures_lose_the_sign_with_the_digits() -> None:
    assert FULL.fixed(-0.001) == "0.00"
    assert FULL.fixed(-0.006) == "−0.01"


@pytest.mark.parametrize(
    ("qty", "lot", "shown"),
    [(130, 65, "2L (130)"), (-130, 65, "−2L (130)"), (0, 65, "0"), (100, 65, "1L+35 (100)"), (130, 0, "130")],
)
def test_lots_come_first_and_units_in_brackets(qty: int, lot: int, shown: str) -> None:
    assert FULL.lots(qty, lot) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.21, "0.2s"),
        (9.94, "9.9s"),
        (9.96, "9s"),
        (119, "119s"),
        (120, "2m"),
        (7_200, "2h"),
        (200_000, "2d"),
        (-1, "0.0s"),
    ],
)
def test_an_age_is_in_the_unit_that_still_tells(seconds: float, shown: str) -> None:
    assert FULL.age(seconds) == shown


def test_the_clock_is_indian_time_whatever_comes_in() -> None:
    moment = datetime(2026, 11, 23, 3, 50, 7, tzinfo=UTC)
    assert FULL.clock(moment) == "09:20:07"
    assert FULL.calendar(moment) == "Mon 23 Nov 09:20:07 IST"


def test_a_countdown_rounds_up_so_that_zero_means_now() -> None:
    assert FULL.countdown(6 * 3600 + 19 * 60 + 52.1) == "−6:19:53"
    assert FULL.countdown(-5) == "−0:00:00"


def test_contracts_are_short_and_the_year_shows_only_when_it_is_another() -> None:
    assert FULL.contract("NIFTY 18NOV25 24500 CE") == "NIFTY 18Nov 24500 CE"
    assert FULL.contract("NIFTY 18NOV25 24500 CE", 2026) == "NIFTY 18Nov25 24500 CE"
    assert FULL.contract("NIFTY 25NOV26 FUT") == "NIFTY 25Nov FUT"
    assert FULL.contract("NIFTY") == "NIFTY"
    assert FULL.expiry(date(2026, 11, 25), 2026) == "25Nov"


@pytest.mark.parametrize(
    "hostile", ["a\x1b]0;x\x07b c", "NIFTY 99XXX26 24500 CE", "x\u202egnp.exe a b", "[/] [@click=app.quit] x"]
)
def test_a_name_that_is_none_shows_as_harmless_text(hostile: str) -> None:
    assert FULL.contract(hostile).isprintable()


def test_volatility_and_percent() -> None:
    assert FULL.iv(0.1342) == "13.42"
    assert FULL.percent(0.0042) == "+0.42%"
    assert FULL.percent(-0.0042) == "−0.42%"
    assert FULL.trend(0.0042) == "▲0.42%"
    assert FULL.trend(-0.0042) == "▼0.42%"


@given(st.floats(-2, 3), st.integers(0, 40), st.booleans(), st.booleans())
def test_a_bar_is_exactly_as_wide_as_asked(share: float, width: int, rightward: bool, ascii: bool) -> None:
    assert len(Formats(ascii=ascii).bar(share, width, rightward=rightward)) == width


def test_roles_say_what_the_sign_says() -> None:
    assert [sign_role(v) for v in (3, -3, 0, None)] == ["up", "down", "dim", "unknown"]
    assert [age_role(v) for v in (0.1, 60, None)] == ["dim", "stale", "unknown"]
