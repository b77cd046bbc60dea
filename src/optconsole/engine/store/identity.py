"""Whose store this is: one row that a store gets once, and that a different world is held against."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select
from sqlmodel import col

from optconsole.engine.model.errors import Refusal
from optconsole.engine.store.tables import TABLES, MetaRow


class Identity(NamedTuple):
    """Whose store it is."""

    install_id: str
    world: str


def claim(connection: Connection, world: str, created_at: str, install_id: str) -> str:
    """Write the row into a new store, or check it. Returns the install id.

    Raises Refusal(OTHER_WORLD): practice facts must never become part of a live book, nor the reverse.
    """
    with connection.begin():
        row = connection.execute(select(col(MetaRow.install_id), col(MetaRow.world))).one_or_none()
        if row is None:
            connection.execute(
                insert(TABLES["meta"]).values(
                    id=1,
                    install_id=install_id,
                    world=world,
                    created_at=created_at,
                    head_seq=0,
                    head_hash="",
                    epoch=0,
                    renewed_at=0,
                )
            )
            return install_id
    if row[1] != world:
        raise Refusal(
            "OTHER_WORLD",
            f"This store holds the world {row[1]!r} and not {world!r}; give the other world a store of its own.",
        )
    return str(row[0])
