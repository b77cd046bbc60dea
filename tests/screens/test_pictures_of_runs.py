"""What baskets and the builder look like: the tree with a run under way, and the form beside its file with a fault."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.screens.opening import opened, settled
from tests.screens.running import running_link
from tests.screens.stage import stage_app


@pytest.mark.parametrize("keys", [["down", "down"], ["e", *["down"] * 12, "2", "x"]], ids=["baskets", "builder"])
def test_automation(keys: list[str], snap_compare) -> None:  # type: ignore[no-untyped-def]
    async def stand(pilot: Pilot[int]) -> None:
        await opened(pilot)
        await settled(pilot, 0.4)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
        await settled(pilot, 0.2)

    assert snap_compare(stage_app(running_link(), "baskets"), terminal_size=(120, 36), run_before=stand)
