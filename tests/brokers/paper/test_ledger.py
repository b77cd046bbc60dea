from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from optconsole.brokers.paper.ledger import SCHEMA_VERSION, Ledger, LedgerBroken
from optconsole.brokers.paper.orders import Batch, CashEntry, PaperOrder
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.ports import BrokerTrade, Settlement
from tests.brokers.paper.stage import CALL, CAPITAL, DAY, INDEX, LOT, Stage, at, open_stage

ORDER = PaperOrder(
    broker_id="P1",
    tag="TAG1",
    account="PAPER1",
    contract=CALL.name,
    side=Side.SELL,
    qty=LOT,
    type=OrderType.SL,
    price=90_00,
    trigger=91_00,
    product=Product.MIS,
    validity=Validity.IOC,
    rank=3,
    day=DAY,
    entered_at=at("10:00"),
    updated_at=at("10:00:01"),
    status=OrderStatus.PARTIAL,
    triggered=True,
    filled=5,
    filled_value=500,
    code="X",
    reason="why",
)
TRADE = BrokerTrade(
    trade_id="T1",
    broker_id="P1",
    tag="TAG1",
    account="PAPER1",
    contract=CALL.name,
    product=Product.MIS,
    side=Side.SELL,
    qty=5,
    price=100,
    at=at("10:00:01"),
)
SETTLEMENT = Settlement(
    settlement_id="S1", account="PAPER1", contract=CALL.name, product=Product.MIS, qty=-5, price=7, at=at("15:40")
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "home" / "paper.db", "PAPER1")


def test_every_value_comes_back_as_it_went_in(ledger: Ledger) -> None:
    minute = ("NIFTY", at("15:10"))
    batch = Batch(
        orders=[ORDER],
        trades=[TRADE],
        settlements=[SETTLEMENT],
        cash=[CashEntry(at=at("10:00"), kind="TRADE", ref="T1", amount=-700)],
        positions={(CALL.name, Product.MIS): (-5, -500)},
        counters={"order": 1},
        contracts=[CALL],
        minutes={minute: (100, 4)},
    )
    ledger.commit(batch)
    assert ledger.orders_of(DAY) == [ORDER]
    assert ledger.order("P1") == ORDER
    assert ledger.trades_of(DAY) == [TRADE]
    assert ledger.settlements_since(DAY) == [SETTLEMENT]
    assert ledger.positions() == {(CALL.name, Product.MIS): (-5, -500)}
    assert (ledger.cash(), ledger.cash("CAPITAL")) == (-700, 0)
    assert ledger.counters() == {"order": 1}
    assert ledger.contracts([CALL.name, "unknown"]) == {CALL.name: CALL}
    assert ledger.minutes("NIFTY", DAY) == [(at("15:10"), 100, 4)]
    assert ledger.minutes("NIFTY", DAY + timedelta(days=1)) == []


def test_an_order_is_replaced_by_its_newer_state(ledger: Ledger) -> None:
    ledger.commit(Batch(orders=[ORDER]))
    newer = msgspec.structs.replace(ORDER, filled=LOT, status=OrderStatus.FILLED)
    ledger.commit(Batch(orders=[newer]))
    assert ledger.orders_of(DAY) == [newer]


def test_a_step_is_whole_or_nothing(ledger: Ledger) -> None:
    ledger.commit(Batch(orders=[ORDER], trades=[TRADE]))
    later = msgspec.structs.replace(ORDER, broker_id="P2", tag="TAG2")
    with pytest.raises(LedgerBroken, match="cannot be written"):
        ledger.commit(Batch(orders=[later], trades=[TRADE]))
    assert ledger.orders_of(DAY) == [ORDER]
    assert "UNIQUE" in ledger.fault
    ledger.commit(Batch(orders=[later]))
    assert ledger.fault == ""


def test_two_orders_cannot_have_one_tag_but_the_brokers_own_have_none(ledger: Ledger) -> None:
    ledger.commit(Batch(orders=[ORDER]))
    with pytest.raises(LedgerBroken):
        ledger.commit(Batch(orders=[msgspec.structs.replace(ORDER, broker_id="P2")]))
    own = [msgspec.structs.replace(ORDER, broker_id=f"Q{number}", tag="") for number in range(2)]
    ledger.commit(Batch(orders=own))
    assert ledger.knows_tag("TAG1")
    assert not ledger.knows_tag("TAG2")


def test_the_file_is_synchronous_and_write_ahead(ledger: Ledger) -> None:
    db = ledger._db
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_working_orders_of_earlier_days_are_still_read(ledger: Ledger) -> None:
    ledger.commit(Batch(orders=[ORDER]))
    tomorrow = DAY + timedelta(days=1)
    assert ledger.orders_of(tomorrow) == [ORDER]
    ledger.commit(Batch(orders=[msgspec.structs.replace(ORDER, status=OrderStatus.EXPIRED)]))
    assert ledger.orders_of(tomorrow) == []


class TestAFileThatCannotServe:
    def test_not_a_database(self, tmp_path: Path) -> None:
        path = tmp_path / "paper.db"
        path.write_text("these are not the bytes of a database, whatever the name says" * 20)
        with pytest.raises(Refusal) as refused:
            Ledger(path, "PAPER1")
        assert refused.value.code == "PAPER_LEDGER"
        assert str(path) in refused.value.text

    def test_a_newer_format(self, tmp_path: Path) -> None:
        path = tmp_path / "paper.db"
        Ledger(path, "PAPER1").close()
        with sqlite3.connect(path) as db:
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
        with pytest.raises(Refusal, match="format 2"):
            Ledger(path, "PAPER1")

    def test_another_accounts(self, tmp_path: Path) -> None:
        path = tmp_path / "paper.db"
        Ledger(path, "PAPER1").close()
        with pytest.raises(Refusal, match="belongs to account 'PAPER1'"):
            Ledger(path, "PAPER2")

    def test_a_folder_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "paper.db").mkdir()
        with pytest.raises(Refusal) as refused:
            Ledger(tmp_path / "paper.db", "PAPER1")
        assert refused.value.code == "PAPER_LEDGER"


async def test_changed_capital_is_one_more_movement(stage: Stage, tmp_path: Path) -> None:
    await stage.broker.close()
    richer = msgspec.structs.replace(stage.broker.account, capital=2 * CAPITAL)
    for _ in range(2):
        again = await open_stage(tmp_path, clock=stage.clock, account=richer)
        again.show(INDEX, ltp=25_000_00, booked=False)
        assert (await again.broker.funds()).cash == 2 * CAPITAL
        await again.broker.close()
