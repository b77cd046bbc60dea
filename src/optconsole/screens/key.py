"""One key of the console, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One binding. ``order`` marks keys that may trade.

    ``context`` is ``app`` (everywhere, dialogs too), ``global`` (every screen), ``trade``, ``grid`` or a screen's name.
    """

    id: str
    keys: str
    action: str
    description: str
    tooltip: str
    context: str = "global"
    footer: bool = True
    priority: bool = False
    order: bool = False
