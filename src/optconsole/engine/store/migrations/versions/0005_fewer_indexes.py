"""Takes out indexes that nothing asks by: each cost every commit a page to write and to sync."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward only, as every migration."""
    op.drop_index("ix_event_at_utc", table_name="event", if_exists=True)
    op.drop_index("ix_orders_status", table_name="orders", if_exists=True)
    op.drop_index("ix_fills_order_id", table_name="fills", if_exists=True)
