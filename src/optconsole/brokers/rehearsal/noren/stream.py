"""The WebSocket of Noren: one live socket for a token, snapshots then changes, order updates beside them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Final

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren import frames
from optconsole.brokers.rehearsal.noren.desk import Desk
from optconsole.brokers.rehearsal.noren.hazards import Hazards
from optconsole.brokers.rehearsal.noren.logins import Logins
from optconsole.brokers.rehearsal.noren.record import Record, Stage
from optconsole.brokers.rehearsal.noren.sight import look
from optconsole.brokers.rehearsal.noren.symbols import Symbol
from optconsole.brokers.rehearsal.peer import Peer
from optconsole.engine.model.quotes import Quote

ORDERS: Final = "order"
TICKS: Final = "ticks"
OTHER: Final = "text"
YES: Final = ("OK", "Ok", "ok")
NO: Final = ("NOT_OK", "Not_Ok")


class Stream:
    """One socket. ``views`` are the fields last told of each (kind, contract); a kind is touchline or depth."""

    def __init__(self, peer: Peer, refusing: bool = False) -> None:
        self.peer, self.refusing = peer, refusing
        self.token = ""
        self.orders = False
        self.positions = False
        self.views: dict[tuple[str, str], Mapping[str, str]] = {}
        self.updates = 0

    def say(self, frame: Mapping[str, object], kind: str = OTHER) -> None:
        self.peer.send_text(json.dumps(frame, separators=(",", ":")), kind)


class Streams:
    """All sockets of the rehearsal. ``hazards`` is asked at each use, so that a switch works at once."""

    def __init__(self, market: Market, desk: Desk, logins: Logins, uid: str, hazards: Callable[[], Hazards]) -> None:
        self._market, self._desk, self._logins, self._uid = market, desk, logins, uid
        self._hazards = hazards
        self._open: set[Stream] = set()
        self._watching: dict[str, set[tuple[Stream, str]]] = defaultdict(set)
        self._words = cycle(YES)
        self._noes = cycle(NO)

    # ------------------------------------------------------------ a socket's life

    async def serve(self, peer: Peer, refusing: bool = False) -> None:
        """Talk to one client until it or we end it; ``refusing`` takes no login on this socket."""
        stream = Stream(peer, refusing)
        self._open.add(stream)
        try:
            async for message in peer.frames():
                await self._hear(stream, message)
        finally:
            self._open.discard(stream)
            self._forget(stream)

    async def end_all(self) -> None:
        """Close every socket, as at night."""
        for stream in list(self._open):
            await stream.peer.close(1000)

    async def end_dead(self) -> None:
        """Close the sockets whose token died of age; one that was revoked keeps the socket it has."""
        for stream in list(self._open):
            if self._logins.known(stream.token) and not self._logins.alive(stream.token):
                await stream.peer.close(1000)

    def turn(self) -> None:
        """Another day: subscriptions are of contracts that may be gone."""
        self._watching.clear()
        for stream in self._open:
            stream.views.clear()

    async def _hear(self, stream: Stream, message: str | bytes) -> None:
        try:
            frame = json.loads(message)
        except ValueError:
            return  # the server drops what it cannot read
        if not isinstance(frame, dict):
            return
        asked = str(frame.get("t", ""))
        if asked == "a":
            await self._connect(stream, frame)
        elif asked == "c":
            # the protocol before OAuth: refused for good, and the socket stays open
            stream.say({"t": "ck", "s": "NOT_OK"})
        elif asked == "h":
            if self._hazards().heartbeats:
                stream.say({"t": "hk"})
        elif stream.token:
            self._asked(stream, asked, str(frame.get("k", "")))

    async def _connect(self, stream: Stream, frame: Mapping[str, object]) -> None:
        """Authenticate. A refused client hears so and stays connected; it must not take that for a stream."""
        token = str(frame.get("accesstoken") or frame.get("usertoken") or "")
        hazards = self._hazards()
        known = self._logins.known(token) if hazards.mute else self._logins.alive(token)
        if stream.refusing or not known or frame.get("uid") != self._uid:
            stream.say({"t": "ak", "uid": str(frame.get("uid", "")), "s": next(self._noes)})
            return
        if hazards.one_socket:
            for other in [other for other in self._open if other is not stream and other.token == token]:
                await other.peer.close(1000)
        stream.token = token
        stream.say({"t": "ak", "uid": self._uid, "s": next(self._words) if hazards.casing else YES[0]})

    # ------------------------------------------------------------ subscriptions

    def _asked(self, stream: Stream, asked: str, keys: str) -> None:
        match asked:
            case "t" | "d":
                for key in keys.split("#"):
                    self._subscribe(stream, asked, key)
            case "u" | "ud":
                for key in keys.split("#"):
                    self._unsubscribe(stream, "t" if asked == "u" else "d", key)
                stream.say({"t": f"{asked}k", "k": keys})
            case "o" | "uo":
                stream.orders = asked == "o"
                stream.say({"t": f"{asked}k"})
            case "p" | "up":
                stream.positions = asked == "p"
                stream.say({"t": f"{asked}k"})

    def _subscribe(self, stream: Stream, kind: str, key: str) -> None:
        exch, _, token = key.partition("|")
        symbol = self._desk.symbols.at(exch, token)
        if symbol is None:
            return  # an unknown scrip is not acknowledged
        name = symbol.instrument.name
        most = self._hazards().most_scrips
        served = {contract for _kind, contract in stream.views}
        if most is not None and name not in served and len(served) >= most:
            return
        fields = self._fields(kind, symbol)
        stream.views[kind, name] = fields
        self._watching[name].add((stream, kind))
        self._market.watch([name])
        stream.say(frames.snapshot(kind, symbol, fields), TICKS)

    def _unsubscribe(self, stream: Stream, kind: str, key: str) -> None:
        exch, _, token = key.partition("|")
        symbol = self._desk.symbols.at(exch, token)
        if symbol is not None:
            stream.views.pop((kind, symbol.instrument.name), None)
            self._watching[symbol.instrument.name].discard((stream, kind))

    def _forget(self, stream: Stream) -> None:
        for kind, name in stream.views:
            self._watching[name].discard((stream, kind))

    def _fields(self, kind: str, symbol: Symbol) -> dict[str, str]:
        seen = look(self._market, symbol)
        return frames.named(symbol) if seen is None else frames.VIEWS[kind](seen)

    # ------------------------------------------------------------ what is told

    def on_quotes(self, quotes: Sequence[Quote]) -> None:
        """Tell subscribers what changed."""
        hazards = self._hazards()
        for quote in quotes:
            watching = self._watching.get(quote.name)
            if not watching or hazards.mute:
                continue
            symbol = self._desk.symbols.of(quote.name)
            if symbol is None:
                continue
            for kind in {kind for _stream, kind in watching}:
                fields = self._fields(kind, symbol)
                for stream in [stream for stream, asked in watching if asked == kind]:
                    self._update(stream, kind, symbol, fields, hazards.not_available)

    def _update(self, stream: Stream, kind: str, symbol: Symbol, fields: dict[str, str], unread: int) -> None:
        frame = frames.update(kind, symbol, stream.views[kind, symbol.instrument.name], fields)
        if frame is None:
            return
        stream.updates += 1
        if unread and stream.updates % unread == 0:
            stream.say(frames.unread(frame), TICKS)
            return  # what was not readable is told again with the next change
        stream.views[kind, symbol.instrument.name] = fields
        stream.say(frame, TICKS)

    def on_stage(self, record: Record, stage: Stage) -> None:
        """Tell of a step in an order's life."""
        if self._hazards().mute:
            return
        frame = frames.order_update(record, stage, self._uid)
        for stream in list(self._open):
            if stream.orders:
                stream.say(frame, ORDERS)

    def on_positions(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Tell those who asked how positions stand."""
        for stream in list(self._open):
            for row in rows if stream.positions and not self._hazards().mute else ():
                stream.say({**row, "t": "pm"}, ORDERS)
