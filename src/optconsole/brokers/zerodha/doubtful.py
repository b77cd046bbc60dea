"""Contracts of which a quote is asked for because the stream may be keeping it back, and what the answer proves.

A socket that is connected, heartbeats and tells no quotes is the commonest failure of all (MD-5): a market that moves
meanwhile shows that it is mute. A quiet market looks the same and moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from optconsole.brokers.transport.gateway import Evidence, Listed
from optconsole.brokers.zerodha.settings import KiteSettings
from optconsole.brokers.zerodha.stream import KiteStream
from optconsole.engine.clock import Clock
from optconsole.engine.model.quotes import Quote

Batch = Sequence[tuple[int, Listed]]
"""(token, row)."""
RARER: Final = 4
"""How many times rarer a market that stays quiet is looked at than one that has just fallen silent."""


class Doubtful:
    """Chooses what to ask for, some hundred contracts a call, round and round."""

    def __init__(self, settings: KiteSettings, stream: KiteStream, clock: Clock, evidence: Evidence) -> None:
        self._settings, self._stream, self._clock, self._evidence = settings, stream, clock, evidence
        self._turn = 0
        self._looked = clock.monotonic()
        self._rest = settings.silence
        self._silent: set[int] = set()
        """Tokens of the last batch that never ticked on their socket."""

    def next_batch(self, watched: Sequence[tuple[int, Listed, int]]) -> Batch:
        """What to ask for now, of (token, row, when it last ticked in epoch ms); often nothing.

        Contracts without a live socket come at any time; those of a socket that tells nothing, and those that never
        ticked on theirs, now and then.
        """
        unserved = [(token, row) for token, row, _ in watched if self._stream.live_since(token) is None]
        if unserved:
            self._silent = set()
            return self._some(unserved)
        now = self._clock.monotonic()
        if now - self._looked < self._rest:
            return []
        quiet = [(token, row) for token, row, seen in watched if self._mute(token) or self._unheard(token, seen)]
        if not quiet:
            self._rest = self._settings.silence
            return []
        self._looked = now
        self._silent = {token for token, _, seen in watched if self._unheard(token, seen)}
        return self._some(quiet)

    def answered(self, batch: Batch, quotes: Sequence[Quote], before: Mapping[str, Quote]) -> None:
        """Learn from quotes: a socket that kept some back is opened anew, what never ticked is subscribed again."""
        tokens = {row.instrument.name: token for token, row in batch}
        moved = [quote.name for quote in quotes if _moved(before.get(quote.name), quote)]
        mute = next((tokens[name] for name in moved if self._mute(tokens[name])), None)
        if mute is not None:
            self._rest = self._settings.silence
            self._evidence("MUTE_STREAM", "The stream tells no quotes of a market that moves; it is opened anew.", "")
            self._stream.reconnect(mute, "the market moves and it says nothing")
            return
        self._rest = min(self._rest * 2, self._settings.silence * RARER)
        unheard = [tokens[quote.name] for quote in quotes if tokens[quote.name] in self._silent]
        self._silent = set()
        if unheard:
            self._stream.again(unheard)

    def _mute(self, token: int) -> bool:
        """Whether the socket of a token is live and has told no quotes of anything for too long."""
        quiet = self._stream.quiet_for(token)
        return quiet is not None and quiet > self._settings.silence

    def _unheard(self, token: int, seen: int) -> bool:
        """Whether a contract never ticked on its socket, though Kite shows everything once when it is asked for."""
        since = self._stream.live_since(token)
        return since is not None and seen < since

    def _some(self, rows: Batch) -> Batch:
        first = self._turn % len(rows)
        batch = [*rows[first:], *rows[:first]][: self._settings.quotes_per_call]
        self._turn = first + len(batch)
        return batch


def _moved(before: Quote | None, now: Quote) -> bool:
    """Whether something traded between what the stream last told and what the broker says now."""
    if before is None:
        return False
    return now.ltp != before.ltp or (before.volume > 0 and now.volume > before.volume)
