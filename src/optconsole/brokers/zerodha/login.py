"""Logging in to Zerodha: in the browser, where password and TOTP stay, and back with a request token by paste."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from optconsole.brokers.transport.gateway import Ask, Credentials, Login
from optconsole.brokers.transport.rest import RestClient, Unanswered
from optconsole.brokers.zerodha.envelope import envelope, payload
from optconsole.brokers.zerodha.proofs import checksum
from optconsole.brokers.zerodha.session import ACCESS_TOKEN, API_KEY, API_SECRET, KiteSession, signed
from optconsole.brokers.zerodha.settings import KiteSettings
from optconsole.engine.clock import Clock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import BrokerUnreachable, LoginLost

DIES_AT: Final = time(6, 0)
"""Every token dies at six the next morning, Indian time."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{8,128}")


class Profile(msgspec.Struct, frozen=True):
    user_id: str


class SessionRow(msgspec.Struct, frozen=True):
    user_id: str
    access_token: str


def login_url(settings: KiteSettings, api_key: str) -> str:
    """Where the browser logs in; the app's key is in it, which is no secret, and nothing else."""
    return f"{settings.login_url}?{urlencode({'v': '3', 'api_key': api_key})}"


def request_token(pasted: str) -> Secret:
    """The one-time token out of what was pasted: the whole address the browser came back to, or the token alone.

    Raises Refusal(BAD_REQUEST_TOKEN).
    """
    text = pasted.strip()
    if "request_token=" in text:
        query = parse_qs(urlsplit(text).query or text.rpartition("?")[2])
        if query.get("status", ["success"]) != ["success"]:
            raise Refusal("BAD_REQUEST_TOKEN", "That address says that the login failed; log in again.")
        text = query.get("request_token", [""])[0]
    if not _TOKEN.fullmatch(text):
        raise Refusal(
            "BAD_REQUEST_TOKEN",
            "That holds no request token; paste the whole address the browser came back to after the login.",
        )
    return Secret(text)


def expiry(now: datetime) -> datetime:
    """When a token that is given now dies: the next six o'clock in India."""
    local = now.astimezone(IST)
    today = datetime.combine(local.date(), DIES_AT, IST)
    return today if local < today else today + timedelta(days=1)


async def log_in(
    settings: KiteSettings, credentials: Credentials, clock: Clock, ask: Ask, roots: Path | None = None
) -> Login:
    """Ask for the request token, exchange it, and prove the new token by the profile.

    Raises Refusal: NO_API_KEY, BAD_REQUEST_TOKEN, LOGIN_REFUSED with the broker's words, LOGIN_UNREACHABLE.
    """
    key, secret = credentials.get(API_KEY), credentials.get(API_SECRET)
    if not key or not secret:
        raise Refusal(
            "NO_API_KEY", "Zerodha's api_key and api_secret are not in the vault; store both, then log in again."
        )
    pasted = ask(f"Log in at {login_url(settings, key.reveal())} and paste the address the browser comes back to", True)
    token = request_token(pasted)
    client = RestClient(settings.rest_url, clock, deadline=settings.deadline, roots=roots)
    try:
        given = await _exchange(client, key, secret, token)
        await _prove(client, key, given)
    finally:
        await client.close()
    return Login(secrets={ACCESS_TOKEN: Secret(given.access_token)}, expires_at=expiry(clock.now()), user=given.user_id)


async def _exchange(client: RestClient, key: Secret, secret: Secret, token: Secret) -> SessionRow:
    form = {
        "api_key": key.reveal(),
        "request_token": token.reveal(),
        "checksum": checksum(key.reveal(), token.reveal(), secret),
    }
    try:
        reply = await client.call("POST", "/session/token", form=form, headers={"X-Kite-Version": "3"})
    except Unanswered as silent:
        raise Refusal(
            "LOGIN_UNREACHABLE", f"Zerodha did not answer the login: {silent.cause}. Log in once more in the browser."
        ) from None
    said = envelope(reply)
    if said is not None and said.status == "error":
        raise Refusal("LOGIN_REFUSED", f"Zerodha refused the login: {said.said or reply.status}")
    try:
        return payload(reply, "login", SessionRow)
    except BrokerUnreachable as unread:
        raise Refusal("LOGIN_UNREACHABLE", str(unread)) from None


async def _prove(client: RestClient, key: Secret, given: SessionRow) -> None:
    """The token works, and for the user it was given to."""
    try:
        reply = await client.call("GET", "/user/profile", headers=signed(key.reveal(), given.access_token))
        user = payload(reply, "profile", Profile).user_id
    except Unanswered as silent:
        raise Refusal("LOGIN_UNREACHABLE", f"Zerodha did not show the profile: {silent.cause}.") from None
    except BrokerUnreachable as unread:
        raise Refusal("LOGIN_REFUSED", str(unread)) from None
    if user != given.user_id:
        raise Refusal("LOGIN_REFUSED", "Zerodha gave a token of one user and the profile of another; log in again.")


async def log_out(settings: KiteSettings, credentials: Credentials, clock: Clock, roots: Path | None = None) -> bool:
    """End the login at the broker. Whether it is ended for certain; a token that was dead already is."""
    key, token = credentials.get(API_KEY), credentials.get(ACCESS_TOKEN)
    if not key or not token:
        return True
    client = RestClient(settings.rest_url, clock, deadline=settings.deadline, roots=roots)
    params = {"api_key": key.reveal(), "access_token": token.reveal()}
    try:
        session = KiteSession(client, credentials)
        return await session.ask("DELETE", "logout", "/session/token", bool, params=params)
    except LoginLost:
        return True
    except BrokerUnreachable:
        return False
    finally:
        await client.close()
