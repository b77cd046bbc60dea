"""A day's login: client code, PIN and the six digits of the authenticator, for three tokens that die at midnight."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from optconsole.brokers.angelone.envelope import Fault, Held, Kind
from optconsole.brokers.angelone.settings import AngelSettings
from optconsole.brokers.angelone.totp import totp, window_ends_in
from optconsole.brokers.angelone.wire import ACCESS, AUTH, FEED, REFRESH, USER, Wire
from optconsole.brokers.transport.gateway import Ask, Credentials, Login
from optconsole.brokers.transport.rest import Unanswered
from optconsole.engine.clock import Clock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST, millis
from optconsole.engine.ports import LoginLost

PIN: Final = "pin"
SEED: Final = "totp_seed"
LOGIN: Final = f"{AUTH}/user/v1/loginByPassword"
RENEW: Final = f"{AUTH}/jwt/v1/generateTokens"
LOGOUT: Final = f"{USER}/logout"
WRONG_CODE: Final = "AB1050"


async def login(
    settings: AngelSettings, credentials: Credentials, ask: Ask, clock: Clock, roots: Path | None = None
) -> Login:
    """Log in for today. Asks for what is not stored; computes the code where a seed is.

    Raises Refusal(NO_API_KEY | BAD_SEED | LOGIN_REFUSED | LOGIN_UNREACHABLE). A wrong PIN is never tried again: a few
    of them lock the account. A computed code that came too late is, once, in the next window.
    """
    wire = _wire(settings, credentials, clock, roots)
    try:
        user = wire.client_code or await _asked(ask, "Client code", False)
        pin = credentials.get(PIN) or Secret(await _asked(ask, "PIN", True))
        seed = credentials.get(SEED)
        answer = await _try(wire, user, pin, await _code(seed, ask, clock))
        if seed and isinstance(answer, Fault) and answer.code == WRONG_CODE:
            await clock.sleep(window_ends_in(_seconds(clock)) + 0.5)
            answer = await _try(wire, user, pin, await _code(seed, ask, clock))
        return _tokens(answer, user, clock)
    finally:
        await wire.close()


async def renew(settings: AngelSettings, credentials: Credentials, clock: Clock, roots: Path | None = None) -> Login:
    """Three new tokens for the old ones, which must still live. Raises Refusal as `login` does."""
    wire = _wire(settings, credentials, clock, roots)
    try:
        answer = await wire.send("POST", RENEW, "tokens", {"refreshToken": wire.secret(REFRESH)})
        return _tokens(answer, wire.client_code, clock)
    except LoginLost as lost:
        raise Refusal("LOGIN_REFUSED", str(lost)) from None
    except Unanswered as silence:
        raise _unreachable(silence) from None
    finally:
        await wire.close()


async def logout(settings: AngelSettings, credentials: Credentials, clock: Clock, roots: Path | None = None) -> None:
    """Have today's tokens die now. Raises Refusal(LOGOUT_FAILED): they then live on until midnight."""
    wire = _wire(settings, credentials, clock, roots)
    try:
        answer = await wire.send("POST", LOGOUT, "login", {"clientcode": wire.client_code})
    except LoginLost:
        return
    except Unanswered as silence:
        raise Refusal("LOGOUT_FAILED", f"Angel One did not answer the logout: {silence.cause}. Try again.") from None
    finally:
        await wire.close()
    if isinstance(answer, Fault) and answer.kind is not Kind.SESSION:
        raise Refusal("LOGOUT_FAILED", f"{answer.text}. The tokens live until midnight.")


def dies_at(now: datetime) -> datetime:
    """The midnight IST at which tokens that are given now are dead."""
    here = now.astimezone(IST)
    return datetime.combine(here.date() + timedelta(days=1), time(), IST)


def _wire(settings: AngelSettings, credentials: Credentials, clock: Clock, roots: Path | None) -> Wire:
    if not credentials.get("api_key"):
        raise Refusal("NO_API_KEY", "The API key of the SmartAPI app is not stored; run `optconsole secrets set`.")
    return Wire(settings, credentials, clock, roots)


async def _asked(ask: Ask, question: str, secret: bool) -> str:
    """What a person types, without holding up the loop."""
    return (await asyncio.to_thread(ask, question, secret)).strip()


async def _code(seed: Secret | None, ask: Ask, clock: Clock) -> str:
    return totp(seed, _seconds(clock)) if seed else await _asked(ask, "Six digits of the authenticator", True)


async def _try(wire: Wire, user: str, pin: Secret, code: str) -> Held | Fault:
    body = {"clientcode": user, "password": pin.reveal(), "totp": code}
    try:
        return await wire.send("POST", LOGIN, "login", body, signed=False)
    except Unanswered as silence:
        raise _unreachable(silence) from None


def _tokens(answer: Held | Fault, user: str, clock: Clock) -> Login:
    if isinstance(answer, Fault):
        raise Refusal("LOGIN_REFUSED", f"{answer.text}.")
    data: Any = answer.data if isinstance(answer.data, dict) else {}
    texts = {ours: data.get(theirs) for ours, theirs in _NAMES.items()}
    if not all(isinstance(text, str) and text for text in texts.values()):
        raise Refusal("LOGIN_REFUSED", "Angel One reported a login and gave no tokens; try again in a minute.")
    secrets = {name: Secret(str(text).removeprefix("Bearer ")) for name, text in texts.items()}
    return Login(secrets=secrets, expires_at=dies_at(clock.now()), user=user)


_NAMES: Final = {ACCESS: "jwtToken", REFRESH: "refreshToken", FEED: "feedToken"}


def _seconds(clock: Clock) -> float:
    return millis(clock.now()) / 1000


def _unreachable(silence: Unanswered) -> Refusal:
    return Refusal("LOGIN_UNREACHABLE", f"Angel One did not answer the login: {silence.cause}. Try again in a minute.")
