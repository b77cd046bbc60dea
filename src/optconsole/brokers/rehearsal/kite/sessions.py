"""Kite's login: an app's key and secret, one-time request tokens, and access tokens that die at six in the morning."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, urlencode

from optconsole.brokers.rehearsal.kite.replies import DEAD_LOGIN, INPUT, TOKEN, KiteError, stamp
from optconsole.brokers.rehearsal.wire import Request, Response
from optconsole.engine.clock import fresh_id

REQUEST_TOKEN_LIFE: Final = timedelta(minutes=5)
DEATH: Final = time(6)
EXCHANGES: Final = ["NSE", "BSE", "NFO", "BFO"]
PRODUCTS: Final = ["NRML", "MIS"]
ORDER_TYPES: Final = ["MARKET", "LIMIT", "SL", "SL-M"]


@dataclass(frozen=True, slots=True)
class App:
    """A registered app and the account it belongs to."""

    api_key: str
    api_secret: str
    user_id: str
    redirect_url: str

    @classmethod
    def made_up(cls, user: str, redirect_url: str) -> App:
        """The same key and secret for the same user at every start, so that a client's stored ones stay right."""
        drawn = sha256(f"rehearsed app of {user}".encode()).hexdigest()
        return cls(drawn[:16], drawn[16:48], user, redirect_url)


def checksum(*parts: str) -> str:
    return sha256("".join(parts).encode()).hexdigest()


class Sessions:
    """Who is logged in. ``now`` is the market's time."""

    def __init__(self, app: App, now: Callable[[], datetime]) -> None:
        self.app, self._now = app, now
        self._requested: dict[str, datetime] = {}
        self._dies: dict[str, datetime] = {}
        """When each access token does."""

    def granted(self, alone: bool = True) -> str:
        """A fresh access token without the ceremony; ``alone`` ends those before it."""
        now = self._now()
        death = datetime.combine(now.date(), DEATH, now.tzinfo)
        if alone:
            self._dies.clear()
        access = fresh_id() + fresh_id()
        self._dies[access] = death if now < death else death + timedelta(days=1)
        return access

    def revoke(self) -> None:
        """Every access token is dead."""
        self._dies.clear()

    def knows(self, api_key: str, access: str) -> bool:
        dies = self._dies.get(access)
        return dies is not None and self._now() < dies and api_key == self.app.api_key

    def check(self, request: Request) -> None:
        """Raises KiteError for a request without a live login."""
        word, _, pair = request.headers.get("authorization", "").partition(" ")
        api_key, _, access = pair.partition(":")
        if word.lower() != "token" or not self.knows(api_key, access):
            raise KiteError(TOKEN, DEAD_LOGIN, 403)

    # ------------------------------------------------------------ the ceremony

    def page(self, request: Request) -> Response:
        """The login page, with a user who has just typed everything right: back to the app with a request token."""
        if request.asked("api_key") != self.app.api_key:
            raise KiteError(INPUT, "Invalid `api_key`.")
        token = fresh_id() + fresh_id()
        self._requested[token] = self._now()
        extra = dict(parse_qsl(request.asked("redirect_params")))
        query = urlencode({"action": "login", "type": "login", "status": "success", "request_token": token, **extra})
        join = "&" if "?" in self.app.redirect_url else "?"
        return Response(302, b"", (("location", f"{self.app.redirect_url}{join}{query}"),))

    def exchange(self, form: Mapping[str, str], alone: bool = True) -> Mapping[str, object]:
        """A request token, used once, for an access token."""
        token = form.get("request_token", "")
        asked = self._requested.pop(token, None)
        if form.get("api_key") != self.app.api_key:
            raise KiteError(TOKEN, "Invalid `api_key`.", 403)
        if asked is None or self._now() - asked > REQUEST_TOKEN_LIFE:
            raise KiteError(TOKEN, "Token is invalid or has expired.", 403)
        right = checksum(self.app.api_key, token, self.app.api_secret)
        if not hmac.compare_digest(form.get("checksum", "").encode(), right.encode()):
            raise KiteError(TOKEN, "Invalid `checksum`.", 403)
        access = self.granted(alone)
        return {
            **self.profile(),
            "api_key": self.app.api_key,
            "access_token": access,
            "public_token": fresh_id() + fresh_id(),
            "enctoken": "",
            "refresh_token": "",
            "silo": "",
            "login_time": stamp(self._now()),
        }

    def leave(self, request: Request) -> bool:
        """Log out the token that is named."""
        if not self.knows(request.asked("api_key"), request.asked("access_token")):
            raise KiteError(TOKEN, DEAD_LOGIN, 403)
        self._dies.pop(request.asked("access_token"), None)
        return True

    def profile(self) -> Mapping[str, object]:
        user = self.app.user_id
        return {
            "user_id": user,
            "user_type": "individual",
            "email": f"{user.lower()}@example.com",
            "user_name": "Rehearsal Trader",
            "user_shortname": "Rehearsal",
            "broker": "ZERODHA",
            "exchanges": EXCHANGES,
            "products": PRODUCTS,
            "order_types": ORDER_TYPES,
            "avatar_url": None,
            "meta": {"demat_consent": "consent"},
        }
