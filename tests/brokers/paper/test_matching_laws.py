"""Laws of matching that hold for any orders and any markets, drawn at random."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.paper.matching import NOTHING, Market, Memory, Round, crosses, market, play
from optconsole.brokers.paper.orders import PaperOrder
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.quotes import Level, Quote
from tests.brokers.paper.stage import CALL, DAY, LOT, at

NOW = at("10:00")
prices = st.integers(1, 60).map(lambda ticks: ticks * 5)
sizes = st.integers(1, 12).map(lambda lots: lots * LOT) | st.integers(1, 900)


@st.composite
def orders(draw: st.DrawFn) -> list[PaperOrder]:
    found = []
    for rank in range(1, draw(st.integers(1, 6)) + 1):
        trigger = draw(st.none() | prices)
        found.append(
            PaperOrder(
                broker_id=f"P{rank}",
                tag=f"TAG{rank}",
                account="PAPER1",
                contract=CALL.name,
                side=draw(st.sampled_from(Side)),
                qty=draw(st.integers(1, 9)) * LOT,
                type=OrderType.LIMIT if trigger is None else OrderType.SL,
                price=draw(prices),
                trigger=trigger,
                product=Product.NRML,
                validity=draw(st.sampled_from(Validity)),
                rank=rank,
                day=DAY,
                entered_at=NOW,
                updated_at=NOW,
                status=OrderStatus.OPEN if trigger is None else OrderStatus.TRIGGER_PENDING,
            )
        )
    return found


@st.composite
def markets(draw: st.DrawFn) -> Market:
    middle = draw(st.integers(10, 50))
    asks = sorted(draw(st.sets(st.integers(middle, 60), max_size=4)))
    bids = sorted(draw(st.sets(st.integers(1, middle - 1), max_size=4)), reverse=True)

    def side(ticks: list[int]) -> tuple[Level, ...]:
        return tuple((tick * 5, draw(sizes)) for tick in ticks)

    return Market(side(bids), side(asks), draw(st.none() | prices))


def run(
    found: list[PaperOrder], seen: list[Market], share: int = 100
) -> Iterator[tuple[dict[str, PaperOrder], Market, Round]]:
    """Every round of the markets in turn, as (orders before, market, round)."""
    alive = {order.broker_id: order for order in found}
    memory: Memory = NOTHING
    for shown in seen:
        before = dict(alive)
        played = play(list(alive.values()), shown, memory, LOT, share, None, NOW)
        memory = played.memory
        for order in played.orders:
            alive[order.broker_id] = order
        alive = {key: order for key, order in alive.items() if not order.status.final}
        yield before, shown, played


@given(orders(), st.lists(markets(), max_size=6), st.integers(1, 100))
def test_no_fill_is_worse_than_its_limit_or_off_the_shown_prices(
    found: list[PaperOrder], seen: list[Market], share: int
) -> None:
    for before, shown, played in run(found, seen, share):
        for fill in played.fills:
            order = before[fill.broker_id]
            assert crosses(order.side, order.price, fill.price)
            assert fill.price in {price for price, _size in shown.facing(order.side)}


@given(orders(), st.lists(markets(), min_size=1, max_size=6), st.integers(1, 4))
def test_units_filled_at_a_level_never_exceed_what_it_showed(
    found: list[PaperOrder], seen: list[Market], repeats: int
) -> None:
    unchanged = [shown for shown in seen for _ in range(repeats)]
    taken: dict[tuple[int, Side, int], int] = defaultdict(int)
    for number, (before, shown, played) in enumerate(run(found, unchanged)):
        for fill in played.fills:
            side = before[fill.broker_id].side
            taken[number // repeats, side, fill.price] += fill.qty
            assert taken[number // repeats, side, fill.price] <= dict(shown.facing(side))[fill.price]


@given(orders(), st.lists(markets(), max_size=6))
def test_what_an_order_says_is_the_sum_of_its_fills(found: list[PaperOrder], seen: list[Market]) -> None:
    units: dict[str, int] = defaultdict(int)
    value: dict[str, int] = defaultdict(int)
    last = {order.broker_id: order for order in found}
    for _before, _shown, played in run(found, seen):
        for fill in played.fills:
            units[fill.broker_id] += fill.qty
            value[fill.broker_id] += fill.qty * fill.price
        last |= {order.broker_id: order for order in played.orders}
    for key, order in last.items():
        assert (order.filled, order.filled_value) == (units[key], value[key])
        assert order.filled <= order.qty
        assert order.filled % LOT == 0
        assert (order.status is OrderStatus.FILLED) == (order.filled == order.qty)


@given(orders(), st.lists(markets(), max_size=6))
def test_a_better_order_of_ours_is_never_left_behind(found: list[PaperOrder], seen: list[Market]) -> None:
    """When two live orders of one side stand, units go to the worse one only after the better is done."""
    for before, _shown, played in run(found, seen):
        after = {**before, **{order.broker_id: order for order in played.orders}}
        for fill in played.fills:
            mine = after[fill.broker_id]
            for other in after.values():
                ahead = (-other.price * other.side.sign, other.rank) < (-mine.price * mine.side.sign, mine.rank)
                if other.side is mine.side and ahead and not other.waiting:
                    assert other.remaining == 0


@given(prices, st.none() | prices, st.none() | prices)
def test_the_last_trade_of_a_booked_quote_never_fills(ltp: int, bid: int | None, ask: int | None) -> None:
    quote = Quote(name=CALL.name, ts=1, bid=bid, bid_qty=LOT, ask=ask, ask_qty=LOT, ltp=ltp, booked=True)
    shown = market(quote, None, CALL, PaperSettings())
    assert {price for price, _size in (*shown.bids, *shown.asks)} <= {bid, ask}


@given(st.integers(1, 20_000).map(lambda ticks: ticks * 5), st.integers(0, 20), st.integers(0, 500))
def test_an_assumed_spread_lies_around_the_last_trade_on_tick(ltp: int, ticks: int, bps: int) -> None:
    settings = PaperSettings(half_spread_ticks=ticks, half_spread_bps=bps)
    shown = market(Quote(name=CALL.name, ts=1, ltp=ltp, booked=False), None, CALL, settings)
    ((ask, _size),) = shown.asks
    assert ask >= ltp + ticks * 5
    assert (ask - ltp - ticks * 5) * 10_000 >= ltp * bps
    assert ask % 5 == 0
    for bid, _units in shown.bids:
        assert 0 < bid <= ltp - ticks * 5
        assert bid % 5 == 0


@given(orders(), st.lists(markets(), max_size=4))
def test_a_latched_stop_never_goes_back_to_waiting(found: list[PaperOrder], seen: list[Market]) -> None:
    latched: set[str] = set()
    for _before, _shown, played in run(found, seen):
        for order in played.orders:
            if order.broker_id in latched:
                assert order.triggered
                assert not order.waiting
            if order.triggered:
                latched.add(order.broker_id)


@given(orders(), markets())
def test_matching_changes_no_order_it_was_given(found: list[PaperOrder], shown: Market) -> None:
    copies = [msgspec.structs.replace(order) for order in found]
    play(found, shown, NOTHING, LOT, 100, None, NOW)
    assert found == copies
