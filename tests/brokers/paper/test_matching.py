from __future__ import annotations

import msgspec
import pytest

from optconsole.brokers.paper.matching import NOTHING, Fill, Market, Memory, Round, market, play, reached
from optconsole.brokers.paper.orders import PaperOrder
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.quotes import Depth, Quote
from tests.brokers.paper.stage import CALL, DAY, LOT, at

NOW = at("10:00")


def order(
    side: Side = Side.BUY,
    qty: int = LOT,
    price: int = 100_00,
    rank: int = 1,
    trigger: int | None = None,
    validity: Validity = Validity.DAY,
) -> PaperOrder:
    return PaperOrder(
        broker_id=f"P{rank}",
        tag=f"TAG{rank}",
        account="PAPER1",
        contract=CALL.name,
        side=side,
        qty=qty,
        type=OrderType.LIMIT if trigger is None else OrderType.SL,
        price=price,
        trigger=trigger,
        product=Product.NRML,
        validity=validity,
        rank=rank,
        day=DAY,
        entered_at=NOW,
        updated_at=NOW,
        status=OrderStatus.OPEN if trigger is None else OrderStatus.TRIGGER_PENDING,
    )


def meet(*orders: PaperOrder, shown: Market, memory: Memory = NOTHING, share: int = 100) -> Round:
    return play(orders, shown, memory, LOT, share, None, NOW)


def status(played: Round, rank: int = 1) -> OrderStatus:
    return next(row.status for row in played.orders if row.broker_id == f"P{rank}")


class TestTakingWhatIsShown:
    def test_a_buy_below_the_ask_rests(self) -> None:
        played = meet(order(price=99_95), shown=Market(((99_90, 650),), ((100_00, 650),), last=99_00))
        assert played.fills == ()
        assert played.orders == ()

    def test_a_marketable_buy_trades_at_the_ask_not_at_its_limit(self) -> None:
        played = meet(order(price=110_00), shown=Market(asks=((100_00, 650),)))
        assert played.fills == (Fill("P1", LOT, 100_00),)
        assert status(played) is OrderStatus.FILLED

    def test_a_marketable_sell_trades_at_the_bid(self) -> None:
        played = meet(order(Side.SELL, price=90_00), shown=Market(bids=((99_00, 650),)))
        assert played.fills == (Fill("P1", LOT, 99_00),)

    def test_no_more_trades_than_is_shown_and_the_rest_waits(self) -> None:
        played = meet(order(qty=10 * LOT), shown=Market(asks=((100_00, 3 * LOT),)))
        assert played.fills == (Fill("P1", 3 * LOT, 100_00),)
        assert status(played) is OrderStatus.PARTIAL

    def test_levels_are_walked_up_to_the_limit_only(self) -> None:
        asks = ((100_00, LOT), (100_50, 2 * LOT), (101_05, 9 * LOT))
        played = meet(order(qty=5 * LOT, price=101_00), shown=Market(asks=asks))
        assert played.fills == (Fill("P1", LOT, 100_00), Fill("P1", 2 * LOT, 100_50))

    def test_an_empty_side_trades_nothing_whatever_the_last_trade_was(self) -> None:
        assert meet(order(price=500_00), shown=Market(bids=((99_00, 650),), last=99_00)).fills == ()

    def test_size_that_is_not_a_whole_lot_is_left(self) -> None:
        assert meet(order(), shown=Market(asks=((100_00, LOT - 1),))).fills == ()
        assert meet(order(qty=2 * LOT), shown=Market(asks=((100_00, 2 * LOT - 1),))).fills[0].qty == LOT

    def test_a_share_of_the_size_can_be_ours_but_never_less_than_a_lot(self) -> None:
        asks = ((100_00, 8 * LOT),)
        assert meet(order(qty=9 * LOT), shown=Market(asks=asks), share=50).fills[0].qty == 4 * LOT
        assert meet(order(qty=9 * LOT), shown=Market(asks=((100_00, LOT),)), share=50).fills[0].qty == LOT


class TestPriorityAmongOurOwn:
    def test_the_better_price_goes_first(self) -> None:
        early, better = order(price=100_00, rank=1), order(price=101_00, rank=2)
        played = meet(early, better, shown=Market(asks=((100_00, LOT),)))
        assert [fill.broker_id for fill in played.fills] == ["P2"]

    def test_at_one_price_the_earlier_goes_first(self) -> None:
        played = meet(order(rank=2), order(rank=1), shown=Market(asks=((100_00, LOT),)))
        assert [fill.broker_id for fill in played.fills] == ["P1"]

    def test_two_orders_never_take_the_same_units(self) -> None:
        played = meet(order(qty=2 * LOT, rank=1), order(qty=2 * LOT, rank=2), shown=Market(asks=((100_00, 3 * LOT),)))
        assert [fill.qty for fill in played.fills] == [2 * LOT, LOT]


class TestMemory:
    def test_the_same_showing_is_not_taken_twice(self) -> None:
        shown = Market(asks=((100_00, LOT),))
        first = meet(order(rank=1), shown=shown)
        again = meet(order(rank=2), shown=shown, memory=first.memory)
        assert again.fills == ()

    def test_what_was_left_of_a_showing_can_still_be_had(self) -> None:
        shown = Market(asks=((100_00, 3 * LOT),))
        first = meet(order(rank=1), shown=shown)
        again = meet(order(qty=5 * LOT, rank=2), shown=shown, memory=first.memory)
        assert again.fills == (Fill("P2", 2 * LOT, 100_00),)

    def test_a_changed_size_is_a_new_showing(self) -> None:
        first = meet(order(rank=1), shown=Market(asks=((100_00, LOT),)))
        again = meet(order(rank=2), shown=Market(asks=((100_00, 2 * LOT),)), memory=first.memory)
        assert again.fills == (Fill("P2", LOT, 100_00),)

    def test_a_level_that_left_and_came_back_is_a_new_showing(self) -> None:
        shown = Market(asks=((100_00, LOT),))
        first = meet(order(rank=1), shown=shown)
        between = meet(order(rank=2), shown=Market(asks=((105_00, LOT),)), memory=first.memory)
        again = meet(order(rank=2), shown=shown, memory=between.memory)
        assert again.fills == (Fill("P2", LOT, 100_00),)

    def test_without_a_book_each_new_quote_is_a_new_showing(self) -> None:
        first = meet(order(rank=1), shown=Market(asks=((100_00, LOT),), stamp=1))
        same = meet(order(rank=2), shown=Market(asks=((100_00, LOT),), stamp=1), memory=first.memory)
        later = meet(order(rank=2), shown=Market(asks=((100_00, LOT),), stamp=2), memory=first.memory)
        assert (same.fills, later.fills) == ((), (Fill("P2", LOT, 100_00),))


class TestStops:
    @pytest.mark.parametrize(
        ("side", "last", "fires"),
        [
            (Side.BUY, 99_95, False),
            (Side.BUY, 100_00, True),
            (Side.BUY, 120_00, True),
            (Side.SELL, 100_05, False),
            (Side.SELL, 100_00, True),
            (Side.SELL, 80_00, True),
        ],
    )
    def test_a_stop_fires_when_the_last_trade_reaches_its_trigger(self, side: Side, last: int, fires: bool) -> None:
        assert reached(side, 100_00, last) is fires

    def test_nothing_fires_while_nothing_traded(self) -> None:
        assert not reached(Side.BUY, 100_00, None)

    def test_a_waiting_stop_does_not_trade_however_good_the_ask(self) -> None:
        stop = order(price=105_00, trigger=100_00)
        assert meet(stop, shown=Market(asks=((90_00, 650),), last=95_00)).fills == ()

    def test_a_triggered_stop_is_a_limit_order_at_once(self) -> None:
        stop = order(price=105_00, trigger=100_00)
        played = meet(stop, shown=Market(asks=((101_00, 650),), last=100_00))
        assert played.fills == (Fill("P1", LOT, 101_00),)
        assert played.orders[0].triggered

    def test_the_trigger_latches_when_the_price_runs_past_the_limit(self) -> None:
        stop = order(price=101_00, trigger=100_00)
        gapped = meet(stop, shown=Market(asks=((110_00, 650),), last=108_00))
        assert (status(gapped), gapped.orders[0].triggered, gapped.fills) == (OrderStatus.OPEN, True, ())
        back = meet(gapped.orders[0], shown=Market(asks=((99_00, 650),), last=98_00))
        assert back.fills == (Fill("P1", LOT, 99_00),)

    def test_a_limit_outside_the_band_is_rejected_when_the_stop_fires_not_before(self) -> None:
        stop = order(price=200_00, trigger=100_00)
        band = (60_00, 140_00)
        asleep = play([stop], Market(last=90_00), NOTHING, LOT, 100, band, NOW)
        assert asleep.orders == ()
        fired = play([stop], Market(asks=((101_00, 650),), last=100_00), NOTHING, LOT, 100, band, NOW)
        assert (status(fired), fired.orders[0].code, fired.fills) == (OrderStatus.REJECTED, "LPP", ())
        assert "beyond LPP limit" in fired.orders[0].reason


class TestImmediateOrCancel:
    def test_the_remainder_expires(self) -> None:
        ioc = order(qty=3 * LOT, validity=Validity.IOC)
        played = meet(ioc, shown=Market(asks=((100_00, LOT),)))
        assert (status(played), played.orders[0].filled) == (OrderStatus.EXPIRED, LOT)

    def test_without_anything_to_take_all_of_it_expires(self) -> None:
        assert status(meet(order(validity=Validity.IOC), shown=Market())) is OrderStatus.EXPIRED

    def test_filled_whole_it_is_filled(self) -> None:
        played = meet(order(validity=Validity.IOC), shown=Market(asks=((100_00, 650),)))
        assert status(played) is OrderStatus.FILLED


class TestWhatAQuoteShows:
    settings = PaperSettings(half_spread_ticks=1, half_spread_bps=10, assumed_lots=4)
    quote = Quote(name=CALL.name, ts=5, bid=99_00, bid_qty=130, ask=100_00, ask_qty=195, ltp=98_00, booked=True)

    def test_a_booked_quote_shows_its_best_prices(self) -> None:
        shown = market(self.quote, None, CALL, self.settings)
        assert (shown.bids, shown.asks) == (((99_00, 130),), ((100_00, 195),))

    def test_the_last_trade_is_clamped_into_the_book_for_triggers(self) -> None:
        assert market(self.quote, None, CALL, self.settings).last == 99_00

    def test_a_book_without_a_trade_triggers_nothing(self) -> None:
        untraded = msgspec.structs.replace(self.quote, ltp=None)
        assert market(untraded, None, CALL, self.settings).last is None

    def test_depth_adds_the_deeper_levels(self) -> None:
        depth = Depth(CALL.name, 5, ((99_00, 100), (98_95, 650)), ((100_00, 195), (100_05, 65)))
        shown = market(self.quote, depth, CALL, self.settings)
        assert shown.asks == ((100_00, 195), (100_05, 65))
        assert shown.bids == ((99_00, 130), (98_95, 650)), "the quote has the last word on the best size"

    def test_depth_of_an_earlier_moment_that_begins_elsewhere_is_ignored(self) -> None:
        depth = Depth(CALL.name, 4, (), ((99_50, 650), (100_05, 650)))
        assert market(self.quote, depth, CALL, self.settings).asks == ((100_00, 195),)

    def test_newer_depth_adds_only_what_lies_behind_the_quote(self) -> None:
        depth = Depth(CALL.name, 6, ((99_05, 65), (98_95, 130)), ((99_50, 650), (100_00, 650), (100_05, 65)))
        shown = market(self.quote, depth, CALL, self.settings)
        assert shown.asks == ((100_00, 195), (100_05, 65))
        assert shown.bids == ((99_00, 130), (98_95, 130))

    def test_a_booked_quote_with_an_empty_side_shows_nothing_there(self) -> None:
        bare = msgspec.structs.replace(self.quote, ask=None, ask_qty=0)
        assert market(bare, None, CALL, self.settings).asks == ()

    def test_without_a_book_the_last_trade_is_widened_to_whole_ticks(self) -> None:
        minute = Quote(name=CALL.name, ts=9, ltp=100_00, booked=False)
        shown = market(minute, None, CALL, self.settings)
        assert shown == Market(((99_85, 260),), ((100_15, 260),), 100_00, 9)

    def test_without_a_book_a_worthless_contract_has_no_bid(self) -> None:
        assert market(Quote(name=CALL.name, ts=9, ltp=5, booked=False), None, CALL, self.settings).bids == ()

    def test_without_any_price_nothing_is_shown(self) -> None:
        assert market(Quote(name=CALL.name, ts=9, booked=False), None, CALL, self.settings) == Market()
