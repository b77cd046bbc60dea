"""The control endpoint: only for who has the token; faults, counts, time and the ground truth."""

from __future__ import annotations

import httpx
import pytest

from optconsole.brokers.rehearsal.serve import Served
from optconsole.engine.ports import Accepted
from tests.brokers.paper.stage import CALL
from tests.brokers.rehearsal.stage import an_order


@pytest.fixture
def control(served: Served) -> dict[str, str]:
    return {"x-control-token": served.control_token}


async def test_nothing_is_told_without_the_token(client: httpx.AsyncClient) -> None:
    assert (await client.get("/_control/ledger")).status_code == 403


async def test_faults_come_and_go(client: httpx.AsyncClient, control: dict[str, str]) -> None:
    fault = [{"verb": "rest.reply", "op": "x", "status": 429}]
    armed = await client.post("/_control/faults", json=fault, headers=control)
    assert armed.json() == {"faults": [1]}
    assert (await client.get("/x")).status_code == 429
    assert (await client.get("/_control/faults", headers=control)).json() == {"acted": {"1": 1}}
    assert (await client.delete("/_control/faults", headers=control)).json() == {"cleared": 1}
    assert (await client.get("/x")).status_code == 200


@pytest.mark.parametrize("fault", ['[{"verb":"rest.nothing"}]', '[{"verb":"rest.drop","p":2}]', "{", '[{"at":"9"}]'])
async def test_a_wrong_fault_is_refused_with_a_sentence(
    client: httpx.AsyncClient, control: dict[str, str], fault: str
) -> None:
    answer = await client.post("/_control/faults", content=fault, headers=control)
    assert answer.status_code == 400
    assert "no list of faults" in answer.json()["error"]


async def test_the_ledger_is_the_exchange_s_own_truth(
    served: Served, client: httpx.AsyncClient, control: dict[str, str]
) -> None:
    assert isinstance(await served.market.desk.place(an_order(served.market, lots=2, tag="T1")), Accepted)
    ledger = (await client.get("/_control/ledger", headers=control)).json()
    assert [(row["tag"], row["status"], row["filled"]) for row in ledger["orders"]] == [("T1", "FILLED", 2 * CALL.lot)]
    assert [row["qty"] for row in ledger["positions"]] == [2 * CALL.lot]
    assert [row["price"] for row in ledger["trades"]] == [100_05]


async def test_a_quote_can_be_shown_and_time_moved(
    served: Served, client: httpx.AsyncClient, control: dict[str, str]
) -> None:
    shown = {"name": CALL.name, "ltp": 90_00, "bid": 89_95, "bid_qty": 65, "asks": [[90_05, 65], [90_10, 130]]}
    assert (await client.post("/_control/show", json=shown, headers=control)).status_code == 200
    assert served.market.quote(CALL.name).ltp == 90_00
    assert served.market.depth(CALL.name).asks == ((90_05, 65), (90_10, 130))
    before = served.market.now()
    await client.post("/_control/advance", json={"seconds": 60}, headers=control)
    assert (served.market.now() - before).total_seconds() >= 60


async def test_counts_tell_asked_from_executed(
    served: Served, client: httpx.AsyncClient, control: dict[str, str]
) -> None:
    await client.post("/_control/faults", json=[{"verb": "rest.drop", "op": "place", "nth": 1}], headers=control)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("/place")
    await client.post("/place")
    calls = (await client.get("/_control/calls", headers=control)).json()
    assert calls == {"asked": {"place": 2}, "executed": {"place": 1}}


def test_the_ready_line_has_all_a_client_needs(served: Served) -> None:
    assert {"rest_url", "ws_url", "credentials", "control_url", "control_token", "market_time", "who"} <= set(
        served.ready
    )


async def test_a_broker_without_bad_habits_has_none_to_switch(
    client: httpx.AsyncClient, control: dict[str, str]
) -> None:
    assert (await client.get("/_control/habits", headers=control)).json() == {"habits": {}}
    answer = await client.post("/_control/habits", json={"mute": True}, headers=control)
    assert (answer.status_code, "no habits" in answer.json()["error"]) == (400, True)
