"""One strike chosen by a leg's rule, once, with what was looked at (features 1.2, AU-2).

The choice carries its inputs, so that it can be stored as a fact and told in words later; where nothing fits, the
answer is a reason and never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.money import rupees
from optconsole.engine.model.strikes import (
    AnyStrike,
    CheapStrike,
    DeltaStrike,
    ExactStrike,
    MatchStrike,
    OffsetStrike,
    PremiumStrike,
    PriceKind,
    RelativeStrike,
    StepStrike,
    VolatilityStrike,
)
from optconsole.engine.rules.strike_liquidity import Verdict, lacking
from optconsole.engine.rules.strike_premiums import by_budget, by_delta, by_match, by_premium
from optconsole.engine.rules.strike_rows import Candidate, Slate, at_the_money, nearest, strike_text
from optconsole.engine.rules.strike_targets import (
    Aim,
    Ranking,
    by_leg,
    by_name,
    by_offset,
    by_steps,
    by_volatility,
)

NEIGHBOURS: Final = 3
"""Strikes on each side of the first and of the chosen one that are kept with the decision."""

_WAITING: Final = frozenset({"UNBALANCED", "NO_REFERENCE", "NO_PRICES", "NO_STRADDLE", "NO_DELTAS", "NO_GAUGE"})
"""Reasons that the next quotes may end."""


class Look(msgspec.Struct, frozen=True):
    """One strike that was looked at, and what became of it. ``premium`` is of the kind the rule looks at."""

    row: Candidate
    premium: int | None
    verdict: Verdict


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The strike that was chosen, and why. ``target`` is what the rule aimed at, as ``aim`` says.

    ``looked`` are the strikes tried and their neighbours, by strike; ``listed`` is how many there were in all.
    """

    contract: str
    strike: int
    premium: int | None
    rule: AnyStrike
    right: Right
    price: PriceKind
    reference: int
    atm: int
    aim: Aim
    target: int
    listed: int
    looked: tuple[Look, ...]


class NoStrike(msgspec.Struct, frozen=True, kw_only=True):
    """That no strike was chosen: a stable code and a sentence. ``wait`` says that later quotes may change it."""

    code: str
    text: str
    rule: AnyStrike
    right: Right
    price: PriceKind
    reference: int | None
    listed: int
    wait: bool = False
    looked: tuple[Look, ...] = ()


def choose(rule: AnyStrike, slate: Slate) -> Choice | NoStrike:
    """The strike that ``rule`` means on this slate, or why there is none.

    One that lacks what ``slate.liquidity`` asks for is passed over for the next best, ``tries`` times.
    """
    ranking: Ranking | None = None
    try:
        atm = at_the_money(slate)
        ranking = _ranked(rule, slate, atm)
        tried, place = _first_liquid(slate, ranking)
    except Refusal as refusal:
        return _nothing(rule, slate, refusal, ranking)
    row = slate.rows[place]
    assert slate.reference is not None  # at_the_money has refused an unknown reference
    return Choice(
        contract=row.contract,
        strike=row.strike,
        premium=row.premium(slate.price),
        rule=rule,
        right=slate.right,
        price=slate.price,
        reference=slate.reference,
        atm=slate.rows[atm].strike,
        aim=ranking.aim,
        target=ranking.target,
        listed=len(slate.rows),
        looked=_looks(slate, ranking, {**tried, place: Verdict.CHOSEN}),
    )


def _ranked(rule: AnyStrike, slate: Slate, atm: int) -> Ranking:
    match rule:
        case StepStrike():
            return by_steps(rule, slate, atm)
        case OffsetStrike():
            return by_offset(rule, slate, atm)
        case ExactStrike():
            return by_name(rule, slate)
        case PremiumStrike():
            return by_premium(rule, slate)
        case DeltaStrike():
            return by_delta(rule, slate)
        case RelativeStrike():
            return by_leg(rule, slate)
        case CheapStrike():
            return by_budget(rule, slate, atm)
        case VolatilityStrike():
            return by_volatility(rule, slate)
        case MatchStrike():
            return by_match(rule, slate)
    assert_never(rule)


def _first_liquid(slate: Slate, ranking: Ranking) -> tuple[dict[int, Verdict], int]:
    """What was passed over and why, and the first that offers enough. Raises Refusal(ILLIQUID)."""
    tried: dict[int, Verdict] = {}
    for place in _tries(slate, ranking):
        missing = lacking(slate.rows[place], slate.liquidity, slate.price)
        if missing is None:
            return tried, place
        tried[place] = missing
    told = ", ".join(f"{strike_text(slate.rows[place].strike)} {verdict}" for place, verdict in tried.items())
    raise Refusal("ILLIQUID", f"No strike offers what is asked for: {told}.")


def _tries(slate: Slate, ranking: Ranking) -> Sequence[int]:
    return ranking.order[: 1 + max(slate.liquidity.tries, 0)]


def _looks(slate: Slate, ranking: Ranking, verdicts: dict[int, Verdict]) -> tuple[Look, ...]:
    """The tried strikes with the neighbours of the first and the last of them, by strike."""
    ends = (next(iter(verdicts)), next(reversed(verdicts)))
    last = len(slate.rows) - 1
    shown = set(verdicts).union(
        *(range(max(end - NEIGHBOURS, 0), min(end + NEIGHBOURS, last) + 1) for end in ends),
    )
    fitting = set(ranking.order)
    return tuple(
        Look(
            slate.rows[place],
            slate.rows[place].premium(slate.price),
            verdicts.get(place) or ranking.unfit.get(place) or (Verdict.FARTHER if place in fitting else Verdict.UNFIT),
        )
        for place in sorted(shown)
    )


def _nothing(rule: AnyStrike, slate: Slate, refusal: Refusal, ranking: Ranking | None) -> NoStrike:
    """No strike, with what was tried, or with the strikes around the money where none met the rule at all."""
    looked: tuple[Look, ...] = ()
    if ranking is not None:
        verdicts = {place: lacking(slate.rows[place], slate.liquidity, slate.price) for place in _tries(slate, ranking)}
        looked = _looks(slate, ranking, {place: verdict for place, verdict in verdicts.items() if verdict})
    elif slate.rows and slate.reference:
        middle = nearest(slate.rows, slate.reference)
        around = slate.rows[max(middle - NEIGHBOURS, 0) : middle + NEIGHBOURS + 1]
        looked = tuple(
            Look(row, premium, Verdict.NO_PRICE if premium is None else Verdict.UNFIT)
            for row, premium in ((row, row.premium(slate.price)) for row in around)
        )
    return NoStrike(
        code=refusal.code,
        text=refusal.text,
        rule=rule,
        right=slate.right,
        price=slate.price,
        reference=slate.reference,
        listed=len(slate.rows),
        wait=refusal.code in _WAITING,
        looked=looked,
    )


def told(choice: Choice) -> str:
    """A choice in one sentence."""
    if choice.aim is Aim.DELTA:
        aimed = f"delta {choice.target / 1000:.3f}"
    elif choice.aim is Aim.PREMIUM:
        aimed = f"premium {rupees(choice.target)}"
    else:
        aimed = f"strike {rupees(choice.target)}"
    price = f" at {rupees(choice.premium)}" if choice.premium is not None else ""
    return (
        f"{choice.contract}{price}, aimed at {aimed}; ATM {strike_text(choice.atm)}"
        f" by the reference {rupees(choice.reference)}, {choice.listed} strikes listed."
    )
