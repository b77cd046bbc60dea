"""AD-1, P07: an observer gives no command, an operator loosens nothing, and whatever restrains is everybody's."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.access import Access
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import Level, Limit, LimitKind, Standing
from optconsole.engine.rules.access import require_access
from tests.engine.facts import Story, terms

KNOWN = Limit(level=Level.GLOBAL, kind=LimitKind.OPEN_LOTS, value=10)
BASE = {"id": "x", "actor": "test"}
ORDER = cmd.PlaceOrder(**BASE, terms=terms())


def story() -> Story:
    held = Story().tell(ev.LimitSet(limit=KNOWN))
    return held.tell(ev.TradingStateChanged(level=Level.GLOBAL, name="", standing=Standing.REDUCING, why="test"))


def limit(value: int) -> cmd.SetLimit:
    return cmd.SetLimit(**BASE, limit=msgspec.structs.replace(KNOWN, value=value))


def state(standing: Standing) -> cmd.SetTradingState:
    return cmd.SetTradingState(**BASE, level=Level.GLOBAL, standing=standing)


LOOSER = [
    limit(11),
    cmd.RemoveLimit(**BASE, level=Level.GLOBAL, kind=LimitKind.OPEN_LOTS),
    state(Standing.ACTIVE),
    cmd.ReleaseKill(**BASE, typed="UNLOCK"),
]
TIGHTER = [
    ORDER,
    limit(9),
    cmd.SetLimit(**BASE, limit=msgspec.structs.replace(KNOWN, kind=LimitKind.OPEN_LEGS)),
    state(Standing.HALTED),
    cmd.EngageKill(**BASE),
    cmd.Flatten(**BASE),
    cmd.AcknowledgeNotices(**BASE, upto=3),
]


def code(command: cmd.Command, access: Access) -> str:
    try:
        require_access(story().state, msgspec.structs.replace(command, access=access))
    except Refusal as refused:
        return refused.code
    return ""


@pytest.mark.parametrize("command", [*LOOSER, *TIGHTER], ids=lambda each: type(each).__name__)
def test_an_observer_gives_no_command_and_an_admin_gives_each(command: cmd.Command) -> None:
    assert code(command, Access.OBSERVER) == "OBSERVER"
    assert code(command, Access.ADMIN) == ""


def test_an_operator_trades_and_restrains_and_loosens_nothing() -> None:
    assert {code(command, Access.OPERATOR) for command in LOOSER} == {"ADMIN_NEEDED"}
    assert {code(command, Access.OPERATOR) for command in TIGHTER} == {""}
