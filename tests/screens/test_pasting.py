"""A paste is text whatever it holds: no part of it reaches the keys."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser

from optconsole.engine.model.text import unseen
from optconsole.screens.pasting import LONGEST_PASTE, PASTE_BEGINS, PASTE_ENDS, PasteGate
from tests.screens.hostile import CORPUS


def read(pieces: Sequence[str]) -> list[events.Event]:
    """What the console is told when the terminal sends these pieces."""
    parser, gate = XTermParser(), PasteGate()
    found: list[events.Event] = []
    for piece in pieces:
        if text := gate.clean(piece):
            found += [event for event in parser.feed(text) if isinstance(event, events.Event)]
    return found


def cut(text: str, size: int) -> list[str]:
    return [text[place : place + size] for place in range(0, len(text), size)]


PASTED = st.lists(st.sampled_from([*CORPUS, "b\r", "\x18\x18", "\x1b[A", "\x1bOP", "\x1b[200~"]), max_size=5).map(
    "".join
)


@given(text=st.one_of(PASTED, st.text()), size=st.integers(1, 50))
def test_a_paste_with_escapes_in_it_presses_no_key_however_it_is_cut(text: str, size: int) -> None:
    text = text.replace(PASTE_ENDS, "")
    told = read(cut(f"{PASTE_BEGINS}{text}{PASTE_ENDS}", size))
    assert all(isinstance(event, events.Paste) for event in told), told
    assert len(told) <= 1
    for event in told:
        assert isinstance(event, events.Paste)
        assert not any(unseen(char) for char in event.text if char not in "\n\r\t")
        assert len(event.text) <= LONGEST_PASTE


def test_a_paste_of_a_megabyte_keeps_what_a_field_can_use() -> None:
    (event,) = read(cut(PASTE_BEGINS + "x" * 1_000_000 + PASTE_ENDS, 4_096))
    assert isinstance(event, events.Paste)
    assert event.text == "x" * LONGEST_PASTE


def test_keys_around_a_paste_are_keys() -> None:
    told = read(["b", PASTE_BEGINS + "s\r" + PASTE_ENDS + "c"])
    assert [event.key if isinstance(event, events.Key) else "paste" for event in told] == ["b", "paste", "c"]


@given(st.text(st.characters(exclude_characters="\x1b"), max_size=40), st.integers(1, 9))
def test_keys_are_given_on_unchanged_and_at_once(text: str, size: int) -> None:
    gate = PasteGate()
    assert [gate.clean(piece) for piece in cut(text, size)] == cut(text, size)
