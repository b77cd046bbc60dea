"""What must be there for a key to do something, in the words it is refused with."""

from __future__ import annotations

from typing import Final

_CONTRACT: Final = "a contract under the cursor"
_OPEN: Final = "an open position under the cursor"
_LIMIT: Final = "a limit under the cursor"
_LETTER: Final = "a dead letter under the cursor; Tab goes to them"
_BASKET: Final = "a basket under the cursor"
_STATE: Final = "another state than the one in force"
_POSITIONS: Final = "a position in the table"

NEEDS: Final[dict[str, str]] = {
    "buy": _CONTRACT,
    "sell": _CONTRACT,
    "exit": _POSITIONS,
    "reverse": _OPEN,
    "stop": _OPEN,
    "stop.up": "a position with a stop under the cursor",
    "stop.down": "a position with a stop under the cursor",
    "adopt.position": "a row on which the broker's book differs from ours",
    "group": _POSITIONS,
    "detail": _POSITIONS,
    "fold": _POSITIONS,
    "doubt": "an order in doubt, and there is none",
    "adopt.order": "a working order that was not sent from here",
    "modify": "an order that works, or the whole of one in parts; a group's orders change one by one",
    "cancel": "an order that works under the cursor",
    "cancel.all": "an order that works, and there is none",
    "order.open": "one order under the cursor",
    "why": "an order under the cursor",
    "risk.active": _STATE,
    "risk.reducing": _STATE,
    "risk.halted": _STATE,
    "risk.change": _LIMIT,
    "risk.remove": _LIMIT,
    "baskets.start": "a basket under the cursor that is not active",
    "baskets.pause": "an active basket under the cursor",
    "baskets.stop": "a basket under the cursor that is not stopped",
    "baskets.archive": "a paused or stopped basket under the cursor",
    "baskets.edit": _BASKET,
    "baskets.clone": _BASKET,
    "baskets.preview": _BASKET,
    "baskets.export": _BASKET,
    "baskets.exit": "a basket, or a run that goes on, under the cursor",
    "run.now": "a run under the cursor that has its time before it",
    "run.skip": "a run under the cursor that has not begun",
    "run.approve": "a run under the cursor that asks you",
    "run.halt": "a run under the cursor that goes on",
    "today.exit": "a run under the cursor that goes on",
    "letter.replay": _LETTER,
    "letter.drop": _LETTER,
}
"""By the id of the key; the others always do something where they work."""
