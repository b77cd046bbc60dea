"""Sells the option that a break of the morning's range leaves behind."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from optconsole.engine.model.plugins import AnyAction, View
from optconsole.engine.strategies.plugin import EnterLeg, Entry, Legs, Memory, Parameters, Plugin, Skip, Wait


class OpeningRangeSeller(Plugin):
    """Notes the day's high and low at its entry time, then sells a put above the high or a call below the low, once."""

    name = "opening-range-seller"
    every = 5

    class Params(Parameters):
        """How far out is sold, and when the day is left alone."""

        steps: int = Field(1, ge=0, le=20, description="strikes out of the money that are sold")
        stop: int = Field(30, ge=1, le=500, description="stop of the sold leg in percent of its premium")
        lots: int = Field(1, ge=1, le=1000, description="lots of each leg, before the account's multiplier")
        widest: float = Field(1.0, gt=0, le=10, description="percent of the underlying above which no range is traded")
        buffer: float = Field(0.0, ge=0, le=5, description="percent beyond the range that counts as a break")

    def entry(self, view: View, memory: Memory) -> Entry:
        """Two lazy legs, of which a break enters one."""
        if view.high is None or view.low is None or view.spot is None:
            return Wait("the day's high and low are not known yet")
        width = (view.high - view.low) * 100 / view.spot
        if width > self.params.widest:
            return Skip(f"the range is {width:.2f} % wide")
        memory.update(high=view.high, low=view.low)
        sold = {"side": "sell", "lazy": True, "lots": self.params.lots, "stop": f"{self.params.stop}%"}
        strike = f"otm{self.params.steps}" if self.params.steps else "atm"
        legs = [{"id": leg, "right": right, "strike": strike, **sold} for leg, right in (("pe", "PE"), ("ce", "CE"))]
        return Legs(legs, f"the range is {view.low / 100:.2f} to {view.high / 100:.2f}")

    def look(self, view: View, memory: Memory) -> Iterable[AnyAction]:
        """Enter on the first break."""
        if view.spot is None or memory.get("broken"):
            return
        margin = view.spot * self.params.buffer / 100
        if view.spot > memory["high"] + margin:
            memory["broken"] = "high"
            yield EnterLeg(leg="pe", why=f"{view.spot / 100:.2f} is above the range")
        elif view.spot < memory["low"] - margin:
            memory["broken"] = "low"
            yield EnterLeg(leg="ce", why=f"{view.spot / 100:.2f} is below the range")
