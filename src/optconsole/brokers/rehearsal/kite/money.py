"""Kite's money: funds, margins of orders and baskets, charges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from optconsole.brokers.rehearsal.kite.book import Row
from optconsole.brokers.rehearsal.kite.contracts import KiteContract, KiteContracts
from optconsole.brokers.rehearsal.kite.replies import GENERAL, INPUT, KiteError, rupees
from optconsole.brokers.rehearsal.kite.terms import read_terms
from optconsole.brokers.rehearsal.market import Market
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import BrokerUnreachable, PlaceRequest

_UTILISED: Final = (
    "exposure", "m2m_realised", "m2m_unrealised", "payout", "holding_sales", "turnover", "liquid_collateral",
    "stock_collateral", "delivery", "option_premium",
)  # fmt: skip
MOST_ORDERS: Final = 200


class KiteMoney:
    def __init__(self, market: Market) -> None:
        self._market = market

    async def funds(self, segment: str = "") -> Row:
        """Of both segments or one. Raises KiteError."""
        try:
            funds = await self._market.desk.funds()
        except BrokerUnreachable as unknown:
            raise KiteError(GENERAL, str(unknown), 500) from unknown
        capital = self._market.account.capital
        both = {
            "equity": _segment(True, capital, funds.cash, funds.margin_used),
            "commodity": _segment(False, 0, 0, 0),
        }
        if segment and segment not in both:
            raise KiteError(INPUT, "Invalid `segment`.")
        return both[segment] if segment else dict(both)

    def order_margins(self, body: bytes, contracts: KiteContracts) -> list[Row]:
        """Each order as if it stood alone. Raises KiteError."""
        return [self._margin_row(request) for request in self._requests(body, contracts)]

    def charges(self, body: bytes, contracts: KiteContracts) -> list[Row]:
        """What executed orders cost, each at its ``average_price``. Raises KiteError."""
        return [
            {
                "transaction_type": request.side.value,
                "tradingsymbol": contract.symbol,
                "exchange": contract.exchange,
                "variety": "regular",
                "product": request.product.value,
                "order_type": request.type.value,
                "quantity": request.qty,
                "price": rupees(request.price),
                "charges": self._charges(request),
            }
            for request, contract in self._requests(body, contracts, "average_price")
        ]

    def _charges(self, request: PlaceRequest) -> Row:
        value = request.qty * request.price
        day = self._market.now().date()
        return {"total": self._market.rules.charges(day, request.instrument, request.side, value) / 100}

    async def basket(self, body: bytes, contracts: KiteContracts, with_positions: bool) -> Row:
        """All together, with and without the benefit of one for another. Raises KiteError."""
        requests = self._requests(body, contracts)
        rows = [self._margin_row(request) for request in requests]
        try:
            if with_positions:
                desk = self._market.desk
                final = await desk.margin([each for each, _ in requests]) - await desk.margin([])
            else:
                final = self._market.margin_alone([each for each, _ in requests])
        except (BrokerUnreachable, Refusal) as unknown:
            raise KiteError(GENERAL, str(unknown), 500) from unknown
        initial = sum(_paise(row) for row in rows)
        return {"initial": _totals(initial), "final": _totals(final), "orders": rows, "charges": {"total": 0}}

    def _requests(
        self, body: bytes, contracts: KiteContracts, priced: str = "price"
    ) -> list[tuple[PlaceRequest, KiteContract]]:
        try:
            orders = msgspec.json.decode(body, type=list[dict[str, str | int | float | None]])
        except msgspec.MsgspecError:
            raise KiteError(INPUT, "Invalid JSON in the request body.") from None
        if len(orders) > MOST_ORDERS:
            raise KiteError(INPUT, f"At most {MOST_ORDERS} orders are taken.")
        return [self._request({**order, "price": order.get(priced)}, contracts) for order in orders]

    def _request(
        self, order: Mapping[str, str | int | float | None], contracts: KiteContracts
    ) -> tuple[PlaceRequest, KiteContract]:
        form = {name: str(value) for name, value in order.items() if value is not None}
        form.setdefault("price", "0")
        form.setdefault("trigger_price", "0")
        terms, _ = read_terms(form.get("variety", "regular"), form, contracts)
        quote = self._market.quote(terms.contract.instrument.name)
        last = None if quote is None else quote.ltp or quote.mark
        request = PlaceRequest(
            tag="",
            account=self._market.account.id,
            instrument=terms.contract.instrument,
            side=terms.side,
            qty=terms.qty,
            type=terms.type,
            price=terms.price or last or 0,
            trigger=terms.trigger or None,
            product=terms.product,
            validity=terms.validity,
        )
        return request, terms.contract

    def _margin_row(self, asked: tuple[PlaceRequest, KiteContract]) -> Row:
        request, contract = asked
        try:
            alone = self._market.margin_alone([request])
        except Refusal as unknown:
            raise KiteError(GENERAL, unknown.text, 500) from unknown
        premium = alone if request.side is Side.BUY and request.instrument.right is not None else 0
        return {
            "type": "equity",
            "tradingsymbol": contract.symbol,
            "exchange": contract.exchange,
            **_totals(alone, premium),
            "charges": self._charges(request),
        }


def _segment(enabled: bool, opening: int, cash: int, used: int) -> Row:
    return {
        "enabled": enabled,
        "net": (cash - used) / 100,
        "available": {
            "adhoc_margin": 0,
            "cash": cash / 100,
            "opening_balance": opening / 100,
            "live_balance": (cash - used) / 100,
            "collateral": 0,
            "intraday_payin": 0,
        },
        "utilised": {"debits": used / 100, "span": used / 100, **dict.fromkeys(_UTILISED, 0)},
    }


def _totals(paise: int, premium: int = 0) -> Row:
    return {
        "span": (paise - premium) / 100,
        "exposure": 0,
        "option_premium": premium / 100,
        "additional": 0,
        "bo": 0,
        "cash": 0,
        "var": 0,
        "pnl": {"realised": 0, "unrealised": 0},
        "leverage": 1,
        "total": paise / 100,
    }


def _paise(row: Row) -> int:
    total = row["total"]
    assert isinstance(total, float | int)
    return round(total * 100)
