"""The fold as it stood after some fact, so that a start reads only what came after."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forward; a store is never taken back, since older programs refuse newer ones."""
    op.create_table(
        "snapshot",
        sa.Column("seq", WHOLE, primary_key=True, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("form", "head", "digest", "body", "seal")),
    )
