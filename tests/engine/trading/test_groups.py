"""OCO, OUO and OTO: what a fill of one order does to the others, and that closing never goes past flat."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelAll, CancelOrder, EngageKill, ModifyOrder, PlaceGroup, PlaceOrder, SetStop
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.groups import Group, GroupKind
from optconsole.engine.model.limits import Level, Limit, LimitKind
from optconsole.engine.model.orders import (
    Order,
    OrderStatus,
    OrderTerms,
    OrderType,
    Pending,
    Product,
    Role,
    Side,
    Validity,
)
from optconsole.engine.model.protection import StopMode
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules import exposure
from optconsole.engine.rules.contingency import Progress, allowed, possible
from optconsole.engine.trading.risk import RiskWatch
from tests.engine.facts import CALL, PUT, terms
from tests.engine.floor import MASTER, Floor

OCO, OUO, OTO = GroupKind.OCO, GroupKind.OUO, GroupKind.OTO
LOW, HIGH = terms(Side.BUY, 130, 9_500), terms(Side.BUY, 130, 10_700, OrderType.SL, trigger=10_500)
STOP = terms(Side.SELL, 130, None, OrderType.SL_M, trigger=9_000)
TARGET = terms(Side.SELL, 130, 12_000)


def group(floor: Floor, name: str = "T1") -> Group:
    return floor.story.state.groups[name]


def tie(kind: GroupKind, *orders: OrderTerms, held: int = 0) -> Floor:
    floor = Floor()
    if held:
        floor.hold(held)
    reply = floor.ask(PlaceGroup, kind=kind, orders=orders)
    assert reply.ids == ("T1",)
    floor.acknowledge()
    return floor


def confirm(floor: Floor, name: str) -> None:
    """The broker carries out the change that was asked of an order."""
    asked = floor.orders[name].asked
    assert asked is not None
    floor.tell(ev.OrderChanged(order_id=name, terms=asked))


# ---------------------------------------------------------------- OCO and OUO


def test_any_fill_of_an_oco_cancels_its_peers() -> None:
    floor = tie(OCO, LOW, HIGH)
    assert len(floor.orders) == 2
    floor.fill("O1", 65)
    assert floor.orders["O2"].pending is Pending.CANCEL
    floor.cancelled("O2")
    floor.fill("O1")
    assert group(floor).ended
    assert floor.position() == 130
    assert not floor.notices()


def test_a_fill_of_an_ouo_takes_as_much_from_its_peers() -> None:
    floor = tie(OUO, LOW, HIGH)
    floor.fill("O1", 65)
    confirm(floor, "O2")
    assert floor.orders["O2"].terms.qty == 65
    floor.fill("O2")
    assert floor.orders["O1"].pending is Pending.CANCEL
    floor.cancelled("O1")
    assert group(floor).ended
    assert floor.position() == 130


def test_both_filled_within_one_reading_is_told_with_what_is_open() -> None:
    floor = tie(OCO, LOW, HIGH)
    floor.fill("O1", carry=False)
    floor.fill("O2")
    assert floor.notices() == ["GROUP_BOTH_FILLED"]
    assert "260" in floor.story.state.notices[0].text
    floor.wait(10)
    assert floor.notices() == ["GROUP_BOTH_FILLED"]


def test_a_rejected_order_of_an_oco_takes_the_entry_in_the_other_back() -> None:
    floor = Floor()
    floor.ask(PlaceGroup, kind=OCO, orders=(LOW, HIGH))
    floor.acknowledge("O1")
    floor.rejected("O2")
    assert group(floor).ended
    assert floor.orders["O1"].pending is Pending.CANCEL
    assert floor.notices() == ["GROUP_STOPPED"]


def test_an_order_acknowledged_after_its_group_was_cancelled_is_cancelled_too() -> None:
    floor = Floor()
    floor.ask(PlaceGroup, kind=OCO, orders=(LOW, HIGH))
    floor.acknowledge("O1")
    floor.ask(CancelOrder, order_id="T1")
    floor.acknowledge("O2")
    assert [order.pending for order in floor.orders.values()] == [Pending.CANCEL, Pending.CANCEL]


@pytest.mark.parametrize("kind", [CancelAll, EngageKill])
def test_who_stops_everything_stops_groups(kind: type) -> None:
    floor = tie(OTO, LOW, terms(Side.SELL, 130, contract=PUT))
    floor.ask(kind)
    floor.fill("O1")
    assert group(floor).ended
    assert all(order.terms.contract != PUT for order in floor.orders.values())


# ---------------------------------------------------------------- closing one position


def test_only_one_of_two_closing_orders_rests_and_it_is_the_stop() -> None:
    floor = tie(OUO, TARGET, STOP, held=130)
    assert group(floor).alone
    assert [(order.role, order.terms.type) for order in floor.orders.values()] == [(Role.TARGET, OrderType.SL_M)]


def test_a_stop_and_a_target_for_all_of_a_position_are_its_guard() -> None:
    floor = Floor()
    floor.hold(130)
    assert floor.ask(PlaceGroup, kind=OCO, orders=(TARGET, STOP)).code == "GUARDED"
    guard = floor.story.state.protections[f"paper/NRML/{STOP.contract}"]
    assert (guard.stop, guard.target) == (9_000, 12_000)
    assert not floor.story.state.groups


def test_the_target_is_sent_only_when_the_stop_is_provably_gone() -> None:
    floor = tie(OUO, TARGET, STOP, held=130)
    floor.trade_at(12_000)
    assert floor.orders["O1"].pending is Pending.CANCEL
    assert len(floor.orders) == 1
    floor.cancelled("O1")
    assert floor.orders["O2"].terms.price == 12_000
    assert floor.orders["O2"].role is Role.TARGET
    floor.acknowledge()
    floor.fill("O2")
    assert group(floor).ended
    assert floor.position() == 0
    assert not floor.notices()


def test_the_stop_takes_its_place_again_when_the_target_was_touched_and_left() -> None:
    floor = tie(OUO, TARGET, STOP, held=130)
    floor.trade_at(12_000)
    floor.cancelled("O1")
    floor.acknowledge()
    floor.trade_at(8_900)
    floor.cancelled("O2")
    last = floor.orders["O3"].terms
    assert (last.type, last.qty) == (OrderType.MARKET, 130)


def test_what_the_stop_filled_before_the_change_over_is_not_closed_again() -> None:
    floor = tie(OUO, TARGET, STOP, held=130)
    floor.trade_at(12_000)
    floor.fill("O1", 65)
    floor.cancelled("O1")
    assert floor.orders["O2"].terms.qty == 65
    floor.acknowledge()
    floor.fill("O2")
    assert floor.position() == 0
    assert not floor.notices()


def test_a_stop_that_filled_instead_of_being_cancelled_ends_the_group() -> None:
    floor = tie(OUO, TARGET, STOP, held=130)
    floor.trade_at(12_000)
    floor.fill("O1")
    assert group(floor).ended
    assert floor.position() == 0
    assert len(floor.orders) == 1


def test_closing_orders_shrink_with_a_position_that_somebody_else_closes() -> None:
    floor = tie(OUO, TARGET, STOP, held=130)
    floor.hold(-65)
    floor.carry()
    asked = floor.orders["O1"].asked
    assert asked is not None
    assert asked.qty == 65
    confirm(floor, "O1")
    floor.hold(-65)
    floor.carry()
    assert floor.orders["O1"].pending is Pending.CANCEL
    assert group(floor).ended


def test_a_stop_that_is_lost_is_told_and_nothing_is_sent_for_it_unasked() -> None:
    floor = tie(OUO, TARGET, STOP, held=130)
    floor.cancelled("O1")
    assert group(floor).ended
    assert floor.story.state.notices[-1].level == "alarm"
    assert len(floor.orders) == 1


def test_a_stop_that_the_close_of_the_session_ends_is_no_alarm() -> None:
    floor = tie(OUO, TARGET, STOP, held=130)
    floor.phase = MarketPhase.CLOSED
    floor.tell(ev.OrderExpired(order_id="O1", reason="day"))
    assert (group(floor).ended, group(floor).why) == (True, "the session ended")
    assert not floor.notices()


def test_closing_orders_that_fit_the_position_together_may_rest_together() -> None:
    floor = tie(OCO, terms(Side.SELL, 65, 12_000), terms(Side.SELL, 65, 12_500), held=130)
    assert not group(floor).alone
    assert len(floor.orders) == 2


# ---------------------------------------------------------------- OTO


def test_an_order_released_by_a_fill_has_the_size_of_the_fill_and_grows_with_it() -> None:
    floor = tie(OTO, terms(Side.SELL, 260), terms(Side.BUY, 130, 5_000, contract=PUT))
    assert len(floor.orders) == 1
    floor.fill("O1", 65)
    assert len(floor.orders) == 1  # half of a lot is none
    floor.fill("O1", 65)
    assert floor.orders["O2"].terms.qty == 65
    floor.fill("O1")
    assert floor.orders["O3"].terms.qty == 65
    assert group(floor).ended


def test_nothing_is_released_when_the_first_order_ends_unfilled() -> None:
    floor = tie(OTO, LOW, terms(Side.SELL, 130, contract=PUT))
    floor.cancelled("O1")
    assert group(floor).ended
    assert len(floor.orders) == 1


def test_a_released_order_that_is_rejected_is_told_and_not_sent_again() -> None:
    floor = tie(OTO, LOW, terms(Side.SELL, 130, contract=PUT))
    floor.fill("O1", 65)
    floor.rejected("O2")
    floor.fill("O1")
    assert len(floor.orders) == 2
    assert floor.notices() == ["GROUP_STOPPED"]


def test_a_released_order_in_doubt_is_not_sent_again() -> None:
    floor = tie(OTO, LOW, terms(Side.SELL, 130, contract=PUT))
    floor.fill("O1", 65)
    floor.tell(ev.OrderDoubted(order_id="O2", cause="timeout"))
    floor.wait(60)
    assert len(floor.orders) == 2


def test_a_released_order_does_not_close_beside_a_stop_what_the_stop_closes() -> None:
    floor = tie(OTO, terms(Side.BUY, 65, 9_900, contract=PUT), terms(Side.SELL, 65, 12_000))
    floor.hold(65)
    floor.ask(SetStop, account="paper", product=Product.NRML, contract=CALL, stop=9_000, mode=StopMode.BROKER)
    floor.acknowledge()
    floor.fill("O1")
    closing = [order for order in floor.working() if order.terms.contract == CALL]
    assert [order.role for order in closing] == [Role.STOP]
    assert "GROUP_STOPPED" in floor.notices()


def test_a_released_order_closes_no_more_than_is_still_open() -> None:
    floor = tie(OTO, LOW, terms(Side.SELL, 130, 12_000))
    floor.fill("O1", 65, carry=False)
    floor.hold(-65)  # closed by hand meanwhile
    floor.fill("O1")
    assert floor.orders["O2"].terms.qty == 65


def capped(value: int, kind: LimitKind = LimitKind.OPEN_LOTS) -> Floor:
    floor = Floor()
    floor.tell(ev.LimitSet(limit=Limit(level=Level.GLOBAL, kind=kind, value=value)))
    return floor


def all_lots(floor: Floor) -> int:
    return exposure.all_lots(exposure.lines(floor.story.state, Level.GLOBAL, ""))


def test_what_waits_for_a_fill_counts_in_the_worst_case_until_its_group_ends() -> None:
    floor = capped(4)
    floor.ask(PlaceGroup, kind=OTO, orders=(LOW, terms(Side.SELL, 130, contract=PUT)))
    assert len(floor.orders) == 1
    assert all_lots(floor) == 4
    assert floor.ask(PlaceOrder, terms=terms(Side.SELL, 65, contract=PUT)).code == "LIMIT_OPEN_LOTS"
    floor.acknowledge()
    floor.fill("O1", 65)
    assert floor.orders["O3"].terms.qty == 65
    assert all_lots(floor) == 4, "what is released is not counted twice"
    floor.acknowledge()
    floor.fill("O1")
    assert group(floor).ended
    assert all_lots(floor) == 4
    assert not floor.notices()


@pytest.mark.parametrize("kind", [OTO, OCO])
def test_orders_that_together_pass_a_cap_are_refused_when_they_are_tied(kind: GroupKind) -> None:
    floor = capped(3)
    with pytest.raises(Refusal) as refused:
        floor.ask(PlaceGroup, kind=kind, orders=(LOW, terms(Side.SELL, 130, 10_500, contract=PUT)))
    assert refused.value.code == "LIMIT_OPEN_LOTS"
    assert refused.value.text.startswith("Order 2 of the group")
    assert not floor.orders


def test_what_closes_the_first_order_of_a_group_adds_nothing_to_the_worst_case() -> None:
    floor = capped(2)
    floor.ask(PlaceGroup, kind=OTO, orders=(LOW, terms(Side.SELL, 130, 12_000)))
    assert all_lots(floor) == 2


def test_a_hedge_that_releases_its_short_passes_the_ban_on_naked_shorts() -> None:
    floor = capped(1, LimitKind.NAKED_SHORT)
    floor.ask(PlaceGroup, kind=OTO, orders=(terms(Side.BUY, 65, 500, contract=PUT), terms(Side.SELL, 65, contract=PUT)))
    assert RiskWatch().advance(floor.story.state, MASTER, floor.situation(), "ABC") is None


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("kind", "orders", "held", "code"),
    [
        (OCO, (LOW,), 0, "BAD_GROUP"),
        (OCO, (LOW, terms(Side.BUY, 130, None, OrderType.MARKET)), 0, "BAD_GROUP"),
        (OCO, (LOW, terms(Side.BUY, 100, 9_500)), 0, "LOT_MULTIPLE"),
        (OCO, (LOW, terms(Side.BUY, 1820, 9_500)), 0, "FREEZE_QUANTITY"),
        (OCO, (STOP, LOW), 130, "MIXED_GROUP"),
        (OTO, (LOW, TARGET, STOP), 0, "USE_BRACKET"),
        (OTO, (LOW, terms(Side.SELL, 195, 12_000)), 0, "CLOSES_MORE"),
    ],
)
def test_a_group_that_cannot_work_is_refused_whole(
    kind: GroupKind, orders: tuple[OrderTerms, ...], held: int, code: str
) -> None:
    floor = Floor()
    if held:
        floor.hold(held)
    with pytest.raises(Refusal) as refused:
        floor.ask(PlaceGroup, kind=kind, orders=orders)
    assert refused.value.code == code
    assert not floor.orders


def test_an_order_that_would_end_at_once_is_no_member_of_a_group() -> None:
    at_once = OrderTerms(
        account="paper",
        contract=LOW.contract,
        side=Side.BUY,
        qty=65,
        type=OrderType.LIMIT,
        price=9_500,
        validity=Validity.IOC,
    )
    with pytest.raises(Refusal, match="price to wait for"):
        Floor().ask(PlaceGroup, kind=OCO, orders=(LOW, at_once))


def test_a_group_is_not_changed_as_a_whole() -> None:
    floor = tie(OCO, LOW, HIGH)
    with pytest.raises(Refusal, match="one by one"):
        floor.ask(ModifyOrder, order_id="T1", price=9_000)


# ---------------------------------------------------------------- laws

PROGRESS = st.builds(
    lambda lots, done: Progress(qty=lots * 65, lot=65, filled=min(done, lots) * 65),
    st.integers(1, 20),
    st.integers(0, 20),
)


@given(st.sampled_from(GroupKind), st.lists(PROGRESS, min_size=2, max_size=5))
def test_what_is_allowed_never_undoes_a_fill_and_never_exceeds_the_order(
    kind: GroupKind, members: list[Progress]
) -> None:
    most = allowed(kind, members)
    for member, limit in zip(members, most, strict=True):
        assert member.filled <= limit <= max(member.qty, member.filled)
        assert limit % member.lot == 0


@given(st.lists(PROGRESS, min_size=2, max_size=5))
def test_an_oco_leaves_nothing_to_the_peers_of_a_fill(members: list[Progress]) -> None:
    most = allowed(OCO, members)
    for place, limit in enumerate(most):
        if any(member.filled for number, member in enumerate(members) if number != place):
            assert limit == members[place].filled


@given(st.integers(1, 20), st.data())
def test_an_ouo_of_equal_orders_never_allows_more_than_one_of_them_in_total(lots: int, data: st.DataObject) -> None:
    """Each remaining allowance on top of all fills is the one quantity, however the fills are spread."""
    first = data.draw(st.integers(0, lots))
    second = data.draw(st.integers(0, lots - first))
    members = [Progress(lots * 65, 65, first * 65), Progress(lots * 65, 65, second * 65)]
    for member, limit in zip(members, allowed(OUO, members), strict=True):
        assert first * 65 + second * 65 + (limit - member.filled) == lots * 65


WORDS = st.tuples(st.sampled_from(("ack", "fill", "part", "cancel", "price", "change", "wait")), st.integers(0, 40))


@given(st.lists(WORDS, min_size=8, max_size=30), st.just(OUO), st.integers(1, 4))
def test_orders_that_close_a_position_never_work_for_more_than_is_open(
    steps: list[tuple[str, int]], kind: GroupKind, lots: int
) -> None:
    floor = Floor()
    floor.hold(lots * 65)
    stop = terms(Side.SELL, lots * 65, None, OrderType.SL_M, trigger=9_000)
    floor.ask(PlaceGroup, kind=kind, orders=(terms(Side.SELL, lots * 65, 12_000), stop))
    for word, pick in steps:
        alive = floor.working()
        if word == "price":
            floor.trade_at((8_900, 10_000, 12_100)[pick % 3])
        elif word == "wait":
            floor.wait(pick)
        elif alive:
            _happen(floor, word, alive[pick % len(alive)])
        assert floor.position() >= 0
        assert "GROUP_BOTH_FILLED" not in floor.notices()
        assert sum(possible(order) - order.filled for order in floor.working()) <= floor.position()


def _happen(floor: Floor, word: str, order: Order) -> None:
    if word == "ack" and order.status is OrderStatus.SENT:
        floor.acknowledge(order.id)
    elif word == "fill" and order.status is not OrderStatus.SENT:
        floor.fill(order.id)
    elif word == "part" and order.remaining > 65:
        floor.fill(order.id, 65)
    elif word == "cancel" and order.pending is Pending.CANCEL:
        floor.cancelled(order.id)
    elif word == "change" and order.pending is Pending.MODIFY:
        confirm(floor, order.id)
