"""Values and words of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date

import pytest

from optconsole.cli import arguments as a
from optconsole.engine.model.errors import Refusal


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (a.rupees, "1,20,000.50", 120_000_50),
        (a.price, "101.25", 101_25),
        (a.count, "65", 65),
        (a.number, "0", 0),
        (a.seconds, "2.5", 2.5),
        (a.speed, "60", 60.0),
        (a.speed, "max", 0.0),
        (a.speed, "10x", 10.0),
        (a.time_of_day, "09:30", "09:30"),
        (a.time_of_day, "15:29:59", "15:29:59"),
        (a.expiry, "25nov26", date(2026, 11, 25)),
    ],
)
def test_a_value_is_read(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (a.price, "0"),
        (a.price, "-5"),
        (a.price, "1.005"),
        (a.price, "nan"),
        (a.price, "inf"),
        (a.count, "0"),
        (a.count, "1.5"),
        (a.count, "٣"),
        (a.count, "9" * 30),
        (a.seconds, "-1"),
        (a.seconds, "nan"),
        (a.speed, "0"),
        (a.speed, "-1"),
        (a.speed, "inf"),
        (a.speed, "fast"),
        (a.time_of_day, "24:00"),
        (a.time_of_day, "9:30"),
        (a.time_of_day, "09:60"),
        (a.expiry, "31FEB26"),
        (a.expiry, "soon"),
    ],
)
def test_an_impossible_value_is_refused_in_one_sentence(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        read(text)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_contracts_are_found_among_words_quoted_or_not() -> None:
    words = ["nifty", "25NOV26", "24500", "ce", "BANKNIFTY 25nov26 FUT", "NIFTY", "SENSEX", "NIFTY"]
    assert a.split_contracts(words) == ["NIFTY 25NOV26 24500 CE", "BANKNIFTY 25NOV26 FUT", "NIFTY", "SENSEX"]


def test_what_follows_the_contract_is_kept() -> None:
    assert a.split_contract(["NIFTY 25NOV26 24500 CE", "limit", "5"]) == ("NIFTY 25NOV26 24500 CE", ["LIMIT", "5"])


def test_an_expiry_as_screens_show_it_keeps_its_missing_year() -> None:
    assert a.split_contract(["NIFTY 25Nov 24500 CE"]) == ("NIFTY 25NOV 24500 CE", [])
    assert a.split_contracts(["nifty", "1dec", "FUT", "SENSEX"]) == ["NIFTY 1DEC FUT", "SENSEX"]


@pytest.mark.parametrize(
    "words",
    [["NIFTY", "25NOV", "24500"], ["NIFTY", "25NOV26", "24500"], ["NIFTY", "25XXX26", "24500", "CE"], ["N;FTY"]],
)
def test_what_is_no_contract_is_refused(words: list[str]) -> None:
    with pytest.raises(Refusal) as caught:
        a.split_contract(words)
    assert caught.value.code in ("BAD_CONTRACT", "BAD_EXPIRY")


def parser() -> a.Parser:
    made = a.Parser(prog="optconsole thing")
    verb = made.verbs().add_parser("place")
    verb.add_argument("words", nargs="+")
    verb.add_argument("--limit", type=a.price)
    return made


def test_home_and_json_count_at_every_level() -> None:
    for argv in (["--home", "h", "--json", "place", "x"], ["place", "x", "--json", "--home", "h"]):
        read = parser().read(argv)
        assert (read.home, read.json, read.words) == ("h", True, ["x"])
    assert (parser().read(["place", "x"]).home, parser().read(["place", "x"]).json) == (None, False)


def test_words_may_follow_options() -> None:
    assert parser().read(["place", "BUY", "--limit", "5", "NIFTY"]).words == ["BUY", "NIFTY"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["place", "x", "--limt", "5"], "did you mean --limit?"),
        (["place", "x", "--lim", "5"], "--lim is not an option"),
        (["plce", "x"], "did you mean place?"),
        ([], "VERB"),
        (["place", "x", "--limit", "cheap"], "--limit: 'cheap' is not an amount in rupees"),
    ],
)
def test_bad_usage_is_one_sentence_with_a_hint(argv: list[str], said: str) -> None:
    with pytest.raises(a.UsageError) as caught:
        parser().read(argv)
    assert said in caught.value.text
    assert "--help" in caught.value.text
