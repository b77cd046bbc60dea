"""Previews of strategies on the stage of runs."""

from __future__ import annotations

from optconsole.engine.market.market_days import market_days
from optconsole.engine.market.minutes import Minutes
from optconsole.engine.model.baskets import Allocation, Basket
from optconsole.engine.model.previews import MarginView, Share, StrategyView
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.previewing import BUDGET
from optconsole.engine.queries import BasketPreview
from optconsole.engine.trading.previews.views import Preview
from optconsole.engine.trading.runs.scene import RunScene
from tests.engine.trading.runs.stage import Stage, strategy

PAPER = Allocation(account="paper")
HEAD = 'entry = "09:20"\nexit = "15:15"'
STOP = 'stop = "25%"'


def straddle(head: str = HEAD, leg: str = STOP) -> Strategy:
    return strategy(head, ce=f"sell CE {leg}", pe=f"sell PE {leg}")


def condor() -> Strategy:
    """Sold legs first, so that only sequencing puts the hedges before them."""
    return strategy(
        HEAD,
        ce='sell CE strike = "OTM 3"',
        pe='sell PE strike = "OTM 3"',
        hce='buy CE strike = "OTM 6"',
        hpe='buy PE strike = "OTM 6"',
    )


def scene_of(stage: Stage) -> RunScene:
    return RunScene(
        stage.state, stage.master, stage.situation, "ABC", market_days(stage.calendar), Minutes(), stage.now
    )


def basket(called: str, *strategies: Strategy, accounts: tuple[Allocation, ...] = (PAPER,), **more: object) -> Basket:
    return Basket(name=called, strategies=strategies, allocations=accounts, **more)  # type: ignore[arg-type]


def looked(
    stage: Stage, *strategies: Strategy, accounts: tuple[Allocation, ...] = (PAPER,), **more: object
) -> BasketPreview:
    return previewed(stage, basket("day", *strategies, accounts=accounts, **more))


def previewed(stage: Stage, whole: Basket) -> BasketPreview:
    making = Preview(scene_of(stage), whole, BUDGET)
    for each in whole.strategies:
        making.look(each)
    return making.answer()


def only(found: BasketPreview) -> tuple[StrategyView, Share, MarginView]:
    """The one strategy, its one share, and the one margin."""
    (view,), (margin,) = found.strategies, found.margins
    (share,) = view.shares
    return view, share, margin
