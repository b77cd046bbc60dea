"""What is lost is said in words on every screen: what it stops, what goes on, the gravest first."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.orders import Product
from optconsole.engine.model.vitals import BrokerVitals, LinkState, Vitals
from optconsole.screens.formats import FULL, Formats
from optconsole.screens.troubles import troubles
from tests.screens.opening import line, opened, settled
from tests.screens.stage import NOON, StageLink, name, stage_app, straddle_day, vitals
from tests.screens.test_doubt import RELEASED, doubtful


def broker(**changes: object) -> Callable[[Vitals], Vitals]:
    def changed(seen: Vitals) -> Vitals:
        (one,) = seen.brokers
        return msgspec.structs.replace(seen, brokers=(msgspec.structs.replace(one, account="PAPER1", **changes),))

    return changed


def engine(**changes: object) -> Callable[[Vitals], Vitals]:
    return lambda seen: msgspec.structs.replace(seen, **changes)


@pytest.mark.parametrize(
    ("change", "what", "stops", "goes_on"),
    [
        (engine(store=LinkState.DEAD), "STORE FAILED", "no order is taken", "stays at the broker"),
        (
            engine(guard="GUARD ONLY", guard_why="the store is damaged"),
            "GUARD ONLY",
            "entries stop",
            "exits go on",
        ),
        (broker(lost="token expired"), "LOGIN LOST, PAPER1", "entries stop", "log in again"),
        (
            broker(order_read=LinkState.DEAD, book_age=72.0),
            "BOOK of PAPER1 not read for 72s",
            "entries stop",
            "cancels go on",
        ),
        (broker(order_read=LinkState.DEAD), "BOOK of PAPER1 never read", "entries stop", "it is tried again"),
        (broker(order_write=LinkState.DEAD, note="disk"), "ORDERS of PAPER1 fail", "entries stop", "act there"),
        (broker(refusing_for=12.0, failures=4), "4 requests to PAPER1 failed", "entries wait 12s", "exits, stops"),
        (engine(feed=LinkState.DEAD, feed_age=17.0), "FEED silent for 17s", "entries stop", "stops at the exchange"),
        (engine(feed=LinkState.DEAD, feed_age=None), "FEED has said nothing yet", "entries stop", "prices here"),
        (engine(feed=LinkState.STALE, feed_age=7.0), "Feed silent for 7.0s", "", "prices here are old"),
        (engine(entry_wait=3.4), "Orders that go first need 3.4s", "entries wait", "exits, stops"),
    ],
)
def test_each_lost_part_says_what_it_stops_and_what_goes_on(
    change: Callable[[Vitals], Vitals], what: str, stops: str, goes_on: str
) -> None:
    (found,) = troubles(StageLink().state, change(vitals(NOON)), FULL)
    assert found.what == what
    assert found.stops == stops
    assert goes_on in found.goes_on
    assert found.frozen == bool(stops)


def test_the_reason_is_told_where_there_is_room() -> None:
    seen = engine(guard="GUARD ONLY", guard_why="the store is \x1b[2Jdamaged")(
        broker(lost="token expired")(vitals(NOON))
    )
    assert [each.why for each in troubles(StageLink().state, seen, FULL)] == [
        "the store is \\x1b[2Jdamaged",
        "token expired",
    ]


def test_all_is_well_without_a_word() -> None:
    assert troubles(StageLink(straddle_day()).state, vitals(NOON), FULL) == []


def test_a_closed_market_is_no_trouble() -> None:
    seen = broker(quotes=LinkState.CLOSED, order_read=LinkState.CLOSED, order_write=LinkState.CLOSED)(vitals(NOON))
    assert troubles(StageLink().state, msgspec.structs.replace(seen, feed=LinkState.CLOSED), FULL) == []


def test_the_gravest_comes_first_and_drift_and_letters_stop_nothing() -> None:
    link = doubtful()
    link.happen(ev.DriftSeen(account="PAPER1", product=Product.NRML, contract=name(24500, "CE"), ours=-130, theirs=-65))
    link.happen(ev.InputSetAside(letter_id="L1", account="PAPER1", kind="trade", row="{}", why="x"))
    seen = engine(store=LinkState.DEAD, feed=LinkState.STALE, feed_age=6.0)(vitals(NOON))
    found = troubles(link.state, seen, Formats(ascii=True))
    assert [each.what.split()[0] for each in found] == ["STORE", "UNKNOWN", "Feed", "NIFTY", "1"]
    assert [each.frozen for each in found] == [True, True, False, False, False]
    assert [each.role for each in found] == ["bad", "bad", "warn", "warn", "warn"]


def test_a_released_doubt_stops_nothing() -> None:
    assert troubles(doubtful(RELEASED).state, vitals(NOON), FULL) == []


@pytest.mark.parametrize(("size", "shown"), [((80, 24), 1), ((120, 36), 3)])
async def test_the_header_shows_troubles_while_there_are_some(size: tuple[int, int], shown: int) -> None:
    link = doubtful()
    for change in (engine(feed=LinkState.DEAD, feed_age=20.0), broker(lost="[/] \x1b[2Jgone"), engine(entry_wait=9.0)):
        link.vitals = change(link.vitals)
    async with stage_app(link).run_test(size=size) as pilot:
        app = await opened(pilot)
        told = [row for row in line(app, "trouble").splitlines() if row.strip()]
        assert len(told) == shown
        assert "LOGIN LOST" in told[0]
        assert f"+{4 - shown} on Health" in told[-1]
        assert "\x1b" not in told[0]
        assert "ENTRIES STOPPED" in line(app, "header")
        link.vitals = vitals(NOON)
        link.happen(RELEASED)
        link.nudge(name(24500, "CE"))
        await settled(pilot)
        assert not line(app, "trouble").strip()
        assert app.screen.query_one("#trouble").size.height == 0
        assert "kill: ready" in line(app, "header")


def test_a_broker_without_an_account_goes_by_its_name() -> None:
    nameless = BrokerVitals(
        name="zed", quotes=LinkState.LIVE, order_read=LinkState.DEAD, order_write=LinkState.LIVE, book_age=61.0
    )
    seen = msgspec.structs.replace(vitals(NOON), brokers=(nameless,))
    (found,) = troubles(StageLink().state, seen, FULL)
    assert found.what == "BOOK of zed not read for 61s"
