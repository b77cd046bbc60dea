"""Each limit: what it refuses, the numbers it says, and what would pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.limits import Level, Limit, LimitAction, LimitKind, OrderLimits, Standing
from optconsole.engine.model.orders import OrderTerms, Role, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.queries import Check
from optconsole.engine.rules.limit_terms import checked, loosens
from optconsole.engine.rules.limits import FundsSeen, measure, order_limits, rejects_in_a_row
from optconsole.engine.rules.pretrade import Situation, checks, refusal
from tests.engine.facts import CALL, PUT, START, Story, option, terms

LOT = 65
K = LimitKind
QUOTE = Quote(name=CALL, ts=0, bid=9_990, bid_qty=650, ask=10_010, ask_qty=650, ltp=10_000)


def situation(
    age: float | None = 0.0,
    now: datetime = START,
    funds: Funds | None = None,
    quote: Callable[[str], Quote | None] = lambda _name: QUOTE,
    **more: Any,
) -> Situation:
    seen = None if funds is None else FundsSeen(funds, START)
    return Situation(
        now=now,
        phase=MarketPhase.OPEN,
        quote=quote,
        limits=OrderLimits(),
        age=lambda _name: age,
        funds=lambda _account: seen,
        **more,
    )


def limited(kind: LimitKind, value: int, level: Level = Level.GLOBAL, name: str = "", **more: Any) -> Story:
    story = Story()
    story.tell(ev.LimitSet(limit=Limit(level=level, kind=kind, value=value, name=name, **more)))
    return story


def refused(story: Story, wanted: OrderTerms, at: Situation | None = None, role: Role = Role.ENTRY) -> Check | None:
    instrument = option(right=Right.PUT if wanted.contract == PUT else Right.CALL)
    return refusal(checks(story.state, wanted, instrument, at or situation(), role=role))


def code(story: Story, wanted: OrderTerms, at: Situation | None = None, role: Role = Role.ENTRY) -> str | None:
    found = refused(story, wanted, at, role)
    return None if found is None else found.code


# ---------------------------------------------------------------- what an order could lead to


def test_a_cap_counts_what_works_and_says_how_much_is_left() -> None:
    story = limited(K.OPEN_LOTS, 5)
    story.order(terms(Side.SELL, 3 * LOT))
    assert code(story, terms(Side.SELL, 2 * LOT)) is None
    found = refused(story, terms(Side.SELL, 3 * LOT))
    assert found is not None
    assert found.code == "LIMIT_OPEN_LOTS"
    assert found.text == (
        "With all that is open and may still trade it could come to 6 lots, and the open-lots of global is 5 lots: "
        "2 lots are left. `optconsole risk set global open-lots … --why …` changes it."
    )


def test_an_order_that_makes_the_worst_case_no_worse_passes_a_cap_that_is_exceeded_already() -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, 4 * LOT)), 4 * LOT, 10_000, "t1")
    story.tell(ev.LimitSet(limit=Limit(level=Level.GLOBAL, kind=K.OPEN_LOTS, value=2)))
    assert code(story, terms(Side.SELL, LOT)) == "LIMIT_OPEN_LOTS"
    assert code(story, terms(Side.BUY, 4 * LOT, 10_010)) is None
    # past flat, and still less than what is open now
    assert code(story, terms(Side.BUY, 6 * LOT, 10_010)) is None


@pytest.mark.parametrize(
    ("kind", "value", "refusing", "passing"),
    [
        (K.LOTS, 2, terms(Side.SELL, 3 * LOT), terms(Side.SELL, 2 * LOT)),
        (K.OPEN_LEGS, 0, terms(Side.SELL, LOT), None),
        (K.NOTIONAL, 2 * LOT * 2_450_000, terms(Side.SELL, 3 * LOT), terms(Side.SELL, 2 * LOT)),
    ],
)
def test_each_cap_refuses_what_is_past_it_and_passes_what_reaches_it(
    kind: LimitKind, value: int, refusing: OrderTerms, passing: OrderTerms | None
) -> None:
    story = limited(kind, value)
    assert code(story, refusing) == f"LIMIT_{kind.name}"
    assert passing is None or code(story, passing) is None


def test_one_order_may_not_be_about_more_than_its_value_whatever_the_lot_size() -> None:
    story = limited(K.ORDER_VALUE, 2 * LOT * 2_450_000, Level.ORDER)
    assert code(story, terms(Side.SELL, 2 * LOT)) is None
    found = refused(story, terms(Side.SELL, 3 * LOT))
    assert found is not None
    assert found.code == "MAX_VALUE"
    assert "2 lots would pass" in found.text


def test_a_strategys_own_lots_an_order_hold_for_it_alone() -> None:
    story = limited(K.ORDER_LOTS, 1, Level.STRATEGY, "am/straddle")
    own = msgspec.structs.replace(terms(Side.SELL, 2 * LOT), source="am/straddle/ce")
    assert code(story, own) == "MAX_LOTS"
    assert code(story, msgspec.structs.replace(own, source="am/other")) is None


def test_orders_of_the_day_are_counted_when_sent_and_start_anew_with_the_day() -> None:
    story = limited(K.ORDERS, 2, Level.BASKET, "am")
    own = msgspec.structs.replace(terms(), source="am/x")
    for _ in range(2):
        assert code(story, own) is None
        story.order(own)
    assert code(story, own) == "ORDERS_A_DAY"
    assert code(story, terms()) is None
    story.tell(ev.SessionOpened(day=START.date().replace(day=24)))
    assert code(story, own) is None


def test_entries_of_a_second_are_counted_by_level_and_closing_is_never_held_back() -> None:
    story = limited(K.RATE, 2, Level.ACCOUNT, "paper")
    story.fill(story.order(terms(Side.BUY, LOT)), LOT, 10_000, "t1")
    sent = story.state.orders["O1"].intended_at
    assert code(story, terms(Side.BUY, LOT), situation(now=sent)) is None
    story.order(terms(Side.BUY, LOT))
    # the story's facts are a second apart: both orders are moved into one
    for name in ("O1", "O2"):
        story.state.orders[name] = msgspec.structs.replace(story.state.orders[name], intended_at=sent)
    at = situation(now=sent + timedelta(milliseconds=400))
    found = refused(story, terms(Side.BUY, LOT), at)
    assert found is not None
    assert found.code == "ORDER_RATE"
    assert "2 entries were sent in the last second" in found.text
    assert "try again in 0.6 s" in found.text
    assert code(story, terms(Side.SELL, LOT, 10_500), at) is None, "what reduces meets no limit"
    assert code(story, terms(Side.BUY, LOT), situation(now=sent + timedelta(seconds=1))) is None


def test_the_parts_of_one_order_are_not_torn_apart_by_the_rate() -> None:
    story = limited(K.RATE, 1)
    story.order(terms(Side.SELL, LOT))
    at = situation(now=story.state.orders["O1"].intended_at)
    assert code(story, terms(Side.SELL, LOT), at) == "ORDER_RATE"
    assert refusal(checks(story.state, terms(Side.SELL, LOT), option(), at, parent="P1")) is None


def test_new_risk_is_taken_in_its_hours_only() -> None:
    story = limited(K.HOURS, 9 * 60 + 30, second=15 * 60)
    found = refused(story, terms())
    assert found is not None
    assert found.code == "OUTSIDE_HOURS"
    assert "from 09:30 to 15:00; it is 09:20" in found.text
    assert code(story, terms(), situation(now=START.replace(minute=30))) is None
    assert code(story, terms(), situation(now=START.replace(hour=15, minute=0))) == "OUTSIDE_HOURS"


def test_the_ban_on_naked_shorts_wants_the_hedge_bought_first() -> None:
    story = limited(K.NAKED_SHORT, 1)
    assert code(story, terms(Side.SELL, LOT)) == "NAKED_SHORT"
    story.fill(story.order(terms(Side.BUY, LOT, contract=option(2_500_000).name)), LOT, 100, "t1")
    assert code(story, terms(Side.SELL, LOT)) is None
    assert code(story, terms(Side.SELL, 2 * LOT)) == "NAKED_SHORT"


def test_margin_in_use_and_margin_unknown_both_hold_back_new_risk_where_a_limit_asks_for_it() -> None:
    story = limited(K.MARGIN_PERCENT, 60, Level.ACCOUNT, "paper")
    much = Funds(account="paper", cash=1_000_000_00, margin_used=600_000_00)
    assert code(story, terms(), situation(funds=much)) == "MARGIN_PERCENT"
    assert code(story, terms()) == "MARGIN_UNKNOWN"
    assert code(story, terms(), situation(funds=msgspec.structs.replace(much, margin_used=0))) is None


def test_a_limit_that_only_alerts_warns_and_lets_the_order_pass() -> None:
    story = limited(K.OPEN_LOTS, 1, action=LimitAction.ALERT)
    found = checks(story.state, terms(Side.SELL, 2 * LOT), option(), situation())
    assert [check.severity for check in found if check.code == "LIMIT_OPEN_LOTS"] == ["warn"]
    assert refusal(found) is None


LEVELS = [
    (Level.ORDER, ""),
    (Level.GLOBAL, ""),
    (Level.ACCOUNT, "paper"),
    (Level.LEG, CALL),
    (Level.BASKET, "am"),
    (Level.STRATEGY, "am/x"),
]


@pytest.mark.parametrize(("level", "name"), LEVELS[1:])
@pytest.mark.parametrize("standing", [Standing.REDUCING, Standing.HALTED])
def test_no_state_and_no_limit_holds_back_an_exit(level: Level, name: str, standing: Standing) -> None:
    story = Story()
    source = "am/x"
    own = msgspec.structs.replace(terms(Side.SELL, 2 * LOT), source=source)
    story.fill(story.order(own), 2 * LOT, 10_000, "t1")
    for kind in (K.OPEN_LOTS, K.LOTS, K.OPEN_LEGS, K.NOTIONAL, K.ORDERS, K.ORDER_LOTS):
        story.tell(ev.LimitSet(limit=Limit(level=level, name=name, kind=kind, value=1)))
    story.tell(ev.TradingStateChanged(level=level, name=name, standing=standing, why="test"))
    assert code(story, msgspec.structs.replace(own, qty=LOT)) == standing.name
    exit_by_hand = terms(Side.BUY, 2 * LOT, 10_010)
    assert code(story, exit_by_hand) is None
    by_machine = code(story, msgspec.structs.replace(exit_by_hand, source=source))
    assert by_machine == ("HALTED" if standing is Standing.HALTED else None)
    story.order(msgspec.structs.replace(exit_by_hand, source=source, price=9_000))
    stop = msgspec.structs.replace(exit_by_hand, source=source)
    assert code(story, stop, role=Role.STOP) is None
    assert code(story, stop, role=Role.EXIT) is None
    assert code(story, stop, role=Role.TARGET) is None, "beside a stop it is more than the position, and no entry"
    assert code(story, stop) == standing.name


def test_a_state_says_since_when_not_and_how_to_end_it() -> None:
    story = Story()
    ends = START.replace(hour=14, minute=30)
    story.tell(
        ev.TradingStateChanged(
            level=Level.ACCOUNT, name="paper", standing=Standing.REDUCING, why="three losses", until=ends
        )
    )
    found = refused(story, terms())
    assert found is not None
    assert found.text == (
        "account:paper is reducing until 14:30 (three losses): only what reduces a position leaves; "
        "`optconsole risk state account:paper active --why …` allows it again."
    )


def test_the_limits_of_the_order_level_replace_what_is_configured() -> None:
    story = limited(K.ORDER_LOTS, 3, Level.ORDER)
    own = order_limits(story.state, OrderLimits(max_lots=200, deviation_percent=40, mis_cutoff_minutes=7))
    assert (own.max_lots, own.deviation_percent, own.mis_cutoff_minutes) == (3, 40, 7)


# ---------------------------------------------------------------- what has happened


def short(story: Story, source: str = "") -> Story:
    wanted = msgspec.structs.replace(terms(Side.SELL, 2 * LOT), source=source)
    return story.fill(story.order(wanted), 2 * LOT, 10_000, f"t{len(story.state.trades)}", charges=500)


def used(story: Story, key: str, mark: int | None) -> tuple[int | None, bool]:
    usage = measure(story.state, story.state.limits[key], lambda _name: mark, lambda _account: None)
    assert usage is not None
    return usage.used, usage.broken


def test_a_loss_counts_charges_and_what_is_open_at_its_mark() -> None:
    story = short(limited(K.MAX_LOSS, 2 * LOT * 500))
    assert used(story, "global/max-loss", 10_000) == (500, False)
    assert used(story, "global/max-loss", 10_500) == (2 * LOT * 500 + 500, True)
    assert used(story, "global/max-loss", 9_000) == (0, False)


def test_an_unknown_price_makes_the_loss_unknown_and_never_nought() -> None:
    story = short(limited(K.MAX_LOSS, 100))
    assert used(story, "global/max-loss", None) == (None, False)
    story.fill(story.order(terms(Side.BUY, 2 * LOT)), 2 * LOT, 11_000, "t9")
    assert used(story, "global/max-loss", None) == (2 * LOT * 1_000 + 500, True), "a closed position needs no price"


@pytest.mark.parametrize(("age", "known"), [(None, False), (0.0, True), (5.0, True), (5.1, False)])
def test_a_price_that_is_too_old_is_no_price(age: float | None, known: bool) -> None:
    assert (situation(age=age).price(CALL) is not None) is known
    assert situation(age=10.0, patience=60.0).price(CALL) == 10_000, "a source that is slow by nature is given its time"


def test_a_strategys_loss_is_its_own() -> None:
    story = limited(K.MAX_LOSS, 1_000_00, Level.STRATEGY, "am/x")
    short(short(story, "am/x"), "am/y")
    assert used(story, "strategy:am/x/max-loss", 10_100) == (2 * LOT * 100 + 500, False)


def test_a_loss_in_per_cent_is_of_the_accounts_capital_and_rounded_up() -> None:
    story = short(limited(K.MAX_LOSS_PERCENT, 5, Level.ACCOUNT, "paper"))
    per_cent = 1_000_000
    assert used(story, "account:paper/max-loss-percent", 10_001) == (1, False)
    loss_of_five = 5 * per_cent // (2 * LOT) + 1
    assert used(story, "account:paper/max-loss-percent", 10_000 + loss_of_five)[1] is True


def test_a_lock_keeps_a_profit_once_it_was_reached_and_a_trail_follows_it() -> None:
    locked = short(limited(K.PROFIT_LOCK, 2 * LOT * 500, second=2 * LOT * 200))
    assert used(locked, "global/profit-lock", 9_900)[1] is False
    locked.tell(ev.ProfitPeaked(level=Level.GLOBAL, name="", profit=2 * LOT * 550))
    assert used(locked, "global/profit-lock", 9_700)[1] is False
    assert used(locked, "global/profit-lock", 9_850)[1] is True
    trail = short(limited(K.PROFIT_TRAIL, 2 * LOT * 100, second=2 * LOT * 500))
    trail.tell(ev.ProfitPeaked(level=Level.GLOBAL, name="", profit=2 * LOT * 400))
    assert used(trail, "global/profit-trail", 9_900) == (0, False)
    trail.tell(ev.ProfitPeaked(level=Level.GLOBAL, name="", profit=2 * LOT * 600))
    assert used(trail, "global/profit-trail", 9_450)[1] is False
    assert used(trail, "global/profit-trail", 9_500)[1] is True
    target = short(limited(K.PROFIT_LOCK, 2 * LOT * 500))
    assert used(target, "global/profit-lock", 9_400)[1] is True


def test_rejects_in_a_row_end_with_an_order_the_broker_took_and_with_a_person_who_looked() -> None:
    story = Story()
    for _ in range(3):
        story.tell(ev.OrderRejected(order_id=story.order(terms(), acknowledged=False), code="X", reason="no"))
    assert rejects_in_a_row(story.state, Level.GLOBAL, "") == 3
    story.order(terms(), acknowledged=False)
    assert rejects_in_a_row(story.state, Level.GLOBAL, "") == 3, "one on its way proves nothing yet"
    story.tell(ev.OrderExpired(order_id=story.order(terms(), acknowledged=False), reason="it waited too long to leave"))
    assert rejects_in_a_row(story.state, Level.GLOBAL, "") == 3, "the broker was not asked"
    story.tell(ev.TradingStateChanged(level=Level.GLOBAL, name="", standing=Standing.ACTIVE, why="looked", rearms=True))
    assert rejects_in_a_row(story.state, Level.GLOBAL, "") == 0
    assert rejects_in_a_row(story.state, Level.ACCOUNT, "paper") == 3
    story.order(terms())
    assert rejects_in_a_row(story.state, Level.ACCOUNT, "paper") == 0


def test_trades_of_the_day_count_orders_that_traded_and_not_their_parts() -> None:
    story = limited(K.TRADES, 2)
    order = story.order(terms(Side.SELL, 2 * LOT))
    story.fill(order, LOT, 10_000, "one").fill(order, LOT, 10_000, "two")
    assert used(story, "global/trades-a-day", None) == (1, False)
    short(story)
    assert used(story, "global/trades-a-day", None) == (2, True)


# ---------------------------------------------------------------- which limits make sense


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        (Limit(level=Level.GLOBAL, kind=K.MAX_LOSS, value=0), "LIMIT_VALUE"),
        (Limit(level=Level.LEG, kind=K.RATE, value=2, name=CALL), "LIMIT_LEVEL"),
        (Limit(level=Level.GLOBAL, kind=K.RATE, value=2, action=LimitAction.EXIT_SCOPE), "LIMIT_ACTION"),
        (Limit(level=Level.GLOBAL, kind=K.MAX_LOSS, value=10**18), "LIMIT_VALUE"),
        (Limit(level=Level.GLOBAL, kind=K.MAX_LOSS, value=-5), "LIMIT_VALUE"),
        (Limit(level=Level.GLOBAL, kind=K.MAX_LOSS, value=5, second=3), "LIMIT_VALUE"),
        (Limit(level=Level.GLOBAL, kind=K.MAX_LOSS, value=5, name="x"), "LIMIT_NAME"),
        (Limit(level=Level.GLOBAL, kind=K.HOURS, value=600, second=600), "LIMIT_VALUE"),
        (Limit(level=Level.GLOBAL, kind=K.PROFIT_LOCK, value=600, second=600), "LIMIT_VALUE"),
        (Limit(level=Level.GLOBAL, kind=K.PROFIT_TRAIL, value=600, second=0), "LIMIT_VALUE"),
        (Limit(level=Level.GLOBAL, kind=K.DEVIATION, value=60), "LIMIT_LEVEL"),
        (Limit(level=Level.ORDER, kind=K.MAX_LOSS, value=5), "LIMIT_LEVEL"),
        (Limit(level=Level.LEG, name=CALL, kind=K.ORDERS, value=5), "LIMIT_LEVEL"),
        (Limit(level=Level.BASKET, name="am", kind=K.MAX_LOSS_PERCENT, value=5), "LIMIT_LEVEL"),
        (Limit(level=Level.GLOBAL, kind=K.MARGIN_PERCENT, value=5), "LIMIT_LEVEL"),
        (Limit(level=Level.ORDER, kind=K.ORDER_LOTS, value=5, action=LimitAction.EXIT_SCOPE), "LIMIT_ACTION"),
        (Limit(level=Level.GLOBAL, kind=K.MAX_LOSS, value=5, action=LimitAction.LOCK_UNTIL), "LIMIT_UNTIL"),
        (Limit(level=Level.ACCOUNT, name="nobody", kind=K.LOTS, value=5), "UNKNOWN_ACCOUNT"),
        (Limit(level=Level.LEG, name="what", kind=K.LOTS, value=5), None),
        (Limit(level=Level.LEG, name="what is this", kind=K.LOTS, value=5), "BAD_CONTRACT"),
        (Limit(level=Level.BASKET, name="", kind=K.LOTS, value=5), "LIMIT_NAME"),
        (Limit(level=Level.BASKET, name="../x\x1b", kind=K.LOTS, value=5), "LIMIT_NAME"),
        (Limit(level=Level.STRATEGY, name="am/straddle", kind=K.LOTS, value=5), None),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_with_what_would(limit: Limit, code: str | None) -> None:
    if code is None:
        assert checked(limit, ["paper"]).value == limit.value
        return
    with pytest.raises(Refusal) as found:
        checked(limit, ["paper"])
    assert found.value.code == code


def of(kind: LimitKind, value: int, second: int | None = None, **more: Any) -> Limit:
    return Limit(level=Level.GLOBAL, kind=kind, value=value, second=second, **more)


@pytest.mark.parametrize(
    ("before", "after", "looser"),
    [
        (of(K.MAX_LOSS, 100), of(K.MAX_LOSS, 101), True),
        (of(K.MAX_LOSS, 100), of(K.MAX_LOSS, 99), False),
        (of(K.MAX_LOSS, 100, action=LimitAction.EXIT_SCOPE), of(K.MAX_LOSS, 50), True),
        (of(K.MAX_LOSS, 100), of(K.MAX_LOSS, 100, action=LimitAction.EXIT_SCOPE), False),
        (of(K.HOURS, 570, 900), of(K.HOURS, 560, 900), True),
        (of(K.HOURS, 570, 900), of(K.HOURS, 580, 910), True),
        (of(K.HOURS, 570, 900), of(K.HOURS, 580, 890), False),
        (of(K.PROFIT_LOCK, 100, 60), of(K.PROFIT_LOCK, 100, 50), True),
        (of(K.PROFIT_LOCK, 100, 60), of(K.PROFIT_LOCK, 90, 70), False),
        (of(K.PROFIT_TRAIL, 100), of(K.PROFIT_TRAIL, 100, 200), True),
        (
            of(K.MAX_LOSS, 100, action=LimitAction.LOCK_UNTIL, until=800),
            of(K.MAX_LOSS, 100, action=LimitAction.LOCK_UNTIL, until=700),
            True,
        ),
        (None, of(K.MAX_LOSS, 100), False),
    ],
)
def test_what_allows_more_is_looser(before: Limit | None, after: Limit, looser: bool) -> None:
    assert loosens(before, after) is looser


def test_every_level_takes_a_name_exactly_where_it_needs_one() -> None:
    for level, name in LEVELS:
        assert level.named is bool(name)
