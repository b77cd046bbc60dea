"""What holds for every quote of a practice day."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from types import FrameType

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.brokers.paper.practice.chains import chain
from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.brokers.paper.practice.surface import CARRY
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import listing
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind, Right
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST
from optconsole.engine.pricing.reasons import Reason
from optconsole.engine.pricing.scalar import implied_vol
from tests.brokers.paper.practice.conftest import SEED, WEDNESDAY, DayMaker

instants = st.integers(0, 385 * 60 * 1000 - 1)


def at(day: PracticeDay, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(day.day.year, day.day.month, day.day.day, hour, minute, second, tzinfo=IST)


def after_open(day: PracticeDay, milliseconds: int) -> datetime:
    return day.opens + timedelta(milliseconds=milliseconds)


def strike_chain(day: PracticeDay, underlying: str, rank: int = 0) -> dict[tuple[int, Right], Instrument]:
    """Options of the expiry of that rank by (strike, right)."""
    options = [i for i in day.sheet.instruments if i.underlying == underlying and i.kind is Kind.OPTION]
    expiry = sorted({i.expiry for i in options if i.expiry is not None})[rank]
    return {(i.strike, i.right): i for i in options if i.expiry == expiry and i.strike and i.right}


def every_quote(day: PracticeDay, moment: datetime) -> list[tuple[Instrument, Quote]]:
    return list(zip(day.sheet.instruments, day.quotes(day.sheet.instruments, moment), strict=True))


# ---------------------------------------------------------------- the same seed, the same day


def test_the_same_seed_gives_the_same_bytes_in_any_order_and_after_a_restart(
    plain_day: PracticeDay, calendar: Calendar
) -> None:
    again = PracticeDay(SEED, WEDNESDAY, chain(SEED, WEDNESDAY, listing), calendar)
    moments = [after_open(plain_day, m) for m in (0, 7_654_321, 12_345, 20_000_050, 7_654_321, 23_099_999)]
    for moment in moments:
        there = msgspec.msgpack.encode(plain_day.quotes(plain_day.sheet.instruments, moment))
        backwards = again.quotes(tuple(reversed(again.sheet.instruments)), moment)
        assert msgspec.msgpack.encode(backwards[::-1]) == there


@settings(deadline=None)
@given(instants, st.integers(0, 4000))
def test_a_contract_quotes_the_same_alone_as_in_a_crowd(plain_day: PracticeDay, ms: int, place: int) -> None:
    moment = after_open(plain_day, ms)
    crowd = plain_day.sheet.instruments[place : place + 200]
    assert plain_day.quotes(crowd, moment)[0] == plain_day.quote(crowd[0], moment)


def test_another_seed_or_another_date_gives_another_day(make_day: DayMaker, plain_day: PracticeDay) -> None:
    other, before = make_day(8, WEDNESDAY), make_day(SEED, date(2026, 11, 20))
    prints = {tuple(day.spot("NIFTY", s) for s in range(0, 23_000, 1000)) for day in (plain_day, other, before)}
    assert len(prints) == 3


# ---------------------------------------------------------------- books


@settings(deadline=None)
@given(instants)
def test_no_book_is_crossed_and_every_price_is_a_tick_apart_on_its_tick(plain_day: PracticeDay, ms: int) -> None:
    for item, quote in every_quote(plain_day, after_open(plain_day, ms)):
        prices = [price for price in (quote.bid, quote.ask, quote.ltp) if price is not None]
        assert all(isinstance(price, int) and price > 0 for price in prices)
        if item.kind is Kind.INDEX:
            assert (quote.bid, quote.ask, quote.booked, quote.oi) == (None, None, False, None)
            continue
        assert all(price % item.tick == 0 for price in prices), item.name
        if quote.bid is not None and quote.ask is not None:
            assert quote.ask - quote.bid >= item.tick


@settings(deadline=None)
@given(instants)
def test_sizes_volume_and_open_interest_are_whole_lots(plain_day: PracticeDay, ms: int) -> None:
    for item, quote in every_quote(plain_day, after_open(plain_day, ms)):
        if item.kind is Kind.INDEX:
            continue
        for price, size in ((quote.bid, quote.bid_qty), (quote.ask, quote.ask_qty)):
            assert size % item.lot == 0
            assert (size > 0) is (price is not None)
        assert quote.volume >= 0
        assert quote.volume % item.lot == 0
        assert quote.oi is not None
        assert quote.oi >= 0
        assert quote.oi % item.lot == 0


@settings(deadline=None)
@given(st.lists(instants, min_size=2, max_size=6))
def test_volume_never_falls(plain_day: PracticeDay, ms: list[int]) -> None:
    some = plain_day.sheet.instruments[::17]
    volumes = [[q.volume for q in plain_day.quotes(some, after_open(plain_day, m))] for m in sorted(ms)]
    assert (np.diff(np.array(volumes), axis=0) >= 0).all()


def test_volume_begins_at_nothing_and_grows_fastest_at_the_open(plain_day: PracticeDay) -> None:
    def total(moment: datetime) -> int:
        return sum(q.volume for q in plain_day.quotes(plain_day.sheet.instruments, moment))

    assert total(plain_day.opens) == 0
    first = total(at(plain_day, 9, 45))
    noon = total(at(plain_day, 12, 45)) - total(at(plain_day, 12, 15))
    assert first > 1.4 * noon > 0


@settings(deadline=None)
@given(instants, st.sampled_from(["NIFTY", "BANKNIFTY", "SENSEX"]), st.integers(0, 2))
def test_call_put_parity_holds_within_the_spread(plain_day: PracticeDay, ms: int, name: str, rank: int) -> None:
    moment = after_open(plain_day, ms)
    options = strike_chain(plain_day, name, rank)
    spot = plain_day.spot(name, ms / 1000.0)
    for strike in sorted({k for k, _ in options if abs(k - spot) < 0.03 * spot})[::3]:
        call, put = options[strike, Right.CALL], options[strike, Right.PUT]
        c, p = plain_day.quotes([call, put], moment)
        assert None not in (c.bid, c.ask, p.bid, p.ask)
        assert call.last_trade is not None
        growth = np.exp(CARRY * (call.last_trade - moment).total_seconds() / 86_400.0 / 365.0)
        fair = spot - strike / growth
        assert (c.bid or 0) - (p.ask or 0) - 1 <= fair <= (c.ask or 0) - (p.bid or 0) + 1


def test_spreads_widen_away_from_the_money_relative_to_the_premium(plain_day: PracticeDay) -> None:
    moment, spot = at(plain_day, 12), plain_day.spot("NIFTY", 9900)
    share: dict[str, list[float]] = {"near": [], "out": [], "far": []}
    for item, quote in every_quote(plain_day, moment):
        if item.underlying != "NIFTY" or item.kind is not Kind.OPTION or not quote.bid or not quote.ask:
            continue
        out = (item.strike - spot if item.right is Right.CALL else spot - item.strike) / spot  # type: ignore[operator]
        zone = "near" if abs(out) < 0.005 else "out" if 0.02 < out < 0.04 else "far" if out > 0.06 else ""
        if zone and item.expiry == min(i.expiry for i in plain_day.sheet.instruments[4:500] if i.expiry):
            share[zone].append((quote.ask - quote.bid) / quote.bid)
    near, out, far = (np.median(share[zone]) for zone in ("near", "out", "far"))
    assert near < 0.01
    assert near < out < far


def test_spreads_widen_in_the_money_and_for_later_weeks(plain_day: PracticeDay) -> None:
    moment, spot = at(plain_day, 12), plain_day.spot("NIFTY", 9900)

    def width(rank: int, low: float, high: float) -> float:
        chosen = [
            item
            for (strike, right), item in strike_chain(plain_day, "NIFTY", rank).items()
            if right is Right.CALL and low < strike / spot < high
        ]
        quotes = plain_day.quotes(chosen, moment)
        return float(np.median([q.ask - q.bid for q in quotes if q.ask and q.bid]))

    assert width(0, 0.99, 1.01) < width(0, 0.95, 0.97) < width(0, 0.91, 0.93)
    assert width(0, 0.99, 1.01) < width(1, 0.99, 1.01) < width(2, 0.99, 1.01) < width(3, 0.99, 1.01)


def test_cheap_options_show_far_larger_sizes_than_dear_ones(plain_day: PracticeDay) -> None:
    options = list(strike_chain(plain_day, "NIFTY").values())
    quotes = plain_day.quotes(options, at(plain_day, 12))
    cheap = np.median([q.bid_qty for q in quotes if q.bid and q.bid < 3_00])
    dear = np.median([q.bid_qty for q in quotes if q.bid and q.bid > 300_00])
    assert cheap > 100 * dear


def test_far_strikes_of_far_expiries_may_have_no_book_but_busy_ones_always_do(plain_day: PracticeDay) -> None:
    quotes = every_quote(plain_day, at(plain_day, 12))
    assert any(q.ask is None for i, q in quotes if i.kind is Kind.OPTION)
    near = strike_chain(plain_day, "NIFTY")
    spot = plain_day.spot("NIFTY", 9900)
    busy = [item for (strike, _), item in near.items() if abs(strike - spot) < 1000_00]
    assert all(q.bid and q.ask for q in plain_day.quotes(busy, at(plain_day, 12)))


def test_the_depth_starts_at_the_quote_and_runs_outward(plain_day: PracticeDay) -> None:
    moment = at(plain_day, 13, 7, 11)
    for item, quote in every_quote(plain_day, moment)[4::61]:
        depth = plain_day.depth(item, moment)
        assert depth is not None
        assert len(depth.bids) <= 5
        assert len(depth.asks) <= 5
        assert depth.bids[:1] == (((quote.bid, quote.bid_qty),) if quote.bid else ())
        assert depth.asks[:1] == (((quote.ask, quote.ask_qty),) if quote.ask else ())
        bids, asks = [p for p, _ in depth.bids], [p for p, _ in depth.asks]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert all(p > 0 and p % item.tick == 0 for p in bids + asks)
        assert all(s > 0 and s % item.lot == 0 for _, s in depth.bids + depth.asks)


def test_an_index_has_no_depth(plain_day: PracticeDay) -> None:
    assert plain_day.depth(plain_day.sheet.instruments[0], plain_day.opens) is None


# ---------------------------------------------------------------- volatility


def implied(day: PracticeDay, item: Instrument, moment: datetime) -> float:
    quote = day.quote(item, moment)
    assert quote.mid is not None
    assert item.strike is not None
    assert item.last_trade is not None
    years = (item.last_trade - moment).total_seconds() / 86_400.0 / 365.0
    spot = day.spot(item.underlying, (moment - day.opens).total_seconds()) / 100.0
    ahead = spot * np.exp(CARRY * years)
    found, reason = implied_vol(quote.mid / 100, ahead, item.strike / 100, years, CARRY, item.right is Right.CALL)
    assert reason is Reason.SOLVED
    return found


def test_recovered_volatility_smiles_and_leans_to_the_puts(plain_day: PracticeDay) -> None:
    moment, spot = at(plain_day, 12), plain_day.spot("NIFTY", 9900)
    options = strike_chain(plain_day, "NIFTY")
    strikes = sorted({strike for strike, _ in options})

    def nearest(level: float) -> int:
        return min(strikes, key=lambda strike: abs(strike - level))

    middle = implied(plain_day, options[nearest(spot), Right.CALL], moment)
    low = implied(plain_day, options[nearest(spot * 0.96), Right.PUT], moment)
    high = implied(plain_day, options[nearest(spot * 1.04), Right.CALL], moment)
    assert 0.07 < middle < 0.25
    assert low > 1.15 * middle
    assert low > high > 0.95 * middle


def test_volatility_at_the_money_differs_by_expiry(plain_day: PracticeDay) -> None:
    moment, spot = at(plain_day, 12), plain_day.spot("NIFTY", 9900)
    curve = []
    for rank in range(6):
        options = strike_chain(plain_day, "NIFTY", rank)
        strike = min((s for s, _ in options), key=lambda s: abs(s - spot))
        curve.append(implied(plain_day, options[strike, Right.CALL], moment))
    assert max(curve) - min(curve) > 0.003
    assert max(curve) / min(curve) < 1.6


def test_the_surface_moves_against_the_index(make_day: DayMaker) -> None:
    moves = []
    for seed in range(12):
        day = make_day(seed, WEDNESDAY)
        before, after = (day.spot("NIFTY", s) for s in (600, 22_000))
        vix_before, vix_after = (day.spot("INDIAVIX", s) for s in (600, 22_000))
        moves.append((after / before - 1.0, vix_after / vix_before - 1.0))
    index, vix = np.array(moves).T
    assert np.corrcoef(index, vix)[0, 1] < -0.4


# ---------------------------------------------------------------- expiry, trades, evenings


def test_on_expiry_day_options_end_at_their_intrinsic_value(expiry_day: PracticeDay) -> None:
    options = strike_chain(expiry_day, "NIFTY")
    item = next(iter(options.values()))
    assert item.last_trade is not None
    last = item.last_trade - timedelta(milliseconds=500)
    spot = expiry_day.spot("NIFTY", (last - expiry_day.opens).total_seconds())
    for (strike, right), option in options.items():
        intrinsic = max(0, spot - strike if right is Right.CALL else strike - spot)
        quote = expiry_day.quote(option, last)
        if abs(strike - spot) > 30_00:
            assert (quote.bid or 0) <= intrinsic + option.tick, option.name
        assert (quote.ask or intrinsic) >= intrinsic, option.name
        if quote.bid and quote.ask:
            assert quote.bid <= intrinsic + 15_00, option.name


def test_the_last_hours_time_value_melts(expiry_day: PracticeDay) -> None:
    options = strike_chain(expiry_day, "NIFTY")

    def time_value(moment: datetime) -> int:
        spot = expiry_day.spot("NIFTY", (moment - expiry_day.opens).total_seconds())
        strike = min((s for s, _ in options), key=lambda s: abs(s - spot))
        pair = expiry_day.quotes([options[strike, Right.CALL], options[strike, Right.PUT]], moment)
        return sum(q.mid or 0 for q in pair) - abs(spot - strike)

    values = [time_value(at(expiry_day, *when)) for when in ((9, 30), (12, 30), (14, 30), (15, 30))]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.5 * values[0]


def test_a_contract_past_its_last_trade_keeps_its_last_price_and_has_no_book(make_day: DayMaker) -> None:
    tuesday = make_day(SEED, date(2026, 12, 8))  # index expiries stop at 15:30 of a session to 15:45
    option = strike_chain(tuesday, "NIFTY")[min(strike_chain(tuesday, "NIFTY"))]
    assert option.last_trade == at(tuesday, 15, 30)
    before = tuesday.quote(option, at(tuesday, 15, 29, 59))
    after, later = (tuesday.quote(option, at(tuesday, 15, minute)) for minute in (30, 44))
    assert before.ask is not None
    assert (after.bid, after.ask, after.bid_qty, after.ask_qty) == (None, None, 0, 0)
    assert after.ltp == later.ltp
    assert after.ltp is not None


def test_untraded_contracts_show_the_close_before_and_far_strikes_trade_stale(plain_day: PracticeDay) -> None:
    opening = every_quote(plain_day, plain_day.opens)
    assert all(q.ltp == q.prev_close for i, q in opening if i.kind is not Kind.INDEX)
    booked = [(i, q) for i, q in every_quote(plain_day, at(plain_day, 14)) if q.bid and q.ask and q.ltp]
    stale = {i.name for i, q in booked if not (q.bid or 0) <= (q.ltp or 0) <= (q.ask or 0)}
    assert 0.1 < len(stale) / len(booked) < 0.9
    near = strike_chain(plain_day, "NIFTY")
    spot = plain_day.spot("NIFTY", 17_100)
    money = [item for (strike, _), item in near.items() if abs(strike - spot) < 100_00]
    for item, quote in zip(money, plain_day.quotes(money, at(plain_day, 14)), strict=True):
        assert quote.mid is not None
        assert quote.ltp == pytest.approx(quote.mid, rel=0.05), item.name


def test_the_previous_close_is_where_the_day_before_ended(make_day: DayMaker) -> None:
    wednesday, thursday = make_day(SEED, date(2026, 11, 25)), make_day(SEED, date(2026, 11, 26))
    common = [i for i in wednesday.sheet.instruments if i.name in thursday.sheet.place]
    evening = wednesday.quotes(common, wednesday.closes)
    morning = thursday.quotes(common, thursday.opens)
    for item, last, first in zip(common, evening, morning, strict=True):
        if item.kind is Kind.INDEX:
            assert first.prev_close == last.ltp
        elif last.bid and last.ask:
            assert first.prev_close is not None
            assert last.bid - item.tick <= first.prev_close <= last.ask + item.tick, item.name


def test_a_future_trades_near_the_forward_and_ends_at_the_index(expiry_day: PracticeDay) -> None:
    future = next(i for i in expiry_day.sheet.instruments if i.name == "NIFTY 23NOV26 FUT")
    spot = expiry_day.spot("NIFTY", 385 * 60 - 1)
    quote = expiry_day.quote(future, expiry_day.closes - timedelta(seconds=1))
    assert quote.mid == pytest.approx(spot, abs=5_00)
    later = next(i for i in expiry_day.sheet.instruments if i.name == "NIFTY 29DEC26 FUT")
    assert 50_00 < (expiry_day.quote(later, at(expiry_day, 12)).mid or 0) - expiry_day.spot("NIFTY", 9900) < 300_00


@pytest.mark.parametrize("special", [date(2026, 2, 1), date(2026, 11, 8), date(2026, 12, 8), date(2028, 3, 1)])
def test_special_sessions_and_far_years_are_days_like_others(make_day: DayMaker, special: date) -> None:
    day = make_day(3, special)
    moment = day.opens + (day.closes - day.opens) / 2
    quotes = [quote for item, quote in every_quote(day, moment) if item.kind is not Kind.INDEX]
    assert all(quote.ask > (quote.bid or 0) for quote in quotes if quote.ask is not None)
    assert sum(quote.ask is not None for quote in quotes) > 0.9 * len(quotes)
    assert day.quote(day.sheet.instruments[0], day.closes).ltp == day.spot("NIFTY", 10**6)


def test_a_festive_hour_trades_far_less_than_a_day(make_day: DayMaker) -> None:
    def traded(day: PracticeDay) -> int:
        return sum(quote.volume for _, quote in every_quote(day, day.closes))

    assert traded(make_day(3, date(2026, 11, 8))) < 0.4 * traded(make_day(3, date(2026, 11, 6)))


# ---------------------------------------------------------------- refusals and cost


def test_a_day_without_a_session_is_refused(calendar: Calendar) -> None:
    with pytest.raises(Refusal, match="no trading on Tue 24 Nov 2026") as refused:
        PracticeDay(1, date(2026, 11, 24), [], calendar)
    assert refused.value.code == "NO_SESSION"


def test_a_contract_that_is_not_listed_is_refused(plain_day: PracticeDay, expiry_day: PracticeDay) -> None:
    gone = next(item for item in expiry_day.sheet.instruments if item.expiry == expiry_day.day)
    with pytest.raises(Refusal, match=gone.name) as refused:
        plain_day.quote(gone, plain_day.opens)
    assert refused.value.code == "UNKNOWN_CONTRACT"


def test_a_thousand_quotes_take_no_more_python_calls_than_ten(plain_day: PracticeDay) -> None:
    def calls(count: int) -> int:
        made = 0

        def tally(frame: FrameType, event: str, _: object) -> None:
            nonlocal made
            made += event == "call" and "<listcomp>" not in frame.f_code.co_name

        before = sys.getprofile()
        sys.setprofile(tally)
        try:
            plain_day.rows(np.arange(count), 1_795_590_600_000)
        finally:
            sys.setprofile(before)
        return made

    assert calls(1000) < calls(10) + 20
    assert calls(10) < 400
