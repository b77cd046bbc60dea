"""The faults of a live day on this wire, each by a verb, and limits of how much may be asked."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from optconsole.brokers.rehearsal.faults import decode_faults, read_faults
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.dialect import open_noren
from optconsole.brokers.rehearsal.noren.hazards import Hazards
from optconsole.brokers.rehearsal.noren.pacing import Pacing
from optconsole.brokers.rehearsal.noren.replies import BAD_GATEWAY, TIMEOUT
from optconsole.brokers.rehearsal.serve import serve
from tests.brokers.paper.stage import CALL
from tests.brokers.rehearsal.noren.stage import BUY, STOP, Ears, Noren, ears
from tests.brokers.rehearsal.stage import quoted


def arm(noren: Noren, **fault: object) -> None:
    noren.served.plan.add(decode_faults(json.dumps([fault]).encode()))


async def test_a_server_timeout_after_the_order_was_taken(noren: Noren) -> None:
    arm(
        noren,
        verb="rest.reply",
        op="place",
        status=200,
        body=json.dumps({"stat": "Not_Ok", "emsg": TIMEOUT}),
        exec=True,
    )
    assert (await noren.call("PlaceOrder", **BUY))["emsg"] == "Server Timeout :"
    (row,) = await noren.call("OrderBook")
    assert row["remarks"] == "T1"


async def test_a_gateway_s_page_instead_of_json(noren: Noren) -> None:
    arm(noren, verb="rest.reply", op="place", status=502, body=BAD_GATEWAY, times=1)
    with pytest.raises(json.JSONDecodeError):
        await noren.call("PlaceOrder", **BUY)
    assert "no data" in (await noren.call("OrderBook"))["emsg"]


@pytest.mark.parametrize(("verb", "orders"), [("rest.drop", 0), ("rest.accept_drop", 1)])
async def test_a_lost_answer_with_or_without_the_order(noren: Noren, verb: str, orders: int) -> None:
    arm(noren, verb=verb, op="place")
    with pytest.raises(httpx.RemoteProtocolError):
        await noren.call("PlaceOrder", **BUY)
    book = await noren.call("OrderBook")
    assert (len(book) if isinstance(book, list) else 0) == orders


async def test_a_stale_book_is_the_one_shown_before(noren: Noren) -> None:
    await noren.until(await noren.place(), "OPEN")
    before = await noren.call("OrderBook")
    await noren.place(remarks="T2")
    arm(noren, verb="rest.stale", op="book", seconds=300)
    assert await noren.call("OrderBook") == before


async def test_an_empty_and_a_halved_book(noren: Noren) -> None:
    for count in range(4):
        await noren.place(remarks=f"T{count}")
    arm(noren, verb="rest.empty", op="book", nth=1)
    arm(noren, verb="rest.partial", op="book", nth=2)
    assert "no data" in (await noren.call("OrderBook"))["emsg"]
    assert len(await noren.call("OrderBook")) == 2


async def test_faults_choose_orders_by_their_fields(noren: Noren) -> None:
    arm(noren, verb="rest.reply", op="place", status=429, when={"prctyp": "SL-LMT"})
    assert (await noren.place()).isdigit()
    with pytest.raises(json.JSONDecodeError):
        await noren.call("PlaceOrder", **STOP)
    assert noren.status == 429


async def test_a_refusal_by_the_exchange_after_it_was_taken(noren: Noren) -> None:
    arm(noren, verb="ex.reject_after_ack", reason="RMS:Blocked for the client")
    row = await noren.until(await noren.place(), "REJECTED")
    assert (row["rejreason"], row["rejby"]) == ("RMS:Blocked for the client", "RED")


async def test_a_stop_that_is_refused_at_its_trigger(noren: Noren, market: Market) -> None:
    arm(noren, verb="ex.reject_at_trigger")
    number = await noren.place(**STOP)
    await noren.until(number, "TRIGGER_PENDING")
    quoted(market, CALL, 89_00)
    assert (await noren.until(number, "REJECTED"))["rejby"] == "NSE"


async def test_positions_the_broker_closes_by_itself_are_orders_nobody_sent(noren: Noren) -> None:
    await noren.until(await noren.place(prc="101.00"), "COMPLETE")
    arm(noren, verb="ex.broker_closes", nth=1)
    await noren.call("Limits")
    for _ in range(2_000):
        (row,) = await noren.call("PositionBook")
        if row["netqty"] == "0":
            break
    closing = (await noren.call("OrderBook"))[0]
    assert (closing["trantype"], closing["remarks"], closing["ordersource"]) == ("S", "", "ADM")


async def test_an_order_the_exchange_ignores_can_be_cancelled(noren: Noren) -> None:
    arm(noren, verb="ex.never_fill")
    number = await noren.place(prc="101.00")
    await noren.until(number, "OPEN")
    await noren.call("CancelOrder", norenordno=number)
    assert (await noren.until(number, "CANCELED"))["cancelqty"] == "65"


async def test_a_part_fill_stays_open(noren: Noren, stream: Ears) -> None:
    await stream.say(t="o", actid="FA1234")
    arm(noren, verb="ex.partial", units=65)
    number = await noren.place(prc="101.00", qty="130")
    told = await stream.until(t="om", reporttype="Fill")
    assert (told["status"], told["fillshares"], told["qty"]) == ("OPEN", "65", "130")
    row = await noren.until(number, "OPEN")
    assert (row["fillshares"], row["qty"]) == ("65", "130")


async def test_orders_from_another_address_are_refused(noren: Noren) -> None:
    arm(noren, verb="net.egress", ip="203.0.113.9")
    assert "203.0.113.9" in (await noren.call("PlaceOrder", **BUY))["emsg"]
    assert "no data" in (await noren.call("OrderBook"))["emsg"]


async def test_a_refused_stream_is_refused_within_it(noren: Noren) -> None:
    arm(noren, verb="ws.refuse_auth")
    stream = await ears(noren, login=False)
    assert (await stream.connect(noren.token))["s"].upper() == "NOT_OK"
    await stream.socket.close()


async def test_updates_may_be_lost_or_come_twice(noren: Noren, stream: Ears) -> None:
    await stream.say(t="o", actid="FA1234")
    assert (await stream.next())["t"] == "ok"
    arm(noren, verb="ws.dup", op="order", nth=1)
    arm(noren, verb="ws.lose", op="order", nth=2)
    await noren.until(await noren.place(), "OPEN")
    reports = [frame["reporttype"] for frame in await stream.quiet()]
    assert reports == ["NewAck", "NewAck", "New"]


async def test_habits_are_switched_while_it_serves(noren: Noren) -> None:
    control = {"x-control-token": noren.served.control_token}
    switched = await noren.http.post("/_control/habits", json={"mute": True, "most_scrips": None}, headers=control)
    assert switched.json()["habits"]["mute"] is True
    assert (noren.dialect.hazards.mute, noren.dialect.hazards.most_scrips) == (True, None)
    assert noren.dialect.hazards.paced is False  # as it was
    for wrong in ({"loud": True}, {"wrong_quotes": 101}, {"mute": "yes"}):
        answer = await noren.http.post("/_control/habits", json=wrong, headers=control)
        assert answer.status_code == 400
        assert "no habits of this wire" in answer.json()["error"]


async def test_answers_may_spell_ok_in_two_ways(noren: Noren) -> None:
    noren.dialect.hazards = Hazards(casing=True)
    assert {(await noren.call("Limits"))["stat"] for _ in range(2)} == {"OK", "Ok"}


async def test_a_file_of_faults_may_switch_habits(market: Market, tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text("[habits]\nwrong_quotes = 9\n")
    dialect = await open_noren(market)
    served = await serve(dialect, market, habits=read_faults(file).habits)
    assert dialect.hazards.wrong_quotes == 9
    await served.close()


async def test_too_many_orders_exceed_the_limit_and_reads_do_not(market: Market) -> None:
    served = await serve(await open_noren(market, limits={"orders": ((2, 3600.0),)}), market)
    async with httpx.AsyncClient(base_url=served.url, trust_env=False) as http:
        noren = Noren(http, served, served.credentials["access_token"])
        texts = [(await noren.call("CancelOrder", norenordno="1"))["emsg"] for _ in range(3)]
        assert ["exceeds Limit" in text for text in texts] == [False, False, True]
        assert "no data" in (await noren.call("OrderBook"))["emsg"]
    await served.close()


def test_a_window_slides_and_refused_calls_do_not_count() -> None:
    now = 0.0
    pacing = Pacing({"orders": ((2, 1.0), (3, 60.0))}, lambda: now)
    assert [pacing.admits("orders") for _ in range(3)] == [True, True, False]
    now = 1.0
    assert [pacing.admits("orders") for _ in range(2)] == [True, False]
    now = 60.0
    assert pacing.admits("orders")
    assert pacing.admits("other")
