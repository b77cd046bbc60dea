"""I-16, limits in the worst case: recomputed from the exchange's books whenever it accepts an order."""

from __future__ import annotations

from optconsole.engine.ports import PlaceRequest
from tests.simulation.broker import Call
from tests.simulation.court import Court, Watcher
from tests.simulation.lots import CAPS
from tests.simulation.market import LOT
from tests.simulation.papers import Paper


class Limits(Watcher):
    """An order's own size, and all that an account could come to hold."""

    def __init__(self, court: Court) -> None:
        super().__init__(court)
        self._others: dict[str, set[str]] = {}

    def left(self, call: Call, paper: Paper | None) -> None:
        books = self.court.truth.venues[call.account].books
        self._others[call.tag] = {row.broker_id for row in books.orders.values() if not row.tag}

    def taken(self, call: Call, broker_id: str) -> None:
        request = call.request
        if not isinstance(request, PlaceRequest):
            return
        if request.qty > CAPS.order * LOT:
            self.court.breach("I-16", f"{call.tag} was taken with {request.qty // LOT} lots, the cap is {CAPS.order}")
        paper = self.court.by_tag.get(call.tag)
        if paper is not None and paper.risk == "INCREASE":
            lots = self._worst(call.account, self._others.get(call.tag, set())) // LOT
            if lots > self.court.caps.account:
                self.court.breach(
                    "I-16", f"{call.account} may come to {lots} lots, the cap is {self.court.caps.account}"
                )

    def _worst(self, account: str, known: set[str]) -> int:
        """Units open if every working order fills on the side that is worse, and what is in doubt is there.

        Of the orders of others only those count that were there when ours left; nobody can know of later ones.
        """
        sides: dict[str, list[int]] = {}
        venue = self.court.truth.venues[account]
        for (name, _product), qty in venue.held().items():
            both = sides.setdefault(name, [0, 0])
            both[0] += qty
            both[1] -= qty
        late = [row for row in venue.books.orders.values() if not row.tag and row.broker_id not in known]
        for order in late:
            both = sides.setdefault(order.contract, [0, 0])
            both[0] -= order.side.sign * order.filled
            both[1] += order.side.sign * order.filled
        for order in venue.books.all_working():
            if order in late:
                continue
            sides.setdefault(order.contract, [0, 0])[0 if order.side.sign > 0 else 1] += order.remaining
        for paper in self.court.papers.values():
            if paper.account == account and paper.in_doubt and not self.court.truth.tagged(account, paper.tag):
                sides.setdefault(paper.terms["contract"], [0, 0])[paper.terms["side"] != "BUY"] += paper.terms["qty"]
        return sum(max(*both, 0) for both in sides.values())
