"""I-16, limits in the worst case: recomputed from the exchange's books whenever it accepts an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from optconsole.engine.ports import PlaceRequest
from tests.simulation.broker import Call
from tests.simulation.court import Watcher
from tests.simulation.market import LOT


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits that the simulated trader has configured, in lots."""

    order: int = 8
    account: int = 20


CAPS: Final = Caps()


class Limits(Watcher):
    """An order's own size, and all that an account could come to hold."""

    def taken(self, call: Call, broker_id: str) -> None:
        request = call.request
        if not isinstance(request, PlaceRequest):
            return
        if request.qty > CAPS.order * LOT:
            self.court.breach("I-16", f"{call.tag} was taken with {request.qty // LOT} lots, the cap is {CAPS.order}")
        paper = self.court.by_tag.get(call.tag)
        if paper is not None and paper.risk == "INCREASE":
            lots = self._worst(call.account) // LOT
            if lots > CAPS.account:
                self.court.breach("I-16", f"{call.account} may come to {lots} lots, the cap is {CAPS.account}")

    def _worst(self, account: str) -> int:
        """Units open if every working order fills on the side that is worse, and what is in doubt is there."""
        sides: dict[str, list[int]] = {}
        venue = self.court.truth.venues[account]
        for (name, _product), qty in venue.held().items():
            both = sides.setdefault(name, [0, 0])
            both[0] += qty
            both[1] -= qty
        for order in venue.books.all_working():
            sides.setdefault(order.contract, [0, 0])[0 if order.side.sign > 0 else 1] += order.remaining
        for paper in self.court.papers.values():
            if paper.account == account and paper.in_doubt and not self.court.truth.tagged(account, paper.tag):
                sides.setdefault(paper.terms["contract"], [0, 0])[paper.terms["side"] != "BUY"] += paper.terms["qty"]
        return sum(max(*both, 0) for both in sides.values())
