"""Differences between our book and a broker's in words, both numbers always beside each other."""

from __future__ import annotations

from datetime import datetime

from optconsole.engine.model.book import Drift
from optconsole.engine.model.shares import Parts, whose
from optconsole.screens.formats import Formats
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line


def short(drift: Drift, lot: int, fmt: Formats) -> str:
    """``−2L ≠ −1L`` for a cell: ours first; in units where they are not whole lots."""
    whole = lot > 0 and drift.ours % lot == 0 and drift.theirs % lot == 0
    ours, theirs = (
        f"{fmt.grouped(qty // lot)}L" if whole and qty else fmt.grouped(qty) for qty in (drift.ours, drift.theirs)
    )
    return f"{ours}{fmt.glyph('≠', '!=')}{theirs}"


def both(drift: Drift, lot: int, fmt: Formats) -> str:
    """``our book −2L (130), the broker −1L (65)``."""
    return f"our book {fmt.lots(drift.ours, lot)}, the broker {fmt.lots(drift.theirs, lot)}"


def drift_line(drift: Drift, lot: int, now: datetime | None, fmt: Formats, parts: Parts = ()) -> Line:
    """One difference with both numbers, how long it has stood, and whose parts it could be in."""
    age = fmt.age((now - drift.since).total_seconds()) if now is not None else fmt.unknown
    return [
        Part(f" {fmt.glyph('≠', '!=')} {fmt.contract(drift.key.contract)} ", "bad"),
        Part(f"{drift.key.product.value}  ", "dim", 3),
        Part(both(drift, lot, fmt), "warn"),
        Part(f"  for {age}", "dim", 1),
        *([Part(f"  {fmt.text(held)}", "dim", 2)] if (held := whose(parts, drift.ours - drift.theirs)) else []),
    ], [Part(f"{fmt.text(drift.key.account)} ", "dim", 2)]
