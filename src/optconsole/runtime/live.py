"""The real market as a stage: accounts at brokers, paper accounts on their prices, and the wall clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.brokers.transport.gateway import Gateway
from optconsole.brokers.transport.tls import loopback
from optconsole.config import Settings
from optconsole.engine.clock import Clock, WallClock, seeded, shifted
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.ports import Broker
from optconsole.options import RunOptions
from optconsole.runtime import places
from optconsole.runtime.bonds import Bonds
from optconsole.runtime.evidence import EvidenceDesk
from optconsole.runtime.gateways import MarketAlmanac, open_gateway
from optconsole.runtime.live_days import LiveDays
from optconsole.runtime.live_masters import LiveMasters
from optconsole.runtime.market import Market
from optconsole.runtime.places import Place
from optconsole.runtime.ranked_feed import RankedFeed
from optconsole.runtime.rates import paper_rules
from optconsole.runtime.stage import Progress
from optconsole.runtime.strongroom import Strongroom
from optconsole.sections import BrokerAccount


@dataclass(frozen=True, slots=True)
class LiveStage:
    """Everything about the real market that does not know the engine yet."""

    place: Place
    clock: Clock
    calendar: Calendar
    strongroom: Strongroom
    accounts: Mapping[str, BrokerAccount]
    settings: Settings
    title: str = "live"
    cadence: float = 0.0

    async def set(self, stack: AsyncExitStack, bonds: Bonds, progress: Progress) -> Market:
        """Open every account and have the day's contracts. What cannot be reached now is told and tried again."""
        desk = bonds.evidence = EvidenceDesk()
        almanac = MarketAlmanac(self.calendar, lambda: self.clock.now().date())
        gateways: dict[str, Gateway] = {}
        for name, written in self.accounts.items():
            if written.broker == "paper":
                continue
            mode = Mode.LIVE if written.mode == "live" else Mode.PAPER
            account = self._account(name, written.broker, mode)
            credentials = self.strongroom.credentials(name)
            gateways[name] = open_gateway(account, written, credentials, self.clock, desk.of(name), almanac)
            stack.push_async_callback(gateways[name].close)
        masters = LiveMasters(gateways, self._ranked(gateways), desk.tell)
        progress("fetching the day's contracts")
        today = self.clock.now().date()
        complete = await masters.prepare(today)
        papers = tuple(self._paper(name, bonds) for name in self._on_paper())
        brokers: dict[str, Broker] = {
            name: gateway.broker for name, gateway in gateways.items() if self.accounts[name].mode == "live"
        }
        brokers.update((paper.account.id, paper) for paper in papers)
        ranked = RankedFeed(
            [(name, gateways[name].feed) for name in self._ranked(gateways)],
            self.clock,
            masters.listed,
            desk.tell,
            lambda: {*bonds.needed(), *always(masters.listed(self.clock.now().date()))},
        )

        async def opened(day: date) -> None:
            await bonds.on_open(day)
            ranked.watch(always(masters.listed(day)))

        def begun() -> None:
            ranked.watch(always(masters.listed(today)))
            days.begin(today, complete)

        days = LiveDays(self.clock, self.calendar, masters.prepare, opened, bonds.on_close)
        bonds.begun = begun
        stack.push_async_callback(days.end)
        stack.callback(self.strongroom.vault.subscribe(lambda _accounts: days.hurry()))
        return Market(clock=self.clock, feed=ranked, playback=None, brokers=brokers, papers=papers, stops=masters.stops)

    def _ranked(self, gateways: Mapping[str, Gateway]) -> list[str]:
        """Accounts whose quotes are taken, the best first."""
        wanted = [(rank, name) for name in gateways if (rank := self.accounts[name].rank) is not None]
        return [name for _, name in sorted(wanted, key=lambda each: each[0])]

    def _account(self, name: str, broker: str, mode: Mode) -> Account:
        written = self.accounts[name]
        rupees = written.capital or self.settings.paper.capital
        return Account(id=name, broker=broker, mode=mode, capital=rupees * 100, group=written.group)

    def _on_paper(self) -> list[str]:
        return [name for name, written in self.accounts.items() if written.mode == "paper"]

    def _paper(self, name: str, bonds: Bonds) -> PaperBroker:
        account = self._account(name, "paper", Mode.PAPER)
        return PaperBroker(
            account,
            self.clock,
            self.place.folder / f"exchange-{name}.db",
            PaperSettings(**self.settings.paper.broker_fields()),
            paper_rules(self.calendar),
            seeded(f"{self.place.world} {name}"),
            bonds.depth,
        )


def always(listed: Sequence[Instrument]) -> list[str]:
    """What is quoted whoever looks: the indices, and the nearest future of each."""
    indices = [each.name for each in listed if each.kind is Kind.INDEX]
    nearest: dict[str, Instrument] = {}
    for each in listed:
        if each.kind is Kind.FUTURE and each.expiry is not None:
            known = nearest.setdefault(each.underlying, each)
            if known.expiry is not None and each.expiry < known.expiry:
                nearest[each.underlying] = each
    return indices + [each.name for each in nearest.values()]


def live_stage(options: RunOptions, settings: Settings, calendar: Calendar, strongroom: Strongroom) -> LiveStage:
    """The stage of the configured accounts. Raises Refusal(NO_ACCOUNTS | SHIFTED_CLOCK | NO_PRICES)."""
    accounts = settings.accounts
    if not accounts:
        raise Refusal(
            "NO_ACCOUNTS",
            f'No account is configured; write [accounts.NAME] with broker = "zerodha" into {options.home}/config.toml.',
        )
    if not any(written.broker != "paper" and written.rank is not None for written in accounts.values()):
        raise Refusal("NO_PRICES", "No account gives quotes; set data = true on one of the accounts at a broker.")
    return LiveStage(
        place=places.live(options.home, settings.store.url),
        clock=_clock(settings, accounts),
        calendar=calendar,
        strongroom=strongroom,
        accounts=accounts,
        settings=settings,
    )


def _clock(settings: Settings, accounts: Mapping[str, BrokerAccount]) -> WallClock:
    """The wall's time; in a rehearsal, the rehearsed market's."""
    seconds = settings.live.rehearsal_shift_seconds
    if not seconds:
        return WallClock()
    apart = [name for name, written in accounts.items() if written.broker != "paper" and not _at_home(written)]
    if apart:
        raise Refusal(
            "SHIFTED_CLOCK",
            f"live.rehearsal_shift_seconds is set and {apart[0]} is at the real broker; only rehearsals on this "
            "machine may live in another time. Remove it.",
        )
    return shifted(seconds)


def _at_home(written: BrokerAccount) -> bool:
    """Whether all that an account talks to is on this machine."""
    needed = (written.rest_url, written.ws_url)
    return all(needed) and all(loopback(urlsplit(url).hostname) for url in written.addresses)
