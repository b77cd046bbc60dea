"""Good-till-triggered orders: kept by Kite for up to a year, and sent by it when a price is reached."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from optconsole.brokers.transport.gateway import Listed
from optconsole.brokers.zerodha.rows import rupees
from optconsole.brokers.zerodha.session import KiteSession
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.ports import BrokerUnreachable

MOST_LEGS: Final = 2


class TriggerLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A limit order that is sent when the price reaches ``at``. Prices in paise, ``qty`` units."""

    at: int
    side: Side
    qty: int
    price: int
    product: Product


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """One as Kite lists it. ``status`` is active, triggered, disabled, expired, cancelled, rejected or deleted.

    That it was triggered says nothing of its orders: an order may have failed all the same.
    """

    id: int
    status: str
    type: str
    contract: str
    segment: str
    values: tuple[Decimal, ...]
    created_at: str
    expires_at: str


class _Condition(msgspec.Struct, frozen=True):
    exchange: str
    tradingsymbol: str
    trigger_values: list[Decimal]


class _Row(msgspec.Struct, frozen=True):
    id: int
    type: str
    status: str
    condition: _Condition
    created_at: str = ""
    expires_at: str = ""


class _Id(msgspec.Struct, frozen=True):
    trigger_id: int


class KiteTriggers:
    """Placing, changing, listing and deleting them. All raise BrokerUnreachable, LoginLost.

    They are no orders of the engine: nothing is protected by one that the engine relies on.
    """

    def __init__(self, session: KiteSession) -> None:
        self._session = session

    async def place(self, listed: Listed, last: int, legs: Sequence[TriggerLeg]) -> int:
        """The id of a new one. ``last`` is the present price, two legs are one-cancels-other.

        Raises Refusal(BAD_TRIGGER); BrokerUnreachable also when it is unknown whether it was taken: list them then.
        """
        form = trigger_form(listed, last, legs)
        return (await self._session.ask("POST", "trigger", "/gtt/triggers", _Id, form=form)).trigger_id

    async def modify(self, trigger_id: int, listed: Listed, last: int, legs: Sequence[TriggerLeg]) -> None:
        """State one anew, whole. Raises Refusal(BAD_TRIGGER)."""
        await self._same(trigger_id, "PUT", trigger_form(listed, last, legs))

    async def delete(self, trigger_id: int) -> None:
        await self._same(trigger_id, "DELETE", None)

    async def listed(self) -> list[Trigger]:
        """The active ones and those of the last seven days."""
        rows = await self._session.read("triggers", "/gtt/triggers", list[_Row])
        return [
            Trigger(
                id=row.id,
                status=row.status,
                type=row.type,
                contract=row.condition.tradingsymbol,
                segment=row.condition.exchange,
                values=tuple(row.condition.trigger_values),
                created_at=row.created_at,
                expires_at=row.expires_at,
            )
            for row in rows
        ]

    async def _same(self, trigger_id: int, method: str, form: dict[str, str] | None) -> None:
        answer = await self._session.ask(method, "trigger", f"/gtt/triggers/{trigger_id}", _Id, form=form)
        if answer.trigger_id != trigger_id:
            raise BrokerUnreachable(f"Zerodha answered for trigger {answer.trigger_id} when {trigger_id} was meant.")


def trigger_form(listed: Listed, last: int, legs: Sequence[TriggerLeg]) -> dict[str, str]:
    """The form of one: JSON inside fields, legs from the lowest price up. Raises Refusal(BAD_TRIGGER)."""
    if not 1 <= len(legs) <= MOST_LEGS or len({leg.at for leg in legs}) != len(legs):
        raise Refusal("BAD_TRIGGER", "A trigger has one leg, or two at different prices; state those.")
    ordered = sorted(legs, key=lambda leg: leg.at)
    condition = {
        "exchange": listed.segment,
        "tradingsymbol": listed.symbol,
        "trigger_values": [_number(leg.at) for leg in ordered],
        "last_price": _number(last),
    }
    orders = [
        {
            "exchange": listed.segment,
            "tradingsymbol": listed.symbol,
            "transaction_type": leg.side.value,
            "quantity": leg.qty,
            "order_type": "LIMIT",
            "product": leg.product.value,
            "price": _number(leg.price),
        }
        for leg in ordered
    ]
    return {
        "type": "single" if len(legs) == 1 else "two-leg",
        "condition": msgspec.json.encode(condition).decode(),
        "orders": msgspec.json.encode(orders).decode(),
    }


def _number(paise: int) -> msgspec.Raw:
    """A price as a JSON number, written digit by digit."""
    return msgspec.Raw(rupees(paise).encode())
