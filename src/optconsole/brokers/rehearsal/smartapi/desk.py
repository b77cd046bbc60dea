"""Order calls: what a client asks becomes an order of the market, or Angel One's reason why not."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.smartapi import words
from optconsole.brokers.rehearsal.smartapi.asked import modified, placed, text
from optconsole.brokers.rehearsal.smartapi.book import WireBook
from optconsole.brokers.rehearsal.smartapi.catalogue import Catalogue
from optconsole.brokers.rehearsal.smartapi.envelopes import SOMETHING_WRONG
from optconsole.brokers.rehearsal.smartapi.orders import Terms, WireOrder
from optconsole.brokers.rehearsal.smartapi.sessions import Denied
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderType, Side
from optconsole.engine.ports import Accepted, ModifyRequest, PlaceOutcome, PlaceRequest, Rejected
from optconsole.engine.rules.bands import protected_limit

_VARIETIES: Final = frozenset({"NORMAL", "STOPLOSS", "AMO", "ROBO"})
_TAG_TAKEN: Final = "DUPLICATE_TAG"
_ENDED: Final = frozenset({"UNKNOWN_ORDER", "ORDER_FILLED", "ORDER_FINAL", "BROKER_ORDER"})
"""Why the market leaves an order as it is, known at once; any other reason comes later, as ``not modified``."""


class OrderDesk:
    """Takes, changes and withdraws orders. What comes outside trading hours waits for the next session."""

    def __init__(self, market: Market, catalogue: Catalogue, book: WireBook) -> None:
        self._market, self._catalogue, self._book = market, catalogue, book
        self._waiting: deque[str] = deque()
        self._sending: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Let nothing go out any more."""
        for task in list(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def place(self, body: Mapping[str, Any]) -> dict[str, str]:
        """The data of a successful answer. Raises Denied.

        What the risk desk or the exchange refuses is an order all the same: it has a number, and is rejected.
        """
        terms = placed(body, self._catalogue.at)
        if not self._trades_now(terms.scrip.instrument):
            order = self._book.enter(terms, words.AMO)
            self._book.change(order.orderid)
            self._waiting.append(order.orderid)
        else:
            order = self._book.enter(terms, words.PENDING)
            await self._send(order)
        return {"script": terms.scrip.symbol, **_ids(order)}

    async def modify(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Raises Denied. Terms that the exchange does not take leave the order ``not modified``."""
        order = self._live(body, "modified")
        terms = modified(body, order.terms, self._catalogue.at)
        if order.orderid in self._waiting:
            self._book.change(order.orderid, terms=terms, status=words.AMO_MODIFIED)
            return _ids(order)
        limit = self._limit(terms)
        number = self._book.number_of(order.orderid)
        if number is None or limit is None:
            raise Denied(*SOMETHING_WRONG)
        stop = terms.trigger if terms.ordertype in words.STOPS else None
        request = ModifyRequest(broker_id=number, qty=terms.qty, price=limit or terms.price, trigger=stop)
        outcome = await self._market.desk.modify(request)
        self._answered(order, outcome, "modified")
        if isinstance(outcome, Accepted):
            changed = self._book.change(order.orderid, tell=False, terms=terms, limit=limit, text="")
            if not words.ended(changed.status):
                self._book.tell(msgspec.structs.replace(changed, status="modified"))
        return _ids(order)

    async def cancel(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Raises Denied."""
        order = self._live(body, "cancelled")
        if order.orderid in self._waiting:
            self._waiting.remove(order.orderid)
            self._book.change(order.orderid, status=words.AMO_CANCELLED)
            return _ids(order)
        number = self._book.number_of(order.orderid)
        if number is None:
            raise Denied(*SOMETHING_WRONG)
        self._answered(order, await self._market.desk.cancel(number), "cancelled")
        return _ids(order)

    def wake(self) -> None:
        """Send what waited for the session, once it is there."""
        for orderid in list(self._waiting):
            order = self._book.known(orderid)
            if order is not None and self._trades_now(order.terms.scrip.instrument):
                self._waiting.remove(orderid)
                self._begin(self._send(order))

    def send_later(self, body: Mapping[str, Any]) -> None:
        """Place the order of a rule whose price has come; nobody waits for its answer."""
        self._begin(self._place_quietly(body))

    # ------------------------------------------------------------ inside

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name="order without a caller")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _place_quietly(self, body: Mapping[str, Any]) -> None:
        with suppress(Denied):  # a rule of yesterday's contract: it counts as sent, and nothing comes of it
            await self.place(body)

    async def _send(self, order: WireOrder) -> None:
        limit = self._limit(order.terms)
        if limit is None:
            self._reject(order, "No price to protect a market order by")
            return
        if limit:
            self._book.change(order.orderid, tell=False, limit=limit)
        outcome = await self._market.desk.place(self._request(order, limit, order.terms.tag))
        if isinstance(outcome, Rejected) and outcome.code == _TAG_TAKEN:
            outcome = await self._market.desk.place(self._request(order, limit, ""))
        if isinstance(outcome, Accepted):
            self._book.joined(order.orderid, outcome.broker_id)
        else:
            self._reject(order, outcome.reason if isinstance(outcome, Rejected) else outcome.cause)

    def _request(self, order: WireOrder, limit: int, tag: str) -> PlaceRequest:
        terms = order.terms
        stop = terms.ordertype in words.STOPS
        return PlaceRequest(
            tag=self._book.tag_for(order.orderid, tag),
            account=self._market.account.id,
            instrument=terms.scrip.instrument,
            side=terms.side,
            qty=terms.qty,
            type=OrderType.SL if stop else OrderType.LIMIT,
            price=limit or terms.price,
            trigger=terms.trigger if stop else None,
            product=words.PRODUCTS[terms.producttype],
            validity=words.VALIDITIES[terms.duration],
        )

    def _reject(self, order: WireOrder, reason: str) -> None:
        self._book.change(order.orderid, status="rejected", text=reason)

    def _limit(self, terms: Terms) -> int | None:
        """The price under which an order without one travels, 0 for one that has its own; None without a price."""
        if terms.ordertype in words.PRICED:
            return 0
        item = terms.scrip.instrument
        if terms.ordertype in words.STOPS:
            return protected_limit(terms.side, terms.trigger, item.tick)
        quote = self._market.quote(item.name)
        if quote is None:
            return None
        reference = (quote.ask if terms.side is Side.BUY else quote.bid) or quote.mark
        return None if reference is None else protected_limit(terms.side, reference, item.tick)

    def _live(self, body: Mapping[str, Any], verb: str) -> WireOrder:
        if text(body, "variety").upper() not in _VARIETIES:
            raise Denied("AB1008", "Invalid Order Variety")
        order = self._book.known(text(body, "orderid"))
        if order is None:
            raise Denied("AB1013", "Order not found")
        if words.ended(order.status):
            raise Denied("AB1007", f"AMX Error: order is {order.status} and cannot be {verb}")
        return order

    def _answered(self, order: WireOrder, outcome: PlaceOutcome, verb: str) -> None:
        """Raises Denied for what is not as asked, or lets the order say so itself."""
        if isinstance(outcome, Accepted):
            return
        if not isinstance(outcome, Rejected):
            raise Denied(*SOMETHING_WRONG)
        if outcome.code in _ENDED:
            raise Denied("AB1007", f"AMX Error: {outcome.reason}")
        self._book.change(order.orderid, status=f"not {verb}", text=outcome.reason)

    def _trades_now(self, instrument: Instrument) -> bool:
        now = self._market.now()
        hours = self._market.rules.trading(instrument, now.date())
        return hours is not None and hours[0] <= now < hours[1]


def _ids(order: WireOrder) -> dict[str, str]:
    return {"orderid": order.orderid, "uniqueorderid": order.uniqueorderid}
