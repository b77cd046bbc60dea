"""Orders and alerts that Shoonya keeps until a price is reached (GTT). They are the broker's, not the exchange's:
the engine's own stops never lean on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from optconsole.brokers.shoonya import bodies, refusals
from optconsole.brokers.shoonya.replies import Row, Said, rows
from optconsole.brokers.shoonya.wire import Wire
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.ports import PlaceOutcome, PlaceRequest

ABOVE: Final = "LTP_A"
BELOW: Final = "LTP_B"


class Triggers:
    """Places, changes and cancels orders and alerts that wait at the broker for a last price."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def place(self, request: PlaceRequest, listed: Listed, level: int, *, above: bool) -> PlaceOutcome:
        """Keep an order until the last price is above or below ``level`` paise; the outcome carries the GTT's id."""
        return await self._wire.order("PlaceGTTOrder", self._order(request, listed, level, above), _judge("created"))

    async def modify(
        self, gtt_id: str, request: PlaceRequest, listed: Listed, level: int, *, above: bool
    ) -> PlaceOutcome:
        """New terms for a waiting order."""
        fields = {**self._order(request, listed, level, above), "al_id": gtt_id}
        return await self._wire.order("ModifyGTTOrder", fields, _judge("replaced"))

    async def cancel(self, gtt_id: str) -> PlaceOutcome:
        return await self._wire.order("CancelGTTOrder", {"uid": self._wire.user, "al_id": gtt_id}, _judge("delete"))

    async def pending(self) -> list[Row]:
        """What waits, as Shoonya says it. Raises LoginLost, BrokerUnreachable."""
        return await self._wire.rows("GetPendingGTTOrder", {}, "waiting orders")

    async def alert(self, listed: Listed, level: int, *, above: bool, remark: str = "") -> PlaceOutcome:
        """Be told when the last price is above or below ``level`` paise."""
        fields = {**self._level(listed, level, above), "remarks": remark}
        return await self._wire.order("SetAlert", fields, _judge("created"))

    async def cancel_alert(self, alert_id: str) -> PlaceOutcome:
        return await self._wire.order("CancelAlert", {"uid": self._wire.user, "al_id": alert_id}, _judge("delete"))

    async def alerts(self) -> list[Row]:
        """Alerts that wait. Raises LoginLost, BrokerUnreachable."""
        said: Said = await self._wire.said("GetPendingAlert", {}, "alerts")
        return rows(said, "alerts")

    def _order(self, request: PlaceRequest, listed: Listed, level: int, above: bool) -> Mapping[str, str]:
        order = bodies.place(self._wire.user, self._wire.account, listed.segment, listed.symbol, request)
        order.pop("ordersource")
        return {**order, **self._level(listed, level, above)}

    def _level(self, listed: Listed, level: int, above: bool) -> dict[str, str]:
        return {
            "uid": self._wire.user,
            "actid": self._wire.account,
            "exch": listed.segment,
            "tsym": bodies.order_symbol(listed.symbol),
            "ai_t": ABOVE if above else BELOW,
            "validity": "GTT",
            "d": bodies.price(level),
        }


def _judge(word: str) -> refusals.Judge:
    return lambda said: refusals.kept(said, word)
