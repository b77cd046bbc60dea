"""B22, parts of one parent together never come to more than it; O08, no part as large as the published freeze."""

from __future__ import annotations

from typing import Any

from optconsole.engine.ports import PlaceRequest
from optconsole.engine.store.chain import StoredEvent
from tests.simulation.broker import Call
from tests.simulation.court import Court, Watcher
from tests.simulation.lots import CAPS
from tests.simulation.market import LOT
from tests.simulation.papers import Paper


class Parents(Watcher):
    """Orders that were cut, judged by what the exchange has of all their parts."""

    def __init__(self, court: Court) -> None:
        super().__init__(court)
        self._whole: dict[str, int] = {}

    def stored(self, row: StoredEvent, body: dict[str, Any]) -> None:
        if row.type != "ParentOpened":
            return
        qty = self._whole[body["parent_id"]] = body["terms"]["qty"]
        if body["terms"]["note"] != "reverse" and qty > CAPS.order * LOT:
            self.court.breach("I-16", f"{body['parent_id']} of {qty // LOT} lots was taken, the cap is {CAPS.order}")

    def left(self, call: Call, paper: Paper | None) -> None:
        request = call.request
        if isinstance(request, PlaceRequest) and request.qty >= request.instrument.freeze:
            self.court.breach("O08", f"{call.tag} left with {request.qty}, the freeze is {request.instrument.freeze}")

    def taken(self, call: Call, broker_id: str) -> None:
        court, paper = self.court, self.court.by_tag.get(call.tag)
        if paper is None or paper.parent not in self._whole:
            return
        parts = [part for part in court.papers.values() if part.parent == paper.parent]
        rows = [row for part in parts for row in court.truth.tagged(part.account, part.tag)]
        total = sum(row.filled if row.status.final else row.qty for row in rows)
        if total > self._whole[paper.parent]:
            court.breach("B22", f"the parts of {paper.parent} may fill {total} of {self._whole[paper.parent]}")
