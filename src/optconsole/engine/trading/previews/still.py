"""The market standing still for the length of a preview, so that all of its figures are of one instant."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

import msgspec

from optconsole.engine.market.master import ChainRow
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.pricing.ladder import Ladder, Side
from optconsole.engine.pricing.parity import parity_forward
from optconsole.engine.rules.leg_prices import Look
from optconsole.engine.trading.runs.scene import RunScene

_YEAR: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class StillScene(RunScene):
    """What was seen once is seen so again. Make one with ``stand_still``."""

    looks: dict[str, Look] = field(default_factory=dict)
    forwards: dict[tuple[str, date], float | None] = field(default_factory=dict)

    def look(self, name: str) -> Look:
        """A contract's price; while no minute of it has closed, its price now stands for that close."""
        known = self.looks.get(name)
        if known is None:
            known = RunScene.look(self, name)
            if known.close is None:
                known = msgspec.structs.replace(known, close=known.ltp)
            self.looks[name] = known
        return known

    def forward(self, underlying: str, expiry: date) -> float | None:
        """The forward of an expiry in paise: the future where it trades, else what calls and puts say together."""
        key = (underlying, expiry)
        if key not in self.forwards:
            self.forwards[key] = _forward(self, underlying, expiry)
        return self.forwards[key]

    def years(self, instrument: Instrument) -> float:
        """Years of 365 days until the contract's last trade."""
        return 0.0 if instrument.last_trade is None else max((instrument.last_trade - self.now) / _YEAR, 0.0)


def stand_still(scene: RunScene) -> StillScene:
    """The scene as it is now; while the market is closed the last known prices are taken for true."""
    situation, quote = scene.situation, scene.situation.quote
    if situation.phase is not MarketPhase.OPEN:
        situation = replace(situation, age=lambda name: None if quote(name) is None else 0.0)
    return StillScene(scene.state, scene.master, situation, scene.install, scene.days, scene.minutes, scene.up_since)


def _forward(scene: StillScene, underlying: str, expiry: date) -> float | None:
    future = scene.master.future(underlying, expiry)
    price = None if future is None else scene.look(future.name).ltp
    if price is not None:
        return float(price)
    chain = scene.master.chain(underlying, expiry)
    listed = [each for _, *pair in chain for each in pair if each is not None]
    if not listed:
        return None
    ladder = Ladder(tuple(row[0] for row in chain), _side(scene, chain, 1), _side(scene, chain, 2))
    return parity_forward(ladder, scene.years(listed[0]), 0.0).value


def _side(scene: StillScene, chain: list[ChainRow], column: int) -> Side:
    looks = []
    for row in chain:
        listed = row[1] if column == 1 else row[2]
        looks.append(None if listed is None else scene.look(listed.name))
    return Side(
        bid=tuple(None if look is None else look.bid for look in looks),
        ask=tuple(None if look is None else look.ask for look in looks),
        ltp=tuple(None if look is None else look.ltp for look in looks),
    )
