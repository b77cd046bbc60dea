"""Logging in: the trader logs in at Shoonya's page and pastes what it sent him to; we change the code for a token."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from optconsole.brokers.shoonya import bodies
from optconsole.brokers.shoonya.replies import Row, masked, understand
from optconsole.brokers.shoonya.settings import ShoonyaSettings
from optconsole.brokers.transport.coerce import units
from optconsole.brokers.transport.gateway import Ask, Credentials, Login
from optconsole.brokers.transport.rest import Reply, RestClient, Unanswered
from optconsole.engine.clock import Clock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import IST

_CODE: Final = re.compile(r"[A-Za-z0-9._~+/=-]{4,512}", re.ASCII)
_CLEARED: Final = 3
"""The hour of the morning at which all tokens are taken to die; Shoonya does not say, its sister brokers say 5."""


def login_url(settings: ShoonyaSettings, client_id: str) -> str:
    """The page to log in at; it holds no secret."""
    user = settings.user or client_id.removesuffix("_U")
    return f"{settings.login_url}?api_key={quote(client_id, safe='')}&route_to={quote(user, safe='')}"


def code_of(pasted: str) -> str:
    """The code in what was pasted: the whole address the browser was sent to, or the bare code.

    Raises Refusal(BAD_LOGIN_CODE); the text of it never repeats what was pasted.
    """
    text = pasted.strip()
    if "code=" in text:
        try:
            found = parse_qs(urlsplit(text).query or text.partition("?")[2] or text).get("code", [])
        except ValueError:
            found = []
        text = found[0] if len(found) == 1 else ""
    if not _CODE.fullmatch(text):
        raise Refusal(
            "BAD_LOGIN_CODE",
            "That holds no login code; paste the whole address the browser was sent to after logging in.",
        )
    return text


async def log_in(
    settings: ShoonyaSettings, credentials: Credentials, clock: Clock, ask: Ask, roots: Path | None = None
) -> Login:
    """Ask for the code and change it for a token.

    Needs ``api_key`` (the client id) and ``api_secret`` (the secret code). Raises Refusal: SECRET_MISSING,
    BAD_LOGIN_CODE, LOGIN_REFUSED, LOGIN_UNREACHABLE, WRONG_USER.
    """
    client, secret = credentials.get("api_key"), credentials.get("api_secret")
    if not client or not secret:
        raise Refusal("SECRET_MISSING", "Set api_key (Shoonya's client id) and api_secret (its secret code) first.")
    page = login_url(settings, client.reveal())
    code = code_of(ask(f"Log in at {page} and paste the address you are sent to (or its code)", True))
    proof = bodies.checksum(client.reveal(), secret.reveal(), code)
    rest = RestClient(settings.rest_url, clock, deadline=settings.deadline, roots=roots)
    try:
        reply = await rest.call(
            "POST",
            "/GenAcsTok",
            content=bodies.body({"code": code, "checksum": proof}),
            headers={"Content-Type": bodies.CONTENT_TYPE},
        )
    except Unanswered as silence:
        raise Refusal("LOGIN_UNREACHABLE", f"Shoonya could not be reached: {silence.cause}. Try again.") from None
    finally:
        await rest.close()
    return _login(settings, _granted(reply, secret, Secret(code), Secret(proof)), clock.now())


async def log_out(settings: ShoonyaSettings, credentials: Credentials, clock: Clock, roots: Path | None = None) -> None:
    """End the login at Shoonya; one that is dead already is logged out. Raises Refusal(LOGOUT_UNPROVEN)."""
    token, user = credentials.get("access_token"), credentials.get("user_id")
    if not token:
        return
    rest = RestClient(settings.rest_url, clock, deadline=settings.deadline, roots=roots)
    who = settings.user or (user.reveal() if user else "")
    headers = {"Authorization": f"Bearer {token.reveal()}", "Content-Type": bodies.CONTENT_TYPE}
    try:
        reply = await rest.call("POST", "/Logout", content=bodies.body({"uid": who}), headers=headers)
    except Unanswered as silence:
        raise Refusal("LOGOUT_UNPROVEN", f"Shoonya did not confirm the logout: {silence.cause}.") from None
    finally:
        await rest.close()
    said = understand(reply.status, masked(reply.body, token))
    if said.fault and not said.login_dead:
        raise Refusal("LOGOUT_UNPROVEN", f"Shoonya did not confirm the logout: {display(said.fault)}.")


def _granted(reply: Reply, *asked: Secret) -> Row:
    said = understand(reply.status, masked(reply.body, *asked))
    if reply.status in (502, 503, 504):
        raise Refusal("LOGIN_UNREACHABLE", f"Shoonya is not there for now (HTTP {reply.status}). Try again.")
    if said.fault or not isinstance(said.value, dict):
        why = display(said.fault) or "no answer that says so"
        raise Refusal("LOGIN_REFUSED", f"Shoonya refused the login: {why}. Log in at its page again for a new code.")
    return said.value


def _login(settings: ShoonyaSettings, row: Row, now: datetime) -> Login:
    token = row.get("access_token") or row.get("susertoken")
    user = row.get("USERID") or row.get("uid")
    if not isinstance(token, str) or not isinstance(user, str):
        raise Refusal("LOGIN_REFUSED", "Shoonya granted the login without a token or a user. Log in again.")
    if settings.user and user.upper() != settings.user.upper():
        raise Refusal("WRONG_USER", f"That was the login of {display(user, 40)}; log in as {settings.user}.")
    secrets = {
        "access_token": Secret(token),
        "user_id": Secret(user),
        "account_id": Secret(str(row.get("actid") or user)),
    }
    return Login(secrets=secrets, expires_at=_expiry(row.get("expires_in"), now), user=user)


def _expiry(stated: object, now: datetime) -> datetime:
    """When the token dies: as stated, and at the latest when all tokens are cleared in the early morning."""
    cleared = now.replace(hour=_CLEARED, minute=0, second=0, microsecond=0)
    if cleared <= now:
        cleared += timedelta(days=1)
    try:
        moment = datetime.fromtimestamp(units(stated), IST)
    except (ValueError, OverflowError, OSError):
        return cleared
    return min(moment, cleared) if moment > now else cleared
