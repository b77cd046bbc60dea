"""Positions as Noren counts them: what was carried in, today's executions, and the averages of all that was traded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optconsole.brokers.rehearsal.noren.replies import Row
from optconsole.brokers.rehearsal.noren.rows import average, contract_words, product_words, whose
from optconsole.brokers.rehearsal.noren.symbols import Symbol
from optconsole.brokers.rehearsal.noren.words import money
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import BrokerTrade


@dataclass(frozen=True, slots=True)
class Standing:
    """One contract and product: what was carried into today (units, paise for them), today's executions, what works.

    ``resting`` are (side, unfilled units, limit); ``last`` is the last price in paise.
    """

    symbol: Symbol
    prd: str
    carried: int
    carried_cost: int
    trades: Sequence[BrokerTrade]
    resting: Sequence[tuple[Side, int, int]]
    last: int


@dataclass(frozen=True, slots=True)
class _Sum:
    qty: int
    value: int

    def __add__(self, other: _Sum) -> _Sum:
        return _Sum(self.qty + other.qty, self.value + other.value)

    def keys(self, prefix: str, side: str) -> Row:
        return {
            f"{prefix}{side}qty": str(self.qty),
            f"{prefix}{side}amt": money(self.value),
            f"{prefix}{side}avgprc": average(self.value, self.qty),
        }


def net_quantity(standing: Standing) -> int:
    """Signed units open."""
    return standing.carried + sum(trade.side.sign * trade.qty for trade in standing.trades)


def realised(standing: Standing) -> int:
    """Paise realised today on the averages of all that was bought and sold, as Noren counts it."""
    bought, sold = _totals(standing)
    closed = min(bought.qty, sold.qty)
    if not closed:
        return 0
    return sold.value * closed // sold.qty - bought.value * closed // bought.qty


def unrealised(standing: Standing) -> int:
    """Paise the open units are ahead at the last price."""
    bought, sold = _totals(standing)
    net = bought.qty - sold.qty
    open_side = bought if net > 0 else sold
    return net * standing.last - net * open_side.value // open_side.qty if net else 0


def position_row(standing: Standing, uid: str) -> Row:
    """A row of PositionBook."""
    symbol, net = standing.symbol, net_quantity(standing)
    bought, sold = _totals(standing)
    open_side = bought if net > 0 else sold
    net_average = average(open_side.value, open_side.qty) if net else "0.00"
    carried_average = average(abs(standing.carried_cost), abs(standing.carried))
    carried = _Sum(abs(standing.carried), abs(standing.carried_cost))
    nothing = _Sum(0, 0)
    resting = {side: _resting(standing, side) for side in Side}
    return {
        "stat": "Ok",
        **whose(uid),
        **contract_words(symbol),
        **product_words(standing.prd),
        "netqty": str(net),
        "netavgprc": net_average,
        "netupldprc": carried_average if standing.carried else "0.00",
        "upldprc": carried_average if standing.carried else "0.00",
        **_day(standing, Side.BUY).keys("day", "buy"),
        **_day(standing, Side.SELL).keys("day", "sell"),
        **(carried if standing.carried > 0 else nothing).keys("cf", "buy"),
        **(carried if standing.carried < 0 else nothing).keys("cf", "sell"),
        "cforgavgprc": carried_average if standing.carried else "0.00",
        **resting[Side.BUY].keys("open", "buy"),
        **resting[Side.SELL].keys("open", "sell"),
        "totbuyamt": money(bought.value),
        "totsellamt": money(sold.value),
        "totbuyavgprc": average(bought.value, bought.qty),
        "totsellavgprc": average(sold.value, sold.qty),
        "lp": money(standing.last),
        "rpnl": money(realised(standing)),
        "urmtom": money(unrealised(standing)),
        "bep": net_average,
        "mult": "1",
        "prcftr": "1.000000",
    }


def _totals(standing: Standing) -> tuple[_Sum, _Sum]:
    bought, sold = _day(standing, Side.BUY), _day(standing, Side.SELL)
    carried = _Sum(abs(standing.carried), abs(standing.carried_cost))
    return (bought + carried, sold) if standing.carried > 0 else (bought, sold + carried)


def _day(standing: Standing, side: Side) -> _Sum:
    mine = [trade for trade in standing.trades if trade.side is side]
    return _Sum(sum(trade.qty for trade in mine), sum(trade.qty * trade.price for trade in mine))


def _resting(standing: Standing, side: Side) -> _Sum:
    mine = [(qty, price) for resting_side, qty, price in standing.resting if resting_side is side]
    return _Sum(sum(qty for qty, _price in mine), sum(qty * price for qty, price in mine))
