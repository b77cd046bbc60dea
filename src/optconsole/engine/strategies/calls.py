"""The lines between the engine and the process of a strategy: one JSON document each, the same way back."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from optconsole.engine.model.plugins import (
    AnyAction,
    AskKind,
    Param,
    ParamFault,
    PluginCard,
    PluginFault,
    StrategyAnswer,
    StrategyRequest,
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


def call_of(request: StrategyRequest) -> Call:
    """The question of a request, before it has a number. A warm call only checks the parameters."""
    call = Call(number=0, plugin=request.plugin, params=request.params)
    if request.kind is AskKind.WARM:
        return call
    return msgspec.structs.replace(call, memory=request.memory, view=request.view, entry=request.kind is AskKind.ENTRY)


def answer_of(request: StrategyRequest, reply: Reply | PluginFault) -> StrategyAnswer:
    """What a request is answered, by the strategy or for it."""
    fault = reply if isinstance(reply, PluginFault) else reply.fault
    if isinstance(reply, PluginFault) or fault is not None:
        return StrategyAnswer(run_id=request.run_id, kind=request.kind, fault=fault)
    return StrategyAnswer(
        run_id=request.run_id,
        kind=request.kind,
        verdict=reply.verdict,
        why=reply.why,
        legs=reply.legs,
        actions=reply.actions,
        memory=reply.memory,
        every=min(max(reply.every, 1), 3600),
    )
