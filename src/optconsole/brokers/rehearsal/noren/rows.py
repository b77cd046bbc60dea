"""Rows of Noren's books. Every value is a string; what an order does not have yet is absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optconsole.brokers.rehearsal.noren.record import Record, Stage
from optconsole.brokers.rehearsal.noren.replies import Row
from optconsole.brokers.rehearsal.noren.symbols import Symbol
from optconsole.brokers.rehearsal.noren.words import (
    NO_EXCHANGE_TIME,
    PRODUCT_ALIAS,
    SIDE_WORD,
    epoch,
    exchange_time,
    money,
    noren_time,
)
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import BrokerTrade


def average(value: int, qty: int) -> str:
    """Rupees a unit of paise in all; exact halves away from zero."""
    return money((2 * value + qty) // (2 * qty)) if qty else "0.00"


def order_row(record: Record, uid: str, stage: Stage | None = None) -> Row:
    """A row of OrderBook, or of SingleOrdHist where an earlier ``stage`` is given."""
    at = stage or record.now
    ticket, symbol = record.ticket, record.ticket.symbol
    row: Row = {
        "stat": "Ok",
        "norenordno": record.number,
        "kidid": "1",
        **_whose(uid),
        **_contract(symbol),
        "qty": str(at.qty),
        "trantype": ticket.trantype,
        "prctyp": at.prctyp,
        "ret": ticket.ret,
        "prc": money(at.prc),
        "rprc": money(at.prc),
        "rqty": str(at.qty),
        "rorgqty": "0",
        "rorgprc": "0.00",
        "orgtrgprc": "0.00",
        "dscqty": str(ticket.dscqty),
        **_product(ticket.prd),
        "status": at.status,
        "st_intrn": at.status,
        "rpt": at.report,
        "remarks": ticket.remarks,
        "amo": ticket.amo or "No",
        "mult": "1",
        "prcftr": "1.000000",
        "norentm": noren_time(at.at),
        "ordenttm": epoch(record.entered_at),
        "exch_tm": exchange_time(at.at) if at.report not in ("NewAck", "PendingNew") else NO_EXCHANGE_TIME,
        "snonum": "0",
        "snoordt": "0",
        "ordersource": ticket.source,
        "mkt_protection": "0",
        "brnchid": "HO",
        "C": "C",
        "pan": "XXXXX0000X",
    }
    if at.reason:
        row["rejreason"] = at.reason
    if at.trgprc:
        row["trgprc"] = row["rtrgprc"] = money(at.trgprc)
    if at.filled:
        row["fillshares"] = str(at.filled)
        row["avgprc"] = average(at.filled_value, at.filled)
    if at.cancelled:
        row["cancelqty"] = str(at.cancelled)
    if at.rejected_by:
        row["rejby"] = at.rejected_by
    elif at.report not in ("NewAck", "PendingNew"):
        row["exchordid"] = record.exchange_id
    return row


def trade_row(record: Record, trade: BrokerTrade, filled: int, uid: str) -> Row:
    """A row of TradeBook; ``filled`` is what the order had with this execution."""
    ticket, symbol = record.ticket, record.ticket.symbol
    return {
        "stat": "Ok",
        "norenordno": record.number,
        "kidid": "1",
        **_whose(uid),
        **_contract(symbol),
        "qty": str(record.now.qty),
        "trantype": SIDE_WORD[trade.side],
        "prctyp": record.now.prctyp,
        "ret": ticket.ret,
        "prc": money(record.now.prc),
        **_product(ticket.prd),
        "fillshares": str(filled),
        "avgprc": average(record.now.filled_value, record.now.filled),
        "flid": fill_id(trade),
        "flqty": str(trade.qty),
        "flprc": money(trade.price),
        "fltm": exchange_time(trade.at),
        "norentm": noren_time(trade.at),
        "exch_tm": exchange_time(trade.at),
        "exchordid": record.exchange_id,
        "remarks": ticket.remarks,
        "snonum": "0",
        "snoordt": "0",
        "cstFrm": "C",
        "mult": "1",
        "prcftr": "1.000000",
        "ordersource": ticket.source,
    }


def fill_id(trade: BrokerTrade) -> str:
    """The exchange's number of an execution: digits only."""
    return "".join(letter for letter in trade.trade_id if letter.isdigit())


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
        **_whose(uid),
        **_contract(symbol),
        **_product(standing.prd),
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


def _whose(uid: str) -> Row:
    return {"uid": uid, "actid": uid, "src_uid": uid}


def _product(prd: str) -> Row:
    return {"prd": prd, "s_prdt_ali": PRODUCT_ALIAS.get(prd, prd)}


def _contract(symbol: Symbol) -> Row:
    return {
        "exch": symbol.exch,
        "tsym": symbol.tsym,
        "token": symbol.token,
        "pp": "2",
        "ti": symbol.tick,
        "ls": symbol.lot,
        "instname": symbol.instname,
        "dname": display_name(symbol),
    }


def display_name(symbol: Symbol) -> str:
    """``NIFTY 24NOV26 25000 CE``, with the blank at the end that the server leaves."""
    return f"{symbol.instrument.name} "
