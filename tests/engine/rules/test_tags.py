from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.rules import tags


@given(
    st.integers(0, 32**6 - 1), st.sampled_from(tags.ROLES), st.integers(0, 31), st.integers(0, 31), st.integers(0, 31)
)
def test_a_tag_reads_back_and_fits_fifteen_characters(
    counter: int, role: str, leg: int, part: int, attempt: int
) -> None:
    tag = tags.Tag(install=tags.install_code("box"), counter=counter, role=role, leg=leg, part=part, attempt=attempt)
    text = tags.encode(tag)
    assert len(text) == tags.LENGTH
    assert text.isalnum()
    assert text.upper() == text
    assert tags.decode(text) == tag


@given(st.integers(0, 32**6 - 1), st.integers(0, 14), st.sampled_from(tags.ALPHABET))
def test_one_changed_character_is_noticed(counter: int, place: int, char: str) -> None:
    text = tags.encode(tags.Tag(install="ABC", counter=counter, role="E", leg=0, part=0, attempt=0))
    changed = text[:place] + char + text[place + 1 :]
    decoded = tags.decode(changed)
    assert decoded is None or changed == text


def test_foreign_text_is_not_a_tag() -> None:
    for text in ("", "openalgo", "X" * 15, "1ABC000001E000!", "1ABC000001Z0000"):
        assert tags.decode(text) is None


def test_a_counter_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="no tag"):
        tags.encode(tags.Tag(install="ABC", counter=32**6, role="E", leg=0, part=0, attempt=0))
