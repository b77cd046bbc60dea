"""Alembic's entry: migrates over the connection the store already holds, inside its transaction."""

from __future__ import annotations

from alembic import context

from optconsole.engine.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
