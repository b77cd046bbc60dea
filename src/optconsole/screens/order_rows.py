"""Rows and columns of the order book and the trade book."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from optconsole.engine.model.orders import Order, Side, Trade
from optconsole.screens.formats import Formats
from optconsole.screens.order_words import prices, short_state, side_role, state_role, state_words
from optconsole.screens.widgets.arrangement import GROUP
from optconsole.screens.widgets.columns import BLANK, Column, Row


def order_columns(fmt: Formats) -> list[Column]:
    """The columns of ``order_row``: features 4.5, the state and its reason at the end where the eye rests."""
    roles = {"BUY": "buy", "SELL": "sell"}
    return [
        Column("Time", 8, fmt.clock, "dim", align="left", priority=5),
        Column("Order", 5, fmt.text, "dim", align="left", priority=6),
        Column("Acct", 7, fmt.text, "dim", align="left", priority=9),
        Column("Contract", 24, str, align="left"),
        Column("Side", 4, str, lambda side: roles.get(side, ""), align="left"),
        Column("Lots", 5, str),
        Column("Units", 6, fmt.grouped, "dim", priority=10),
        Column("Type", 6, str, "dim", priority=3),
        Column("Price", 13, str),
        Column(" State", 17, _first, _second, align="left"),
        Column("Filled", 9, str, priority=2),
        Column("Avg", 9, fmt.price, priority=7),
        Column("Age", 5, fmt.age, "dim", priority=8),
        Column(" Reason", 16, lambda reason: f" {fmt.text(reason)}", "dim", align="left", priority=4, grow=80),
    ]


def _first(state: tuple[str, str]) -> str:
    return f" {state[0]}"


def _second(state: tuple[str, str]) -> str:
    return state[1]


def order_row(order: Order, now: datetime | None, lot: int, fmt: Formats) -> Row:
    """One order. Age is time since its last change, and only while it works."""
    terms, size = order.terms, order.lot or lot
    age = (now - order.updated_at).total_seconds() if now is not None and not order.status.final else None
    filled = f"{fmt.grouped(order.filled)}/{fmt.grouped(terms.qty)}" if order.filled else BLANK
    values = [
        order.intended_at,
        order.id,
        terms.account,
        fmt.contract(terms.contract),
        terms.side.value,
        fmt.grouped(terms.qty // size) if size else fmt.unknown,
        terms.qty,
        terms.type.value,
        prices(terms, fmt),
        (short_state(order), state_role(order)),
        filled,
        order.average if order.filled else BLANK,
        BLANK if age is None else max(age, 0.0),
        order.reason or BLANK,
    ]
    kind = "alarm" if order.status.value == "UNKNOWN" else ""
    find = f"{order.id} {terms.contract} {values[3]} {terms.side.value} {state_words(order)} {order.reason}"
    return Row(order.id, values, kind, find=find)


def group_row(key: str, title: str, width: int) -> Row:
    """A section's header."""
    values: list[object] = [BLANK] * width
    values[3] = title
    return Row(key, values, GROUP)


def order_rows(orders: Iterable[Order], now: datetime | None, lots: dict[str, int], fmt: Formats) -> list[Row]:
    """What works on top, then what is done; the newest first in both."""
    width = len(order_columns(fmt))
    newest = sorted(orders, key=lambda order: (order.intended_at, _number(order.id)), reverse=True)
    working = [order for order in newest if not order.status.final]
    done = [order for order in newest if order.status.final]
    rows: list[Row] = []
    for key, title, members in (("group/working", "Working", working), ("group/done", "Done", done)):
        if members:
            rows.append(group_row(key, f"{title} ({len(members)})", width))
            rows += [order_row(order, now, lots.get(order.terms.contract, 0), fmt) for order in members]
    return rows


def _number(order_id: str) -> int:
    digits = order_id[1:]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def trade_columns(fmt: Formats) -> list[Column]:
    """The columns of ``trade_row``."""
    return [
        Column("Time", 8, fmt.clock, "dim", align="left"),
        Column("Contract", 24, str, align="left", grow=8),
        Column("Side", 4, str, lambda side: side_role(Side(side)), align="left"),
        Column("Lots (units)", 13, str),
        Column("Price", 10, fmt.price),
        Column("Charges", 9, fmt.amount, "dim", priority=1),
        Column("Order", 6, fmt.text, "dim", priority=2),
        Column("Trade", 12, fmt.text, "dim", priority=3, grow=10),
    ]


def trade_row(key: str, trade: Trade, lot: int, fmt: Formats) -> Row:
    """One execution."""
    values = [
        trade.at,
        fmt.contract(trade.contract),
        trade.side.value,
        fmt.lots(trade.qty, lot),
        trade.price,
        trade.charges,
        trade.order_id,
        trade.id,
    ]
    return Row(key, values, find=f"{trade.contract} {values[1]} {trade.side.value} {trade.order_id}")
