"""What the broker and the exchange refuse: one stable code and one sentence each, and nothing changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest

from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.orders import OrderType, Product, Side
from optconsole.engine.ports import Accepted, PlaceRequest, Rejected
from tests.brokers.paper.stage import CALL, FUTURE, HEDGE, INDEX, LOT, Stage, at, open_stage, option


async def refused(stage: Stage, request: PlaceRequest) -> Rejected:
    before = (await stage.broker.orders(), len(stage.updates), stage.broker._books.cash)
    outcome = await stage.broker.place(request)
    assert isinstance(outcome, Rejected), outcome
    assert (await stage.broker.orders(), len(stage.updates), stage.broker._books.cash) == before
    assert outcome.reason.endswith(".")
    assert "\n" not in outcome.reason
    return outcome


class TestTheOrderItself:
    async def test_a_contract_nobody_lists(self, stage: Stage) -> None:
        assert (await refused(stage, stage.request(instrument=option(31_000)))).code == "NOT_LISTED"

    async def test_an_index(self, stage: Stage) -> None:
        assert (await refused(stage, stage.request(instrument=INDEX))).code == "NOT_TRADABLE"

    async def test_another_account(self, stage: Stage) -> None:
        request = msgspec.structs.replace(stage.request(), account="LIVE1")
        assert (await refused(stage, request)).code == "WRONG_ACCOUNT"

    @pytest.mark.parametrize("qty", [0, -LOT])
    async def test_no_quantity(self, stage: Stage, qty: int) -> None:
        assert (await refused(stage, stage.request(qty=qty))).code == "BAD_QUANTITY"

    async def test_a_broken_lot(self, stage: Stage) -> None:
        outcome = await refused(stage, stage.request(qty=LOT + 1))
        assert (outcome.code, "lot size 65" in outcome.reason) == ("LOT_MULTIPLE", True)

    async def test_the_freeze_quantity_names_the_largest_order_that_passes(self, stage: Stage) -> None:
        outcome = await refused(stage, stage.request(qty=28 * LOT, price=1_00))
        assert (outcome.code, "1755" in outcome.reason) == ("FREEZE_QUANTITY", True)
        assert isinstance(await stage.broker.place(stage.request(qty=27 * LOT, price=1_00)), Accepted)

    @pytest.mark.parametrize(("price", "trigger"), [(100_02, None), (0, None), (-5, None), (100_00, 99_97)])
    async def test_a_price_off_tick(self, stage: Stage, price: int, trigger: int | None) -> None:
        assert (await refused(stage, stage.request(price=price, trigger=trigger))).code == "TICK_SIZE"

    @pytest.mark.parametrize("kind", [OrderType.MARKET, OrderType.SL_M])
    async def test_orders_without_a_price_are_blocked(self, stage: Stage, kind: OrderType) -> None:
        request = msgspec.structs.replace(stage.request(), type=kind)
        assert (await refused(stage, request)).code == "ORDER_TYPE"

    async def test_a_trigger_where_none_belongs_and_none_where_one_does(self, stage: Stage) -> None:
        plain = msgspec.structs.replace(stage.request(), trigger=99_00)
        stop = msgspec.structs.replace(stage.request(trigger=99_00), trigger=None)
        assert (await refused(stage, plain)).code == "TRIGGER_NOT_ALLOWED"
        assert (await refused(stage, stop)).code == "TRIGGER_MISSING"


class TestStops:
    @pytest.mark.parametrize(("side", "price", "trigger"), [(Side.BUY, 109_95, 110_00), (Side.SELL, 90_05, 90_00)])
    async def test_a_limit_on_the_wrong_side_of_its_trigger(
        self, stage: Stage, side: Side, price: int, trigger: int
    ) -> None:
        assert (await refused(stage, stage.request(side, price=price, trigger=trigger))).code == "TRIGGER_LIMIT"

    @pytest.mark.parametrize(("side", "price", "trigger"), [(Side.BUY, 99_50, 99_50), (Side.SELL, 99_50, 99_50)])
    async def test_a_trigger_that_is_reached_already(self, stage: Stage, side: Side, price: int, trigger: int) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        assert (await refused(stage, stage.request(side, price=price, trigger=trigger))).code == "TRIGGER_PASSED"


class TestPriceProtection:
    """Forty per cent around the reference, 20 rupees below 50 (market.md 5)."""

    @pytest.mark.parametrize(
        ("side", "price", "passes"),
        [
            (Side.BUY, 140_00, True),
            (Side.BUY, 140_05, False),
            (Side.SELL, 60_00, True),
            (Side.SELL, 59_95, False),
            (Side.BUY, 5, True),
            (Side.SELL, 900_00, True),
        ],
    )
    async def test_only_aggressive_limits_are_banded(self, stage: Stage, side: Side, price: int, passes: bool) -> None:
        stage.show(CALL, None, None, ltp=100_00)
        request = stage.request(side, price=price)
        if passes:
            assert isinstance(await stage.broker.place(request), Accepted)
        else:
            outcome = await refused(stage, request)
            assert (outcome.code, "beyond LPP limit" in outcome.reason) == ("LPP", True)

    async def test_the_reference_is_the_mean_of_the_last_trades(self, stage: Stage) -> None:
        stage.show(CALL, ltp=500_00)
        for second, ltp in ((1, 100_00), (11, 120_00), (21, 110_00)):
            stage.clock.set(at(f"10:00:{second:02d}"))
            stage.show(CALL, ltp=ltp)
        assert isinstance(await stage.broker.place(stage.request(price=154_00)), Accepted)
        assert (await refused(stage, stage.request(price=154_05))).code == "LPP"
        stage.clock.set(at("10:00:35"))
        assert isinstance(await stage.broker.place(stage.request(price=161_00)), Accepted), "100 left the window"

    async def test_a_stop_is_not_banded_before_it_fires(self, stage: Stage) -> None:
        stage.show(CALL, ltp=100_00)
        assert isinstance(await stage.broker.place(stage.request(price=200_00, trigger=190_00)), Accepted)


class TestSelfTrade:
    async def test_an_order_that_would_meet_our_own_is_refused(self, stage: Stage) -> None:
        await stage.place(stage.request(Side.SELL, price=105_00))
        assert (await refused(stage, stage.request(Side.BUY, price=105_00))).code == "SELF_TRADE"
        assert isinstance(await stage.broker.place(stage.request(Side.BUY, price=104_95)), Accepted)

    async def test_a_waiting_stop_meets_nobody(self, stage: Stage) -> None:
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        await stage.place(stage.request(Side.SELL, price=89_00, trigger=90_00))
        assert isinstance(await stage.broker.place(stage.request(Side.BUY, price=98_00)), Accepted)

    async def test_a_change_of_price_is_refused_too(self, stage: Stage) -> None:
        await stage.place(stage.request(Side.SELL, price=105_00))
        buy = await stage.place(stage.request(Side.BUY, price=100_00))
        outcome = await stage.modify(buy, LOT, 106_00)
        assert isinstance(outcome, Rejected)
        assert outcome.code == "SELF_TRADE"


class TestSession:
    @pytest.mark.parametrize(
        ("clock", "day"),
        [
            ("09:14:59", date(2026, 11, 18)),
            ("15:40", date(2026, 11, 18)),
            ("11:00", date(2026, 11, 21)),
            ("11:00", date(2026, 11, 24)),
        ],
    )
    async def test_closed(self, tmp_path: Path, clock: str, day: date) -> None:
        far = option(25_000, expiry=date(2026, 12, 1))
        stage = await open_stage(tmp_path, at(clock, day), listed=[INDEX, far])
        assert (await refused(stage, stage.request(instrument=far))).code == "SESSION_CLOSED"
        await stage.broker.close()

    @pytest.mark.parametrize("clock", ["09:15", "15:39:59"])
    async def test_open(self, tmp_path: Path, clock: str) -> None:
        stage = await open_stage(tmp_path, at(clock))
        assert isinstance(await stage.broker.place(stage.request()), Accepted)
        await stage.broker.close()

    async def test_an_expired_contract(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, at("10:00", date(2026, 11, 25)))
        assert (await refused(stage, stage.request())).code == "EXPIRED_CONTRACT"
        await stage.broker.close()


class TestIntraday:
    async def test_after_the_cut_off_only_closing_orders_are_taken(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, at("15:00"), PaperSettings(mis_cutoff_minutes=15, mis_square_off_minutes=5))
        stage.show(CALL, (99_00, 650), (100_00, 650), ltp=99_50)
        await stage.place(stage.request(product=Product.MIS, price=101_00))
        stage.clock.set(at("15:26"))
        assert (await refused(stage, stage.request(product=Product.MIS))).code == "MIS_CUTOFF"
        too_much = stage.request(Side.SELL, qty=2 * LOT, product=Product.MIS)
        assert (await refused(stage, too_much)).code == "MIS_CUTOFF"
        assert isinstance(await stage.broker.place(stage.request(price=90_00)), Accepted), "NRML is free"
        closing = stage.request(Side.SELL, product=Product.MIS, price=100_00)
        assert isinstance(await stage.broker.place(closing), Accepted)
        again = stage.request(Side.SELL, product=Product.MIS, price=100_05)
        assert (await refused(stage, again)).code == "MIS_CUTOFF", "the first closes all of it"
        await stage.broker.close()


def poor(rupees: int) -> Account:
    return Account(id="PAPER1", broker="paper", mode=Mode.PAPER, capital=rupees * 100)


class TestMargin:
    async def test_a_buyer_needs_the_premium_and_the_charges(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, account=poor(6_500))
        outcome = await refused(stage, stage.request(price=100_00))
        assert outcome.code == "MARGIN"
        assert outcome.reason.startswith("RMS: Margin exceeds; required Rs 65")
        assert "available Rs 6500.00" in outcome.reason
        assert isinstance(await stage.broker.place(stage.request(price=99_00)), Accepted)
        await stage.broker.close()

    async def test_two_resting_buys_do_not_spend_the_same_rupee(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, account=poor(10_000))
        await stage.place(stage.request(price=100_00))
        assert (await refused(stage, stage.request(price=100_00))).code == "MARGIN"
        await stage.broker.close()

    async def test_a_short_needs_margin_and_a_hedge_lowers_it(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, account=poor(1_00_000))
        stage.show(INDEX, ltp=25_000_00, booked=False)
        stage.show(CALL, (150_00, 650), (151_00, 650), ltp=150_00)
        stage.show(HEDGE, (30_00, 650), (31_00, 650), ltp=30_00)
        assert (await refused(stage, stage.request(Side.SELL, price=150_00))).code == "MARGIN"
        await stage.place(stage.request(price=31_00, instrument=HEDGE))
        assert isinstance(await stage.broker.place(stage.request(Side.SELL, price=150_00)), Accepted)
        assert await stage.net() == {HEDGE.name: LOT, CALL.name: -LOT}
        await stage.broker.close()

    async def test_selling_the_hedge_first_is_refused_and_buying_back_the_short_never(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, account=poor(1_00_000))
        stage.show(INDEX, ltp=25_000_00, booked=False)
        stage.show(CALL, (150_00, 650), (151_00, 650), ltp=150_00)
        stage.show(HEDGE, (30_00, 650), (31_00, 650), ltp=30_00)
        await stage.place(stage.request(price=31_00, instrument=HEDGE))
        await stage.place(stage.request(Side.SELL, price=150_00))
        assert (await refused(stage, stage.request(Side.SELL, price=30_00, instrument=HEDGE))).code == "MARGIN"
        stage.show(INDEX, ltp=26_500_00, booked=False)
        stage.show(CALL, (1500_00, 650), (1510_00, 650), ltp=1505_00)
        assert (await stage.broker.funds()).free < 0
        assert isinstance(await stage.broker.place(stage.request(price=1510_00)), Accepted)
        assert await stage.net() == {HEDGE.name: LOT}
        await stage.broker.close()

    async def test_a_future_needs_margin_on_either_side(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path, account=poor(1_00_000))
        stage.show(INDEX, ltp=25_000_00, booked=False)
        for side in Side:
            request = stage.request(side, price=25_000_00, instrument=FUTURE)
            assert (await refused(stage, request)).code == "MARGIN"
        await stage.broker.close()

    async def test_without_a_price_of_the_index_a_short_has_no_margin_yet(self, tmp_path: Path) -> None:
        stage = await open_stage(tmp_path)
        assert (await refused(stage, stage.request(Side.SELL))).code == "NO_PRICE"
        assert isinstance(await stage.broker.place(stage.request(Side.BUY)), Accepted)
        await stage.broker.close()
