"""Frames of the stream: JSON text, values strings; a snapshot first, then only what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from optconsole.brokers.rehearsal.noren.record import RISK_DESK, Record, Stage
from optconsole.brokers.rehearsal.noren.rows import average, fill_id
from optconsole.brokers.rehearsal.noren.sight import Sight
from optconsole.brokers.rehearsal.noren.symbols import Symbol
from optconsole.brokers.rehearsal.noren.words import (
    NO_EXCHANGE_TIME,
    epoch_of,
    exchange_time,
    money,
    noren_time,
    percent,
)

Fields = dict[str, str]

TOUCHLINE: Final = "t"
DEPTH: Final = "d"
LEVELS: Final = 5


def touchline(sight: Sight) -> Fields:
    """What a ``tk`` holds beside ``t``, ``e`` and ``tk``; an index has no volume, interest or book."""
    fields = named(sight.symbol) | _prices(sight)
    if sight.booked:
        fields |= _interest(sight)
        fields |= _level(1, sight.bids, "bp", "bq") | _level(1, sight.asks, "sp", "sq")
    return fields | {"ft": epoch_of(sight.stamp)}


def depth(sight: Sight) -> Fields:
    """What a ``dk`` holds: the touchline, five levels a side, totals, last trade, circuit limits."""
    fields = named(sight.symbol) | _prices(sight)
    if sight.booked:
        fields |= _interest(sight)
        fields |= {
            "ltt": sight.trade_time,
            "ltq": str(sight.trade_qty),
            "tbq": str(sum(size for _price, size in sight.bids)),
            "tsq": str(sum(size for _price, size in sight.asks)),
            "lc": money(sight.lower),
            "uc": money(sight.upper),
        }
        for rank in range(1, LEVELS + 1):
            fields |= _level(rank, sight.bids, "bp", "bq", "bo") | _level(rank, sight.asks, "sp", "sq", "so")
    fields |= {"52h": money(sight.year_high), "52l": money(sight.year_low)}
    return fields | {"ft": epoch_of(sight.stamp)}


VIEWS: Final = {TOUCHLINE: touchline, DEPTH: depth}


def named(symbol: Symbol) -> Fields:
    """What a snapshot says of a contract that has not been quoted yet."""
    return {"ts": symbol.tsym, "pp": "2", "ti": symbol.tick, "ls": symbol.lot}


def snapshot(kind: str, symbol: Symbol, fields: Mapping[str, str]) -> Fields:
    """The acknowledgement of a subscription, ``tk`` or ``dk``."""
    return {"t": f"{kind}k", "e": symbol.exch, "tk": symbol.token, **fields}


def update(kind: str, symbol: Symbol, before: Mapping[str, str], after: Mapping[str, str]) -> Fields | None:
    """``tf`` or ``df`` with the fields that changed and nothing else; None where only the time did."""
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    if not changed.keys() - {"ft"}:
        return None
    return {"t": f"{kind}f", "e": symbol.exch, "tk": symbol.token, **changed}


def unread(fields: Mapping[str, str]) -> Fields:
    """A frame whose prices are not available: they say NA, which is no number."""
    return {name: "NA" if name in ("lp", "pc", "ap", "oi", "ltq") else value for name, value in fields.items()}


def order_update(record: Record, stage: Stage, uid: str) -> Fields:
    """An ``om``; what a fill adds comes with reporttype Fill only."""
    ticket, symbol = record.ticket, record.ticket.symbol
    at_exchange = stage.report not in ("NewAck", "PendingNew") and stage.rejected_by != RISK_DESK
    frame = {
        "t": "om",
        "norenordno": record.number,
        "uid": uid,
        "actid": uid,
        "exch": symbol.exch,
        "tsym": symbol.tsym,
        "trantype": ticket.trantype,
        "qty": str(stage.qty),
        "prc": money(stage.prc),
        "pcode": ticket.prd,
        "remarks": ticket.remarks,
        "rejreason": stage.reason or " ",
        "status": stage.status,
        "reporttype": stage.report,
        "prctyp": stage.prctyp,
        "ret": ticket.ret,
        "exchordid": record.exchange_id if at_exchange else "",
        "dscqty": str(ticket.dscqty),
        "tm": str(int(stage.at.timestamp())),
        "ntm": str(int(stage.at.timestamp() * 1_000_000_000)),
        "norentm": noren_time(stage.at),
        "exch_tm": exchange_time(stage.at) if at_exchange else NO_EXCHANGE_TIME,
        "kidid": "1",
    }
    if stage.trgprc:
        frame["trgprc"] = money(stage.trgprc)
    if stage.cancelled:
        frame["cancelqty"] = str(stage.cancelled)
    if stage.filled:
        frame |= {"fillshares": str(stage.filled), "avgprc": average(stage.filled_value, stage.filled)}
    if stage.fill is not None:
        frame |= {
            "flid": fill_id(stage.fill),
            "flqty": str(stage.fill.qty),
            "flprc": money(stage.fill.price),
            "fltm": exchange_time(stage.fill.at),
        }
    return frame


def _prices(sight: Sight) -> Fields:
    if sight.last is None:
        return {"c": money(sight.close)}
    return {
        "lp": money(sight.last),
        "pc": percent(sight.last, sight.close),
        "o": money(sight.open),
        "h": money(sight.high),
        "l": money(sight.low),
        "c": money(sight.close),
    }


def _interest(sight: Sight) -> Fields:
    return {
        "v": str(sight.volume),
        "ap": money(sight.average),
        "oi": str(sight.oi),
        "poi": str(sight.oi_before),
        "toi": str(sight.oi),
    }


def _level(rank: int, levels: tuple[tuple[int, int], ...], price: str, size: str, orders: str = "") -> Fields:
    """One level; an empty one is written as zeros."""
    shown = levels[rank - 1] if len(levels) >= rank else (0, 0)
    fields = {f"{price}{rank}": money(shown[0]), f"{size}{rank}": str(shown[1])}
    if orders:
        fields[f"{orders}{rank}"] = "1" if shown[1] else "0"
    return fields
