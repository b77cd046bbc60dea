"""Kite's good-till-triggered orders: kept at the broker, sent as limit orders once a last price is reached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from optconsole.brokers.rehearsal.kite.book import Row
from optconsole.brokers.rehearsal.kite.contracts import KiteContract, KiteContracts
from optconsole.brokers.rehearsal.kite.orders import KiteOrders
from optconsole.brokers.rehearsal.kite.replies import INPUT, KiteError, rupees, stamp
from optconsole.brokers.rehearsal.kite.terms import Terms, read_terms
from optconsole.brokers.rehearsal.market import Market
from optconsole.engine.model.quotes import Quote

MOST_ACTIVE: Final = 500
LIFE: Final = timedelta(days=365)
ACTIVE: Final = "active"


Rupees = Annotated[float, msgspec.Meta(ge=0, le=10_000_000)]


class Condition(msgspec.Struct):
    """As the form carries it, in rupees."""

    exchange: str
    tradingsymbol: str
    trigger_values: list[Rupees]
    last_price: Rupees = 0.0


@dataclass(slots=True)
class Trigger:
    """One of them; ``legs`` belong to ``values`` (paise, low to high) one by one."""

    id: int
    kind: str
    contract: KiteContract
    values: list[int]
    above: list[bool]
    """Whether each value is above the price when it was set, and is reached from below."""
    last: int
    legs: list[Terms]
    created: datetime
    updated: datetime
    status: str = ACTIVE
    results: dict[int, Row] | None = None

    def row(self, user: str) -> Row:
        results = self.results or {}
        return {
            "id": self.id,
            "user_id": user,
            "parent_trigger": None,
            "type": self.kind,
            "created_at": stamp(self.created),
            "updated_at": stamp(self.updated),
            "expires_at": stamp(self.created + LIFE),
            "status": self.status,
            "condition": {
                "exchange": self.contract.exchange,
                "tradingsymbol": self.contract.symbol,
                "trigger_values": [rupees(value) for value in self.values],
                "last_price": rupees(self.last),
                "instrument_token": self.contract.token,
            },
            "orders": [{**_leg_row(leg), "result": results.get(place)} for place, leg in enumerate(self.legs)],
            "meta": {},
        }


class KiteTriggers:
    def __init__(self, market: Market, contracts: Callable[[], KiteContracts], orders: KiteOrders, user: str) -> None:
        self._market, self._contracts, self._orders, self._user = market, contracts, orders, user
        self._triggers: dict[int, Trigger] = {}
        self._numbered = 100_000
        self._firing: set[asyncio.Task[None]] = set()
        self._leave = market.listen(self._on_quotes)

    async def close(self) -> None:
        self._leave()
        for task in list(self._firing):
            task.cancel()
        await asyncio.gather(*self._firing, return_exceptions=True)

    def rows(self) -> list[Row]:
        return [trigger.row(self._user) for trigger in self._triggers.values()]

    def row(self, number: str) -> Row:
        return self._found(number).row(self._user)

    def place(self, form: Mapping[str, str]) -> Row:
        """Raises KiteError."""
        if sum(trigger.status == ACTIVE for trigger in self._triggers.values()) >= MOST_ACTIVE:
            raise KiteError(INPUT, f"At most {MOST_ACTIVE} triggers can be active.")
        self._numbered += 1
        self._triggers[self._numbered] = self._read(self._numbered, form)
        return {"trigger_id": self._numbered}

    def modify(self, number: str, form: Mapping[str, str]) -> Row:
        """Raises KiteError."""
        before = self._active(number)
        after = self._read(before.id, form)
        after.created = before.created
        self._triggers[before.id] = after
        return {"trigger_id": before.id}

    def delete(self, number: str) -> Row:
        """Raises KiteError."""
        trigger = self._active(number)
        trigger.status, trigger.updated = "deleted", self._market.now()
        return {"trigger_id": trigger.id}

    # ------------------------------------------------------------ inside

    def _read(self, number: int, form: Mapping[str, str]) -> Trigger:
        try:
            condition = msgspec.json.decode(form.get("condition", ""), type=Condition)
            legs = msgspec.json.decode(form.get("orders", ""), type=list[dict[str, str | int | float]])
        except msgspec.MsgspecError:
            raise KiteError(INPUT, "Invalid `condition` or `orders`.") from None
        contracts = self._contracts()
        contract = contracts.at(condition.exchange, condition.tradingsymbol)
        if contract is None:
            raise KiteError(INPUT, "The instrument of the condition does not exist.")
        count = {"single": 1, "two-leg": 2}.get(form.get("type", ""))
        if count is None or len(condition.trigger_values) != count or len(legs) != count:
            raise KiteError(INPUT, "Invalid `type`, or not one trigger value and one order for each of its legs.")
        values = [round(value * 100) for value in condition.trigger_values]
        quote = self._market.quote(contract.instrument.name)
        last = (quote.ltp if quote is not None else None) or round(condition.last_price * 100)
        if values != sorted(values) or last in values:
            raise KiteError(INPUT, "Trigger values go from low to high, and none is the last price itself.")
        now = self._market.now()
        terms = [self._leg(leg, contracts) for leg in legs]
        above = [value > last for value in values]
        return Trigger(number, form["type"], contract, values, above, last, terms, now, now)

    def _leg(self, leg: Mapping[str, str | int | float], contracts: KiteContracts) -> Terms:
        terms, _ = read_terms("regular", {name: str(value) for name, value in leg.items()}, contracts)
        if terms.type.value != "LIMIT":
            raise KiteError(INPUT, "Orders of a trigger are LIMIT orders.")
        return terms

    def _on_quotes(self, quotes: Sequence[Quote]) -> None:
        active = [trigger for trigger in self._triggers.values() if trigger.status == ACTIVE]
        if not active:
            return
        last = {quote.name: quote.ltp for quote in quotes if quote.ltp is not None}
        for trigger in active:
            price = last.get(trigger.contract.instrument.name)
            reached = None if price is None else _reached(trigger, price)
            if reached is not None:
                trigger.status, trigger.updated = "triggered", self._market.now()
                task = asyncio.create_task(self._fire(trigger, reached), name="trigger")
                self._firing.add(task)
                task.add_done_callback(self._firing.discard)

    async def _fire(self, trigger: Trigger, place: int) -> None:
        leg = trigger.legs[place]
        try:
            order = await self._orders.enter(leg)
            result: Row = {"status": "success", "order_id": order.order_id, "rejection_reason": ""}
        except KiteError as refused:
            result = {"status": "failed", "order_id": "", "rejection_reason": refused.message}
        now = stamp(self._market.now())
        trigger.results = {
            place: {
                **_leg_row(leg),
                "triggered_at": rupees(trigger.values[place]),
                "timestamp": now,
                "validity": "DAY",
                "meta": "{}",
                "order_result": result,
            }
        }

    def _found(self, number: str) -> Trigger:
        trigger = self._triggers.get(int(number)) if number.isdecimal() and len(number) < 19 else None
        if trigger is None:
            raise KiteError(INPUT, "Trigger not found.", 404)
        return trigger

    def _active(self, number: str) -> Trigger:
        trigger = self._found(number)
        if trigger.status != ACTIVE:
            raise KiteError(INPUT, f"The trigger is {trigger.status}.")
        return trigger


def _reached(trigger: Trigger, price: int) -> int | None:
    for place, (value, above) in enumerate(zip(trigger.values, trigger.above, strict=True)):
        if (price >= value) if above else (price <= value):
            return place
    return None


def _leg_row(leg: Terms) -> Row:
    return {
        "exchange": leg.contract.exchange,
        "tradingsymbol": leg.contract.symbol,
        "product": leg.product.value,
        "order_type": leg.type.value,
        "transaction_type": leg.side.value,
        "quantity": leg.qty,
        "price": rupees(leg.price),
    }
