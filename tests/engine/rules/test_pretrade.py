from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import OrderTerms, OrderType, RiskClass, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.pretrade import Situation, checks, checks_in_parts, refusal, risk_class, with_protection
from tests.engine.facts import CALL, START, Story, index, option, terms

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


def test_an_entry_in_doubt_freezes_entries_and_no_exit() -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, 65)), 65, 10_000, "t1")
    silent = story.order(terms(Side.SELL, 65), acknowledged=False)
    assert verdict(terms(), story=story) is None
    story.tell(ev.OrderDoubted(order_id=silent, cause="no answer"))
    assert verdict(terms(), story=story) == "ORDER_IN_DOUBT"
    assert verdict(terms(Side.BUY, 65), story=story) is None
