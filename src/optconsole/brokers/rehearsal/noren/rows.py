"""Rows of Noren's books. Every value is a string; what an order does not have yet is absent."""

from __future__ import annotations

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
        **whose(uid),
        **contract_words(symbol),
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
        **product_words(ticket.prd),
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
        **whose(uid),
        **contract_words(symbol),
        "qty": str(record.now.qty),
        "trantype": SIDE_WORD[trade.side],
        "prctyp": record.now.prctyp,
        "ret": ticket.ret,
        "prc": money(record.now.prc),
        **product_words(ticket.prd),
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


def whose(uid: str) -> Row:
    return {"uid": uid, "actid": uid, "src_uid": uid}


def product_words(prd: str) -> Row:
    return {"prd": prd, "s_prdt_ali": PRODUCT_ALIAS.get(prd, prd)}


def contract_words(symbol: Symbol) -> Row:
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
