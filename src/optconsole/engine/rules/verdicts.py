"""The form of a verdict: a check with a stable code, a severity and one sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from optconsole.engine.model.money import rupees
from optconsole.engine.queries import Check

REFUSE: Final = "refuse"

WARN: Final = "warn"

OK: Final = "ok"


def price_in(amount: int) -> str:
    """Paise as ``101.25`` for sentences."""
    return f"{rupees(amount):.2f}"


def refuse(code: str, text: str) -> Check:
    return Check(code=code, severity=REFUSE, text=text)


def refusal(found: Iterable[Check]) -> Check | None:
    """The first rule that refuses."""
    return next((check for check in found if check.severity == REFUSE), None)
