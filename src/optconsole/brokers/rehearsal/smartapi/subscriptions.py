"""What one client of the stream has subscribed, and what its requests are answered with: nothing, or an error."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from optconsole.brokers.rehearsal.smartapi.packets import StreamMode

MOST_PAIRS: Final = 1000
"""Pairs of token and mode on one connection."""
MOST_DEEP: Final = 50
_SHARES: Final = 1
"""The only segment that has a book of twenty."""
_SEGMENTS: Final = frozenset({1, 2, 3, 4, 5, 7, 13})
BAD_PAYLOAD: Final = ("E1001", "Invalid Request Payload.")
OVER_QUOTA: Final = ("E1002", "Invalid Request. Subscription Limit Exceeded")


class _Tokens(msgspec.Struct, frozen=True):
    exchangeType: int
    tokens: list[str]


class _Params(msgspec.Struct, frozen=True):
    mode: int
    tokenList: list[_Tokens]


class _Wish(msgspec.Struct, frozen=True):
    action: int
    params: _Params
    correlationID: str = ""


Pair = tuple[StreamMode, int, str]
"""(mode, exchange type, token)."""


class Subscriptions:
    """The pairs of one connection. A token in two modes counts twice; one asked for again counts once."""

    def __init__(self) -> None:
        self._modes: dict[tuple[int, str], set[StreamMode]] = {}
        self.count = 0

    def modes(self, segment: int, token: str) -> frozenset[StreamMode]:
        """In which modes a token is wanted."""
        return frozenset(self._modes.get((segment, token), ()))

    def tokens(self) -> list[tuple[int, str]]:
        """Every (exchange type, token) that is wanted in any mode."""
        return list(self._modes)

    def ask(self, message: str) -> tuple[list[Pair], str]:
        """(pairs that are new, the error to send or nothing). A request that is refused changes nothing."""
        try:
            wish = msgspec.json.decode(message, type=_Wish)
        except msgspec.MsgspecError:
            return [], _error(_correlation(message), BAD_PAYLOAD)
        pairs = _pairs(wish)
        if pairs is None:
            return [], _error(wish.correlationID, BAD_PAYLOAD)
        if wish.action == 0:
            for pair in pairs:
                self._forget(pair)
            return [], ""
        new = [pair for pair in dict.fromkeys(pairs) if pair[0] not in self.modes(pair[1], pair[2])]
        deep = sum(StreamMode.DEPTH20 in modes for modes in self._modes.values())
        deep += sum(pair[0] is StreamMode.DEPTH20 for pair in new)
        if self.count + len(new) > MOST_PAIRS or deep > MOST_DEEP:
            return [], _error(wish.correlationID, OVER_QUOTA)
        for mode, segment, token in new:
            self._modes.setdefault((segment, token), set()).add(mode)
        self.count += len(new)
        return new, ""

    def _forget(self, pair: Pair) -> None:
        mode, segment, token = pair
        modes = self._modes.get((segment, token), set())
        if mode in modes:
            modes.remove(mode)
            self.count -= 1
        if not modes:
            self._modes.pop((segment, token), None)


def _pairs(wish: _Wish) -> list[Pair] | None:
    """None for a request that names what does not exist."""
    if wish.action not in (0, 1) or wish.params.mode not in StreamMode.__members__.values():
        return None
    mode = StreamMode(wish.params.mode)
    segments = {row.exchangeType for row in wish.params.tokenList}
    if not segments <= _SEGMENTS or (mode is StreamMode.DEPTH20 and not segments <= {_SHARES}):
        return None
    return [(mode, row.exchangeType, token) for row in wish.params.tokenList for token in row.tokens]


def _correlation(message: str) -> str:
    try:
        said: Any = msgspec.json.decode(message)
    except msgspec.MsgspecError:
        return ""
    return str(said.get("correlationID", "")) if isinstance(said, dict) else ""


def _error(correlation: str, error: tuple[str, str]) -> str:
    said = {"correlationID": correlation, "errorCode": error[0], "errorMessage": error[1]}
    return msgspec.json.encode(said).decode()
