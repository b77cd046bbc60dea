"""Kite's stream: subscriptions of each client, ticks as they come, heartbeats between, order messages as text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from optconsole.brokers.rehearsal.kite.contracts import KiteContracts
from optconsole.brokers.rehearsal.kite.packets import HEARTBEAT, MODES, QUOTE, frame, packet
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.peer import Peer
from optconsole.engine.model.quotes import Quote

MOST_INSTRUMENTS: Final = 3000
MOST_STREAMS: Final = 3


class _Client:
    """One stream and what it asked for: modes by token."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.modes: dict[int, str] = {}
        self.said = 0


class KiteStream:
    def __init__(self, market: Market, contracts: Callable[[], KiteContracts], heartbeat: float) -> None:
        self._market, self._contracts, self._heartbeat = market, contracts, heartbeat
        self._clients: set[_Client] = set()
        self._leave = market.listen(self._on_quotes)

    @property
    def full(self) -> bool:
        """Whether another stream is one too many."""
        return len(self._clients) >= MOST_STREAMS

    def close(self) -> None:
        self._leave()

    def cut(self) -> None:
        """End every stream without a word."""
        for client in list(self._clients):
            client.peer.abort()

    def tell(self, kind: str, data: object) -> None:
        """A text message to every stream: order, error or message."""
        text = msgspec.json.encode({"type": kind, "data": data}).decode()
        for client in list(self._clients):
            client.peer.send_text(text, kind)

    async def serve(self, peer: Peer) -> None:
        """Heed one client until it leaves."""
        client = _Client(peer)
        self._clients.add(client)
        beats = asyncio.create_task(self._beat(client), name="heartbeats")
        try:
            peer.send_binary(HEARTBEAT, "heartbeat")
            async for message in peer.frames():
                if isinstance(message, str):
                    self._heed(client, message)
        finally:
            self._clients.discard(client)
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)

    async def _beat(self, client: _Client) -> None:
        """A byte whenever nothing else was said for a while."""
        while client.peer.open:
            before = client.said
            await self._market.clock.sleep(self._heartbeat)
            if client.said == before:
                client.peer.send_binary(HEARTBEAT, "heartbeat")

    # ------------------------------------------------------------ what a client asks

    def _heed(self, client: _Client, message: str) -> None:
        try:
            asked = msgspec.json.decode(message, type=dict[str, object])
            tokens = self._apply(client, str(asked.get("a")), asked.get("v"))
        except (msgspec.MsgspecError, ValueError, TypeError):
            self._object(client, "Invalid message.")
            return
        self._show(client, tokens)

    def _apply(self, client: _Client, action: str, value: object) -> Sequence[int]:
        """The tokens to show at once. Raises ValueError or TypeError for what cannot be read."""
        match action, value:
            case "subscribe", list(tokens):
                return self._subscribe(client, _numbers(tokens), QUOTE)
            case "unsubscribe", list(tokens):
                for token in _numbers(tokens):
                    client.modes.pop(token, None)
                return ()
            case "mode", [str(mode), list(tokens)] if mode in MODES:
                return self._subscribe(client, _numbers(tokens), mode)
            case _:
                raise ValueError(action)

    def _subscribe(self, client: _Client, tokens: Sequence[int], mode: str) -> Sequence[int]:
        new = [token for token in tokens if token not in client.modes]
        if len(client.modes) + len(new) > MOST_INSTRUMENTS:
            self._object(client, f"Subscription limit of {MOST_INSTRUMENTS} instruments exceeded.")
            return ()
        found = [(token, row) for token in tokens if (row := self._contracts().numbered(token)) is not None]
        client.modes.update((token, mode) for token, _ in found)
        self._market.watch([row.instrument.name for _, row in found])
        return [token for token, _ in found]

    def _object(self, client: _Client, why: str) -> None:
        client.peer.send_text(msgspec.json.encode({"type": "error", "data": why}).decode(), "error")

    # ------------------------------------------------------------ ticks

    def _show(self, client: _Client, tokens: Sequence[int]) -> None:
        contracts = self._contracts()
        rows = [row for token in tokens if (row := contracts.numbered(token)) is not None]
        latest = {row.token: quote for row in rows if (quote := self._market.quote(row.instrument.name)) is not None}
        self._send(client, latest)

    def _on_quotes(self, quotes: Sequence[Quote]) -> None:
        if not self._clients:
            return
        contracts = self._contracts()
        latest = {row.token: quote for quote in quotes if (row := contracts.of(quote.name)) is not None}
        for client in list(self._clients):
            self._send(client, latest)

    def _send(self, client: _Client, latest: Mapping[int, Quote]) -> None:
        contracts, packets = self._contracts(), []
        for token, quote in latest.items():
            mode, contract = client.modes.get(token), contracts.numbered(token)
            made = None if mode is None or contract is None else packet(contract, quote, mode, self._market)
            if made is not None:
                packets.append(made)
        if packets:
            client.said += 1
            client.peer.send_binary(frame(packets), "ticks")


def _numbers(values: Sequence[object]) -> list[int]:
    """Tokens. Raises ValueError for what is none."""
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    if len(numbers) != len(values):
        raise ValueError("tokens are numbers")
    return numbers
