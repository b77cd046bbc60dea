"""The rows of the builder's form: a head for each table, a row for each field that says something or often does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from optconsole.engine.strategies.fields import Field
from optconsole.engine.strategies.files import FileFault, spelled
from optconsole.engine.strategies.lines import Path
from optconsole.engine.strategies.tables import NEEDED
from optconsole.screens.drafts import FIELDS, Draft, default_of
from optconsole.screens.formats import Formats
from optconsole.screens.widgets.arrangement import GROUP
from optconsole.screens.widgets.columns import BLANK, Column, Row

OFTEN: Final[Mapping[str, tuple[str, ...]]] = {
    "basket": ("name", "max_loss"),
    "account": ("name", "multiplier"),
    "strategy": ("name", "underlying", "entry", "exit", "holding", "stop", "target", "trail", "move_to_cost"),
    "leg": ("id", "side", "right", "lots", "strike", "expiry", "stop", "target", "trail", "on_stop", "hedges"),
}
"""Fields that show though they are empty; the others show once they say something, or when all are asked for."""
KEPT: Final = frozenset({"id", "side", "right", "strike", "expiry", "lots", "account", "lazy"})
"""Fields of a leg that cannot change once it was entered."""
KEPT_OF_RUN: Final = frozenset({"name", "underlying", "product"})


@dataclass(frozen=True, slots=True)
class FormRow:
    """One row of the form. ``field`` is None for a table's head, and for the row that shows all of its fields."""

    key: str
    path: Path
    kind: str
    field: Field | None = None
    text: str = ""
    default: str = ""
    hint: str = ""
    fault: str = ""
    head: bool = False
    fixed: bool = False

    @property
    def more(self) -> bool:
        """Whether Enter on it shows the fields that are out of sight."""
        return self.field is None and not self.head


def form_rows(
    draft: Draft, faults: Sequence[FileFault], opened: frozenset[Path], folded: frozenset[Path], *, of_run: bool = False
) -> list[FormRow]:
    """All rows in the order of the file. ``opened`` tables show every field, ``folded`` ones none.

    For a run only its strategy shows, with what cannot change any more marked as ``fixed``.
    """
    told: dict[str, str] = {}
    for fault in faults:
        told.setdefault(fault.where, fault.text)
    rows: list[FormRow] = []

    def grow(path: Path, kind: str, table: Mapping[str, Any]) -> None:
        rows.extend(_table_rows(path, kind, table, told, path in opened, path in folded, of_run))

    if not of_run:
        grow(("basket",), "basket", draft["basket"])
        for place, table in enumerate(draft["account"]):
            grow(("account", place), "account", table)
    for place, table in enumerate(draft["strategy"]):
        grow(("strategy", place), "strategy", table)
        for leg, leg_table in enumerate(table["leg"]):
            grow(("strategy", place, "leg", leg), "leg", leg_table)
    return rows


def _table_rows(
    path: Path, kind: str, table: Mapping[str, Any], told: Mapping[str, str], opened: bool, folded: bool, of_run: bool
) -> list[FormRow]:
    where = spelled(path)
    fields = FIELDS[kind]
    inside = [text for at, text in told.items() if at.startswith(f"{where}.") and "[" not in at[len(where) :]]
    summary = told.get(where, "") or (inside[0] if folded and inside else "")
    text, about = title_of(kind, table)
    rows = [FormRow(where, path, kind, text=text, default=about, fault=summary, head=True)]
    if folded:
        return rows
    hidden = 0
    for field in fields:
        text, at = str(table.get(field.key, "")), f"{where}.{field.key}"
        if not (opened or text or field.key in OFTEN[kind] or at in told):
            hidden += 1
            continue
        fixed = of_run and field.key in (KEPT if kind == "leg" else KEPT_OF_RUN)
        rows.append(
            FormRow(
                at,
                (*path, field.key),
                kind,
                field,
                text,
                default_of(kind, field),
                field.hint,
                told.get(at, ""),
                False,
                fixed,
            )
        )
    if hidden or opened:
        text = f"{hidden} more fields" if hidden else "only what is in use"
        rows.append(FormRow(f"{where}.more", path, kind, text=text))
    return rows


def title_of(kind: str, table: Mapping[str, Any]) -> tuple[str, str]:
    """``Leg ce`` and ``sell CE ATM``: what a table is, and what it is about."""
    if kind == "leg":
        words = [str(table.get(key, "")) for key in ("side", "lots", "right", "strike")]
        return f"Leg {table.get('id', '')}".rstrip(), " ".join(word for word in words if word)
    return kind.capitalize(), str(table.get("name", ""))


def form_columns(fmt: Formats) -> list[Column]:
    """The columns of the form."""
    return [
        Column("Field", 17, str, lambda text: "" if not text.startswith("  ") else "dim", align="left"),
        Column("Value", 18, lambda told: told[0], lambda told: told[1], align="left", grow=14),
        Column("", 12, lambda told: told[0], lambda told: told[1], align="left", grow=90),
    ]


def form_row(row: FormRow, fmt: Formats, *, folded: bool = False) -> Row:
    """A row as the grid shows it."""
    if row.head:
        mark = fmt.glyph("▸", ">") if folded else fmt.glyph("▾", "v")
        fault = (fmt.text(row.fault), "bad") if row.fault else BLANK
        text = f"{mark} {fmt.text(row.text)}"
        return Row(row.key, [text, (fmt.text(row.default), ""), fault], GROUP, find=row.key)
    if row.field is None:
        return Row(row.key, ["", (f"{fmt.ellipsis} {row.text}", "dim"), BLANK], find=row.key)
    value = (fmt.text(row.text), "dim" if row.fixed else "strong")
    if not row.text:
        needed = row.field.key in NEEDED[row.kind]
        value = (row.default or (fmt.glyph("–", "-") if not needed else "needed"), "warn" if needed else "dim")
    told: Any = (fmt.text(row.fault), "bad") if row.fault else BLANK
    if row.fixed and not row.fault:
        told = ("as entered", "dim")
    indent = "    " if row.kind == "leg" else "  "
    return Row(row.key, [f"{indent}{row.field.key}", value, told], find=row.key)
