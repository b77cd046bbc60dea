"""Outside text shows as text: it cannot move a cursor, hide or flood."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.text import MOST_MARKS, SHOWN_LENGTH, display

HARMLESS = ("L", "M", "N", "P", "S", "Zs")


@given(st.text(max_size=500))
def test_nothing_invisible_survives_and_the_length_is_kept(text: str) -> None:
    shown = display(text)
    assert len(shown) <= SHOWN_LENGTH
    assert all(unicodedata.category(char).startswith(HARMLESS) for char in shown)
    assert display(shown) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=SHOWN_LENGTH))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert display(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\rc\x07", "a\\x0ab\\x0dc\\x07"),
        ("\u202egnirts", "\\u202egnirts"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\U000e0041", "\\U000e0041"),
        ("रिजेक्ट ₹ 5", "रिजेक्ट ₹ 5"),
        ("blank\u3164name", "blank\\u3164name"),
        ("x\ufe0f", "x\\ufe0f"),
    ],
)
def test_hostile_characters_become_marks(text: str, shown: str) -> None:
    assert display(text) == shown


def test_a_flood_of_combining_marks_stays_on_its_line() -> None:
    assert display("e" + "\u0301" * 200 + "f") == "e" + "\u0301" * MOST_MARKS + "f"
    assert display("e" + "\u0301" * 9_000) == "e" + "\u0301" * MOST_MARKS + "…"


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert display("x" * 50, limit=10) == "x" * 9 + "…"
    assert display("x" * 10, limit=10) == "x" * 10
    assert len(display("\x1b" * 50, limit=10)) == 10
