"""Who is let in: the headers every request must bring, and the credentials of the two streams."""

from __future__ import annotations

import hmac
from typing import Final

from optconsole.brokers.rehearsal.smartapi import routes
from optconsole.brokers.rehearsal.smartapi.sessions import Denied, Sessions, Tokens
from optconsole.brokers.rehearsal.smartapi.stream import TickStream
from optconsole.brokers.rehearsal.smartapi.updates import UpdateStream
from optconsole.brokers.rehearsal.wire import Request, Response, plain

NEEDED: Final = ("x-usertype", "x-sourceid", "x-clientlocalip", "x-clientpublicip", "x-macaddress")
"""Headers that must be there; nobody looks at what they say."""
_EXPIRED: Final = "AG8002"


class Door:
    """Judges requests and handshakes."""

    def __init__(self, sessions: Sessions, ticks: TickStream, updates: UpdateStream) -> None:
        self._sessions, self._ticks, self._updates = sessions, ticks, updates

    def headers(self, request: Request) -> None:
        """Raises Denied."""
        missing = [name for name in NEEDED if not request.headers.get(name)]
        if missing:
            raise Denied("AG8003", f"Missing header {missing[0]}")
        if not self._api_key(request.headers.get("x-privatekey", "")):
            raise Denied("AG8004", "Invalid API Key")

    def welcome(self, request: Request) -> Response | None:
        """A refusal of a handshake, or None."""
        if request.path == routes.TICKS:
            wrong = self._wrong_with_ticks(request)
            return _unauthorised(wrong) if wrong else _too_many() if self._ticks.full else None
        if request.path == routes.UPDATES:
            try:
                self._sessions.known(request.headers.get("authorization", ""))
            except Denied as refused:
                return plain(refused.message, 403 if refused.code == _EXPIRED else 401)
            return _too_many() if self._updates.full else None
        return plain("<html><body><h1>404 Not Found</h1></body></html>", 404, "text/html")

    def refused(self, request: Request) -> Response:
        """How a handshake with a dead login is refused."""
        return _unauthorised("Auth token") if request.path == routes.TICKS else plain("Token Expired", 403)

    def _wrong_with_ticks(self, request: Request) -> str:
        """What of the four credentials is wrong; a browser brings three in the query, and no token of REST."""
        headers, browser = request.headers, bool(request.asked("feedToken"))
        feed = request.asked("feedToken") if browser else headers.get("x-feed-token", "")
        code = request.asked("clientCode") if browser else headers.get("x-client-code", "")
        key = request.asked("apiKey") if browser else headers.get("x-api-key", "")
        tokens = self._sessions.fed(feed)
        if not browser and not self._knows(headers.get("authorization", "")):
            return "Auth token"
        if code != self._sessions.client.code:
            return "Client Code"
        if not self._api_key(key):
            return "API Key"
        return "" if tokens is not None else "Feed Token"

    def _knows(self, header: str) -> Tokens | None:
        try:
            return self._sessions.known(header)
        except Denied:
            return None

    def _api_key(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._sessions.client.api_key.reveal().encode())


def _unauthorised(what: str) -> Response:
    return Response(401, b"", (("x-error-message", f"Invalid Header - Invalid {what}"),))


def _too_many() -> Response:
    return Response(429, b"", (("x-error-message", "Connection Limit Exceeded"),))
