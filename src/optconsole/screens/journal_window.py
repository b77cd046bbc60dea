"""A window on the journal: as many facts as a reader can scroll through, of a journal of any length. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from optconsole.engine.events import Recorded
from optconsole.engine.queries import ReadJournal

PAGE: Final = 500
MOST: Final = 2_000
"""Facts kept; what scrolls out at the far end is read again when the reader comes back."""


class Window:
    """Facts in order, some of the whole. ``stream`` and ``text`` narrow what it may hold."""

    def __init__(self) -> None:
        self.facts: list[Recorded] = []
        self.head = 0
        self.stream: str | None = None
        self.text = ""
        self.at_start = False
        self.at_end = True

    @property
    def narrowed(self) -> bool:
        """Whether a filter is set."""
        return bool(self.text) or self.stream is not None

    @property
    def first(self) -> int:
        """Number of the first fact held, 0 without any."""
        return self.facts[0].seq if self.facts else 0

    @property
    def last(self) -> int:
        """Number of the last fact held, 0 without any."""
        return self.facts[-1].seq if self.facts else 0

    # ------------------------------------------------------------ what to ask

    def newest(self) -> ReadJournal:
        """The journal's end."""
        return self._query(after=0, limit=PAGE, last=True)

    def older(self) -> ReadJournal | None:
        """What comes before the window; None at the start. Behind a filter the end is read again, and further back."""
        if self.at_start or not self.facts:
            return None
        if self.narrowed:
            return self._query(after=0, limit=len(self.facts) + PAGE, last=True)
        after = max(self.first - 1 - PAGE, 0)
        return self._query(after=after, limit=self.first - 1 - after, last=False)

    def newer(self) -> ReadJournal | None:
        """What comes after the window; None at the end."""
        return None if self.at_end else self._query(after=self.last, limit=PAGE, last=False)

    def around(self, seq: int) -> ReadJournal:
        """A page with one fact in its middle."""
        return self._query(after=max(seq - PAGE // 2, 0), limit=PAGE, last=False)

    def _query(self, after: int, limit: int, last: bool) -> ReadJournal:
        return ReadJournal(after=after, limit=limit, stream=self.stream, text=self.text or None, last=last)

    # ------------------------------------------------------------ taking answers

    def start(self, facts: Iterable[Recorded], head: int, asked: ReadJournal) -> None:
        """Stand on a page alone."""
        self.facts, self.head = list(facts), head
        short = len(self.facts) < asked.limit
        self.at_end = asked.last or short
        self.at_start = short if asked.last else self.first <= 1 or asked.after == 0

    def extend_back(self, facts: Iterable[Recorded], asked: ReadJournal) -> int:
        """Put older facts in front; returns how many. What is over leaves at the end."""
        known = self.first
        fresh = [fact for fact in facts if fact.seq < known]
        self.facts = [*fresh, *self.facts]
        got = len(fresh)
        self.at_start = self.first <= 1 or (self.narrowed and got < PAGE) or (not self.narrowed and asked.after == 0)
        if not self.narrowed and len(self.facts) > MOST:
            self.facts, self.at_end = self.facts[:MOST], False
        return got

    def extend(self, facts: Iterable[Recorded], head: int) -> int:
        """Add newer facts at the end; returns how many. What is over leaves at the start."""
        known = self.last
        fresh = [fact for fact in facts if fact.seq > known]
        self.facts += fresh
        self.head = max(head, self.last)
        if not self.narrowed:
            self.at_end = self.last >= self.head
        if len(self.facts) > MOST:
            self.facts, self.at_start = self.facts[-MOST:], False
        return len(fresh)
