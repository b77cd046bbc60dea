"""One account's way to Kite's REST: who asks is read anew at every request, what answers is judged in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from optconsole.brokers.transport.gateway import Credentials
from optconsole.brokers.transport.rest import Reply, RestClient, Unanswered
from optconsole.brokers.zerodha.envelope import payload
from optconsole.brokers.zerodha.settings import OTHERS
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import BrokerUnreachable, LoginLost

T = TypeVar("T")
API_KEY = "api_key"
API_SECRET = "api_secret"  # noqa: S105 - the name of a secret, not the secret
ACCESS_TOKEN = "access_token"  # noqa: S105


class KiteSession:
    """``reads`` is how the last read went: LIVE, DEAD, or STALE before any."""

    def __init__(self, client: RestClient, credentials: Credentials) -> None:
        self.client = client
        self._credentials = credentials
        self.reads = LinkState.STALE

    def key_and_token(self) -> tuple[str, str] | None:
        """The app's key and today's token; None where there is no login."""
        key, token = self._credentials.get(API_KEY), self._credentials.get(ACCESS_TOKEN)
        return (key.reveal(), token.reveal()) if key and token else None

    def headers(self) -> dict[str, str] | None:
        """What every request carries; None where there is no login."""
        pair = self.key_and_token()
        return None if pair is None else signed(*pair)

    async def read(
        self,
        what: str,
        path: str,
        kind: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        bucket: str = OTHERS,
        deadline: float | None = None,
    ) -> T:
        """The data of a GET. Raises BrokerUnreachable, LoginLost."""
        return await self.ask("GET", what, path, kind, params=params, bucket=bucket, deadline=deadline)

    async def ask(
        self,
        method: str,
        what: str,
        path: str,
        kind: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        bucket: str = OTHERS,
        deadline: float | None = None,
    ) -> T:
        """The data of any request that is no order. Raises BrokerUnreachable, LoginLost."""
        headers = self.headers()
        if headers is None:
            self.reads = LinkState.DEAD
            raise LoginLost("there is no login at Zerodha; log in with: optconsole broker login zerodha")
        try:
            reply: Reply = await self.client.call(
                method, path, bucket=bucket, params=params, form=form, json=json, headers=headers, deadline=deadline
            )
            data = payload(reply, what, kind)
        except Unanswered as silent:
            self.reads = LinkState.DEAD
            raise BrokerUnreachable(f"Zerodha gave no {what}: {silent.cause}") from None
        except BrokerUnreachable:
            self.reads = LinkState.DEAD
            raise
        self.reads = LinkState.LIVE
        return data


def signed(api_key: str, access_token: str) -> dict[str, str]:
    """The headers of a request in the name of a login."""
    return {"X-Kite-Version": "3", "Authorization": f"token {api_key}:{access_token}"}
