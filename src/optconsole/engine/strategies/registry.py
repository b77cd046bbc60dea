"""Where registered strategies come from: the built-in ones, installed packages, and files in a folder.

Listing the sources runs no code of theirs; ``load`` does, and is called in a process of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from stat import S_IWOTH
from typing import Final

import msgspec

from optconsole.engine.model.plugins import FormField, PluginCard
from optconsole.engine.model.text import display
from optconsole.engine.strategies.forms import NoForm, form_fields
from optconsole.engine.strategies.plugin import Plugin

GROUP: Final = "optconsole.strategies"
BUILT_IN: Final = "optconsole.engine.strategies.builtin"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
MOST_SECONDS: Final = 3600


class SourceKind(StrEnum):
    """What a source is."""

    BUILT_IN = "built-in"
    PACKAGE = "package"
    FILE = "file"


class Source(msgspec.Struct, frozen=True):
    """One place that strategies come from. ``stamp`` changes when the place does; ``fault`` bars it."""

    kind: SourceKind
    value: str
    origin: str
    stamp: str = ""
    fault: str = ""

    def argument(self) -> str:
        """The source as one word of a command line."""
        return f"{self.kind.value}:{self.value}"


def sources(folder: Path | None) -> list[Source]:
    """All sources, the built-in one first. A folder that is not there holds none."""
    found = [Source(SourceKind.BUILT_IN, BUILT_IN, "built in")]
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        package = "a package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
        found.append(Source(SourceKind.PACKAGE, point.name, package))
    files = sorted(folder.glob("[!._]*.py")) if folder is not None and folder.is_dir() else ()
    return [*found, *(_file(path) for path in files)]


def _file(path: Path) -> Source:
    try:
        seen, around = path.stat(), path.parent.stat()
    except OSError as failed:
        return Source(SourceKind.FILE, str(path), path.name, fault=f"it cannot be read: {failed.strerror}")
    stamp = f"{seen.st_mtime_ns}.{seen.st_size}.{seen.st_ino}"
    open_to_all = (seen.st_mode | around.st_mode) & S_IWOTH
    fault = "anybody may write to it; take that right away (chmod o-w)" if open_to_all else ""
    return Source(SourceKind.FILE, str(path), path.name, stamp, fault)


def load(argument: str) -> list[type[Plugin]]:
    """The classes of a source, in their order. Whatever its code raises comes out of here."""
    kind, _, value = argument.partition(":")
    if kind == SourceKind.PACKAGE:
        found: EntryPoint = next(each for each in entry_points(group=GROUP) if each.name == value)
        loaded = found.load()
        if not inspect.isclass(loaded):
            return _classes(vars(loaded).values(), loaded.__name__)
        return _classes([loaded], loaded.__module__)
    if kind == SourceKind.BUILT_IN:
        module = importlib.import_module(value)
        return _classes(vars(module).values(), "")
    spec = importlib.util.spec_from_file_location("strategy_file", value)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return _classes(vars(module).values(), module.__name__)


def _classes(values: Iterable[object], module: str) -> list[type[Plugin]]:
    """The strategies among a module's names: its own, not those it imports, unless it is a collection."""
    return [
        each
        for each in values
        if inspect.isclass(each) and issubclass(each, Plugin) and each is not Plugin and module in ("", each.__module__)
    ]


def card(kind: type[Plugin], origin: str) -> PluginCard:
    """A class as it is listed, with what bars its use."""
    found = PluginCard(
        name=display(name_of(kind), 60),
        origin=origin,
        text=display((inspect.getdoc(kind) or "").partition("\n")[0]),
    )
    fields: tuple[FormField, ...] = ()
    fault = ""
    if not _NAME.fullmatch(found.name):
        fault = "its name has characters or a length that none may have"
    elif type(kind.every) is not int or not 1 <= kind.every <= MOST_SECONDS:
        fault = f"every is a whole number from 1 to {MOST_SECONDS}"
    else:
        try:
            fields = form_fields(kind.Params)
        except NoForm as wrong:
            fault = str(wrong)
    every = found.every if fault else kind.every
    return msgspec.structs.replace(found, fault=fault, fields=fields, every=every)


def name_of(kind: type[Plugin]) -> str:
    """How a basket names a class."""
    return kind.name or kind.__name__


def once(cards: Sequence[PluginCard]) -> list[PluginCard]:
    """The cards with every second one of a name barred: nobody may take a known name over."""
    seen: dict[str, str] = {}
    found = []
    for each in cards:
        if each.name in seen and not each.fault:
            fault = f"{seen[each.name]} registers that name already"
            found.append(PluginCard(name=each.name, origin=each.origin, text=each.text, fault=fault))
            continue
        seen.setdefault(each.name, each.origin)
        found.append(each)
    return found
