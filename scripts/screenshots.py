"""Pictures of the screens for the README. Run through ``scripts/screenshots``."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from datetime import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from optconsole.app import ConsoleApp, ConsoleOptions
from optconsole.engine.commands import PlaceOrder, SaveBasket, SetBasketStatus, SetStop
from optconsole.engine.model.baskets import Allocation, Basket, BasketStatus
from optconsole.engine.model.instruments import Instrument, Kind, Right
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, Side
from optconsole.engine.model.strategies import CostShift, Schedule
from optconsole.engine.queries import FindInstruments, InstrumentList, ListUnderlyings, UnderlyingList
from optconsole.engine.strategies.leg_text import read_stop
from optconsole.engine.strategies.templates import from_template
from optconsole.link.local import LocalLink
from optconsole.link.protocol import EngineLink
from optconsole.options import RunOptions
from optconsole.runtime.house import House, open_house
from optconsole.screens.tour import SEEN_FILE

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SIZE = (120, 36)
SHOTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("positions", ("1",)),
    ("chain", ("2", "right_square_bracket")),
    ("ticket", ("2", "s", "up")),
    ("orders", ("escape", "3")),
    ("baskets", ("4", "down", "down")),
    ("risk", ("6",)),
    ("journal", ("8",)),
    ("health", ("9",)),
)


async def pick(house: House, right: Right, away: int) -> Instrument:
    """The option of the second NIFTY expiry so many rupees out of the money."""
    known = await house.engine.query(ListUnderlyings())
    assert isinstance(known, UnderlyingList)
    expiry = next(row for row in known.underlyings if row.name == "NIFTY").expiries[1]
    listed = await house.engine.query(FindInstruments(underlying="NIFTY", expiry=expiry))
    assert isinstance(listed, InstrumentList)
    spot = house.engine.board.get("NIFTY")
    assert spot is not None
    assert spot.ltp is not None
    wanted = spot.ltp + (away if right is Right.CALL else -away) * 100
    options = [item for item in listed.instruments if item.kind is Kind.OPTION and item.right is right]
    return min(options, key=lambda item: abs((item.strike or 0) - wanted))


async def trade(house: House) -> None:
    """An iron condor, stops on what is short, a resting order in parts: every screen has something to show."""
    legs = [
        (Right.CALL, 300, Side.BUY, 2),
        (Right.PUT, 300, Side.BUY, 2),
        (Right.CALL, 100, Side.SELL, 2),
        (Right.PUT, 100, Side.SELL, 2),
    ]
    for number, (right, away, side, lots) in enumerate(legs):
        contract = await pick(house, right, away)
        terms = OrderTerms(
            account="paper", contract=contract.name, side=side, qty=lots * contract.lot, type=OrderType.MARKET
        )
        await house.engine.submit(PlaceOrder(id=f"leg{number}", actor="key:ticket", terms=terms))
        await house.engine.settled()
    for right in (Right.CALL, Right.PUT):
        sold = await pick(house, right, 100)
        quote = quoted(house, sold)
        stop = quote.ask * 5 // 4 // 5 * 5
        guard = SetStop(
            id=f"guard{right}", actor="key:stop", account="paper", product=Product.NRML, contract=sold.name, stop=stop
        )
        await house.engine.submit(guard)
        await house.engine.settled()
    far = await pick(house, Right.CALL, 500)
    resting = OrderTerms(
        account="paper",
        contract=far.name,
        side=Side.BUY,
        qty=40 * far.lot,
        type=OrderType.LIMIT,
        price=quoted(house, far).bid * 9 // 10 // 5 * 5,
    )
    await house.engine.submit(PlaceOrder(id="parts", actor="key:ticket", terms=resting))
    await house.engine.settled()


class Booked(NamedTuple):
    """The best prices of a contract that has both."""

    bid: int
    ask: int


def quoted(house: House, item: Instrument) -> Booked:
    """The best bid and ask, which the practice market always has near the money."""
    quote = house.engine.board.get(item.name)
    assert quote is not None
    assert quote.bid is not None
    assert quote.ask is not None
    return Booked(quote.bid, quote.ask)


async def automate(house: House) -> None:
    """A basket of which one strategy enters at once and another in the afternoon."""
    start, later = (Schedule(entry_at=at, exit_at=time(15, 15)) for at in (time(10, 40, 15), time(13, 0)))
    straddle = from_template("short straddle", "NIFTY", schedule=start)
    legs = tuple(msgspec.structs.replace(leg, stop=read_stop("25%")) for leg in straddle.legs)
    condor = from_template("iron condor", "NIFTY", schedule=later)
    basket = Basket(
        name="index income",
        strategies=(msgspec.structs.replace(straddle, legs=legs, move_to_cost=CostShift.OTHER_RIGHT), condor),
        allocations=(Allocation(account="paper"),),
    )
    await house.engine.submit(SaveBasket(id="basket", actor="key:builder", basket=basket))
    active = SetBasketStatus(id="start", actor="key:start", name=basket.name, status=BasketStatus.ACTIVE)
    await house.engine.submit(active)
    await house.engine.settled()


def standalone(svg: str) -> str:
    """The picture without web fonts: it must load nothing from anywhere."""
    return re.sub(r"@font-face\s*\{[^}]*\}", "", svg)


async def take(images: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        house = await open_house(RunOptions(home=home, seed=11, start_at="10:40", rate=1500))
        (home / SEEN_FILE).touch()
        await trade(house)
        await automate(house)
        link = LocalLink(house.engine)

        async def reach() -> tuple[EngineLink, Callable[[], Awaitable[None]]]:
            return link, link.close

        app = ConsoleApp(reach, ConsoleOptions(home=home, hz=10.0))
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause(2.0)
            for name, keys in SHOTS:
                await pilot.press(*keys)
                await pilot.pause(1.5)
                picture = images / f"{name}.svg"
                picture.write_text(standalone(app.export_screenshot(title="optconsole")), encoding="utf-8")
                picture.chmod(0o644)
                print(picture.relative_to(ROOT))
        await house.stop("pictures taken")


if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(IMAGES))
