"""The morning's logins: asked for before the market opens, or made by the engine where all that one takes is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Final, NoReturn

from optconsole.engine.clock import Clock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import IST
from optconsole.engine.observe.log import incident
from optconsole.runtime.logins import DOORS, log_in
from optconsole.runtime.strongroom import Strongroom
from optconsole.sections import BrokerAccount

ASKED: Final = (timedelta(minutes=45), timedelta(minutes=10))
"""How long before the open a login that is missing is asked for, each time once."""
LOOK_SECONDS: Final = 20.0
TOKEN: Final = "access_token"  # noqa: S105 - the name of one


class LoginWatch:
    """Looks after logins at brokers. ``clock`` is the market's; ``tell`` takes a notice's code and text."""

    def __init__(
        self,
        accounts: Mapping[str, BrokerAccount],
        strongroom: Strongroom,
        calendar: Calendar,
        clock: Clock,
        tell: Callable[[str, str], None],
    ) -> None:
        self._accounts = {name: account for name, account in accounts.items() if account.broker in DOORS}
        self._strongroom = strongroom
        self._calendar = calendar
        self._clock = clock
        self._tell = tell
        self._told: dict[str, tuple[date, int]] = {}
        self._tried: dict[str, date] = {}
        self._locked_told = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on."""
        self._task = asyncio.create_task(self.run(), name="logins")

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # the next look must come whatever this one met
                incident("logins", error)
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask for, or make, what is missing now."""
        if not self._accounts:
            return
        vault = self._strongroom.vault
        if not vault.unlocked:
            if not self._locked_told:
                self._locked_told = True
                what = (
                    "is locked; open it: optconsole unlock" if vault.exists else "is not made: optconsole secrets init"
                )
                self._tell("VAULT_LOCKED", f"No broker can be reached: the vault {what}.")
            return
        self._locked_told = False
        now = self._clock.now().astimezone(IST)
        for name, account in self._accounts.items():
            turn = self._turn(now)
            if turn and not self._strongroom.credentials(name).get(TOKEN):
                await self._miss(name, account, now.date(), turn)

    def _turn(self, now: datetime) -> int:
        """How urgent a missing login is: 0 not yet, 1 before the open, 2 shortly before it and while the market is."""
        session = self._calendar.session(now.date())
        if session is None or now >= session.closes:
            return 0
        return sum(now >= session.opens - before for before in ASKED)

    async def _miss(self, name: str, account: BrokerAccount, day: date, turn: int) -> None:
        if self._alone(name, account) and self._tried.get(name) != day:
            # once a day: a PIN that is wrong too often locks the account
            self._tried[name] = day
            try:
                await self._log_in(name, account)
                return
            except Refusal as refusal:
                self._tell("LOGIN_FAILED", f"{name}: {refusal.text} Log in: optconsole broker login {name}")
        if self._told.get(name) != (day, turn):
            self._told[name] = day, turn
            title = DOORS[account.broker].title
            self._tell("LOGIN_NEEDED", f"{name} has no login at {title} for today: optconsole broker login {name}")

    def _alone(self, name: str, account: BrokerAccount) -> bool:
        """Whether the trader has stored all that a login needs, a second factor's seed among it."""
        enough, stored = DOORS[account.broker].enough, self._strongroom.credentials(name)
        return bool(enough) and bool(account.client_id) and all(stored.get(each) for each in enough)

    async def _log_in(self, name: str, account: BrokerAccount) -> None:
        # by the world's time: authenticators and tokens go by it, also where a rehearsed market lives in another
        login = await log_in(account, self._strongroom.credentials(name), _nobody, self._strongroom.clock)
        await asyncio.to_thread(self._strongroom.vault.put, name, login.secrets, login.expires_at)
        self._tell("LOGIN_MADE", f"{name} is logged in until {login.expires_at.astimezone(IST):%d %b %H:%M}.")


def _nobody(_question: str, _secret: bool) -> NoReturn:
    raise Refusal("NO_ANSWER", "The broker asked for something that is not stored.")
