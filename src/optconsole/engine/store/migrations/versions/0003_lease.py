"""Who may write: the epoch of the engine that took the store last, and when it was last heard of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward."""
    for name in ("epoch", "renewed_at"):
        op.add_column("meta", sa.Column(name, WHOLE, nullable=False, server_default="0"))
