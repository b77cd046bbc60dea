"""The engine's one task, on virtual time over the simulation's exchange."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.commands import Flatten
from optconsole.engine.events import Recorded
from optconsole.engine.model.orders import Role, Side
from optconsole.engine.ports import JournalBroken
from tests.faults.line import Line, scene
from tests.simulation.script import Scene


def test_a_store_that_fails_after_a_command_was_carried_out_takes_nothing_of_its_answer_back() -> None:
    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 1)
        life = stage.simulation.life
        assert life is not None
        append = life.journal.append

        async def no_exits(facts: list[Recorded]) -> None:
            if any(isinstance(fact.event, ev.OrderIntended) and fact.event.role is Role.EXIT for fact in facts):
                raise JournalBroken("STORE_DOWN", "The disk is full.", passing=True)
            await append(facts)

        life.journal.append = no_exits  # type: ignore[assignment, method-assign]
        command = Flatten(id="f", actor="key:t")
        first = await line.engine.submit(command)
        assert first.ok
        await line.wait(2)
        assert line.held()
        assert line.engine.state.flattening, "the step after the command could not be stored"
        assert await line.engine.submit(command) == first
        life.journal.append = append  # type: ignore[method-assign]
        await line.wait(3)
        assert line.held() == line.at_exchange() == {}

    scene(script)
