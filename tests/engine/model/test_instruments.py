"""Contract names: one canonical form, read back exactly."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import (
    ContractName,
    Instrument,
    Kind,
    Right,
    choose_expiry,
    contract_name,
    expiry_code,
    parse_contract,
    parse_expiry,
    with_year,
)

UNDERLYINGS = st.sampled_from(["NIFTY", "NIFTYNXT50", "SENSEX50", "M&M", "BAJAJ-AUTO"])
EXPIRIES = st.dates(date(2000, 1, 1), date(2099, 12, 31))
NAMES = st.one_of(
    st.builds(ContractName, UNDERLYINGS),
    st.builds(ContractName, UNDERLYINGS, EXPIRIES),
    st.builds(ContractName, UNDERLYINGS, EXPIRIES, st.integers(1, 10**9), st.sampled_from(Right)),
)


@given(NAMES)
def test_a_name_reads_back_to_its_parts(name: ContractName) -> None:
    assert parse_contract(str(name)) == name


@given(NAMES, st.sampled_from(["  ", "\t", " \n "]))
def test_case_and_spacing_do_not_matter(name: ContractName, gap: str) -> None:
    assert parse_contract(gap + str(name).lower().replace(" ", gap) + gap) == name


@given(EXPIRIES)
def test_an_expiry_reads_back_from_both_forms(day: date) -> None:
    assert parse_expiry(expiry_code(day)) == day
    assert parse_expiry(day.isoformat()) == day


@given(EXPIRIES, st.lists(EXPIRIES))
def test_a_day_without_its_year_is_the_nearest_one_listed(day: date, others: list[date]) -> None:
    listed = [day, *others]
    chosen = choose_expiry(expiry_code(day)[:5].lower(), listed)
    assert chosen == min(each for each in listed if (each.month, each.day) == (day.month, day.day))
    assert choose_expiry(expiry_code(day), []) == day


@given(NAMES)
def test_a_full_name_keeps_its_year(name: ContractName) -> None:
    assert with_year(str(name), lambda _: []) == str(name)


@given(NAMES.filter(lambda name: name.expiry is not None))
def test_a_name_as_screens_show_it_finds_its_year_again(name: ContractName) -> None:
    assert name.expiry is not None
    code = expiry_code(name.expiry)
    shown = str(name).replace(f" {code} ", f" {code[:5].capitalize()} ", 1)
    assert parse_contract(with_year(shown, {name.underlying: [name.expiry]}.__getitem__)) == name


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("NIFTY",), "NIFTY"),
        (("NIFTY", date(2026, 11, 25)), "NIFTY 25NOV26 FUT"),
        (("NIFTY", date(2026, 11, 25), 24_500_00, Right.CALL), "NIFTY 25NOV26 24500 CE"),
        (("SENSEX50", date(2026, 5, 7), 27_600_50, Right.PUT), "SENSEX50 07MAY26 27600.50 PE"),
        (("M&M", date(2026, 5, 7), 2_05, Right.PUT), "M&M 07MAY26 2.05 PE"),
    ],
)
def test_names_look_like_this(parts: tuple[str, date, int, Right], name: str) -> None:
    assert contract_name(*parts) == name


def test_one_decimal_of_a_strike_is_tens_of_paise() -> None:
    assert parse_contract("NIFTY 25NOV26 24500.5 CE").strike == 24_500_50


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "BAD_CONTRACT"),
        ("NIFTY 25NOV26", "BAD_CONTRACT"),
        ("NIFTY 25NOV26 24500", "BAD_CONTRACT"),
        ("NIFTY26NOV24500CE 1 2", "BAD_CONTRACT"),
        ("NIFTY 25NOV26 -5 CE", "BAD_CONTRACT"),
        ("NIFTY 25NOV26 24500.123 CE", "BAD_CONTRACT"),
        ("NIFTY ٢٥NOV26 24500 CE", "BAD_CONTRACT"),
        ("NIFTY 31FEB26 24500 CE", "BAD_EXPIRY"),
        ("NIFTY 25XYZ26 FUT", "BAD_EXPIRY"),
    ],
)
def test_what_is_no_name_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_contract(text)
    assert refused.value.code == code


@pytest.mark.parametrize("text", ["", "tomorrow", "25NOV2026", "2026-02-30", "00JAN26"])
def test_what_is_no_expiry_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_expiry(text)
    assert refused.value.code == "BAD_EXPIRY"


def test_only_an_index_is_not_tradable() -> None:
    def of(kind: Kind) -> Instrument:
        return Instrument(name="X", underlying="X", exchange="NSE", kind=kind, lot=1, tick=1, freeze=1)

    assert [kind for kind in Kind if of(kind).tradable] == [Kind.FUTURE, Kind.OPTION]


def test_a_refusal_shows_its_sentence_and_code() -> None:
    assert str(Refusal("BAD_EXPIRY", "No.")) == "No. [BAD_EXPIRY]"
