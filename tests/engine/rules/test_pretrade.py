from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Account, Funds, Mode
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, RiskClass, Role, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.limits import FundsSeen
from optconsole.engine.rules.pretrade import (
    Situation,
    checks,
    checks_in_parts,
    pressed_twice,
    refusal,
    require_sane,
    risk_class,
    with_protection,
)
from tests.engine.facts import CALL, PUT, START, Story, index, option, terms

QUOTE = Quote(name=CALL, ts=0, bid=9_990, bid_qty=650, ask=10_010, ask_qty=650, ltp=10_000)


def situation(
    quote: Quote | None = QUOTE, phase: MarketPhase = MarketPhase.OPEN, limits: OrderLimits | None = None
) -> Situation:
    return Situation(now=START, phase=phase, quote=lambda _name: quote, limits=limits or OrderLimits())


def verdict(wanted: OrderTerms, at: Situation | None = None, story: Story | None = None) -> str | None:
    at = at or situation()
    ready = with_protection(wanted, option(), at.quote(CALL))
    found = refusal(checks((story or Story()).state, ready, option(), at))
    return found.code if found else None


def test_a_plain_order_at_the_market_passes_every_rule() -> None:
    assert verdict(terms()) is None


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (terms(qty=0), "BAD_QUANTITY"),
        (terms(qty=-65), "BAD_QUANTITY"),
        (terms(qty=100), "LOT_MULTIPLE"),
        (terms(qty=65 * 28), "FREEZE_QUANTITY"),
        (terms(qty=65 * 201), "MAX_LOTS"),
        (terms(price=10_003), "TICK_SIZE"),
        (terms(price=0), "TICK_SIZE"),
        (terms(price=None), "PRICE_MISSING"),
        (terms(type=OrderType.SL, price=12_000), "TRIGGER_MISSING"),
        (terms(trigger=9_000), "TRIGGER_NOT_ALLOWED"),
        (terms(Side.BUY, price=14_100), "PRICE_BAND"),
        (terms(Side.SELL, price=5_900), "PRICE_BAND"),
        (terms(Side.BUY, type=OrderType.SL, price=11_900, trigger=12_000), "TRIGGER_LIMIT"),
        (terms(Side.BUY, type=OrderType.SL, price=9_900, trigger=9_800), "TRIGGER_PASSED"),
        (terms(Side.SELL, type=OrderType.SL, price=10_100, trigger=10_200), "TRIGGER_PASSED"),
        (msgspec.structs.replace(terms(), account="live"), "UNKNOWN_ACCOUNT"),
    ],
)
def test_each_broken_rule_refuses_with_its_own_code(wanted: OrderTerms, code: str) -> None:
    assert verdict(wanted) == code


def test_an_unknown_freeze_quantity_refuses_instead_of_passing() -> None:
    unknown = msgspec.structs.replace(option(), freeze=0)
    found = refusal(checks(Story().state, terms(), unknown, situation()))
    assert found is not None
    assert found.code == "NO_FREEZE"


def test_an_order_judged_as_a_whole_may_be_larger_than_one_the_exchange_takes() -> None:
    found = checks_in_parts(Story().state, terms(qty=40 * 65), option(), situation())
    assert refusal(found) is None
    assert [check.text for check in found if check.code == "IN_PARTS"] == [
        "2600 leave in 2 parts of at most 1755; together they never fill more."
    ]


def test_a_refusal_names_what_would_pass() -> None:
    found = refusal(checks(Story().state, terms(qty=100), option(), situation()))
    assert found is not None
    assert found.text == "100 is not whole lots of 65; 65 or 130 would pass."
    ticked = refusal(checks(Story().state, terms(price=10_003), option(), situation()))
    assert ticked is not None
    assert "100.00 or 100.05 would pass" in ticked.text


def test_a_closed_market_takes_no_order() -> None:
    assert verdict(terms(), situation(phase=MarketPhase.CLOSED)) == "SESSION_CLOSED"


def test_an_index_is_not_tradable() -> None:
    found = refusal(checks(Story().state, terms(), index(), situation()))
    assert found is not None
    assert found.code == "NOT_TRADABLE"


def test_a_contract_past_its_last_trade_is_refused_though_the_market_is_open() -> None:
    late = Situation(
        now=START + timedelta(days=30), phase=MarketPhase.OPEN, quote=lambda _name: QUOTE, limits=OrderLimits()
    )
    assert verdict(terms(), late) == "EXPIRED_CONTRACT"


def test_a_market_order_without_any_price_is_refused() -> None:
    assert verdict(terms(type=OrderType.MARKET, price=None), situation(quote=None)) == "NO_PRICE"


def test_a_market_order_is_protected_from_the_side_it_hits() -> None:
    bought = with_protection(terms(Side.BUY, type=OrderType.MARKET, price=None), option(), QUOTE)
    sold = with_protection(terms(Side.SELL, type=OrderType.MARKET, price=None), option(), QUOTE)
    assert bought.protection is not None
    assert sold.protection is not None
    assert bought.protection > 10_010
    assert sold.protection < 9_990


def test_protection_of_a_bookless_contract_starts_from_its_last_trade() -> None:
    bookless = Quote(name=CALL, ts=0, ltp=8_000, booked=False)
    bought = with_protection(terms(Side.BUY, type=OrderType.MARKET, price=None), option(), bookless)
    sold = with_protection(terms(Side.SELL, type=OrderType.MARKET, price=None), option(), bookless)
    assert (bought.protection, sold.protection) == (8_240, 7_760)


def test_a_triggered_stop_travels_at_its_trigger_with_protection() -> None:
    stop = with_protection(terms(Side.BUY, type=OrderType.SL_M, price=None, trigger=12_000), option(), QUOTE)
    assert stop.protection == 12_240


def test_closing_no_more_than_is_open_is_reducing() -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, 130)), 130, 10_000, "t1")
    assert risk_class(story.state, terms(Side.BUY, 130)) is RiskClass.REDUCE
    assert risk_class(story.state, terms(Side.BUY, 195)) is RiskClass.INCREASE
    assert risk_class(story.state, terms(Side.SELL, 65)) is RiskClass.INCREASE


def test_what_already_works_to_close_counts_against_the_position() -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, 130)), 130, 10_000, "t1")
    story.order(terms(Side.BUY, 65, 9_000))
    assert risk_class(story.state, terms(Side.BUY, 65)) is RiskClass.REDUCE
    assert risk_class(story.state, terms(Side.BUY, 130)) is RiskClass.INCREASE


def test_the_kill_switch_lets_only_reducing_orders_pass() -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, 65)), 65, 10_000, "t1").tell(ev.KillEngaged(why="test"))
    assert verdict(terms(Side.SELL), story=story) == "KILLED"
    assert verdict(terms(Side.BUY, 65, 10_010), story=story) is None


def test_no_order_leaves_before_the_engine_is_ready() -> None:
    story = Story()
    story.tell(ev.EngineStarted(version="0", world="practice", epoch=2))
    assert verdict(terms(), story=story) == "NOT_READY"


def test_a_price_far_through_the_market_is_a_slip() -> None:
    cheap = Quote(name=CALL, ts=0, bid=995, bid_qty=65, ask=1_005, ask_qty=65, ltp=1_000)
    assert verdict(terms(Side.BUY, price=1_700), situation(cheap)) == "PRICE_DEVIATION"
    assert verdict(terms(Side.SELL, price=1_700), situation(cheap)) is None


def test_a_triggered_stop_is_changed_as_the_limit_order_it_has_become() -> None:
    story = Story()
    stop = story.order(terms(Side.BUY, price=9_950, type=OrderType.SL, trigger=9_900))
    story.tell(ev.OrderTriggered(order_id=stop))
    order = story.state.orders[stop]
    chased = msgspec.structs.replace(order.terms, price=10_050)
    assert refusal(checks(story.state, chased, option(), situation(), order)) is None
    slipped = msgspec.structs.replace(order.terms, price=14_100)
    found = refusal(checks(story.state, slipped, option(), situation(), order))
    assert found is not None
    assert found.code == "PRICE_BAND"


def test_a_changed_order_counts_only_with_what_it_has_not_filled() -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, 130)), 130, 10_000, "t1")
    cover = story.order(terms(Side.BUY, 130, 9_000))
    story.fill(cover, 65, 9_000, "t2")
    order = story.state.orders[cover]
    assert risk_class(story.state, terms(Side.BUY, 130, 9_500), order) is RiskClass.REDUCE
    assert risk_class(story.state, terms(Side.BUY, 195, 9_500), order) is RiskClass.INCREASE


def test_the_deviation_holds_back_a_slip_and_never_an_exit() -> None:
    cheap = Quote(name=CALL, ts=0, bid=5, bid_qty=65, ask=20, ask_qty=65, ltp=5)
    story = Story()
    story.fill(story.order(terms(Side.SELL, 65)), 65, 10_000, "t1")
    assert verdict(terms(Side.BUY, 65, 20), situation(cheap), story) is None
    assert verdict(terms(Side.BUY, 130, 20), situation(cheap), story) == "PRICE_DEVIATION"


def test_a_market_order_never_travels_outside_the_price_band() -> None:
    far = Quote(name=CALL, ts=0, bid=100, bid_qty=65, ask=50_000, ask_qty=65, ltp=10_000)
    bought = with_protection(terms(Side.BUY, type=OrderType.MARKET, price=None), option(), far)
    sold = with_protection(terms(Side.SELL, type=OrderType.MARKET, price=None), option(), far)
    assert (bought.protection, sold.protection) == (14_000, 6_000)


@pytest.mark.parametrize(
    ("bid", "ask", "side", "code"),
    [
        (10_000, 12_800, Side.BUY, None),
        (10_000, 12_900, Side.BUY, "WIDE_SPREAD"),
        (10_000, 12_900, Side.SELL, "WIDE_SPREAD"),
        (300, 400, Side.BUY, None),
        (300, 405, Side.BUY, "WIDE_SPREAD"),
        (10_000, None, Side.BUY, "NO_COUNTERPARTY"),
        (None, 10_000, Side.BUY, None),
        (None, 10_000, Side.SELL, "NO_COUNTERPARTY"),
        (None, None, Side.BUY, "NO_COUNTERPARTY"),
    ],
)
def test_a_market_order_opens_nothing_where_nobody_stands_near(
    bid: int | None, ask: int | None, side: Side, code: str | None
) -> None:
    """D05: what a market order would pay on a thin strike is refused; a limit order, and any way out, passes."""
    last = bid if bid is not None else ask
    thin = situation(Quote(name=CALL, ts=0, bid=bid, bid_qty=65, ask=ask, ask_qty=65, ltp=last or 10_000))
    assert verdict(terms(side, type=OrderType.MARKET, price=None), thin) == code
    assert verdict(terms(side, price=last or 10_000), thin) is None
    held = Story()
    opened = Side.SELL if side is Side.BUY else Side.BUY
    held.fill(held.order(terms(opened)), 65, 10_000, "t1")
    assert verdict(terms(side, type=OrderType.MARKET, price=None), thin, held) is None


def test_a_source_without_a_book_is_no_thin_market() -> None:
    bookless = Quote(name=CALL, ts=0, ltp=10_000, booked=False)
    assert verdict(terms(Side.BUY, type=OrderType.MARKET, price=None), situation(bookless)) is None


def test_an_entry_in_doubt_freezes_entries_and_no_exit() -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, 65)), 65, 10_000, "t1")
    silent = story.order(terms(Side.SELL, 65), acknowledged=False)
    assert verdict(terms(), story=story) is None
    story.tell(ev.OrderDoubted(order_id=silent, cause="no answer"))
    assert verdict(terms(), story=story) == "ORDER_IN_DOUBT"
    assert verdict(terms(Side.BUY, 65), story=story) is None


LIVE = Account(id="paper", broker="x", mode=Mode.LIVE, capital=100_000_000)


def twice(story: Story, after: float, wanted: OrderTerms | None = None, **more: int) -> str | None:
    sent = story.state.orders["O1"].intended_at
    at = Situation(
        now=sent + timedelta(seconds=after),
        phase=MarketPhase.OPEN,
        quote=lambda _name: QUOTE,
        limits=OrderLimits(**more),
    )
    found = pressed_twice(story.state, wanted or terms(), at)
    return None if found is None else found.text


def test_the_same_order_within_two_seconds_is_a_key_pressed_twice_where_money_is_real() -> None:
    story = Story().tell(ev.AccountOpened(account=LIVE))
    story.order(terms())
    assert twice(story, 1.5) == "O1 is the same order, 1.5 s old; wait 0.5 s or say it is meant again."
    assert twice(story, 2.0) is None
    for other in (
        terms(qty=130),
        terms(Side.BUY),
        terms(contract=PUT),
        msgspec.structs.replace(terms(), source="am/x"),
    ):
        assert twice(story, 0.5, other) is None


def test_a_paper_account_asks_for_a_second_key_only_if_it_is_told_to() -> None:
    story = Story()
    story.order(terms())
    assert twice(story, 0.5) is None
    assert twice(story, 59.0, duplicate_seconds=60) is not None


@pytest.mark.parametrize("ending", ["rejected", "cancelled"])
def test_an_order_that_failed_may_be_repeated_at_once(ending: str) -> None:
    story = Story().tell(ev.AccountOpened(account=LIVE))
    order = story.order(terms())
    story.tell(
        ev.OrderRejected(order_id=order, code="X", reason="no")
        if ending == "rejected"
        else ev.OrderCancelled(order_id=order, reason="x")
    )
    assert twice(story, 0.5) is None


def test_an_exit_is_never_taken_for_a_key_pressed_twice() -> None:
    story = Story().tell(ev.AccountOpened(account=LIVE))
    story.fill(story.order(terms(Side.BUY, 195)), 195, 10_000, "t1")
    story.order(terms(Side.SELL, 65))
    assert twice(story, 3.0) is None
    at = ending_at(story.state.orders["O2"].intended_at)(0)
    assert pressed_twice(story.state, terms(Side.SELL, 65), at) is None


def test_an_order_that_would_trade_with_our_own_is_refused_by_name() -> None:
    story = Story()
    story.order(terms(Side.SELL, 65, 10_000))
    found = refusal(checks(story.state, terms(Side.BUY, 65, 10_000), option(), situation()))
    assert found is not None
    assert found.code == "SELF_CROSS"
    assert found.text == "It would trade with your own SELL O1 at 100.00; cancel it, or stay below it."
    assert verdict(terms(Side.BUY, 65, 9_995), story=story) is None
    assert verdict(terms(Side.SELL, 65, 9_995), story=story) is None


def test_a_stop_that_waits_trades_with_nobody_and_the_engines_exits_clear_their_own_way() -> None:
    story = Story()
    story.order(terms(Side.SELL, 65, 10_000))
    waiting = terms(Side.BUY, 65, 10_200, OrderType.SL, trigger=10_100)
    assert verdict(waiting, story=story) is None
    ready = terms(Side.BUY, 65, 10_010)
    for role, refusing in ((Role.EXIT, False), (Role.KILL, False), (Role.STOP, False), (Role.ENTRY, True)):
        found = refusal(checks(story.state, ready, option(), situation(), role=role))
        assert (found is not None) is refusing
    other = Story()
    other.order(terms(Side.SELL, 65, 9_900, OrderType.SL, trigger=9_950))
    assert verdict(ready, story=other) is None


def late(minutes_to_close: float, **more: int) -> Situation:
    closes = START + timedelta(minutes=minutes_to_close)
    return Situation(
        now=START, phase=MarketPhase.OPEN, quote=lambda _name: QUOTE, limits=OrderLimits(**more), closes=closes
    )


def test_mis_is_opened_until_its_cut_off_and_closed_until_the_end() -> None:
    assert verdict(terms(product=Product.MIS), late(15.1)) is None
    assert verdict(terms(product=Product.MIS), late(15.0)) == "MIS_CUTOFF"
    assert verdict(terms(), late(15.0)) is None
    story = Story()
    story.fill(story.order(terms(Side.SELL, 65, product=Product.MIS)), 65, 10_000, "t1")
    assert verdict(terms(Side.BUY, 65, 10_010, product=Product.MIS), late(1.0), story) is None


def test_a_contract_that_ends_today_takes_new_risk_until_its_own_cut_off() -> None:
    ends = option().last_trade
    assert ends is not None
    at = ending_at(ends - timedelta(minutes=10))
    assert verdict(terms(), at(0)) is None
    assert verdict(terms(), at(10)) == "EXPIRY_CUTOFF"
    assert verdict(terms(product=Product.MIS), at(0)) == "MIS_CUTOFF"


def test_the_band_is_measured_from_the_reference_and_not_from_the_last_price() -> None:
    """OE-3: the market ran from 100 to 160 within seconds; the exchange still goes by the average of 100."""
    ran = Quote(name=CALL, ts=0, bid=159_90, bid_qty=650, ask=160_10, ask_qty=650, ltp=160_00)
    at = dataclasses.replace(situation(ran), reference_of=lambda _name: 100_00)
    found = refusal(checks(Story().state, terms(Side.BUY, price=160_00), option(), at))
    assert found is not None
    assert found.code == "PRICE_BAND"
    assert "160.00 is beyond the price band 60.00 to 140.00 around 100.00" in found.text
    assert verdict(terms(Side.BUY, price=140_00), at) is None
    market = with_protection(terms(Side.BUY, type=OrderType.MARKET, price=None), option(), ran, 100_00)
    assert market.protection == 140_00


def ending_at(now: datetime) -> Callable[[int], Situation]:
    """A situation at a moment, by minutes of the expiry cut-off."""
    return lambda minutes: Situation(
        now=now,
        phase=MarketPhase.OPEN,
        quote=lambda _name: QUOTE,
        limits=OrderLimits(expiry_cutoff_minutes=minutes),
    )


def with_money(free: int, read_at: datetime = START) -> Situation:
    seen = FundsSeen(Funds(account="paper", cash=free, margin_used=0), read_at)
    return Situation(
        now=START, phase=MarketPhase.OPEN, quote=lambda _name: QUOTE, limits=OrderLimits(), funds=lambda _name: seen
    )


def test_a_premium_beyond_what_is_free_is_refused_with_the_lots_that_would_pass() -> None:
    wanted = terms(Side.BUY, 3 * 65, 10_000)
    found = refusal(checks(Story().state, wanted, option(), with_money(2 * 65 * 10_000)))
    assert found is not None
    assert found.code == "MARGIN"
    assert "19500.00 rupees or more, 13000.00 are free on paper; 2 lots would pass" in found.text
    assert verdict(wanted, with_money(3 * 65 * 10_000)) is None


def test_premium_sent_since_the_money_was_read_is_spent() -> None:
    story = Story()
    story.order(terms(Side.BUY, 2 * 65, 10_000))
    money = 3 * 65 * 10_000
    assert verdict(terms(Side.BUY, 2 * 65, 10_000), with_money(money), story) == "MARGIN"
    assert verdict(terms(Side.BUY, 2 * 65, 10_000), with_money(money, START + timedelta(hours=1)), story) is None


def test_what_only_the_broker_can_say_of_margin_warns_and_refuses_nothing() -> None:
    unknown = checks(Story().state, terms(), option(), situation())
    assert [check.severity for check in unknown if check.code == "FUNDS_UNKNOWN"] == ["warn"]
    assert verdict(terms(Side.SELL), with_money(0)) is None
    story = Story()
    story.fill(story.order(terms(Side.SELL, contract=PUT)), 65, 10_000, "t1")
    hedge = checks(story.state, terms(Side.BUY, 65, 10_000), option(), with_money(0))
    assert [check.severity for check in hedge if check.code == "MARGIN"] == ["warn"]


@pytest.mark.parametrize("number", [10**13, -(10**30), 1.5, float("nan"), "65", True])
def test_a_number_no_order_can_hold_is_refused_before_anything_is_written(number: object) -> None:
    with pytest.raises(Refusal) as found:
        require_sane(65, number)
    assert found.value.code == "BAD_NUMBER"
