"""Which code a checkpoint's digest was made by: only the same code folds to the same one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward only, as every migration. Whose digests are there already is not known."""
    op.add_column("checkpoint", sa.Column("form", sa.Text(), nullable=False, server_default=""))
