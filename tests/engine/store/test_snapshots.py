"""A start from a snapshot gives what a start from the first fact gives, or the snapshot is not used."""

from __future__ import annotations

import asyncio
import inspect
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine import state as folding
from optconsole.engine.events import Recorded
from optconsole.engine.ports import JournalBroken
from optconsole.engine.state import digest
from optconsole.engine.store import snapshots
from optconsole.engine.store.codec import decode
from optconsole.engine.store.journal import SqlJournal
from optconsole.engine.store.ledger import Kept, Ledger
from tests.engine.store.conftest import Place
from tests.engine.store.facts import Trader

FACTS = Trader(8).take(600)
BIRTHS = (ev.OrderDenied, ev.OrderIntended, ev.OrderAdopted)
ROWS = Ledger().draft(FACTS).events


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "SNAPSHOT_EVERY", 100)


async def told(place: Place, upto: int, kept_at: int) -> SqlJournal:
    """A journal of so many facts, with a checkpoint and its snapshot on the way."""
    journal = await place.open()
    await journal.append(FACTS[:kept_at])
    await journal.save_checkpoint(kept_at, live(kept_at))
    await journal.append(FACTS[kept_at:upto])
    return journal


def live(upto: int) -> str:
    ledger = Ledger()
    ledger.draft(FACTS[:upto])
    return digest(ledger.state)


@given(seed=st.integers(0, 10**6), cut=st.integers(1, 399))
@settings(max_examples=15, deadline=None)
def test_snapshot_and_tail_make_the_ledger_that_all_facts_make(seed: int, cut: int) -> None:
    facts = Trader(seed).take(430)
    whole, early = Ledger(), Ledger()
    rows = whole.draft(facts[:400]).events
    early.draft(facts[:cut])
    stored = msgspec.json.encode(early.kept())
    early.draft(facts[cut:400])

    resumed = Ledger(msgspec.json.decode(stored, type=Kept), rows[cut - 1].hash)
    for row in rows[cut:]:
        resumed.restore(row)
    assert resumed.kept() == whole.kept()
    assert digest(resumed.state) == digest(whole.state)
    assert resumed.draft(facts[400:]) == whole.draft(facts[400:])


async def test_a_start_reads_only_what_came_after_the_snapshot(place: Place) -> None:
    journal = await told(place, 380, kept_at=250)
    await journal.close()

    journal = await place.open()
    seen: list[tuple[int, int]] = []
    start = await journal.load(lambda done, total: seen.append((done, total)))
    assert start.resumed_at == 250
    assert start.agrees
    assert start.checkpoint == (250, start.replayed)
    assert digest(start.state) == live(380)
    assert seen[-1] == (380, 380)
    await journal.append(FACTS[380:])
    assert (await journal.verify()).ok
    assert await journal.compare_read_tables() == []


async def test_a_snapshot_of_now_and_then_replaces_the_one_before(place: Place) -> None:
    journal = await told(place, 300, kept_at=120)
    await journal.save_checkpoint(300, live(300))
    await journal.append(FACTS[300:350])
    await journal.save_checkpoint(350, live(350))
    rows = await journal._writer.call(lambda database: database.fetch("SELECT seq FROM snapshot"))
    assert rows == [(300,)]
    start = await journal.load()
    assert (start.resumed_at, start.checkpoint, start.agrees) == (300, (350, live(350)), True)


@pytest.mark.parametrize(
    "change",
    [
        "body = replace(body, 'NIFTY', 'BANKNIFTY')",
        "body = '{}'",
        "form = 'of an older program'",
        "head = replace(head, substr(head, 1, 1), 'x')",
        "digest = 'another'",
        "seal = ''",
        "seq = 251",
    ],
)
async def test_a_snapshot_that_is_not_as_written_is_not_used(place: Place, change: str) -> None:
    journal = await told(place, 380, kept_at=250)
    await journal.close()
    place.tamper(f"UPDATE snapshot SET {change}")

    start = await (await place.open()).load()
    assert start.resumed_at == 0
    assert start.agrees
    assert digest(start.state) == live(380)


async def test_a_body_that_no_longer_reads_is_not_used_even_with_a_right_seal(place: Place) -> None:
    journal = await told(place, 380, kept_at=250)
    ((seq, form, head, of_live),) = await journal._writer.call(
        lambda database: database.fetch("SELECT seq, form, head, digest FROM snapshot")
    )
    await journal.close()
    seal = snapshots._seal((seq, form, head, of_live, "{}"))
    place.tamper(f"UPDATE snapshot SET body = '{{}}', seal = '{seal}'")

    start = await (await place.open()).load()
    assert start.resumed_at == 0
    assert digest(start.state) == live(380)


async def test_a_snapshot_made_by_other_code_is_not_used(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = await told(place, 380, kept_at=250)
    monkeypatch.setattr(snapshots, "form", lambda: "a later program")
    start = await journal.load()
    assert (start.resumed_at, digest(start.state)) == (0, live(380))


@pytest.mark.parametrize("at", [250, 251, 380])
async def test_a_change_from_the_snapshot_on_stops_the_start(place: Place, at: int) -> None:
    journal = await told(place, 380, kept_at=250)
    await journal.close()
    place.tamper(f"UPDATE event SET actor = 'nobody' WHERE seq = {at}")
    journal = await place.open()
    with pytest.raises(JournalBroken) as refused:
        await journal.load()
    assert refused.value.code == "CHAIN_BROKEN"


async def test_a_change_before_the_snapshot_is_found_by_verify(place: Place) -> None:
    journal = await told(place, 380, kept_at=250)
    await journal.close()
    place.tamper("UPDATE event SET actor = 'nobody' WHERE seq = 17")
    journal = await place.open()
    assert (await journal.load()).resumed_at == 250
    verdict = await journal.verify()
    assert (verdict.ok, verdict.first_bad) == (False, 17)


async def test_a_tail_cut_off_with_its_snapshot_left_is_a_broken_chain(place: Place) -> None:
    journal = await told(place, 380, kept_at=250)
    await journal.close()
    place.tamper("DELETE FROM event WHERE seq > 240")
    journal = await place.open()
    with pytest.raises(JournalBroken) as refused:
        await journal.load()
    assert refused.value.code == "CHAIN_BROKEN"


async def test_a_state_that_differs_from_the_journals_fold_is_not_kept(place: Place) -> None:
    journal = await place.open()
    await journal.append(FACTS[:250])
    await journal.save_checkpoint(250, "a live state gone astray")
    start = await journal.load()
    assert (start.resumed_at, start.agrees) == (0, False)


async def test_no_snapshot_is_taken_while_a_fact_beyond_the_checkpoint_is_on_its_way(place: Place) -> None:
    journal = await place.open()
    await journal.append(FACTS[:250])
    on_its_way = asyncio.ensure_future(journal.append(FACTS[250:260]))
    await asyncio.sleep(0)
    await journal.save_checkpoint(250, live(250))
    await on_its_way
    assert (await journal.load()).resumed_at == 0
    await journal.save_checkpoint(260, live(260))
    assert (await journal.load()).resumed_at == 260


@pytest.mark.parametrize("kind", [kind for kind in ev.OrderEvent.__subclasses__() if kind not in BIRTHS])
def test_an_order_that_left_with_its_day_takes_no_further_fact(kind: type[ev.OrderEvent]) -> None:
    """The law by which a ledger may forget how many facts such an order had."""
    ledger = Ledger()
    ledger.draft(FACTS)
    traded = next(fact.event for fact in FACTS if isinstance(fact.event, ev.OrderFilled))
    assert traded.order_id not in ledger.state.orders
    intended = next(fact.event for fact in FACTS if isinstance(fact.event, ev.OrderIntended))
    words = {**msgspec.structs.asdict(traded), "trade_id": "new", "terms": intended.terms, "attempt": 2}
    event = kind(**{field.name: words.get(field.name, "x") for field in msgspec.structs.fields(kind)})
    late = Recorded(seq=601, at=FACTS[-1].at + timedelta(seconds=1), actor="cli", cause="", event=event)
    with pytest.raises(JournalBroken) as refused:
        ledger.draft([late])
    assert refused.value.code == "ILLEGAL_FACT"


def test_rows_read_back_are_the_facts_that_were_written() -> None:
    assert [decode(row.seq, row.at_ist, row.actor, row.cause, row.payload) for row in ROWS] == FACTS


def test_a_snapshot_names_every_file_that_folds_a_fact() -> None:
    folds = {Path(inspect.getfile(fold)) for fold in folding._APPLY.values()}
    assert folds <= set(snapshots.sources())
