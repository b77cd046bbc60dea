"""Where each key of a TOML text stands, so that a fault can name its line. It follows tables and keys, not values."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

Path = tuple[str | int, ...]
_TABLE: Final = re.compile(r"\s*\[(?P<name>[^\[\]]+)\]\s*(?:#.*)?")
_ARRAY: Final = re.compile(r"\s*\[\[(?P<name>[^\[\]]+)\]\]\s*(?:#.*)?")
_KEY: Final = re.compile(r"\s*(?P<key>[A-Za-z0-9_-]+|\"[^\"]*\")\s*=(?P<rest>.*)")


def line_map(text: str) -> dict[Path, int]:
    """Line numbers from 1 by path: ``("strategy", 0, "leg", 1, "stop")``. Tables are there by their own path."""
    found: dict[Path, int] = {}
    counts: Counter[Path] = Counter()
    table: Path = ()
    depth, quote = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if depth == 0 and not quote:
            array, plain, key = _ARRAY.fullmatch(line), _TABLE.fullmatch(line), _KEY.fullmatch(line)
            if array is not None:
                base = _resolved(array["name"], counts)
                table = (*base, counts[base])
                counts[base] += 1
                found[table] = number
                continue
            if plain is not None:
                table = _resolved(plain["name"], counts)
                found[table] = number
                continue
            if key is not None:
                found[*table, key["key"].strip('"')] = number
                line = key["rest"]
        depth, quote = _carried(line, depth, quote)
    return found


def _resolved(name: str, counts: Counter[Path]) -> Path:
    """A dotted table name with the index of the newest element wherever a part is an array of tables."""
    path: Path = ()
    parts = [part.strip().strip('"') for part in name.split(".")]
    for place, part in enumerate(parts):
        path = (*path, part)
        if place < len(parts) - 1 and counts[path]:
            path = (*path, counts[path] - 1)
    return path


def _carried(line: str, depth: int, quote: str) -> tuple[int, str]:
    """How deep in brackets, and inside which long quotation, the next line begins."""
    place = 0
    while place < len(line):
        if quote:
            end = line.find(quote, place)
            if end < 0:
                return depth, quote if len(quote) == 3 else ""
            place, quote = end + len(quote), ""
            continue
        if line[place] == "#":
            break
        if line.startswith(('"""', "'''"), place):
            quote, place = line[place : place + 3], place + 3
        elif line[place] in "\"'":
            quote, place = line[place], place + 1
        else:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(line[place], 0)
            place += 1
    return max(depth, 0), quote if len(quote) == 3 else ""
