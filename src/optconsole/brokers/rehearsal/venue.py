"""The paper exchange on an exchange's or a risk desk's bad day: orders half filled, refused late, or ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.rehearsal.faults import ExNeverFill, ExPartial, ExRejectAfterAck, ExRejectAtTrigger
from optconsole.brokers.rehearsal.plan import FaultPlan
from optconsole.engine.model.accounts import Account, Funds
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus, OrderType, Side, Validity
from optconsole.engine.model.quotes import Quote
from optconsole.engine.ports import (
    Accepted,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    BrokerUpdate,
    ModifyRequest,
    PlaceOutcome,
    PlaceRequest,
    Rejected,
    Settlement,
    UpdateSink,
)

_Kind = ExPartial | ExRejectAfterAck | ExRejectAtTrigger | ExNeverFill
_KINDS: Final[tuple[type[_Kind], ...]] = (ExPartial, ExRejectAfterAck, ExRejectAtTrigger, ExNeverFill)


class _Rest(msgspec.Struct):
    """Units of an order that the exchange never sees, beside those it has."""

    units: int
    cancelled: bool = False


class Venue:
    """The order calls and reads of the broker port. Without a plan they are the paper broker's own.

    Orders that a fault keeps from the exchange live here as rows; what did trade is the paper broker's truth.
    """

    def __init__(self, broker: PaperBroker, now: Callable[[], datetime], publish: UpdateSink) -> None:
        self._broker, self._now, self._publish = broker, now, publish
        self.plan: FaultPlan | None = None
        self._rests: dict[str, _Rest] = {}
        self._ghosts: dict[str, BrokerOrder] = {}
        self._doomed: dict[str, str] = {}
        self._numbered = 0

    # ------------------------------------------------------------ what a dialect asks, as of the broker port

    @property
    def account(self) -> Account:
        return self._broker.account

    async def place(self, request: PlaceRequest) -> PlaceOutcome:
        fault = self._struck(request)
        if fault is None:
            return await self._broker.place(request)
        if isinstance(fault, ExPartial):
            return await self._place_part(request, fault.units // request.instrument.lot * request.instrument.lot)
        ghost = self._ghost(request)
        self._publish(ghost)
        if isinstance(fault, ExRejectAfterAck):
            self._end(ghost.broker_id, OrderStatus.REJECTED, fault.reason)
        elif isinstance(fault, ExRejectAtTrigger) and request.trigger is not None:
            self._doomed[ghost.broker_id] = fault.reason
        return Accepted(ghost.broker_id)

    async def modify(self, request: ModifyRequest) -> PlaceOutcome:
        ghost = self._ghosts.get(request.broker_id)
        if ghost is not None:
            return self._modify_ghost(ghost, request)
        rest = self._rests.get(request.broker_id)
        if rest is None or rest.cancelled:
            return await self._broker.modify(request)
        row = await self._row(request.broker_id)
        if row is None or request.qty <= row.filled:
            return Rejected("BELOW_FILLED", f"{request.broker_id} is filled for as much already.")
        rest.units = request.qty - (row.qty - rest.units)
        return Accepted(request.broker_id)

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        ghost = self._ghosts.get(broker_id)
        if ghost is not None:
            if ghost.status.final:
                return Rejected("ORDER_FINAL", f"{broker_id} is {ghost.status.value.lower()}.")
            self._end(broker_id, OrderStatus.CANCELLED, "")
            return Accepted(broker_id)
        rest = self._rests.get(broker_id)
        if rest is None or rest.cancelled:
            return await self._broker.cancel(broker_id)
        rest.cancelled = True
        outcome = await self._broker.cancel(broker_id)
        if not isinstance(outcome, Accepted):  # the exchange's part was filled: only the rest is withdrawn
            row = await self._row(broker_id)
            if row is not None:
                self._publish(row)
        return Accepted(broker_id)

    async def orders(self) -> list[BrokerOrder]:
        return [*map(self._shown, await self._broker.orders()), *self._ghosts.values()]

    async def trades(self) -> list[BrokerTrade]:
        return await self._broker.trades()

    async def positions(self) -> list[BrokerPosition]:
        return await self._broker.positions()

    async def settlements(self) -> list[Settlement]:
        return await self._broker.settlements()

    async def funds(self) -> Funds:
        return await self._broker.funds()

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        return await self._broker.margin(requests)

    # ------------------------------------------------------------ what drives it

    def hear(self, update: BrokerUpdate) -> None:
        """An update of the paper broker, shown as this venue has it."""
        self._publish(self._shown(update) if isinstance(update, BrokerOrder) else update)

    def see(self, quotes: Sequence[Quote]) -> None:
        """Refuse the stops that were to be refused at their trigger."""
        if not self._doomed:
            return
        last = {quote.name: quote.ltp for quote in quotes if quote.ltp is not None}
        for broker_id, reason in list(self._doomed.items()):
            ghost = self._ghosts[broker_id]
            price = last.get(ghost.contract)
            if price is not None and ghost.trigger is not None and (price - ghost.trigger) * ghost.side.sign >= 0:
                self._end(broker_id, OrderStatus.REJECTED, reason)

    async def close_out(self, quote_of: Callable[[str], Quote | None], listed: Mapping[str, Instrument]) -> None:
        """Close every position at the market, as a broker's risk desk does. ``listed`` are the day's contracts."""
        for held in await self._broker.positions():
            quote, instrument = quote_of(held.contract), listed.get(held.contract)
            side = Side.SELL if held.qty > 0 else Side.BUY
            price = None if quote is None else (quote.bid if side is Side.SELL else quote.ask) or quote.mark
            if price is None or instrument is None:
                continue
            await self._broker.place(
                PlaceRequest(
                    tag="",
                    account=self.account.id,
                    instrument=instrument,
                    side=side,
                    qty=abs(held.qty),
                    type=OrderType.LIMIT,
                    price=price,
                    trigger=None,
                    product=held.product,
                    validity=Validity.DAY,
                )
            )

    # ------------------------------------------------------------ inside

    def _struck(self, request: PlaceRequest) -> _Kind | None:
        if self.plan is None:
            return None
        fields = {
            "contract": request.instrument.name,
            "side": request.side.value,
            "type": request.type.value,
            "product": request.product.value,
            "tag": request.tag,
        }
        return next(iter(self.plan.struck(_KINDS, "place", fields)), None)

    async def _place_part(self, request: PlaceRequest, units: int) -> PlaceOutcome:
        if not 0 < units < request.qty:
            return await self._broker.place(request)
        outcome = await self._broker.place(msgspec.structs.replace(request, qty=units))
        if isinstance(outcome, Accepted):  # its reports are still on their way: the paper broker delays them
            self._rests[outcome.broker_id] = _Rest(request.qty - units)
        return outcome

    def _shown(self, row: BrokerOrder) -> BrokerOrder:
        rest = self._rests.get(row.broker_id)
        if rest is None:
            return row
        status = row.status
        if status is OrderStatus.FILLED:
            status = OrderStatus.CANCELLED if rest.cancelled else OrderStatus.PARTIAL
        return msgspec.structs.replace(row, qty=row.qty + rest.units, status=status)

    async def _row(self, broker_id: str) -> BrokerOrder | None:
        return next((row for row in await self.orders() if row.broker_id == broker_id), None)

    def _ghost(self, request: PlaceRequest) -> BrokerOrder:
        self._numbered += 1
        waits = request.trigger is not None
        ghost = BrokerOrder(
            broker_id=f"G{self._now():%y%m%d}{self._numbered:08d}",
            tag=request.tag,
            account=request.account,
            contract=request.instrument.name,
            side=request.side,
            qty=request.qty,
            filled=0,
            type=request.type,
            price=request.price,
            trigger=request.trigger,
            product=request.product,
            validity=request.validity,
            status=OrderStatus.TRIGGER_PENDING if waits else OrderStatus.OPEN,
            triggered=False,
            code="",
            reason="",
            updated_at=self._now(),
        )
        self._ghosts[ghost.broker_id] = ghost
        return ghost

    def _modify_ghost(self, ghost: BrokerOrder, request: ModifyRequest) -> PlaceOutcome:
        if ghost.status.final:
            return Rejected("ORDER_FINAL", f"{ghost.broker_id} is {ghost.status.value.lower()}.")
        self._put(
            msgspec.structs.replace(
                ghost,
                qty=request.qty,
                price=request.price,
                trigger=request.trigger,
                type=OrderType.LIMIT if request.trigger is None else OrderType.SL,
                status=OrderStatus.OPEN if request.trigger is None else OrderStatus.TRIGGER_PENDING,
                updated_at=self._now(),
            )
        )
        return Accepted(ghost.broker_id)

    def _end(self, broker_id: str, status: OrderStatus, reason: str) -> None:
        self._doomed.pop(broker_id, None)
        ghost = self._ghosts[broker_id]
        self._put(msgspec.structs.replace(ghost, status=status, reason=reason, updated_at=self._now()))

    def _put(self, ghost: BrokerOrder) -> None:
        self._ghosts[ghost.broker_id] = ghost
        self._publish(ghost)
