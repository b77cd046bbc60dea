"""Logins: three tokens for a client code, a PIN and an authenticator's code, all dead at midnight."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from optconsole.brokers.rehearsal.smartapi import totp
from optconsole.engine.clock import fresh_id
from optconsole.engine.model.secrets import Secret


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """The one client of the rehearsal; made up, and printed for whoever rehearses."""

    code: str
    pin: Secret
    seed: Secret
    api_key: Secret
    name: str = "REHEARSAL CLIENT"

    @classmethod
    def made_up(cls, code: str) -> Client:
        """A client of this ``code`` with secrets of this moment."""
        drawn = fresh_id() + fresh_id()
        return cls(
            code=code,
            pin=Secret(f"{int(drawn[:8], 16) % 10_000:04d}"),
            seed=Secret(base64.b32encode(bytes.fromhex(drawn + fresh_id()[:8])).decode()),
            api_key=Secret(fresh_id()[:8]),
        )


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a login gives."""

    jwt: str
    refresh: str
    feed: str
    made_at: datetime
    dies_at: datetime


class Denied(Exception):
    """A code and Angel One's words for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Sessions:
    """Who is logged in. ``now`` is the market's time, ``wall`` the machine's, which authenticators go by.

    Several logins may be alive beside one another.
    """

    def __init__(self, client: Client, now: Callable[[], datetime], wall: Callable[[], datetime]) -> None:
        self.client = client
        self._now, self._wall = now, wall
        self._alive: dict[str, Tokens] = {}
        self._ended: set[str] = set()

    def login(self, code: str, pin: str, given: str) -> Tokens:
        """Raises Denied: AB1031 an unknown client, AB1000 a wrong PIN, AB1050 a wrong authenticator's code."""
        client = self.client
        if code != client.code:
            raise Denied("AB1031", "Invalid User ID")
        if not hmac.compare_digest(pin.encode(), client.pin.reveal().encode()):
            raise Denied("AB1000", "Invalid Email Or Password")
        if not totp.matches(client.seed.reveal(), given, self._wall()):
            raise Denied("AB1050", "Invalid totp")
        return self.admit()

    def admit(self) -> Tokens:
        """Tokens without the ceremony."""
        now = self._now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        tokens = Tokens(
            jwt=self._jwt(midnight),
            refresh=self._jwt(midnight),
            feed=self._jwt(midnight),
            made_at=now,
            dies_at=midnight,
        )
        self._alive[tokens.jwt] = tokens
        return tokens

    def renew(self, refresh: str) -> Tokens:
        """New tokens for a refresh token of today; the old ones die. Raises Denied."""
        if not refresh:
            raise Denied("AB8050", "Invalid Refresh Token")
        for tokens in list(self._alive.values()):
            if tokens.refresh == refresh:
                self._end(tokens)
                if self._now() >= tokens.dies_at:
                    raise Denied("AB8051", "Refresh Token Expired")
                return self.admit()
        raise Denied("AB8050", "Invalid Refresh Token")

    def known(self, header: str) -> Tokens:
        """The login behind ``Bearer JWT``. Raises Denied: AG8003 missing, AG8002 expired, AG8001 anything else."""
        if not header.strip():
            raise Denied("AG8003", "Token missing")
        jwt = header.removeprefix("Bearer ").strip()
        tokens = self._alive.get(jwt)
        if tokens is None:
            raise Denied("AG8002", "Token Expired") if jwt in self._ended else Denied("AG8001", "Invalid Token")
        if self._now() >= tokens.dies_at:
            self._end(tokens)
            raise Denied("AG8002", "Token Expired")
        return tokens

    def fed(self, feed: str) -> Tokens | None:
        """The login that a stream's token belongs to."""
        now = self._now()
        return next((each for each in self._alive.values() if each.feed == feed and now < each.dies_at), None)

    def logout(self, tokens: Tokens) -> None:
        """The tokens are no longer good, as if they had never been."""
        self._alive.pop(tokens.jwt, None)

    def revoke(self) -> None:
        """Every login dies at once."""
        self._alive.clear()

    def expire(self) -> None:
        """Every login dies as at midnight."""
        for tokens in list(self._alive.values()):
            self._end(tokens)

    def _end(self, tokens: Tokens) -> None:
        self._alive.pop(tokens.jwt, None)
        self._ended.add(tokens.jwt)

    def _jwt(self, until: datetime) -> str:
        """Shaped as the real ones are; its signature is a draw, since nobody but the broker reads it."""
        head = {"alg": "HS512", "typ": "JWT"}
        body = {"username": self.client.code, "exp": int(until.timestamp()), "jti": fresh_id()}
        parts = [base64.urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=") for part in (head, body)]
        return ".".join([*parts, fresh_id() + fresh_id()])
