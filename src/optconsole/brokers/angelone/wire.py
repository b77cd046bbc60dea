"""One account's way over HTTP: headers from the secrets of this moment, one request, one reading of the answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from optconsole.brokers.angelone.envelope import Fault, Held, Kind, read
from optconsole.brokers.angelone.settings import AngelSettings
from optconsole.brokers.angelone.tally import Tally
from optconsole.brokers.transport.gateway import Credentials
from optconsole.brokers.transport.rest import Reply, RestClient, Unanswered
from optconsole.engine.clock import Clock
from optconsole.engine.model.secrets import MASK, Secret
from optconsole.engine.ports import BrokerUnreachable, LoginLost

API_KEY: Final = "api_key"
CLIENT_CODE: Final = "client_code"
ACCESS: Final = "access_token"
"""The JWT, without ``Bearer``."""
REFRESH: Final = "refresh_token"
FEED: Final = "feed_token"

SECRETS: Final = (API_KEY, ACCESS, REFRESH, FEED, "pin", "totp_seed")

ORDERS: Final = "/rest/secure/angelbroking/order/v1"
USER: Final = "/rest/secure/angelbroking/user/v1"
AUTH: Final = "/rest/auth/angelbroking"
DEAD_LOGIN: Final = "Angel One no longer takes this login; run `optconsole broker login angelone`."
NO_LOGIN: Final = "There is no login at Angel One today; run `optconsole broker login angelone`."


class Wire:
    """The REST interface of one account. Raises Refusal for addresses that cannot be used safely."""

    def __init__(
        self,
        settings: AngelSettings,
        credentials: Credentials,
        clock: Clock,
        roots: Path | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._tally = tally
        self._settings = settings
        self._credentials = credentials
        self._dead: Secret | None = None
        """The token that the broker last refused: it is not sent again (B08), another is used at once."""
        self._rest = RestClient(
            settings.rest_url, clock, deadline=settings.deadline, budgets=settings.budgets, roots=roots
        )

    async def close(self) -> None:
        await self._rest.close()

    def latencies(self) -> tuple[float, float] | None:
        return self._rest.latencies()

    def secret(self, name: str) -> str:
        """A secret's text for the wire. Raises LoginLost where it is not set."""
        found = self._credentials.get(name)
        if not found:
            raise LoginLost(NO_LOGIN)
        return found.reveal()

    def _token(self) -> str:
        text = self.secret(ACCESS)
        if self._dead is not None and self._dead == Secret(text):
            raise LoginLost(DEAD_LOGIN)
        return text

    @property
    def client_code(self) -> str:
        found = self._credentials.get(CLIENT_CODE)
        return self._settings.client_id or (found.reveal() if found else "")

    def headers(self, signed: bool = True) -> dict[str, str]:
        """What every request carries. Raises LoginLost."""
        found = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-UserType": "USER",
            "X-SourceID": "WEB",
            "X-PrivateKey": self.secret(API_KEY),
            "X-ClientLocalIP": self._settings.local_ip,
            "X-ClientPublicIP": self._settings.public_ip,
            "X-MACAddress": self._settings.mac,
        }
        if signed:
            found["Authorization"] = f"Bearer {self._token()}"
        return found

    def socket_headers(self) -> dict[str, str]:
        """What both sockets are opened with; empty without a login."""
        try:
            return {
                "Authorization": f"Bearer {self._token()}",
                "x-api-key": self.secret(API_KEY),
                "x-client-code": self.client_code,
                "x-feed-token": self.secret(FEED),
            }
        except LoginLost:
            return {}

    async def send(
        self, method: str, path: str, bucket: str, body: Any = None, signed: bool = True, timed: bool = False
    ) -> Held | Fault:
        """One request as it is. Raises Unanswered, and LoginLost before anything is sent."""
        headers = self.headers(signed)
        reply = await self._rest.call(method, path, bucket=bucket, json=body, headers=headers, timed=timed)
        answer = read(reply)
        if isinstance(answer, Held):
            return answer
        # a refusal may repeat what was sent, and is shown and kept
        answer = replace(answer, text=self._masked(answer.text, body))
        if signed and answer.kind is Kind.SESSION:
            self._dead = Secret(headers["Authorization"].removeprefix("Bearer "))
        if self._tally is not None and answer.kind is Kind.UNREADABLE:
            self._tally.note("BAD_ANSWER", f"{answer.text} ({method} {path}).", self._masked(reply.text(400), body))
        return answer

    def _masked(self, said: str, body: Any) -> str:
        """What the broker said, without secrets of ours."""
        held = [self._credentials.get(name) for name in SECRETS]
        given = [body.get(name) for name in ("password", "totp")] if isinstance(body, dict) else []
        for text in [*(each.reveal() for each in held if each), *(each for each in given if each)]:
            said = said.replace(text, MASK)
        return said

    async def get(self, path: str, bucket: str, nothing: str = "") -> Any:
        """The data of a book; None where there is none, which code ``nothing`` says as well.

        Raises BrokerUnreachable, LoginLost.
        """
        return await self._asked("GET", path, bucket, None, nothing)

    async def post(self, path: str, bucket: str, body: Any) -> Any:
        """The data of a question that has a body. Raises BrokerUnreachable, LoginLost."""
        return await self._asked("POST", path, bucket, body, "")

    async def file(self, url: str, deadline: float) -> Reply:
        """A public file, asked for up to three times and without any secret. Raises Unanswered."""
        return await self._rest.read("GET", url, deadline=deadline)

    async def _asked(self, method: str, path: str, bucket: str, body: Any, nothing: str) -> Any:
        try:
            answer = await self.send(method, path, bucket, body)
        except Unanswered as silence:
            raise BrokerUnreachable(f"Angel One: {silence.cause}") from None
        if isinstance(answer, Held):
            return answer.data
        if answer.kind is Kind.SESSION:
            raise LoginLost(answer.text)
        if nothing and answer.code == nothing:
            return None
        raise BrokerUnreachable(answer.text)
