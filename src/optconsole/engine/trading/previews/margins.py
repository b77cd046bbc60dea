"""Margin of one account before and after a basket, by our own reckoning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from optconsole.engine.market.tariffs import margin_params_on
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.previews import MarginView
from optconsole.engine.pricing.basket_margin import BasketMargin, basket_margin
from optconsole.engine.pricing.margin import MarginLeg
from optconsole.engine.trading.previews.still import StillScene


class Wanted(NamedTuple):
    """An order of a preview as one: ``qty`` units in all, however many orders they leave in."""

    leg: str
    account: str
    instrument: Instrument
    side: Side
    qty: int
    price: int
    product: Product


def hedges_first(orders: Sequence[Wanted]) -> list[Wanted]:
    """The orders of one strategy as an entry sends them: bought ones before sold ones."""
    return sorted(orders, key=lambda each: each.side is Side.SELL)


def margin_view(scene: StillScene, account: str, orders: Sequence[Wanted]) -> MarginView:
    """The account's margin around the orders in their sequence; a code and a sentence where it cannot be told."""
    held = [
        (found, position.qty, _price(scene, found.name, position.average))
        for position in scene.state.positions.values()
        if position.key.account == account
        and position.qty
        and (found := scene.master.get(position.key.contract)) is not None
    ]
    legs = [MarginLeg(instrument=found, qty=qty, price=price) for found, qty, price in held]
    wanted = [MarginLeg(instrument=each.instrument, qty=each.side.sign * each.qty, price=each.price) for each in orders]
    spots, forwards = _market(scene, [leg.instrument for leg in (*legs, *wanted)])
    try:
        around = basket_margin(legs, wanted, forwards, spots, scene.now, margin_params_on(scene.now.date()))
    except Refusal as refused:
        return MarginView(
            account=account, before=None, after=None, peak=None, apart=None, code=refused.code, text=refused.text
        )
    return _viewed(scene, account, orders, around)


def _viewed(scene: StillScene, account: str, orders: Sequence[Wanted], around: BasketMargin) -> MarginView:
    funds = scene.situation.funds(account)
    free = None if funds is None else funds.funds.free
    needed = max(around.peak - around.before.total, 0) + around.bought
    steps = tuple((each.instrument.name, margin.total) for each, margin in zip(orders, around.steps, strict=True))
    return MarginView(
        account=account,
        before=around.before.total,
        after=around.final.total,
        peak=around.peak,
        apart=around.apart,
        span=around.final.span,
        exposure=around.final.exposure,
        expiry_extra=around.final.expiry_extra,
        premium=around.bought,
        free=free,
        short=None if free is None else max(needed - free, 0),
        steps=steps,
    )


def _price(scene: StillScene, name: str, average: float | None) -> int:
    """What a holding is valued at: its mark, else what was paid for it."""
    quote = scene.situation.quote(name)
    mark = None if quote is None else quote.mark
    return mark if mark is not None else round(abs(average or 0.0))


def _market(
    scene: StillScene, instruments: Sequence[Instrument]
) -> tuple[dict[str, int], dict[str | tuple[str, date], int]]:
    """Spots by underlying, and forwards of every expiry, as far as they are known."""
    spots: dict[str, int] = {}
    forwards: dict[str | tuple[str, date], int] = {}
    for each in instruments:
        quote = scene.situation.quote(each.underlying)
        if quote is not None and quote.mark is not None:
            spots[each.underlying] = quote.mark
        if each.expiry is not None and (each.underlying, each.expiry) not in forwards:
            level = scene.forward(each.underlying, each.expiry)
            if level is not None:
                forwards[each.underlying, each.expiry] = round(level)
    return spots, forwards
