"""Rows and columns of the order book and the trade book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from optconsole.engine.model.orders import Order, OrderTerms, OrderType, Side, Trade
from optconsole.screens.formats import Formats
from optconsole.screens.order_purpose import behalf, purpose_line
from optconsole.screens.order_tree import Bundle
from optconsole.screens.order_words import freezes, in_doubt, prices, short_state, side_role, state_role, state_words
from optconsole.screens.widgets.arrangement import GROUP
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import BLANK, Column, Row
from optconsole.screens.widgets.ribbon import Line

MARKET: Final = "MKT"


def order_columns(fmt: Formats) -> list[Column]:
    """The columns of ``order_row``: features 4.5, the state and its reason at the end where the eye rests."""
    roles = {"BUY": "buy", "SELL": "sell"}
    return [
        Column("Time", 8, fmt.clock, "dim", align="left", priority=3),
        Column("Order", 5, fmt.text, "dim", align="left", priority=2),
        Column("Acct", 7, fmt.text, "dim", align="left", priority=9),
        Column("Contract", 24, str, align="left"),
        Column("Side", 4, str, lambda side: roles.get(side, ""), align="left"),
        Column("Lots", 4, str, grow=2),
        Column("Units", 6, fmt.grouped, "dim", priority=11),
        Column("Type", 6, str, "dim", priority=7),
        Column("Price", 13, str, _price_role),
        Column(" State", 16, _first, _second, align="left", grow=1),
        Column("For", 9, fmt.text, purpose_role, align="left", priority=1, grow=2),
        Column("Filled", 9, str, priority=4),
        Column("Avg", 9, fmt.price, priority=6),
        Column("Age", 5, fmt.age, "dim", priority=8),
        Column(" By", 11, lambda who: f" {fmt.text(who)}", "dim", align="left", priority=10, grow=4),
        Column(" Reason", 12, lambda reason: f" {fmt.text(reason)}", "dim", align="left", priority=5, grow=84),
    ]


def _price(terms: OrderTerms, fmt: Formats) -> str:
    """The price asked for; a market order's worst price is none that was asked for, so it says whose it is."""
    if terms.type is OrderType.MARKET:
        return f"{MARKET} {prices(terms, fmt)}"
    return f"{fmt.price(terms.trigger)}/{MARKET}" if terms.type is OrderType.SL_M else prices(terms, fmt)


def _price_role(price: str) -> str:
    return "dim" if price.startswith(MARKET) else ""


def purpose_role(word: str) -> str:
    """What only closes stands back, what adds risk does not."""
    return "" if word.startswith(("entry", "part", "whole")) else "warn" if word == "others" else "accent"


def chosen_line(order: Order, fmt: Formats, purpose: str = "", links: str = "") -> Line:
    """What the table has no room for of one order: when, under which number, of what type, and why it is as it is."""
    parts = [
        Part(f" {fmt.text(order.id)} ", "title"),
        Part(f"{fmt.clock(order.intended_at)} {order.terms.type.value}  ", "dim"),
        Part(state_words(order), state_role(order)),
    ]
    # the state says already that it is probably absent
    reason = order.reason.removeprefix("Probably absent: ")
    parts += [Part(f": {fmt.text(reason)}")] if reason else []
    parts += [Part(f"  {purpose_line(purpose, order, fmt)}", "dim", 2)] if purpose else []
    return [*parts, Part(f"  {links}", "accent", 1)] if links else parts, []


def _first(state: tuple[str, str]) -> str:
    return f" {state[0]}"


def _second(state: tuple[str, str]) -> str:
    return state[1]


def order_row(order: Order, now: datetime | None, lot: int, fmt: Formats, purpose: str = BLANK) -> Row:
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
        _price(terms, fmt),
        (short_state(order), state_role(order)),
        purpose,
        filled,
        order.average if order.filled else BLANK,
        BLANK if age is None else max(age, 0.0),
        behalf(order),
        order.reason or BLANK,
    ]
    kind = "alarm" if freezes(order) else ""
    named = f"{order.id} {terms.contract} {values[3]} {terms.side.value}"
    find = f"{named} {state_words(order)} {order.reason} {purpose} {terms.source}"
    return Row(order.id, values, kind, find=find)


def group_row(key: str, title: str, width: int) -> Row:
    """A section's header."""
    values: list[object] = [BLANK] * width
    values[3] = title
    return Row(key, values, GROUP)


def order_rows(
    orders: Iterable[Order],
    now: datetime | None,
    lots: Mapping[str, int],
    fmt: Formats,
    tied: Sequence[Bundle] = (),
    meant: Mapping[str, str] = MappingProxyType({}),
) -> list[Row]:
    """What is in doubt, what works, what others sent, then what is done; the newest first in each.

    ``meant`` are the words for what each order is for. ``tied`` orders that work stand below the row of what they
    belong to, above those that stand alone.
    """
    width = len(order_columns(fmt))
    newest = sorted(orders, key=lambda order: (order.intended_at, _number(order.id)), reverse=True)
    working = [order for order in newest if not order.status.final]
    done = [order for order in newest if order.status.final]
    rows: list[Row] = []
    sections = (
        ("group/doubt", "In doubt", [order for order in working if in_doubt(order)]),
        ("group/working", "Working", [order for order in working if not in_doubt(order) and not order.foreign]),
        ("group/foreign", "Not sent from here", [order for order in working if order.foreign]),
        ("group/done", "Done", done),
    )
    for key, title, members in sections:
        together = tied if key == "group/working" else ()
        if members or together:
            rows.append(group_row(key, f"{title} ({len(members)})", width))
            rows += _bundled(together, now, lots, fmt, meant)
            below = {order.id for bundle in together for order in bundle.orders}
            rows += [
                order_row(order, now, lots.get(order.terms.contract, 0), fmt, meant.get(order.id, BLANK))
                for order in members
                if order.id not in below
            ]
    return rows


def _bundled(
    tied: Sequence[Bundle], now: datetime | None, lots: Mapping[str, int], fmt: Formats, meant: Mapping[str, str]
) -> list[Row]:
    rows: list[Row] = []
    for bundle in tied:
        rows.append(Row(bundle.key, bundle.values, "", find=bundle.find))
        for order in bundle.orders:
            row = order_row(order, now, lots.get(order.terms.contract, 0), fmt, meant.get(order.id, BLANK))
            values = list(row.values)
            values[1] = f"{fmt.glyph('└', '+')}{order.id}"
            rows.append(Row(row.key, values, row.kind, find=f"{row.find} {bundle.name}"))
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
