"""I-25, time validity: nothing leaves after it has expired, no entry outside the session; by the true time."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from optconsole.engine.ports import PlaceRequest
from tests.simulation.broker import Call
from tests.simulation.court import Watcher
from tests.simulation.papers import Paper

OLD: Final = 15.0
"""Seconds after which an entry meets another market: five to be decided, five to leave, and a slow store."""


class Hours(Watcher):
    """Looks at each order as it leaves."""

    def left(self, call: Call, paper: Paper | None) -> None:
        request, court = call.request, self.court
        if paper is None or not isinstance(request, PlaceRequest) or paper.risk != "INCREASE":
            return
        moment = court.clock.now()
        hours = court.truth.venues[call.account].exchange._exchange.rules.trading(request.instrument, moment.date())
        if hours is None or not hours[0] <= moment < hours[1]:
            court.breach("I-25", f"{call.tag} left at {moment:%H:%M:%S}, outside the session")
        asked = court.asked_at.get(paper.cause)
        if asked is not None and not paper.parent and court.now - asked > OLD:
            court.breach("I-25", f"{call.tag} left {court.now - asked:.0f} s after it was asked for")
        if paper.valid_until is None:
            court.breach("I-25/valid-until", f"{call.tag} opens risk and says not until when it may leave")
        elif moment > datetime.fromisoformat(paper.valid_until):
            court.breach("I-25/valid-until", f"{call.tag} left at {moment}, it was valid until {paper.valid_until}")
