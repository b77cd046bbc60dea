"""The preview of a basket put together: its strategies, its accounts, its place in the day's order rate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from optconsole.engine.model.baskets import Allocation, Basket
from optconsole.engine.model.previews import PayoffPicture, StrategyView
from optconsole.engine.model.runs import Run
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.pricing.picture import MarketLeg
from optconsole.engine.queries import BasketPreview, RunOutlook
from optconsole.engine.rules.allocation import departures
from optconsole.engine.rules.order_rate import Budget, forecast
from optconsole.engine.rules.schedules import NotToday, Planned
from optconsole.engine.trading.previews.curves import drawn, market_leg, volatilities
from optconsole.engine.trading.previews.ledgers import run_ledger
from optconsole.engine.trading.previews.margins import Wanted, margin_view
from optconsole.engine.trading.previews.rates import Waves, add_runs
from optconsole.engine.trading.previews.shares import Shared, market_legs, strategy_picture, take_share
from optconsole.engine.trading.previews.sketch import Sketch, entry_time, exit_time, leg_pick, sketch
from optconsole.engine.trading.previews.still import StillScene, stand_still
from optconsole.engine.trading.runs.scene import RunScene, units

NOBODY = Allocation(account="")
"""Stands in for the accounts of a basket that has none: its strategies are looked at with the lots as written."""


class Preview:
    """A preview in the making: each strategy is looked at in turn, at the market as it stood when it began."""

    def __init__(self, scene: RunScene, basket: Basket, budget: Budget) -> None:
        self._scene = stand_still(scene)
        self._basket = basket
        self._budget = budget
        self._takers = [each for each in basket.allocations if each.enabled] or [NOBODY]
        self._views: list[StrategyView] = []
        self._waves = Waves()
        self.wanted: list[Wanted] = []
        """The orders that it comes to, in the order in which they leave."""

    def look(self, strategy: Strategy) -> None:
        """Take one strategy of the basket in."""
        looked = sketch(self._scene, self._basket.name, strategy)
        shares = [take_share(self._scene, looked, taker, self._basket.max_loss) for taker in self._takers]
        self._views.append(_strategy(self._scene, looked, shares))
        self.wanted += [order for shared in shares for order in shared.wanted]
        _plan(self._waves, self._basket, looked, shares)

    def answer(self) -> BasketPreview:
        """Everything about the strategies looked at."""
        add_runs(self._scene, self._waves, without=self._basket.name)
        accounts = dict.fromkeys([*(each.account for each in self._takers), *(each.account for each in self.wanted)])
        return BasketPreview(
            at=self._scene.now,
            basket=self._basket.name,
            strategies=tuple(self._views),
            margins=tuple(
                margin_view(self._scene, account, [each for each in self.wanted if each.account == account])
                for account in accounts
            ),
            rate=forecast(self._waves.all(), self._budget),
        )


def outlook(seen: RunScene, run: Run, max_loss: int | None) -> RunOutlook:
    """Where a run stands: the payoff of what it holds, and its worst case."""
    scene = stand_still(seen)
    return RunOutlook(
        at=scene.now,
        run_id=run.id,
        picture=_held_picture(scene, run),
        worst=run_ledger(scene, run, max_loss),
    )


def _strategy(scene: StillScene, looked: Sketch, shares: Sequence[Shared]) -> StrategyView:
    strategy: Strategy = looked.strategy
    legs = market_legs(scene, looked, {leg.id: leg.lots for leg in strategy.legs})
    contracts = [found.instrument for found in looked.entered().values()]
    vols = volatilities(scene, strategy.underlying, legs, contracts)
    code, text = _when(scene, looked.when)
    return StrategyView(
        name=strategy.name,
        underlying=strategy.underlying,
        legs=tuple(leg_pick(scene, leg, looked.picks[leg.id], vols.get(leg.id)) for leg in strategy.legs),
        picture=strategy_picture(scene, looked),
        shares=tuple(each.view for each in shares),
        code=code,
        text=text,
    )


def _when(scene: StillScene, when: Planned | NotToday) -> tuple[str, str]:
    """(code, sentence) of when a strategy enters today, or why it does not."""
    if isinstance(when, NotToday):
        return when.code, when.text
    if when.entry_until <= scene.now:
        return "PASSED", f"Its time today, {when.entry_at:%H:%M:%S}, has passed."
    return "", f"Enters today at {when.entry_at:%H:%M:%S}."


def _plan(waves: Waves, basket: Basket, looked: Sketch, shares: Sequence[Shared]) -> None:
    """The orders of a strategy on its day, each account at its turn. What waits for an account before it comes last."""
    turns = {each.account: each.offset_ms for each in departures(basket.allocations, basket.pace, basket.stagger_ms)}
    for each in shares:
        name = f"{looked.strategy.name} on {each.view.account}" if each.view.account else looked.strategy.name
        at = entry_time(looked) + timedelta(milliseconds=turns.get(each.view.account, 0))
        waves.enter(name, at, each.bought, each.sold)
        out = exit_time(looked)
        if out.date() == looked.run.trade_date:
            waves.leave(name, out, each.bought + each.sold)


def _held_picture(scene: StillScene, run: Run) -> PayoffPicture | None:
    """What is still held, at what it was entered for; closed legs are no part of it."""
    legs: list[MarketLeg] = []
    contracts = []
    for leg in run.legs.values():
        contract, held = scene.master.get(leg.contract), units(scene, run, leg)
        if contract is not None and held:
            price = scene.situation.price(leg.contract)
            legs.append(market_leg(scene, leg.id, contract, held, leg.entry or 0, price))
            contracts.append(contract)
    return drawn(scene, run.strategy.underlying, legs, contracts)
