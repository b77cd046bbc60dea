"""The scanner that judges the console's bytes finds what it must: else its silence would prove nothing."""

from __future__ import annotations

import pytest

from tests.e2e.control_bytes import unsafe


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x1b]0;owned\x07",
        b"\x1b]52;c;cm0gLXJm\x07",
        b"\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\",
        b"\x1bP+q544e\x1b\\",
        b"\x1b_Gi=1\x1b\\",
        b"\x1b^pm\x1b\\",
        b"\x1b]22;default;\x1b]52;c;cm0=\x07",
        b"\x1b[6n",
        b"\x1b[2J",
        b"\x1b[?47h",
        b"\x1b[3;4r",
        b"\x1bc",
        b"\x1b",
        b"\x07",
        b"\x08",
        b"\x9b2J",
        "\x9d0;t\x9c".encode(),
        "a\u202eb".encode(),
        "a\u200bb".encode(),
    ],
)
def test_a_hostile_sequence_is_found_between_harmless_ones(hostile: bytes) -> None:
    assert unsafe(b"\x1b[1;1Hbefore \x1b[0m" + hostile + b"after")


def test_what_a_console_sends_is_let_through() -> None:
    own = b"\x1b[?1049h\x1b[?25l\x1b[>25u\x1b[?2026$p\x1b[?2026h\x1b[38;2;1;2;3;48;5;4m\x1b[10;1H"
    assert not unsafe(own + "₹ −5 ▲\r\n".encode())
