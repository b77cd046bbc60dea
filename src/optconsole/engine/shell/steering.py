"""Steering a replay: time is the world's, not the book's, so it leaves no fact."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from optconsole.engine.commands import Reply, SteerReplay
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import time_of_day
from optconsole.engine.ports import Playback
from optconsole.engine.trading.decision import Decision


def steer(
    command: SteerReplay,
    playback: Playback | None,
    now: datetime,
    spawn: Callable[[Coroutine[Any, Any, Any], str], None],
) -> Decision:
    """Hold, run or play to a moment. Raises Refusal."""
    if playback is None:
        raise Refusal("NOT_PLAYED", "This market is not played; time cannot be steered.")
    decision = Decision(command.actor, command.id)
    match command.action:
        case "pause":
            playback.pause()
            decision.reply = Reply(ok=True, text="Held.")
        case "resume":
            playback.resume(command.speed)
            decision.reply = Reply(ok=True, text="Running.")
        case "to":
            moment = _moment(command.until, now)
            if command.speed is not None:
                playback.resume(command.speed)
            spawn(playback.run_to(moment), "run-to")
            decision.reply = Reply(ok=True, text=f"Playing to {moment:%H:%M:%S}.")
        case _:
            raise Refusal("BAD_ACTION", f"{command.action!r} is not pause, resume or to.")
    return decision


def _moment(text: str | None, now: datetime) -> datetime:
    moment = time_of_day(now, text or "")
    if moment < now:
        raise Refusal("TIME_PASSED", f"{text} is past; market time is {now:%H:%M:%S}.")
    return moment
