"""I-19, bounded resources, and I-17, doubt that is told and stops new risk."""

from __future__ import annotations

from typing import Any, Final

from optconsole.engine.store.chain import StoredEvent
from tests.simulation.court import Court, Watcher

TASKS: Final = 16
TIMERS: Final = 24
INPUTS: Final = 1
"""A nudge of the engine's own timer may just have come."""
TOLD: Final = 5.0
DOUBT_ALARMS: Final = ("ORDER_UNKNOWN",)


class Bounds(Watcher):
    """What a life of the engine holds when a day is over and nothing is under way."""

    def counted(self, tasks: int, timers: int, inbox: int) -> None:
        """Judge the loop's own counters."""
        for what, count, most in (("tasks", tasks, TASKS), ("timers", timers, TIMERS), ("inputs", inbox, INPUTS)):
            if count > most:
                self.court.breach("I-19", f"{count} {what} at the end of the day, at most {most} may be left")


class Doubt(Watcher):
    """An order in doubt has its alarm within seconds, and no new risk joins it on its account."""

    def __init__(self, court: Court) -> None:
        super().__init__(court)
        self._untold: dict[str, float] = {}

    def stored(self, row: StoredEvent, body: dict[str, Any]) -> None:
        court = self.court
        match row.type:
            case "OrderDoubted":
                self._untold[body["order_id"]] = court.now
            case "NoticeRaised" if body["code"] in DOUBT_ALARMS:
                self._untold.pop(body["subject"], None)
            case "OrderIntended" if body["risk"] == "INCREASE":
                account = body["terms"]["account"]
                for paper in court.papers.values():
                    if paper.account == account and paper.risk == "INCREASE" and paper.in_doubt and paper.doubted:
                        court.breach("I-17", f"{body['order_id']} adds risk while {paper.order_id} is in doubt")
                        return

    def tick(self) -> None:
        court = self.court
        for name, at in list(self._untold.items()):
            if court.papers[name].ended or court.papers[name].broker_id:
                del self._untold[name]
            elif court.awake_for(at) > TOLD + 1:
                del self._untold[name]
                court.breach("I-17", f"{name} is in doubt and no alarm says so")

    def paused(self, seconds: float) -> None:
        self._untold = {name: at + seconds for name, at in self._untold.items()}
