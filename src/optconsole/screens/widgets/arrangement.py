"""The order in which a grid shows its rows: filtered by a text, sorted within the groups, groups kept together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optconsole.screens.widgets.columns import BLANK, Row

GROUP = "group"


def arrange(rows: Sequence[Row], needle: str = "", sort: int | None = None, reverse: bool = False) -> list[Row]:
    """Rows in the order to show. A group's header stays above its rows and leaves with the last of them."""
    shown: list[Row] = []
    for header, members in _sections(rows):
        kept = [row for row in members if needle.casefold() in _searched(row)] if needle else list(members)
        if sort is not None:
            known = [row for row in kept if row.values[sort] is not None and row.values[sort] != BLANK]
            unknown = [row for row in kept if row not in known]
            kept = [*sorted(known, key=lambda row: _rank(row.values[sort]), reverse=reverse), *unknown]
        if header is not None and (kept or not needle):
            shown.append(header)
        shown.extend(kept)
    return shown


def _rank(value: Any) -> tuple[int, Any]:
    return (0, value) if isinstance(value, int | float) else (1, str(value))


def _searched(row: Row) -> str:
    return (row.find or row.key).casefold()


def _sections(rows: Sequence[Row]) -> list[tuple[Row | None, list[Row]]]:
    sections: list[tuple[Row | None, list[Row]]] = [(None, [])]
    for row in rows:
        if row.kind == GROUP:
            sections.append((row, []))
        else:
            sections[-1][1].append(row)
    return sections
