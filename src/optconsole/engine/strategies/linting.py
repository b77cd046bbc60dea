"""A basket's file checked whole: what cannot be read, and what could never work, each with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from optconsole.engine.model.baskets import Basket
from optconsole.engine.rules.faults import Fault, MarketFacts
from optconsole.engine.rules.lint import NOTHING_KNOWN, lint_basket
from optconsole.engine.strategies.fields import Field
from optconsole.engine.strategies.files import FileFault, read_with_lines, spelled
from optconsole.engine.strategies.lines import Path
from optconsole.engine.strategies.tables import ACCOUNT, BASKET, LEG, STRATEGY

_TABLES: Final[dict[str, tuple[str, Sequence[Field]]]] = {
    "strategies": ("strategy", STRATEGY),
    "allocations": ("account", ACCOUNT),
    "legs": ("leg", LEG),
}
_STEP: Final = re.compile(r"(?P<name>[a-z_]+)\[(?P<place>\d+)\]\.?")


class Checked(msgspec.Struct, frozen=True):
    """A file's basket, None where it cannot be read, and everything that is wrong with it."""

    basket: Basket | None
    faults: tuple[FileFault, ...]

    @property
    def sound(self) -> bool:
        """Whether the basket may be saved."""
        return self.basket is not None and not self.faults


def check_text(text: str, facts: MarketFacts = NOTHING_KNOWN) -> Checked:
    """Read a file and check what is in it against the rules, and against the market as far as it is known."""
    basket, faults, lines = read_with_lines(text)
    if basket is None:
        return Checked(None, faults)
    return Checked(basket, tuple(located(fault, lines) for fault in lint_basket(basket, facts)))


def located(fault: Fault, lines: Mapping[Path, int] | None = None) -> FileFault:
    """A fault of the structs as one of the file: the key that says it, and its line where the file is known."""
    path = in_file(fault.path)
    at = path
    while at and lines is not None and at not in lines:
        at = at[:-1]
    return FileFault(fault.code, spelled(path), (lines or {}).get(at, 0), fault.text)


def in_file(path: str) -> Path:
    """``strategies[0].legs[1].stop.move`` as the file's ``("strategy", 0, "leg", 1, "stop")``."""
    found: Path = ()
    fields: Sequence[Field] = BASKET
    step = _STEP.match(path)
    while step is not None and step["name"] in _TABLES:
        name, fields = _TABLES[step["name"]]
        found = (*found, name, int(step["place"]))
        path = path[step.end() :]
        step = _STEP.match(path)
    bare = re.sub(r"\[\d+\]", "", path)
    if not found and bare:
        found = ("basket",)
    key = _key(bare, fields)
    return (*found, key) if key else found


def _key(path: str, fields: Sequence[Field]) -> str:
    """The key of the field that holds an attribute, or something inside it."""
    while path:
        for field in fields:
            if path in field.paths:
                return field.key
        path = path.rpartition(".")[0]
    return ""
