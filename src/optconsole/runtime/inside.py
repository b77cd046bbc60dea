"""The engine in the console's own process: practice, replay, paper."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.link.local import LocalLink
from optconsole.link.protocol import EngineLink
from optconsole.options import RunOptions
from optconsole.runtime.house import open_house


async def start_inside(options: RunOptions) -> tuple[EngineLink, Callable[[], Awaitable[None]]]:
    """Start an engine on this loop. Returns the link to it and how to stop it. Raises Refusal."""
    try:
        house = await open_house(options)
    except JournalBroken as broken:
        raise Refusal(broken.code, broken.text) from broken
    house.engine.consoles = 1

    async def stop() -> None:
        await house.stop("console closed")

    return LocalLink(house.engine), stop
