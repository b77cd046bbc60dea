"""A journal changed by a database client is caught: by verify, by load, and before anything is appended."""

from __future__ import annotations

import pytest

from optconsole.engine.ports import JournalBroken
from tests.engine.store.conftest import Place
from tests.engine.store.facts import Trader

COLUMNS = "stream, version, type, at_ist, at_utc, actor, cause, payload, prev_hash, hash"
SWAP = (
    "UPDATE event SET seq = -1 WHERE seq = 12",
    "UPDATE event SET seq = 12 WHERE seq = 30",
    "UPDATE event SET seq = 30 WHERE seq = -1",
)
INSERT = (
    f"INSERT INTO event (seq, {COLUMNS}) "
    "SELECT 61, 'forged', 1, type, at_ist, at_utc, actor, cause, payload, hash, hash FROM event WHERE seq = 60",
)


@pytest.mark.parametrize(
    ("statements", "first_bad"),
    [
        (("UPDATE event SET payload = replace(payload, '0.1.0', '0.1.1') WHERE seq = 1",), 1),
        (("UPDATE event SET actor = 'key:F9' WHERE seq = 23",), 23),
        (("UPDATE event SET at_ist = '2025-08-29T09:15:00.000001+05:30' WHERE seq = 23",), 23),
        (("DELETE FROM event WHERE seq = 1",), 1),
        (("DELETE FROM event WHERE seq = 40",), 40),
        (("DELETE FROM event WHERE seq = 60",), 60),
        (("DELETE FROM event WHERE seq > 50",), 51),
        (SWAP, 12),
        (INSERT, 61),
        (("UPDATE meta SET head_seq = 59",), 60),
    ],
    ids=["flip", "actor", "time", "drop first", "drop", "drop last", "cut tail", "reorder", "insert", "head"],
)
async def test_each_kind_of_tampering_is_named(place: Place, statements: tuple[str, ...], first_bad: int) -> None:
    journal = await place.open()
    facts = Trader(6).take(61)
    await journal.append(facts[:60])
    await journal.close()
    place.tamper(*statements)

    journal = await place.open()
    verdict = await journal.verify()
    assert not verdict.ok
    assert verdict.first_bad == first_bad
    assert str(first_bad) in verdict.text
    with pytest.raises(JournalBroken) as refused:
        await journal.append(facts[60:])
    assert refused.value.code == "CHAIN_BROKEN"


async def test_verify_tells_its_progress_and_counts_what_it_saw(place: Place) -> None:
    journal = await place.open()
    await journal.append(Trader(6).take(5000))
    seen: list[tuple[int, int]] = []
    verdict = await journal.verify(lambda done, total: seen.append((done, total)))
    assert verdict.ok
    assert verdict.events == 5000
    assert (verdict.events, verdict.head_hash) == await journal.head()
    assert seen == [(2000, 5000), (4000, 5000), (5000, 5000)]
