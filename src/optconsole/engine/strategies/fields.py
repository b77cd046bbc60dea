"""One field of a strategy's text: its key, where it lives in the structs, and its notation both ways.

The file and the form are two views of one object because both are made of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import Any, Final

from optconsole.engine.strategies.amounts import (
    BadText,
    hundredths,
    plain,
    read_day,
    read_time,
    write_day,
    write_time,
)
from optconsole.engine.strategies.leg_text import clean

Read = Callable[[Any], Any]
Write = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """``paths`` are attributes such as ``schedule.entry_at``; a field of two attributes reads to a pair.

    ``read`` takes the file's value and raises BadText; ``write`` gives the file's value. ``hint`` is what would pass.
    """

    key: str
    paths: tuple[str, ...]
    read: Read
    write: Write
    hint: str = ""

    def values(self, given: object) -> dict[str, Any]:
        """The attributes' values by path. Raises BadText."""
        found = self.read(given)
        return {self.paths[0]: found} if len(self.paths) == 1 else dict(zip(self.paths, found, strict=True))

    def text(self, thing: object, default: object | None) -> object | None:
        """The file's value of a struct's attributes; None where they are as in ``default``."""
        held = [attribute(thing, path) for path in self.paths]
        if default is not None and held == [attribute(default, path) for path in self.paths]:
            return None
        written: object = self.write(held[0]) if len(held) == 1 else self.write(tuple(held))
        return written


def attribute(thing: object, path: str) -> Any:
    """The value at ``schedule.entry_at``."""
    for part in path.split("."):
        thing = getattr(thing, part)
    return thing


def as_text(given: object) -> str:
    """What a file may hold for a field that is text: text, or a bare number or time. Raises BadText."""
    if isinstance(given, bool) or given is None:
        raise BadText("true and false say nothing here; write text")
    if isinstance(given, str | int | float):
        return str(given)
    if isinstance(given, time):
        return write_time(given)
    if isinstance(given, date):
        return write_day(given)
    raise BadText("a list or a table does not belong here; write text")


def text(key: str, path: str, read: Callable[[str], Any], write: Write, hint: str = "") -> Field:
    """A field with a notation of its own."""
    return Field(key, (path,), lambda given: read(as_text(given)), write, hint)


def many(key: str, path: str, read: Callable[[str], Any], write: Write, hint: str = "") -> Field:
    """A list of such; a single one may stand without brackets."""

    def read_all(given: object) -> tuple[Any, ...]:
        items = given if isinstance(given, list) else [given]
        return tuple(read(as_text(item)) for item in items)

    return Field(key, (path,), read_all, lambda held: [write(each) for each in held], hint)


def span(key: str, low: str, high: str, read: Callable[[str], Any], write: Callable[[Any, Any], str]) -> Field:
    """Two bounds in one text."""
    hint = "write 11..18, ..18 or 11.."
    return Field(key, (low, high), lambda given: read(as_text(given)), lambda pair: write(*pair), hint)


def flag(key: str, path: str) -> Field:
    """True or false."""

    def read(given: object) -> bool:
        if not isinstance(given, bool):
            raise BadText("write true or false")
        return given

    return Field(key, (path,), read, bool, "write true or false")


def whole(key: str, path: str, least: int, most: int) -> Field:
    """A whole number within bounds."""
    hint = f"give a whole number from {least} to {most}"

    def read(given: object) -> int:
        if isinstance(given, str) and re.fullmatch(r"-?\d{1,12}", given.strip()):
            given = int(given)
        if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
            raise BadText(f"{given!r} does not fit; {hint}")
        return given

    return Field(key, (path,), read, int, hint)


def decimal(key: str, path: str, hint: str) -> Field:
    """A number with two decimals, kept as hundredths: rupees as paise, multipliers."""

    def write(held: int) -> int | float:
        return held // 100 if held % 100 == 0 else float(plain(held))

    return Field(key, (path,), lambda given: hundredths(as_text(given)), write, hint)


def word(key: str, path: str, words: type[StrEnum], say: Mapping[str, str] | None = None) -> Field:
    """One of the words of an enumeration. ``say`` maps other spellings to its values."""
    hint = "write " + " or ".join((say or {}).keys() or (each.value for each in words))
    spoken = {value: spelled for spelled, value in (say or {}).items()}

    def read(given: object) -> StrEnum:
        name = clean(as_text(given))
        name = (say or {}).get(name, name)
        for each in words:
            if each.value.lower() == name.lower():
                return each
        raise BadText(f"{as_text(given)!r} is not known; {hint}")

    return Field(key, (path,), read, lambda held: spoken.get(held.value, held.value), hint)


def name(key: str, path: str, hint: str, pattern: str = r"[A-Za-z0-9][A-Za-z0-9 ._&-]{0,39}") -> Field:
    """A name that may stand in paths and in sentences."""

    def read(given: object) -> str:
        found = as_text(given).strip()
        if not re.fullmatch(pattern, found):
            raise BadText(f"{found[:40]!r} is no name; {hint}")
        return found

    return Field(key, (path,), read, str, hint)


def note(key: str, path: str) -> Field:
    """Free text of one paragraph."""

    def read(given: object) -> str:
        found = as_text(given)
        if len(found) > 2000 or any(ord(each) < 32 and each != "\n" for each in found):
            raise BadText("a note holds up to 2,000 characters and no control characters")
        return found

    return Field(key, (path,), read, str, "up to 2,000 characters")


def clock_time(key: str, path: str) -> Field:
    """A time of day."""
    return text(key, path, read_time, write_time, "write 09:20 or 09:20:30")


def days(key: str, path: str) -> Field:
    """A list of dates."""
    return many(key, path, read_day, write_day, "write dates like 25NOV26")


_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri")


def weekdays(key: str, path: str) -> Field:
    """``["mon", "tue"]``."""

    def read(given: str) -> int:
        short = clean(given)[:3]
        if short not in _WEEKDAYS:
            raise BadText(f"{given!r} is no trading weekday; write {', '.join(_WEEKDAYS)}")
        return _WEEKDAYS.index(short)

    return many(key, path, read, lambda held: _WEEKDAYS[held], f"write some of {', '.join(_WEEKDAYS)}")


def numbers(key: str, path: str, least: int, most: int) -> Field:
    """A list of whole numbers."""
    single = whole(key, path, least, most)

    def read(given: object) -> tuple[int, ...]:
        return tuple(single.read(each) for each in (given if isinstance(given, list) else [given]))

    return Field(key, (path,), read, list, f"give whole numbers from {least} to {most}")
