"""The hash chain: whatever is done to the rows, the first wrong one is named."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optconsole.engine.store.audit import Inspection
from optconsole.engine.store.chain import Chain, StoredEvent, link
from optconsole.engine.store.ledger import Ledger
from tests.engine.store.facts import Trader

COUNT = 120
ROWS = Ledger().draft(Trader(11).take(COUNT)).events
NOTED = (COUNT, ROWS[-1].hash)
FIELDS = st.sampled_from([name for name in StoredEvent._fields if name != "seq"])


def first_bad(rows: list[StoredEvent], noted: tuple[int, str] = NOTED) -> int | None:
    walk = Inspection()
    walk.take(sorted(rows))
    verdict = walk.finish(noted, None)
    assert verdict.ok is (verdict.first_bad is None)
    return verdict.first_bad


def relinked(rows: list[StoredEvent]) -> list[StoredEvent]:
    """Numbers and hashes made right again, as someone who knows the scheme would."""
    chain, made = Chain(), []
    for seq, row in enumerate(rows, start=1):
        row = row._replace(seq=seq, prev_hash=chain.head)
        row = row._replace(hash=link(row))
        assert chain.fault(row) is None
        made.append(row)
    return made


def test_untouched_rows_are_good() -> None:
    assert first_bad(list(ROWS)) is None


@given(at=st.integers(0, COUNT - 1), field=FIELDS, place=st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_a_changed_character_anywhere_is_named(at: int, field: str, place: int) -> None:
    row = ROWS[at]
    value = getattr(row, field)
    if isinstance(value, int):
        changed: object = value + 1
    elif value:
        place %= len(value)
        changed = value[:place] + ("x" if value[place] != "x" else "y") + value[place + 1 :]
    else:
        changed = "x"
    rows = [*ROWS[:at], row._replace(**{field: changed}), *ROWS[at + 1 :]]
    assert first_bad(rows) == at + 1


@given(at=st.integers(0, COUNT - 1))
def test_a_dropped_row_is_named_even_the_last(at: int) -> None:
    assert first_bad([*ROWS[:at], *ROWS[at + 1 :]]) == at + 1


@given(at=st.integers(1, COUNT - 1))
def test_a_dropped_row_with_the_rest_moved_up_is_named(at: int) -> None:
    rest = [row._replace(seq=row.seq - 1) for row in ROWS[at:]]
    assert first_bad([*ROWS[: at - 1], *rest]) == at


@given(at=st.integers(0, COUNT), copied=st.integers(0, COUNT - 1))
def test_an_inserted_row_is_named(at: int, copied: int) -> None:
    assume(copied != at)
    rest = [row._replace(seq=row.seq + 1) for row in ROWS[at:]]
    forged = ROWS[copied]._replace(seq=at + 1)
    assert first_bad([*ROWS[:at], forged, *rest]) == at + 1


@given(st.integers(-3, 0))
def test_a_row_in_front_of_the_first_is_named(seq: int) -> None:
    assert first_bad([ROWS[0]._replace(seq=seq), *ROWS]) == seq


@given(pair=st.lists(st.integers(0, COUNT - 1), min_size=2, max_size=2, unique=True))
def test_two_rows_in_each_others_place_are_named(pair: list[int]) -> None:
    low, high = sorted(pair)
    rows = list(ROWS)
    rows[low], rows[high] = ROWS[high]._replace(seq=low + 1), ROWS[low]._replace(seq=high + 1)
    assert first_bad(rows) == low + 1


@given(at=st.integers(0, COUNT - 2))
def test_a_forger_who_relinks_the_chain_is_caught_by_the_committed_head(at: int) -> None:
    assert first_bad(relinked([*ROWS[:at], *ROWS[at + 1 :]])) == COUNT
    changed = ROWS[at]._replace(actor="nobody")
    assert first_bad(relinked([*ROWS[:at], changed, *ROWS[at + 1 :]])) == COUNT
    assert first_bad(relinked([*ROWS, ROWS[at]])) == COUNT + 1


def test_a_checkpoint_beyond_the_end_shows_a_cut_tail() -> None:
    walk = Inspection()
    walk.take(list(ROWS[:50]))
    assert walk.finish((50, ROWS[49].hash), (80, "digest")).first_bad == 51


@given(
    st.tuples(*[st.text(max_size=4)] * 3),
    st.tuples(*[st.text(max_size=4)] * 3),
)
def test_the_hash_never_confuses_neighbouring_fields(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    first, second = (ROWS[0]._replace(type=fields[0], actor=fields[1], cause=fields[2]) for fields in (one, other))
    assert (link(first) == link(second)) is (one == other)
