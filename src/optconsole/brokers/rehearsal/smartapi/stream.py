"""The stream of market data: one packet a token, mode and tick for each client that wants it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.peer import Message, Peer
from optconsole.brokers.rehearsal.smartapi.catalogue import Catalogue
from optconsole.brokers.rehearsal.smartapi.glances import tick_of
from optconsole.brokers.rehearsal.smartapi.packets import StreamMode, packet
from optconsole.brokers.rehearsal.smartapi.subscriptions import Pair, Subscriptions
from optconsole.brokers.rehearsal.smartapi.symbols import Scrip
from optconsole.brokers.rehearsal.smartapi.tape import Tape
from optconsole.engine.model.quotes import Quote

PING: Final = "ping"
PONG: Final = "pong"
_DEEP: Final = frozenset({StreamMode.SNAP, StreamMode.DEPTH20})
MOST_SOCKETS: Final = 3
"""Connections of one client; each kind of stream counts its own."""


class TickStream:
    """Every open connection of market data."""

    def __init__(self, market: Market, catalogue: Catalogue, tape: Tape) -> None:
        self._market, self._catalogue, self._tape = market, catalogue, tape
        self._clients: dict[Peer, Subscriptions] = {}
        self._sequences: dict[str, int] = {}

    @property
    def full(self) -> bool:
        """Whether one more connection would be one too many."""
        return len(self._clients) >= MOST_SOCKETS

    def turn(self) -> None:
        """Another day: sequences begin anew."""
        self._sequences.clear()

    def cut(self) -> None:
        """End every connection."""
        for peer in list(self._clients):
            peer.abort()

    async def serve(self, peer: Peer) -> None:
        """Talk to one client until it leaves: pings, subscriptions, and an error for what cannot be."""
        self._clients[peer] = Subscriptions()
        try:
            async for message in peer.frames():
                self._heard(peer, message)
        finally:
            del self._clients[peer]

    def tell(self, quotes: Sequence[Quote]) -> None:
        """Pass new quotes on to whom they concern."""
        if not self._clients:
            return
        for quote in quotes:
            scrip = self._catalogue.of(quote.name)
            if scrip is None:
                continue
            wanted = [
                (peer, modes)
                for peer, wishes in self._clients.items()
                if (modes := wishes.modes(scrip.stream, scrip.token))
            ]
            if wanted:
                self._send(scrip, wanted)

    def _send(self, scrip: Scrip, wanted: Sequence[tuple[Peer, Collection[StreamMode]]]) -> None:
        deep = any(mode in _DEEP for _peer, modes in wanted for mode in modes)
        glance = self._tape.glance(scrip, deep)
        if glance is None:
            return
        sequence = self._sequences[scrip.symbol] = self._sequences.get(scrip.symbol, 0) + 1
        tick = tick_of(glance, sequence)
        made: dict[StreamMode, bytes] = {}
        for peer, modes in wanted:
            for mode in sorted(modes):
                if mode not in made:
                    made[mode] = packet(mode, tick)
                peer.send_binary(made[mode], "ticks")

    def _heard(self, peer: Peer, message: Message) -> None:
        text = message if isinstance(message, str) else message.decode(errors="replace")
        if text.strip() == PING:
            peer.send_text(PONG, "pong")
            return
        new, error = self._clients[peer].ask(text)
        if error:
            peer.send_text(error, "error")
        self._begin(peer, new)

    def _begin(self, peer: Peer, new: Iterable[Pair]) -> None:
        """The latest of what was just subscribed comes at once; a token nobody lists stays silent."""
        names = []
        for mode, segment, token in new:
            scrip = self._catalogue.streamed(segment, token)
            if scrip is not None:
                names.append(scrip.instrument.name)
                self._send(scrip, [(peer, (mode,))])
        self._market.watch(names)
