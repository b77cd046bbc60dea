"""``payoff``, ``margin``, ``charges``, ``basket preview``, ``run outlook``: words, JSON, exit codes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from optconsole.cli import preview_words as words
from optconsole.cli.main import run
from optconsole.cli.preview_shapes import MONEY, shape
from optconsole.engine.model import previews
from optconsole.screens.formats import FULL, Formats
from tests.cli.engine_process import Ran, optconsole, running_engine
from tests.engine.trading.previews.previews import basket, condor, looked, previewed, straddle
from tests.engine.trading.runs.stage import Stage

COUNTS = frozenset({"entries", "exits", "lot", "lots", "busiest", "orders", "requests", "sigmas", "units"})
"""Whole numbers of previews that are no money."""


def test_every_whole_number_of_a_preview_is_known_as_money_or_as_a_count() -> None:
    for _name, struct in inspect.getmembers(previews, inspect.isclass):
        if not issubclass(struct, msgspec.Struct) or struct.__module__ != previews.__name__:
            continue
        for field in msgspec.structs.fields(struct):
            if field.type in (int, int | None, tuple[int, ...]):
                assert (field.name in MONEY) + (field.name in COUNTS) == 1, f"{struct.__name__}.{field.name}"


def test_a_name_is_the_same_whether_its_value_is_known_or_not() -> None:
    known = previews.MarginView(account="a", before=1, after=2, peak=3, apart=4, short=0)
    unknown = previews.MarginView(account="a", before=None, after=None, peak=None, apart=None)
    assert isinstance(one := shape(known), dict)
    assert isinstance(other := shape(unknown), dict)
    assert one.keys() == other.keys()
    assert one["before_paise"] == 1
    empty = previews.LegPick(leg="ce", side=previews.Side.SELL, lots=1, lazy=False)
    assert isinstance(leg := shape(empty), dict)
    assert {"expiry", "strike_paise", "premium_paise"} <= leg.keys()


def test_a_preview_is_told_in_full_and_in_plain_letters() -> None:
    (view,) = looked(Stage(), condor()).strategies
    assert view.picture is not None
    lines = words.picture(view.picture, FULL)
    assert any(line.startswith("break-evens 24,") for line in lines)
    assert all(line.isascii() for line in words.picture(view.picture, Formats(ascii=True)))
    assert "without end" in "\n".join(words.shares(looked(Stage(), straddle()).strategies[0].shares, FULL))


def test_a_crowded_second_is_told_with_who_waits_and_what_would_spare_it() -> None:
    many = [msgspec.structs.replace(straddle(), name=f"s{number}") for number in range(20)]
    found = previewed(Stage(), basket("b", *many))
    told = words.rate(found.rate, FULL)
    assert told[0] == "80 requests today, at most 40 in one second; entries wait up to 6.6 s"
    assert any("09:20:00: 40 entries" in line for line in told)
    assert any(re.search(r"s\d+ on paper: 09:20:0\d instead of 09:20:00", line) for line in told)
    assert any("held back" in line for line in told)


@pytest.mark.parametrize("noun", ["payoff", "margin", "charges"])
def test_a_faulty_file_is_refused_with_its_lines_before_any_engine_is_asked(
    noun: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('format = 1\n[basket]\nname = "x"\nlegs = 3\n', encoding="utf-8")
    assert run(["--home", str(tmp_path), noun, str(bad)]) == 1
    said = capsys.readouterr()
    assert f"{bad}:4:" in said.err
    assert run(["--home", str(tmp_path), noun, str(tmp_path / "none.toml")]) == 1
    assert "[NO_FILE]" in capsys.readouterr().err
    assert run(["--home", str(tmp_path), noun]) == 2


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("previews") / "home"
    with running_engine(home, "--seed", "7", "--from", "10:00"):
        yield home


@pytest.fixture(scope="module")
def file(home: Path) -> Path:
    found = optconsole(home, "strategy", "new", "iron condor", "NIFTY", "--account", "paper")
    path = home / "condor.toml"
    path.write_text(found.out, encoding="utf-8")
    return path


def done(ran: Ran) -> dict[str, object]:
    assert (ran.code, ran.err) == (0, ""), ran
    document = ran.document
    assert isinstance(document, dict)
    return document


@pytest.mark.slow
def test_a_file_is_priced_by_the_running_engine(home: Path, file: Path) -> None:
    (drawn,) = done(optconsole(home, "payoff", str(file), "--json"))["strategies"]  # type: ignore[misc]
    assert drawn["payoff"]["max_loss_paise"] > 0
    assert len(drawn["payoff"]["break_evens_paise"]) == 2
    assert {leg["side"] for leg in drawn["legs"]} == {"BUY", "SELL"}
    (margin,) = done(optconsole(home, "margin", str(file), "--json"))["margins"]  # type: ignore[misc]
    assert margin["after_paise"] > 0
    assert margin["peak_paise"] >= margin["after_paise"]
    (share,) = done(optconsole(home, "charges", str(file), "--json"))["shares"]  # type: ignore[misc]
    assert share["charges_paise"] == sum(
        leg["entry"]["total_paise"] + leg["exit"]["total_paise"] for leg in share["legs"]
    )
    whole = done(optconsole(home, "basket", "preview", str(file), "--json"))
    assert whole["rate"]["requests"] == 8  # type: ignore[index]


@pytest.mark.slow
def test_a_saved_basket_is_looked_at_by_its_name_and_its_run_by_its_id(home: Path, file: Path) -> None:
    assert optconsole(home, "basket", "import", str(file)).code == 0
    told = optconsole(home, "basket", "preview", "iron condor")
    assert told.code == 0
    for said in ("break-evens", "margin", "worst case of paper", "order rate"):
        assert said in told.out
    unknown = optconsole(home, "basket", "preview", "nothing", "--json")
    assert (unknown.code, unknown.document["code"]) == (1, "NO_SUCH_BASKET")
    nobody = optconsole(home, "run", "outlook", "R99")
    assert nobody.code == 1
    assert "[NO_SUCH_RUN]" in nobody.err


@pytest.mark.slow
def test_a_strike_that_is_not_listed_fails_with_what_is_known(home: Path, file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace('"OTM 3"', '"12345"')
    odd = file.with_name("odd.toml")
    odd.write_text(text, encoding="utf-8")
    drawn = optconsole(home, "payoff", str(odd))
    assert drawn.code == 1
    assert "not listed" in drawn.out
    assert optconsole(home, "charges", str(odd)).code == 1
    assert optconsole(home, "margin", str(odd)).code == 1
