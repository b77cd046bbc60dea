"""What only Kite has, over real loopback HTTP: its instrument file, triggers, holdings, conversions, order history."""

from __future__ import annotations

import gzip

import msgspec
import pytest

from optconsole.brokers.zerodha.triggers import TriggerLeg, trigger_form
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus, Product, Side
from optconsole.engine.ports import BrokerUnreachable
from tests.brokers.zerodha.loopback import HANG_UP, bench, error, good
from tests.brokers.zerodha.samples import CALL, DAY, LISTED_CALL, ORDER_ROW
from tests.brokers.zerodha.test_instruments import USUAL, file_of
from tests.brokers.zerodha.test_wire import BUY

ROW = msgspec.json.decode(ORDER_ROW)
STOP = TriggerLeg(at=90_00, side=Side.SELL, qty=65, price=89_50, product=Product.NRML)
GOAL = TriggerLeg(at=200_05, side=Side.SELL, qty=65, price=200_00, product=Product.NRML)


async def test_the_days_file_is_loaded_and_gone_by() -> None:
    async with bench(connected=False) as desk:
        desk.kite.answers["GET /instruments"] = (200, file_of(*USUAL).encode())
        master = await desk.gateway.load_master(DAY)
        assert master.day == DAY
        assert master.of(CALL.name) is not None
        assert CALL in desk.gateway.feed.instruments(DAY)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, b"<html>maintenance</html>"), "MASTER_BAD"),
        ((200, b""), "MASTER_BAD"),
        ((200, file_of(*USUAL[:3]).encode()), "MASTER_BAD"),
        ((200, gzip.compress(file_of(*USUAL).encode())[:90]), "MASTER_BAD"),
        ((403, b"no"), "MASTER_UNREACHABLE"),
        (HANG_UP, "MASTER_UNREACHABLE"),
    ],
)
async def test_a_file_that_is_none_leaves_the_one_before_in_force(answer: tuple[int, bytes], code: str) -> None:
    async with bench(connected=False) as desk:
        desk.kite.answers["GET /instruments"] = answer
        with pytest.raises(Refusal) as refused:
            await desk.gateway.load_master(DAY)
        assert refused.value.code == code
        assert CALL in desk.gateway.feed.instruments(DAY)


async def test_an_orders_history_is_read_oldest_first() -> None:
    async with bench() as desk:
        path = f"GET /orders/{ROW['order_id']}"
        desk.kite.answers[path] = good([ROW | {"status": word} for word in ("OPEN PENDING", "OPEN", "COMPLETE")])
        told = await desk.gateway.broker.books.history(ROW["order_id"])
        assert [row.status for row in told] == [OrderStatus.SENT, OrderStatus.PARTIAL, OrderStatus.FILLED]
        with pytest.raises(Refusal, match="NO_ORDER"):
            await desk.gateway.broker.books.history("../user")


def test_a_trigger_has_its_legs_from_the_lowest_price_up_and_its_numbers_written_out() -> None:
    form = trigger_form(LISTED_CALL, 123_45, [GOAL, STOP])
    assert form["type"] == "two-leg"
    assert form["condition"] == (
        '{"exchange":"NFO","tradingsymbol":"NIFTY26D0125000CE","trigger_values":[90.00,200.05],"last_price":123.45}'
    )
    assert [leg["price"] for leg in msgspec.json.decode(form["orders"])] == [89.5, 200.0]
    assert trigger_form(LISTED_CALL, 123_45, [STOP])["type"] == "single"
    for legs in ([], [STOP, STOP], [STOP, GOAL, STOP]):
        with pytest.raises(Refusal, match="BAD_TRIGGER"):
            trigger_form(LISTED_CALL, 123_45, legs)


async def test_triggers_are_placed_listed_changed_and_deleted() -> None:
    condition = {"exchange": "NFO", "tradingsymbol": LISTED_CALL.symbol, "trigger_values": [90.0], "last_price": 123.45}
    row = {"id": 7, "type": "single", "status": "active", "condition": condition, "orders": [], "created_at": "x"}
    async with bench() as desk:
        desk.kite.answers |= {
            "POST /gtt/triggers": good({"trigger_id": 7}),
            "PUT /gtt/triggers/7": good({"trigger_id": 7}),
            "DELETE /gtt/triggers/7": good({"trigger_id": 7}),
            "DELETE /gtt/triggers/8": good({"trigger_id": 7}),
            "GET /gtt/triggers": good([row]),
        }
        triggers = desk.gateway.broker.triggers
        assert await triggers.place(LISTED_CALL, 123_45, [STOP]) == 7
        await triggers.modify(7, LISTED_CALL, 123_45, [GOAL])
        (listed,) = await triggers.listed()
        assert (listed.id, listed.status, listed.contract) == (7, "active", LISTED_CALL.symbol)
        await triggers.delete(7)
        with pytest.raises(BrokerUnreachable, match="trigger 7 when 8"):
            await triggers.delete(8)
        desk.kite.answers["POST /gtt/triggers"] = error(400, "InputException", "Trigger price is too near.")
        with pytest.raises(BrokerUnreachable, match="too near"):
            await triggers.place(LISTED_CALL, 123_45, [STOP])


async def test_holdings_margins_and_conversions() -> None:
    async with bench() as desk:
        broker = desk.gateway.broker
        holding = {"tradingsymbol": "NIFTYBEES", "exchange": "NSE", "isin": "INF204KB14I2", "quantity": 10}
        desk.kite.answers |= {
            "GET /portfolio/holdings": good([holding | {"collateral_quantity": 4, "last_price": 281.15}]),
            "POST /margins/orders": good([{"type": "equity", "total": 8024.25}]),
            "PUT /portfolio/positions": good(True),
        }
        (held,) = await broker.money.holdings()
        assert (held.tradingsymbol, held.quantity, held.collateral_quantity) == ("NIFTYBEES", 10, 4)
        assert await broker.money.apart([BUY]) == [8_024_25]
        await broker.money.convert(CALL, Side.BUY, 65, Product.MIS, Product.NRML, overnight=False)
        (asked,) = desk.kite.calls("PUT", "/portfolio/positions")
        assert asked.form == {
            "exchange": "NFO",
            "tradingsymbol": LISTED_CALL.symbol,
            "transaction_type": "BUY",
            "position_type": "day",
            "quantity": "65",
            "old_product": "MIS",
            "new_product": "NRML",
        }
