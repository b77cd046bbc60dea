"""Orders over the wire: what is taken, what is refused when, and what the books say of it."""

from __future__ import annotations

import pytest

from optconsole.brokers.rehearsal.market import Market
from tests.brokers.paper.stage import CALL
from tests.brokers.rehearsal.noren.stage import BUY, STOP, Ears, Noren
from tests.brokers.rehearsal.stage import quoted

NO_DATA = 'Error Occurred : 5 "no data"'


async def test_an_empty_book_is_an_object_and_a_full_one_an_array(noren: Noren) -> None:
    for name in ("OrderBook", "TradeBook", "PositionBook", "Holdings"):
        assert (await noren.call(name, prd="C" if name == "Holdings" else ""))["emsg"] == NO_DATA
    await noren.place()
    assert isinstance(await noren.call("OrderBook"), list)


async def test_a_resting_order_is_in_the_book_with_its_terms_as_text(noren: Noren) -> None:
    number = await noren.place()
    row = await noren.until(number, "OPEN")
    assert row["rpt"] == "New"
    assert (row["tsym"], row["qty"], row["prc"], row["prd"]) == ("NIFTY23NOV26C25000", "65", "99.00", "M")
    assert (row["remarks"], row["trantype"], row["prctyp"], row["ret"]) == ("T1", "B", "LMT", "DAY")
    assert row["exchordid"].isdigit()
    assert number.startswith("261118")
    assert not {"fillshares", "avgprc", "trgprc", "rejby"} & row.keys()
    assert all(isinstance(value, str) for value in row.values())


async def test_a_marketable_order_fills_and_shows_in_trades_and_positions(noren: Noren) -> None:
    number = await noren.place(prc="101.00", qty="130")
    row = await noren.until(number, "COMPLETE")
    assert (row["fillshares"], row["avgprc"]) == ("130", "100.05")
    (trade,) = await noren.call("TradeBook")
    assert (trade["norenordno"], trade["flqty"], trade["flprc"]) == (number, "130", "100.05")
    (position,) = await noren.call("PositionBook")
    assert (position["netqty"], position["netavgprc"], position["daybuyqty"]) == ("130", "100.05", "130")
    # bought at the ask, valued at the last trade
    assert position["urmtom"] == "-6.50"


async def test_history_is_newest_first_and_tells_the_documented_life(noren: Noren) -> None:
    number = await noren.place(prc="101.00")
    await noren.until(number, "COMPLETE")
    rows = await noren.call("SingleOrdHist", norenordno=number)
    assert [(row["status"], row["rpt"]) for row in rows] == [
        ("COMPLETE", "Fill"),
        ("OPEN", "New"),
        ("PENDING", "PendingNew"),
        ("PENDING", "NewAck"),
    ]


async def test_the_risk_desk_refuses_after_the_order_was_taken(noren: Noren) -> None:
    refused = await noren.place(qty="70", remarks="ODD")
    row = await noren.until(refused, "REJECTED")
    assert row["rejby"] == "RED"
    assert "multiple of the lot size" in row["rejreason"]
    assert "exchordid" not in row


@pytest.mark.parametrize("kind", ["MKT", "SL-MKT"])
async def test_market_orders_are_refused(noren: Noren, kind: str) -> None:
    answer = await noren.call("PlaceOrder", **{**BUY, "prctyp": kind, "prc": "0", "trgprc": "99"})
    assert answer["stat"] == "Not_Ok"
    assert (await noren.call("OrderBook"))["emsg"] == NO_DATA


@pytest.mark.parametrize(
    ("terms", "emsg"),
    [
        ({"prd": ""}, "Invalid Input : Missing uid or actid or prd"),
        ({"tsym": "NIFTY24NOV26CE25000"}, "Invalid Input : Invalid Trading Symbol"),
        ({"prc": ""}, "Invalid Input : basic_string::at: __n (which is 0) >= this->size() (which is 0)"),
        ({"prc": "1e2"}, "Invalid Input : prc is not a price"),
        ({"prc": "99.001"}, "Invalid Input : prc has too many decimals"),
        ({"qty": "0"}, "Invalid Input : Invalid Quantity"),
        ({"trantype": "BUY"}, "Invalid Input : Invalid Transaction Type"),
        ({"amo": "Yes"}, "Invalid Input : Invalid AMO"),
        ({"prctyp": "SL-LMT"}, "Invalid Input : Trigger price invalid - 0.00"),
        ({"uid": "XX"}, "Invalid Input : Invalid uid"),
    ],
)
async def test_what_is_no_order_is_refused_at_once(noren: Noren, terms: dict[str, str], emsg: str) -> None:
    answer = await noren.call("PlaceOrder", **{**BUY, **terms})
    assert (answer["stat"], answer["emsg"]) == ("Not_Ok", emsg)


async def test_the_sdk_s_none_and_null_are_understood(noren: Noren) -> None:
    number = await noren.place(trgprc="None", remarks=None, algo_id=None, amo="NO", dscqty="0", prc="99.0")
    assert (await noren.until(number, "OPEN"))["remarks"] == ""


async def test_remarks_may_repeat(noren: Noren) -> None:
    first, second = await noren.place(), await noren.place()
    assert first != second
    assert [row["remarks"] for row in await noren.call("OrderBook")] == ["T1", "T1"]


async def test_a_change_states_the_new_total(noren: Noren) -> None:
    number = await noren.place()
    await noren.until(number, "OPEN")
    terms = {key: BUY[key] for key in ("exch", "tsym", "prctyp", "ret")}
    answer = await noren.call("ModifyOrder", norenordno=number, qty="130", prc="98.50", **terms)
    assert (answer["stat"], answer["result"]) == ("Ok", number)
    for _ in range(2_000):
        row = (await noren.call("OrderBook"))[0]
        if row["rpt"] == "Replaced":
            break
    assert (row["status"], row["qty"], row["prc"]) == ("OPEN", "130", "98.50")


async def test_a_trigger_on_the_change_of_a_limit_order_is_an_error(noren: Noren) -> None:
    number = await noren.place()
    terms = {key: BUY[key] for key in ("exch", "tsym", "prctyp", "ret", "qty")}
    answer = await noren.call("ModifyOrder", norenordno=number, prc="98.50", trgprc="0", **terms)
    assert "Trigger price invalid - 0.00" in answer["emsg"]
    assert (await noren.until(number, "OPEN"))["prc"] == "99.00"


async def test_a_change_the_exchange_refuses_leaves_the_order_alive(noren: Noren, stream: Ears) -> None:
    await stream.say(t="o", actid="FA1234")
    number = await noren.place()
    await stream.until(t="om", reporttype="New")
    terms = {key: BUY[key] for key in ("exch", "tsym", "prctyp", "ret")}
    assert (await noren.call("ModifyOrder", norenordno=number, qty="65", prc="99.01", **terms))["stat"] == "Ok"
    told = await stream.until(t="om", reporttype="ReplaceRejected")
    assert "tick" in told["rejreason"]
    assert told["status"] == "OPEN"
    assert (await noren.until(number, "OPEN"))["prc"] == "99.00"


async def test_a_stop_waits_and_may_become_a_limit_order(noren: Noren) -> None:
    number = await noren.place(**STOP)
    row = await noren.until(number, "TRIGGER_PENDING")
    assert (row["trgprc"], row["prc"]) == ("90.00", "89.00")
    terms = {key: STOP[key] for key in ("exch", "tsym", "ret", "qty")}
    answer = await noren.call("ModifyOrder", norenordno=number, prctyp="LMT", prc="101.00", **terms)
    assert answer["stat"] == "Ok"
    row = await noren.until(number, "OPEN")
    assert (row["prctyp"], row["prc"]) == ("LMT", "101.00")
    assert "trgprc" not in row


async def test_a_cancelled_order_says_how_much_and_cannot_be_cancelled_again(noren: Noren) -> None:
    number = await noren.place()
    assert (await noren.call("CancelOrder", norenordno=number))["result"] == number
    assert (await noren.until(number, "CANCELED"))["cancelqty"] == "65"
    again = await noren.call("CancelOrder", norenordno=number)
    assert again["emsg"] == "Rejected : ORA:Order not found to Cancel"
    unknown = await noren.call("CancelOrder", norenordno="26111800009999")
    assert unknown["emsg"] == "Rejected : ORA:Order not found to Cancel"


async def test_updates_tell_every_step_and_a_partial_fill_is_no_complete_order(
    noren: Noren, stream: Ears, market: Market
) -> None:
    await stream.say(t="o", actid="FA1234")
    quoted(market, CALL, 100_00, lots=1)
    number = await noren.place(prc="100.05", qty="130")
    steps = [await stream.until(t="om", norenordno=number) for _ in range(4)]
    assert [(step["status"], step["reporttype"]) for step in steps] == [
        ("PENDING", "NewAck"),
        ("PENDING", "PendingNew"),
        ("OPEN", "New"),
        ("OPEN", "Fill"),
    ]
    part = steps[-1]
    assert (part["flqty"], part["fillshares"], part["flprc"], part["pcode"]) == ("65", "65", "100.05", "M")
    assert not {"flid", "flqty", "fltm"} & steps[2].keys()
    quoted(market, CALL, 100_00, lots=2)
    last = await stream.until(t="om", reporttype="Fill")
    assert (last["status"], last["flqty"], last["fillshares"]) == ("COMPLETE", "65", "130")
    assert last["flid"] != part["flid"]


async def test_updates_of_a_cancel_and_a_refusal(noren: Noren, stream: Ears) -> None:
    await stream.say(t="o", actid="FA1234")
    number = await noren.place()
    await stream.until(reporttype="New")
    await noren.call("CancelOrder", norenordno=number)
    reports = [(await stream.until(t="om"))["reporttype"] for _ in range(3)]
    assert reports == ["CanAck", "PendingCancel", "Canceled"]
    await noren.place(qty="70")
    refused = await stream.until(t="om", reporttype="Rejected")
    assert refused["status"] == "REJECTED"
    assert refused["exchordid"] == ""


async def test_the_26th_change_of_an_order_is_refused(noren: Noren) -> None:
    number = await noren.place()
    await noren.until(number, "OPEN")
    terms = {key: BUY[key] for key in ("exch", "tsym", "prctyp", "ret")}
    for count in range(25):
        answer = await noren.call("ModifyOrder", norenordno=number, qty="65", prc=f"{98 - count % 2}.00", **terms)
        assert answer["stat"] == "Ok"
    answer = await noren.call("ModifyOrder", norenordno=number, qty="65", prc="97.50", **terms)
    assert answer["stat"] == "Not_Ok"
    assert (await noren.until(number, "OPEN"))["prc"] in ("97.00", "98.00")


async def test_cover_and_bracket_orders_are_refused_by_the_risk_desk_and_have_nothing_to_exit(noren: Noren) -> None:
    number = await noren.place(prd="H", blprc="5")
    assert (await noren.until(number, "REJECTED"))["rejby"] == "RED"
    answer = await noren.call("ExitSNOOrder", norenordno=number, prd="H")
    assert answer["emsg"] == "Rejected : ORA:Order not found"
