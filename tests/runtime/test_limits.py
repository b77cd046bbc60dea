"""Limits in a running engine over the paper exchange."""

from __future__ import annotations

from pathlib import Path

import msgspec

from optconsole.engine import events as ev
from optconsole.engine import queries as q
from optconsole.engine.commands import Command, EngageKill, ReleaseKill, SetLimit, SetTradingState
from optconsole.engine.model.access import Access
from optconsole.engine.model.limits import Level, Limit, LimitAction, LimitKind, Standing
from optconsole.engine.model.orders import OrderStatus, OrderType, Side
from optconsole.link.client import SocketLink
from optconsole.link.server import LinkServer
from optconsole.runtime.house import House
from tests.runtime.conftest import Open, Trader

K = LimitKind


async def ask(house: House, command: Command) -> None:
    reply = await house.engine.submit(command)  # type: ignore[arg-type]
    assert reply.ok, reply.text


def limit(name: str, kind: LimitKind, value: int, **more: object) -> SetLimit:
    made = msgspec.structs.replace(Limit(level=Level.GLOBAL, kind=kind, value=value), **more)
    return SetLimit(id=name, actor="test", limit=made, why="test")


async def rows(house: House) -> dict[LimitKind, q.LimitRow]:
    answer = await house.engine.query(q.GetRisk())
    assert isinstance(answer, q.RiskAnswer)
    return {row.kind: row for row in answer.limits}


async def test_a_new_home_begins_with_the_configured_limits_and_keeps_what_was_set(opened: Open, home: Path) -> None:
    config = home / "config.toml"
    with config.open("a") as file:
        file.write("[risk]\nmax_lots_per_order = 7\n")
    house = await opened(hold=True)
    begun = await rows(house)
    assert begun[K.ORDER_LOTS].value == 7
    assert set(begun) == {
        K.ORDER_LOTS,
        K.DEVIATION,
        K.ORDER_VALUE,
        K.ORDERS,
        K.REJECTS,
        K.MAX_LOSS_PERCENT,
    }
    assert begun[K.MAX_LOSS_PERCENT].action is LimitAction.ALERT
    await ask(house, limit("l", K.ORDER_LOTS, 3, level=Level.ORDER))
    await ask(house, limit("m", K.OPEN_LOTS, 4))
    await house.stop("over")

    config.write_text(config.read_text().replace("= 7", "= 50"))
    again = await opened(hold=True)
    kept = await rows(again)
    assert (kept[K.ORDER_LOTS].value, kept[K.OPEN_LOTS].value) == (3, 4)
    trader = Trader(again)
    call = await trader.at_the_money()
    assert (await trader.place(call, Side.SELL, lots=4)).reason_code == "MAX_LOTS"
    assert (await trader.place(call, Side.SELL, lots=3)).status is OrderStatus.FILLED
    assert (await trader.place(call, Side.SELL, lots=2)).reason_code == "LIMIT_OPEN_LOTS"
    assert (await rows(again))[K.OPEN_LOTS].used == 3
    assert (await again.engine.verify()).ok


async def test_a_loss_past_its_limit_closes_the_scope_and_halts_it(opened: Open) -> None:
    house = await opened(hold=True)
    trader = Trader(house)
    call = await trader.at_the_money()
    await trader.place(call, Side.SELL, lots=2)
    resting = await trader.place(call, Side.SELL, type=OrderType.LIMIT, price=far_above(house, call.name, call.tick))
    assert resting.status is OrderStatus.OPEN
    # charges and the spread are a loss of more than a rupee already
    await ask(house, limit("l", K.MAX_LOSS, 100, action=LimitAction.EXIT_SCOPE))
    await trader.until(lambda: not any(position.qty for position in house.engine.state.positions.values()))
    await house.engine.settled()
    state = house.engine.state
    assert state.orders[resting.id].status is OrderStatus.CANCELLED
    assert state.scopes["global"].standing is Standing.HALTED
    assert (await trader.place(call, Side.SELL)).reason_code == "HALTED"
    facts = await house.engine.world.journal.read(limit=5_000)
    assert sum(isinstance(fact.event, ev.FlattenBegun) for fact in facts) == 1
    assert [fact.event.kind for fact in facts if isinstance(fact.event, ev.LimitBroken)] == [K.MAX_LOSS]
    assert {fact.actor for fact in facts if isinstance(fact.event, ev.LimitBroken)} == {"risk"}


async def test_a_halted_account_stays_halted_over_a_restart_until_a_person_gives_a_reason(opened: Open) -> None:
    house = await opened(hold=True)
    halt = SetTradingState(id="h", actor="test", level=Level.ACCOUNT, name="paper", standing=Standing.HALTED)
    await ask(house, halt)
    await house.stop("over")
    again = await opened(hold=True)
    trader = Trader(again)
    call = await trader.at_the_money()
    assert (await trader.place(call, Side.SELL)).reason_code == "HALTED"
    free = SetTradingState(id="a", actor="test", level=Level.ACCOUNT, name="paper", standing=Standing.ACTIVE)
    refused = await again.engine.submit(free)
    assert (refused.ok, refused.code) == (False, "WHY_NEEDED")
    await ask(again, msgspec.structs.replace(free, id="b", why="looked"))
    assert (await trader.place(call, Side.SELL)).status is OrderStatus.FILLED


async def test_the_money_is_read_at_the_start_and_a_premium_beyond_it_never_leaves(opened: Open, home: Path) -> None:
    with (home / "config.toml").open("a") as file:
        file.write("[paper]\ncapital = 100\n")
    house = await opened(hold=True)
    trader = Trader(house)
    call = await trader.at_the_money()
    await trader.until(lambda: house.engine.funds("paper") is not None)
    order = await trader.place(call, Side.BUY)
    assert (order.status, order.reason_code) == (OrderStatus.DENIED, "MARGIN")


async def test_a_short_beyond_the_account_s_margin_never_leaves_and_passes_once_it_is_hedged(
    opened: Open, home: Path
) -> None:
    """OE-10: what is weighed is the whole account after the order; getting out again is never refused."""
    with (home / "config.toml").open("a") as file:
        file.write("[paper]\ncapital = 120000\n")
    house = await opened(hold=True)
    trader = Trader(house)
    call = await trader.at_the_money()
    assert call.strike is not None
    wing = house.engine.master.resolve(call.name.replace(f"{call.strike // 100}", f"{call.strike // 100 + 100}"))
    await trader.until(lambda: house.engine.funds("paper") is not None)
    bare = await trader.place(call, Side.SELL)
    assert (bare.status, bare.reason_code) == (OrderStatus.DENIED, "INSUFFICIENT_MARGIN")
    assert "no lots would pass" in bare.reason
    assert (await trader.place(wing, Side.BUY)).status is OrderStatus.FILLED
    assert (await trader.place(call, Side.SELL)).status is OrderStatus.FILLED
    assert (await trader.place(call, Side.BUY)).status is OrderStatus.FILLED


async def test_an_observer_on_the_socket_changes_nothing_and_its_refusal_is_on_record(opened: Open, home: Path) -> None:
    """P07, AD-1: over a real socket to a real engine; an operator there cannot release the kill switch."""
    house = await opened(hold=True)
    server = LinkServer(house.engine, home / "watch.sock")
    await server.start()
    watching = await SocketLink.connect(home / "watch.sock", Access.OBSERVER)
    trading = await SocketLink.connect(home / "watch.sock", Access.OPERATOR)
    try:
        reply = await watching.submit(EngageKill(id="w", actor="watcher"))
        assert (reply.ok, reply.code) == (False, "OBSERVER")
        assert not house.engine.state.killed
        assert (await trading.submit(EngageKill(id="t", actor="trader"))).ok
        reply = await trading.submit(ReleaseKill(id="r", actor="trader", typed="UNLOCK"))
        assert (reply.ok, reply.code) == (False, "ADMIN_NEEDED")
        facts = [each async for page in house.engine.world.journal.replay() for each in page]
    finally:
        await watching.close()
        await trading.close()
        await server.close()
    told = [(each.actor, each.event.code) for each in facts if isinstance(each.event, ev.CommandRefused)]
    assert told == [("watcher", "OBSERVER"), ("trader", "ADMIN_NEEDED")]


def far_above(house: House, name: str, tick: int) -> int:
    quote = house.engine.board.get(name)
    assert quote is not None
    assert quote.ask is not None
    price = quote.ask + quote.ask // 10
    return price - price % tick
