"""Shoonya's REST wire for one account: whose request it is, its token, its pace, and what its answer means."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from optconsole.brokers.shoonya import bodies, replies
from optconsole.brokers.shoonya.replies import Row, Said, masked, understand
from optconsole.brokers.shoonya.settings import ShoonyaSettings
from optconsole.brokers.transport.gateway import Credentials, Evidence
from optconsole.brokers.transport.pace import Budget, Pace
from optconsole.brokers.transport.rest import RestClient, Unanswered
from optconsole.engine.clock import Clock
from optconsole.engine.model.secrets import Secret
from optconsole.engine.ports import (
    LOGIN_LOST,
    BrokerUnreachable,
    Doubtful,
    LoginLost,
    NotSent,
    PlaceOutcome,
    Rejected,
)

BOOK: Final = "book"
QUOTES: Final = "quotes"
SECOND: Final = 1.25
"""What we take for a second of orders: those of two seconds must not arrive within one, being late on their way."""
NO_LOGIN: Final = "There is no login to Shoonya. Log in first."
_ENDED: Final = "Shoonya ended the login. Log in again."


class Wire:
    """Asks Shoonya in the name of one user.

    A token that Shoonya has refused is not shown to it again: everything waits for another one.
    """

    def __init__(
        self,
        settings: ShoonyaSettings,
        credentials: Credentials,
        clock: Clock,
        evidence: Evidence,
        roots: Path | None = None,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._evidence = evidence
        self._refused: Secret | None = None
        self.rest = RestClient(
            settings.rest_url,
            clock,
            deadline=settings.deadline,
            budgets={
                BOOK: (Budget(settings.reads_a_second, 1.0), _spread(settings.reads_a_minute)),
                QUOTES: (Budget(settings.reads_a_second, 1.0), _spread(settings.quotes_a_minute)),
            },
            roots=roots,
        )
        self._orders = Pace(clock, Budget(settings.orders_a_second, SECOND))
        self._minute = Pace(clock, Budget(settings.orders_a_minute, 60.0))
        self.readable: bool | None = None
        """Whether the last read was answered; None before the first."""

    # ------------------------------------------------------------ who asks

    @property
    def user(self) -> str:
        return self._settings.user or self._named("user_id")

    @property
    def account(self) -> str:
        """The account within the login; nearly always the user himself."""
        return self._named("account_id") or self.user

    def token(self) -> Secret | None:
        """The token of this moment; None without a login and for one that Shoonya has refused."""
        token = self._credentials.get("access_token")
        return None if not token or token == self._refused else token

    @property
    def login_lost(self) -> bool:
        """Whether the token we have was refused."""
        return self._refused is not None and self._credentials.get("access_token") == self._refused

    def refuse(self, token: Secret | None) -> None:
        """Shoonya no longer takes this token."""
        self._refused = token

    def _named(self, name: str) -> str:
        secret = self._credentials.get(name)
        return secret.reveal() if secret else ""

    # ------------------------------------------------------------ reads

    async def rows(self, endpoint: str, fields: Mapping[str, object], what: str, bucket: str = BOOK) -> list[Row]:
        """The rows of a list endpoint; empty only by Shoonya's exact text. Raises LoginLost, BrokerUnreachable."""
        return self._read(await self._ask(endpoint, fields, what, bucket), what, replies.rows)

    async def fields(self, endpoint: str, fields: Mapping[str, object], what: str, bucket: str = BOOK) -> Row:
        """The object of an endpoint that answers with one. Raises LoginLost, BrokerUnreachable."""
        return self._read(await self._ask(endpoint, fields, what, bucket), what, replies.fields)

    async def said(self, endpoint: str, fields: Mapping[str, object], what: str, *, keyed: bool = False) -> Said:
        """A reply of a shape of its own; ``keyed`` endpoints want the token in the body as well."""
        return await self._ask(endpoint, fields, what, BOOK, keyed=keyed)

    async def _ask(
        self, endpoint: str, fields: Mapping[str, object], what: str, bucket: str, *, keyed: bool = False
    ) -> Said:
        token = self.token()
        if token is None:
            raise LoginLost(_ENDED if self.login_lost else NO_LOGIN)
        content = bodies.body({"uid": self.user, **fields})
        if keyed:
            content += b"&jKey=" + token.reveal().encode()
        try:
            reply = await self.rest.call(
                "POST", f"/{endpoint}", bucket=bucket, content=content, headers=self._headers(token)
            )
        except Unanswered as silence:
            self.readable = False
            raise BrokerUnreachable(f"Shoonya's {what}: {silence.cause}.") from None
        said = understand(reply.status, masked(reply.body, token))
        if said.login_dead:
            self.refuse(token)
        return said

    def _read(self, said: Said, what: str, read: Callable[[Said, str], replies.R]) -> replies.R:
        self.readable = False
        found = read(said, what)
        self.readable = True
        return found

    # ------------------------------------------------------------ orders

    async def order(
        self, endpoint: str, fields: Mapping[str, object], judge: Callable[[Said], PlaceOutcome]
    ) -> PlaceOutcome:
        """Send an order call once and say what became of it."""
        token = self.token()
        if token is None:
            return Rejected(LOGIN_LOST, _ENDED if self.login_lost else NO_LOGIN)
        if not await self._turn():
            return NotSent("Shoonya's order rate is used up; it was not sent.", held=True)
        try:
            reply = await self.rest.call(
                "POST", f"/{endpoint}", content=bodies.body(fields), headers=self._headers(token), timed=True
            )
        except Unanswered as silence:
            return Doubtful(silence.cause) if silence.sent else NotSent(silence.cause)
        answer = masked(reply.body, token)
        said = understand(reply.status, answer)
        outcome = judge(said)
        if said.login_dead:
            self.refuse(token)
        if isinstance(outcome, Doubtful):
            self._evidence("UNCLEAR_ANSWER", f"{endpoint} was answered with {reply.status}.", answer[:2000])
        return outcome

    async def _turn(self) -> bool:
        """Wait for a turn among orders, and say whether it came in time.

        What Shoonya takes in a minute is a sister's figure: it slows us down, and never keeps an exit from leaving.
        """
        patience = self._settings.longest_wait
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._minute.turn()
        try:
            async with asyncio.timeout(patience):
                await self._orders.turn()
        except TimeoutError:
            return False
        return True

    @staticmethod
    def _headers(token: Secret) -> dict[str, str]:
        return {"Authorization": f"Bearer {token.reveal()}", "Content-Type": bodies.CONTENT_TYPE}

    async def close(self) -> None:
        await self.rest.close()


def _spread(calls_a_minute: int) -> Budget:
    """A minute's calls in sixths: after a burst of them nobody waits for longer than ten seconds."""
    return Budget(max(1, calls_a_minute // 6), 10.0)
