"""Orders in doubt, differences, dead letters and lost parts through the command line, on an engine of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.engine_process import optconsole, running_engine

pytestmark = pytest.mark.slow


def test_what_is_not_in_doubt_is_refused_with_its_code_and_health_says_that_all_is_well(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_engine(home, "--from", "10:00"):
        for words, code in (
            (("order", "release", "o1", "--why", "looked"), "NO_SUCH_ORDER"),
            (("order", "adopt", "O1"), "NO_SUCH_ORDER"),
            (("positions", "adopt", "paper/NRML/NIFTY", "25NOV26", "24500", "CE"), "NO_DRIFT"),
            (("letters", "replay", "L1"), "NO_SUCH_LETTER"),
            (("letters", "show", "L1"), "NO_SUCH_LETTER"),
            (("flatten", "--give-up", "f1"), "NO_SUCH_FLATTEN"),
        ):
            answer = optconsole(home, *words)
            assert (answer.code, answer.err.rstrip().endswith(f"[{code}]")) == (1, True), (words, answer.err)
        assert optconsole(home, "order", "release", "O1").code == 2
        assert optconsole(home, "positions", "adopt").code == 2
        assert optconsole(home, "letters", "list", "--json").document == {"letters": []}
        assert optconsole(home, "positions", "--json").document["differences"] == []
        health = optconsole(home, "health", "--json").document
        assert health["troubles"] == []
        (broker,) = health["brokers"]
        assert (broker["account"], broker["order_write"], broker["refusing_for"]) == ("paper", "LIVE", 0.0)
        assert broker["book_age"] is not None
        assert "All is well." in optconsole(home, "health").out


def test_a_position_is_guarded_shown_and_freed_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_engine(home, "--from", "10:00"):
        chain = optconsole(home, "chain", "BANKNIFTY", "--near", "0", "--json").document
        call = chain["strikes"][0]["call"]["name"]
        assert optconsole(home, "stop", "set", call, "--at", "9000").err.endswith("[NO_POSITION]\n")
        assert optconsole(home, "stop", "set", call).code == 2
        assert optconsole(home, "order", "place", "SELL", call, "--market", "--lots", "1").code == 0
        (held,) = optconsole(home, "positions", "--json").document["positions"]
        stop = (held["average_paise"] * 2 // 500 * 500) / 100
        guarded = optconsole(home, "stop", "set", *call.split(), "--at", f"{stop:.2f}", "--json")
        assert (guarded.code, guarded.document["code"]) == (0, "GUARDED"), guarded.err
        (shown,) = optconsole(home, "stop", "show", "--json").document["stops"]
        assert shown["mode"] == "both"
        passed = optconsole(home, "stop", "set", call, "--at", "1")
        assert passed.err.endswith("[LEVEL_PASSED]\n")
        assert optconsole(home, "stop", "clear", call).code == 0
        assert optconsole(home, "stop", "clear", call).err.endswith("[NO_POSITION]\n")
