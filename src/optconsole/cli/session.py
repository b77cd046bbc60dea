"""A short visit to a running engine. None is ever started here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from optconsole.engine.clock import fresh_id
from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, parse_contract
from optconsole.engine.ports import Snapshot
from optconsole.engine.queries import AnyQuery, FindInstruments, InstrumentList, Refused
from optconsole.link.address import socket_path
from optconsole.link.client import SocketLink
from optconsole.link.protocol import LinkLost
from optconsole.paths import home_dir

ANSWER_SECONDS: Final = 15.0
ACTOR: Final = "cli"

T = TypeVar("T")
Answer = TypeVar("Answer")


def visit(home: str | None, work: Callable[[Engine], Awaitable[T]]) -> T:
    """Connect to the engine of a home, work with it, leave.

    Raises Refusal: NO_ENGINE where none runs, LINK_LOST when it goes away, ENGINE_SILENT when it does not answer.
    """
    return asyncio.run(_visit(home, work))


async def _visit(home: str | None, work: Callable[[Engine], Awaitable[T]]) -> T:
    link = await SocketLink.connect(socket_path(home_dir(home, os.environ)))
    try:
        return await work(Engine(link))
    except LinkLost as lost:
        raise Refusal(
            "LINK_LOST", f"{lost} What it did last is unknown; see `optconsole status` once it runs again."
        ) from None
    finally:
        await link.close()


class Engine:
    """A running engine, asked with a deadline."""

    def __init__(self, link: SocketLink) -> None:
        self.link = link

    async def submit(self, command: AnyCommand) -> Reply:
        """Carry out a command. Raises Refusal with the engine's own code when it is refused."""
        reply = await _within(self.link.submit(command))
        if not reply.ok:
            raise Refusal(reply.code, reply.text)
        return reply

    async def ask(self, query: AnyQuery, expected: type[Answer], seconds: float = ANSWER_SECONDS) -> Answer:
        """The answer to a question. Raises Refusal."""
        answer = await _within(self.link.query(query), seconds)
        if isinstance(answer, Refused):
            raise Refusal(answer.code, answer.text)
        if not isinstance(answer, expected):
            raise Refusal("BAD_ANSWER", f"The engine answered {type(answer).__name__} to {type(query).__name__}.")
        return answer

    async def snapshot(self) -> Snapshot:
        """The trading state now."""
        return await _within(self.link.snapshot())

    async def instrument(self, name: str) -> Instrument:
        """The listed instrument of a name. Raises Refusal with what is listed nearby."""
        wanted = FindInstruments(underlying=name.upper().split()[0])
        found = await self.ask(wanted, InstrumentList)
        if not found.instruments:
            found = await self.ask(FindInstruments(), InstrumentList)
        return InstrumentMaster(found.instruments).resolve(name)

    async def named(self, name: str) -> str:
        """The canonical name of one that may lack its expiry's year. Raises Refusal."""
        try:
            return str(parse_contract(name))
        except Refusal:
            return (await self.instrument(name)).name


def command_id() -> str:
    """A fresh id: the engine carries out each once, however often it arrives."""
    return fresh_id()


async def _within(work: Awaitable[T], seconds: float = ANSWER_SECONDS) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise Refusal(
            "ENGINE_SILENT", f"The engine did not answer within {seconds:.0f} s; see `optconsole doctor`."
        ) from None
