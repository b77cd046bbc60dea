"""A day's login at each broker over the wire of its rehearsal, and what becomes of tokens (reliability C09, C29)."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from optconsole.brokers.rehearsal.faults import RestReply
from optconsole.brokers.rehearsal.kite.wire import Kite, KiteSettings, open_kite
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.dialect import NorenDialect, open_noren
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.rehearsal.smartapi.dialect import SmartApi
from optconsole.brokers.rehearsal.smartapi.totp import code
from optconsole.engine.clock import WallClock
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.vault import Vault
from optconsole.runtime.standby import Standby
from tests.brokers.paper.stage import at
from tests.brokers.rehearsal.stage import a_still_market
from tests.canaries import CANARIES, seen_in_folder
from tests.cli.inside import Ran, optconsole
from tests.engine.store.vaults import CHEAP, a_vault

PASSPHRASE = CANARIES["passphrase"]
BROKERS = ("zerodha", "angelone", "shoonya")
Pasted = Callable[[], Awaitable[list[str]]]


@dataclass
class Desk:
    """A rehearsed broker, a home with an account there, and the answers its login is given."""

    home: Path
    broker: str
    served: Served
    needs: list[str]
    pasted: Pasted
    say: Callable[..., Awaitable[Ran]]

    async def login(self, *answers: str) -> Ran:
        given = answers or (PASSPHRASE, *self.needs, *await self.pasted())
        return await self.say("broker", "login", self.broker, "--json", given=given)

    def stored(self) -> dict[str, Secret | None]:
        vault = a_vault(self.home)
        vault.unlock(Secret(PASSPHRASE))
        return {entry.name: vault.get("main", entry.name) for entry in vault.names()}

    def sessions(self) -> int:
        """Logouts that the broker carried out."""
        return self.served.wire.executed.get("logout", 0)


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    market = await a_still_market(tmp_path)
    yield market
    await market.close()


@pytest.fixture(params=BROKERS)
async def desk(
    request: pytest.FixtureRequest, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setattr("optconsole.cli.opening.harden", lambda: None)
    monkeypatch.setattr("optconsole.cli.opening.Vault", lambda home, clock: Vault(home, clock, lambda: CHEAP))
    home = tmp_path / "home"
    home.mkdir(mode=0o700)

    async def say(*argv: str, given: tuple[str, ...] = ()) -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in given)))
        return await asyncio.to_thread(optconsole, home, *argv, *(("--stdin",) if given else ()))

    served, user, needs, pasted, paths = await OPENED[request.param](market)
    urls = "".join(f'{name} = "{value}"\n' for name, value in paths.items())
    (home / "config.toml").write_text(
        f'[accounts.main]\nbroker = "{request.param}"\nmode = "live"\nclient_id = "{user}"\n{urls}'
    )
    a_vault(home).create(Secret(PASSPHRASE))
    yield Desk(home, request.param, served, needs, pasted, say)
    await served.close()


Opened = tuple[Served, str, list[str], Pasted, dict[str, str]]


async def _zerodha(market: Market) -> Opened:
    kite = await open_kite(market, KiteSettings())
    served = await serve(kite, market)
    app = kite.sessions.app

    async def pasted() -> list[str]:
        async with httpx.AsyncClient(trust_env=False) as browser:
            page = await browser.get(f"{served.url}/connect/login", params={"v": "3", "api_key": app.api_key})
        return [page.headers["location"]]

    assert isinstance(kite, Kite)
    return served, app.user_id, [app.api_key, app.api_secret], pasted, {"rest_url": served.url}


async def _angelone(market: Market) -> Opened:
    def noon() -> datetime:
        return at("12:00")

    api = SmartApi(market, wall=noon, caps={})
    served = await serve(api, market)
    client = api.client

    async def pasted() -> list[str]:
        return [client.pin.reveal(), code(client.seed.reveal(), noon())]

    return served, client.code, [client.api_key.reveal()], pasted, {"rest_url": served.url}


async def _shoonya(market: Market) -> Opened:
    noren = await open_noren(market)
    served = await serve(noren, market)
    assert isinstance(noren, NorenDialect)

    async def pasted() -> list[str]:
        return [f"https://localhost/back?code={noren.logins.code()}"]

    paths = {"rest_url": f"{served.url}/NorenWClientAPI"}
    return served, noren.client.uid, [noren.client.client_id, noren.client.secret], pasted, paths


OPENED: dict[str, Callable[[Market], Awaitable[Opened]]] = {
    "zerodha": _zerodha,
    "angelone": _angelone,
    "shoonya": _shoonya,
}


async def test_a_login_seals_its_tokens_with_their_end_and_asks_keys_only_once(desk: Desk) -> None:
    ran = await desk.login()
    assert ran.code == 0, ran.err
    assert (ran.document["account"], ran.document["broker"], ran.document["engine_unlocked"]) == (
        "main",
        desk.broker,
        None,
    )
    stored = desk.stored()
    assert stored["access_token"]
    assert stored["api_key"] == Secret(desk.needs[0])
    again = await desk.login(PASSPHRASE, *await desk.pasted())
    assert again.code == 0, again.err
    assert desk.stored()["access_token"] != stored["access_token"]
    status = (await desk.say("broker", "status", "--json")).document
    assert not status["engine"]
    row: dict[str, Any] = status["accounts"][0]
    assert row["logged_in"]
    assert 0 < row["seconds_left"] <= 24 * 3600 + 6 * 3600
    assert row["expires"] == again.document["expires"]
    assert {row[what] for what in ("quotes", "order_read", "order_write")} == {"unknown"}


async def test_no_token_key_or_code_is_said_or_lies_about(desk: Desk) -> None:
    pasted = await desk.pasted()
    ran = await desk.login(PASSPHRASE, *desk.needs, *pasted)
    assert ran.code == 0, ran.err
    files = b"".join(path.read_bytes() for path in desk.home.iterdir())
    secrets = [secret.reveal() for secret in desk.stored().values() if secret is not None]
    for text in (*secrets, *pasted, *desk.needs):
        if len(text) > 8 and text != ran.document["user"]:  # a user id may be told
            assert text not in ran.out + ran.err
            assert text.encode() not in files
    assert seen_in_folder(desk.home) == []


async def test_a_wrong_key_is_refused_in_one_line_and_nothing_is_stored(desk: Desk) -> None:
    wrong = [*desk.needs[:-1], "not-the-right-secret"]
    ran = await desk.login(PASSPHRASE, *wrong, *await desk.pasted())
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert "not-the-right-secret" not in ran.err + ran.out
    assert desk.stored() == {}


async def test_another_users_login_is_refused(desk: Desk) -> None:
    config = desk.home / "config.toml"
    config.write_text(config.read_text().replace('client_id = "', 'client_id = "X'))
    ran = await desk.login()
    assert ran.code == 1, ran.out
    assert desk.stored() == {}


async def test_a_broker_that_is_down_is_one_sentence(desk: Desk) -> None:
    pasted = await desk.pasted()
    desk.served.plan.add([RestReply(status=502, body="<html>Bad Gateway</html>")])
    ran = await desk.login(PASSPHRASE, *desk.needs, *pasted)
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert desk.stored() == {}


async def test_logging_out_ends_the_session_there_and_the_tokens_here(desk: Desk) -> None:
    await desk.login()
    ran = await desk.say("broker", "logout", "main", "--json", given=(PASSPHRASE,))
    assert ran.code == 0, ran.err
    assert desk.sessions() == 1
    assert "access_token" not in desk.stored()
    assert desk.stored()["api_key"]
    again = await desk.say("broker", "logout", "main", given=(PASSPHRASE,))
    assert again.err.endswith("[NO_SESSION]\n")
    row = (await desk.say("broker", "status", "--json")).document["accounts"][0]
    assert (row["logged_in"], row["expires"]) == (False, None)


async def test_panic_ends_the_session_wipes_the_tokens_and_says_what_is_left_to_do(desk: Desk) -> None:
    await desk.login()
    ran = await desk.say("panic-revoke", "--json", given=(PASSPHRASE,))
    assert ran.code == 0, ran.err
    assert ran.document["sessions"] == {"main": {"ended": True, "why": ""}}
    assert ran.document["steps"]["main"]
    assert desk.sessions() == 1
    assert {name for name in desk.stored() if "token" in name} == set()


async def test_what_outlives_an_engine_follows_the_login_and_the_revocation(desk: Desk) -> None:
    await desk.login()
    assert Standby(desk.home, WallClock()).get("main", "access_token") == desk.stored()["access_token"]
    await desk.say("panic-revoke", given=(PASSPHRASE,))
    assert Standby(desk.home, WallClock()).get("main", "access_token") is None


async def test_panic_wipes_the_tokens_though_the_broker_does_not_answer(desk: Desk) -> None:
    await desk.login()
    desk.served.plan.add([RestReply(status=502, body="<html>Bad Gateway</html>")])
    ran = await desk.say("panic-revoke", given=(PASSPHRASE,))
    assert ran.code == 1
    assert ran.err.endswith("[NOT_LOGGED_OUT]\n")
    assert {name for name in desk.stored() if "token" in name} == set()


@pytest.mark.parametrize("desk", ["zerodha"], indirect=True)
async def test_panic_can_destroy_a_vault_nobody_can_open(desk: Desk) -> None:
    ran = await desk.say("panic-revoke", "--destroy", "--json")
    assert ran.code == 0, ran.err
    assert ran.document["destroyed"]
    assert not (desk.home / "vault").exists()
    assert (await desk.say("panic-revoke", "--destroy")).err.endswith("[VAULT_NONE]\n")


@pytest.mark.parametrize("desk", ["zerodha"], indirect=True)
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("broker", "login", "mian"), "NO_ACCOUNT"),
        (("broker", "login", "shoonya"), "NO_ACCOUNT"),
        (("broker", "login", "practice"), "NO_LOGIN"),
        (("broker", "login", "angelone"), "WHICH_ACCOUNT"),
        (("broker", "logout", "main"), "NO_SESSION"),
    ],
)
async def test_what_account_is_meant_must_be_clear(desk: Desk, words: tuple[str, ...], code: str) -> None:
    with (desk.home / "config.toml").open("a") as config:
        config.write('[accounts.practice]\nbroker = "paper"\n')
        for name in ("a", "b"):
            config.write(f'[accounts.{name}]\nbroker = "angelone"\nclient_id = "{name}1"\n')
    ran = await desk.say(*words, given=(PASSPHRASE,))
    assert ran.err.endswith(f"[{code}]\n")
    assert ran.code == 1


@pytest.mark.parametrize("desk", ["angelone"], indirect=True)
async def test_what_a_broker_says_of_a_refused_login_is_quoted_safely(desk: Desk) -> None:
    pasted = await desk.pasted()
    hostile = json.dumps({"status": False, "message": "\x1b]0;owned\x07[/]", "errorcode": "AB1007", "data": None})
    desk.served.plan.add([RestReply(status=200, body=hostile)])
    ran = await desk.login(PASSPHRASE, *desk.needs, *pasted)
    assert ran.code == 1
    assert "\x1b" not in ran.err
    assert "\x07" not in ran.err
