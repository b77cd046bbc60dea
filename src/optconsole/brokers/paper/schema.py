"""The ledger's tables and how our values lie in them: enums and times as text, money and units as integers."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from optconsole.brokers.paper.orders import PaperOrder
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.ports import BrokerTrade, Settlement

SCHEMA_VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE orders (
  broker_id TEXT PRIMARY KEY, tag TEXT NOT NULL, account TEXT NOT NULL, contract TEXT NOT NULL, side TEXT NOT NULL,
  qty INTEGER NOT NULL, type TEXT NOT NULL, price INTEGER NOT NULL, trigger INTEGER, product TEXT NOT NULL,
  validity TEXT NOT NULL, rank INTEGER NOT NULL, day TEXT NOT NULL, entered_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  status TEXT NOT NULL, triggered INTEGER NOT NULL, filled INTEGER NOT NULL, filled_value INTEGER NOT NULL,
  code TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX orders_tag ON orders (tag) WHERE tag <> '';
CREATE INDEX orders_status ON orders (status);
CREATE INDEX orders_updated ON orders (updated_at);
CREATE TABLE trades (
  trade_id TEXT PRIMARY KEY, broker_id TEXT NOT NULL REFERENCES orders, tag TEXT NOT NULL, account TEXT NOT NULL,
  contract TEXT NOT NULL, product TEXT NOT NULL, side TEXT NOT NULL, qty INTEGER NOT NULL CHECK (qty > 0),
  price INTEGER NOT NULL, at TEXT NOT NULL) STRICT;
CREATE INDEX trades_at ON trades (at);
CREATE TABLE settlements (
  settlement_id TEXT PRIMARY KEY, account TEXT NOT NULL, contract TEXT NOT NULL, product TEXT NOT NULL,
  qty INTEGER NOT NULL, price INTEGER NOT NULL, at TEXT NOT NULL) STRICT;
CREATE TABLE positions (
  contract TEXT NOT NULL, product TEXT NOT NULL, qty INTEGER NOT NULL, cost INTEGER NOT NULL,
  PRIMARY KEY (contract, product)) STRICT;
CREATE TABLE cash (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL, amount INTEGER NOT NULL) STRICT;
CREATE TABLE contracts (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE index_minutes (
  name TEXT NOT NULL, minute TEXT NOT NULL, total INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (name, minute)) STRICT;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE clock_mark (id INTEGER PRIMARY KEY CHECK (id = 1), moment TEXT NOT NULL) STRICT;
CREATE TABLE owner (id INTEGER PRIMARY KEY CHECK (id = 1), account TEXT NOT NULL) STRICT;
"""
ORDER: Final = tuple(field for field in PaperOrder.__struct_fields__)
TRADE: Final = tuple(field for field in BrokerTrade.__struct_fields__)
SETTLEMENT: Final = tuple(field for field in Settlement.__struct_fields__)
FINAL: Final = tuple(status.value for status in OrderStatus if status.final)


def insert_into(table: str, fields: tuple[str, ...]) -> str:
    """An INSERT with one placeholder a column."""
    return f"INSERT INTO {table} ({','.join(fields)}) VALUES ({marks(fields)})"  # noqa: S608 - constant names


def marks(fields: tuple[str, ...]) -> str:
    """As many placeholders as fields."""
    return ",".join("?" * len(fields))


def bounds(day: date) -> tuple[str, str]:
    """From midnight to midnight, as the times are stored: all IST, so text sorts as time does."""
    return day.isoformat(), (day + timedelta(days=1)).isoformat()


def values_of(row: msgspec.Struct, fields: tuple[str, ...]) -> tuple[str | int | None, ...]:
    """The columns of a value."""
    return tuple(_stored(getattr(row, field)) for field in fields)


def _stored(value: object) -> str | int | None:
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, OrderStatus | OrderType | Product | Side | Validity):
        return value.value
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def order_of(row: tuple[object, ...]) -> PaperOrder:
    """The order in a row of ORDER columns."""
    fields = dict(zip(ORDER, row, strict=True))
    fields["triggered"] = bool(fields["triggered"])
    return msgspec.convert(fields, PaperOrder)


def trade_of(row: tuple[object, ...]) -> BrokerTrade:
    """The trade in a row of TRADE columns."""
    return msgspec.convert(dict(zip(TRADE, row, strict=True)), BrokerTrade)


def settlement_of(row: tuple[object, ...]) -> Settlement:
    """The settlement in a row of SETTLEMENT columns."""
    return msgspec.convert(dict(zip(SETTLEMENT, row, strict=True)), Settlement)
