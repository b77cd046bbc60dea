"""The lines between the engine and the process of a strategy: one JSON document each, the same way back."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from optconsole.engine.model.plugins import (
    AnyAction,
    Param,
    ParamFault,
    PluginCard,
    PluginFault,
    Verdict,
    View,
)

LONGEST: Final = 262_144
"""Bytes of one line."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a process: what its source holds, or why it could not be loaded."""

    cards: tuple[PluginCard, ...] = ()
    fault: str = ""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One question. ``view`` is None where only the parameters are checked."""

    number: int
    plugin: str
    params: dict[str, Param]
    memory: str = "{}"
    entry: bool = False
    view: View | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to the question of that number."""

    number: int
    fault: PluginFault | None = None
    faults: tuple[ParamFault, ...] = ()
    verdict: Verdict = Verdict.ENTER
    why: str = ""
    legs: tuple[dict[str, Any], ...] = ()
    actions: tuple[AnyAction, ...] = ()
    memory: str = "{}"
    every: int = 60


def line(thing: Hello | Call | Reply) -> bytes:
    """A document as its line."""
    return msgspec.json.encode(thing) + b"\n"
