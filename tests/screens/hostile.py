"""Text that a broker, a file or a foreign process may send to do harm."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

MARKUP: Final = (
    "[/]",
    "[@click=app.quit]x[/]",
    "[bold",
    "[link=http://x]y[/link]",
    "[on red]r",
    "]][[",
    "\\[",
    "$x{0}%s",
)
SEQUENCES: Final = (
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b]0;owned\x07",
    "\x1b]8;;http://evil\x1b\\here\x1b]8;;\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gi=1\x1b\\",
    "\x1b[2J\x1b[1;1H\x1b[31m",
    "\x1b[?1049l",
    "\x1b[6n",
    "\x1bc",
    "\x9b2J",
    "\x9d0;owned\x9c",
    "\x90q\x9c",
    "\x00\x07\x08\x7f",
    "a\rb\nc\td\x0be\x0cf",
)
TRICKS: Final = (
    "\u202egnilles\u202c",
    "\u2066a\u2069\u200f\u061c",
    "B\u200bU\u200cY\u200d\ufeff",
    "x\ufe0f\U000e0041",
    "\u3164\u115f\u2800",
    "e" + "\u0301" * 500,
    "\u0489" * 300,
    "रिजेक्ट ✗ 全角 🙈🏽",
    "\ud800",
)
FLOODS: Final = ("x" * 10_000, "[" * 10_000, "\x1b" * 10_000, "全" * 5_000, "word " * 2_000)
FORMULAS: Final = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1")
CORPUS: Final = (*MARKUP, *SEQUENCES, *TRICKS, *FLOODS, *FORMULAS)

_PIECES: Final = st.sampled_from([text[:400] for text in CORPUS if "\ud800" not in text])
HOSTILE: Final = st.lists(st.one_of(_PIECES, st.text(max_size=30)), min_size=1, max_size=4).map("".join)
"""Corpus pieces and any text, in any order."""
