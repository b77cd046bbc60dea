"""What every screen is given: the mirror, the pulse, the formats, the keys, and the way to ask the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from optconsole.engine.clock import WallClock, fresh_id
from optconsole.engine.commands import AnyCommand, EngageKill, Reply
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.vitals import Vitals
from optconsole.engine.queries import (
    AnyAnswer,
    AnyQuery,
    FindInstruments,
    InstrumentList,
    ListUnderlyings,
    Refused,
    Underlying,
    UnderlyingList,
)
from optconsole.link.protocol import LinkLost
from optconsole.screens.formats import Formats
from optconsole.screens.keymap import Keymap
from optconsole.screens.mirror import Mirror
from optconsole.screens.presses import Debounce
from optconsole.screens.pulse import Pulse
from optconsole.screens.troubles import Trouble, troubles

HEADER_INDICES = 3
VIX = "INDIAVIX"
"""The name under which a feed quotes India VIX, in points times 100."""


@dataclass
class Deck:
    """The console's shared parts. ``monotonic`` is seconds for debouncing and ages of the link, never trading time."""

    mirror: Mirror
    pulse: Pulse
    fmt: Formats = field(default_factory=Formats)
    keymap: Keymap = field(default_factory=Keymap)
    remote: bool = False
    attached: bool = False
    monotonic: Callable[[], float] = field(default_factory=lambda: WallClock().monotonic)
    fresh_id: Callable[[], str] = fresh_id
    debounce: Debounce = field(default_factory=Debounce)
    underlyings: tuple[Underlying, ...] = ()
    instruments: dict[str, Instrument] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    """Lines typed on the ``:`` line, oldest first."""
    greeks: dict[str, tuple[float, float]] = field(default_factory=dict)
    """(delta, theta in paise a day) of contracts, as a screen solved them last."""
    _weighed: tuple[Vitals | None, int, list[Trouble]] = field(default=(None, -1, []), init=False)
    """The troubles, of which vitals, after which fact."""

    async def submit(self, command: AnyCommand) -> Reply:
        """Ask the engine to act; a lost link answers as a refusal with code LINK_LOST."""
        try:
            return await self.mirror.link.submit(command)
        except LinkLost:
            text = "The link to the engine is lost: whether this was done is unknown until it is back."
            return Reply(ok=False, code="LINK_LOST", text=text)

    async def query(self, query: AnyQuery) -> AnyAnswer:
        """Ask the engine a question; a lost link answers Refused with code LINK_LOST."""
        try:
            return await self.mirror.link.query(query)
        except LinkLost:
            return Refused(code="LINK_LOST", text="The link to the engine is lost.")

    async def kill(self) -> Reply:
        """Cancel everything, flatten, refuse new risk."""
        return await self.submit(EngageKill(id=self.fresh_id(), actor="key:kill", why="kill chord"))

    async def ask_funds(self) -> None:
        """Read what the broker says on money; a lost link is noted in the mirror."""
        try:
            await self.mirror.refresh_funds()
        except LinkLost as lost:
            self.mirror.lose(str(lost))

    async def learn(self) -> None:
        """Read what is listed: underlyings for the chain and for the header, which is then fed with them."""
        answer = await self.query(ListUnderlyings())
        if isinstance(answer, UnderlyingList):
            self.underlyings = answer.underlyings
        self.pulse.always = (*self.indices, VIX)
        self.pulse.rewatch()

    async def contracts(self, underlying: str, expiry: date | None = None) -> tuple[Instrument, ...]:
        """Listed contracts of an underlying, remembered in ``instruments``; empty when the engine cannot say."""
        answer = await self.query(FindInstruments(underlying=underlying, expiry=expiry))
        if not isinstance(answer, InstrumentList):
            return ()
        self.instruments.update((instrument.name, instrument) for instrument in answer.instruments)
        return answer.instruments

    @property
    def indices(self) -> tuple[str, ...]:
        """Spot names that the header shows."""
        return tuple(underlying.name for underlying in self.underlyings[:HEADER_INDICES])

    def troubles(self) -> list[Trouble]:
        """What is lost or in doubt now, the gravest first."""
        vitals, seq = self.mirror.vitals, self.mirror.state.seq
        if vitals is None:
            return []
        if self._weighed[0] is not vitals or self._weighed[1] != seq:
            self._weighed = (vitals, seq, troubles(self.mirror.state, vitals, self.fmt))
        return self._weighed[2]

    @property
    def mode(self) -> str:
        """The role of the frame: halted beats live, live beats replay, replay beats paper."""
        state = self.mirror.state
        if state.killed:
            return "halted"
        modes = {book.account.mode for book in state.accounts.values()}
        if Mode.LIVE in modes:
            return "live"
        return "replay" if Mode.REPLAY in modes or state.world.startswith("replay") else "paper"

    def lot_of(self, contract: str) -> int:
        """Units in a lot: from the instrument, else from a position held; 0 when unknown."""
        if (instrument := self.instruments.get(contract)) is not None:
            return instrument.lot
        for position in self.mirror.state.positions.values():
            if position.key.contract == contract:
                return position.lot
        return 0
