"""What is different between two versions of a basket, in words."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.baskets import Allocation
from optconsole.engine.strategies.differences import differences
from tests.engine.strategies.bundle_stage import TEXT, basket


def changed(old: str, new: str) -> tuple[str, ...]:
    assert old in TEXT
    return differences(basket(), basket(TEXT.replace(old, new)))


def test_the_same_basket_has_none_and_accounts_do_not_count() -> None:
    mine = msgspec.structs.replace(basket(), allocations=(Allocation(account="paper"),))
    assert differences(mine, basket()) == ()


def test_fields_are_told_with_both_values() -> None:
    assert changed("15:15", "15:10") == ("strategy morning, exit: 15:15 → 15:10",)
    assert changed('stop = "25%"', 'stop = "30%"') == (
        "strategy morning, leg ce, stop: 25% → 30%",
        "strategy morning, leg pe, stop: 25% → 30%",
    )
    assert differences(basket(), basket(more='move_to_cost = "all"')) == (
        "strategy morning, move_to_cost: not set → all",
    )
    assert differences(basket(more='weekdays = ["mon", "tue"]'), basket()) == (
        "strategy morning, weekdays: mon, tue → not set",
    )


def test_legs_and_strategies_that_come_and_go_are_told() -> None:
    assert changed('id = "pe"', 'id = "put"') == (
        "strategy morning, leg pe is gone: side sell, right PE, stop 25%",
        "strategy morning, leg put is new: side sell, right PE, stop 25%",
    )
    assert changed('"morning"', '"evening"') == (
        "strategy morning is gone",
        "strategy evening is new: NIFTY, 2 legs, 09:20:00 to 15:15:00",
    )
