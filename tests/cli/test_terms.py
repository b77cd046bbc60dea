"""An order line becomes terms, or a sentence."""

from __future__ import annotations

import pytest

from optconsole.cli import order
from optconsole.cli.arguments import Parser, UsageError
from optconsole.cli.terms import Wish, read_wish
from optconsole.engine.model.orders import OrderType, Product, Side, Validity

CALL = "NIFTY 25NOV26 24500 CE"


def wish(*argv: str) -> Wish:
    parser = Parser(prog="optconsole order")
    order.arguments(parser)
    return read_wish(parser.read(["place", *argv]))


@pytest.mark.parametrize(
    ("argv", "type_", "price", "trigger"),
    [
        (["--limit", "101.25"], OrderType.LIMIT, 101_25, None),
        (["--market"], OrderType.MARKET, None, None),
        (["--sl", "126.60", "--limit", "128"], OrderType.SL, 128_00, 126_60),
        (["--sl", "126.60"], OrderType.SL_M, None, 126_60),
        (["limit", "101.25"], OrderType.LIMIT, 101_25, None),
        (["MARKET"], OrderType.MARKET, None, None),
        (["SL", "126.60", "128"], OrderType.SL, 128_00, 126_60),
        (["SL-M", "126.60"], OrderType.SL_M, None, 126_60),
    ],
)
def test_type_and_prices_by_option_or_by_word(
    argv: list[str], type_: OrderType, price: int | None, trigger: int | None
) -> None:
    asked = wish("sell", CALL, "--lots", "2", *argv)
    assert (asked.side, asked.contract, asked.lots) == (Side.SELL, CALL, 2)
    assert (asked.type, asked.price, asked.trigger) == (type_, price, trigger)
    assert (asked.product, asked.validity) == (Product.NRML, Validity.DAY)


def test_product_validity_and_units() -> None:
    asked = wish("B", *CALL.split(), "MARKET", "--qty", "130", "--product", "mis", "--ioc")
    assert (asked.qty, asked.lots, asked.product, asked.validity) == (130, None, Product.MIS, Validity.IOC)


@pytest.mark.parametrize(
    "argv",
    [
        ["HOLD", CALL, "--lots", "1", "--market"],
        ["BUY", CALL, "--lots", "1"],
        ["BUY", CALL, "--market"],
        ["BUY", CALL, "--lots", "1", "--qty", "65", "--market"],
        ["BUY", CALL, "--lots", "1", "--market", "--limit", "5"],
        ["BUY", CALL, "MARKET", "--lots", "1", "--limit", "5"],
        ["BUY", CALL, "SL", "5", "--lots", "1"],
        ["BUY", CALL, "LIMIT", "five", "--lots", "1"],
        ["BUY", CALL, "LIMIT", "-5", "--lots", "1"],
        ["BUY", CALL, "PLEASE", "--lots", "1"],
        ["BUY", "--lots", "1", "--market"],
    ],
)
def test_a_line_that_is_no_order_is_bad_usage(argv: list[str]) -> None:
    with pytest.raises(UsageError):
        wish(*argv)
