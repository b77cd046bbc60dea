"""Scenes for defects that need one: played as the engine is, each is clean; played by its mutant, the judge objects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from optconsole.engine.commands import EngageKill, PlaceOrder, SetStop
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, Side
from tests.simulation.market import LOT, OPTIONS
from tests.simulation.script import CALL, Scene


async def _guarded(scene: Scene) -> None:
    """Two lots bought, and a stop that works at the exchange."""
    await scene.show(100_00, 9)
    await scene.place(Side.BUY, 2)
    stop = SetStop(id="s", actor="key:sim", account="SIM1", product=Product.NRML, contract=CALL, stop=90_00)
    assert (await scene.ask(stop)).ok
    await _watched(scene, 6)
    assert any(order.trigger for order in scene.venue.books.all_working())


async def _watched(scene: Scene, seconds: int) -> None:
    """Time passes with quotes."""
    for _ in range(seconds):
        await scene.show(100_00, 9)
        scene.simulation.checker.quoted_at = scene.simulation.loop.time()
        await scene.wait(0.5)


async def grows(scene: Scene) -> None:
    """A guarded position becomes larger."""
    await _guarded(scene)
    await scene.place(Side.BUY, 1)
    await _watched(scene, 40)


async def loses_its_stop(scene: Scene) -> None:
    """The exchange throws out a stop that worked."""
    await _guarded(scene)
    for order in list(scene.venue.books.all_working()):
        scene.venue._reject(order, "RMS", "RMS: rejected by the risk desk")
    await _watched(scene, 40)


async def storm(scene: Scene) -> None:
    """Twelve entries in one instant."""
    await scene.show(100_00, 9)
    orders = [_order(place) for place in range(12)]
    for order in orders:
        scene.simulation.checker.asked(order, scene.simulation.lives)
    await asyncio.gather(*map(scene.engine.submit, orders))
    await scene.wait(5)


async def kills_a_spread(scene: Scene) -> None:
    """A sold call and the bought one that hedges it are killed while nobody sells the first."""
    await scene.show(100_00, 9)
    hedge = OrderTerms(account="SIM1", contract=OPTIONS[2].name, side=Side.BUY, qty=LOT, type=OrderType.MARKET)
    assert (await scene.ask(PlaceOrder(id="hedge", actor="key:sim", terms=hedge))).ok
    await scene.place(Side.SELL, 1)
    scene.order("ex.never_fill", seconds=4)
    await scene.show(100_00, 9)
    await scene.ask(EngageKill(id="k", actor="key:sim"))
    await scene.wait(5)
    await scene.show(100_00, 9)
    await scene.wait(20)


def _order(place: int) -> PlaceOrder:
    terms = OrderTerms(
        account="SIM1", contract=CALL, side=Side.BUY, qty=LOT, type=OrderType.LIMIT, price=95_00 + 5 * place
    )
    return PlaceOrder(id=f"storm{place}", actor="key:sim", terms=terms)


STAGED: Final[Mapping[str, Callable[[Scene], Awaitable[None]]]] = {
    "M9": grows,
    "M10": loses_its_stop,
    "M12": kills_a_spread,
    "M21": storm,
}
"""The scene of each mutant that days of chance seldom meet."""
