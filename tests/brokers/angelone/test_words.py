"""Angel One's vocabulary of states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.angelone.words import TYPE_WORDS, TYPES, status_of, triggered
from optconsole.engine.model.orders import OrderStatus, OrderType

S = OrderStatus


@pytest.mark.parametrize(
    ("word", "stop", "filled", "status"),
    [
        ("validation pending", False, 0, S.SENT),
        ("put order req received", False, 0, S.SENT),
        ("open pending", True, 0, S.SENT),
        ("after market order req received", False, 0, S.SENT),
        ("modify after market order req received", False, 0, S.SENT),
        ("open", False, 0, S.OPEN),
        ("open", False, 65, S.PARTIAL),
        ("open", True, 0, S.OPEN),
        ("trigger pending", True, 0, S.TRIGGER_PENDING),
        ("modify pending", False, 0, S.OPEN),
        ("modify pending", True, 0, S.TRIGGER_PENDING),
        ("modified", False, 65, S.PARTIAL),
        ("not modified", False, 0, S.OPEN),
        ("cancel pending", False, 0, S.OPEN),
        ("not cancelled", True, 0, S.TRIGGER_PENDING),
        ("complete", False, 65, S.FILLED),
        ("cancelled", False, 0, S.CANCELLED),
        ("cancelled after market order", False, 0, S.CANCELLED),
        ("rejected", False, 0, S.REJECTED),
        (" Open  Pending ", False, 0, S.SENT),
        ("COMPLETE", False, 65, S.FILLED),
    ],
)
def test_each_documented_word_has_one_meaning(word: str, stop: bool, filled: int, status: OrderStatus) -> None:
    assert status_of(word, stop, filled) is status


@given(
    st.text("openclét –1", max_size=12).filter(lambda word: word.strip() != "open"), st.booleans(), st.integers(0, 100)
)
def test_a_new_word_is_unknown_and_never_an_end(word: str, stop: bool, filled: int) -> None:
    assert status_of(word, stop, filled) is S.UNKNOWN


def test_no_word_at_all_is_unknown() -> None:
    assert status_of("", False, 0) is S.UNKNOWN


def test_a_stop_has_triggered_once_it_is_in_the_market_or_has_traded() -> None:
    assert triggered(S.OPEN, True, 0)
    assert triggered(S.CANCELLED, True, 65)
    assert not triggered(S.TRIGGER_PENDING, True, 0)
    assert not triggered(S.CANCELLED, True, 0)
    assert not triggered(S.OPEN, False, 0)


def test_order_types_translate_both_ways() -> None:
    assert all(TYPES[TYPE_WORDS[kind]] is kind for kind in OrderType)
