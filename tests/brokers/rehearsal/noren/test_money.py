"""Limits, margins, positions carried over, and what the account has not."""

from __future__ import annotations

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.standings import Standing, position_row
from optconsole.brokers.rehearsal.noren.symbols import Symbol
from optconsole.brokers.rehearsal.opening import CAPITAL
from tests.brokers.paper.stage import CALL, HEDGE
from tests.brokers.rehearsal.noren.stage import BUY, Noren
from tests.brokers.rehearsal.stage import quoted

SHORT = {**BUY, "trantype": "S", "prc": "99.00"}


def paise(text: str) -> int:
    return round(float(text) * 100)


async def test_limits_leave_what_the_exchange_says_is_free(noren: Noren, market: Market) -> None:
    fresh = await noren.call("Limits")
    assert (paise(fresh["cash"]), fresh["marginused"]) == (CAPITAL, "0.00")
    await noren.until(await noren.place(**{**SHORT, "remarks": "S"}), "COMPLETE")
    funds = await market.desk.funds()
    used = await noren.call("Limits")
    assert paise(used["marginused"]) == funds.margin_used > 0
    assert paise(used["cash"]) - paise(used["marginused"]) == funds.free


async def test_an_order_s_margin_comes_on_top_of_what_is_used(noren: Noren) -> None:
    asked = await noren.call("GetOrderMargin", **SHORT)
    assert asked["remarks"] == "Order Success"
    assert paise(asked["marginused"]) == paise(asked["ordermargin"]) > 0
    await noren.until(await noren.place(**SHORT), "COMPLETE")
    again = await noren.call("GetOrderMargin", **SHORT)
    assert paise(again["marginused"]) == paise(again["marginusedprev"]) + paise(again["ordermargin"])


async def test_a_basket_with_its_hedge_needs_less_than_the_short_alone(noren: Noren, market: Market) -> None:
    quoted(market, HEDGE, 20_00)
    short = {**SHORT, "qty": "650"}
    alone = await noren.call("GetOrderMargin", **short)
    hedge = {"exch": "NFO", "tsym": "NIFTY23NOV26C25500", "qty": "650", "prc": "21", "prd": "M", "trantype": "B"}
    basket = await noren.call("GetBasketMargin", **short, basketlists=[{**hedge, "prctyp": "LMT"}])
    assert 0 < paise(basket["marginused"]) < paise(alone["marginused"])


async def test_span_of_positions_that_do_not_exist(noren: Noren) -> None:
    row = {"prd": "M", "exch": "NFO", "instname": "OPTIDX", "symname": "NIFTY", "exd": "23-NOV-2026"}
    option = {**row, "optt": "CE", "strprc": "25000", "buyqty": "0", "sellqty": "65", "netqty": "-65"}
    answer = await noren.call("SpanCalc", pos=[option])
    assert paise(answer["span"]) > paise(answer["span_trade"]) > 0
    unknown = await noren.call("SpanCalc", pos=[{**option, "strprc": "1"}])
    assert unknown["stat"] == "Not_Ok"


async def test_a_position_that_was_closed_today_is_realised(noren: Noren, market: Market) -> None:
    await noren.until(await noren.place(prc="101.00"), "COMPLETE")
    quoted(market, CALL, 110_00)
    await noren.until(await noren.place(trantype="S", prc="109.00", remarks="X"), "COMPLETE")
    (row,) = await noren.call("PositionBook")
    assert (row["netqty"], row["rpnl"], row["urmtom"]) == ("0", "643.50", "0.00")
    assert (row["daybuyavgprc"], row["daysellavgprc"]) == ("100.05", "109.95")


def test_a_carried_short_is_on_the_sell_side() -> None:
    standing = Standing(Symbol("NFO", "1", "X", CALL), "M", -65, -65 * 95_00, (), (), 100_00)
    row = position_row(standing, "FA1234")
    assert (row["netqty"], row["cfsellqty"], row["cfbuyqty"], row["cfsellavgprc"]) == ("-65", "65", "0", "95.00")
    assert (row["netavgprc"], row["upldprc"], row["urmtom"]) == ("95.00", "95.00", "-325.00")


async def test_a_conversion_needs_the_units_it_converts(noren: Noren) -> None:
    wanted = {"exch": "NFO", "tsym": BUY["tsym"], "qty": "65", "prd": "I", "prevprd": "M", "trantype": "B"}
    none = await noren.call("ProductConversion", **wanted, postype="Day")
    assert "less than the quantity" in none["emsg"]
    await noren.until(await noren.place(prc="101.00"), "COMPLETE")
    some = await noren.call("ProductConversion", **wanted, postype="Day")
    assert "not enabled" in some["emsg"]


async def test_who_the_account_is(noren: Noren) -> None:
    user = await noren.call("UserDetails")
    assert user["exarr"] == ["NSE", "NFO", "BSE", "BFO"]
    assert (await noren.call("ClientDetails"))["actid"] == "FA1234"
