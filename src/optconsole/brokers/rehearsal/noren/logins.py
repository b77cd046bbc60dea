"""Noren's OAuth: a code from the browser page, an access token for it, and the night in which every token dies."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from optconsole.brokers.rehearsal.noren.replies import Row, ok
from optconsole.brokers.rehearsal.noren.words import PRODUCT_ALIAS, epoch, noren_time
from optconsole.engine.clock import fresh_id
from optconsole.engine.model.timeline import IST

EXCHANGES: Final = ("NSE", "NFO", "BSE", "BFO")
ORDER_TYPES: Final = ("LMT", "SL-LMT")
CODE_LIFE: Final = timedelta(minutes=5)
NIGHT: Final = time(3, 0, tzinfo=IST)
NIGHT_SECONDS: Final = 3 * 3600


@dataclass(frozen=True, slots=True)
class Client:
    """Whose rehearsal it is: what the API-key page of a real account shows."""

    uid: str = "FA1234"
    client_id: str = "FA1234_U"
    secret: str = "rehearsal-secret"  # noqa: S105 - opens nothing but this rehearsal
    name: str = "REHEARSAL USER"


@dataclass(frozen=True, slots=True)
class Grant:
    """One login."""

    access: str
    refresh: str
    session: str
    issued_at: datetime
    expires_at: datetime


def checksum(client: Client, code: str) -> str:
    """sha256 of client id, secret code and code, in hex."""
    return hashlib.sha256(f"{client.client_id}{client.secret}{code}".encode()).hexdigest()


def death_after(moment: datetime) -> datetime:
    """When tokens given at ``moment`` are cleared: between 03:00 and 06:00, at another minute every night."""
    day = moment.astimezone(IST).date()
    tonight = _death(day)
    return tonight if moment < tonight else _death(day + timedelta(days=1))


def _death(day: date) -> datetime:
    drawn = int.from_bytes(hashlib.sha256(f"night of {day.isoformat()}".encode()).digest()[:4])
    return datetime.combine(day, NIGHT) + timedelta(seconds=drawn % NIGHT_SECONDS)


class Logins:
    """Codes that work once, tokens that live till the night. ``now`` is the market's time."""

    def __init__(self, client: Client, now: Callable[[], datetime]) -> None:
        self.client = client
        self._now = now
        self._codes: dict[str, datetime] = {}
        self._grants: dict[str, Grant] = {}

    def code(self) -> str:
        """A fresh code, as the browser page hands out after password and OTP."""
        code = fresh_id()
        self._codes[code] = self._now()
        return code

    def exchange(self, code: str, proof: str) -> Grant | None:
        """A login for a code and its checksum; None for a wrong, used or old one, which is then spent."""
        given = self._codes.pop(code, None)
        now = self._now()
        right = hmac.compare_digest(checksum(self.client, code).encode(), proof.lower().encode())
        if given is None or not right or now - given > CODE_LIFE:
            return None
        return self.grant()

    def grant(self) -> Grant:
        """A login without the page, as for a client that is handed its token."""
        now = self._now()
        grant = Grant(f"acc-{fresh_id()}", f"ref-{fresh_id()}", f"sus-{fresh_id()}", now, death_after(now))
        self._grants[grant.access] = grant
        return grant

    def alive(self, token: str) -> bool:
        """Whether a token is known and its night has not come."""
        grant = self._grants.get(token)
        return grant is not None and self._now() < grant.expires_at

    def known(self, token: str) -> bool:
        """Whether a token was ever given and not revoked, dead of age or not."""
        return token in self._grants

    def revoke(self, token: str | None = None) -> None:
        """Forget one token, or all."""
        if token is None:
            self._grants.clear()
        else:
            self._grants.pop(token, None)


def grant_reply(client: Client, grant: Grant) -> Row:
    """The answer of GenAcsTok."""
    return ok(
        grant.issued_at,
        {
            "access_token": grant.access,
            "refresh_token": grant.refresh,
            "susertoken": grant.session,
            "expires_in": epoch(grant.expires_at),
            "USERID": client.uid,
            **_person(client),
            "lastaccesstime": epoch(grant.issued_at),
            "dmsg": "",
            "scope": "orders",
        },
    )


def user_details(client: Client, now: datetime) -> Row:
    """The answer of UserDetails."""
    return ok(now, {**_person(client), "m_num": "9000000000", "uprev": "INVESTOR", "access_type": ["API"]})


def client_details(client: Client, now: datetime) -> Row:
    """The answer of ClientDetails."""
    person = {"actid": client.uid, "cliname": client.name, "act_sts": "Activated", "creatdte": "", "creattme": ""}
    return ok(
        now, {**person, "email": "rehearsal@example.com", "exarr": list(EXCHANGES), "request_at": noren_time(now)}
    )


def _person(client: Client) -> Row:
    return {
        "uid": client.uid,
        "actid": client.uid,
        "uname": client.name,
        "email": "rehearsal@example.com",
        "brkname": "FINV",
        "brnchid": "HO",
        "exarr": list(EXCHANGES),
        "orarr": list(ORDER_TYPES),
        "prarr": [{"prd": word, "s_prdt_ali": PRODUCT_ALIAS[word], "exch": ["NFO", "BFO"]} for word in ("M", "I")],
    }
