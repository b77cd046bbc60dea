"""What else an account at Angel One can do: candles, quotes on request, holdings, conversion, rules that wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from optconsole.brokers.angelone import bodies
from optconsole.brokers.angelone.feed import QUOTE_PATH
from optconsole.brokers.angelone.money import Holding, holding_of, rupees
from optconsole.brokers.angelone.quotes import quote_row
from optconsole.brokers.angelone.rows import BadRow
from optconsole.brokers.angelone.wire import ORDERS, USER, Wire
from optconsole.brokers.angelone.words import PRODUCT_WORDS
from optconsole.brokers.transport.coerce import paise, units
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import BrokerPosition, BrokerUnreachable

DAYS: Final = {
    "ONE_MINUTE": 30,
    "THREE_MINUTE": 60,
    "FIVE_MINUTE": 100,
    "TEN_MINUTE": 100,
    "FIFTEEN_MINUTE": 200,
    "THIRTY_MINUTE": 200,
    "ONE_HOUR": 400,
    "ONE_DAY": 2000,
}
"""Interval -> days that one call may span."""
PORTFOLIO: Final = "/rest/secure/angelbroking/portfolio/v1"
CANDLES: Final = "/rest/secure/angelbroking/historical/v1/getCandleData"
RULES: Final = "/rest/secure/angelbroking/gtt/v1"
NO_HOLDINGS: Final = "AB1015"
RULE_SEGMENTS: Final = frozenset({"NSE", "BSE"})
FULL_CALL: Final = 50


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """Prices in paise; ``at`` is the aware IST beginning."""

    at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int


class Services:
    """Each call raises BrokerUnreachable or LoginLost where the broker does not answer, Refusal where it cannot."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def profile(self) -> Mapping[str, Any]:
        """Client code, name, and what is enabled, as the broker writes it."""
        data = await self._wire.get(f"{USER}/getProfile", "profile")
        return data if isinstance(data, dict) else {}

    async def details(self, unique_id: str) -> Mapping[str, Any]:
        """One order's row by the broker's unique id, as ``placeOrder`` gave it."""
        data = await self._wire.get(f"{ORDERS}/details/{unique_id}", "details")
        return data if isinstance(data, dict) else {}

    async def candles(self, listed: Listed, interval: str, begin: datetime, end: datetime) -> list[Candle]:
        """Candles between two aware moments. Raises Refusal(BAD_INTERVAL | TOO_LONG)."""
        if interval not in DAYS:
            raise Refusal("BAD_INTERVAL", f"{display(interval, 20)!r} is no interval; choose {', '.join(DAYS)}.")
        if (end - begin).days > DAYS[interval]:
            raise Refusal("TOO_LONG", f"{interval} candles come for {DAYS[interval]} days at a time; ask for less.")
        body = {
            "exchange": listed.segment,
            "symboltoken": listed.token,
            "interval": interval,
            "fromdate": f"{begin.astimezone(IST):%Y-%m-%d %H:%M}",
            "todate": f"{end.astimezone(IST):%Y-%m-%d %H:%M}",
        }
        data = await self._wire.post(CANDLES, "candles", body)
        try:
            return [_candle(row) for row in data or ()]
        except (TypeError, ValueError) as error:
            raise BrokerUnreachable(f"Angel One's candles cannot be read: {error}") from None

    async def quotes(self, contracts: Sequence[Listed]) -> list[Quote]:
        """Quotes of up to fifty contracts; each row is checked to be of a contract that was asked for."""
        if len(contracts) > FULL_CALL:
            raise Refusal("TOO_MANY", f"A quote call takes {FULL_CALL} contracts, not {len(contracts)}; ask in parts.")
        tokens: dict[str, list[str]] = {}
        for each in contracts:
            tokens.setdefault(each.segment, []).append(each.token)
        data = await self._wire.post(QUOTE_PATH, "quote", bodies.quote("FULL", tokens))
        asked = {(each.segment, each.token): each for each in contracts}
        try:
            rows = data["fetched"]
            return [quote_row(row, asked[str(row["exchange"]), str(row["symbolToken"])])[0] for row in rows]
        except (BadRow, KeyError, TypeError) as error:
            raise BrokerUnreachable(f"Angel One's quotes cannot be used: {display(str(error), 100)}") from None

    async def holdings(self) -> list[Holding]:
        data = await self._wire.get(f"{PORTFOLIO}/getHolding", "holdings", NO_HOLDINGS)
        try:
            return [holding_of(row) for row in data or ()]
        except (BadRow, TypeError) as error:
            raise BrokerUnreachable(f"Angel One: {error}.") from None

    async def convert(self, position: BrokerPosition, listed: Listed, to: Product, side: Side) -> None:
        """Turn an open position of today into another product; ``side`` is the side it was opened on."""
        body = {
            "exchange": listed.segment,
            "symboltoken": listed.token,
            "tradingsymbol": listed.symbol,
            "symbolname": listed.instrument.underlying,
            "oldproducttype": PRODUCT_WORDS[position.product],
            "newproducttype": PRODUCT_WORDS[to],
            "transactiontype": side.value,
            "quantity": abs(position.qty),
            "type": "DAY",
        }
        await self._wire.post(f"{ORDERS}/convertPosition", "details", body)

    # ------------------------------------------------------------ rules that wait at the broker

    async def create_rule(
        self, listed: Listed, side: Side, qty: int, price: int, trigger: int, product: str = "DELIVERY"
    ) -> str:
        """A rule for shares. Raises Refusal(NO_RULES) for derivatives, which the broker documents none for."""
        if listed.segment not in RULE_SEGMENTS:
            raise Refusal("NO_RULES", f"Angel One keeps rules for shares only, not for {listed.instrument.name}.")
        body = {
            "tradingsymbol": listed.symbol,
            "symboltoken": listed.token,
            "exchange": listed.segment,
            "transactiontype": side.value,
            "producttype": product,
            "price": rupees(price),
            "qty": str(qty),
            "triggerprice": rupees(trigger),
            "disclosedqty": bodies.NOTHING,
        }
        data = await self._wire.post(f"{RULES}/createRule", "rules", body)
        if not isinstance(data, dict) or not data.get("id"):
            raise BrokerUnreachable("Angel One took the rule without giving it an id; look at its list of rules.")
        return str(data["id"])

    async def modify_rule(self, rule_id: str, listed: Listed, qty: int, price: int, trigger: int) -> None:
        body = {
            "id": rule_id,
            "symboltoken": listed.token,
            "exchange": listed.segment,
            "price": rupees(price),
            "qty": str(qty),
            "triggerprice": rupees(trigger),
            "disclosedqty": bodies.NOTHING,
        }
        await self._wire.post(f"{RULES}/modifyRule", "rules", body)

    async def cancel_rule(self, rule_id: str, listed: Listed) -> None:
        body = {"id": rule_id, "symboltoken": listed.token, "exchange": listed.segment}
        await self._wire.post(f"{RULES}/cancelRule", "rules", body)

    async def rules(self, status: str = "FORALL", page: int = 1, count: int = 50) -> list[Mapping[str, Any]]:
        """Rows of the rule list as the broker writes them."""
        data = await self._wire.post(f"{RULES}/ruleList", "details", {"status": [status], "page": page, "count": count})
        return [row for row in data or () if isinstance(row, dict)]


def _candle(row: Any) -> Candle:
    at, opened, high, low, close, volume = row
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError(f"{display(str(at), 40)!r} has no zone")
    return Candle(
        at=moment.astimezone(IST),
        open=paise(opened),
        high=paise(high),
        low=paise(low),
        close=paise(close),
        volume=units(volume),
    )
