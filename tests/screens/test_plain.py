"""ASCII mode sends ASCII, in as many cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from optconsole.screens.plain import as_ascii


def test_what_has_a_likeness_keeps_it() -> None:
    assert as_ascii("┌─┐ −5 ▲ ● … ₹") == "+-+ -5 ^ * ~ R"


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cc", "Cf", "Cs", "Mn", "Me", "Mc", "Cn", "Co"])))
def test_any_text_becomes_ascii_of_the_same_width(text: str) -> None:
    plain = as_ascii(text)
    assert plain.isascii()
    assert len(plain) == cell_len(text)
