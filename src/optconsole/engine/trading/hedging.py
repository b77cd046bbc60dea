"""Longs that hedge shorts go last: they are sold only for what of the shorts is bought back (reliability O14)."""

from __future__ import annotations

from collections.abc import Sequence

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Right, parse_contract
from optconsole.engine.model.positions import Position
from optconsole.engine.model.timeline import Since
from optconsole.engine.trading.covering import claimed, closing_on


def to_spare(state: TradingState, wanted: Sequence[tuple[Position, int]], position: Position, since: Since) -> int:
    """Units of a long position that may be sold now; below nought when more is for sale already than should be.

    ``wanted`` are positions with the units to close of each. Of the longs in the same account and underlying as many
    units stay as shorts are still to be bought back: in all, and for calls and puts each, since neither hedges the
    other. What is being sold already counts as sold.
    """
    group = [(each, qty) for each, qty in wanted if _group(each) == _group(position)]
    alike = [(each, qty) for each, qty in group if _right(each) is _right(position)]
    return min(_spare(state, group, since), _spare(state, alike, since))


def _spare(state: TradingState, group: Sequence[tuple[Position, int]], since: Since) -> int:
    shorts = sum(qty for each, qty in group if each.qty < 0)
    longs = sum(qty for each, qty in group if each.qty > 0)
    selling = sum(claimed(closing_on(state, each), since) for each, _ in group if each.qty > 0)
    return longs - shorts - (selling if shorts else 0)


def _group(position: Position) -> tuple[str, str]:
    return position.key.account, parse_contract(position.key.contract).underlying


def _right(position: Position) -> Right:
    """A future goes with the calls: bought, it covers sold ones."""
    return parse_contract(position.key.contract).right or Right.CALL
