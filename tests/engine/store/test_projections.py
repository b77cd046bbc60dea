"""The read tables say what the state says, to the paisa and at every step."""

from __future__ import annotations

from collections import defaultdict
from datetime import time
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.baskets import Basket
from optconsole.engine.model.limits import LimitDay
from optconsole.engine.model.runs import Run
from optconsole.engine.model.strategies import Schedule, Strategy
from optconsole.engine.store.ledger import Ledger, Rows
from optconsole.engine.store.rows import Value
from optconsole.engine.store.statements import bound
from optconsole.engine.store.tables import READ_TABLES, TABLES
from tests.engine.store.facts import Trader


def tables(ledger: Ledger, seed: int, count: int) -> Rows:
    return ledger.draft(Trader(seed).take(count)).rows


@given(seed=st.integers(0, 10_000), count=st.integers(1, 400))
@settings(max_examples=30, deadline=None)
def test_rows_equal_the_folded_state(seed: int, count: int) -> None:
    ledger = Ledger()
    rows = tables(ledger, seed, count)
    state = ledger.state
    day = state.day.isoformat() if state.day else ""
    for order in state.orders.values():
        row = rows["orders"][(order.id,)]
        assert (row["status"], row["filled"], row["filled_value"]) == (
            order.status.value,
            order.filled,
            order.filled_value,
        )
    for held in state.positions.values():
        row = rows["positions"][(day, held.key.account, held.key.product.value, held.key.contract)]
        assert (row["qty"], row["cost"], row["realised"], row["charges"]) == (
            held.qty,
            held.cost,
            held.realised,
            held.charges,
        )
    for name, book in state.accounts.items():
        row = rows["accounts"][(name,)]
        assert (row["realised_before"], row["charges_before"]) == (book.realised_before, book.charges_before)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 400))
@settings(max_examples=30, deadline=None)
def test_rows_of_limits_and_trading_states_equal_the_folded_state(seed: int, count: int) -> None:
    ledger = Ledger()
    rows = tables(ledger, seed, count)
    state = ledger.state
    kept = {key: row for key, row in rows.get("limits", {}).items() if not row["removed"]}
    assert len(kept) == len(state.limits)
    for limit in state.limits.values():
        row = kept[(limit.level.value, limit.name, limit.kind.value)]
        day = state.limit_days.get(limit.key) or LimitDay()
        assert (row["value"], row["warned"], row["broken"]) == (limit.value, day.warned, day.broken)
    for scope in state.scopes.values():
        row = rows["trading_states"][(scope.level.value, scope.name)]
        assert (row["state"], row["why"], row["daily"]) == (scope.standing.value, scope.why, scope.daily)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_a_days_figures_are_the_sum_of_its_positions(seed: int) -> None:
    rows = tables(Ledger(), seed, 400)
    made: dict[tuple[Value, ...], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows["positions"].values():
        sums = made[row["day"], row["account"]]
        sums[0] += int(row["realised"] or 0)
        sums[1] += int(row["charges"] or 0)
    for key, row in rows["day_figures"].items():
        assert [row["realised"], row["charges"]] == made[key]
        assert row["fills"] == sum((fill["day"], fill["account"]) == key for fill in rows["fills"].values())


@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(1, 299), max_size=8, unique=True))
@settings(max_examples=20, deadline=None)
def test_how_facts_are_grouped_changes_no_row_and_no_hash(seed: int, cuts: list[int]) -> None:
    facts = Trader(seed).take(300)
    whole = Ledger().draft(facts)
    ledger, events, rows = Ledger(), [], Rows()
    edges = [0, *sorted(cuts), 300]
    for start, end in pairwise(edges):
        draft = ledger.draft(facts[start:end])
        events += draft.events
        for table, changed in draft.rows.items():
            rows.setdefault(table, {}).update(changed)
    assert events == whole.events
    assert rows == whole.rows


def test_open_quantity_gets_a_row_on_the_next_day_and_yesterdays_stays() -> None:
    rows = tables(Ledger(), 1, 400)
    days = {row["day"] for row in rows["positions"].values()}
    assert len(days) > 2
    opened = [fact for fact in Trader(1).take(400) if isinstance(fact.event, ev.SessionOpened)]
    carried = [row for row in rows["positions"].values() if row["seq"] in {fact.seq for fact in opened}]
    assert all(row["qty"] != 0 for row in carried)


def test_every_row_fills_exactly_the_columns_of_its_table() -> None:
    facts = Trader(1).take(400)
    last, at = facts[-1], facts[-1].at
    run = Run(
        id="R1",
        basket="b",
        version=1,
        strategy=Strategy(name="s", underlying="NIFTY", schedule=Schedule(entry_at=time(9, 20), exit_at=time(15))),
        account="paper",
        mode=Mode.PAPER,
        trade_date=at.date(),
        entry_at=at,
        entry_until=at,
        triggers_until=at,
        exit_at=at,
        expiry=at.date(),
        dte=0,
        since=at,
    )
    added = (ev.BasketSaved(name="b", basket=Basket(name="b"), version=1), ev.RunPlanned(run_id="R1", run=run))
    more = [msgspec.structs.replace(last, seq=last.seq + n, event=event) for n, event in enumerate(added, 1)]
    rows = Ledger().draft([*facts, *more]).rows
    assert set(rows) == set(READ_TABLES)
    for name, changed in rows.items():
        columns = {column.name for column in TABLES[name].columns}
        keys = [column.name for column in TABLES[name].primary_key]
        for key, row in changed.items():
            assert set(row) == columns
            assert tuple(row[name] for name in keys) == key


def test_a_character_postgresql_cannot_hold_is_replaced_when_bound() -> None:
    row: dict[str, Value] = {"seq": 1, "at": "", "level": "", "code": "a\0b", "text": "\0", "subject": "x"}
    assert bound("notices", [row]) == [(1, "", "", "a\ufffdb", "\ufffd", "x")]
