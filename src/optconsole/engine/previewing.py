"""Previews of baskets and runs: the engine's own figures, with what each broker says of the margin beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from optconsole.engine import queries as q
from optconsole.engine.deadlines import within
from optconsole.engine.market.market_days import market_days
from optconsole.engine.market.minutes import Minutes
from optconsole.engine.model.baskets import Basket
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderType, Validity
from optconsole.engine.model.previews import MarginView
from optconsole.engine.ports import Broker, BrokerUnreachable, PlaceRequest
from optconsole.engine.requests import A_MINUTE, A_SECOND, SECOND, Urgency
from optconsole.engine.rules.ability import QUEUE_LIMIT
from optconsole.engine.rules.order_rate import Budget
from optconsole.engine.trading.baskets import basket_of
from optconsole.engine.trading.previews.margins import Wanted
from optconsole.engine.trading.previews.rates import order_sizes
from optconsole.engine.trading.previews.views import Preview, outlook
from optconsole.engine.trading.runs import adjustment_preview
from optconsole.engine.trading.runs.scene import RunScene

if TYPE_CHECKING:
    from optconsole.engine.core import Engine

BROKER_DEADLINE: Final = 4.0
"""Seconds for a broker's word on margin: a preview shows without it."""
BUDGET: Final = Budget(
    entries=A_SECOND[Urgency.ENTRY],
    exits=A_SECOND[Urgency.EXIT],
    window=SECOND,
    entries_a_minute=A_MINUTE[Urgency.ENTRY],
    exits_a_minute=A_MINUTE[Urgency.EXIT],
    patience=QUEUE_LIMIT,
)


async def answer(
    engine: Engine, query: q.PreviewBasket | q.PreviewRun | q.PreviewAdjustment
) -> q.BasketPreview | q.RunOutlook | q.AdjustmentPreview:
    """The preview. Raises Refusal: NO_SUCH_BASKET, NO_SUCH_STRATEGY, NO_SUCH_RUN."""
    if isinstance(query, q.PreviewRun):
        return _run(engine, query.run_id)
    if isinstance(query, q.PreviewAdjustment):
        return await _adjustment(engine, query)
    basket = _basket(engine, query)
    making = Preview(_scene(engine), basket, BUDGET)
    for strategy in basket.strategies:
        if query.strategy in ("", strategy.name):
            making.look(strategy)
            await engine.world.clock.sleep(0)  # a large basket must not keep the engine from its stops
    found, wanted = making.answer(), making.wanted
    margins = await asyncio.gather(*(_with_broker(engine, view.account, view, wanted) for view in found.margins))
    return msgspec.structs.replace(found, margins=tuple(margins))


async def _adjustment(engine: Engine, query: q.PreviewAdjustment) -> q.AdjustmentPreview:
    """A change of a run's legs with the margin that brokers ask before and after it, of all its accounts."""
    scene = _scene(engine)
    found = adjustment_preview.preview(scene, query.run_id, query.how)
    before = after = 0
    for account, requests in adjustment_preview.requests(scene, engine.state.runs[found.run_id], found.moves).items():
        broker = engine.world.brokers.get(account)
        if broker is None:
            return found
        try:
            held, then = await within(BROKER_DEADLINE, _twice(broker, requests))
        except (BrokerUnreachable, Refusal):
            return found
        before, after = before + held, after + then
    return msgspec.structs.replace(found, margin_before=before, margin_after=after)


async def _twice(broker: Broker, requests: Sequence[PlaceRequest]) -> tuple[int, int]:
    """Paise of margin that an account needs as it stands, and with these orders filled."""
    return await broker.margin([]), await broker.margin(requests)


def _scene(engine: Engine) -> RunScene:
    """What a run would see now. No minute has closed in it: a leg priced by closes is shown at the price of now."""
    world = engine.world
    days = market_days(world.calendar)
    return RunScene(engine.state, engine.master, engine.situation(), world.install_id, days, Minutes())


def _basket(engine: Engine, query: q.PreviewBasket) -> Basket:
    basket = query.written if query.written is not None else basket_of(engine.state, query.name).basket
    if query.strategy and basket.strategy(query.strategy) is None:
        known = ", ".join(each.name for each in basket.strategies) or "none"
        raise Refusal("NO_SUCH_STRATEGY", f"{basket.name} has no strategy {query.strategy!r}; it has: {known}.")
    return basket


def _run(engine: Engine, run_id: str) -> q.RunOutlook:
    run = engine.state.runs.get(run_id)
    if run is None:
        known = ", ".join(engine.state.runs) or "none today"
        raise Refusal("NO_SUCH_RUN", f"No run is called {run_id!r}; there are: {known}.")
    book = engine.state.baskets.get(run.basket)
    return outlook(_scene(engine), run, None if book is None else book.basket.max_loss)


async def _with_broker(engine: Engine, account: str, view: MarginView, wanted: Sequence[Wanted]) -> MarginView:
    """The view with the broker's own figure for everything together, where it gives one in time."""
    broker = engine.world.brokers.get(account)
    requests = [request for each in wanted if each.account == account for request in _requests(each)]
    if broker is None or not requests:
        return view
    return msgspec.structs.replace(view, broker=await _asked(broker, requests))


async def _asked(broker: Broker, requests: Sequence[PlaceRequest]) -> int | None:
    try:
        return await within(BROKER_DEADLINE, broker.margin(requests))
    except (BrokerUnreachable, Refusal):
        return None


def _requests(wanted: Wanted) -> list[PlaceRequest]:
    return [
        PlaceRequest(
            tag="",
            account=wanted.account,
            instrument=wanted.instrument,
            side=wanted.side,
            qty=units,
            type=OrderType.LIMIT,
            price=wanted.price,
            trigger=None,
            product=wanted.product,
            validity=Validity.DAY,
        )
        for units in order_sizes(wanted.qty, wanted.instrument)
    ]
