"""A rehearsal that runs over a night: orders end, the login dies, the next day lists its own contracts."""

from __future__ import annotations

from pathlib import Path

from optconsole.brokers.rehearsal.kite.limits import UNLIMITED
from optconsole.brokers.rehearsal.kite.wire import KiteSettings, open_kite
from optconsole.brokers.rehearsal.opening import open_market
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import listing
from optconsole.runtime.rates import paper_rules
from tests.brokers.paper.stage import at
from tests.brokers.rehearsal.stage import until

FIVE_MINUTES_BEFORE_THE_END = at("15:35")


async def test_a_night_ends_orders_and_the_login(tmp_path: Path) -> None:
    calendar = Calendar.load()
    market = await open_market(
        tmp_path,
        calendar=calendar,
        rules=paper_rules(calendar),
        listing=listing,
        seed=3,
        start=FIVE_MINUTES_BEFORE_THE_END,
        rate=5,
    )
    await market.opened(5.0)
    told: list[str] = []
    kite = await open_kite(market, KiteSettings(limits=UNLIMITED, pause=0.0))
    kite.stream.tell = lambda kind, data: told.append(str(data["status"]))  # type: ignore[method-assign,index]
    access = kite.login()["access_token"]
    future = next(row for row in kite.contracts().rows if row.kind == "FUT" and row.instrument.underlying == "NIFTY")
    quote = market.quote(future.instrument.name)
    assert quote is not None
    assert quote.bid is not None
    form = {
        "exchange": "NFO",
        "tradingsymbol": future.symbol,
        "transaction_type": "BUY",
        "quantity": str(future.instrument.lot),
        "product": "NRML",
        "order_type": "LIMIT",
        "price": str((quote.bid - 20_00) / 100),
    }
    order_id = str((await kite.orders.place("regular", form))["order_id"])  # type: ignore[call-overload,index]
    await until(lambda: kite.orders.history(order_id)[-1]["status"] == "OPEN")
    before = kite.contracts()
    await market.advance(18 * 3600)
    assert market.now() >= at("09:15", market.now().date())
    assert market.now().date() > FIVE_MINUTES_BEFORE_THE_END.date()
    assert "CANCELLED" in told
    assert kite.orders.book() == []
    assert kite.contracts() is not before
    assert not kite.sessions.knows(kite.sessions.app.api_key, access)
    await kite.close()
    await market.close()
