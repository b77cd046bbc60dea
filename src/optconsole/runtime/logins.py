"""Logging in and out of brokers: one table of what each asks for, whose settings it takes and how to revoke it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from optconsole.brokers.transport.gateway import Ask, Credentials, Login
from optconsole.engine.clock import Clock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.text import display
from optconsole.runtime.broker_settings import angel_settings, kite_settings, roots_of, shoonya_settings
from optconsole.sections import BrokerAccount

LogIn = Callable[[BrokerAccount, Credentials, Ask, Clock], Coroutine[Any, Any, Login]]
LogOut = Callable[[BrokerAccount, Credentials, Clock], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Door:
    """A broker's login.

    ``needs`` are secrets that stay, with what each is called there. With all of ``enough`` stored no person is needed.
    ``revoke`` is what a person can still do where no program can.
    """

    title: str
    needs: Mapping[str, str]
    tokens: tuple[str, ...]
    revoke: tuple[str, ...]
    log_in: LogIn
    log_out: LogOut
    enough: tuple[str, ...] = ()


async def _into_zerodha(account: BrokerAccount, credentials: Credentials, ask: Ask, clock: Clock) -> Login:
    from optconsole.brokers.zerodha.login import log_in

    return await log_in(kite_settings(account), credentials, clock, ask, roots_of(account))


async def _out_of_zerodha(account: BrokerAccount, credentials: Credentials, clock: Clock) -> None:
    from optconsole.brokers.zerodha.login import log_out

    if not await log_out(kite_settings(account), credentials, clock, roots_of(account)):
        raise Refusal(
            "LOGOUT_UNPROVEN", "Zerodha did not confirm the logout; the token lives until six in the morning."
        )


async def _into_angelone(account: BrokerAccount, credentials: Credentials, ask: Ask, clock: Clock) -> Login:
    from optconsole.brokers.angelone.login import login

    return await login(angel_settings(account), credentials, ask, clock, roots_of(account))


async def _out_of_angelone(account: BrokerAccount, credentials: Credentials, clock: Clock) -> None:
    from optconsole.brokers.angelone.login import logout

    await logout(angel_settings(account), credentials, clock, roots_of(account))


async def _into_shoonya(account: BrokerAccount, credentials: Credentials, ask: Ask, clock: Clock) -> Login:
    from optconsole.brokers.shoonya.login import log_in

    return await log_in(shoonya_settings(account), credentials, clock, ask, roots_of(account))


async def _out_of_shoonya(account: BrokerAccount, credentials: Credentials, clock: Clock) -> None:
    from optconsole.brokers.shoonya.login import log_out

    await log_out(shoonya_settings(account), credentials, clock, roots_of(account))


DOORS: Final[Mapping[str, Door]] = {
    "zerodha": Door(
        title="Zerodha",
        needs={"api_key": "API key of the Kite Connect app", "api_secret": "API secret of the Kite Connect app"},
        tokens=("access_token", "public_token", "refresh_token", "enctoken"),
        revoke=(
            "kite.zerodha.com: profile, then log out of all sessions; change the password.",
            "developers.kite.trade: regenerate the app's API secret, or delete the app.",
        ),
        log_in=_into_zerodha,
        log_out=_out_of_zerodha,
    ),
    "angelone": Door(
        title="Angel One",
        needs={"api_key": "API key of the SmartAPI app"},
        tokens=("access_token", "refresh_token", "feed_token", "jwt_token"),
        revoke=(
            "smartapi.angelone.in: delete the app, whose API key then dies.",
            "The Angel One app: change the PIN and set the authenticator up anew.",
        ),
        log_in=_into_angelone,
        log_out=_out_of_angelone,
        enough=("api_key", "pin", "totp_seed"),
    ),
    "shoonya": Door(
        title="Shoonya",
        needs={"api_key": "client id of the API, such as FA1234_U", "api_secret": "secret code of the API"},
        tokens=("access_token", "refresh_token", "user_id", "account_id"),
        revoke=(
            "trade.shoonya.com: profile, API key: generate a new secret code.",
            "trade.shoonya.com: change the password and set the authenticator up anew.",
        ),
        log_in=_into_shoonya,
        log_out=_out_of_shoonya,
    ),
}


def door_of(account: BrokerAccount) -> Door:
    """Raises Refusal(NO_LOGIN) for the paper broker."""
    door = DOORS.get(account.broker)
    if door is None:
        raise Refusal("NO_LOGIN", f"The {account.broker} broker is embedded and has no login.")
    return door


async def log_in(account: BrokerAccount, credentials: Credentials, ask: Ask, clock: Clock) -> Login:
    """Today's login of an account. Raises Refusal, WRONG_USER for somebody else's among them."""
    login = await door_of(account).log_in(account, credentials, ask, clock)
    if account.client_id and login.user.upper() != account.client_id.upper():
        raise Refusal(
            "WRONG_USER",
            f"That was the login of {display(login.user, 40)} and the account is {account.client_id}'s; "
            "nothing was stored. Log in as that user, or correct client_id in config.toml.",
        )
    return login


class Typed:
    """Credentials of the vault, and before them what was typed just now and is not stored yet."""

    def __init__(self, stored: Credentials, typed: Mapping[str, Secret]) -> None:
        self._stored = stored
        self._typed = typed

    def get(self, name: str) -> Secret | None:
        return self._typed.get(name) or self._stored.get(name)
