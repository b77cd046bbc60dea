"""The journal's promises, on every database."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import create_engine, inspect
from sqlmodel import Session, select, text

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import Journal, JournalBroken
from optconsole.engine.state import apply, digest
from optconsole.engine.store import schema, snapshots
from optconsole.engine.store.journal import SqlJournal
from optconsole.engine.store.reading import read_rows
from optconsole.engine.store.tables import EventRow
from tests.engine.store.conftest import Place
from tests.engine.store.facts import Trader


def started(seq: int = 1) -> Recorded:
    at = datetime(2025, 8, 29, 9, 15, 0, 250_000, tzinfo=IST)
    return Recorded(seq=seq, at=at, actor="engine", cause="", event=ev.EngineStarted(version="1", world="p", epoch=seq))


def fold(facts: list[Recorded]) -> TradingState:
    state = TradingState()
    for fact in facts:
        apply(state, fact)
    return state


@asynccontextmanager
async def writer_held(journal: SqlJournal) -> AsyncIterator[None]:
    """The writer is kept busy inside, so that what is handed to it piles up."""
    loop, entered, gate = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold(_: object) -> None:
        loop.call_soon_threadsafe(entered.set)
        gate.wait(30)

    busy = asyncio.ensure_future(journal._writer.call(hold))
    await entered.wait()
    yield
    gate.set()
    await busy


async def everything(journal: SqlJournal) -> list[Recorded]:
    return [fact async for batch in journal.replay(batch=100) for fact in batch]


async def test_an_empty_journal_has_no_head(journal: SqlJournal) -> None:
    port: Journal = journal
    assert await port.head() == (0, "")
    assert await port.read() == []
    assert (await journal.verify()).ok


async def test_what_was_appended_is_read_back_equal(journal: SqlJournal) -> None:
    facts = Trader().take(400)
    for start in range(0, 400, 7):
        await journal.append(facts[start : start + 7])
    assert await everything(journal) == facts
    assert await journal.read(after=10, limit=5) == facts[10:15]
    assert (await journal.head())[0] == 400


async def test_appending_nothing_changes_nothing(journal: SqlJournal) -> None:
    await journal.append([])
    assert await journal.head() == (0, "")
    assert journal.commits == 0


async def test_a_reopened_journal_goes_on_where_it_was(place: Place) -> None:
    facts = Trader().take(300)
    first = await place.open()
    await first.append(facts[:200])
    head, install = await first.head(), first.install_id
    await first.close()

    second = await place.open()
    assert await second.head() == head
    assert second.install_id == install
    await second.append(facts[200:])
    assert await everything(second) == facts
    assert (await second.verify()).ok
    assert await second.compare_read_tables() == []


async def test_load_folds_to_the_live_state_and_hands_out_a_copy(place: Place) -> None:
    facts = Trader(3).take(500)
    journal = await place.open()
    await journal.append(facts)
    await journal.save_checkpoint(500, digest(fold(facts)))
    start = await journal.load()
    assert digest(start.state) == digest(fold(facts))
    assert start.agrees
    assert start.checkpoint == (500, start.replayed)
    start.state.orders.clear()
    start.state.positions.clear()
    assert digest((await journal.load()).state) == digest(fold(facts))


async def test_a_checkpoint_in_the_past_is_compared_where_it_was_taken(journal: SqlJournal) -> None:
    facts = Trader(3).take(500)
    await journal.append(facts)
    await journal.save_checkpoint(100, digest(fold(facts[:100])))
    await journal.save_checkpoint(250, digest(fold(facts[:250])))
    assert (await journal.last_checkpoint()) == (250, digest(fold(facts[:250])))
    assert (await journal.load()).agrees
    await journal.save_checkpoint(250, "another")
    assert not (await journal.load()).agrees


@pytest.mark.parametrize("earlier", ["", "an earlier version"])
async def test_a_store_of_an_earlier_version_starts_though_the_state_has_a_field_more(
    place: Place, monkeypatch: pytest.MonkeyPatch, earlier: str
) -> None:
    """S14: what another version folded to is no word against the journal; what this one did is held to."""
    facts = Trader(3).take(500)
    known = json.loads(msgspec.json.encode(fold(facts), order="deterministic"))
    for newest in ("bases", "closes", "bars"):
        del known[newest]
    before = hashlib.sha256(msgspec.json.encode(known, order="deterministic")).hexdigest()
    assert before != digest(fold(facts))
    journal = await place.open()
    await journal.append(facts)
    with monkeypatch.context() as older:
        older.setattr(snapshots, "form", lambda: earlier)
        await journal.save_checkpoint(500, before)
    await journal.close()

    journal = await place.open()
    start = await journal.load()
    assert start.agrees
    assert digest(start.state) == digest(fold(facts))
    assert (await journal.verify()).ok
    await journal.save_checkpoint(500, before)
    assert not (await journal.load()).agrees


async def test_a_tail_cut_off_below_the_checkpoint_of_an_earlier_version_is_still_seen(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = Trader(3).take(300)
    journal = await place.open()
    await journal.append(facts)
    with monkeypatch.context() as older:
        older.setattr(snapshots, "form", lambda: "an earlier version")
        await journal.save_checkpoint(300, "another form of it")
    await journal.close()
    place.tamper(
        "DELETE FROM event WHERE seq > 240",
        "UPDATE meta SET head_seq = 240, head_hash = (SELECT hash FROM event WHERE seq = 240)",
    )
    with pytest.raises(JournalBroken):
        await (await place.open()).load()


async def test_pages_filter_by_stream_and_text_and_count_from_the_end(journal: SqlJournal) -> None:
    facts = Trader(5).take(400)
    await journal.append(facts)
    orders = [fact for fact in facts if fact.event.stream == "order:O3"]
    assert await journal.read(stream="order:O3") == orders
    assert await journal.read(last=True, limit=3) == facts[-3:]
    assert await journal.read(stream="order:O3", last=True, limit=2) == orders[-2:]
    assert await journal.read(text="ordercancelled", limit=1000) == [
        fact for fact in facts if isinstance(fact.event, ev.OrderCancelled)
    ]
    notices = [fact for fact in facts if isinstance(fact.event, ev.NoticeRaised)]
    assert notices
    assert await journal.read(text="नोट", limit=1000) == notices
    assert await journal.read(text="100%", limit=1000) == []
    assert await journal.read(after=390, text="", limit=1000) == facts[390:]


async def test_streams_count_their_own_versions(place: Place) -> None:
    journal = await place.open()
    facts = Trader(2).take(300)
    await journal.append(facts)
    rows = await journal._writer.call(
        lambda database: [tuple(row) for row in database.fetch("SELECT stream, version FROM event ORDER BY seq")]
    )
    seen: dict[str, int] = {}
    for fact, (stream, version) in zip(facts, rows, strict=True):
        seen[stream] = seen.get(stream, 0) + 1
        assert (stream, version) == (fact.event.stream, seen[stream])


async def test_time_is_kept_in_ist_and_in_utc(place: Place) -> None:
    journal = await place.open()
    moment = datetime(2025, 8, 29, 3, 45, 0, 250_000, tzinfo=UTC)
    await journal.append([msgspec.structs.replace(started(), at=moment)])
    rows = await journal._writer.call(lambda database: database.fetch("SELECT at_ist, at_utc FROM event"))
    assert rows == [("2025-08-29T09:15:00.250000+05:30", "2025-08-29T03:45:00.250000+00:00")]
    assert (await journal.read())[0].at == moment


async def test_a_number_that_exists_is_a_conflict_and_a_later_one_a_gap(journal: SqlJournal) -> None:
    facts = Trader().take(20)
    await journal.append(facts[:10])
    head = await journal.head()
    with pytest.raises(JournalBroken) as conflict:
        await journal.append(facts[9:12])
    assert conflict.value.code == "CONFLICT"
    with pytest.raises(JournalBroken) as gap:
        await journal.append(facts[11:12])
    assert gap.value.code == "GAP"
    assert await journal.head() == head
    await journal.append(facts[10:])
    assert await everything(journal) == facts


async def test_a_row_from_another_writer_is_a_conflict_and_ends_trust(place: Place) -> None:
    journal = await place.open()
    facts = Trader().take(12)
    await journal.append(facts[:10])

    def forge(database: object) -> None:
        row = (11, "engine", 99, "X", "", "", "", "", "{}", "", "")
        database.write([(database.sql.insert_event, [row])])  # type: ignore[attr-defined]

    await journal._writer.call(forge)
    with pytest.raises(JournalBroken) as refused:
        await journal.append(facts[10:11])
    assert refused.value.code == "CONFLICT"
    with pytest.raises(JournalBroken):
        await journal.append(facts[11:12])


async def test_a_fact_that_cannot_follow_is_not_stored_and_the_journal_goes_on(journal: SqlJournal) -> None:
    facts = Trader().take(30)
    await journal.append(facts[:20])
    unheard_of = msgspec.structs.replace(facts[21], event=ev.OrderSent(order_id="O999", attempt=1))
    with pytest.raises(JournalBroken) as refused:
        await journal.append([facts[20], unheard_of])
    assert refused.value.code == "ILLEGAL_FACT"
    assert (await journal.head())[0] == 20
    await journal.append(facts[20:])
    assert await everything(journal) == facts
    assert await journal.compare_read_tables() == []


@pytest.mark.parametrize(
    "fact",
    [
        msgspec.structs.replace(started(), at=datetime(2025, 8, 29, 9, 15)),  # noqa: DTZ001
        msgspec.structs.replace(started(), actor="key:\0"),
        msgspec.structs.replace(started(), actor="\ud800"),
        msgspec.structs.replace(started(), event=ev.KillEngaged(why="\udfff")),
    ],
    ids=["no zone", "NUL", "surrogate in a name", "surrogate in the event"],
)
async def test_a_fact_no_database_could_give_back_is_refused(journal: SqlJournal, fact: Recorded) -> None:
    with pytest.raises(JournalBroken) as refused:
        await journal.append([fact])
    assert refused.value.code == "UNWRITABLE"
    await journal.append([started()])
    assert await journal.read() == [started()]


async def test_hostile_text_is_kept_in_the_journal_and_stored_in_the_read_tables(journal: SqlJournal) -> None:
    nasty = "a\0b\x1b]52;c;\x07\u202e[/] ' \" %s ? :x {}"
    raised = ev.NoticeRaised(level="info", code="X", text=nasty)
    fact = msgspec.structs.replace(started(), event=raised)
    await journal.append([fact])
    assert await journal.read() == [fact]
    stored = await journal._writer.call(lambda database: read_rows(database.connection))
    assert stored["notices"][(1,)]["text"] == nasty.replace("\0", "\ufffd")
    assert await journal.compare_read_tables() == []


async def test_waiting_appends_share_one_commit(journal: SqlJournal) -> None:
    facts = Trader().take(301)
    await journal.append(facts[:1])
    async with writer_held(journal):
        waiting = [asyncio.ensure_future(journal.append([fact])) for fact in facts[1:]]
        await asyncio.sleep(0)
        assert not any(append.done() for append in waiting)
    await asyncio.gather(*waiting)
    assert journal.commits == 2
    assert await everything(journal) == facts


async def test_every_acknowledged_append_is_stored_however_it_races_with_commits(journal: SqlJournal) -> None:
    facts = Trader(9).take(1500)
    pending: set[asyncio.Task[None]] = set()
    for fact in facts:
        pending.add(asyncio.create_task(journal.append([fact])))
        if len(pending) > 5:
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*pending)
    assert await everything(journal) == facts
    assert (await journal.verify()).ok
    assert await journal.compare_read_tables() == []


async def test_a_cancelled_wait_does_not_undo_the_fact(journal: SqlJournal) -> None:
    facts = Trader().take(3)
    await journal.append(facts[:1])
    async with writer_held(journal):
        waiting = asyncio.ensure_future(journal.append(facts[1:2]))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
    await journal.append(facts[2:])
    assert await everything(journal) == facts


async def test_closing_commits_what_waits_and_refuses_what_comes_after(place: Place) -> None:
    journal = await place.open()
    facts = Trader().take(10)
    await journal.load()
    waiting = [asyncio.ensure_future(journal.append([fact])) for fact in facts]
    await asyncio.sleep(0)
    await journal.close()
    await asyncio.gather(*waiting)
    await journal.close()
    with pytest.raises(JournalBroken) as refused:
        await journal.append([started(11)])
    assert refused.value.code == "STORE_CLOSED"
    assert await everything(await place.open()) == facts


async def test_a_failed_change_leaves_nothing_and_the_journal_goes_on(journal: SqlJournal) -> None:
    facts = Trader().take(10)
    await journal.append(facts[:5])
    with pytest.raises(JournalBroken) as failed:
        await journal._writer.change(
            lambda database: database.write([("DELETE FROM orders", [()]), ("DELETE FROM nowhere", [()])])
        )
    assert failed.value.code == "STORE_FAILED"
    assert await journal.compare_read_tables() == []
    await journal.append(facts[5:])
    assert await everything(journal) == facts


async def test_a_failed_query_is_one_sentence_and_the_journal_goes_on(journal: SqlJournal) -> None:
    with pytest.raises(JournalBroken) as failed:
        await journal._writer.call(lambda database: database.fetch("SELECT * FROM nowhere"))
    assert failed.value.code == "STORE_UNREADABLE"
    assert "\n" not in failed.value.text
    await journal.append([started()])
    assert (await journal.head())[0] == 1


async def test_commit_latencies_are_known_after_the_first_commit(journal: SqlJournal) -> None:
    assert journal.commit_percentiles() is None
    await journal.append([started()])
    measured = journal.commit_percentiles()
    assert measured is not None
    assert 0 < measured[0] <= measured[1]


async def test_rebuilding_mends_damaged_read_tables(place: Place) -> None:
    journal = await place.open()
    facts = Trader(4).take(400)
    await journal.append(facts)
    assert await journal.compare_read_tables() == []
    await journal.close()
    place.tamper(
        "UPDATE orders SET status = 'OPEN' WHERE id = 'O1'",
        "DELETE FROM fills WHERE seq = (SELECT min(seq) FROM fills)",
        "INSERT INTO accounts VALUES ('GHOST', 'x', 'LIVE', 1, 2, 3, 4)",
    )
    journal = await place.open()
    found = await journal.compare_read_tables()
    assert len(found) == 3
    assert any("O1: status is 'OPEN'" in line for line in found)
    assert any("is missing" in line for line in found)
    assert "accounts GHOST is not in the journal" in found
    await journal.rebuild()
    assert await journal.compare_read_tables() == []
    await journal.append(Trader(4).take(410)[400:])
    assert await journal.compare_read_tables() == []


async def test_an_unknown_event_is_refused_and_never_skipped(place: Place) -> None:
    journal = await place.open()
    await journal.append(Trader().take(20))
    await journal.close()
    place.tamper("""UPDATE event SET payload = '{"type":"OrderTeleported"}' WHERE seq = 7""")
    journal = await place.open()
    for reading in (journal.read(), everything(journal)):
        with pytest.raises(JournalBroken) as refused:
            await reading
        assert refused.value.code == "UNKNOWN_EVENT"
        assert "Event 7" in refused.value.text
        assert "OrderTeleported" in refused.value.text
    with pytest.raises(JournalBroken):
        await journal.append([started(21)])


@pytest.mark.parametrize("payload", ["{", "[]", '{"type":"OrderSent"}', '{"type":7}'])
async def test_a_damaged_event_is_named(place: Place, payload: str) -> None:
    journal = await place.open()
    await journal.append(Trader().take(20))
    await journal.close()
    place.tamper(f"UPDATE event SET payload = '{payload.replace(':', chr(92) + ':')}' WHERE seq = 7")
    journal = await place.open()
    with pytest.raises(JournalBroken) as refused:
        await journal.read()
    assert refused.value.code == "UNREADABLE_EVENT"
    assert "Event 7" in refused.value.text


async def test_a_store_from_a_newer_program_is_refused_untouched(place: Place) -> None:
    journal = await place.open()
    await journal.append(Trader().take(5))
    await journal.close()
    place.tamper("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refusal) as refused:
        await place.open()
    assert refused.value.code == "SCHEMA_NEWER"
    place.tamper(f"UPDATE alembic_version SET version_num = '{schema.HEAD}'")
    assert (await (await place.open()).head())[0] == 5


async def test_a_store_has_one_engine(place: Place) -> None:
    await place.open()
    with pytest.raises(Refusal) as refused:
        await place.open()
    assert refused.value.code == "ENGINE_RUNNING"
    await place.close_all()
    assert await (await place.open()).head() == (0, "")


async def test_tables_are_ordinary_sql_for_sqlmodel(place: Place) -> None:
    journal = await place.open()
    await journal.append(Trader().take(40))

    def newest(database: object) -> str:
        with Session(database.connection) as session:  # type: ignore[attr-defined]
            return session.exec(select(EventRow).where(EventRow.seq == 40)).one().type

    assert await journal._writer.call(newest) == type(Trader().take(40)[-1].event).__name__
    await journal.close()
    if place.on_sqlite:
        engine = create_engine(place.url)
        assert {"orders", "fills", "positions", "accounts", "day_figures"} <= set(inspect(engine).get_table_names())
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM event")).scalar_one() == 40
        engine.dispose()
