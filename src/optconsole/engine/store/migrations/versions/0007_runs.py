"""Baskets and runs of strategies as read tables. A store from before holds no facts about either."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward only, as every migration."""
    op.create_table(
        "baskets",
        _text("name", primary_key=True),
        _text("status"),
        sa.Column("version", WHOLE, nullable=False),
        *(_text(name) for name in ("saved_at", "saved_by", "source", "pin", "definition")),
        sa.Column("seq", WHOLE, nullable=False),
    )
    op.create_table(
        "runs",
        _text("id", primary_key=True),
        _text("basket"),
        sa.Column("version", WHOLE, nullable=False),
        *(_text(name) for name in ("strategy", "account", "mode", "trade_date", "entry_at", "exit_at")),
        *(_text(name) for name in ("status", "code", "text")),
        sa.Column("lag_ms", WHOLE, nullable=True),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("realised", "charges", "seq")),
    )


def _text(name: str, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), primary_key=primary_key, nullable=False)
