"""The morning's logins: who has none is asked in time, and a login that needs nobody is made, once a day at most."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.rehearsal.smartapi.dialect import SmartApi
from optconsole.engine.clock import MarketClock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST
from optconsole.runtime.login_watch import LoginWatch
from optconsole.runtime.strongroom import Strongroom
from optconsole.sections import BrokerAccount
from tests.brokers.rehearsal.stage import a_still_market
from tests.canaries import CANARIES
from tests.engine.store.vaults import PASSPHRASE, a_vault

TOKEN = {"access_token": Secret(CANARIES["access_token"])}
ZERODHA = BrokerAccount(broker="zerodha", mode="live")


def on(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=IST)


class Morning:
    """An open vault, a clock, and what the trader was told."""

    def __init__(self, home: Path, **accounts: BrokerAccount) -> None:
        self.clock = MarketClock(on(23, 6), speed=0)
        vault = a_vault(home, self.clock)
        vault.create(PASSPHRASE)
        self.room = Strongroom(home, self.clock, vault)
        self.told: list[str] = []
        calendar = Calendar.load()
        self.watch = LoginWatch(accounts, self.room, calendar, self.clock, lambda code, _text: self.told.append(code))

    async def at(self, moment: datetime) -> list[str]:
        """What is told at a moment, which is looked at twice."""
        self.clock.set(moment)
        before = len(self.told)
        await self.watch.look()
        await self.watch.look()
        return self.told[before:]


async def test_a_missing_login_is_asked_for_before_the_open_and_again_shortly_before_it(tmp_path: Path) -> None:
    morning = Morning(tmp_path, main=ZERODHA)
    assert await morning.at(on(23, 8, 29)) == []
    assert await morning.at(on(23, 8, 30)) == ["LOGIN_NEEDED"]
    assert await morning.at(on(23, 9, 4)) == []
    assert await morning.at(on(23, 9, 5)) == ["LOGIN_NEEDED"]
    assert await morning.at(on(23, 15, 29)) == []
    assert await morning.at(on(23, 16)) == []
    assert await morning.at(on(25, 8, 31)) == ["LOGIN_NEEDED"]


async def test_who_is_logged_in_is_left_alone_until_the_token_dies(tmp_path: Path) -> None:
    morning = Morning(tmp_path, main=ZERODHA)
    morning.room.vault.put("main", TOKEN, on(23, 11))
    assert await morning.at(on(23, 9, 10)) == []
    assert await morning.at(on(23, 11)) == ["LOGIN_NEEDED"]


async def test_on_days_without_a_market_nobody_is_woken(tmp_path: Path) -> None:
    morning = Morning(tmp_path, main=ZERODHA)
    assert await morning.at(on(28, 9, 10)) == []  # a Saturday


async def test_a_locked_vault_is_told_once_at_any_hour(tmp_path: Path) -> None:
    morning = Morning(tmp_path, main=ZERODHA)
    morning.room.vault.lock()
    assert await morning.at(on(23, 22)) == ["VAULT_LOCKED"]
    assert await morning.at(on(25, 9, 10)) == []


async def test_paper_accounts_need_no_login(tmp_path: Path) -> None:
    morning = Morning(tmp_path, main=BrokerAccount(broker="paper"))
    morning.room.vault.lock()
    assert await morning.at(on(23, 9, 10)) == []


# ---------------------------------------------------------------- a login that needs nobody


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    market = await a_still_market(tmp_path / "market")
    yield market
    await market.close()


@pytest.fixture
async def angel(market: Market) -> AsyncIterator[tuple[Served, SmartApi]]:
    api = SmartApi(market, wall=lambda: on(23, 8, 31), caps={})
    served = await serve(api, market)
    yield served, api
    await served.close()


def stored(morning: Morning, api: SmartApi, **changes: str) -> None:
    client = api.client
    secrets = {"api_key": client.api_key, "pin": client.pin, "totp_seed": client.seed}
    morning.room.vault.put("main", secrets | {name: Secret(value) for name, value in changes.items()})


def account(served: Served, api: SmartApi) -> BrokerAccount:
    return BrokerAccount(broker="angelone", mode="live", client_id=api.client.code, rest_url=served.url)


async def test_with_pin_and_seed_stored_the_engine_logs_in_by_itself(
    angel: tuple[Served, SmartApi], tmp_path: Path
) -> None:
    morning = Morning(tmp_path, main=account(*angel))
    stored(morning, angel[1])
    heard: list[str] = []
    morning.room.credentials("main").subscribe(lambda: heard.append("swapped"))
    assert await morning.at(on(23, 8, 31)) == ["LOGIN_MADE"]
    assert heard == ["swapped"]
    assert morning.room.credentials("main").get("access_token")
    ends = {entry.expires for entry in morning.room.vault.names() if entry.name == "access_token"}
    assert ends == {on(23, 0) + timedelta(days=1)}


async def test_a_pin_that_is_wrong_is_tried_once_a_day(angel: tuple[Served, SmartApi], tmp_path: Path) -> None:
    served, api = angel
    morning = Morning(tmp_path, main=account(served, api))
    wrong = "0000" if api.client.pin.reveal() != "0000" else "1111"
    stored(morning, api, pin=wrong)
    assert await morning.at(on(23, 8, 31)) == ["LOGIN_FAILED", "LOGIN_NEEDED"]
    assert await morning.at(on(23, 9, 5)) == ["LOGIN_NEEDED"]
    assert served.wire.executed["login"] == 1


async def test_without_a_stored_seed_a_person_is_asked(angel: tuple[Served, SmartApi], tmp_path: Path) -> None:
    served, api = angel
    morning = Morning(tmp_path, main=account(served, api))
    morning.room.vault.put("main", {"api_key": api.client.api_key, "pin": api.client.pin})
    assert await morning.at(on(23, 8, 31)) == ["LOGIN_NEEDED"]
    assert served.wire.executed.get("login", 0) == 0
