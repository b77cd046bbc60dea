"""What a trader's own strategy is written against: a class, its parameters, and two questions it answers.

The class runs in a process of its own. It sees a view, changes its memory, and answers with wishes; it never sends an
order. docs/strategies.md shows how.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from pydantic import BaseModel, ConfigDict

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.plugins import (
    AnyAction,
    EnterLeg,
    ExitAll,
    ExitLeg,
    LegView,
    MoveStop,
    Note,
    QuoteView,
    View,
)

__all__ = [
    "EnterLeg",
    "Entry",
    "ExitAll",
    "ExitLeg",
    "LegView",
    "Legs",
    "Memory",
    "MoveStop",
    "Note",
    "Parameters",
    "Plugin",
    "QuoteView",
    "Right",
    "Skip",
    "View",
    "Wait",
]

Memory = dict[str, Any]
"""The strategy's own notes as JSON: kept in the journal, so that a restart hands back what was there."""


class Parameters(BaseModel):
    """Base of a strategy's parameters: whole numbers, numbers, words or yes and no, each with what it means."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Legs(msgspec.Struct, frozen=True):
    """Enter with these legs, written as in a basket's file; with none, with the legs that the file has."""

    legs: Sequence[Mapping[str, Any]] = ()
    why: str = ""


class Wait(msgspec.Struct, frozen=True):
    """Not yet: ask again after the next stretch of seconds, while the entry may still be made."""

    why: str = ""


class Skip(msgspec.Struct, frozen=True):
    """Not today."""

    why: str = ""


Entry = Legs | Wait | Skip


class Plugin:
    """Base of registered strategies. One object lives for one call: what is to last goes into the memory.

    ``name`` is how a basket names it, ``every`` the seconds between two looks, ``Params`` its parameters.
    """

    name: ClassVar[str] = ""
    every: ClassVar[int] = 60
    Params: ClassVar[type[BaseModel]] = Parameters

    def __init__(self, params: Any) -> None:
        self.params = params

    def entry(self, view: View, memory: Memory) -> Entry:
        """Asked at the entry time."""
        return Legs()

    def look(self, view: View, memory: Memory) -> Iterable[AnyAction]:
        """Asked every so many seconds while the run is on."""
        return ()
