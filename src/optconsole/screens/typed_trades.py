"""Orders as they are typed: lots, contract, price, product, validity. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.money import paise
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.screens.typed_names import read_contract
from optconsole.screens.wishes import Known, Trade, Wish


def read_trade(side: Side) -> Callable[[list[str], Known], Wish]:
    """Reads ``2 NIFTY 24500 CE @ 101.25``. Raises Refusal."""

    def read(words: list[str], known: Known) -> Wish:
        lots = 1
        if words and words[0].isascii() and words[0].isdigit():
            lots, words = int(words[0]), words[1:]
            if not 0 < lots < 100_000:
                raise Refusal("BAD_QUANTITY", f"{lots} is not a number of lots; give 1 or more.")
        elif words and re.fullmatch(r"[-+]?[\d.,]+", words[0], re.ASCII):
            raise Refusal("BAD_QUANTITY", f"{words[0]!r} is not a number of lots; give a whole number from 1.")
        contract, rest = read_contract(words, known)
        return _with_price(Trade(side, contract, lots), rest)

    return read


_KINDS: Final = {
    "@": OrderType.LIMIT,
    "limit": OrderType.LIMIT,
    "mkt": OrderType.MARKET,
    "market": OrderType.MARKET,
    "sl": OrderType.SL,
    "slm": OrderType.SL_M,
    "sl-m": OrderType.SL_M,
}
_PRICES: Final = {OrderType.LIMIT: 1, OrderType.MARKET: 0, OrderType.SL: 2, OrderType.SL_M: 1}


def _with_price(trade: Trade, words: list[str]) -> Trade:
    """``@ 101.25``, ``mkt``, ``sl 126 127``, ``slm 126``; then ``mis``, ``nrml``, ``ioc``, ``day`` in any order."""
    kind, product, validity = OrderType.LIMIT, trade.product, trade.validity
    prices: list[int] = []
    seen = False
    rest = [piece for word in words for piece in (["@", word[1:]] if len(word) > 1 and word[0] == "@" else [word])]
    while rest:
        word = rest.pop(0).lower()
        if word in _KINDS and not seen:
            kind, seen = _KINDS[word], True
            need = _PRICES[kind]
            if len(rest) < need:
                raise Refusal("PRICE_MISSING", f"{word} needs {need} price{'s' if need > 1 else ''} after it.")
            prices, rest = [_price(each) for each in rest[:need]], rest[need:]
        elif word in ("mis", "nrml"):
            product = Product(word.upper())
        elif word in ("ioc", "day"):
            validity = Validity(word.upper())
        else:
            raise Refusal(
                "UNKNOWN_WORD", f"{word!r} is not understood here; use @ PRICE, mkt, sl TRIGGER LIMIT or slm TRIGGER."
            )
    trigger = prices[0] if kind.has_trigger else None
    price = prices[-1] if prices and kind in (OrderType.LIMIT, OrderType.SL) else None
    return Trade(trade.side, trade.contract, trade.lots, kind, price, trigger, product, validity)


def _price(word: str) -> int:
    price = paise(word)
    if price <= 0:
        raise Refusal("BAD_AMOUNT", f"{word!r} is not a price; give rupees above zero, such as 101.25.")
    return price
