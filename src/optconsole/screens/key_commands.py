"""Every binding by name, for the palette: what can be pressed can be found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from textual.app import SystemCommand
from textual.screen import Screen

from optconsole.screens.base import ConsoleScreen
from optconsole.screens.keys import KEYS


class Actor(Protocol):
    """What can run an action by name: the app or a screen."""

    async def run_action(self, action: str) -> object: ...


def key_commands(app: Actor, screen: Screen[object]) -> Iterable[SystemCommand]:
    """One command for each binding that does something on ``screen`` now; none on a dialog."""
    if not isinstance(screen, ConsoleScreen):
        return
    keymap = screen.deck.keymap
    offered = {key.id for key in screen.offered()}
    for key in KEYS:
        if key.id == "palette" or not (key.context in ("app", "global") or key.id in offered):
            continue
        owner: Actor = app if key.context == "app" else screen.actor_of(key)
        yield SystemCommand(key.description, f"{key.tooltip}  ({keymap.shown(key)})", _runner(owner, key.action))


def _runner(owner: Actor, action: str) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await owner.run_action(action)

    return run
