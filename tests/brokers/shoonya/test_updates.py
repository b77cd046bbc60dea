from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.shoonya.updates import Ears
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.ports import BrokerOrder, BrokerTrade
from tests.brokers.shoonya.test_published_examples import FILLED, OPENED, reader
from tests.brokers.shoonya.test_rows import reader as lenient

NUMBER = "26112400000017"


def frame(text: str, **changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**msgspec.json.decode(text), **changed}.items() if value is not None}


@pytest.mark.parametrize("missing", ["flid", "flqty", "flprc", "fltm"])
def test_a_fill_that_lacks_something_has_its_books_read_before_its_end_is_told(missing: str) -> None:
    heard = Ears(reader()).hear(frame(FILLED, **{missing: None}))
    assert heard.updates == ()
    assert heard.read == NUMBER


def test_the_documented_names_are_read_as_well_as_the_live_ones() -> None:
    text = frame(
        FILLED, fltm=None, filltm="24-11-2026 10:15:04", pcode=None, prd="M", norenordno=None, norenoordno=NUMBER
    )
    trade, order = Ears(reader()).hear(text).updates
    assert isinstance(trade, BrokerTrade)
    assert isinstance(order, BrokerOrder)
    assert trade.broker_id == order.broker_id == NUMBER


def test_a_partial_fill_does_not_end_the_order() -> None:
    trade, order = Ears(reader()).hear(frame(FILLED, status="OPEN", qty="130", flid="1")).updates
    assert isinstance(trade, BrokerTrade)
    assert isinstance(order, BrokerOrder)
    assert (order.status, order.filled) == (OrderStatus.PARTIAL, 65)


def test_a_frame_that_counts_more_than_we_were_told_has_the_books_read() -> None:
    ears = Ears(reader())
    heard = ears.hear(frame(FILLED, qty="130", fillshares="130", flid="2"))
    assert [type(each) for each in heard.updates] == [BrokerTrade]
    assert heard.read == NUMBER
    ears.note(msgspec.structs.replace(heard.updates[0], trade_id="1"))
    again = ears.hear(frame(FILLED, qty="130", fillshares="130", flid="2"))
    assert [type(each) for each in again.updates] == [BrokerTrade, BrokerOrder]


def test_a_frame_told_twice_says_the_same_twice() -> None:
    ears = Ears(reader())
    assert ears.hear(frame(FILLED)) == ears.hear(frame(FILLED))


@pytest.mark.parametrize("report", ["CancelRejected", "ReplaceRejected"])
def test_the_refusal_of_a_change_ends_no_order(report: str) -> None:
    heard = Ears(reader()).hear(frame(OPENED, status="REJECTED", reporttype=report))
    assert heard.updates == ()
    assert heard.read == NUMBER


def test_a_frame_that_cannot_be_read_has_the_books_read_where_it_names_an_order() -> None:
    assert Ears(reader()).hear(frame(OPENED, qty="many")).read == NUMBER
    assert Ears(reader()).hear({"t": "om"}).read == ""


@given(st.dictionaries(st.sampled_from(sorted(msgspec.json.decode(FILLED))), st.none() | st.integers() | st.text()))
def test_no_order_frame_raises(changed: dict[str, Any]) -> None:
    heard = Ears(lenient()).hear(frame(FILLED, **changed))
    assert heard.updates or heard.read or "norenordno" in changed
