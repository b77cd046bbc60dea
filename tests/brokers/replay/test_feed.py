from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.timeline import millis
from tests.brokers.replay.played import Stage, playing, until
from tests.brokers.replay.sessions import (
    CALL,
    DAY,
    INDEX,
    OPENS,
    PUT,
    header,
    moment,
    quote,
    seconds,
    write_recording,
)

TIMES = ("09:20:00", "09:21:00", "09:22:30", "09:42:00", "15:27:00")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Five frames with a gap of twenty minutes and one of hours, ending just before the close."""
    frames = [
        (moment(at), [quote(INDEX, at, bid=None, ask=None), quote(CALL, at, bid=1000 + place)])
        for place, at in enumerate(TIMES)
    ]
    frames[2][1].append(quote(PUT, TIMES[2]))
    return write_recording(tmp_path / "session.parquet", frames)


def bids(stage: Stage) -> list[int | None]:
    return [said.bid for _, quotes in stage.frames for said in quotes if said.name == CALL.name]


@pytest.mark.parametrize("speed", [0.0, 60.0, 20_000.0])
async def test_every_frame_comes_once_at_its_own_moment(session: Path, speed: float) -> None:
    async with playing(session, OPENS, speed) as stage:
        await stage.ended()
        assert [at for at, _ in stage.frames] == [moment(at) for at in TIMES]
        assert bids(stage) == [1000, 1001, 1002, 1003, 1004]


async def test_a_paced_replay_takes_the_machine_time_its_speed_says(session: Path) -> None:
    async with playing(session, OPENS, 60.0) as stage:
        await until(lambda: len(stage.frames) == len(TIMES))
        market = (moment(TIMES[-1]) - moment(TIMES[0])).total_seconds()
        assert stage.clock.machine == pytest.approx(market / 60, abs=0.01)


async def test_the_clock_never_passes_a_frame_that_is_not_delivered(session: Path) -> None:
    async with playing(session, OPENS, 7.0) as stage:
        while not stage.feed.ended:
            given = len(stage.frames)
            assert given == len(TIMES) or stage.clock.now() <= moment(TIMES[given])
            await asyncio.sleep(0)


async def test_a_stalled_loop_does_not_carry_the_clock_past_a_frame(session: Path) -> None:
    async with playing(session, OPENS, 60.0) as stage:
        await until(lambda: stage.clock.now() > moment("09:20:30"))
        stage.clock.machine += 600.0
        assert stage.clock.now() == moment("09:21:00")
        assert len(stage.frames) == 1
        await until(lambda: len(stage.frames) == 3)
        assert stage.frames[2][0] == moment("09:22:30")


async def test_time_flows_through_a_gap_and_prices_grow_old(session: Path) -> None:
    async with playing(session, OPENS, 60.0) as stage:
        await until(lambda: stage.clock.now() > moment("09:35:00"))
        assert len(stage.frames) == 3
        assert stage.frames[-1][1][1].ts == millis(moment("09:22:30"))


@pytest.mark.parametrize("speed", [0.0, 60.0])
async def test_running_to_a_moment_holds_exactly_there_with_every_frame_before_it(session: Path, speed: float) -> None:
    async with playing(session, OPENS, speed) as stage:
        stage.feed.pause()
        for goal, frames in (("09:21:30", 2), ("09:22:30", 3), ("09:30:00", 3), ("15:29:00", 5)):
            await stage.feed.run_to(moment(goal))
            assert stage.feed.paused
            assert stage.clock.now() == moment(goal)
            assert len(stage.frames) == frames


@pytest.mark.parametrize("speed", [0.0, 60.0, 20_000.0])
async def test_the_time_stops_where_something_is_due_between_two_frames(session: Path, speed: float) -> None:
    alarms = [moment(at) for at in ("09:30:00", "09:42:00", "15:15:00")]
    async with playing(session, OPENS, speed, alarms=alarms) as stage:
        await stage.ended()
    assert [at for at, said in stage.frames if not said] == [moment("09:30:00"), moment("15:15:00")]
    assert [at for at, said in stage.frames if said] == [moment(at) for at in TIMES]


async def test_what_becomes_due_while_the_time_is_held_is_stopped_at_when_it_goes_on(session: Path) -> None:
    async with playing(session, OPENS, 0.0, hold=[moment("09:22:30")]) as stage:
        await until(lambda: stage.feed.paused)
        stage.alarms.append(moment("09:30:00"))
        stage.feed.resume()
        await stage.ended()
    assert [at for at, said in stage.frames if not said] == [moment("09:30:00")]


async def test_held_time_does_not_move(session: Path) -> None:
    async with playing(session, OPENS, 60.0) as stage:
        await stage.feed.run_to(moment("09:30:00"))
        for _ in range(50):
            await stage.clock.sleep(1.0)
        assert stage.clock.now() == moment("09:30:00")
        assert len(stage.frames) == 3
        stage.feed.resume()
        await stage.ended()
        assert len(stage.frames) == 5


async def test_a_pause_before_the_play_begins_holds_the_first_moment(session: Path) -> None:
    async with playing(session, OPENS) as stage:
        stage.feed.pause()
        for _ in range(20):
            await asyncio.sleep(0)
        assert stage.clock.now() == moment(TIMES[0])
        assert [at for at, _ in stage.frames] == [moment(TIMES[0])]


async def test_a_pause_asked_for_before_the_start_is_honoured(session: Path) -> None:
    stage = Stage(session, OPENS, 0.0, ())
    stage.feed.pause()
    await stage.feed.start(stage.sink)
    for _ in range(20):
        await asyncio.sleep(0)
    assert [at for at, _ in stage.frames] == [moment(TIMES[0])]
    await stage.feed.stop()


async def test_another_speed_takes_effect_on_the_way(session: Path) -> None:
    async with playing(session, OPENS, 1.0) as stage:
        await until(lambda: stage.clock.now() > moment("09:25:00"))
        slow = stage.clock.machine
        stage.feed.resume(600.0)
        assert stage.feed.speed == 600.0
        await until(lambda: len(stage.frames) == 4)
        assert stage.clock.machine - slow < 3.0


async def test_going_to_a_moment_that_is_past_just_holds(session: Path) -> None:
    async with playing(session, OPENS) as stage:
        stage.feed.pause()
        await stage.feed.run_to(moment("09:22:00"))
        await stage.feed.run_to(moment("09:00:00"))
        assert stage.clock.now() == moment("09:22:00")


async def test_a_later_goal_takes_over_from_an_earlier_one(session: Path) -> None:
    async with playing(session, OPENS, 1.0) as stage:
        first = asyncio.create_task(stage.feed.run_to(moment("09:22:00")))
        await asyncio.sleep(0)
        await stage.feed.run_to(moment("09:41:00"))
        assert first.done()
        assert stage.clock.now() == moment("09:41:00")


async def test_a_late_start_gets_the_last_quote_of_each_contract_as_one_frame(session: Path) -> None:
    async with playing(session, moment("09:41:00")) as stage:
        stage.feed.pause()
        at, quotes = stage.frames[0]
        assert at == moment("09:41:00")
        assert {said.name: said.ts for said in quotes} == {
            name: millis(moment("09:22:30")) for name in (INDEX.name, CALL.name, PUT.name)
        }
        stage.feed.resume()
        await stage.ended()
        assert bids(stage) == [1002, 1003, 1004]


async def test_the_close_is_called_once_with_the_time_held_at_the_close(session: Path) -> None:
    async with playing(session, OPENS) as stage:
        await stage.ended()
        assert stage.hooks == [(moment("15:30"), f"close {DAY}")]
        assert stage.feed.paused
        stage.feed.resume()
        for _ in range(20):
            await asyncio.sleep(0)
        assert stage.clock.now() == moment("15:30")
        assert stage.feed.paused


async def test_a_restart_at_the_close_calls_it_again(session: Path) -> None:
    async with playing(session, moment("15:30")) as stage:
        await stage.ended()
        assert stage.hooks == [(moment("15:30"), f"close {DAY}")]
        assert len(stage.frames) == 1


@pytest.mark.parametrize(("last", "covered"), [("11:05", False), ("15:19:59", False), ("15:20", True)])
async def test_only_a_recording_that_ends_near_the_close_closes_the_session(
    tmp_path: Path, last: str, covered: bool
) -> None:
    path = write_recording(tmp_path / "short.parquet", [(moment(at), [quote(CALL, at)]) for at in ("11:00", last)])
    async with playing(path, OPENS) as stage:
        await stage.feed.run_to(moment("15:45"))
        assert stage.feed.ended
        assert stage.feed.paused
        assert stage.clock.now() == moment("15:30" if covered else last)
        assert [said for _, said in stage.hooks] == ([f"close {DAY}"] if covered else [])


async def test_what_was_quoted_after_the_close_is_not_played(tmp_path: Path) -> None:
    times = ("15:29", "15:30", "15:31")
    path = write_recording(tmp_path / "late.parquet", [(moment(at), [quote(CALL, at)]) for at in times])
    async with playing(path, OPENS) as stage:
        await stage.ended()
        assert [at for at, _ in stage.frames] == [moment("15:29"), moment("15:30")]
        assert stage.hooks == [(moment("15:30"), f"close {DAY}")]


async def test_a_clock_of_an_earlier_day_hears_of_the_open_first(session: Path) -> None:
    async with playing(session, OPENS - timedelta(days=3)) as stage:
        stage.feed.pause()
        assert stage.told[0][1] == f"open {DAY}"
        assert stage.clock.now() == moment(TIMES[0])


async def test_a_clock_of_a_later_day_is_refused(session: Path) -> None:
    stage = Stage(session, OPENS + timedelta(days=1), 0.0, ())
    with pytest.raises(Refusal, match=r"REPLAY_PAST"):
        await stage.feed.start(stage.sink)
    await stage.feed.stop()


async def test_a_feed_starts_once(session: Path) -> None:
    async with playing(session, OPENS) as stage:
        with pytest.raises(Refusal, match=r"ALREADY_PLAYING"):
            await stage.feed.start(stage.sink)


@pytest.mark.parametrize("speed", [-1.0, float("nan"), float("inf")])
async def test_a_speed_that_is_none_is_refused(session: Path, speed: float) -> None:
    async with playing(session, OPENS) as stage:
        with pytest.raises(Refusal, match=r"BAD_SPEED"):
            stage.feed.resume(speed)


async def test_depth_is_the_best_price_of_each_side_where_there_is_a_book(tmp_path: Path) -> None:
    known = [
        quote(CALL, "11:00", bid=None),
        Quote(PUT.name, millis(moment("11:00")), ltp=500, booked=False),
    ]
    path = write_recording(tmp_path / "book.parquet", [(moment("11:00"), known)])
    async with playing(path, OPENS) as stage:
        assert stage.feed.depth(CALL.name) == Depth(CALL.name, known[0].ts, bids=(), asks=((10_010, 150),))
        assert stage.feed.depth(PUT.name) is None
        assert stage.feed.depth("NIFTY 02SEP25 1 CE") is None


async def test_instruments_are_those_of_the_recorded_day(session: Path) -> None:
    async with playing(session, OPENS) as stage:
        assert stage.feed.instruments(DAY) == [INDEX, CALL, PUT]
        assert stage.feed.instruments(DAY + timedelta(days=1)) == []


async def test_full_speed_gives_the_same_day_whatever_is_steered(tmp_path: Path) -> None:
    frames = [
        (OPENS + seconds(second), [quote(CALL, "09:15", bid=1000 + second % 7), quote(PUT, "09:15", ask=900 + second)])
        for second in range(3000)
    ]
    path = write_recording(tmp_path / "long.parquet", frames)
    digests = set()
    for holds in ((), (OPENS + seconds(100), OPENS + seconds(2000))):
        async with playing(path, OPENS, hold=holds) as stage:
            while not stage.feed.ended:
                if stage.feed.paused:
                    stage.feed.resume()
                await asyncio.sleep(0)
            digests.add(hashlib.sha256(repr(stage.told).encode()).hexdigest())
    assert len(digests) == 1


async def test_damage_met_on_the_way_reaches_whoever_waits_and_holds_the_time(tmp_path: Path) -> None:
    frames = [
        (OPENS + timedelta(milliseconds=place * 100), [quote(CALL, "09:15", bid=1 + place * 7919 % 9001, ask=10_010)])
        for place in range(140_000)
    ]
    path = write_recording(tmp_path / "hurt.parquet", frames)
    content = bytearray(path.read_bytes())
    content[len(content) * 3 // 4] ^= 0xFF
    path.write_bytes(content)
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: faults.append(context["exception"]))
    stage = Stage(path, OPENS, 0.0, ())
    await stage.feed.start(stage.sink)
    with pytest.raises(Refusal, match=r"RECORDING_TRUNCATED"):
        await stage.feed.run_to(moment("15:00"))
    assert stage.feed.paused
    assert len(stage.frames) > 1000
    assert [fault.code for fault in faults if isinstance(fault, Refusal)] == ["RECORDING_TRUNCATED"]
    with pytest.raises(Refusal, match=r"RECORDING_TRUNCATED"):
        await stage.feed.stop()


async def test_hours_come_from_the_recording(tmp_path: Path) -> None:
    closes = moment("15:40")
    path = write_recording(
        tmp_path / "longer.parquet", [(moment(at), [quote(CALL, at)]) for at in ("15:20", "15:36")], closes=closes
    )
    async with playing(path, OPENS) as stage:
        await stage.ended()
        assert stage.hooks == [(closes, f"close {DAY}")]
    assert header().closes < closes
