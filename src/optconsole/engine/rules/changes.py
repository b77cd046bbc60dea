"""How often one order may be changed (reliability B17, I-15). Pure."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Order

BROKERS_TAKE: Final = 25
"""Changes of one order that a broker carries out; whatever is asked after them is refused for good."""
BY_HAND: Final = BROKERS_TAKE - 1
"""The last one is kept: an order that nobody can move any more could not be made a closing one either."""


def require_change_left(order: Order) -> None:
    """Raises Refusal(TOO_MANY_CHANGES) for an order that was changed as often as may be.

    One in doubt counts: the broker may have carried it out.
    """
    if order.changes >= BY_HAND:
        raise Refusal(
            "TOO_MANY_CHANGES",
            f"{order.id} was changed {order.changes} times; brokers take {BROKERS_TAKE} changes of one order and the "
            f"last is kept for closing. Cancel {order.id}, and once it is cancelled place a new order for the "
            f"{order.remaining} units that are left.",
        )
