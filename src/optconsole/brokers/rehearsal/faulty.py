"""A dialect with faults on its wire: what happens to a call before, instead of and after its true answer."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from optconsole.brokers.rehearsal.dialect import ORDER_CALLS, Call, Dialect
from optconsole.brokers.rehearsal.faults import (
    AuthFault,
    AuthRollover,
    ExBrokerCloses,
    NetEgress,
    RestAcceptDrop,
    RestDrop,
    RestEmpty,
    RestFault,
    RestLate,
    RestPartial,
    RestReply,
    RestSlow,
    RestStale,
    RestTrickle,
    WsDrop,
    WsDup,
    WsFreeze,
    WsGarbage,
    WsHalfOpen,
    WsLose,
    WsRefuseAuth,
    WsReorder,
)
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.peer import Gate, Message, Peer
from optconsole.brokers.rehearsal.plan import FaultPlan
from optconsole.brokers.rehearsal.server import SocketHandler
from optconsole.brokers.rehearsal.wire import JSON, Manner, Request, Response

KEPT_ANSWERS: Final = 64
"""Answers of each read that are remembered, for a replica that lags."""


_Sent = WsDrop | WsFreeze | WsHalfOpen | WsDup | WsReorder | WsLose | WsGarbage
_SENT: Final[tuple[type[_Sent], ...]] = (WsDrop, WsFreeze, WsHalfOpen, WsDup, WsReorder, WsLose, WsGarbage)


class FaultyWire:
    """Handles requests and streams of one dialect under a plan of faults; ``calls`` counts requests by operation."""

    def __init__(self, dialect: Dialect, market: Market, plan: FaultPlan) -> None:
        self._dialect, self._market, self._plan = dialect, market, plan
        self._answers: dict[tuple[str, bytes], deque[tuple[datetime, Response]]] = {}
        self._late: set[asyncio.Task[Response]] = set()
        self.calls: Counter[str] = Counter()
        self.executed: Counter[str] = Counter()
        """Requests that reached the broker: not those a fault kept from it."""

    async def close(self) -> None:
        for task in list(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until every late call has been executed."""
        await asyncio.gather(*self._late)

    # ------------------------------------------------------------ requests

    async def handle(self, request: Request) -> Response:
        """Answer one request as the faults in force will have it."""
        call = self._dialect.call(request)
        self.calls[call.op] += 1
        if self._plan.struck(ExBrokerCloses, call.op, call.fields):
            await self._market.close_out()
        foreign = self._upset_login(call)
        if foreign is not None and call.op in ORDER_CALLS:
            return self._dialect.foreign(request, foreign.ip)
        faults = self._plan.struck(RestFault.__args__, call.op, call.fields)
        instead = await self._instead(request, call, faults)
        response = instead or await self._execute(request, call)
        for fault in faults:
            response = self._altered(call, request, response, fault)
        return response

    def _upset_login(self, call: Call) -> NetEgress | None:
        """Kill what the plan kills; the address the call seems to come from, if another than registered."""
        foreign = None
        for fault in self._plan.struck(AuthFault.__args__, call.op, call.fields):
            if isinstance(fault, NetEgress):
                foreign = fault
            else:
                self._dialect.revoke(isinstance(fault, AuthRollover))
        return foreign

    async def _instead(self, request: Request, call: Call, faults: Sequence[RestFault]) -> Response | None:
        """The answer of the first fault that takes the broker's place."""
        for fault in faults:
            match fault:
                case RestDrop(seconds=seconds, hang=hang):
                    return Response(manner=Manner(wait=seconds, drop=True, hang=hang))
                case RestAcceptDrop(seconds=seconds, hang=hang):
                    await self._execute(request, call)
                    return Response(manner=Manner(wait=seconds, drop=True, hang=hang))
                case RestLate():
                    return self._later(request, call, fault)
                case RestReply():
                    if fault.exec:
                        await self._execute(request, call)
                    return Response(fault.status, fault.body.encode(), tuple(fault.headers.items()) or JSON)
                case _:
                    continue
        return None

    def _later(self, request: Request, call: Call, fault: RestLate) -> Response:
        async def execute() -> Response:
            await self._market.clock.sleep(fault.seconds)
            return await self._execute(request, call)

        task = asyncio.create_task(execute(), name="late order")
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        if fault.status:
            return Response(fault.status, fault.body.encode())
        return Response(manner=Manner(drop=True))

    def _altered(self, call: Call, request: Request, response: Response, fault: RestFault) -> Response:
        """What a fault does to an answer on its way."""
        match fault:
            case RestSlow(seconds=seconds):
                return response.so(Manner(wait=seconds))
            case RestTrickle(gap=gap):
                return response.so(Manner(gap=gap))
            case RestStale(seconds=seconds):
                return self._stale(request, response, seconds)
            case RestEmpty():
                return self._dialect.emptied(call, response)
            case RestPartial(cut=None):
                return self._dialect.halved(call, response)
            case RestPartial(cut=cut):
                return response.so(Manner(cut=cut))
            case _:
                return response

    async def _execute(self, request: Request, call: Call) -> Response:
        self.executed[call.op] += 1
        response = await self._dialect.handle(request)
        # one broker's reads are all POSTs that say in their body what is read
        if call.op not in ORDER_CALLS and response.status == 200:
            answers = self._answers.setdefault((request.target, request.body), deque(maxlen=KEPT_ANSWERS))
            answers.append((self._market.now(), response))
        return response

    def _stale(self, request: Request, response: Response, seconds: float) -> Response:
        """The newest remembered answer that is old enough, else the oldest."""
        answers = self._answers.get((request.target, request.body))
        if not answers:
            return response
        then = self._market.now() - timedelta(seconds=seconds)
        old = [answer for moment, answer in answers if moment <= then]
        return old[-1] if old else answers[0][1]

    # ------------------------------------------------------------ streams

    async def welcome(self, request: Request) -> Response | SocketHandler:
        """Let a stream begin, unless the login or a fault forbids it."""
        self.calls["connect"] += 1
        self._upset_login(Call("connect"))
        if self._plan.struck(WsRefuseAuth, "connect"):
            return self._dialect.refused_stream(request)
        refusal = self._dialect.welcome(request)
        return refusal if refusal is not None else self._stream

    async def _stream(self, request: Request, peer: Peer) -> None:
        peer.gate = self._gate(peer)
        await self._dialect.socket(request, peer)

    def _gate(self, peer: Peer) -> Gate:
        held: list[Message] = []

        def gate(kind: str, message: Message) -> Sequence[Message]:
            faults = self._plan.struck(_SENT, kind)
            if not faults:
                out, held[:] = [message, *held], []
                return out
            return _mangled(peer, message, faults, held)

        return gate


def _mangled(peer: Peer, message: Message, faults: Sequence[_Sent], held: list[Message]) -> Sequence[Message]:
    """What leaves in a message's place; ``held`` is what waits for the next one."""
    out: list[Message] = [message]
    for fault in faults:
        match fault:
            case WsDrop():
                peer.abort()
            case WsFreeze():
                peer.silent = True
            case WsHalfOpen():
                peer.deaf = True
            case WsLose():
                out = []
            case WsDup():
                out = out * 2
            case WsReorder() if not held:
                held.extend(out)
                return []
            case WsGarbage(hex=junk, text=text):
                out = [bytes.fromhex(junk) if junk else text, *out]
            case _:
                continue
    released, held[:] = [*out, *held], []
    return released
