"""Runs in few words, for tests of overall rules. Rupees in, paise out."""

from __future__ import annotations

from typing import Any

from optconsole.engine.rules.run_money import Entered, Held, RunFacts
from tests.engine.rules.leg_cases import FILLED, after, paise


def money(rupees: float, **facts: Any) -> RunFacts:
    """A complete run that has made so much, all of it realised."""
    return RunFacts(now=facts.pop("now", after(60)), first_fill=FILLED, complete=True, realised=paise(rupees), **facts)


def straddle(call: float | None, put: float | None, **facts: Any) -> RunFacts:
    """A call sold at 100 and a put sold at 110, 65 of each, at these prices now."""
    entered = (
        Entered(leg="ce", sign=-1, entry=100_00, quantity=65),
        Entered(leg="pe", sign=-1, entry=110_00, quantity=65),
    )
    held = (
        Held(leg="ce", sign=-1, entry=100_00, quantity=65, price=None if call is None else paise(call)),
        Held(leg="pe", sign=-1, entry=110_00, quantity=65, price=None if put is None else paise(put)),
    )
    base = {"now": after(60), "first_fill": FILLED, "complete": True, "entered": entered, "held": held}
    return RunFacts(**(base | facts))
