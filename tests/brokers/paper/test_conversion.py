"""A position can be carried under another product, at what it cost, and never more of it than is held."""

from __future__ import annotations

from pathlib import Path

import pytest

from optconsole.engine.model.orders import Product, Side
from optconsole.engine.ports import Accepted, Rejected
from tests.brokers.paper.stage import CALL, LOT, open_stage


async def test_a_part_moves_and_the_money_stays(tmp_path: Path) -> None:
    stage = await open_stage(tmp_path)
    stage.show(CALL, bid=(99_95, 650), ask=(100_00, 650), ltp=100_00)
    await stage.place(stage.request(Side.BUY, 3 * LOT, 100_00, product=Product.MIS))
    cash = await stage.cash()
    assert isinstance(await stage.broker.convert(CALL.name, Product.MIS, Product.NRML, LOT), Accepted)
    held = {row.product: row.qty for row in await stage.broker.positions()}
    assert held == {Product.MIS: 2 * LOT, Product.NRML: LOT}
    assert await stage.cash() == cash
    await stage.broker.close()


@pytest.mark.parametrize("qty", [0, -LOT, 2 * LOT])
async def test_what_is_not_held_cannot_be_carried(tmp_path: Path, qty: int) -> None:
    stage = await open_stage(tmp_path)
    stage.show(CALL, bid=(99_95, 650), ask=(100_00, 650), ltp=100_00)
    await stage.place(stage.request(Side.BUY, LOT, 100_00, product=Product.MIS))
    outcome = await stage.broker.convert(CALL.name, Product.MIS, Product.NRML, qty)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "NOT_HELD"
    await stage.broker.close()
