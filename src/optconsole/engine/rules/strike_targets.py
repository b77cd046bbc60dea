"""Strikes chosen by where they lie: in steps, at a distance, exactly, from another leg, by volatility.

SK-1 to SK-4, SK-9, SK-12, SK-13 and SK-15. Each answers a ranking of all listed strikes, the best first.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import sqrt
from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.money import rupees
from optconsole.engine.model.strikes import (
    ExactStrike,
    Gauge,
    OffsetStrike,
    RelativeStrike,
    StepStrike,
    StrikeUnit,
    VolatilityStrike,
)
from optconsole.engine.rules.strike_liquidity import Verdict
from optconsole.engine.rules.strike_rows import Slate, nearest, span, strike_text, within_list


class Aim(StrEnum):
    """What the target of a choice is: a strike or a premium in paise, or a delta in thousandths."""

    STRIKE = "strike"
    PREMIUM = "premium"
    DELTA = "delta"


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """Indices of the strikes that meet a rule, the best first, and why others do not (``unfit``, else UNFIT)."""

    order: Sequence[int]
    aim: Aim
    target: int
    unfit: dict[int, Verdict] = {}


_HUNDREDTHS: Final = 100
_WHOLE_BP: Final = 10_000
_DAYS_A_YEAR: Final = 365


def by_steps(rule: StepStrike, slate: Slate, atm: int) -> Ranking:
    """SK-1: so many listed strikes from ATM. Raises Refusal(OFF_THE_LIST)."""
    return _walk(slate, atm, rule.steps * slate.outward)


def by_offset(rule: OffsetStrike, slate: Slate, atm: int) -> Ranking:
    """SK-2, SK-3, SK-9, SK-12. Raises Refusal: OFF_THE_LIST, NO_STRADDLE."""
    amount = rule.amount * slate.outward if rule.otm else rule.amount
    if rule.unit is StrikeUnit.STRIKES:
        return _walk(slate, atm, amount)
    start = slate.reference if rule.from_spot or rule.unit is StrikeUnit.PERCENT else slate.rows[atm].strike
    assert start is not None  # at_the_money has refused an unknown reference
    return _around(slate, start + _distance(amount, rule.unit, start, slate))


def by_name(rule: ExactStrike, slate: Slate) -> Ranking:
    """SK-4. Raises Refusal(NOT_LISTED)."""
    place = nearest(slate.rows, rule.strike)
    found = slate.rows[place].strike
    if found != rule.strike:
        raise Refusal(
            "NOT_LISTED",
            f"Strike {strike_text(rule.strike)} is not listed; the nearest listed one is {strike_text(found)}.",
        )
    return Ranking(order=(place,), aim=Aim.STRIKE, target=rule.strike)


def by_leg(rule: RelativeStrike, slate: Slate) -> Ranking:
    """SK-13. Raises Refusal: NO_OTHER_LEG while the named leg has no strike, OFF_THE_LIST, NO_STRADDLE."""
    if slate.other_strike is None:
        raise Refusal("NO_OTHER_LEG", f"Leg {rule.leg} has no strike yet, and this strike is measured from it.")
    amount = rule.amount * slate.outward if rule.otm else rule.amount
    if rule.unit is StrikeUnit.STRIKES:
        return _walk(slate, nearest(slate.rows, slate.other_strike), amount)
    return _around(slate, slate.other_strike + _distance(amount, rule.unit, slate.other_strike, slate))


def by_volatility(rule: VolatilityStrike, slate: Slate) -> Ranking:
    """SK-15: out of the money from the reference. Raises Refusal: NO_GAUGE, OFF_THE_LIST."""
    assert slate.reference is not None  # at_the_money has refused an unknown reference
    move = slate.atr if rule.gauge is Gauge.ATR else expected_move(slate.reference, slate.vix, slate.days)
    if move is None:
        name = f"the {rule.days}-day average true range" if rule.gauge is Gauge.ATR else "India VIX"
        raise Refusal("NO_GAUGE", f"The distance is measured by {name}, which is unknown.")
    return _around(slate, slate.reference + slate.outward * (rule.multiple * move // _HUNDREDTHS))


def expected_move(reference: int, vix: int | None, days: float | None) -> int | None:
    """Paise that the index is expected to move within ``days`` calendar days at ``vix`` hundredths of a percent a year.

    One standard deviation. None while either is unknown.
    """
    if vix is None or days is None:
        return None
    return round(reference * vix / _WHOLE_BP * sqrt(max(days, 0.0) / _DAYS_A_YEAR))


def _distance(amount: int, unit: StrikeUnit, base: int, slate: Slate) -> int:
    """Paise of an amount, towards zero to a whole paisa."""
    if unit is StrikeUnit.POINTS:
        return amount
    sign = 1 if amount >= 0 else -1
    if unit is StrikeUnit.PERCENT:
        return sign * (base * abs(amount) // _WHOLE_BP)
    if slate.straddle is None:
        raise Refusal("NO_STRADDLE", "The ATM call or put has no price, and the distance is measured in straddles.")
    return sign * (slate.straddle * abs(amount) // _HUNDREDTHS)


def _walk(slate: Slate, start: int, steps: int) -> Ranking:
    """The strike so many places away in the list as it is, whatever the gaps between its strikes."""
    place = start + steps
    if not 0 <= place < len(slate.rows):
        raise Refusal(
            "OFF_THE_LIST",
            f"{abs(steps)} strikes {'above' if steps > 0 else 'below'} {strike_text(slate.rows[start].strike)}"
            f" is beyond the listed strikes {span(slate.rows)}.",
        )
    # the next try lies one more place away; of two as near, the one further out of the money
    order = sorted(range(len(slate.rows)), key=lambda other: (abs(other - place), -slate.outward * other))
    return Ranking(order=order, aim=Aim.STRIKE, target=slate.rows[place].strike)


def _around(slate: Slate, target: int) -> Ranking:
    """The listed strike nearest to a price, a tie going to the lower one as for ATM."""
    rows = slate.rows
    if not within_list(rows, target):
        raise Refusal(
            "OFF_THE_LIST", f"The strike nearest to {rupees(target)} is beyond the listed strikes {span(rows)}."
        )
    order = sorted(range(len(rows)), key=lambda place: (abs(rows[place].strike - target), rows[place].strike))
    return Ranking(order=order, aim=Aim.STRIKE, target=target)
