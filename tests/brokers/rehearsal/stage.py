"""A still market of a few contracts in the middle of a trading day, and a dialect of nothing but echoes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from optconsole.brokers.rehearsal.dialect import Call, fewer
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.opening import still_market
from optconsole.brokers.rehearsal.peer import Peer
from optconsole.brokers.rehearsal.wire import Request, Response, as_json
from optconsole.engine.clock import MarketClock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.engine.model.quotes import Quote
from optconsole.engine.ports import PlaceRequest
from optconsole.runtime.rates import paper_rules
from tests.brokers.paper.stage import CALL, INDEX, LISTED, at


async def a_still_market(folder: Path) -> Market:
    """Ten o'clock; the index at 25,000, the call at 99.95 / 100.00 / 100.05 with 50 lots a side."""
    market = await still_market(
        folder, rules=paper_rules(Calendar.load()), clock=MarketClock(at("10:00")), instruments=LISTED
    )
    quoted(market, INDEX, 25_000_00, booked=False)
    quoted(market, CALL, 100_00)
    return market


def quoted(market: Market, instrument: Instrument, ltp: int, booked: bool = True, lots: int = 50) -> None:
    """Quote a contract one tick either side of ``ltp`` (paise)."""
    tick, size = instrument.tick, lots * instrument.lot
    market.show(
        Quote(
            name=instrument.name,
            ts=market.stamp(),
            bid=ltp - tick if booked else None,
            bid_qty=size if booked else 0,
            ask=ltp + tick if booked else None,
            ask_qty=size if booked else 0,
            ltp=ltp,
            prev_close=ltp - 5_00,
            booked=booked,
        )
    )


def an_order(
    market: Market,
    side: Side = Side.BUY,
    lots: int = 1,
    price: int = 101_00,
    trigger: int | None = None,
    tag: str = "",
) -> PlaceRequest:
    return PlaceRequest(
        tag=tag,
        account=market.account.id,
        instrument=CALL,
        side=side,
        qty=lots * CALL.lot,
        type=OrderType.LIMIT if trigger is None else OrderType.SL,
        price=price,
        trigger=trigger,
        product=Product.NRML,
        validity=Validity.DAY,
    )


async def until(true: Callable[[], bool]) -> None:
    """Let others run until it is so; fail when it never becomes so."""
    for _ in range(10_000):
        if true():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never became so")


class Echo:
    """Answers with how often it was asked; its stream says back what it hears. The token is the query's ``t``."""

    name = "echo"

    def __init__(self) -> None:
        self.asked = 0
        self.token = "one"

    def call(self, request: Request) -> Call:
        return Call(request.path.strip("/") or "root", request.form())

    async def handle(self, request: Request) -> Response:
        self.asked += 1
        return as_json({"asked": self.asked, "data": [1, 2, 3, 4], "method": request.method, "size": len(request.body)})

    def welcome(self, request: Request) -> Response | None:
        return None if request.asked("t") == self.token else self.refused_stream(request)

    def refused_stream(self, request: Request) -> Response:
        return as_json({"error": "dead"}, 403)

    async def socket(self, request: Request, peer: Peer) -> None:
        async for message in peer.frames():
            if isinstance(message, str):
                peer.send_text(message, "echo")
            else:
                peer.send_binary(message, "echo")

    def foreign(self, request: Request, ip: str) -> Response:
        return as_json({"error": f"not from {ip}"}, 403)

    def emptied(self, call: Call, response: Response) -> Response:
        return Response(response.status, fewer(response.body, "data", 0.0))

    def halved(self, call: Call, response: Response) -> Response:
        return Response(response.status, fewer(response.body, "data", 0.5))

    def revoke(self, rollover: bool) -> None:
        self.token = "none"

    def login(self) -> Mapping[str, str]:
        self.token = "one"
        return {"t": self.token}

    def ready(self) -> Mapping[str, object]:
        return {"who": "echo"}

    async def close(self) -> None:
        pass
