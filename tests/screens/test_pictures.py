"""What the ticket, orders, journal, health and help look like at the three sizes the console is made for."""

from __future__ import annotations

from datetime import datetime

import pytest
from textual.pilot import Pilot

from optconsole.engine import events as ev
from optconsole.engine.model.orders import OrderType, Side
from optconsole.engine.model.protection import Guard
from optconsole.screens import health
from optconsole.screens.ticket import TicketScreen
from tests.screens.opening import opened, settled
from tests.screens.stage import NOON, StageLink, name, placed, stage_app, straddle_day
from tests.screens.test_doubt import doubtful
from tests.screens.test_health import with_letters
from tests.screens.test_risk import limited
from tests.screens.test_stop import KEY, guarded

SIZES = [(80, 24), (120, 36), (200, 50)]
SCREENS = {
    "ticket": ("orders", ["s"]),
    "orders": ("orders", []),
    "journal": ("journal", []),
    "health": ("health", []),
    "help": ("orders", ["question_mark"]),
}


class StandingClock:
    """A wall clock that stands."""

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return 0.0

    def stepped(self) -> float:
        return 0.0


def eventful() -> StageLink:
    """A day on which most things that an order can meet have happened."""
    link = StageLink(straddle_day())
    call, put = name(24600, "CE"), name(24400, "PE")
    facts = [
        *placed(7, call, Side.BUY, 3, 12_800, fill=False, kind=OrderType.SL, trigger=12_660),
        *placed(8, put, Side.BUY, 2, 8_500, fill=False)[:2],
        ev.OrderDoubted(order_id="O8", cause="no answer within 8 s"),
        *placed(9, put, Side.SELL, 1, 9_100, fill=False)[:2],
        ev.OrderRejected(order_id="O9", code="RMS", reason="[b]Margin[/] exceeds, required 1,20,000.00"),
        *placed(10, call, Side.SELL, 1, 11_000, fill=False),
        ev.OrderCancelled(order_id="O10", reason="cancelled by you"),
        ev.NoticeRaised(level="warning", code="FEED_SLOW", text="The feed was silent for 6 s."),
        ev.NoticeRaised(level="alarm", code="UNKNOWN_ORDER", text="What became of O8 is not known.", subject="O8"),
    ]
    for fact in facts:
        link.happen(fact)
    return link


def guarded_day() -> StageLink:
    """A straddle of which one side has a stop that works."""
    return StageLink([*straddle_day(), guarded(target=9_000), ev.ProtectionMoved(key=KEY, state=Guard.WORKING)])


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("which", sorted(SCREENS))
def test_picture(which: str, size: tuple[int, int], snap_compare, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(health, "WallClock", StandingClock)
    monkeypatch.setattr(health, "memory", lambda: 48_000_000)
    screen, keys = SCREENS[which]

    async def stand(pilot: Pilot[int]) -> None:
        await opened(pilot)
        await settled(pilot, 0.4)
        await pilot.press(*keys)
        await settled(pilot, 0.4)
        for _ in range(100):
            ticket = pilot.app.screen
            if not isinstance(ticket, TicketScreen) or (ticket.face().fresh and ticket.face().quote):
                break
            await pilot.pause(0.05)
        await settled(pilot)

    assert snap_compare(stage_app(eventful(), screen), terminal_size=size, run_before=stand)


@pytest.mark.parametrize(
    ("make", "screen", "keys", "size"),
    [
        (doubtful, "orders", ["u"], (80, 24)),
        (doubtful, "orders", ["u"], (120, 36)),
        (guarded_day, "positions", ["end", "up", "up", "p"], (120, 36)),
        (limited, "risk", ["down"], (120, 36)),
        (with_letters, "health", [], (80, 24)),
    ],
    ids=["doubt-80x24", "doubt-120x36", "stop", "risk", "letters"],
)
def test_trouble(  # type: ignore[no-untyped-def]
    make, screen: str, keys: list[str], size: tuple[int, int], snap_compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "WallClock", StandingClock)
    monkeypatch.setattr(health, "memory", lambda: 48_000_000)

    async def stand(pilot: Pilot[int]) -> None:
        await opened(pilot)
        await settled(pilot, 0.4)
        for key in keys:
            await pilot.press(key)
            await settled(pilot, 0.2)

    assert snap_compare(stage_app(make(), screen), terminal_size=size, run_before=stand)
