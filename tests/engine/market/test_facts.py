"""The packaged tables: whole, dated, and in agreement with one another."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from optconsole.engine.market import facts
from optconsole.engine.market.tables import rows
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind
from optconsole.engine.rules.bands import FUTURE_BAND, OPTION_BAND

TABLES = (
    "brokerage",
    "charges",
    "days",
    "expiry_rules",
    "freeze",
    "lots",
    "margin",
    "price_bands",
    "session_hours",
    "strike_steps",
    "ticks",
    "underlyings",
)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_names_its_source_and_has_every_cell(table: str) -> None:
    assert rows(table)
    for row in rows(table):
        assert row["source"], row
        assert None not in row.values(), row
        assert None not in row, row


@pytest.mark.parametrize("underlying", list(facts.underlyings()))
def test_every_underlying_has_rules_of_every_kind(underlying: str) -> None:
    assert any(rule.underlying == underlying and rule.monthly for rule in facts.expiry_rules())
    assert any(rule.underlying == underlying for rule in facts.lot_rules())
    assert any(rule.underlying == underlying and rule.days_out == 0 for rule in facts.strike_rules())
    assert any(rule.underlying == underlying for rule in facts.freeze_rules())


def test_expiry_rules_of_a_series_follow_one_another_without_overlap() -> None:
    for underlying in facts.underlyings():
        for monthly in (True, False):
            series = [r for r in facts.expiry_rules() if (r.underlying, r.monthly) == (underlying, monthly)]
            for earlier, later in pairwise(series):
                assert later.first == earlier.last + timedelta(days=1)


def test_in_force_takes_the_row_that_began_last() -> None:
    banknifty = [rule for rule in facts.freeze_rules() if rule.underlying == "BANKNIFTY"]
    assert facts.in_force(banknifty, date(2020, 12, 31)) is None
    sizes = [facts.in_force(banknifty, day) for day in (date(2025, 9, 1), date(2026, 3, 31), date(2026, 4, 1))]
    assert [rule.largest for rule in sizes if rule] == [900, 600, 900]


def test_rates_change_on_the_day_the_circular_says() -> None:
    before = facts.rates_on(date(2026, 3, 31), "NSE", Kind.OPTION, "NIFTY")
    after = facts.rates_on(date(2026, 4, 1), "NSE", Kind.OPTION, "NIFTY")
    assert (str(before.stt_sell), str(after.stt_sell)) == ("0.001", "0.0015")
    assert (str(before.stt_exercise), str(after.stt_exercise)) == ("0.00125", "0.0015")


def test_the_exchange_rate_survives_its_change_of_split() -> None:
    for day in (date(2026, 2, 28), date(2026, 3, 1)):
        rates = facts.rates_on(day, "NSE", Kind.OPTION, "NIFTY")
        assert str(rates.transaction + rates.ipft) == "0.0003553"


def test_a_row_that_names_the_underlying_beats_one_for_all() -> None:
    day = date(2026, 11, 20)
    assert str(facts.rates_on(day, "BSE", Kind.OPTION, "SENSEX").transaction) == "0.000325"
    assert str(facts.rates_on(day, "BSE", Kind.OPTION, "SENSEX50").transaction) == "0.00005"
    assert facts.rates_on(day, "BSE", Kind.FUTURE, "SENSEX").transaction == 0


def test_no_two_charge_rows_answer_the_same_question_on_one_day() -> None:
    keys = ("item", "exchange", "kind", "underlying")
    by_key: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for row in rows("charges"):
        by_key.setdefault(tuple(row[key] for key in keys), []).append((row["since"], row["until"] or "9999-12-31"))
    for spans in by_key.values():
        for earlier, later in pairwise(sorted(spans)):
            assert date.fromisoformat(later[0]) == date.fromisoformat(earlier[1]) + timedelta(days=1)


def test_rates_before_the_table_are_refused_not_guessed() -> None:
    with pytest.raises(Refusal) as refused:
        facts.rates_on(date(2024, 9, 30), "BSE", Kind.OPTION, "SENSEX")
    assert refused.value.code == "NO_RATES"
    with pytest.raises(Refusal) as refused:
        facts.margin_params_on(date(2020, 1, 1))
    assert refused.value.code == "NO_RATES"
    with pytest.raises(Refusal) as refused:
        facts.rates_on(date(2026, 11, 20), "NSE", Kind.OPTION, "NIFTY", plan="nobody")
    assert refused.value.code == "NO_RATES"


def test_margin_rules_of_expiry_day_begin_when_they_were_ordered() -> None:
    assert facts.margin_params_on(date(2024, 11, 19)).expiry_extra == 0
    assert facts.margin_params_on(date(2024, 11, 20)).expiry_extra == 0.02
    assert facts.margin_params_on(date(2025, 1, 31)).expiry_day_spread
    assert not facts.margin_params_on(date(2025, 2, 1)).expiry_day_spread


@pytest.mark.parametrize("exchange", ["NSE", "BSE"])
def test_the_dated_price_bands_are_those_the_rules_take_as_present(exchange: str) -> None:
    day = date(2026, 11, 20)
    assert facts.band_on(day, exchange, Kind.OPTION) == OPTION_BAND
    assert facts.band_on(day, exchange, Kind.FUTURE) == FUTURE_BAND
    assert facts.band_on(date(2021, 12, 31), exchange, Kind.OPTION) is None
