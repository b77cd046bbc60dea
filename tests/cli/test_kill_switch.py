"""Kill and restart through the command line, on an engine of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.engine_process import optconsole, running_engine

pytestmark = pytest.mark.slow


def test_kill_closes_everything_holds_and_is_still_on_after_a_restart(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_engine(home, "--from", "10:00"):
        chain = optconsole(home, "chain", "BANKNIFTY", "--near", "0", "--json").document
        call = chain["strikes"][0]["call"]["name"]
        assert optconsole(home, "order", "place", "SELL", call, "--market", "--lots", "1").code == 0
        killed = optconsole(home, "kill", "--why", "test", "--json")
        assert killed.code == 0
        assert (killed.document["open_positions"], killed.document["working_orders"]) == (0, 0)
        again = optconsole(home, "order", "place", "SELL", call, "--market", "--lots", "1")
        assert (again.code, again.err.rstrip().endswith("[KILLED]")) == (1, True)
        orders = optconsole(home, "orders", "--json").document
        figures = optconsole(home, "status", "--json").document
    with running_engine(home):
        after = optconsole(home, "status", "--json").document
        assert (after["killed"], after["kill_reason"]) == (True, "test")
        assert after["net_paise"] == figures["net_paise"]
        assert optconsole(home, "orders", "--json").document == orders
        assert optconsole(home, "release", "unlock").err.endswith("[TYPE_UNLOCK]\n")
