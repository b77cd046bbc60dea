"""B18: whatever a broker is asked, a silent one holds nothing up. Its calls never end, on virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from optconsole.engine import queries as q
from optconsole.engine.model.orders import Side
from optconsole.engine.reading import MARGIN_DEADLINE
from optconsole.engine.shell.agreement import CONNECT_DEADLINE
from optconsole.engine.watching import FUNDS_DEADLINE, READ_DEADLINE
from tests.engine.facts import terms
from tests.faults.line import Line, scene
from tests.simulation.broker import SimBroker
from tests.simulation.market import LOT
from tests.simulation.script import CALL, Scene


async def never(*_asked: Any) -> Any:
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("verb", ["connect", "settlements", "orders"])
def test_a_start_whose_book_cannot_be_read_guards_what_it_has_and_enters_nothing_until_it_can(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(stage: Scene) -> None:
        await stage.simulation.bury(crash=True)
        with monkeypatch.context() as silent:
            silent.setattr(SimBroker, verb, never)
            assert await stage.simulation._start()
            assert notices(stage) == ["NOT_AGREED"]
            if verb == "orders":
                await stage.show(100_00, 9)
                refused = await stage.place(Side.BUY, 1)
                assert refused.code == "BOOK_UNSEEN"
        await asyncio.sleep(READ_DEADLINE * 5)
        assert notices(stage) == ["NOT_AGREED", "AGREED"]
        await stage.show(100_00, 9)
        assert (await stage.place(Side.BUY, 1)).ok

    scene(script)


def notices(stage: Scene) -> list[str]:
    life = stage.simulation.life
    assert life is not None
    return [each.code for each in life.engine.state.notices if each.code in ("NOT_AGREED", "AGREED")]


@pytest.mark.parametrize(
    ("verb", "query", "seconds"),
    [
        ("funds", q.GetFunds(account="SIM1"), FUNDS_DEADLINE),
        ("funds", None, MARGIN_DEADLINE),
        ("margin", None, MARGIN_DEADLINE),
    ],
)
def test_a_question_of_money_is_refused_in_time(verb: str, query: q.AnyQuery | None, seconds: float) -> None:
    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        wanted = terms(Side.BUY, LOT, 100_00, contract=CALL)
        asked = query or q.PreviewOrder(terms=msgspec.structs.replace(wanted, account="SIM1"))
        setattr(line.broker, verb, never)
        began = stage.simulation.loop.time()
        answer = await line.engine.query(asked)
        assert isinstance(answer, q.Refused)
        assert (answer.code, answer.text) == ("BROKER_UNREACHABLE", f"no answer within {seconds:.0f} s")
        assert stage.simulation.loop.time() - began <= seconds + 0.1

    scene(script)


def test_a_broker_that_does_not_let_go_does_not_keep_the_engine_from_stopping() -> None:
    async def script(stage: Scene) -> None:
        line = Line(stage)
        line.broker.close = never
        began = stage.simulation.loop.time()
        await line.engine.stop("test")
        assert stage.simulation.loop.time() - began <= CONNECT_DEADLINE + 1

    scene(script)
