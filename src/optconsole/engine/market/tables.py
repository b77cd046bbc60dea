"""The packaged tables of exchange facts, as rows of text."""

from __future__ import annotations

import csv
from datetime import date, time
from functools import lru_cache
from importlib.resources import files


@lru_cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """A table's rows, each by column name."""
    text = files("optconsole.engine.market").joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def day_of(text: str) -> date | None:
    """An ISO date; None for an empty cell."""
    return date.fromisoformat(text) if text else None


def time_of(text: str) -> time | None:
    """A wall clock time; None for an empty cell."""
    return time.fromisoformat(text) if text else None
