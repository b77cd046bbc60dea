"""Parents, brackets, groups and reversals from the command line of a running engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.engine_process import Ran, optconsole, running_engine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("together") / "home"
    with running_engine(home, "--seed", "7", "--from", "10:00"):
        yield home


@pytest.fixture(scope="module")
def call(home: Path) -> dict[str, Any]:
    found = optconsole(home, "instruments", "search", "NIFTY", "CE", "--limit", "5000", "--json").document
    expiry = sorted({each["expiry"] for each in found["instruments"] if each["underlying"] == "NIFTY"})[1]
    chain = optconsole(home, "chain", "NIFTY", "--near", "0", "--expiry", expiry, "--json").document
    found = chain["strikes"][0]["call"]
    assert isinstance(found, dict)
    return found


def mark(home: Path, name: str) -> int:
    """Whole rupees near the market."""
    quote = optconsole(home, "quote", name, "--json").document
    paise = quote["quotes"][0]["mark_paise"]
    assert isinstance(paise, int)
    return paise // 100


def done(ran: Ran) -> Any:
    assert ran.code == 0, ran
    return ran.document


def test_a_large_order_is_placed_listed_shown_and_cancelled_as_one(home: Path, call: dict[str, Any]) -> None:
    low = mark(home, call["name"]) - 15
    placed = done(optconsole(home, "order", "place", "BUY", call["name"], "LIMIT", str(low), "--lots", "40", "--json"))
    assert (placed["ok"], placed["id"], placed["parts"], placed["qty"]) == (True, "P1", [1755, 845], 2600)
    assert [part["qty"] for part in placed["parts_sent"]] == [1755, 845]
    listed = done(optconsole(home, "orders", "--json"))
    assert [(each["id"], each["sent"]) for each in listed["parents"]] == [("P1", placed["sent"])]
    assert {each["parent"] for each in listed["orders"]} == {"P1"}
    assert "P1  BUY 2,600" in optconsole(home, "orders").out
    assert done(optconsole(home, "order", "show", "p1", "--json"))["status"] == "WORKING"
    ended = done(optconsole(home, "order", "cancel", "P1", "--json"))
    assert (ended["status"], ended["why"]) == ("STOPPED", "cancelled")


def test_a_guarded_entry_has_its_stop_and_is_reversed_by_one_command(home: Path, call: dict[str, Any]) -> None:
    price = mark(home, call["name"])
    words = ["SELL", call["name"], "MARKET", "--lots", "1", "--stop", str(price + 40), "--target", str(price - 40)]
    done(optconsole(home, "order", "place", *words, "--json"))
    held = done(optconsole(home, "positions", "--json"))["positions"]
    assert [each["qty"] for each in held if each["contract"] == call["name"]] == [-65]
    assert "S" in {each["role"] for each in done(optconsole(home, "orders", "--json"))["orders"]}
    reversed_ = done(optconsole(home, "reverse", call["name"], "--json"))
    assert reversed_["orders"] == ["P2"]
    assert all(each["ended"] for each in done(optconsole(home, "orders", "--json"))["groups"])


def test_tied_orders_are_placed_from_words_and_cancelled_together(home: Path, call: dict[str, Any]) -> None:
    low = mark(home, call["name"]) - 15
    lines = [f"BUY {call['name']} LIMIT {low - each} --lots 1" for each in (0, 2)]
    group = done(optconsole(home, "order", "group", "oco", *lines, "--json"))
    assert (group["kind"], len(group["orders"]), len(group["sent"])) == ("OCO", 2, 2)
    assert done(optconsole(home, "order", "cancel", group["id"], "--json"))["ended"] is True


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["reverse", "NIFTY", "01JAN30", "24500", "CE"], 1, "NOTHING_OPEN"),
        (["order", "cancel", "P99"], 1, "NO_SUCH_ORDER"),
        (["order", "group", "xyz", "a b", "c d"], 2, "BAD_USAGE"),
        (["order", "group", "oco", "nowhere.txt"], 2, "BAD_USAGE"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_code(home: Path, argv: list[str], code: int, said: str) -> None:
    ran = optconsole(home, *argv, "--json")
    assert (ran.code, ran.document["code"]) == (code, said)
    assert ran.err.count("\n") == 1
