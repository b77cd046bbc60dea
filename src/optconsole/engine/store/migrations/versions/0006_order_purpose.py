"""What each order is for and on whose behalf: role, what it is a part of, source; filled from the journal."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INTENDED = sa.text("SELECT payload FROM event WHERE type = 'OrderIntended' ORDER BY seq")
FILL = sa.text("UPDATE orders SET role = :role, parent = :parent, source = :source WHERE id = :id")
AT_ONCE = 1_000


def upgrade() -> None:
    """Forward only, as every migration."""
    for name, usual in (("role", "E"), ("parent", ""), ("source", "")):
        op.add_column("orders", sa.Column(name, sa.Text(), nullable=False, server_default=usual))
    connection = op.get_bind()
    found = [_purpose(json.loads(payload)) for payload in connection.execute(INTENDED).scalars()]
    for first in range(0, len(found), AT_ONCE):
        connection.execute(FILL, found[first : first + AT_ONCE])


def _purpose(fact: dict[str, object]) -> dict[str, object]:
    """The columns of one order; facts of earlier versions lack what they did not know."""
    terms = fact["terms"]
    source = terms.get("source", "") if isinstance(terms, dict) else ""
    return {
        "id": fact["order_id"],
        "role": fact.get("role", "E"),
        "parent": fact.get("parent", ""),
        "source": source,
    }
