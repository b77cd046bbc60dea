"""The process that a source of strategies lives in: ``python -m optconsole.engine.strategies.worker SOURCE ORIGIN MB``.

It has limits of its own besides those that the engine watches, so that it ends even when nobody is left to end it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from pydantic import ValidationError

from optconsole.engine.model.plugins import (
    MOST_ACTIONS,
    MOST_MEMORY,
    AnyAction,
    PluginFault,
    Verdict,
)
from optconsole.engine.strategies.calls import Call, Hello, Reply, line
from optconsole.engine.strategies.forms import param_faults
from optconsole.engine.strategies.plugin import Legs, Plugin, Skip, Wait
from optconsole.engine.strategies.registry import card, load, name_of

LIFE: Final = 30
"""Seconds after which one call ends the process, whatever the engine does."""
CPU: Final = 5
"""Seconds of work that one call may take."""


class BadAnswer(Exception):
    """An answer of a shape that is none."""


def main(argv: Sequence[str]) -> None:
    """Load the source, say hello, then answer until the pipe is closed."""
    source, origin, megabytes = argv
    _limit(int(megabytes))
    _begin()
    try:
        kinds = {name_of(each): each for each in reversed(load(source))}
        cards = tuple(card(each, origin) for each in reversed(kinds.values()))
        hello = Hello(cards=cards)
    except Exception as error:
        kinds, hello = {}, Hello(fault=_words(error))
    _end()
    _say(line(hello))
    for given in sys.stdin.buffer:
        call = msgspec.json.decode(given, type=Call)
        _begin()
        reply = reply_to(kinds, call)
        _end()
        _say(line(reply))


def _say(words: bytes) -> None:
    sys.stdout.flush()  # what the strategy printed comes first, and is seen for what it is
    sys.stdout.buffer.write(words)
    sys.stdout.buffer.flush()


def _limit(megabytes: int) -> None:
    """No more memory than this, no files written, no core left behind, few files open."""
    most = megabytes * 1_000_000
    for what, limit in (
        (resource.RLIMIT_AS, most),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(what, (limit, limit))


def _begin() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU, hard))
    signal.alarm(LIFE)


def _end() -> None:
    signal.alarm(0)


def reply_to(kinds: Mapping[str, type[Plugin]], call: Call) -> Reply:
    """What the strategy of that name says. What it raises becomes a fault."""
    kind = kinds.get(call.plugin)
    if kind is None:
        return _failed(call, "NOT_REGISTERED", "its source does not hold it any more")
    try:
        params = kind.Params.model_validate(call.params)
    except ValidationError as error:
        faults = param_faults(error)
        text = "; ".join(f"{each.field}: {each.text}" for each in faults)
        return Reply(number=call.number, faults=faults, fault=PluginFault("BAD_PARAMS", text))
    if call.view is None:
        return Reply(number=call.number, every=kind.every)
    try:
        return _asked(kind(params), kind.every, call)
    except MemoryError:
        return _failed(call, "OUT_OF_MEMORY", "it asked for more memory than it may have")
    except BadAnswer as bad:
        return _failed(call, "GARBAGE", str(bad))
    except Exception as error:
        return _failed(call, "RAISED", _words(error))


def _asked(plugin: Plugin, every: int, call: Call) -> Reply:
    assert call.view is not None
    memory = json.loads(call.memory)
    if not call.entry:
        actions = _actions(plugin.look(call.view, memory))
        return Reply(number=call.number, actions=actions, memory=_kept(memory), every=every)
    said = plugin.entry(call.view, memory)
    if not isinstance(said, Legs | Wait | Skip):
        raise BadAnswer(f"entry answered {type(said).__name__}; it answers Legs, Wait or Skip")
    verdict = {Legs: Verdict.ENTER, Wait: Verdict.WAIT, Skip: Verdict.SKIP}[type(said)]
    legs = tuple(_table(each) for each in said.legs) if isinstance(said, Legs) else ()
    return Reply(number=call.number, verdict=verdict, why=str(said.why), legs=legs, memory=_kept(memory), every=every)


def _table(given: object) -> dict[str, object]:
    try:
        table = json.loads(json.dumps(given, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise BadAnswer(f"a leg cannot be written as JSON: {error}") from None
    if not isinstance(table, dict):
        raise BadAnswer(f"a leg is a table of its fields, not {type(given).__name__}")
    return table


def _actions(given: object) -> tuple[AnyAction, ...]:
    if not hasattr(given, "__iter__") or isinstance(given, str | bytes | dict):
        raise BadAnswer(f"look answered {type(given).__name__}; it answers a list of actions")
    actions: list[AnyAction] = []
    for each in given:
        if not isinstance(each, AnyAction):
            raise BadAnswer(f"look answered {type(each).__name__} among its actions")
        if len(actions) == MOST_ACTIONS:
            raise BadAnswer(f"look answered more than {MOST_ACTIONS} actions")
        try:  # a class built in Python is not checked by itself
            actions.append(msgspec.convert(msgspec.to_builtins(each), AnyAction))
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            raise BadAnswer(f"{type(each).__name__}: {error}") from None
    return tuple(actions)


def _kept(memory: object) -> str:
    try:
        text = json.dumps(memory, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise BadAnswer(f"its memory cannot be written as JSON: {error}") from None
    if len(text) > MOST_MEMORY or not isinstance(memory, dict):
        raise BadAnswer(f"its memory is a table of at most {MOST_MEMORY} characters of JSON")
    return text


def _failed(call: Call, code: str, text: str) -> Reply:
    return Reply(number=call.number, fault=PluginFault(code, text))


def _words(error: Exception) -> str:
    """What was raised, and where in the strategy's own file."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)} line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}"[:300] + where


if __name__ == "__main__":
    main(sys.argv[1:])
