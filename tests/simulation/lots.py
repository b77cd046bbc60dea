"""The limits that the simulated trader has configured, in lots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Caps:
    """Of one order, and of all that an account holds."""

    order: int = 8
    account: int = 20


CAPS: Final = Caps()
CAPS_OF_RUNS: Final = Caps(account=48)
"""Six strategies of several legs beside the trader's own hand."""
