"""A basket as a TOML file: read with every fault and its line, written so that it reads back equal.

A file is data. Nothing in it is run; ``plugin`` only names a strategy that is installed already.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

import msgspec
import tomlkit

from optconsole.engine.model.baskets import Allocation, Basket
from optconsole.engine.model.overall_rules import Overall
from optconsole.engine.model.strategies import Execution, Leg, Schedule, Strategy
from optconsole.engine.model.triggers import Entry, Filters
from optconsole.engine.strategies.amounts import BadText
from optconsole.engine.strategies.fields import Field
from optconsole.engine.strategies.lines import Path, line_map
from optconsole.engine.strategies.tables import ACCOUNT, BASKET, LEG, NEEDED, PLAIN, STRATEGY

FORMAT: Final = 1
LARGEST: Final = 1_000_000
"""Characters of a file; a larger one is no basket."""


class FileFault(msgspec.Struct, frozen=True):
    """What is wrong in a file. ``where`` is ``strategy[0].leg[1].stop``; ``line`` is 0 where it has none."""

    code: str
    where: str
    line: int
    text: str

    def __str__(self) -> str:
        place = f"line {self.line}, " if self.line else ""
        return f"{place}{self.where}: {self.text} [{self.code}]"


class _Reading:
    """The faults found so far, and where the text has its keys."""

    def __init__(self, text: str) -> None:
        self.faults: list[FileFault] = []
        self.lines = line_map(text)

    def fault(self, code: str, path: Path, text: str) -> None:
        at = path
        while at and at not in self.lines:
            at = at[:-1]
        self.faults.append(FileFault(code, spelled(path), self.lines.get(at, 0), text))


def spelled(path: Path) -> str:
    """``strategy[0].leg[1].stop``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


def read_basket(text: str) -> tuple[Basket | None, tuple[FileFault, ...]]:
    """The basket in a TOML text and everything that is wrong with it; None where faults leave no basket."""
    basket, faults, _lines = read_with_lines(text)
    return basket, faults


def read_with_lines(text: str) -> tuple[Basket | None, tuple[FileFault, ...], Mapping[Path, int]]:
    """As ``read_basket``, with the lines of all keys, so that a later check can name them too."""
    if len(text) > LARGEST:
        return None, (FileFault("TOO_LARGE", "the file", 0, f"It has {len(text)} characters; up to {LARGEST}."),), {}
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, (FileFault("BAD_TOML", "the file", _line_of(str(error)), f"It is not TOML: {error}."),), {}
    except RecursionError:
        return None, (FileFault("BAD_TOML", "the file", 0, "It is nested too deeply to be a basket."),), {}
    reading = _Reading(text)
    basket = _basket(reading, document)
    return (None if reading.faults else basket), tuple(reading.faults), reading.lines


def _line_of(message: str) -> int:
    _, _, rest = message.partition("at line ")
    digits = rest.split(",")[0]
    return int(digits) if digits.isdigit() else 0


def _basket(reading: _Reading, document: Mapping[str, Any]) -> Basket | None:
    if document.get("format") != FORMAT or isinstance(document.get("format"), bool):
        reading.fault("FORMAT", ("format",), f"Write format = {FORMAT} at the top; this program reads no other.")
    for key in document.keys() - {"format", "basket", "account", "strategy"}:
        reading.fault("UNKNOWN_FIELD", (key,), _unknown(key, ("format", "basket", "account", "strategy")))
    plain = _table(reading, document.get("basket", {}), "basket", BASKET, ("basket",))
    accounts = [
        _built(Allocation, _table(reading, each, "account", ACCOUNT, ("account", place)))
        for place, each in enumerate(_tables(reading, document, "account", ()))
    ]
    strategies = [
        _strategy(reading, each, ("strategy", place))
        for place, each in enumerate(_tables(reading, document, "strategy", ()))
    ]
    if reading.faults or plain is None:
        return None
    return Basket(
        **plain,
        strategies=tuple(each for each in strategies if each is not None),
        allocations=tuple(each for each in accounts if each is not None),
    )


def _strategy(reading: _Reading, table: Mapping[str, Any], path: Path) -> Strategy | None:
    bare = {key: value for key, value in table.items() if key != "leg"}
    values = _table(reading, bare, "strategy", STRATEGY, path)
    legs = [
        _built(Leg, _table(reading, each, "leg", LEG, (*path, "leg", place)))
        for place, each in enumerate(_tables(reading, table, "leg", path))
    ]
    if values is None or any(leg is None for leg in legs):
        return None
    parts = _grouped(values)
    filters = Filters(**parts.pop("entry.filters", {}))
    return Strategy(
        **parts.pop(""),
        schedule=Schedule(**parts.pop("schedule")),
        entry=Entry(**parts.pop("entry", {}), filters=filters),
        overall=Overall(**parts.pop("overall", {})),
        execution=Execution(**parts.pop("execution", {})),
        legs=tuple(leg for leg in legs if leg is not None),
    )


def read_legs(tables: Sequence[Mapping[str, Any]]) -> tuple[tuple[Leg, ...], tuple[FileFault, ...]]:
    """Legs given as the tables that a file would hold; none where anything is wrong with them."""
    reading = _Reading("")
    legs = [_built(Leg, _table(reading, each, "leg", LEG, ("leg", place))) for place, each in enumerate(tables)]
    return (() if reading.faults else tuple(leg for leg in legs if leg is not None)), tuple(reading.faults)


def _grouped(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Values by the struct they belong to: the part of the path before the last dot."""
    parts: dict[str, dict[str, Any]] = {"": {}}
    for path, value in values.items():
        head, _, attribute = path.rpartition(".")
        parts.setdefault(head, {})[attribute] = value
    return parts


def _built(kind: type[Any], values: dict[str, Any] | None) -> Any | None:
    return None if values is None else kind(**values)


def _tables(reading: _Reading, document: Mapping[str, Any], key: str, path: Path) -> list[Mapping[str, Any]]:
    given = document.get(key, [])
    if isinstance(given, list) and all(isinstance(each, dict) for each in given):
        return given
    dotted = ".".join(part for part in (*path, key) if isinstance(part, str))
    reading.fault("BAD_VALUE", (*path, key), f"Write it as tables headed [[{dotted}]].")
    return []


def _table(reading: _Reading, given: object, kind: str, fields: Sequence[Field], path: Path) -> dict[str, Any] | None:
    """The attributes' values by path; None where something is wrong with them."""
    before = len(reading.faults)
    if not isinstance(given, dict):
        reading.fault("BAD_VALUE", path, f"Write it as a table headed [{kind}].")
        return None
    known = {field.key: field for field in fields}
    values: dict[str, Any] = {}
    for key, value in given.items():
        field = known.get(key)
        if field is None:
            reading.fault("UNKNOWN_FIELD", (*path, key), _unknown(key, tuple(known)))
            continue
        try:
            values.update(field.values(value))
        except BadText as wrong:
            reading.fault("BAD_VALUE", (*path, key), f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.")
    for key in NEEDED[kind]:
        if key not in given:
            reading.fault("MISSING", (*path, key), f"A {kind} needs {key}: {known[key].hint}.")
    return values if len(reading.faults) == before else None


def _unknown(key: str, known: Sequence[str]) -> str:
    near = get_close_matches(key, known, 1)
    return f"{key[:40]!r} is not a field here" + (
        f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}."
    )


def write_basket(basket: Basket) -> str:
    """The basket as TOML. What is as in an empty table is left out."""
    document: dict[str, Any] = {"format": FORMAT, "basket": written(basket, "basket", BASKET)}
    if basket.allocations:
        document["account"] = [written(each, "account", ACCOUNT) for each in basket.allocations]
    if basket.strategies:
        document["strategy"] = [_written_strategy(each) for each in basket.strategies]
    return tomlkit.dumps(document)


def _written_strategy(strategy: Strategy) -> dict[str, Any]:
    table = written(strategy, "strategy", STRATEGY)
    if strategy.legs:
        table["leg"] = [written(leg, "leg", LEG) for leg in strategy.legs]
    return table


def written(thing: object, kind: str, fields: Sequence[Field]) -> dict[str, Any]:
    """A struct as the table of its fields that say something."""
    table = {}
    for field in fields:
        value = field.text(thing, None if field.key in NEEDED[kind] else PLAIN[kind])
        if value is not None:
            table[field.key] = value
    return table
