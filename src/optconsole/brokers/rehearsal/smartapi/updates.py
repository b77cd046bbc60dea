"""The stream of order updates: a greeting, then a frame for each change of an order."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from optconsole.brokers.rehearsal.peer import Peer
from optconsole.brokers.rehearsal.smartapi import words
from optconsole.brokers.rehearsal.smartapi.habits import Mixed
from optconsole.brokers.rehearsal.smartapi.orders import WireOrder, order_row
from optconsole.brokers.rehearsal.smartapi.stream import MOST_SOCKETS, PING, PONG

_BINARY_EVERY: Final = 7
"""Frames are JSON in text, and now and then JSON in a binary frame."""
_FIGURES: Final = frozenset(
    {"price", "triggerprice", "squareoff", "stoploss", "trailingstoploss", "strikeprice", "averageprice"}
)
_COUNTS: Final = frozenset({"quantity", "disclosedquantity", "lotsize", "cancelsize", "filledshares", "unfilledshares"})
_TEXTS: Final = (
    *("variety", "ordertype", "ordertag", "producttype", "duration", "tradingsymbol", "transactiontype", "exchange"),
    *("symboltoken", "instrumenttype", "optiontype", "expirydate", "orderid", "text", "status", "orderstatus"),
    *("updatetime", "exchtime", "exchorderupdatetime", "fillid", "filltime", "parentorderid", "exchangeorderid"),
)


class UpdateStream:
    """Every open connection of order updates."""

    def __init__(self, user: str, mixed: Mixed) -> None:
        self._user, self._mixed = user, mixed
        self._clients: set[Peer] = set()
        self._told = 0

    @property
    def full(self) -> bool:
        """Whether one more connection would be one too many."""
        return len(self._clients) >= MOST_SOCKETS

    def cut(self) -> None:
        """End every connection."""
        for peer in list(self._clients):
            peer.abort()

    async def serve(self, peer: Peer) -> None:
        """Greet a client and answer its pings until it leaves; nothing needs to be subscribed."""
        self._clients.add(peer)
        try:
            peer.send_text(_frame(self._user, words.HELLO, _nothing()), "hello")
            async for message in peer.frames():
                if message in (PING, PING.encode()):
                    peer.send_text(PONG, "pong")
        finally:
            self._clients.discard(peer)

    def tell(self, order: WireOrder) -> None:
        """Say how an order stands. The row is the order book's, without the unique id."""
        self._told += 1
        row = order_row(order, self._mixed)
        del row["uniqueorderid"]
        frame = _frame(self._user, words.stream_code(order.status), row)
        for peer in list(self._clients):
            if self._told % _BINARY_EVERY:
                peer.send_text(frame, "orders")
            else:
                peer.send_binary(frame.encode(), "orders")


def _frame(user: str, code: str, row: dict[str, Any]) -> str:
    said = {"user-id": user, "status-code": "200", "order-status": code, "error-message": "", "orderData": row}
    return msgspec.json.encode(said).decode()


def _nothing() -> dict[str, Any]:
    """The greeting's order: every field there, none of them filled."""
    return dict.fromkeys(_TEXTS, "") | dict.fromkeys(_FIGURES, 0) | dict.fromkeys(_COUNTS, "0")
