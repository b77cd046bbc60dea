"""Brings a database's tables to this program's version, and refuses what a newer one made."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from optconsole.engine.model.errors import Refusal

HEAD: Final = "0008"
"""The newest migration; known here so that a start that needs none does not load Alembic."""
REVISIONS: Final = frozenset({"0001", "0002", "0003", "0004", "0005", "0006", "0007", HEAD})
_FOLDER: Final = Path(__file__).resolve().parent / "migrations"


def current(connection: Connection) -> str | None:
    """The revision the tables are at; None in an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def upgrade(connection: Connection) -> None:
    """Run the missing migrations, all in one transaction. Raises Refusal(SCHEMA_NEWER)."""
    with connection.begin():
        found = current(connection)
        if found == HEAD:
            return
        if found is not None and found not in REVISIONS:
            raise Refusal(
                "SCHEMA_NEWER",
                f"A newer version of the program made this store (schema {found}, known here {HEAD}); start that one.",
            )
        _migrate(connection)


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
