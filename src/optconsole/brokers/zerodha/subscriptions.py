"""Which contract is asked for on which socket, kept apart from what any socket has been told, so as to survive it."""

from __future__ import annotations

from collections.abc import Iterable


class Subscriptions:
    """Tokens wanted, spread over ``sockets`` of at most ``per_socket`` in the order they were asked for.

    What does not fit waits for room in ``waiting``.
    """

    def __init__(self, sockets: int, per_socket: int) -> None:
        self._per_socket = per_socket
        self._slots: list[dict[int, None]] = [{} for _ in range(sockets)]
        self._slot_of: dict[int, int] = {}
        self.waiting: dict[int, None] = {}

    def __contains__(self, token: int) -> bool:
        return token in self._slot_of or token in self.waiting

    def add(self, tokens: Iterable[int]) -> None:
        """Want these as well."""
        for token in tokens:
            if token not in self:
                self._place(token)

    def drop(self, tokens: Iterable[int]) -> None:
        """Want these no more; who waited longest takes their place."""
        for token in tokens:
            self.waiting.pop(token, None)
            slot = self._slot_of.pop(token, None)
            if slot is not None:
                del self._slots[slot][token]
        while self.waiting and any(len(slot) < self._per_socket for slot in self._slots):
            first = next(iter(self.waiting))
            del self.waiting[first]
            self._place(first)

    def only(self, tokens: Iterable[int]) -> None:
        """Want exactly these."""
        wanted = dict.fromkeys(tokens)
        self.drop([token for token in (*self._slot_of, *self.waiting) if token not in wanted])
        self.add(wanted)

    def on(self, slot: int) -> list[int]:
        """What one socket should carry."""
        return list(self._slots[slot])

    def slot_of(self, token: int) -> int | None:
        """The socket that carries a token; None for one that waits or is not wanted."""
        return self._slot_of.get(token)

    def _place(self, token: int) -> None:
        for number, slot in enumerate(self._slots):
            if len(slot) < self._per_socket:
                slot[token] = None
                self._slot_of[token] = number
                return
        self.waiting[token] = None
