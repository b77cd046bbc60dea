"""What an order line asks for, from words and options."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from optconsole.cli.arguments import UsageError, split_contract
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.money import paise
from optconsole.engine.model.orders import OrderType, Product, Side, Validity

SIDES = {"BUY": Side.BUY, "B": Side.BUY, "SELL": Side.SELL, "S": Side.SELL}
TYPES = {
    "MARKET": OrderType.MARKET,
    "MKT": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "SL": OrderType.SL,
    "SL-M": OrderType.SL_M,
    "SLM": OrderType.SL_M,
}
PRICES = {OrderType.MARKET: 0, OrderType.LIMIT: 1, OrderType.SL: 2, OrderType.SL_M: 1}


class Wish(NamedTuple):
    """An order before the contract's lot is known. Exactly one of ``lots`` and ``qty`` counts; prices in paise."""

    side: Side
    contract: str
    lots: int | None
    qty: int
    type: OrderType
    price: int | None
    trigger: int | None
    product: Product
    validity: Validity


def read_wish(args: argparse.Namespace) -> Wish:
    """Read ``SIDE CONTRACT [TYPE PRICES]`` and the options. Raises UsageError, Refusal(BAD_CONTRACT)."""
    side = SIDES.get(args.words[0].upper())
    if side is None:
        raise UsageError(f"{args.words[0]!r} is not a side; begin with BUY or SELL.")
    contract, rest = split_contract(args.words[1:])
    kind, price, trigger = _typed(rest) if rest else (None, None, None)
    kind, price, trigger = _with_options(args, kind, price, trigger)
    return Wish(
        side=side,
        contract=contract,
        lots=args.lots,
        qty=args.qty or 0,
        type=kind,
        price=price,
        trigger=trigger,
        product=Product(args.product),
        validity=Validity.IOC if args.ioc else Validity.DAY,
    )


def _typed(words: list[str]) -> tuple[OrderType, int | None, int | None]:
    """Type words such as ``LIMIT 101.25``, ``SL 126.60 128``; trigger before limit, as it happens in time."""
    kind = TYPES.get(words[0])
    if kind is None:
        raise UsageError(f"{words[0]!r} is not an order type; use MARKET, LIMIT P, SL TRIGGER P or SL-M TRIGGER.")
    if len(words) - 1 != PRICES[kind]:
        raise UsageError(f"{kind.value} takes {PRICES[kind]} prices and {len(words) - 1} are given.")
    amounts = [_price(word) for word in words[1:]]
    match kind:
        case OrderType.LIMIT:
            return kind, amounts[0], None
        case OrderType.SL:
            return kind, amounts[1], amounts[0]
        case OrderType.SL_M:
            return kind, None, amounts[0]
        case OrderType.MARKET:
            return kind, None, None


def _with_options(
    args: argparse.Namespace, kind: OrderType | None, price: int | None, trigger: int | None
) -> tuple[OrderType, int | None, int | None]:
    optioned = args.limit is not None or args.sl is not None or args.market
    if kind is not None:
        if optioned:
            raise UsageError("Give the type either as words or as options, not both.")
        return kind, price, trigger
    if args.market and (args.limit is not None or args.sl is not None):
        raise UsageError("--market takes no price; use --limit or --sl instead of it.")
    if args.market:
        return OrderType.MARKET, None, None
    if args.sl is not None:
        return (OrderType.SL_M if args.limit is None else OrderType.SL), args.limit, args.sl
    if args.limit is None:
        raise UsageError("Say at what price: --limit P, --market or --sl TRIGGER.")
    return OrderType.LIMIT, args.limit, None


def _price(word: str) -> int:
    try:
        amount = paise(word)
    except Refusal as refusal:
        raise UsageError(refusal.text) from None
    if amount <= 0:
        raise UsageError(f"{word!r} is not a price; give rupees above zero, such as 101.25.")
    return amount
