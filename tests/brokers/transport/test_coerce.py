from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.transport.coerce import moment, number, paise, text, units


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("123.45", 12_345),
        (123.45, 12_345),
        (0.1 + 0.2, 30),
        ("- 2235.80", -223_580),
        ("1,00,000.05", 10_000_005),
        ("-0", 0),
        (25, 2_500),
        ("122.905", 12_290),
        (" 7 ", 700),
    ],
)
def test_rupees_are_read_exactly(written: object, means: int) -> None:
    assert paise(written) == means


@given(st.integers(-(10**12), 10**12))
def test_every_amount_survives_being_written_as_rupees(amount: int) -> None:
    assert paise(f"{Decimal(amount) / 100:.2f}") == amount


@given(st.integers(-(10**11), 10**11))
def test_an_amount_that_came_as_a_json_number_is_not_off_by_a_paisa(amount: int) -> None:
    assert paise(amount / 100) == amount


@pytest.mark.parametrize("bad", ["", "NA", "nan", "inf", None, True, [], {}, "12.3.4", "1e40", "\x1b[2J", float("nan")])
def test_what_is_no_number_is_refused_and_never_zero(bad: object) -> None:
    for read in (number, paise, units):
        if read is number and bad == "1e40":
            continue
        with pytest.raises(ValueError, match=r"expected|cannot be right"):
            read(bad)


def test_a_quantity_is_whole() -> None:
    assert units("65.0") == 65
    with pytest.raises(ValueError, match="whole"):
        units("65.5")


def test_null_text_is_empty_and_other_shapes_are_refused() -> None:
    assert text(None) == ""
    with pytest.raises(ValueError, match="list"):
        text([])


def test_a_time_without_a_zone_is_indian() -> None:
    assert moment("24-Nov-2026 10:15:02", "%Y-%m-%d", "%d-%b-%Y %H:%M:%S").isoformat() == "2026-11-24T10:15:02+05:30"
    assert moment("2026-11-24T04:45:02Z", "%Y-%m-%dT%H:%M:%S%z").isoformat() == "2026-11-24T10:15:02+05:30"
    with pytest.raises(ValueError, match="time"):
        moment("yesterday", "%Y-%m-%d")
