"""A recorded day: the parity forward of the near expiries hangs together, and the solver copes with every quote."""

from __future__ import annotations

from datetime import date, datetime, time
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from optconsole.engine.pricing.chain import SolvedChain, solve_chain
from optconsole.engine.pricing.ladder import Ladder, Side
from optconsole.engine.pricing.parity import Source
from optconsole.engine.pricing.reasons import Reason

NEAREST, NEXT, MONTHLY = date(2025, 9, 2), date(2025, 9, 9), date(2025, 9, 30)
Row = dict[str, object]


def paise(value: object) -> int | None:
    return round(float(str(value)) * 100) or None


def side(rows: list[Row], name: str) -> Side:
    def column(field: str) -> tuple[int | None, ...]:
        return tuple(paise(row[f"{name}_{field}"]) for row in rows)

    return Side(
        column("bid_price"),
        column("ask_price"),
        column("ltp"),
        tuple(int(float(str(row[f"{name}_oi"]))) for row in rows),
    )


@pytest.fixture(scope="module")
def day(shared_data: Path) -> dict[date, list[SolvedChain]]:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = shared_data / "chains" / "nse_nifty_chain_2025-08-29.parquet"
    if not path.is_file():
        pytest.skip("the recorded chain of 29 August 2025 is not here")
    table = parquet.read_table(path, filters=[("expiry", "in", [NEAREST, NEXT, MONTHLY])])
    rows = sorted(table.to_pylist(), key=lambda row: (row["expiry"], row["fetch_time"], row["strike_price"]))
    solved: dict[date, list[SolvedChain]] = {}
    for (expiry, moment), group in groupby(rows, key=lambda row: (row["expiry"], row["fetch_time"])):
        chain = list({row["strike_price"]: row for row in group}.values())
        ladder = Ladder(tuple(row["strike_price"] * 100 for row in chain), side(chain, "calls"), side(chain, "puts"))
        left = datetime.combine(expiry, time(15, 30)) - moment
        known = solved.setdefault(expiry, [])
        known.append(solve_chain(ladder, left.total_seconds() / 86_400 / 365, previous=known[-1] if known else None))
    return solved


@pytest.mark.parametrize("expiry", [NEAREST, NEXT, MONTHLY])
def test_the_forward_is_known_all_day_and_moves_like_the_index(
    day: dict[date, list[SolvedChain]], expiry: date
) -> None:
    chains = day[expiry]
    assert len(chains) > 200
    assert {chain.forward.source for chain in chains} == {Source.BOOK}
    values = np.array([chain.forward.value for chain in chains], dtype=float)
    widths = [chain.forward.width for chain in chains]
    assert median(widths) < 500
    jumps = [abs(later - earlier) for earlier, later in pairwise(values.tolist())]
    assert median(jumps) < 800
    assert max(jumps) < 0.003 * values.mean()


def test_the_expiries_tell_one_story(day: dict[date, list[SolvedChain]]) -> None:
    near = np.array([chain.forward.value for chain in day[NEAREST]], dtype=float)
    month = np.array([chain.forward.value for chain in day[MONTHLY]], dtype=float)
    basis = month - near
    assert np.percentile(basis, 5) > 0
    assert np.percentile(basis, 95) - np.percentile(basis, 5) < 0.0015 * near.mean()


def test_call_and_put_of_one_strike_agree_on_volatility_near_the_money(day: dict[date, list[SolvedChain]]) -> None:
    gaps = []
    for chain in day[NEAREST]:
        assert chain.atm is not None
        near = slice(chain.atm - 3, chain.atm + 4)
        gaps.extend(np.abs(chain.calls.iv[near] - chain.puts.iv[near]).tolist())
    assert np.nanmedian(gaps) < 0.003


def test_every_priced_quote_is_solved_or_says_why_not(day: dict[date, list[SolvedChain]]) -> None:
    for chain in (chain for chains in day.values() for chain in chains):
        for solved in (chain.calls, chain.puts):
            assert (np.isnan(solved.iv) == (solved.reason != Reason.SOLVED)).all()
            assert ((solved.reason == Reason.BAD_INPUT) == np.isnan(solved.price)).all()
            fine = solved.reason == Reason.SOLVED
            assert ((solved.iv[fine] > 0.01) & (solved.iv[fine] < 5.0)).all()
            assert (np.abs(solved.delta[fine]) <= 1.0).all()
