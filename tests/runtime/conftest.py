"""A house over the practice market, in a fresh home."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from optconsole.engine import queries as q
from optconsole.engine.commands import PlaceOrder
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.model.orders import Order, OrderTerms, OrderType, Product, Side
from optconsole.options import RunOptions
from optconsole.runtime.house import House, open_house

Open = Callable[..., Awaitable[House]]
_DATABASES = itertools.count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An empty home whose store is on each database in turn; only the URL in its settings differs."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_url")
        name = f"house_{next(_DATABASES)}_{make_url(server).database}"
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        url = make_url(server).set(database=name).render_as_string(hide_password=False)
        (home / "config.toml").write_text(f'[store]\nurl = "{url}"\n', encoding="utf-8")
    return home


@pytest.fixture
async def opened(home: Path) -> AsyncIterator[Open]:
    """Open houses that are closed after the test, whatever it did."""
    open_now: list[House] = []

    async def start(**options: Any) -> House:
        house = await open_house(RunOptions(home=home, **options))
        open_now.append(house)
        return house

    yield start
    for house in open_now:
        await house.stop("test over")


def codes_told(house: House) -> list[str]:
    """Codes of the notices so far, but for what a machine that is busy with other tests adds."""
    return [notice.code for notice in house.engine.state.notices if notice.code != "LOOP_LAG"]


class Trader:
    """Presses the keys a trader would."""

    def __init__(self, house: House) -> None:
        self.engine = house.engine
        self._count = 0

    async def at_the_money(self, nth_expiry: int = 1, underlying: str = "NIFTY", right: str = "CE") -> Instrument:
        known = await self.engine.query(q.ListUnderlyings())
        assert isinstance(known, q.UnderlyingList)
        expiry = next(row for row in known.underlyings if row.name == underlying).expiries[nth_expiry]
        listed = await self.engine.query(q.FindInstruments(underlying=underlying, expiry=expiry))
        assert isinstance(listed, q.InstrumentList)
        spot = self.engine.board.get(underlying)
        assert spot is not None
        assert spot.ltp is not None
        level = spot.ltp
        return min(
            (item for item in listed.instruments if item.kind is Kind.OPTION and item.right == right),
            key=lambda item: abs((item.strike or 0) - level),
        )

    async def place(
        self,
        instrument: Instrument,
        side: Side,
        lots: int = 1,
        type: OrderType = OrderType.MARKET,
        price: int | None = None,
        trigger: int | None = None,
        product: Product = Product.NRML,
    ) -> Order:
        """Send one order and wait until the exchange has had its say."""
        self._count += 1
        terms = OrderTerms(
            account="paper",
            contract=instrument.name,
            side=side,
            qty=lots * instrument.lot,
            type=type,
            price=price,
            trigger=trigger,
            product=product,
        )
        reply = await self.engine.submit(PlaceOrder(id=f"{id(self)}-{self._count}", actor="test", terms=terms))
        await self.engine.settled()
        return self.engine.state.orders[reply.ids[0]]

    async def until(self, met: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait for a condition on the engine, woken by its facts and the market's quotes."""
        async with asyncio.timeout(seconds):
            while not met():  # noqa: ASYNC110  conditions on quotes have no event of their own
                await asyncio.sleep(0.01)
