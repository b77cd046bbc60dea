"""The mirror says what the engine says, from facts alone, and finds its way back after a gap."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import Beat
from optconsole.engine.state import digest
from optconsole.link.protocol import LinkLost
from optconsole.screens.mirror import Mirror, Topic
from tests.screens.stage import NOON, StageLink, name, placed, straddle_day

CALL, PUT = name(24500, "CE"), name(24500, "PE")


async def mirrored(link: StageLink) -> Mirror:
    mirror = Mirror(link)
    await mirror.resync()
    return mirror


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_facts_alone_lead_to_the_engine_s_own_state() -> None:
    link = StageLink()
    mirror = await mirrored(link)
    following = asyncio.create_task(mirror.follow())
    await settle()
    for event in straddle_day():
        link.happen(event)
    await settle()
    following.cancel()
    assert digest(mirror.state) == digest(link.state)


async def test_applying_facts_leaves_the_link_s_state_alone() -> None:
    link = StageLink()
    mirror = await mirrored(link)
    before = digest(link.state)
    event = ev.NoticeRaised(level="alarm", code="X", text="x")
    mirror.take_fact(Recorded(seq=mirror.state.seq + 1, at=NOON, actor="", cause="", event=event))
    assert digest(link.state) == before


async def test_a_gap_takes_a_fresh_snapshot() -> None:
    link = StageLink()
    mirror = await mirrored(link)
    following = asyncio.create_task(mirror.follow())
    await settle()
    lost = link.streams[:]
    link.streams.clear()
    link.happen(ev.NoticeRaised(level="info", code="A", text="missed"))
    link.streams.extend(lost)
    link.happen(ev.NoticeRaised(level="info", code="B", text="seen"))
    await settle()
    following.cancel()
    assert mirror.resyncs == 1
    assert digest(mirror.state) == digest(link.state)


async def test_a_fact_told_twice_counts_once() -> None:
    link = StageLink(straddle_day())
    mirror = await mirrored(link)
    assert mirror.take_fact(link.journal[-1])
    assert digest(mirror.state) == digest(link.state)


async def test_listeners_hear_their_own_topics_only() -> None:
    link = StageLink()
    mirror = await mirrored(link)
    heard: list[Topic] = []
    for topic in Topic:
        mirror.on(topic, lambda topic=topic: heard.append(topic))
    for event in placed(1, CALL, Side.BUY, 1, 100):
        heard.clear()
        mirror.take_fact(link.happen(event))
    assert heard == [Topic.ORDERS, Topic.POSITIONS, Topic.FACTS]
    heard.clear()
    mirror.take_fact(link.happen(ev.NoticeRaised(level="alarm", code="X", text="x")))
    assert heard == [Topic.NOTICES, Topic.FACTS]


async def test_a_listener_that_stopped_hears_nothing() -> None:
    link = StageLink()
    mirror = await mirrored(link)
    heard: list[int] = []
    stop = mirror.on(Topic.NOTICES, lambda: heard.append(1))
    stop()
    stop()
    mirror.take_fact(link.happen(ev.NoticeRaised(level="alarm", code="X", text="x")))
    assert heard == []


async def test_profit_is_realised_plus_quantity_at_the_mark_less_charges() -> None:
    link = StageLink([*placed(1, CALL, Side.SELL, 2, 14_500), *placed(2, CALL, Side.BUY, 1, 14_000)])
    mirror = await mirrored(link)
    mirror.take_beat(Beat(vitals=link.vitals, quotes=(link.quotes[CALL],)))
    mark = link.quotes[CALL].mark
    assert mark is not None
    figures = mirror.figures()
    assert figures.realised == 65 * 500
    assert figures.unrealised == 65 * (14_500 - mark)
    assert figures.net == figures.gross - 2 * 1_804


async def test_an_unpriced_position_is_counted_and_not_valued_at_zero() -> None:
    link = StageLink(placed(1, CALL, Side.SELL, 2, 14_500))
    mirror = await mirrored(link)
    position = next(iter(mirror.state.positions.values()))
    assert mirror.unrealised(position) is None
    figures = mirror.figures()
    assert (figures.unpriced, figures.open, figures.unrealised) == (1, 1, 0)


async def test_a_beat_overwrites_quotes_and_names_what_changed() -> None:
    link = StageLink()
    mirror = await mirrored(link)
    old = link.quotes[CALL]
    new = msgspec.structs.replace(old, ltp=9_999)
    assert mirror.take_beat(Beat(vitals=link.vitals, quotes=(old, link.quotes[PUT]))) == {CALL, PUT}
    assert mirror.take_beat(Beat(vitals=link.vitals, quotes=(new,))) == {CALL}
    assert mirror.quotes[CALL].ltp == 9_999
    assert mirror.age(old) == pytest.approx(0.2)


async def test_notices_are_unseen_until_acknowledged_and_info_never_counts() -> None:
    link = StageLink(
        [
            ev.NoticeRaised(level="info", code="A", text="a"),
            ev.NoticeRaised(level="warning", code="B", text="b"),
            ev.NoticeRaised(level="alarm", code="C", text="c"),
        ]
    )
    mirror = await mirrored(link)
    assert mirror.unseen() == 2
    mirror.take_fact(link.happen(ev.NoticeAcknowledged(upto=link.state.seq)))
    assert mirror.unseen() == 0


async def test_a_stream_that_ends_is_a_lost_link() -> None:
    link = StageLink()
    mirror = await mirrored(link)
    following = asyncio.create_task(mirror.follow())
    await settle()
    for stream in link.streams:
        stream.put_nowait(None)
    with pytest.raises(LinkLost):
        await following


async def test_what_was_lost_is_told_once_and_regained() -> None:
    link = StageLink()
    mirror = await mirrored(link)
    told: list[bool] = []
    mirror.on(Topic.LINK, lambda: told.append(mirror.lost))
    mirror.lose("gone")
    mirror.lose("gone")
    link.happen(ev.NoticeRaised(level="alarm", code="X", text="meanwhile"))
    await mirror.regain(link)
    assert told == [True, False]
    assert digest(mirror.state) == digest(link.state)


async def test_an_engine_at_odds_with_itself_is_a_lost_link_and_no_endless_loop() -> None:
    link = StageLink()
    mirror = await mirrored(link)
    following = asyncio.create_task(mirror.follow())
    await settle()
    ghost = ev.OrderCancelled(order_id="O99")
    for _ in range(2):
        for stream in link.streams:
            stream.put_nowait(Recorded(seq=mirror.state.seq + 1, at=NOON, actor="", cause="", event=ghost))
        await settle()
    with pytest.raises(LinkLost):
        await following
    assert mirror.resyncs == 1
