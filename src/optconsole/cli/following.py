"""Waiting for what becomes of a command: the state is carried on by the engine's own facts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from optconsole.cli.session import Engine
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderStatus, OrderType, Validity
from optconsole.engine.state import apply

UNANSWERED = (OrderStatus.INTENDED, OrderStatus.SENT)


async def follow(
    engine: Engine,
    state: TradingState,
    done: Callable[[TradingState], bool],
    seconds: float,
    seen: Callable[[Recorded], None] | None = None,
) -> bool:
    """Apply facts to ``state`` until ``done``; False when that takes longer than ``seconds``.

    ``seen`` hears every fact. ``done`` is asked before the first fact too.
    """
    if done(state):
        return True
    try:
        async with asyncio.timeout(seconds), aclosing(engine.link.facts(state.seq)) as facts:
            async for fact in facts:
                apply(state, fact)
                if seen is not None:
                    seen(fact)
                if done(state):
                    return True
    except TimeoutError:
        return False
    return False


def answered(order: Order | None) -> bool:
    """Whether a new order has come as far as one waits for: the market's word where it is due at once."""
    if order is None or order.status.final:
        return True
    if order.terms.type is OrderType.MARKET or order.terms.validity is Validity.IOC:
        return False
    return order.status not in UNANSWERED
