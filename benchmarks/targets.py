"""What a measured figure is held to, and how the outcome is printed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Target:
    """One claim; ``at_least`` False holds the value from above."""

    name: str
    value: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def passed(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> str:
        sign, verdict = (">=" if self.at_least else "<="), ("PASS" if self.passed else "FAIL")
        return f"{verdict}  {self.name:52s} {self.value:8.2f} {self.unit:4s} {sign} {self.limit:g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, padded so that it reads in a terminal as well."""
    every = [list(head), *map(list, rows)]
    wide = [max(len(row[place]) for row in every) for place in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (
            cell.ljust(size) if not at else cell.rjust(size)
            for at, (cell, size) in enumerate(zip(cells, wide, strict=True))
        )
        return "| " + " | ".join((first, *rest)) + " |"

    rule = (
        "|" + "|".join(("-" * (size + 2)) if not at else ("-" * (size + 1) + ":") for at, size in enumerate(wide)) + "|"
    )
    return "\n".join((line(every[0]), rule, *map(line, every[1:])))


def outcome(host: str, results: Sequence[Mapping[str, object]], targets: Sequence[Target]) -> str:
    """One JSON document."""
    held = [{**asdict(target), "passed": target.passed} for target in targets]
    return json.dumps({"machine": host, "results": list(results), "targets": held})
