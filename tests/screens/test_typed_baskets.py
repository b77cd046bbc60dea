"""Baskets and runs on the ``:`` line: what is meant, what may follow, and one sentence for every mistake."""

from __future__ import annotations

import pytest

from optconsole.engine.model.errors import Refusal
from optconsole.screens.commands import complete, parse
from optconsole.screens.wishes import BasketWish, Known, RunWish, Signal, Wish

KNOWN = Known(baskets=("index income", "index carry", "spare"), runs=("R1", "R2"))


@pytest.mark.parametrize(
    ("line", "wish"),
    [
        ("basket start index income", BasketWish("start", "index income")),
        ("basket EXIT Spare", BasketWish("exit", "spare")),
        ("basket clone index income to to and fro", BasketWish("clone", "index income to", "and fro")),
        ("basket clone index income to mine", BasketWish("clone", "index income", "mine")),
        ("basket export spare to ~/my basket.toml", BasketWish("export", "spare", "~/my basket.toml")),
        ("basket import a b.toml", BasketWish("import", to="a b.toml")),
        ("basket new iron condor", BasketWish("new", to="iron condor")),
        ("basket new", BasketWish("new")),
        ("run skip r2", RunWish("skip", "R2")),
        ("run exit R1 ce", RunWish("exit", "R1", "ce")),
        ("run why R1", RunWish("why", "R1")),
        ("signal breakout", Signal("breakout")),
    ],
)
def test_a_line_says_what_is_meant(line: str, wish: Wish) -> None:
    if wish == BasketWish("clone", "index income to", "and fro"):
        with pytest.raises(Refusal):
            parse(line, KNOWN)
    else:
        assert parse(line, KNOWN) == wish


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("basket", "VERB_MISSING", "start"),
        ("basket begin spare", "UNKNOWN_NAME", "no command of baskets 'begin'"),
        ("basket start", "BASKET_MISSING", "index income"),
        ("basket start index incom", "UNKNOWN_NAME", "did you mean index income"),
        ("basket clone spare", "TO_MISSING", "a new name"),
        ("basket export spare to", "TO_MISSING", "a file"),
        ("basket import", "FILE_MISSING", "toml"),
        ("basket new iron con", "UNKNOWN_NAME", "iron condor"),
        ("run exit", "RUN_MISSING", "R1"),
        ("run exit R9", "UNKNOWN_NAME", "R1"),
        ("run skip R1 ce", "UNKNOWN_WORD", "leave out 'ce'"),
        ("signal", "SIGNAL_MISSING", "Name the signal"),
    ],
)
def test_a_mistake_says_what_would_pass(line: str, code: str, says: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(line, KNOWN)
    assert refused.value.code == code
    assert says in refused.value.text


def test_names_of_several_words_are_completed_word_by_word() -> None:
    assert "start" in complete("basket ", KNOWN)
    assert complete("basket start ", KNOWN) == ["index", "spare"]
    assert complete("basket start index ", KNOWN) == ["income", "carry"]
    assert complete("basket clone spare ", KNOWN) == ["to"]
    assert complete("basket new iron ", KNOWN) == ["fly", "condor"]
    assert complete("run exit ", KNOWN) == ["R1", "R2"]
    assert complete("basket import ", KNOWN) == []
