"""Options to choose from, for tests of the rules that choose a strike."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.strikes import AnyStrike
from optconsole.engine.rules.strike_rows import Candidate, Slate
from optconsole.engine.rules.strikes import Choice, NoStrike, choose

CALL, PUT = Right.CALL, Right.PUT


def row(strike: int, ltp: int | None = None, **known: int) -> Candidate:
    return Candidate(strike=strike * 100, contract=f"NIFTY {strike}", ltp=ltp, **known)


def slate(
    right: Right = CALL, rows: tuple[Candidate, ...] | None = None, reference: int = 24_500_00, **more: object
) -> Slate:
    ladder = rows if rows is not None else tuple(row(strike) for strike in range(24_000, 25_050, 50))
    return msgspec.structs.replace(Slate(right=right, rows=ladder, reference=reference), **more)


def chosen(rule: AnyStrike, on: Slate) -> int:
    answer = choose(rule, on)
    assert isinstance(answer, Choice), answer
    return answer.strike // 100


def refused(rule: AnyStrike, on: Slate) -> NoStrike:
    answer = choose(rule, on)
    assert isinstance(answer, NoStrike), answer
    return answer


FOUR = slate(rows=(row(24_500, 120_00), row(24_550, 104_00), row(24_600, 96_00), row(24_650, 88_00)))
