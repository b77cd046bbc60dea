"""An example of a strategy of one's own: sells the side that a gap at the open points to, and tightens its stop."""

from __future__ import annotations

from pydantic import Field

from optconsole.engine.strategies.plugin import ExitAll, Legs, MoveStop, Note, Parameters, Plugin, Skip, Wait


class GapFader(Plugin):
    """Sells a put after a rise since the open, a call after a fall, and brings the stop nearer as it earns."""

    name = "gap-fader"
    every = 60

    class Params(Parameters):
        least: float = Field(0.3, gt=0, le=5, description="percent of move since the open that is traded")
        stop: int = Field(40, ge=5, le=200, description="stop in percent of the premium")
        enough: int = Field(2000, ge=0, description="rupees of profit at which the day is over; 0 for never")

    def entry(self, view, memory):
        if view.spot is None or view.opened is None:
            return Wait("no price of the underlying yet")
        moved = (view.spot - view.opened) * 100 / view.opened
        if abs(moved) < self.params.least:
            return Skip(f"it moved {moved:+.2f} % only")
        right = "PE" if moved > 0 else "CE"
        return Legs([{"id": "short", "side": "sell", "right": right, "strike": "otm1", "stop": f"{self.params.stop}%"}])

    def look(self, view, memory):
        leg = view.leg("short")
        if self.params.enough and view.mtm is not None and view.mtm >= self.params.enough * 100:
            return [ExitAll(why="enough for a day")]
        if leg is None or not leg.units or leg.price is None:
            return []
        best = memory["best"] = min(memory.get("best", leg.entry), leg.price)
        wanted = best * (100 + self.params.stop) // 100
        if leg.stop is not None and wanted < leg.stop:
            return [MoveStop(leg="short", price=wanted), Note(why=f"the stop follows to {wanted / 100:.2f}")]
        return []
