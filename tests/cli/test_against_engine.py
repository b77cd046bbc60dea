"""The command line against a running engine on the practice market, as processes of their own."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from optconsole.brokers.replay.opening import open_recording
from tests.cli.engine_process import Ran, optconsole, running_engine, started

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("cli") / "home"
    with running_engine(home, "--seed", "7", "--from", "10:00"):
        yield home


@pytest.fixture(scope="module")
def call(home: Path) -> str:
    """An option at the money of the second expiry, which does not expire while the tests run."""
    chain = optconsole(home, "chain", "NIFTY", "--near", "0", "--expiry", expiries(home)[1], "--json").document
    name = chain["strikes"][0]["call"]["name"]
    assert isinstance(name, str)
    return name


def expiries(home: Path) -> list[str]:
    found = optconsole(home, "instruments", "search", "NIFTY", "CE", "--limit", "5000", "--json").document
    return sorted({each["expiry"] for each in found["instruments"] if each["underlying"] == "NIFTY"})


def done(ran: Ran) -> Any:
    assert ran.code == 0, ran
    assert ran.err == ""
    return ran.document


def refused(ran: Ran) -> str:
    """The code of a refusal, told the same way on both streams."""
    assert ran.code == 1, ran
    assert ran.err.count("\n") == 1
    code = ran.err.rstrip("\n").rpartition("[")[2].rstrip("]")
    if ran.out:
        assert ran.document["code"] == code
        assert ran.document["ok"] is False
    return code


READING = [
    ["status"],
    ["positions"],
    ["positions", "--open"],
    ["orders"],
    ["orders", "--working"],
    ["trades"],
    ["accounts"],
    ["quote", "NIFTY"],
    ["chain", "NIFTY", "--near", "5"],
    ["instruments", "search", "NIFTY", "FUT"],
    ["risk", "show"],
    ["journal", "list"],
    ["journal", "show", "1"],
    ["journal", "verify"],
    ["replay", "status"],
    ["doctor"],
    ["config", "show"],
    ["config", "check"],
]


@pytest.mark.parametrize("argv", READING, ids=" ".join)
def test_each_reading_command_answers_in_words_and_in_one_json_document(argv: list[str], home: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        words, document = both.map(lambda more: optconsole(home, *argv, *more), ([], ["--json"]))
    assert (words.code, words.err) == (0, "")
    assert words.out.strip()
    assert "paise" not in words.out
    assert isinstance(done(document), dict)


def test_a_quote_lies_inside_its_own_book(home: Path, call: str) -> None:
    quote = done(optconsole(home, "quote", *call.split(), "NIFTY", "--json"))["quotes"][0]
    assert quote["name"] == call
    assert 0 < quote["bid_paise"] < quote["ask_paise"]
    assert quote["bid_paise"] <= quote["mark_paise"] <= quote["ask_paise"]


def test_a_contract_is_found_as_the_screens_write_it(home: Path, call: str) -> None:
    underlying, expiry, *rest = call.split()
    shown = " ".join([underlying, expiry[:5].capitalize(), *rest])
    (quote,) = done(optconsole(home, "quote", shown, "--json"))["quotes"]
    assert quote["name"] == call
    order = done(optconsole(home, "order", "place", "BUY", shown, "--limit", "0.05", "--lots", "1", "--json"))
    assert order["contract"] == call
    done(optconsole(home, "order", "cancel", order["id"], "--json"))


def test_the_chain_carries_volatility_and_greeks_that_agree_with_parity(home: Path) -> None:
    chain = done(optconsole(home, "chain", "nifty", "--expiry", expiries(home)[1], "--near", "3", "--json"))
    assert len(chain["strikes"]) == 7
    assert abs(chain["forward_paise"] / chain["spot_paise"] - 1) < 0.02
    for strike in chain["strikes"]:
        call, put = strike["call"], strike["put"]
        assert 0.03 < call["iv"] < 1.0
        assert abs(call["delta"] - put["delta"] - 1) < 0.01
        assert call["theta_rupees_per_day"] < 0 < call["vega_rupees_per_point"]
        parity = call["mark_paise"] - put["mark_paise"] + strike["strike_paise"]
        assert abs(parity / chain["forward_paise"] - 1) < 0.005


def test_a_market_order_fills_is_booked_and_can_be_flattened(home: Path, call: str) -> None:
    order = done(optconsole(home, "order", "place", "SELL", *call.split(), "MARKET", "--lots", "2", "--json"))
    assert (order["status"], order["side"], order["filled"]) == ("FILLED", "SELL", 2 * order["lot"])
    assert order["charges_paise"] > 0
    assert order["filled_value_paise"] >= order["filled"] * order["protection_paise"]
    held = done(optconsole(home, "positions", "--open", "--json"))["positions"]
    assert [(each["contract"], each["qty"]) for each in held] == [(call, -order["filled"])]
    assert held[0]["cost_paise"] == -order["filled_value_paise"]
    trades = done(optconsole(home, "trades", "--json"))["trades"]
    assert sum(each["qty"] for each in trades if each["order_id"] == order["id"]) == order["filled"]
    flat = done(optconsole(home, "flatten", "--scope", f"contract:{call}", "--json"))
    assert (flat["open_positions"], flat["working_orders"]) == (0, 0)
    after = done(optconsole(home, "status", "--json"))
    assert after["open_positions"] == 0
    assert after["net_paise"] == after["gross_paise"] - after["charges_paise"]


def test_a_resting_order_is_shown_modified_and_cancelled(home: Path, call: str) -> None:
    ask = done(optconsole(home, "quote", call, "--json"))["quotes"][0]["ask_paise"]
    limit = ask * 6 // 10 // 100
    order = done(optconsole(home, "order", "place", "BUY", call, "--lots", "1", "--limit", str(limit), "--json"))
    assert (order["status"], order["price_paise"]) == ("OPEN", limit * 100)
    known = order["id"]
    changed = done(optconsole(home, "order", "modify", known, "--limit", f"{limit}.50", "--lots", "2", "--json"))
    assert (changed["price_paise"], changed["qty"]) == (limit * 100 + 50, 2 * order["lot"])
    assert known in optconsole(home, "orders", "--working").out
    cancelled = done(optconsole(home, "order", "cancel", known, "--json"))
    assert cancelled["status"] == "CANCELLED"
    assert done(optconsole(home, "order", "show", known, "--json"))["status"] == "CANCELLED"
    assert known not in optconsole(home, "orders", "--working").out
    assert refused(optconsole(home, "order", "cancel", known, "--json")) == "ORDER_FINAL"


def test_stops_wait_for_their_trigger_and_cancel_all_takes_them(home: Path, call: str) -> None:
    ask = done(optconsole(home, "quote", call, "--json"))["quotes"][0]["ask_paise"]
    trigger = str(ask * 12 // 10 // 100)
    worst = str(ask * 13 // 10 // 100)
    sl = done(optconsole(home, "order", "place", "BUY", call, "SL", trigger, worst, "--lots", "1", "--json"))
    sl_m = done(optconsole(home, "order", "place", "BUY", call, "--sl", trigger, "--lots", "1", "--json"))
    assert [sl["status"], sl_m["status"]] == ["TRIGGER_PENDING"] * 2
    assert (sl["type"], sl_m["type"]) == ("SL", "SL-M")
    assert set(done(optconsole(home, "cancel-all", "--json"))["ids"]) == {sl["id"], sl_m["id"]}
    assert done(optconsole(home, "orders", "--working", "--json"))["orders"] == []


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["order", "place", "BUY", "{call}", "--lots", "1", "--limit", "100.03"], "TICK_SIZE"),
        (["order", "place", "BUY", "{call}", "--qty", "7", "--market"], "LOT_MULTIPLE"),
        (["order", "place", "BUY", "NIFTY 25NOV20 24500 CE", "--lots", "1", "--market"], "EXPIRED_CONTRACT"),
        (["order", "place", "BUY", "NOSUCH 25NOV40 1 CE", "--lots", "1", "--market"], "NOT_LISTED"),
        (["order", "place", "BUY", "{call}", "--lots", "1", "--market", "--account", "mum"], "UNKNOWN_ACCOUNT"),
        (["order", "place", "BUY", "N;FTY", "--lots", "1", "--market"], "BAD_CONTRACT"),
        (["order", "modify", "O9999", "--limit", "5"], "NO_SUCH_ORDER"),
        (["order", "cancel", "O9999"], "NO_SUCH_ORDER"),
        (["order", "show", "O9999"], "NO_SUCH_ORDER"),
        (["quote", "NIFTY 25NOV40 1 CE"], "NOT_LISTED"),
        (["chain", "NOSUCH"], "NOT_LISTED"),
        (["chain", "NIFTY", "--expiry", "01JAN20"], "NOT_LISTED"),
        (["journal", "show", "999999"], "NO_SUCH_FACT"),
        (["release", "UNLOCK"], "NOT_KILLED"),
        (["replay", "to", "00:01"], "TIME_PASSED"),
        (["engine"], "ENGINE_RUNNING"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_refusal_is_one_line_with_its_code_and_exit_code_1(argv: list[str], code: str, home: Path, call: str) -> None:
    assert refused(optconsole(home, *(word.replace("{call}", call) for word in argv), "--json")) == code


def test_the_journal_is_exported_whole_and_in_order(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    told = done(optconsole(home, "journal", "export", "--output", str(file), "--json"))
    facts = [json.loads(line) for line in file.read_text().splitlines()]
    assert [fact["seq"] for fact in facts] == list(range(1, told["facts"] + 1))
    assert facts[0]["event"]["type"] == "EngineStarted"
    streamed = optconsole(home, "journal", "export", "--after", "2").out.splitlines()
    assert [json.loads(line) for line in streamed[: len(facts) - 2]] == facts[2:]
    assert refused(optconsole(home, "journal", "export", "--output", str(file), "--json")) == "FILE_EXISTS"


def test_the_head_is_anchored_elsewhere_and_a_journal_that_leads_elsewhere_is_found_out(
    home: Path, tmp_path: Path
) -> None:
    """X14: who can write the whole store anew cannot write what was noted on another machine."""
    file = tmp_path / "anchors"
    first = done(optconsole(home, "journal", "anchor", str(file), "--json"))
    done(optconsole(home, "journal", "anchor", str(file), "--json"))
    assert len(file.read_text().splitlines()) == 2
    assert done(optconsole(home, "journal", "verify", "--anchor", str(file), "--json"))["ok"] is True
    forged = tmp_path / "forged"
    forged.write_text(file.read_text().replace(first["hash"], "0" * 64))
    assert refused(optconsole(home, "journal", "verify", "--anchor", str(forged), "--json")) == "JOURNAL_BROKEN"
    forged.write_text("no anchor")
    assert refused(optconsole(home, "journal", "verify", "--anchor", str(forged), "--json")) == "BAD_ANCHOR"
    assert refused(optconsole(home, "journal", "anchor", str(forged), "--json")) == "BAD_ANCHOR"
    gone = str(tmp_path / "gone")
    assert refused(optconsole(home, "journal", "verify", "--anchor", gone, "--json")) == "NO_ANCHOR"


def test_following_the_journal_streams_facts_until_it_is_stopped(home: Path) -> None:
    with started(home, "journal", "list", "--follow", "--limit", "1", "--json") as following:
        assert following.stdout is not None
        newest = json.loads(following.stdout.readline())["seq"]
        assert refused(optconsole(home, "release", "UNLOCK")) == "NOT_KILLED"
        fact = json.loads(following.stdout.readline())
        assert (fact["seq"], fact["event"]["code"]) == (newest + 1, "NOT_KILLED")
        following.send_signal(signal.SIGINT)
        assert following.communicate(timeout=30) == ("", "")
        assert following.returncode == 130


def test_a_stopped_or_killed_reader_changes_nothing_in_the_engine(home: Path, call: str) -> None:
    with started(home, "journal", "list", "--follow", "--json") as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        reader.send_signal(signal.SIGSTOP)
        for _ in range(3):
            assert refused(optconsole(home, "release", "UNLOCK")) == "NOT_KILLED"
        assert done(optconsole(home, "quote", call, "--json"))["quotes"][0]["name"] == call
        reader.kill()
    assert done(optconsole(home, "status", "--json"))["ready"]


def test_a_recording_is_whole_when_it_is_stopped_and_can_be_read(home: Path, tmp_path: Path, call: str) -> None:
    file = tmp_path / "day.parquet"
    with started(home, "record", str(file), "--underlying", "NIFTY", "--json") as recording:
        part, sizes = file.with_name("day.parquet.part"), set[int]()
        for _ in range(300):
            if len(sizes) == 3:  # the header, then rows twice
                break
            assert recording.poll() is None, recording.communicate()
            optconsole(home, "quote", call)
            sizes |= {part.stat().st_size} if part.exists() else set()
        recording.send_signal(signal.SIGTERM)
        out, err = recording.communicate(timeout=30)
        assert (recording.returncode, err) == (0, "")
    told = json.loads(out)
    recorded = open_recording(file)
    try:
        assert recorded.extent.rows == told["quotes"] > 0
        assert call in {each.name for each in recorded.header.instruments}
    finally:
        recorded.close()
    assert refused(optconsole(home, "record", str(file), "--json")) == "RECORDING_EXISTS"
    assert refused(optconsole(home, "record", str(tmp_path / "x"), "--underlying", "MOON")) == "NOT_LISTED"


def test_the_journal_holds_after_all_this(home: Path) -> None:
    verdict = done(optconsole(home, "journal", "verify", "--json"))
    assert verdict["ok"]
    assert verdict["first_bad"] is None


def test_time_is_held_and_moved(home: Path) -> None:
    assert done(optconsole(home, "replay", "pause", "--json"))["paused"]
    moved = done(optconsole(home, "replay", "to", "10:10", "--speed", "max", "--json"))
    assert moved["now"][11:19] == "10:10:00"
    assert moved["paused"]
    assert not done(optconsole(home, "replay", "resume", "--speed", "1", "--json"))["paused"]
