"""The journal, its head and checkpoints, and the read tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward; a store is never taken back, since older programs refuse newer ones."""
    _journal()
    _trading()
    _money()


def _key(name: str, kind: sa.types.TypeEngine[Any] = WHOLE) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, WHOLE, nullable=False) for name in names]


def _journal() -> None:
    op.create_table(
        "event",
        _key("seq"),
        *_text("stream"),
        *_whole("version"),
        *_text("type", "at_ist", "at_utc", "actor", "cause", "payload", "prev_hash", "hash"),
        sa.UniqueConstraint("stream", "version", name="uq_event_stream_version"),
    )
    op.create_index("ix_event_at_utc", "event", ["at_utc"])
    op.create_table("checkpoint", _key("seq"), *_text("digest"))
    op.create_table(
        "meta",
        _key("id"),
        *_text("install_id", "world", "created_at"),
        *_whole("head_seq"),
        *_text("head_hash"),
    )


def _trading() -> None:
    op.create_table(
        "orders",
        _key("id", sa.Text()),
        *_text("tag", "account", "contract", "side"),
        *_whole("qty"),
        *_text("type"),
        *(sa.Column(name, WHOLE, nullable=True) for name in ("price", "trigger_price", "protection")),
        *_text("product", "validity", "note", "status", "pending", "risk"),
        *_whole("lot"),
        sa.Column("broker_id", sa.Text(), nullable=True),
        sa.Column("triggered", sa.Boolean(), nullable=False),
        *_whole("filled", "filled_value", "charges"),
        *_text("reason_code", "reason", "actor", "intended_at"),
        sa.Column("sent_at", sa.Text(), nullable=True),
        *_text("updated_at"),
        *_whole("seq"),
    )
    op.create_index("ix_orders_status", "orders", ["status"])
    op.create_table(
        "fills",
        _key("id", sa.Text()),
        *_text("order_id", "trade_id", "day", "account", "contract", "product", "side"),
        *_whole("qty", "price", "charges"),
        *_text("traded_at"),
        *_whole("seq"),
    )
    op.create_index("ix_fills_order_id", "fills", ["order_id"])
    op.create_table(
        "positions",
        *(_key(name, sa.Text()) for name in ("day", "account", "product", "contract")),
        *_whole("lot", "qty", "cost", "realised", "charges", "bought", "bought_value", "sold", "sold_value", "seq"),
    )


def _money() -> None:
    op.create_table(
        "accounts",
        _key("id", sa.Text()),
        *_text("broker", "mode"),
        *_whole("capital", "realised_before", "charges_before", "seq"),
    )
    op.create_table("notices", _key("seq"), *_text("at", "level", "code", "text", "subject"))
    op.create_table(
        "day_figures",
        _key("day", sa.Text()),
        _key("account", sa.Text()),
        *_whole("realised", "charges", "fills", "seq"),
    )
