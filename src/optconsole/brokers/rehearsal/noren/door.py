"""How one gets in: the browser's page, which hands out a code, and the call that takes a code for a token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from optconsole.brokers.rehearsal.noren.body import Body
from optconsole.brokers.rehearsal.noren.logins import Logins, grant_reply
from optconsole.brokers.rehearsal.noren.replies import BAD_VERIFIER, Row, not_ok, page
from optconsole.brokers.rehearsal.wire import Request, Response, plain

PAGES: Final = ("/OAuthlogin/investor-entry-level/login", "/OAuthlogin/authorize/oauth")
REDIRECT: Final = "http://127.0.0.1/shoonya"


def is_page(request: Request) -> bool:
    """Whether the browser's login is asked for."""
    return request.path.rstrip("/") in PAGES


class Door:
    """``redirect`` is where the page sends the browser back to."""

    def __init__(self, logins: Logins, redirect: str, now: Callable[[], datetime]) -> None:
        self._logins, self._redirect, self._now = logins, redirect, now

    def path(self) -> str:
        """The page's address for this client."""
        client = self._logins.client
        return f"{PAGES[0]}?{urlencode({'api_key': client.client_id, 'route_to': client.uid})}"

    def page(self, request: Request) -> Response:
        """Password and OTP are passed already: the browser goes back with a code."""
        if (request.asked("api_key") or request.asked("client_id")) != self._logins.client.client_id:
            return plain(page("Access Restricted for API Only Users"), 403, "text/html")
        target = f"{self._redirect}?{urlencode({'code': self._logins.code()})}"
        return Response(302, b"", (("location", target), ("content-type", "text/html")))

    def token(self, body: Body) -> Row:
        """The answer of GenAcsTok."""
        grant = self._logins.exchange(body.word("code"), body.word("checksum"))
        if grant is None:
            return {**not_ok(self._now(), BAD_VERIFIER), "uid": body.word("uid")}
        return grant_reply(self._logins.client, grant)
