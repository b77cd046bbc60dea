"""What one account would trade of a strategy: lots, orders, money, bounds, worst case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optconsole.engine.model.baskets import Allocation
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Side
from optconsole.engine.model.previews import LegCost, PayoffPicture, Share
from optconsole.engine.pricing.picture import MarketLeg
from optconsole.engine.rules.allocation import share, told
from optconsole.engine.trading.previews.costs import leg_cost
from optconsole.engine.trading.previews.curves import drawn, market_leg, signed
from optconsole.engine.trading.previews.ledgers import planned_ledger
from optconsole.engine.trading.previews.margins import Wanted, hedges_first
from optconsole.engine.trading.previews.rates import order_sizes
from optconsole.engine.trading.previews.sketch import Sketch, premium_of
from optconsole.engine.trading.previews.still import StillScene


@dataclass(frozen=True, slots=True)
class Shared:
    """A share with the orders it is made of, and how many requests they are by side."""

    view: Share
    wanted: tuple[Wanted, ...] = ()
    bought: int = 0
    sold: int = 0


def take_share(scene: StillScene, sketch: Sketch, allocation: Allocation, max_loss: int | None) -> Shared:
    """One account's part of a strategy entered now; a refused one says why and trades nothing."""
    strategy, account = sketch.strategy, allocation.account
    try:
        answer = share({leg.id: leg.lots for leg in strategy.legs}, allocation)
    except Refusal as refused:
        return Shared(Share(account=account, code=refused.code, text=refused.text))
    if account and account not in scene.state.accounts:
        return Shared(Share(account=account, code="UNKNOWN_ACCOUNT", text=f"No account is called {account!r}."))
    text = told(answer) if account else "The lots as written, for no account."
    missing = next((leg.id for leg in strategy.legs if not leg.lazy and sketch.picked(leg.id) is None), None)
    if missing is not None:
        return Shared(
            Share(account=account, code="NO_CONTRACT", text=f"Leg {missing} has no contract.", lots=answer.lots)
        )
    wanted = _wanted(scene, sketch, account, answer.lots)
    sizes = {each.leg: order_sizes(each.qty, each.instrument) for each in wanted}
    picture, costs = _picture(scene, sketch, answer.lots), _costs(scene, wanted, sizes)
    view = Share(
        account=account,
        text=text,
        lots=answer.lots,
        orders=sum(map(len, sizes.values())),
        paid=sum(each.side.sign * each.qty * each.price for each in wanted if each.instrument.strike is not None),
        charges=None if costs is None else sum(each.entry.total + each.exit.total for each in costs),
        costs=costs or (),
        max_profit=None if picture is None else picture.max_profit,
        max_loss=None if picture is None else picture.max_loss,
        endless_loss=picture is not None and picture.endless_loss,
        worst=planned_ledger(scene, sketch, answer.lots, account, max_loss),
    )
    bought, sold = (sum(len(sizes[each.leg]) for each in wanted if each.side is side) for side in (Side.BUY, Side.SELL))
    return Shared(view, tuple(wanted), bought, sold)


def strategy_picture(scene: StillScene, sketch: Sketch) -> PayoffPicture | None:
    """The payoff of the lots as written; None while a leg has no contract or no price."""
    return _picture(scene, sketch, {leg.id: leg.lots for leg in sketch.strategy.legs})


def market_legs(scene: StillScene, sketch: Sketch, lots: Mapping[str, int]) -> dict[str, MarketLeg]:
    """The legs that are entered at the start, at their prices; empty while one of them has none."""
    found: dict[str, MarketLeg] = {}
    for leg in sketch.strategy.legs:
        picked = sketch.picked(leg.id)
        if leg.lazy:
            continue
        price = None if picked is None else premium_of(scene, picked)
        if picked is None or price is None:
            return {}
        units = lots[leg.id] * picked.instrument.lot
        found[leg.id] = market_leg(scene, leg.id, picked.instrument, signed(leg.side, units), price, price)
    return found


def _picture(scene: StillScene, sketch: Sketch, lots: Mapping[str, int]) -> PayoffPicture | None:
    legs = market_legs(scene, sketch, lots)
    contracts = [found.instrument for found in sketch.entered().values()]
    return drawn(scene, sketch.strategy.underlying, list(legs.values()), contracts) if legs else None


def _wanted(scene: StillScene, sketch: Sketch, account: str, lots: Mapping[str, int]) -> list[Wanted]:
    strategy = sketch.strategy
    orders = []
    for leg in strategy.legs:
        found = sketch.picked(leg.id)
        price = None if found is None else premium_of(scene, found)
        if leg.lazy or found is None or price is None:
            continue
        orders.append(
            Wanted(
                leg=leg.id,
                account=leg.account or account,
                instrument=found.instrument,
                side=leg.side,
                qty=lots[leg.id] * found.instrument.lot,
                price=price,
                product=strategy.product,
            )
        )
    return hedges_first(orders) if strategy.execution.hedge_first else orders


def _costs(scene: StillScene, wanted: list[Wanted], sizes: Mapping[str, tuple[int, ...]]) -> tuple[LegCost, ...] | None:
    """The charges of every leg; None where no rates are known."""
    try:
        return tuple(leg_cost(scene.now.date(), each, sizes[each.leg]) for each in wanted)
    except Refusal:
        return None
