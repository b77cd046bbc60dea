"""Kite Connect as a dialect: which path is which call, and who answers it."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import msgspec

from optconsole.brokers.rehearsal.dialect import PLACE, Call, fewer
from optconsole.brokers.rehearsal.kite.answers import KiteAnswers
from optconsole.brokers.rehearsal.kite.book import KiteOrder
from optconsole.brokers.rehearsal.kite.contracts import HEADER, KiteContracts
from optconsole.brokers.rehearsal.kite.gtt import KiteTriggers
from optconsole.brokers.rehearsal.kite.habits import KiteHabits, changed
from optconsole.brokers.rehearsal.kite.limits import Limits, Meter
from optconsole.brokers.rehearsal.kite.orders import KiteOrders
from optconsole.brokers.rehearsal.kite.postback import Postbacks
from optconsole.brokers.rehearsal.kite.replies import (
    DEAD_LOGIN,
    INPUT,
    NETWORK,
    PERMISSION,
    TOKEN,
    TOO_MANY,
    KiteError,
    data,
)
from optconsole.brokers.rehearsal.kite.routes import found, unknown
from optconsole.brokers.rehearsal.kite.sessions import App, Sessions, checksum
from optconsole.brokers.rehearsal.kite.stream import KiteStream
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.peer import Peer
from optconsole.brokers.rehearsal.wire import Request, Response

APP_NUMBER: Final = 4242
REDIRECT: Final = "http://127.0.0.1/"


@dataclass(frozen=True, slots=True)
class KiteSettings:
    """``pause`` seconds between the states of a new order, ``heartbeat`` seconds of silence on a stream."""

    limits: Limits = field(default_factory=Limits)
    pause: float = 0.003
    heartbeat: float = 1.0
    postback_url: str = ""
    redirect_url: str = REDIRECT
    habits: KiteHabits = field(default_factory=KiteHabits)


async def open_kite(market: Market, settings: KiteSettings | None = None) -> Kite:
    """Kite over a market, with the orders it has already."""
    kite = Kite(market, settings or KiteSettings())
    await kite.orders.start()
    return kite


class Kite:
    name = "zerodha"

    def __init__(self, market: Market, settings: KiteSettings) -> None:
        self._market, self._habits = market, settings.habits
        app = App.made_up(market.account.id, settings.redirect_url)
        self.sessions = Sessions(app, market.now)
        self._contracts = KiteContracts(market.instruments())
        self._meter = Meter(settings.limits, market.clock.monotonic)
        self.orders = KiteOrders(market, self.contracts, app.user_id, settings.pause, self._changed, self._present)
        self.stream = KiteStream(market, self.contracts, settings.heartbeat)
        self.triggers = KiteTriggers(market, self.contracts, self.orders, app.user_id)
        self._answers = KiteAnswers(market, self.contracts, self.sessions, self.orders, self.triggers, self._present)
        self.postbacks = Postbacks(settings.postback_url)
        self._leave = market.on_day(self._new_day)
        self._routes = self._answers.routes()

    def contracts(self) -> KiteContracts:
        """The day's."""
        return self._contracts

    # ------------------------------------------------------------ the dialect

    def call(self, request: Request) -> Call:
        route, _ = found(self._routes, request)
        op = "unknown" if route is None else route.op
        return Call(op, {**dict(request.query), **request.form()})

    async def handle(self, request: Request) -> Response:
        route, parts = found(self._routes, request)
        try:
            if route is None:
                raise unknown(self._routes, request)
            if not route.open:
                self.sessions.check(request)
            if self._habits.paced:
                self._meter.count(route.bucket, places=route.op == PLACE)
            answered = await route.answer(request, parts)
        except KiteError as refused:
            return refused.response()
        return answered if isinstance(answered, Response) else data(answered)

    def welcome(self, request: Request) -> Response | None:
        if not self.sessions.knows(request.asked("api_key"), request.asked("access_token")):
            return self.refused_stream(request)
        return KiteError(NETWORK, TOO_MANY, 429).response() if self.stream.full else None

    def refused_stream(self, request: Request) -> Response:
        return KiteError(TOKEN, DEAD_LOGIN, 403).response()

    async def socket(self, request: Request, peer: Peer) -> None:
        await self.stream.serve(peer)

    def foreign(self, request: Request, ip: str) -> Response:
        message = (
            f"IP ({ip}) is not allowed to place orders for this app. Update allowed IPs on the Kite developer console."
        )
        kind = INPUT if self._habits.ip_as_input else PERMISSION
        return KiteError(kind, message, 403).response()

    def emptied(self, call: Call, response: Response) -> Response:
        if call.op == "instruments":
            return Response(response.status, gzip.compress(f"{HEADER}\n".encode()), response.headers)
        return Response(response.status, fewer(response.body, "data", 0.0))

    def halved(self, call: Call, response: Response) -> Response:
        if call.op == "instruments":
            text = gzip.decompress(response.body)
            return Response(response.status, gzip.compress(text[: len(text) // 2]), response.headers)
        return Response(response.status, fewer(response.body, "data", 0.5))

    def habits(self) -> Mapping[str, object]:
        return msgspec.structs.asdict(self._habits)

    def take_habits(self, changes: Mapping[str, object]) -> None:
        """Raises Refusal(BAD_HABITS)."""
        self._habits = changed(self._habits, changes)

    def _present(self) -> KiteHabits:
        return self._habits

    def revoke(self, rollover: bool) -> None:
        self.sessions.revoke()
        if rollover:
            self.stream.cut()

    def login(self) -> Mapping[str, str]:
        app = self.sessions.app
        return {
            "api_key": app.api_key,
            "api_secret": app.api_secret,
            "user_id": app.user_id,
            "access_token": self.sessions.granted(self._habits.one_login),
        }

    def ready(self) -> Mapping[str, object]:
        return {"login_path": f"/connect/login?v=3&api_key={self.sessions.app.api_key}"}

    async def close(self) -> None:
        self._leave()
        self.stream.close()
        await self.triggers.close()
        await self.postbacks.close()
        await self.orders.close()

    # ------------------------------------------------------------ what happens

    def _changed(self, order: KiteOrder, status: str) -> None:
        """Every change goes to the streams and, signed, to the app's own address."""
        stamped = str(order.row()["order_timestamp"])
        signed = checksum(order.order_id, stamped, self.sessions.app.api_secret)
        self.stream.tell("order", order.message_row(status, APP_NUMBER, ""))
        self.postbacks.post(order.message_row(status, APP_NUMBER, signed))

    def _new_day(self, _day: date) -> None:
        self._contracts = KiteContracts(self._market.instruments())
        self._meter.new_day()
        self._answers.new_day()
        self.orders.new_day()
