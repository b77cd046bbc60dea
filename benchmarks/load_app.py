"""The console under load: the real app and its real Positions screen on a link that makes quotes.

The link is the tests' stage with the engine's own quote board and tap behind it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import date, datetime
from pathlib import Path

# as the program's own door does
os.environ.setdefault("TEXTUAL_FPS", "1000")

import msgspec

from benchmarks.load import Load, echo, options
from optconsole.app import ConsoleApp, ConsoleOptions
from optconsole.engine import queries as q
from optconsole.engine.clock import WallClock
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Side
from optconsole.engine.model.timeline import IST
from optconsole.engine.model.vitals import Vitals
from optconsole.engine.tap import ConflatedTap
from optconsole.screens import positions
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.stage import StageLink, instrument, placed

NEAR = date(2026, 11, 25)


class LoadLink(StageLink):
    """A stage that holds every contract of the load and taps its board."""

    def __init__(self, load: Load) -> None:
        held = enumerate(load.holdings, start=1)
        super().__init__(
            fact
            for number, holding in held
            for fact in placed(
                number,
                holding.name,
                Side.BUY if holding.qty > 0 else Side.SELL,
                abs(holding.qty) // 65,
                holding.price,
            )
        )
        self.instruments = [instrument("NIFTY", NEAR, each.strike * 100, Right(each.right)) for each in load.holdings]
        self.answers[q.ListUnderlyings] = q.UnderlyingList(
            underlyings=(q.Underlying(name="NIFTY", exchange="NSE", expiries=(NEAR,), monthly=(True,)),)
        )
        self._load = load
        self._clock = WallClock()

    def vitals_now(self) -> Vitals:
        return msgspec.structs.replace(self.vitals, now=datetime.now(IST), quotes_per_second=float(self._load.rate))

    def tap(self, hz: float) -> ConflatedTap:  # type: ignore[override]
        return ConflatedTap(self._load.board, self._clock, self.vitals_now, hz)


class EchoGrid(QuoteGrid):
    """The grid, saying on the fact line that the cursor has moved, in the same paint."""

    moves = 0
    load: Load

    def action_cursor(self, step: int) -> None:
        super().action_cursor(step)
        self.moves += 1
        if isinstance(self.app, ConsoleApp):
            self.app.say(echo(self.moves, self.load.made))


class LoadConsole(ConsoleApp):
    """The console on a load instead of an engine."""

    def __init__(self, load: Load, options: ConsoleOptions) -> None:
        link = LoadLink(load)

        async def reach() -> tuple[LoadLink, object]:
            self._making = asyncio.create_task(load.run())
            return link, link.close

        super().__init__(reach, options)  # type: ignore[arg-type]


def main() -> None:
    args = options("The console under load.")
    if args.alone:
        positions.PositionsScreen.make_companion = lambda _screen: None  # type: ignore
    looks = ConsoleOptions(home=Path(args.home), theme=args.theme, hz=args.hz)
    EchoGrid.load = Load(args.rows, args.rate)
    positions.QuoteGrid = EchoGrid  # type: ignore[misc]
    LoadConsole(EchoGrid.load, looks).run()


if __name__ == "__main__":
    sys.exit(main())
