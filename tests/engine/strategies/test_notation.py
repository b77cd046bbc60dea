"""Every rule in words: what is read, what is written back, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model import leg_rules as lr
from optconsole.engine.model import overall_rules as ov
from optconsole.engine.model import strikes as sk
from optconsole.engine.model import triggers as tr
from optconsole.engine.strategies import leg_text, overall_text, strike_text, trigger_text
from optconsole.engine.strategies.amounts import BadText, read_measure, write_measure
from optconsole.engine.strategies.tables import LEG_NAME

AMOUNT = st.integers(1, 10**9)
SIGNED = AMOUNT | AMOUNT.map(lambda amount: -amount)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True).filter(re.compile(LEG_NAME).fullmatch)
UNITS = st.sampled_from(lr.Unit)
MEASURE = st.builds(lr.Measure, AMOUNT, UNITS)
MOVE = st.builds(lr.Measure, SIGNED, st.sampled_from([u for u in lr.Unit if u is not lr.Unit.RUPEES_A_LOT]))
TIMES = st.times().map(lambda moment: moment.replace(microsecond=0))
DAYS = st.dates(date(2020, 1, 1), date(2060, 1, 1))
WHOLE = st.integers(0, 10**8)


def delta_range(pair: tuple[int, int]) -> sk.DeltaStrike:
    low, high = sorted(pair)
    return sk.DeltaStrike(low, None if low == high else high)


def premium_range(low: int, width: int, straddle: bool, other: sk.Pick | None) -> sk.PremiumStrike:
    return sk.PremiumStrike(low, sk.Pick.WITHIN, low + width, straddle, other)


SIMPLE_PICKS = st.sampled_from([sk.Pick.CLOSEST, sk.Pick.AT_LEAST, sk.Pick.AT_MOST])
STRIKES = st.one_of(
    st.builds(sk.StepStrike, st.integers(-100, 100)),
    st.builds(sk.OffsetStrike, SIGNED, st.sampled_from(list(sk.StrikeUnit)[:3]), st.just(True)),
    st.builds(sk.OffsetStrike, SIGNED, st.sampled_from(list(sk.StrikeUnit)[:3]), st.just(False), st.booleans()),
    st.builds(sk.ExactStrike, AMOUNT),
    st.builds(sk.PremiumStrike, AMOUNT, SIMPLE_PICKS, st.none(), st.booleans()),
    st.builds(premium_range, AMOUNT, AMOUNT, st.booleans(), st.none() | SIMPLE_PICKS),
    st.tuples(st.integers(1, 1000), st.integers(1, 1000)).map(delta_range),
    st.builds(
        sk.RelativeStrike,
        NAMES,
        st.integers(-100, 100),
        st.just(sk.StrikeUnit.STRIKES),
        st.booleans(),
    ),
    st.builds(
        sk.RelativeStrike,
        NAMES,
        SIGNED,
        st.sampled_from([sk.StrikeUnit.POINTS, sk.StrikeUnit.PERCENT]),
        st.booleans(),
    ),
    st.builds(sk.CheapStrike, AMOUNT, WHOLE, WHOLE),
    st.builds(sk.VolatilityStrike, AMOUNT, st.just(sk.Gauge.VIX)),
    st.builds(sk.VolatilityStrike, AMOUNT, st.just(sk.Gauge.ATR), st.integers(2, 200)),
    st.builds(sk.MatchStrike, NAMES, st.none() | AMOUNT),
)
EXPIRIES = st.one_of(
    st.builds(
        sk.ExpiryRule,
        series=st.sampled_from([sk.Series.WEEKLY, sk.Series.MONTHLY, sk.Series.QUARTERLY]),
        offset=st.integers(0, 24),
        roll_at=st.none() | TIMES,
        min_dte=st.integers(0, 250),
    ),
    st.builds(sk.ExpiryRule, series=st.just(sk.Series.FIXED), day=DAYS),
)
TRAILS = st.one_of(
    st.builds(lr.Trail, move=MEASURE, every=MEASURE, interval=st.integers(0, 3600)),
    st.builds(
        lr.Trail,
        kind=st.just(lr.TrailKind.PEAK),
        move=MEASURE,
        after=st.none() | MEASURE,
        interval=st.integers(0, 3600),
    ),
)
STOPS = st.one_of(
    st.builds(lr.LegStop, move=MEASURE),
    st.builds(
        lr.LegStop,
        kind=st.sampled_from([k for k in lr.StopKind if k is not lr.StopKind.MOVE]),
        of_underlying=st.booleans(),
    ),
)
OTHER = {
    "times": st.integers(1, 20),
    "delay": st.integers(0, 86_400),
    "reverse": st.booleans(),
    "square_off_all": st.booleans(),
    "not_before": st.none() | TIMES,
    "not_after": st.none() | TIMES,
}
REENTRIES = st.one_of(
    st.builds(
        lr.Reentry,
        mode=st.sampled_from([lr.ReentryMode.EXECUTE, lr.ReentryMode.COST, lr.ReentryMode.CLOSE]),
        wait=st.none() | MOVE,
        **OTHER,
    ),
    st.builds(lr.Reentry, mode=st.just(lr.ReentryMode.MOMENTUM), wait=MOVE, **OTHER),
    st.builds(
        lr.Reentry, mode=st.just(lr.ReentryMode.LAZY), arms=st.lists(NAMES, min_size=1, max_size=3).map(tuple), **OTHER
    ),
)


def locks(at: int, share: float, every: int, move: int, then: bool) -> ov.ProfitLock:
    return ov.ProfitLock(at=at, keep=int(at * share), every=every if then else 0, move=move if then else 0)


LOCKS = st.one_of(
    st.builds(ov.ProfitLock, every=AMOUNT, move=AMOUNT),
    st.builds(locks, AMOUNT.filter(lambda at: at > 1), st.floats(0, 0.9), AMOUNT, AMOUNT, st.booleans()),
)
BANDS = st.builds(
    lambda low, width, move, touch: ov.Band(
        low=low, high=None if width is None else (low or 0) + width, move=move, break_even=touch
    ),
    st.none() | AMOUNT,
    st.none() | AMOUNT,
    st.none() | AMOUNT,
    st.booleans(),
).filter(lambda band: band != ov.Band())
GREEKS = st.builds(
    ov.Greeks,
    delta=st.none() | st.integers(0, 10**6),
    gamma=st.none() | st.integers(0, 10**6),
    decayed=st.none() | AMOUNT,
).filter(lambda rule: rule != ov.Greeks())
AGAINS = st.one_of(
    st.builds(
        ov.OverallReentry,
        how=st.sampled_from([ov.Again.RUN, ov.Again.REVERSE]),
        times=st.integers(1, 20),
        delay=st.integers(0, 86_400),
    ),
    st.builds(ov.OverallReentry, how=st.just(ov.Again.MOMENTUM), times=st.integers(1, 20), move=SIGNED),
)
INDICATORS = st.one_of(
    st.builds(
        tr.IndicatorTrigger,
        kind=st.just(tr.IndicatorKind.SUPERTREND),
        cross=st.sampled_from(tr.Cross),
        candle=st.integers(1, 120),
        period=st.integers(1, 500),
        multiple=AMOUNT,
        leg=st.just("") | NAMES,
    ),
    st.builds(
        lambda fast, more, cross: tr.IndicatorTrigger(
            kind=tr.IndicatorKind.EMA_CROSS, cross=cross, fast=fast, slow=fast + more
        ),
        st.integers(1, 200),
        st.integers(1, 200),
        st.sampled_from(tr.Cross),
    ),
    st.builds(
        tr.IndicatorTrigger,
        kind=st.just(tr.IndicatorKind.RSI),
        cross=st.sampled_from(tr.Cross),
        period=st.integers(1, 500),
        level=st.integers(1, 10_000),
    ),
    st.builds(tr.IndicatorTrigger, kind=st.just(tr.IndicatorKind.VWAP), cross=st.sampled_from(tr.Cross)),
)
RANGES = st.one_of(
    st.tuples(TIMES, TIMES)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: tr.Range(start=min(pair), end=max(pair))),
    st.builds(
        lambda start, end, last, more: tr.Range(start=start, end=end, start_dte=last + more, end_dte=last),
        TIMES,
        TIMES,
        st.integers(0, 20),
        st.integers(1, 20),
    ),
)
LAWS: dict[str, tuple[st.SearchStrategy[Any], Callable[[str], Any], Callable[[Any], str]]] = {
    "measure": (MEASURE, read_measure, write_measure),
    "strike": (STRIKES, strike_text.read_strike, strike_text.write_strike),
    "expiry": (EXPIRIES, strike_text.read_expiry, strike_text.write_expiry),
    "stop": (STOPS, leg_text.read_stop, leg_text.write_stop),
    "wait": (st.builds(lr.EntryWait, move=MOVE, first_only=st.booleans()), leg_text.read_wait, leg_text.write_wait),
    "trail": (TRAILS, leg_text.read_trail, leg_text.write_trail),
    "lock step": (st.builds(lr.LockStep, MEASURE, MEASURE), leg_text.read_lock, leg_text.write_lock),
    "re-entry": (REENTRIES, leg_text.read_reentry, leg_text.write_reentry),
    "profit lock": (LOCKS, overall_text.read_profit_lock, overall_text.write_profit_lock),
    "band": (BANDS, overall_text.read_band, overall_text.write_band),
    "greeks": (GREEKS, overall_text.read_greeks, overall_text.write_greeks),
    "again": (AGAINS, overall_text.read_again, overall_text.write_again),
    "indicator": (INDICATORS, trigger_text.read_indicator, trigger_text.write_indicator),
    "range": (RANGES, trigger_text.read_range, trigger_text.write_range),
}


@pytest.mark.parametrize("rule", LAWS)
@given(data=st.data())
def test_what_is_written_reads_back_equal(rule: str, data: st.DataObject) -> None:
    values, read, write = LAWS[rule]
    value = data.draw(values)
    assert read(write(value)) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("ATM", sk.StepStrike(0)),
        ("OTM 2", sk.StepStrike(2)),
        ("itm3", sk.StepStrike(-3)),
        ("ATM +150", sk.OffsetStrike(15_000)),
        ("ATM -1.25%", sk.OffsetStrike(-125, sk.StrikeUnit.PERCENT)),
        ("OTM 1.5%", sk.OffsetStrike(150, sk.StrikeUnit.PERCENT, otm=True)),
        ("ATM +0.5 straddle", sk.OffsetStrike(50, sk.StrikeUnit.STRADDLE)),
        ("24500", sk.ExactStrike(2_450_000)),
        ("premium 100", sk.PremiumStrike(10_000)),
        ("premium >= 100", sk.PremiumStrike(10_000, sk.Pick.AT_LEAST)),
        ("premium 80..120 else <=", sk.PremiumStrike(8_000, sk.Pick.WITHIN, 12_000, False, sk.Pick.AT_MOST)),
        ("premium 50% straddle", sk.PremiumStrike(5_000, of_straddle=True)),
        ("delta 0.30", sk.DeltaStrike(300)),
        ("leg ce +4", sk.RelativeStrike("ce", 4)),
        ("match ce within 5", sk.MatchStrike("ce", 500)),
    ],
)
def test_a_strike_is_read_as_a_trader_writes_it(text: str, rule: sk.AnyStrike) -> None:
    assert strike_text.read_strike(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OTM",
        "OTM 0",
        "ATM +0",
        "premium 0",
        "premium 120..80",
        "delta 1.2",
        "delta 0",
        "leg +4",
        "nearest",
        "OTM -2",
    ],
)
def test_a_strike_that_means_nothing_is_refused_with_what_would_pass(text: str) -> None:
    with pytest.raises(BadText):
        strike_text.read_strike(text)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_measure, "0"),
        (read_measure, "-5"),
        (read_measure, "5% a lot"),
        (read_measure, "1.234"),
        (leg_text.read_wait, "15"),
        (leg_text.read_trail, "10"),
        (leg_text.read_reentry, "cost x0"),
        (leg_text.read_reentry, "lazy"),
        (leg_text.read_reentry, "momentum x2"),
        (leg_text.read_reentry, "cost pe2"),
        (overall_text.read_profit_lock, "3000: 5000"),
        (overall_text.read_level, "0"),
        (overall_text.read_level, "500 net"),
        (overall_text.read_band, "25000..24000"),
        (trigger_text.read_range, "09:30-09:16"),
        (trigger_text.read_range, "1@09:16-2@09:30"),
        (trigger_text.read_indicator, "ema(21,9) up"),
        (trigger_text.read_indicator, "rsi up"),
        (strike_text.read_expiry, "fortnightly"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(BadText) as refused:
        read(text)
    assert str(refused.value)


def test_a_reentry_carries_all_it_was_given() -> None:
    rule = leg_text.read_reentry("execute x2 wait +5% after 30s reverse all from 09:30 until 14:30")
    assert rule == lr.Reentry(
        mode=lr.ReentryMode.EXECUTE,
        times=2,
        delay=30,
        reverse=True,
        wait=lr.Measure(500, lr.Unit.PERCENT),
        square_off_all=True,
        not_before=time(9, 30),
        not_after=time(14, 30),
    )
