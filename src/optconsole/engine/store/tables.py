"""The store's tables. Amounts are paise, sizes units, enums and moments text; every integer is 64 bits wide."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Integer, MetaData, Table, Text, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

WHOLE: Final = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite's INTEGER is 64 bits already, and only under that name is a key the row's own address."""
GIVEN: Final = {"autoincrement": False}


class StoreModel(SQLModel, registry=registry()):
    """Base with metadata of its own, so that nothing but the store's tables can get into a migration."""


class EventRow(StoreModel, table=True):
    """One fact of the journal. ``payload`` is the event as JSON; ``hash`` chains the row to the one before."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("stream", "version", name="uq_event_stream_version"),)
    seq: int = Field(primary_key=True, sa_type=WHOLE, sa_column_kwargs=GIVEN)
    stream: str = Field(sa_type=Text)
    version: int = Field(sa_type=WHOLE)
    type: str = Field(sa_type=Text)
    at_ist: str = Field(sa_type=Text)
    at_utc: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    cause: str = Field(sa_type=Text)
    payload: str = Field(sa_type=Text)
    prev_hash: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)


class CheckpointRow(StoreModel, table=True):
    """The state's digest after fact ``seq``. ``form`` names the code that made it, empty where that is not known."""

    __tablename__ = "checkpoint"
    seq: int = Field(primary_key=True, sa_type=WHOLE, sa_column_kwargs=GIVEN)
    digest: str = Field(sa_type=Text)
    form: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})


class SnapshotRow(StoreModel, table=True):
    """The fold after fact ``seq``, whose hash is ``head``, as JSON. ``form`` names the code that made it, ``digest`` is
    the live state's, ``seal`` is over all other columns."""

    __tablename__ = "snapshot"
    seq: int = Field(primary_key=True, sa_type=WHOLE, sa_column_kwargs=GIVEN)
    form: str = Field(sa_type=Text)
    head: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    seal: str = Field(sa_type=Text)


class MetaRow(StoreModel, table=True):
    """One row: whose store this is, the journal's head, by which a cut tail is seen, and the lease.

    ``epoch`` counts the engines that took the store; ``renewed_at`` is the server's time of the last sign of life.
    """

    __tablename__ = "meta"
    id: int = Field(primary_key=True, sa_type=WHOLE, sa_column_kwargs=GIVEN)
    install_id: str = Field(sa_type=Text)
    world: str = Field(sa_type=Text)
    created_at: str = Field(sa_type=Text)
    head_seq: int = Field(sa_type=WHOLE)
    head_hash: str = Field(sa_type=Text)
    epoch: int = Field(default=0, sa_type=WHOLE)
    renewed_at: int = Field(default=0, sa_type=WHOLE)


class OrderRow(StoreModel, table=True):
    """An order as the facts up to ``seq`` left it; finished orders of earlier days stay."""

    __tablename__ = "orders"
    id: str = Field(primary_key=True, sa_type=Text)
    tag: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    contract: str = Field(sa_type=Text)
    side: str = Field(sa_type=Text)
    qty: int = Field(sa_type=WHOLE)
    type: str = Field(sa_type=Text)
    price: int | None = Field(sa_type=WHOLE)
    trigger_price: int | None = Field(sa_type=WHOLE)
    protection: int | None = Field(sa_type=WHOLE)
    product: str = Field(sa_type=Text)
    validity: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    pending: str = Field(sa_type=Text)
    risk: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    parent: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    lot: int = Field(sa_type=WHOLE)
    broker_id: str | None = Field(sa_type=Text)
    triggered: bool
    filled: int = Field(sa_type=WHOLE)
    filled_value: int = Field(sa_type=WHOLE)
    charges: int = Field(sa_type=WHOLE)
    reason_code: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    intended_at: str = Field(sa_type=Text)
    sent_at: str | None = Field(sa_type=Text)
    updated_at: str = Field(sa_type=Text)
    seq: int = Field(sa_type=WHOLE)


class FillRow(StoreModel, table=True):
    """One execution. ``id`` is account, day and trade number."""

    __tablename__ = "fills"
    id: str = Field(primary_key=True, sa_type=Text)
    order_id: str = Field(sa_type=Text)
    trade_id: str = Field(sa_type=Text)
    day: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    contract: str = Field(sa_type=Text)
    product: str = Field(sa_type=Text)
    side: str = Field(sa_type=Text)
    qty: int = Field(sa_type=WHOLE)
    price: int = Field(sa_type=WHOLE)
    charges: int = Field(sa_type=WHOLE)
    traded_at: str = Field(sa_type=Text)
    seq: int = Field(sa_type=WHOLE)


class PositionRow(StoreModel, table=True):
    """A position of one trading day; open quantity gets a new row when the next day opens."""

    __tablename__ = "positions"
    day: str = Field(primary_key=True, sa_type=Text)
    account: str = Field(primary_key=True, sa_type=Text)
    product: str = Field(primary_key=True, sa_type=Text)
    contract: str = Field(primary_key=True, sa_type=Text)
    lot: int = Field(sa_type=WHOLE)
    qty: int = Field(sa_type=WHOLE)
    cost: int = Field(sa_type=WHOLE)
    realised: int = Field(sa_type=WHOLE)
    charges: int = Field(sa_type=WHOLE)
    bought: int = Field(sa_type=WHOLE)
    bought_value: int = Field(sa_type=WHOLE)
    sold: int = Field(sa_type=WHOLE)
    sold_value: int = Field(sa_type=WHOLE)
    seq: int = Field(sa_type=WHOLE)


class AccountRow(StoreModel, table=True):
    """An account with the profit and charges of its finished days."""

    __tablename__ = "accounts"
    id: str = Field(primary_key=True, sa_type=Text)
    broker: str = Field(sa_type=Text)
    mode: str = Field(sa_type=Text)
    capital: int = Field(sa_type=WHOLE)
    realised_before: int = Field(sa_type=WHOLE)
    charges_before: int = Field(sa_type=WHOLE)
    seq: int = Field(sa_type=WHOLE)


class NoticeRow(StoreModel, table=True):
    """A notice the trader was given, by its place in the journal."""

    __tablename__ = "notices"
    seq: int = Field(primary_key=True, sa_type=WHOLE, sa_column_kwargs=GIVEN)
    at: str = Field(sa_type=Text)
    level: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)


class DayFigureRow(StoreModel, table=True):
    """What one account made on one trading day."""

    __tablename__ = "day_figures"
    day: str = Field(primary_key=True, sa_type=Text)
    account: str = Field(primary_key=True, sa_type=Text)
    realised: int = Field(sa_type=WHOLE)
    charges: int = Field(sa_type=WHOLE)
    fills: int = Field(sa_type=WHOLE)
    seq: int = Field(sa_type=WHOLE)


class LimitRow(StoreModel, table=True):
    """A limit as the facts up to ``seq`` left it; a removed one stays, with ``removed`` set."""

    __tablename__ = "limits"
    level: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    unit: str = Field(sa_type=Text)
    value: int = Field(sa_type=WHOLE)
    second: int | None = Field(sa_type=WHOLE)
    action: str = Field(sa_type=Text)
    until: int | None = Field(sa_type=WHOLE)
    warned: int = Field(sa_type=WHOLE)
    broken: bool
    removed: bool
    seq: int = Field(sa_type=WHOLE)


class ScopeRow(StoreModel, table=True):
    """The trading state of one level and name."""

    __tablename__ = "trading_states"
    level: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    state: str = Field(sa_type=Text)
    why: str = Field(sa_type=Text)
    set_by: str = Field(sa_type=Text)
    since: str = Field(sa_type=Text)
    until: str | None = Field(sa_type=Text)
    daily: bool
    seq: int = Field(sa_type=WHOLE)


class BasketRow(StoreModel, table=True):
    """A basket in its newest version. ``definition`` is JSON."""

    __tablename__ = "baskets"
    name: str = Field(primary_key=True, sa_type=Text)
    status: str = Field(sa_type=Text)
    version: int = Field(sa_type=WHOLE)
    saved_at: str = Field(sa_type=Text)
    saved_by: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    pin: str = Field(sa_type=Text)
    definition: str = Field(sa_type=Text)
    seq: int = Field(sa_type=WHOLE)


class RunRow(StoreModel, table=True):
    """A run of a strategy, also of earlier days. ``realised`` and ``charges`` are of all its days up to ``seq``."""

    __tablename__ = "runs"
    id: str = Field(primary_key=True, sa_type=Text)
    basket: str = Field(sa_type=Text)
    version: int = Field(sa_type=WHOLE)
    strategy: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    mode: str = Field(sa_type=Text)
    trade_date: str = Field(sa_type=Text)
    entry_at: str = Field(sa_type=Text)
    exit_at: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    lag_ms: int | None = Field(sa_type=WHOLE)
    realised: int = Field(sa_type=WHOLE)
    charges: int = Field(sa_type=WHOLE)
    seq: int = Field(sa_type=WHOLE)


METADATA: Final[MetaData] = StoreModel.metadata
TABLES: Final[dict[str, Table]] = dict(METADATA.tables)
READ_TABLES: Final = (
    *("orders", "fills", "positions", "accounts", "notices", "day_figures", "limits", "trading_states"),
    *("baskets", "runs"),
)
"""Tables that can be rebuilt from ``event`` at any time."""
