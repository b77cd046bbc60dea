"""The rehearsal's own endpoint, beside the broker's wire: faults in and out, the ground truth, counts, time."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from optconsole.brokers.rehearsal.dialect import Dialect, Habitual, set_habits
from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.brokers.rehearsal.faulty import FaultyWire
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.plan import FaultPlan
from optconsole.brokers.rehearsal.wire import Request, Response, as_json
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Depth, Level
from optconsole.engine.model.quotes import Quote as MarketQuote
from optconsole.engine.ports import BrokerUnreachable

PREFIX: Final = "/_control/"
TOKEN_HEADER: Final = "x-control-token"  # noqa: S105 - a header's name
Verb = Callable[[Request], Awaitable[object]]


class Shown(msgspec.Struct, forbid_unknown_fields=True):
    """One contract's quote as a person writes it: prices in paise, sizes in units."""

    name: str
    ltp: int
    bid: int | None = None
    bid_qty: int = 0
    ask: int | None = None
    ask_qty: int = 0
    volume: int = 0
    oi: int | None = None
    prev_close: int | None = None
    booked: bool = True
    bids: list[Level] = []
    asks: list[Level] = []


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """Seconds of market time."""

    seconds: float


class Control:
    """Answers ``/_control/…`` for whoever shows the token of the ready line."""

    def __init__(self, token: str, dialect: Dialect, market: Market, plan: FaultPlan, wire: FaultyWire) -> None:
        self._token, self._dialect, self._market = token, dialect, market
        self._plan, self._wire = plan, wire
        self._verbs: dict[tuple[str, str], Verb] = {
            ("POST", "faults"): self._add_faults,
            ("GET", "faults"): self._faults,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "ledger"): self._ledger,
            ("GET", "calls"): self._calls,
            ("POST", "advance"): self._advance,
            ("POST", "login"): self._login,
            ("POST", "revoke"): self._revoke,
            ("POST", "show"): self._show,
            ("GET", "habits"): self._habits,
            ("POST", "habits"): self._take_habits,
        }

    def calls(self) -> list[tuple[str, str]]:
        """(method, name) of each."""
        return list(self._verbs)

    async def handle(self, request: Request) -> Response:
        """JSON in, JSON out; 400 with a sentence for what cannot be done."""
        if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), self._token.encode()):
            return as_json({"error": f"show the control token of the ready line as {TOKEN_HEADER}"}, 403)
        verb = self._verbs.get((request.method, request.path.removeprefix(PREFIX)))
        if verb is None:
            known = ", ".join(sorted(f"{method} {PREFIX}{name}" for method, name in self.calls()))
            return as_json({"error": f"there is {known}"}, 404)
        try:
            return as_json(await verb(request))
        except (Refusal, BrokerUnreachable, msgspec.MsgspecError) as wrong:
            return as_json({"error": str(wrong)}, 400)

    async def _add_faults(self, request: Request) -> object:
        return {"faults": self._plan.add(decode_faults(request.body))}

    async def _faults(self, _request: Request) -> object:
        return {"acted": {str(number): count for number, count in self._plan.acted().items()}}

    async def _clear_faults(self, request: Request) -> object:
        number = request.asked("id")
        return {"cleared": self._plan.clear(int(number) if number.isdecimal() else None)}

    async def _ledger(self, _request: Request) -> object:
        broker = self._market.broker
        return {
            "market_time": self._market.now(),
            "orders": await broker.orders(),
            "trades": await broker.trades(),
            "positions": await broker.positions(),
            "funds": await broker.funds(),
        }

    async def _calls(self, _request: Request) -> object:
        return {"asked": dict(self._wire.calls), "executed": dict(self._wire.executed)}

    async def _advance(self, request: Request) -> object:
        await self._market.advance(msgspec.json.decode(request.body, type=Advance).seconds)
        return {"market_time": self._market.now()}

    async def _login(self, _request: Request) -> object:
        return {"credentials": dict(self._dialect.login())}

    async def _revoke(self, request: Request) -> object:
        self._dialect.revoke(request.asked("rollover") == "1")
        return {"revoked": True}

    async def _habits(self, _request: Request) -> object:
        return {"habits": dict(self._dialect.habits()) if isinstance(self._dialect, Habitual) else {}}

    async def _take_habits(self, request: Request) -> object:
        set_habits(self._dialect, msgspec.json.decode(request.body, type=dict[str, object]))
        return await self._habits(request)

    async def _show(self, request: Request) -> object:
        shown = msgspec.json.decode(request.body, type=Shown)
        stamp = self._market.stamp()
        quote = MarketQuote(
            name=shown.name,
            ts=stamp,
            bid=shown.bid,
            bid_qty=shown.bid_qty,
            ask=shown.ask,
            ask_qty=shown.ask_qty,
            ltp=shown.ltp,
            volume=shown.volume,
            oi=shown.oi,
            prev_close=shown.prev_close,
            booked=shown.booked,
        )
        deep = shown.bids or shown.asks
        self._market.show(quote, Depth(shown.name, stamp, tuple(shown.bids), tuple(shown.asks)) if deep else None)
        return {"market_time": self._market.now()}
