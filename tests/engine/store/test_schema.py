"""The migrations make the tables the code expects, whole or not at all."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken
from optconsole.engine.store import schema
from optconsole.engine.store.database import Database
from optconsole.engine.store.tables import METADATA
from tests.engine.store.conftest import Place
from tests.engine.store.facts import Trader


def test_the_program_knows_its_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema._FOLDER))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == schema.HEAD
    assert {script.revision for script in scripts.walk_revisions()} == schema.REVISIONS


async def test_migrated_tables_are_the_tables_of_the_code(place: Place) -> None:
    def unlike(database: Database) -> list[object]:
        with database.connection.begin():
            context = MigrationContext.configure(database.connection, opts={"compare_type": True})
            return list(compare_metadata(context, METADATA))

    journal = await place.open()
    assert await journal._writer.call(unlike) == []


async def test_migrating_again_changes_nothing(place: Place) -> None:
    journal = await place.open()
    await journal._writer.call(lambda database: schema.upgrade(database.connection))
    assert await journal.head() == (0, "")


def test_a_migration_that_fails_leaves_an_empty_database(place: Place) -> None:
    database = Database(place.url, place.world)
    with database.connection.begin():
        # the migration makes this table last
        database.connection.execute(text("CREATE TABLE day_figures (x INTEGER)"))
    with pytest.raises(Exception, match="day_figures"):
        schema.upgrade(database.connection)
    with database.connection.begin():
        assert schema.current(database.connection) is None
        database.connection.execute(text("DROP TABLE day_figures"))
    schema.upgrade(database.connection)
    with database.connection.begin():
        assert schema.current(database.connection) == schema.HEAD
    database.close()


@pytest.mark.parametrize("older", sorted(schema.REVISIONS - {schema.HEAD}))
def test_an_older_store_is_brought_up_to_date(place: Place, older: str) -> None:
    database = Database(place.url, place.world)
    config = Config()
    config.set_main_option("script_location", str(schema._FOLDER))
    config.attributes["connection"] = database.connection
    with database.connection.begin():
        command.upgrade(config, older)
        database.connection.execute(text("INSERT INTO checkpoint (seq, digest) VALUES (7, 'kept')"))
    schema.upgrade(database.connection)
    with database.connection.begin():
        assert schema.current(database.connection) == schema.HEAD
        assert database.connection.execute(text("SELECT seq, digest FROM checkpoint")).all() == [(7, "kept")]
        assert compare_metadata(MigrationContext.configure(database.connection), METADATA) == []
    database.close()


async def test_a_store_of_an_earlier_version_is_brought_up_to_date_with_its_facts(place: Place) -> None:
    """S14: and a migration that is cut short leaves the earlier version whole."""
    journal = await place.open()
    facts = Trader(restrained=False).take(40)
    await journal.append(facts)
    await place.close_all()
    place.tamper(
        "DROP TABLE limits",
        "DROP TABLE baskets",
        "DROP TABLE runs",
        "DROP TABLE trading_states",
        *(f"ALTER TABLE orders DROP COLUMN {name}" for name in ("role", "parent", "source")),
        "ALTER TABLE checkpoint DROP COLUMN form",
        "ALTER TABLE meta DROP COLUMN epoch",
        "UPDATE alembic_version SET version_num = '0002'",
    )
    # the second column is there already: the migration fails half way
    with pytest.raises(JournalBroken):
        await place.open()
    place.tamper("ALTER TABLE meta DROP COLUMN renewed_at")
    journal = await place.open()
    assert [fact async for batch in journal.replay() for fact in batch] == facts
    assert (await journal.verify()).ok
    assert await journal.compare_read_tables() == []


def test_a_schema_from_the_future_is_refused(place: Place) -> None:
    database = Database(place.url, place.world)
    schema.upgrade(database.connection)
    with database.connection.begin():
        database.connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    with pytest.raises(Refusal) as refused:
        schema.upgrade(database.connection)
    assert refused.value.code == "SCHEMA_NEWER"
    database.close()
