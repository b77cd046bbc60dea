"""No call to a broker lasts for ever: each that asks for something gives up after a while (reliability B18)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from optconsole.engine.clock import cancelled_from_outside
from optconsole.engine.ports import BrokerUnreachable

T = TypeVar("T")


async def within(seconds: float, call: Awaitable[T]) -> T:
    """The answer of a call. Raises BrokerUnreachable after so many seconds, and when the adapter itself gives up."""
    try:
        async with asyncio.timeout(seconds):
            return await call
    except TimeoutError:
        raise BrokerUnreachable(f"no answer within {seconds:.0f} s") from None
    except asyncio.CancelledError:
        if cancelled_from_outside():
            raise
        raise BrokerUnreachable("the broker adapter gave the call up") from None
