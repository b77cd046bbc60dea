"""``optconsole risk``: what is typed becomes a limit, and what is answered has one shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from optconsole.cli.arguments import UsageError
from optconsole.cli.main import run
from optconsole.cli.risk import read_value, scope
from optconsole.engine.model.limits import Level, LimitKind
from tests.cli.engine_process import optconsole, running_engine

K = LimitKind


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (K.MAX_LOSS, "25000", (25_000_00, None)),
        (K.MAX_LOSS, "1,00,000.50", (1_00_000_50, None)),
        (K.PROFIT_LOCK, "20000:12000", (20_000_00, 12_000_00)),
        (K.OPEN_LOTS, "20", (20, None)),
        (K.MAX_LOSS_PERCENT, "5%", (5, None)),
        (K.HOURS, "09:20-15:10", (560, 910)),
        (K.NAKED_SHORT, "on", (1, None)),
    ],
)
def test_a_value_is_read_in_the_unit_of_its_kind(kind: LimitKind, text: str, value: tuple[int, int | None]) -> None:
    assert read_value(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (K.MAX_LOSS, "many"),
        (K.OPEN_LOTS, "2.5"),
        (K.OPEN_LOTS, "-2"),
        (K.HOURS, "09:20"),
        (K.HOURS, "09:20-25:00"),
        (K.NAKED_SHORT, "off"),
        (K.OPEN_LOTS, "٣"),
    ],
)
def test_what_is_no_value_says_what_would_be(kind: LimitKind, text: str) -> None:
    with pytest.raises(UsageError) as found:
        read_value(kind, text)
    assert found.value.text.endswith(".")


def test_a_scope_is_a_level_with_a_name_where_it_needs_one() -> None:
    assert scope("global") == (Level.GLOBAL, "")
    assert scope("leg:NIFTY 25NOV26  24500 CE") == (Level.LEG, "NIFTY 25NOV26 24500 CE")
    assert scope("Strategy:am/straddle") == (Level.STRATEGY, "am/straddle")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("set", "everything", "open-lots", "5"), "names no level"),
        (("set", "global", "open-lot", "5"), "did you mean open-lots?"),
        (("set", "global", "hours", "9"), "write it like 09:20-15:10"),
        (("state", "global", "stopped"), "use one of active, reducing, halted"),
        (("set", "global", "max-loss", "5", "--until", "noon"), "write it like 09:20"),
    ],
)
def test_what_cannot_be_understood_needs_no_engine_to_say_so(
    argv: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["risk", *argv]) == 2
    assert says in capsys.readouterr().err


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("risk") / "home"
    with running_engine(home, "--seed", "7", "--from", "10:00"):
        yield home


@pytest.mark.slow
def test_limits_are_set_shown_reached_and_taken_away_from_the_command_line(home: Path) -> None:
    begun = optconsole(home, "risk", "show", "--json").document
    assert {row["kind"] for row in begun["limits"]} >= {"lots-per-order", "orders-a-day", "rejects-in-a-row"}
    assert begun["states"] == []

    done = optconsole(home, "risk", "set", "account:paper", "open-lots", "1", "--json")
    assert (done.code, done.err) == (0, "")
    (row,) = done.document["limits"]
    assert row == {
        "level": "account",
        "name": "paper",
        "kind": "open-lots",
        "unit": "lots",
        "value": 1,
        "second": None,
        "used": 0,
        "percent": 0.0,
        "state": "active",
        "action": "block-new",
        "until": None,
        "warned": 0,
        "broken": False,
        "missing": "",
    }
    chain = optconsole(home, "chain", "BANKNIFTY", "--near", "0", "--json").document
    call = chain["strikes"][0]["call"]["name"]
    refused = optconsole(home, "order", "place", "SELL", call, "--market", "--lots", "2")
    assert (refused.code, refused.err.rstrip().endswith("[LIMIT_OPEN_LOTS]")) == (1, True)
    for argv, code in [
        (("set", "account:paper", "open-lots", "5"), "WHY_NEEDED"),
        (("set", "account:nobody", "open-lots", "5"), "UNKNOWN_ACCOUNT"),
    ]:
        ran = optconsole(home, "risk", *argv)
        assert (ran.code, ran.err.rstrip().endswith(f"[{code}]")) == (1, True), ran
    assert optconsole(home, "risk", "state", "global", "halted", "--why", "news at two").code == 0
    told = optconsole(home, "risk", "show")
    assert told.out.splitlines()[-1].endswith("by cli: news at two")
    assert "account:paper" in told.out
    (state,) = optconsole(home, "risk", "show", "--json").document["states"]
    assert (state["level"], state["standing"], state["why"], state["by"]) == ("global", "halted", "news at two", "cli")
    assert optconsole(home, "order", "place", "SELL", call, "--market", "--lots", "1").err.endswith("[HALTED]\n")
    assert optconsole(home, "risk", "state", "global", "active", "--why", "news is out").code == 0
    assert optconsole(home, "risk", "unset", "account:paper", "open-lots", "--why", "test over").code == 0
    journal = optconsole(home, "journal", "list").out
    assert "LimitRemoved" in journal
    assert "test over" in journal
