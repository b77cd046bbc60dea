"""What each command was answered: a repeated id gets its first answer again and is not carried out twice."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.shell.recall import recalled, reviewed

ANSWERS_KEPT: Final = 10_000


class Answers:
    """The last answers by the command's id, and who waits for one."""

    def __init__(self) -> None:
        self._given: OrderedDict[str, Reply] = OrderedDict()
        self._awaited: dict[str, asyncio.Future[Reply]] = {}

    def given(self, command_id: str) -> Reply | None:
        """What a command was answered; None before that."""
        return self._given.get(command_id)

    def awaited(self, command_id: str) -> asyncio.Future[Reply] | None:
        """The answer that is waited for already."""
        return self._awaited.get(command_id)

    def expect(self, command_id: str) -> asyncio.Future[Reply]:
        """Begin to wait for an answer."""
        waiting = self._awaited[command_id] = asyncio.get_running_loop().create_future()
        return waiting

    def give(self, command: AnyCommand, answer: asyncio.Future[Reply], reply: Reply) -> None:
        """Answer a command."""
        self._awaited.pop(command.id, None)
        self._given[command.id] = reply
        while len(self._given) > ANSWERS_KEPT:
            self._given.popitem(last=False)
        if not answer.done():
            answer.set_result(reply)

    def recall(self, facts: Iterable[Recorded]) -> None:
        """Know the commands of earlier runs again."""
        self._given.update(recalled(facts))

    def review(self, state: TradingState) -> None:
        """Take back what was answered of recalled orders that never left."""
        self._given.update(reviewed(state, self._given))
