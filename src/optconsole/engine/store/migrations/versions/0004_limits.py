"""Limits and trading states as read tables. A store from before holds no facts about either."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward only, as every migration."""
    op.create_table(
        "limits",
        *(_text(name, primary_key=True) for name in ("level", "name", "kind")),
        _text("unit"),
        sa.Column("value", WHOLE, nullable=False),
        sa.Column("second", WHOLE, nullable=True),
        _text("action"),
        sa.Column("until", WHOLE, nullable=True),
        sa.Column("warned", WHOLE, nullable=False),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("broken", "removed")),
        sa.Column("seq", WHOLE, nullable=False),
    )
    op.create_table(
        "trading_states",
        *(_text(name, primary_key=True) for name in ("level", "name")),
        *(_text(name) for name in ("state", "why", "set_by", "since")),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("daily", sa.Boolean(), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
    )


def _text(name: str, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), primary_key=primary_key, nullable=False)
