"""A short strangle that keeps its two deltas near one another by moving the side that has grown cheap."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, model_validator

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.plugins import AnyAction, LegView, View
from optconsole.engine.strategies.plugin import EnterLeg, Entry, ExitLeg, Legs, Memory, Parameters, Plugin, Wait

SIDES = (("ce", Right.CALL), ("pe", Right.PUT))


class StrangleRoller(Plugin):
    """Sells a call and a put of the same delta; when the deltas drift apart, closes the smaller and sells it nearer."""

    name = "strangle-roller"
    every = 60

    class Params(Parameters):
        """The delta that is sold, and when a side is moved."""

        delta: int = Field(20, ge=5, le=45, description="delta of each sold leg, in hundredths")
        drift: int = Field(15, ge=5, le=60, description="difference of the two deltas that moves a side, in hundredths")
        rolls: int = Field(3, ge=0, le=10, description="how often a side is moved in a day")
        stop: int = Field(100, ge=10, le=500, description="stop of each leg in percent of its premium")
        lots: int = Field(1, ge=1, le=1000, description="lots of each leg, before the account's multiplier")

        @model_validator(mode="after")
        def _sound(self) -> StrangleRoller.Params:
            if self.drift <= self.delta // 4:
                raise ValueError("a drift of a quarter of the delta or less would move a side at every turn")
            return self

    def entry(self, view: View, memory: Memory) -> Entry:
        """A call and a put, and for each the lazy leg that follows it."""
        if not any(row.delta is not None for row in view.chain):
            return Wait("no delta is known yet")
        sold = {"side": "sell", "lots": self.params.lots, "strike": f"delta {self.params.delta / 100:.2f}"}
        legs = []
        for leg, right in SIDES:
            written = {**sold, "right": right.value, "stop": f"{self.params.stop}%"}
            legs += [{"id": leg, **written}, {"id": f"{leg}-next", **written, "lazy": True}]
        return Legs(legs, "a strangle of equal deltas")

    def look(self, view: View, memory: Memory) -> Iterable[AnyAction]:
        """Move the side whose delta has fallen behind."""
        live = {side: self._live(view, side) for side, _ in SIDES}
        going = memory.get("going")
        if going:
            yield from self._on_the_way(going, live[going], memory)
            return
        call, put = (self._delta(view, live[side]) for side, _ in SIDES)
        if call is None or put is None or memory.get("rolls", 0) >= self.params.rolls:
            return
        if abs(call - put) < self.params.drift * 10:
            return
        side = "ce" if call < put else "pe"
        memory.update(going=side, entering=False, rolls=memory.get("rolls", 0) + 1)
        yield ExitLeg(leg=self._name(live[side]), why=f"deltas of {call / 1000:.2f} and {put / 1000:.2f} drifted apart")

    def _on_the_way(self, side: str, leg: LegView | None, memory: Memory) -> Iterable[AnyAction]:
        """The closed side is out before its follower is sold: never three sold legs at once."""
        if leg is None:
            memory["entering"] = True
            yield EnterLeg(leg=f"{side}-next", why="the side is sold again nearer to the money")
        elif memory.get("entering"):
            memory["going"] = ""
        elif leg.stage == "OPEN":
            yield ExitLeg(leg=leg.id, why="the side is to be moved")

    def _live(self, view: View, side: str) -> LegView | None:
        legs = (view.leg(side), view.leg(f"{side}-next"))
        return next((leg for leg in legs if leg is not None and (leg.units or leg.stage in ("DUE", "ENTERING"))), None)

    def _name(self, leg: LegView | None) -> str:
        return "" if leg is None else leg.id

    def _delta(self, view: View, leg: LegView | None) -> int | None:
        if leg is None or leg.stage != "OPEN":
            return None
        return next((row.delta for row in view.chain if row.contract == leg.contract), None)
