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
