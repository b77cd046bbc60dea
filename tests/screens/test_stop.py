"""Stops: what guards each position, in words and rupees, and the dialog that sets, moves and removes them."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.app import ConsoleApp
from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.orders import OrderType, Product, Side
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.protection import Guard, Repair, StopMode
from optconsole.screens.dialogs import Confirm
from optconsole.screens.formats import FULL
from optconsole.screens.guard_face import reach
from optconsole.screens.leaving import leaving_question
from optconsole.screens.positions import PositionsScreen
from optconsole.screens.stop import StopScreen
from optconsole.screens.stop_model import Level, StopDraft, draft_of
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon
from tests.screens.opening import line, opened, settled
from tests.screens.stage import StageLink, name, placed, stage_app, straddle_day

CALL = name(24500, "CE")
KEY = PositionKey("PAPER1", Product.NRML, CALL)
LONG = PositionKey("PAPER1", Product.NRML, name(24100, "PE"))


def guarded(stop: int | None = 18_125, target: int | None = None, key: PositionKey = KEY) -> ev.ProtectionSet:
    sign = -1 if key is KEY else 1
    return ev.ProtectionSet(
        key=key, protection_id="G1", sign=sign, stop=stop, target=target, mode=StopMode.BOTH, wide=19_600
    )


def short(lots: int = 2, at: int = 14_500) -> Position:
    return Position(key=KEY, lot=65).traded(-65 * lots, at)


def grid_of(app: ConsoleApp) -> QuoteGrid:
    return app.screen_stack[0].query_one("#positions", QuoteGrid)


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("position", "stop", "mark", "points", "loss", "total"),
    [
        (short(), 18_125, 15_150, 2_975, -2_975 * 130, -130 * 18_125 + 130 * 14_500),
        (Position(key=KEY, lot=65).traded(65, 2_000), 1_500, 2_200, 700, -700 * 65, -500 * 65),
        (Position(key=KEY, lot=65).traded(65, 2_000), 2_100, 2_200, 100, -100 * 65, 100 * 65),
    ],
)
def test_the_way_to_a_stop_in_points_and_rupees(
    position: Position, stop: int, mark: int, points: int, loss: int, total: int
) -> None:
    found = reach(position, stop, mark)
    assert found is not None
    assert (found.points, found.loss, found.total) == (points, loss, total)


def test_without_a_price_or_a_stop_the_way_is_unknown() -> None:
    assert reach(short(), None, 15_000) is None
    assert reach(short(), 18_000, None) is None


@pytest.mark.parametrize(
    ("lots", "at", "mark", "stop", "target"), [(-2, 14_500, 15_150, 18_125, 10_875), (2, 2_000, 2_200, 1_500, 2_500)]
)
def test_proposals_stand_a_quarter_from_the_average_on_tick(
    lots: int, at: int, mark: int, stop: int, target: int
) -> None:
    position = Position(key=KEY, lot=65).traded(65 * lots, at)
    draft = draft_of(position, None, 5, mark)
    assert (draft.stop, draft.target, draft.percent) == (stop, None, 25)
    assert draft.other().propose().target == target
    assert draft.propose().percent == 30


def test_a_proposal_that_is_passed_already_is_measured_from_the_market() -> None:
    draft = draft_of(short(at=10_000), None, 5, 14_000)
    assert draft.stop == 17_500
    assert draft.problem(None) == ""


def test_typing_replaces_erasing_takes_away_and_what_is_no_price_is_said() -> None:
    draft = StopDraft(short(), 5, 15_150)
    for character in "181.25":
        draft = draft.type_in(character)
    assert (draft.stop, draft.typed) == (18_125, "181.25")
    assert draft.erase().stop == 18_120
    assert draft.write("0").problem(None).startswith("'0' is not a price")
    assert draft.type_in(".").typed == "181.25", "one point is enough"


def test_ticks_move_a_level_and_begin_at_the_market() -> None:
    draft = StopDraft(short(), 5, 15_151)
    assert draft.nudge(1).stop == 15_155
    assert draft.write("181.25").nudge(-5).stop == 18_100


def test_modes_say_where_the_exchange_stands() -> None:
    draft = draft_of(short(), None, 5, 15_150)
    assert draft.wide == 19_615
    assert draft.next_mode().wide == draft.stop
    assert draft.next_mode().next_mode().wide is None


def test_further_from_the_market_or_away_is_looser() -> None:
    link = StageLink([*straddle_day(), guarded()])
    known = link.state.protections[str(KEY)]
    draft = draft_of(link.state.positions[str(KEY)], known, 5, 15_150)
    assert not draft.loosens
    assert draft.nudge(1).loosens
    assert not draft.nudge(-1).loosens
    assert draft.write("").loosens
    assert draft.other().field is Level.TARGET


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ((), "NO STOP"),
        ((guarded(),), "local"),
        ((guarded(), ev.ProtectionMoved(key=KEY, state=Guard.PLACING)), "placing"),
        ((guarded(), ev.ProtectionMoved(key=KEY, state=Guard.WORKING)), "working"),
        ((guarded(), ev.ProtectionMoved(key=KEY, state=Guard.REPAIR, reason=Repair.MISSING)), "missing"),
        ((guarded(), ev.ProtectionSight(key=KEY, blind=True)), "BLIND"),
    ],
)
async def test_each_state_of_a_guard_has_its_word_and_an_open_short_without_a_stop_is_an_alarm(
    facts: tuple[ev.AnyEvent, ...], words: str
) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        for fact in facts:
            link.happen(fact)
        await settled(pilot)
        grid = grid_of(app)
        assert words in grid.row_text(str(KEY))
        assert (grid._rows[str(KEY)].row.kind == "alarm") == (not facts)
        assert grid._rows[str(LONG)].row.kind == "", "a long option can lose its premium and no more"


async def test_stop_points_rupees_and_target_stand_in_the_row_and_follow_the_price() -> None:
    link = StageLink([*straddle_day(), guarded(target=10_000)])
    async with stage_app(link).run_test(size=(240, 50)) as pilot:
        app = await opened(pilot)
        app.screen.query_one("#panes > .companion").display = False
        await settled(pilot)
        text = grid_of(app).row_text(str(KEY))
        for piece in ("181.25", "+29.75", "−3,868", "100.00"):
            assert piece in text, piece
        link.nudge(CALL, by=100)
        await settled(pilot)
        assert "+28.75" in grid_of(app).row_text(str(KEY))


async def test_at_eighty_columns_the_stop_stays() -> None:
    async with stage_app(StageLink([*straddle_day(), guarded()])).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        assert {"Contract", "Lots (units)", "Avg", "LTP", "Stop"} <= set(grid_of(app).columns_shown)


# ---------------------------------------------------------------- the dialog


async def open_stop(link: StageLink, pilot: object, key: PositionKey = KEY) -> ConsoleApp:
    app = await opened(pilot)  # type: ignore[arg-type]
    grid_of(app).move_to(str(key))
    await pilot.press("p")  # type: ignore[attr-defined]
    await settled(pilot)  # type: ignore[arg-type]
    return app


async def test_p_proposes_a_stop_with_the_rupees_at_risk_and_enter_sets_it() -> None:
    link = StageLink(straddle_day())
    link.replies[cmd.SetStop] = cmd.Reply(ok=True, code="GUARDED", text="It is guarded: stop 181.25.")
    async with stage_app(link).run_test(size=(80, 24)) as pilot:
        app = await open_stop(link, pilot)
        assert isinstance(app.screen, StopScreen)
        text = line(app, "dialog-text")
        for piece in ("NIFTY 25Nov 24500 CE", "NO STOP", "181.25", "25 %", "−3,868", "+29.75 away", "ends at −4,713"):
            assert piece in text, piece
        assert "196.15" in text, "the wide stop at the exchange"
        await pilot.press("enter")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.SetStop)
        assert (command.stop, command.target, command.mode) == (18_125, None, StopMode.BOTH)
        assert isinstance(app.screen, PositionsScreen)
        assert "It is guarded" in line(app, "fact")


async def test_both_levels_are_typed_and_the_mode_chosen() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        await open_stop(link, pilot)
        await pilot.press(*"170", "full_stop", "5", "tab", *"90", "m")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.SetStop)
        assert (command.stop, command.target, command.mode) == (17_050, 9_000, StopMode.BROKER)


@pytest.mark.parametrize(
    ("typed", "says"), [("1", "must be above the market"), ("170.03", "is not a multiple of"), ("0", "is not a price")]
)
async def test_a_level_that_cannot_guard_says_why_before_enter_and_is_not_sent(typed: str, says: str) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await open_stop(link, pilot)
        await pilot.press(*[{".": "full_stop"}.get(each, each) for each in typed])
        await settled(pilot)
        assert says in line(app, "dialog-text")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, StopScreen)
        assert not link.submitted


async def test_the_engine_s_refusal_stays_in_the_dialog_with_its_code() -> None:
    link = StageLink(straddle_day())
    link.replies[cmd.SetStop] = cmd.Reply(ok=False, code="ORDERS_CLOSE", text="O9 would close it beside \x1b[2Ja stop.")
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await open_stop(link, pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, StopScreen)
        assert "[ORDERS_CLOSE]" in line(app, "dialog-text")
        assert "\x1b" not in line(app, "dialog-text")


async def test_a_guard_is_removed_only_after_a_yes() -> None:
    link = StageLink([*straddle_day(), guarded()])
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await open_stop(link, pilot)
        await pilot.press("d")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        await settled(pilot, 0.4)
        await pilot.press("y")
        await settled(pilot)
        assert [type(command) for command in link.submitted] == [cmd.ClearStop]


async def test_a_position_that_is_gone_closes_its_dialog() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await open_stop(link, pilot)
        for fact in placed(20, CALL, Side.BUY, 2, 15_000):
            link.happen(fact)
        await settled(pilot)
        assert not isinstance(app.screen, StopScreen)


async def test_plus_and_minus_move_the_stop_by_a_tick_and_live_a_looser_one_is_asked_first() -> None:
    link = StageLink([*straddle_day(), guarded()], mode=Mode.LIVE)
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid_of(app).move_to(str(LONG))
        await pilot.press("plus", "minus")
        await settled(pilot)
        assert not link.submitted, "nothing guards that one"
        grid_of(app).move_to(str(KEY))
        await pilot.press("minus")
        await settled(pilot)
        (tighter,) = link.submitted
        assert isinstance(tighter, cmd.SetStop)
        assert tighter.stop == 18_120
        await pilot.press("plus")
        await settled(pilot, 0.4)
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await settled(pilot)
        looser = link.submitted[-1]
        assert isinstance(looser, cmd.SetStop)
        assert looser.stop == 18_130


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_nothing_of_the_dialog_is_cut_off(size: tuple[int, int]) -> None:
    link = StageLink([*straddle_day(), guarded()])
    async with stage_app(link).run_test(size=size) as pilot:
        app = await open_stop(link, pilot)
        for _ in StopMode:
            await pilot.press("m")
            await settled(pilot)
            text = app.screen.query_one("#dialog-text", Ribbon)
            assert max(map(len, text.text.splitlines())) <= text.size.width
            assert text.region.bottom < size[1]


# ---------------------------------------------------------------- closing under way


def closing(held: str = "", why: str = "") -> StageLink:
    """All of NIFTY is being closed: one of four legs is flat, one order works on its second price."""
    link = StageLink(straddle_day())
    link.happen(ev.FlattenBegun(flatten_id="F1", kind="underlying", name="NIFTY", percent=100, why=why))
    for number, lots_filled in ((21, True), (22, False)):
        contract = CALL if lots_filled else name(24500, "PE")
        facts = placed(number, contract, Side.BUY, 2, 15_000, fill=lots_filled)
        intended = facts[0]
        assert isinstance(intended, ev.OrderIntended)
        facts[0] = msgspec.structs.replace(intended, parent="F1")
        for fact in facts:
            link.happen(fact)
        if not lots_filled:
            link.happen(ev.OrderChangeAsked(order_id=f"O{number}", terms=intended.terms))
            link.happen(ev.OrderChanged(order_id=f"O{number}", terms=intended.terms))
    if held:
        link.happen(ev.FlattenHeld(flatten_id="F1", text=held))
    return link


async def test_a_closing_under_way_counts_in_the_header_and_says_what_it_waits_for() -> None:
    link = closing(held="24500 PE has no \x1b[2Jprice")
    async with stage_app(link).run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        told = line(app, "trouble")
        for piece in (
            "CLOSING NIFTY",
            "1 of 4 closed",
            "1 order at work",
            "step 2 of the ladder",
            "waits: 24500 PE has",
        ):
            assert piece in told, piece
        assert "\x1b" not in told
        link.happen(ev.FlattenEnded(flatten_id="F1", orders=("O21", "O22"), closed=4))
        await settled(pilot)
        assert "CLOSING" not in line(app, "trouble")


async def test_a_closing_is_given_up_through_the_leader_after_a_yes() -> None:
    link = closing()
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("X")
        await settled(pilot)
        assert "1 of 4 closed" in line(app, "dialog-text")
        await pilot.press("g", "1")
        await settled(pilot, 0.4)
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.AbandonFlatten)
        assert command.flatten_id == "F1"


async def test_the_kill_s_own_closing_is_not_given_up_and_its_release_takes_the_word() -> None:
    link = closing(why="kill")
    link.happen(ev.KillEngaged(why="mad market"))
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert "KILLED" in line(app, "header")
        assert "CLOSING NIFTY because of kill" in line(app, "trouble")
        await pilot.press("X")
        await settled(pilot)
        assert "give up" not in line(app, "dialog-text")
        await pilot.press("r")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("enter")
        assert not link.submitted
        await pilot.press(*"UNLOCK", "enter")
        await settled(pilot)
        assert [type(command) for command in link.submitted] == [cmd.ReleaseKill]


async def test_a_broken_promise_is_told_in_the_header() -> None:
    link = StageLink([*straddle_day(), guarded()])
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        link.happen(ev.ProtectionMoved(key=KEY, state=Guard.REPAIR, reason=Repair.REJECTED))
        await settled(pilot)
        assert "STOP of NIFTY 25Nov 24500 CE: rejected at the exchange" in line(app, "trouble")
        link.happen(ev.ProtectionSight(key=KEY, blind=True))
        await settled(pilot)
        assert "is BLIND" in line(app, "trouble")
        assert "nothing else guards it" in line(app, "trouble")


# ---------------------------------------------------------------- what stands at the exchange


def hand_stop(lots: int, number: int = 9, trigger: int = 18_000) -> list[ev.AnyEvent]:
    return placed(number, CALL, Side.BUY, lots, 18_500, fill=False, kind=OrderType.SL_M, trigger=trigger)


async def test_a_stop_placed_by_hand_for_the_whole_short_is_shown_and_no_alarm() -> None:
    link = StageLink([*straddle_day(), *hand_stop(2)])
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        grid = grid_of(await opened(pilot))
        assert "180.00 by hand" in grid.row_text(str(KEY))
        assert grid._rows[str(KEY)].row.kind == ""


async def test_a_stop_placed_by_hand_for_a_part_of_the_short_leaves_the_alarm() -> None:
    link = StageLink([*straddle_day(), *hand_stop(1)])
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        grid = grid_of(await opened(pilot))
        assert "by hand" in grid.row_text(str(KEY))
        assert grid._rows[str(KEY)].row.kind == "alarm"


async def test_a_stop_whose_promise_is_broken_is_red_where_the_guard_s_column_has_no_room() -> None:
    link = StageLink([*straddle_day(), guarded()])
    async with stage_app(link).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        grid = grid_of(app)
        stop = grid.columns_shown.index("Stop")
        assert "Guard" not in " ".join(grid.columns_shown)
        column = grid._laid.shown[stop]
        for moved, role in ((Guard.WORKING, ""), (Guard.REPAIR, "bad"), (Guard.WORKING, "")):
            link.happen(ev.ProtectionMoved(key=KEY, state=moved, reason=Repair.MISSING if role else Repair.NONE))
            await settled(pilot)
            cell = grid._rows[str(KEY)].cells[column]
            assert cell is not None
            assert (cell[0].strip(), cell[1]) == ("181.25", role)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ((), ("no stop", "Nothing will stop 2 shorts")),
        ((guarded(),), ("stop 181.25 ends with it", "Nothing will stop 2 shorts")),
        (tuple(hand_stop(1)), ("stop for only 65 stays", "Nothing will stop 2 shorts")),
        (tuple(hand_stop(2)), ("stop 180.00 stays", "Nothing will stop 1 short")),
    ],
)
def test_leaving_tells_of_each_short_what_stands_without_this_engine(
    facts: tuple[ev.AnyEvent, ...], told: tuple[str, str]
) -> None:
    question = leaving_question(StageLink([*straddle_day(), *facts]).state, FULL)
    assert question is not None
    text = " ".join(part.text for left, right in question._lines for part in (*left, *right))
    for piece in told:
        assert piece in text


def test_leaving_asks_nothing_where_nothing_works_and_nothing_is_short() -> None:
    assert leaving_question(StageLink(placed(1, CALL, Side.BUY, 1, 12_000)).state, FULL) is None
