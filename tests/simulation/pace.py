"""I-15, rate: order calls in rolling windows, counted where they leave."""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

from tests.simulation.broker import Call
from tests.simulation.court import Court, Watcher
from tests.simulation.papers import CLOSING_ROLES, Paper

WINDOWS: Final = ((1.0, 10), (60.0, 400))
"""Seconds, and the order calls an account may make in them on an exchange segment."""
ENTRIES: Final = 6
"""Order calls in a second after which no entry leaves: the rest is for cancels, stops and exits."""
A_DAY: Final = 5_000
CHANGES: Final = 25
"""Modifications of one order."""


class Pace(Watcher):
    """Counts what a broker would count."""

    def __init__(self, court: Court) -> None:
        super().__init__(court)
        self._calls: dict[str, deque[float]] = {}
        self._today: Counter[tuple[str, int]] = Counter()
        self._changes: Counter[tuple[str, str]] = Counter()

    def left(self, call: Call, paper: Paper | None) -> None:
        calls = self._calls.setdefault(call.account, deque())
        calls.append(call.at)
        while calls[0] <= call.at - WINDOWS[-1][0]:
            calls.popleft()
        for seconds, most in WINDOWS:
            count = len(calls) if seconds == WINDOWS[-1][0] else sum(at > call.at - seconds for at in calls)
            if count > most:
                self.court.breach("I-15", f"{count} order calls of {call.account} within {seconds:.0f} s")
        opens = paper is not None and call.verb == "place" and paper.risk == "INCREASE"
        entry = opens and call.tag[10] not in CLOSING_ROLES
        if entry and sum(at > call.at - 1.0 for at in calls) > ENTRIES:
            self.court.breach("I-15", f"{call.tag} leaves no room for exits: more than {ENTRIES} in a second")
        self._today[call.account, self.court.day] += 1
        if self._today[call.account, self.court.day] > A_DAY:
            self.court.breach("I-15", f"more than {A_DAY} order calls of {call.account} in a day")
        if call.verb == "modify":
            self._changes[call.account, call.broker_id] += 1
            if self._changes[call.account, call.broker_id] > CHANGES:
                self.court.breach("I-15", f"{call.broker_id} was modified more than {CHANGES} times")
