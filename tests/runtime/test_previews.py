"""Previews by a whole engine on the practice market, its broker asked beside our own reckoning."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import queries as q
from optconsole.engine.model.baskets import Allocation, Basket
from optconsole.engine.strategies.templates import from_template
from tests.runtime.conftest import Open

pytestmark = pytest.mark.parametrize("home", ["sqlite"], indirect=True)


async def test_our_margin_is_what_the_practice_broker_asks(opened: Open) -> None:
    engine = (await opened(seed=7)).engine
    before = engine.state.seq
    for structure in ("iron condor", "short straddle", "bull call spread"):
        basket = Basket(
            name="b", strategies=(from_template(structure, "NIFTY", 2),), allocations=(Allocation(account="paper"),)
        )
        answer = await engine.query(q.PreviewBasket(written=basket))
        assert isinstance(answer, q.BasketPreview), answer
        (margin,), (view,) = answer.margins, answer.strategies
        assert margin.broker is not None
        assert (margin.after or 0) + (margin.premium or 0) == pytest.approx(margin.broker, rel=0.01)
        assert margin.free == 1_000_000_00
        assert view.picture is not None
        assert view.shares[0].worst is not None
    assert engine.state.seq == before  # asked, not traded


async def test_what_cannot_be_looked_at_is_refused_in_a_sentence(opened: Open) -> None:
    engine = (await opened(seed=7)).engine
    basket = Basket(name="b", strategies=(from_template("iron condor", "NIFTY", 1),))
    asked = {
        "NO_SUCH_BASKET": q.PreviewBasket(name="nothing"),
        "NO_SUCH_STRATEGY": q.PreviewBasket(written=basket, strategy="nothing"),
        "NO_SUCH_RUN": q.PreviewRun(run_id="R9"),
    }
    for code, query in asked.items():
        answer = await engine.query(query)
        assert isinstance(answer, q.Refused)
        assert (answer.code, answer.text[-1]) == (code, ".")


async def test_an_answer_travels_the_wire_whole(opened: Open) -> None:
    engine = (await opened(seed=7)).engine
    basket = Basket(name="b", strategies=(from_template("call calendar", "NIFTY", 1),))
    answer = await engine.query(q.PreviewBasket(written=basket))
    assert isinstance(answer, q.BasketPreview)
    assert msgspec.json.decode(msgspec.json.encode(answer), type=q.AnyAnswer) == answer
    picture = answer.strategies[0].picture
    assert picture is not None
    assert (picture.endless_loss, picture.endless_profit) == (False, False)
    assert len(picture.break_evens) == 2


async def test_one_strategy_of_a_basket_can_be_looked_at_alone(opened: Open) -> None:
    engine = (await opened(seed=7)).engine
    both = tuple(from_template(name, "NIFTY", 1) for name in ("iron condor", "short straddle"))
    answer = await engine.query(q.PreviewBasket(written=Basket(name="b", strategies=both), strategy="short straddle"))
    assert isinstance(answer, q.BasketPreview)
    assert [view.name for view in answer.strategies] == ["short straddle"]
