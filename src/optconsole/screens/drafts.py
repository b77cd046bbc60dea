"""A basket while it is being written: what stands in each field as text, and the TOML file that it makes. Pure.

The form and the file are two views of one thing: both go through the same tables of fields, so what one refuses the
other refuses in the same words. A draft is a nest of tables as in the file, with typed text in place of values; paths
are those of the file, such as ``("strategy", 0, "leg", 1, "stop")``.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import tomlkit

from optconsole.engine.model.baskets import Basket
from optconsole.engine.rules.faults import MarketFacts
from optconsole.engine.rules.lint import NOTHING_KNOWN
from optconsole.engine.strategies.amounts import BadText
from optconsole.engine.strategies.fields import Field, attribute
from optconsole.engine.strategies.files import FORMAT, written
from optconsole.engine.strategies.lines import Path
from optconsole.engine.strategies.linting import Checked, check_text
from optconsole.engine.strategies.tables import ACCOUNT, BASKET, LEG, NEEDED, PLAIN, STRATEGY

Draft = dict[str, Any]
FIELDS: Final[Mapping[str, Sequence[Field]]] = {
    "basket": BASKET,
    "account": ACCOUNT,
    "strategy": STRATEGY,
    "leg": LEG,
}
_BETWEEN: Final = (re.compile(r"\s*[,;]\s*"), re.compile(r"\s*(?:;|,(?!\d)|(?<!\d),)\s*"))
"""What parts the items of a list: any comma, or where a number has commas of its own, those outside numbers."""


def draft_of(basket: Basket) -> Draft:
    """A basket as a draft."""
    return {
        "basket": _texts(basket, "basket"),
        "account": [_texts(each, "account") for each in basket.allocations],
        "strategy": [
            {**_texts(each, "strategy"), "leg": [_texts(leg, "leg") for leg in each.legs]} for each in basket.strategies
        ],
    }


def _texts(thing: object, kind: str) -> dict[str, Any]:
    return {key: as_typed(value) for key, value in written(thing, kind, FIELDS[kind]).items()}


def as_typed(value: object) -> str:
    """The file's value as it is typed in a form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(as_typed(each) for each in value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return str(value)


def _toml(value: object) -> str:
    return tomlkit.item(value).as_string() if not isinstance(value, bool) else as_typed(value)


def kind_of(path: Path) -> str:
    """The kind of table that a path leads to, or into."""
    return next(part for part in reversed(path) if part in FIELDS)  # type: ignore[return-value]


def default_of(kind: str, field: Field) -> str:
    """What an empty field means, as it would be typed; empty where it means nothing."""
    plain = PLAIN[kind]
    if field.key in NEEDED[kind] or all(attribute(plain, path) in (None, "", ()) for path in field.paths):
        return ""
    return as_typed(field.text(plain, None))


def value_of(kind: str, field: Field, typed: str) -> Any:
    """What the file says for a typed text: as the field itself writes it, or the text where it cannot be read."""
    for given in _readings(kind, field, typed):
        try:
            values = field.values(given)
        except BadText:
            continue
        held = [values[path] for path in field.paths]
        return field.write(held[0]) if len(held) == 1 else field.write(tuple(held))
    return typed


def _readings(kind: str, field: Field, typed: str) -> Iterator[object]:
    """What a typed text may mean, the likeliest first."""
    text, plain = typed.strip(), attribute(PLAIN[kind], field.paths[0])
    if isinstance(plain, tuple):
        for between in _BETWEEN:
            yield [item for item in between.split(text.strip("[] ")) if item]
        return
    if isinstance(plain, dict):
        try:
            yield tomllib.loads(f"given = {text}")["given"]
        except tomllib.TOMLDecodeError:
            return
        return
    if isinstance(plain, bool) and text.lower() in _WORDS:
        yield _WORDS[text.lower()]
    yield text


_WORDS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


# ---------------------------------------------------------------- the file


def toml_of(draft: Draft) -> str:
    """The draft as a file; what cannot be read stands in it as it was typed.

    Each table is written once and kept: a key changes one of them, and writing all of a large basket takes longer than
    a key may.
    """
    blocks = [_block("", {"format": FORMAT}), _block("[basket]", _table(draft["basket"], "basket"))]
    blocks += [_block("[[account]]", _table(each, "account")) for each in draft["account"]]
    for strategy in draft["strategy"]:
        blocks.append(_block("[[strategy]]", _table(strategy, "strategy")))
        blocks += [_block("[[strategy.leg]]", _table(each, "leg")) for each in strategy["leg"]]
    return _whole(draft) if None in blocks else "\n".join(block for block in blocks if block is not None)


def _block(head: str, table: Mapping[str, Any]) -> str | None:
    """One table as lines; None where it holds a table of its own, whose head depends on what is around it."""
    if any(isinstance(value, dict) for value in table.values()):
        return None
    frozen = tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in table.items())
    return _lines(head, frozen, tuple(type(value) for value in table.values()))


@lru_cache(maxsize=512)
def _lines(head: str, table: tuple[tuple[str, Any], ...], _types: tuple[type, ...]) -> str:
    """``_types`` tells 1 from true, which are equal."""
    body = tomlkit.dumps({key: list(value) if isinstance(value, tuple) else value for key, value in table})
    return f"{head}\n{body}" if head else body


def _whole(draft: Draft) -> str:
    document: dict[str, Any] = {"format": FORMAT, "basket": _table(draft["basket"], "basket")}
    if draft["account"]:
        document["account"] = [_table(each, "account") for each in draft["account"]]
    if draft["strategy"]:
        document["strategy"] = [_strategy(each) for each in draft["strategy"]]
    return tomlkit.dumps(document)


def _strategy(given: Mapping[str, Any]) -> dict[str, Any]:
    table = _table(given, "strategy")
    if given["leg"]:
        table["leg"] = [_table(each, "leg") for each in given["leg"]]
    return table


def _table(given: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """In the order of the fields; an empty text says nothing."""
    return {
        field.key: value_of(kind, field, given[field.key])
        for field in FIELDS[kind]
        if isinstance(given.get(field.key), str) and given[field.key].strip()
    }


def check(draft: Draft, facts: MarketFacts = NOTHING_KNOWN) -> tuple[str, Checked]:
    """The file, and what is wrong with it."""
    text = toml_of(draft)
    return text, check_text(text, facts)


# ---------------------------------------------------------------- changing it


def table_at(draft: Draft, path: Path) -> Any:
    """The table, or the list of tables, at a path."""
    found: Any = draft
    for part in path:
        found = found[part]
    return found


def put(draft: Draft, path: Path, typed: str) -> Draft:
    """The draft with a text in one field."""
    changed = copy.deepcopy(draft)
    table_at(changed, path[:-1])[path[-1]] = typed
    return changed


def add(draft: Draft, path: Path, table: Mapping[str, Any]) -> tuple[Draft, Path]:
    """The draft with one more table at the end of a list, and where it is."""
    changed = copy.deepcopy(draft)
    rows = table_at(changed, path)
    rows.append(dict(table))
    return changed, (*path, len(rows) - 1)


def remove(draft: Draft, path: Path) -> Draft:
    """The draft without one leg, account or strategy."""
    changed = copy.deepcopy(draft)
    place = path[-1]
    assert isinstance(place, int)
    del table_at(changed, path[:-1])[place]
    return changed


def clone(draft: Draft, path: Path) -> tuple[Draft, Path]:
    """The draft with one table twice, the copy behind it under a name of its own."""
    changed = copy.deepcopy(draft)
    rows, place = table_at(changed, path[:-1]), path[-1]
    assert isinstance(place, int)
    twin = copy.deepcopy(rows[place])
    key = "id" if kind_of(path) == "leg" else "name"
    twin[key] = fresh_name(twin.get(key, ""), [each.get(key, "") for each in rows])
    rows.insert(place + 1, twin)
    return changed, (*path[:-1], place + 1)


def fresh_name(name: str, taken: Sequence[str]) -> str:
    """``ce`` as ``ce2``, or the next number that is free."""
    stem = re.sub(r"\d+$", "", name) or "leg"
    number = 2
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"
