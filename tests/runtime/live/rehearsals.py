"""Brokers rehearsed on loopback, each with what config.toml and the vault must say to reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from optconsole.brokers.paper.practice.feed import PracticeFeed
from optconsole.brokers.rehearsal.dialect import Dialect
from optconsole.brokers.rehearsal.kite.wire import open_kite
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.dialect import open_noren
from optconsole.brokers.rehearsal.opening import open_market
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.rehearsal.smartapi.dialect import SmartApi
from optconsole.engine.clock import WallClock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import listing
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST
from optconsole.engine.store.sealing import Cost
from optconsole.engine.store.vault import Vault
from optconsole.runtime.rates import paper_rules

OPENS = datetime(2026, 11, 25, 10, 0, tzinfo=IST)
PASSPHRASE = Secret("correct horse battery staple")
QUICK = Cost(passes=1, memory=8 * 1024, lanes=1)
"""A vault that opens at once: what a guess costs is tested where the vault is."""


@dataclass(slots=True)
class Rehearsed:
    """A rehearsed broker that answers, by the name of its account in config.toml."""

    broker: str
    market: Market
    served: Served

    def section(self, mode: str = "live") -> str:
        """The account's section of config.toml."""
        url, ws = self.served.url, self.served.ws_url
        paths = self.served.ready
        lines = {
            "zerodha": [f'rest_url = "{url}"', f'ws_url = "{ws}"'],
            "angelone": [
                f'client_id = "{self.served.credentials.get("client_code", "")}"',
                f'rest_url = "{url}"',
                f'ws_url = "{ws}{paths.get("ticks_path", "")}"',
                f'order_ws_url = "{ws}{paths.get("updates_path", "")}"',
                f'master_url = "{url}{paths.get("master_path", "")}"',
            ],
            "shoonya": [
                f'client_id = "{self.served.credentials.get("user_id", "")}"',
                f'rest_url = "{url}/NorenWClientAPI"',
                f'ws_url = "{ws}/NorenWSAPI/"',
                f'master_url = "{url}"',
            ],
        }[self.broker]
        return "\n".join([f"[accounts.{self.broker}]", f'broker = "{self.broker}"', f'mode = "{mode}"', *lines, ""])

    def secrets(self) -> dict[str, Secret]:
        """What the vault must hold of the account: a login that was made a moment ago."""
        return {name: Secret(text) for name, text in self.served.credentials.items()}


async def _dialect(broker: str, market: Market) -> Dialect:
    if broker == "zerodha":
        return await open_kite(market)
    if broker == "angelone":
        return SmartApi(market)
    return await open_noren(market)


@asynccontextmanager
async def rehearsed(broker: str, folder: Path, seed: int = 7) -> AsyncIterator[Rehearsed]:
    """One broker over the practice market of a seed, playing from ten o'clock of a trading day."""
    calendar = Calendar.load()
    market = await open_market(
        folder,
        calendar=calendar,
        rules=paper_rules(calendar),
        listing=listing,
        seed=seed,
        start=OPENS,
        rate=200,
        account="FA1234" if broker == "shoonya" else "AB1234",
    )
    assert isinstance(market.feed, PracticeFeed)
    market.feed.resume(1.0)
    served = await serve(await _dialect(broker, market), market)
    try:
        yield Rehearsed(broker, market, served)
    finally:
        await served.close()
        await market.close()


def write_home(home: Path, *brokers: Rehearsed, paper: bool = True) -> None:
    """A home whose accounts are the rehearsed ones, each with its login in the vault; and a paper account beside."""
    home.mkdir(mode=0o700, exist_ok=True)
    shift = int((brokers[0].market.now() - WallClock().now()).total_seconds())
    sections = [f"[live]\nrehearsal_shift_seconds = {shift}\n", *(each.section() for each in brokers)]
    if paper:
        sections.append('[accounts.trial]\nbroker = "paper"\n')
    (home / "config.toml").write_text("\n".join(sections), encoding="utf-8")
    vault = Vault(home, WallClock(), cost=lambda: QUICK)
    vault.create(PASSPHRASE)
    for each in brokers:
        vault.put(each.broker, each.secrets())
    vault.lock()
