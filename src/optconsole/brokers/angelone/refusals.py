"""Which answers to an order prove that nothing came of it. Whatever is not listed here leaves the order in doubt."""

from __future__ import annotations

from typing import Final

from optconsole.brokers.angelone.envelope import Fault, Kind
from optconsole.engine.ports import LOGIN_LOST, Doubtful, Rejected

RATE_LIMITED: Final = "RATE_LIMITED"
IP_REFUSED: Final = "IP_REFUSED"

DEFINITE: Final = {
    "AG7002": IP_REFUSED,
    "AB1006": "CLIENT_BLOCKED",
    "AB1008": "BAD_VARIETY",
    "AB1009": "NO_CONTRACT",
    "AB1012": "BAD_PRODUCT",
    "AB1013": "NO_ORDER",
    "AB1018": "NO_CONTRACT",
    "AB2002": "ROBO_BLOCKED",
    "AB4008": "BAD_TAG",
}
"""The broker's code -> ours. AB1004, AB2000 and AB2001 are failures inside the broker after which orders were found
placed, and AB1007 says nothing of the order: they are not here, nor is any code that is new."""


def judged(fault: Fault) -> Rejected | Doubtful:
    """What a failed order call proves."""
    if fault.kind is Kind.LIMITED:
        return Rejected(RATE_LIMITED, fault.text)
    if fault.kind is Kind.SESSION:
        return Rejected(LOGIN_LOST, fault.text)
    ours = DEFINITE.get(fault.code) if fault.kind is Kind.REFUSED else None
    return Doubtful(fault.text) if ours is None else Rejected(ours, fault.text)
