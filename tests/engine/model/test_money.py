"""Rupee text to paise and back, exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.money import paise, rupees


@given(st.integers(-(10**15), 10**15))
def test_an_amount_reads_back(amount: int) -> None:
    assert paise(str(rupees(amount))) == amount
    assert paise(f"{rupees(amount):,}") == amount


@pytest.mark.parametrize(
    ("text", "amount"), [("101.25", 101_25), (" 1,20,000 ", 120_000_00), ("0.05", 5), ("7.5", 750)]
)
def test_amounts_are_read_as_written(text: str, amount: int) -> None:
    assert paise(text) == amount


@pytest.mark.parametrize("text", ["", "abc", "1.005", "nan", "inf", "-Infinity", "1e-3", "12 34"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        paise(text)
    assert refused.value.code == "BAD_AMOUNT"
