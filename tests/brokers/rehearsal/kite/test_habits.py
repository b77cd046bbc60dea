"""What public sources say of Kite in two ways can be rehearsed in both."""

from __future__ import annotations

import pytest

from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.engine.model.errors import Refusal
from tests.brokers.paper.stage import LOT
from tests.brokers.rehearsal.kite.conftest import Desk
from tests.brokers.rehearsal.stage import until


async def test_slices_may_come_as_a_bare_list(desk: Desk) -> None:
    desk.kite.take_habits({"bare_slices": True})
    answer = await desk.http.post("/orders/regular", data=desk.form(quantity=60 * LOT, price=90, autoslice="true"))
    assert [set(child) for child in answer.json()["data"]] == [{"order_id"}] * 3


async def test_a_client_s_tag_may_be_among_the_tags_only(desk: Desk) -> None:
    desk.kite.take_habits({"lost_tags": True})
    order_id = await desk.place(order_type="MARKET", price=0, market_protection=-1, tag="T1")
    row = await desk.row(order_id)
    assert (row["tag"], row["tags"]) == (None, ["T1", "mktp", "mktp:2.00"])
    assert (await desk.row(await desk.place(tag="T2")))["tag"] == "T2"


async def test_an_older_login_may_live_on(desk: Desk) -> None:
    desk.kite.take_habits({"one_login": False})
    desk.kite.login()
    assert (await desk.http.get("/orders")).status_code == 200
    desk.kite.take_habits({"one_login": True})
    desk.kite.login()
    assert (await desk.http.get("/orders")).status_code == 403


async def test_an_unlisted_address_may_be_an_input_exception(desk: Desk) -> None:
    desk.kite.take_habits({"ip_as_input": True})
    desk.served.plan.add(decode_faults(b'[{"verb":"net.egress"}]'))
    assert (await desk.refused())[:2] == (403, "InputException")


async def test_a_changed_quantity_may_be_what_is_left_to_fill(desk: Desk) -> None:
    desk.kite.take_habits({"modify_remaining": True})
    desk.served.plan.add(decode_faults(f'[{{"verb":"ex.partial","units":{LOT}}}]'.encode()))
    order_id = await desk.place(quantity=3 * LOT)
    await until(lambda: desk.kite.orders.history(order_id)[-1]["filled_quantity"] == LOT)
    await desk.http.put(f"/orders/regular/{order_id}", data={"quantity": LOT})
    row = await desk.row(order_id)
    assert (row["quantity"], row["filled_quantity"], row["pending_quantity"]) == (2 * LOT, LOT, LOT)


async def test_a_cancelled_order_may_show_nothing_cancelled(desk: Desk) -> None:
    desk.kite.take_habits({"blank_cancels": True})
    order_id = await desk.place(price=90)
    await desk.becomes(order_id, "OPEN")
    await desk.http.delete(f"/orders/regular/{order_id}")
    row = await desk.becomes(order_id, "CANCELLED")
    assert (row["cancelled_quantity"], row["pending_quantity"]) == (0, LOT)


async def test_habits_are_told_and_unknown_ones_refused(desk: Desk) -> None:
    assert desk.kite.habits()["bare_slices"] is False
    with pytest.raises(Refusal, match="no habits"):
        desk.kite.take_habits({"smoking": True})
