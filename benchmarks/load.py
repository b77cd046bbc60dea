"""The same load for every program measured: contracts held, and quotes of them drawn at random, so many a second."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from dataclasses import dataclass

from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.model.quotes import Quote

STEP = 0.01
"""Seconds between batches of quotes: a feed brings many in one frame."""
LOT = 65
EXPIRY = "25NOV26"
_DRAWS = 65_536


@dataclass(frozen=True)
class Holding:
    """One position. ``qty`` is signed units, ``price`` and ``charges`` paise."""

    name: str
    strike: int
    right: str
    qty: int
    price: int
    charges: int = 1_804


def holdings(rows: int) -> list[Holding]:
    """Calls and puts of as many strikes as it takes, long and short in turn."""
    lowest = 24_500 - 50 * (rows // 4)
    made = []
    for index in range(rows):
        strike, right = lowest + 50 * (index // 2), "CE" if index % 2 else "PE"
        qty = LOT * (1 + index % 3) * (1 if index % 4 < 2 else -1)
        made.append(Holding(f"NIFTY {EXPIRY} {strike} {right}", strike, right, qty, 10_000 + index * 35))
    return made


class Load:
    """Quotes on a board, ``rate`` a second, uniformly random over the rows; prices move both ways."""

    def __init__(self, rows: int, rate: int, seed: int = 7) -> None:
        self.board = QuoteBoard()
        self.holdings = holdings(rows)
        self.made = 0
        self.rate = rate
        draw = random.Random(seed)  # noqa: S311 - the same quotes for every program
        self._draws = [(draw.randrange(rows), draw.choice((-1, 1)) * 5 * draw.randrange(1, 40)) for _ in range(_DRAWS)]
        self._prices = [holding.price for holding in self.holdings]
        now = round(time.time() * 1000)
        self.board.update([self._quote(index, now) for index in range(rows)])

    async def run(self) -> None:
        """Make quotes for ever, keeping the average rate however late the loop is."""
        start, made = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - start) * self.rate)
            now = round(time.time() * 1000)
            batch = []
            for place in range(made, due):
                index, move = self._draws[place % _DRAWS]
                self._prices[index] = max(self._prices[index] + move, 500)
                batch.append(self._quote(index, now))
            self.board.update(batch)
            made = self.made = due
            await asyncio.sleep(STEP)

    def _quote(self, index: int, now: int) -> Quote:
        last = self._prices[index]
        name = self.holdings[index].name
        return Quote(name, now, last - 5, 650, last + 10, 1_235, last, 125_000, 1_300_000, 1_290_000, last + 300)


def options(description: str) -> argparse.Namespace:
    """``--rows --rate --hz --home --theme --alone``: what the programs under load take."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--rate", type=int, default=5_000, help="quotes a second")
    parser.add_argument("--hz", type=float, default=10.0, help="beats a second")
    parser.add_argument("--home", default=os.devnull, help="folder of the console's own files; by default none")
    parser.add_argument("--theme", default=None)
    parser.add_argument("--alone", action="store_true", help="positions over the whole width, without the chain beside")
    return parser.parse_args()


def echo(keys: int, quotes: int) -> str:
    """What a program shows once a key has moved the cursor; ``screens.py`` waits for it."""
    return f"K{keys:06d}/{quotes:010d}K"
