"""The window on the journal: pages join without gap or double, and memory stays bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.queries import ReadJournal
from optconsole.screens.journal_window import MOST, PAGE, Window
from tests.screens.stage import NOON


def fact(seq: int) -> Recorded:
    return Recorded(seq=seq, at=NOON, actor="a", cause="", event=ev.KillReleased())


def read(query: ReadJournal, head: int) -> list[Recorded]:
    """What a journal of ``head`` facts answers."""
    if query.last:
        return [fact(seq) for seq in range(max(head - query.limit, query.after) + 1, head + 1)]
    return [fact(seq) for seq in range(query.after + 1, min(query.after + query.limit, head) + 1)]


def opened(head: int) -> Window:
    window = Window()
    query = window.newest()
    window.start(read(query, head), head, query)
    return window


def gapless(window: Window) -> bool:
    seqs = [each.seq for each in window.facts]
    return seqs == list(range(seqs[0], seqs[0] + len(seqs)))


def test_it_opens_on_the_end() -> None:
    window = opened(100_000)
    assert (window.first, window.last, window.at_end, window.at_start) == (100_000 - PAGE + 1, 100_000, True, False)


def test_a_short_journal_is_held_whole() -> None:
    window = opened(20)
    assert (window.first, window.at_start, window.older()) == (1, True, None)


@given(head=st.integers(1, 5_000), steps=st.lists(st.booleans(), max_size=30))
def test_pages_join_without_a_gap_and_stay_bounded(head: int, steps: list[bool]) -> None:
    window = opened(head)
    for back in steps:
        query = window.older() if back else window.newer()
        if query is None:
            assert window.at_start if back else window.at_end
        elif back:
            window.extend_back(read(query, head), query)
        else:
            window.extend(read(query, head), head)
        assert gapless(window)
        assert len(window.facts) <= MOST
        assert window.at_end == (window.last == head)
        assert window.at_start == (window.first == 1)


def test_going_back_reaches_the_first_fact() -> None:
    window, head = opened(4_321), 4_321
    while (query := window.older()) is not None:
        window.extend_back(read(query, head), query)
    assert window.first == 1


def test_new_facts_join_at_the_end_once() -> None:
    window = opened(10)
    assert window.extend([fact(10), fact(11), fact(12)], 12) == 2
    assert window.last == window.head == 12


def test_a_filter_goes_with_every_question() -> None:
    window = Window()
    window.text, window.stream = "O7", "order:O7"
    query = window.newest()
    assert (query.text, query.stream, query.last) == ("O7", "order:O7", True)
    window.start([fact(seq) for seq in range(3, 3 + PAGE * 7, 7)], 9_000, query)
    older = window.older()
    assert older is not None
    assert older.last
    assert older.limit == 2 * PAGE
