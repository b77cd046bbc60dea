"""A rehearsed broker as a trader starts it: one ready line, its wire, its faults, an orderly end."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest

from tests.brokers.replay.sessions import CALL, INDEX, moment, quote, write_recording
from tests.cli.inside import optconsole
from tests.e2e.process import run
from tests.e2e.rehearsed import RehearsalProcess, kite_headers

FAULTS = """
seed = 7
[[faults]]
verb = "rest.reply"
op = "positions"
status = 502
body = "<html>Bad Gateway</html>"
times = 1
"""


def test_zerodha_is_rehearsed_over_tls_with_faults_from_a_file(tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text(FAULTS)
    options = ("--tls", "--faults", str(faults), "--on", "2026-11-20", "--from", "10:00", "--seed", "4")
    with RehearsalProcess(tmp_path / "home", "zerodha", *options) as rehearsal:
        assert rehearsal.ready["rest_url"].startswith("https://127.0.0.1:")
        assert rehearsal.ready["market_time"].startswith("2026-11-20T10:00")
        with rehearsal.client() as client:
            headers = kite_headers(rehearsal.ready)
            assert client.get("/portfolio/positions", headers=headers).status_code == 502
            assert client.get("/portfolio/positions", headers=headers).status_code == 200
            ltp = client.get("/quote/ltp", params={"i": "NSE:NIFTY 50"}, headers=headers).json()["data"]
            assert ltp["NSE:NIFTY 50"]["last_price"] > 1000
            assert client.get("/user/profile", headers={"Authorization": "token a:b"}).status_code == 403
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(rehearsal.ready["rest_url"], trust_env=False)
        assert rehearsal.control("GET", "calls")["asked"]["positions"] == 2
        assert rehearsal.control("GET", "ledger")["orders"] == []
        refused = run(tmp_path / "home", "broker", "simulate", "zerodha", code=1)
        assert "already runs in this home" in refused.stderr
        assert rehearsal.stop() == 0


@pytest.mark.parametrize("broker", ["angelone", "shoonya"])
def test_the_other_brokers_are_rehearsed_too(tmp_path: Path, broker: str) -> None:
    with RehearsalProcess(tmp_path, broker, "--on", "2026-11-20") as rehearsal:
        assert rehearsal.ready["broker"] == broker
        before = rehearsal.ready["market_time"]
        assert rehearsal.control("POST", "advance", {"seconds": 60})["market_time"] > before
        assert rehearsal.stop() == 0


def test_a_broker_s_own_bad_habits_come_from_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text("[habits]\ndead_status = 403\n")
    with RehearsalProcess(tmp_path, "shoonya", "--on", "2026-11-20", "--faults", str(file)) as rehearsal:
        with rehearsal.client() as client:
            answer = client.post("/NorenWClientAPI/OrderBook", content='jData={"uid":"FA1234"}')
            assert (answer.status_code, answer.json()["emsg"]) == (403, "Session Expired : Invalid Session Key")
        assert rehearsal.control("POST", "habits", {"wrong_quotes": 9})["habits"]["wrong_quotes"] == 9
        assert rehearsal.stop() == 0
    ran = optconsole(tmp_path, "broker", "simulate", "zerodha", "--on", "2026-11-20", "--faults", str(file))
    assert "[BAD_HABITS]" in ran.err


def test_a_recording_is_what_the_broker_quotes(tmp_path: Path) -> None:
    frames = [
        (moment(at), [msgspec.structs.replace(quote(CALL, at), ltp=100_05), quote(INDEX, at, None, None)])
        for at in ("09:20:00", "15:27:00")
    ]
    recording = write_recording(tmp_path / "day.parquet", frames)
    with RehearsalProcess(tmp_path / "home", "zerodha", "--replay", str(recording)) as rehearsal:
        with rehearsal.client() as client:
            headers = kite_headers(rehearsal.ready)
            rows = client.get("/instruments/NFO", headers=headers).text.splitlines()
            symbol = next(row.split(",")[2] for row in rows if row.endswith("NFO") and ",CE," in row)
            quotes = client.get("/quote/ltp", params={"i": f"NFO:{symbol}"}, headers=headers).json()["data"]
        assert quotes[f"NFO:{symbol}"]["last_price"] == 100.05
        assert rehearsal.stop() == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kite",), "'kite' is not known here"),
        (("zerodha", "--port", "70000"), "is not a port"),
        (("angelone", "--redirect", "http://x"), "leave --redirect out"),
        (("shoonya", "--postback", "http://x"), "leave --postback out"),
        (("zerodha", "--replay", "x", "--seed", "1"), "belong to the practice market"),
    ],
)
def test_a_slip_is_one_sentence(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    ran = optconsole(tmp_path, "broker", "simulate", *words)
    assert ran.code == 2
    assert said in ran.err


def test_a_file_that_holds_no_faults_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "faults.json"
    wrong.write_text('{"faults":[{"verb":"rest.explode"}]}')
    ran = optconsole(tmp_path, "broker", "simulate", "zerodha", "--faults", str(wrong))
    assert "is not a file of faults" in ran.err
    assert "[BAD_FAULTS]" in ran.err
