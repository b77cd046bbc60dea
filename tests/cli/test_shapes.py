"""JSON of the command line: whole paise under names that say so."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType

import msgspec

from optconsole.cli import shapes
from optconsole.engine import events, queries
from optconsole.engine.model import (
    accounts,
    book,
    groups,
    instruments,
    orders,
    parents,
    positions,
    protection,
    vitals,
)
from optconsole.engine.model.orders import Product
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.quotes import Quote
from tests.link.small_engine import CALL

NOT_MONEY = frozenset(
    (
        "acknowledged",
        "after",
        "ask_qty",
        "attempt",
        "bid_qty",
        "bought",
        "cancelled",
        "carried_qty",
        "changes",
        "closed",
        "consoles",
        "crossed_ts",
        "disk_free",
        "epoch",
        "events",
        "failures",
        "filled",
        "fills_adopted",
        "first_bad",
        "freeze",
        "group_count",
        "guarded",
        "head",
        "inbox",
        "killed_after",
        "lag_ms",
        "largest",
        "limit",
        "lot",
        "member",
        "minutes",
        "next",
        "oi",
        "oi_open",
        "order_count",
        "orders",
        "orders_checked",
        "orders_last_second",
        "orders_per_second_cap",
        "ours",
        "parent_count",
        "percent",
        "protection_count",
        "qty",
        "reads",
        "reads_needed",
        "run_count",
        "second",
        "seq",
        "sign",
        "sold",
        "step",
        "theirs",
        "tries",
        "ts",
        "until",
        "upto",
        "used",
        "value",
        "version",
        "volume",
        "warned",
    )
)
"""Whole numbers of the model that are counts, quantities, sequence numbers or times."""


def structs(module: ModuleType) -> Iterator[type[msgspec.Struct]]:
    for _name, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, msgspec.Struct) and found.__module__.startswith(module.__name__):
            yield found


def test_every_whole_number_of_the_model_is_known_as_money_or_as_something_else() -> None:
    modules = (events, queries, accounts, book, groups, instruments, orders, parents, positions, protection, vitals)
    for module in modules:
        for struct in structs(module):
            for field in msgspec.structs.fields(struct):
                if field.type in (int, int | None):
                    known = (field.name in shapes.MONEY) + (field.name in NOT_MONEY)
                    assert known == 1, f"{struct.__name__}.{field.name}"


def test_money_is_whole_paise_and_unknown_is_null() -> None:
    held = (
        Position(key=PositionKey("paper", Product.NRML, CALL), lot=75).traded(-75, 101_25, 36_08).traded(-150, 101_26)
    )
    shape = shapes.position(held, None)
    assert (shape["average_paise"], shape["cost_paise"]) == (101_26, -(75 * 101_25 + 150 * 101_26))
    assert (shape["mark_paise"], shape["unrealised_paise"]) == (None, None)
    assert (shape["contract"], shape["qty"], shape["lots"], shape["charges_paise"]) == (CALL, -225, -3.0, 36_08)
    marked = shapes.position(held, Quote(CALL, 0, bid=100_00, ask=100_10, ltp=100_05))
    assert marked["unrealised_paise"] == -225 * 100_05 - held.cost


def test_a_quote_tells_its_time_in_ist() -> None:
    shape = shapes.quote(Quote(CALL, 1_795_414_800_000, bid=5))
    assert shape["at"] == "2026-11-23T11:50:00+05:30"
    assert (shape["bid_paise"], shape["ask_paise"], shape["bid_qty"]) == (5, None, 0)
