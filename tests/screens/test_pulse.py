"""One beat feeds what is visible, once; what is hidden costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from optconsole.engine.model.orders import Side
from optconsole.link.protocol import LinkLost
from optconsole.screens.mirror import Mirror
from optconsole.screens.pulse import Pulse, beat_rate
from optconsole.screens.terminal import is_remote
from tests.screens.stage import StageLink, name, placed

CALL, PUT, OTHER = name(24500, "CE"), name(24500, "PE"), name(24600, "CE")


class Watcher:
    def __init__(self, *names: str) -> None:
        self.names = set(names)
        self.beats: list[set[str]] = []

    def quote_names(self) -> Iterable[str]:
        return self.names

    def on_pulse(self, changed: set[str]) -> None:
        self.beats.append(changed)


async def running(link: StageLink) -> tuple[Pulse, asyncio.Task[None]]:
    mirror = Mirror(link)
    await mirror.resync()
    pulse = Pulse(mirror, 10.0, lambda: 1.0)
    task = asyncio.create_task(pulse.drain())
    await settle()
    return pulse, task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_quotes_between_two_beats_are_one_delivery() -> None:
    link = StageLink()
    pulse, task = await running(link)
    view = Watcher(CALL, PUT)
    pulse.attach(view)
    await settle()
    pulse.beat()
    view.beats.clear()
    for _ in range(50):
        link.nudge(CALL)
    link.nudge(PUT)
    await settle()
    pulse.beat()
    assert view.beats == [{CALL, PUT}]
    task.cancel()


async def test_without_a_fresh_beat_nobody_is_called() -> None:
    link = StageLink()
    pulse, task = await running(link)
    view = Watcher(CALL)
    pulse.attach(view)
    await settle()
    pulse.beat()
    count = len(view.beats)
    pulse.beat()
    pulse.beat()
    assert len(view.beats) == count
    task.cancel()


async def test_a_hidden_view_is_neither_fed_nor_watched_for() -> None:
    link = StageLink()
    pulse, task = await running(link)
    shown, hidden = Watcher(CALL), Watcher(PUT)
    pulse.attach(shown)
    pulse.attach(hidden)
    assert set(pulse.watched) == {CALL, PUT}
    pulse.detach(hidden)
    await settle()
    assert link.taps[0].watched == (CALL,)
    link.nudge(CALL)
    await settle()
    pulse.beat()
    assert hidden.beats == []
    assert shown.beats
    task.cancel()


async def test_what_is_held_is_watched_whatever_is_visible() -> None:
    link = StageLink(placed(1, OTHER, Side.SELL, 1, 5_000))
    pulse, task = await running(link)
    pulse.always = ("NIFTY",)
    pulse.rewatch()
    assert set(pulse.watched) == {OTHER, "NIFTY"}
    task.cancel()


async def test_a_view_whose_names_change_is_watched_anew() -> None:
    link = StageLink()
    pulse, task = await running(link)
    view = Watcher(CALL)
    pulse.attach(view)
    view.names = {PUT}
    pulse.rewatch()
    await settle()
    assert link.taps[0].watched == (PUT,)
    task.cancel()


async def test_a_lost_link_is_raised_to_the_owner() -> None:
    link = StageLink()
    _, task = await running(link)
    link.drop()
    with pytest.raises(LinkLost):
        await task


@pytest.mark.parametrize(
    ("environ", "chosen", "rate"),
    [
        ({}, None, 10.0),
        ({"SSH_CONNECTION": "a b"}, None, 4.0),
        ({"SSH_TTY": "/dev/pts/1"}, None, 4.0),
        ({}, 99.0, 20.0),
        ({}, 0.1, 1.0),
    ],
)
def test_the_rate_is_slower_over_a_network(environ: dict[str, str], chosen: float | None, rate: float) -> None:
    assert beat_rate(environ, chosen) == rate
    assert is_remote(environ) == bool(environ)
