"""The ticket under the fingers: what it shows, what it sends, and that it never sends twice."""

from __future__ import annotations

import asyncio
import gc
import warnings

import msgspec
import pytest
from textual.events import Paste

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine import queries as q
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.screens.dialogs import Confirm
from optconsole.screens.ticket import TicketScreen
from optconsole.screens.ticket_face import Phase
from optconsole.screens.ticket_model import Field
from optconsole.screens.widgets.ribbon import Ribbon
from tests.screens.opening import line, opened, settled
from tests.screens.stage import LOT, StageLink, name, placed, stage_app, straddle_day

CALL = name(24500, "CE")


class SlowLink(StageLink):
    """Answers a command only when told, as an engine behind a wire."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(straddle_day(), **kwargs)  # type: ignore[arg-type]
        self.gate = asyncio.Event()

    async def submit(self, command: cmd.AnyCommand) -> cmd.Reply:
        self.submitted.append(command)
        await self.gate.wait()
        return self.replies.get(type(command), cmd.Reply(ok=True, seq=self.state.seq))


async def ticket_on(pilot, side: str = "s") -> TicketScreen:  # type: ignore[no-untyped-def]
    app = await opened(pilot)
    await pilot.press(side)
    await settled(pilot)
    assert isinstance(app.screen, TicketScreen)
    return app.screen


def text_of(ticket: TicketScreen) -> str:
    return ticket.query_one("#dialog-text", Ribbon).text


def orders_of(link: StageLink) -> list[cmd.PlaceOrder]:
    return [command for command in link.submitted if isinstance(command, cmd.PlaceOrder)]


async def rested(pilot) -> None:  # type: ignore[no-untyped-def]
    """Long enough for the ticket to ask what the keys added up to."""
    for _ in range(4):
        await pilot.pause(0.05)
    await settled(pilot)


async def test_it_shows_everything_before_enter() -> None:
    async with stage_app(StageLink(straddle_day()), "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await rested(pilot)
        text = text_of(ticket)
        for piece in (
            "SELL", "NIFTY 25Nov 24500 CE", "PAPER", "PAPER1", "65 units", "LIMIT", "NRML", "DAY",
            "151.45 × 650", "151.60 × 1,235", "+1.73 L", "5.44 L → 2.83 L", "unlimited", "36.08", "60.75 – 141.75",
            "1 order", "every check passes",
        ):  # fmt: skip
            assert piece in text, piece


async def test_every_failing_check_shows_in_words_before_enter() -> None:
    link = StageLink(straddle_day())
    checks = (
        q.Check(code="MAX_LOTS", severity="refuse", text="60 lots is above your limit of 50 lots an order."),
        q.Check(code="MARGIN", severity="refuse", text="The account is short of 12.00 rupees for this order."),
        q.Check(code="NO_QUOTE", severity="warn", text="No price is known."),
        q.Check(code="LOT", severity="ok", text="whole lots"),
    )
    link.answers[q.PreviewOrder] = q.OrderPreview(
        ok=False, checks=checks, protection=None, margin=None, free_after=None, charges=None, band_low=None,
        band_high=None, orders=2, max_loss=500_00, unlimited=False,
    )  # fmt: skip
    async with stage_app(link, "chain").run_test(size=(80, 24)) as pilot:
        ticket = await ticket_on(pilot)
        await rested(pilot)
        text = text_of(ticket)
        assert "above your limit" in text
        assert "short of 12.00" in text
        assert "No price is known" in text
        assert "whole lots" not in text
        assert "2 orders" in text
        assert not link.submitted


async def test_fifty_enters_are_one_order() -> None:
    link = SlowLink()
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await pilot.press(*["enter"] * 50)
        assert ticket.phase is Phase.LOCKED
        assert len(link.submitted) == 1
        await pilot.press("9", "up", "t", "p")
        link.gate.set()
        await pilot.press(*["enter"] * 50)
        await settled(pilot)
        (order,) = orders_of(link)
        assert (order.terms.qty, order.terms.type, order.terms.side) == (LOT, OrderType.LIMIT, Side.SELL)


async def test_an_answered_ticket_sends_nothing_more() -> None:
    link = StageLink(straddle_day())
    link.replies[cmd.PlaceOrder] = cmd.Reply(ok=True, ids=("O7",))
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await pilot.press("enter")
        await settled(pilot)
        for event in placed(7, CALL, Side.SELL, 1, 15_155, fill=False):
            link.happen(event)
        await settled(pilot)
        assert "O7 working" in text_of(ticket)
        ticket.deck.monotonic = lambda: 1e9
        await pilot.press("enter", "enter")
        assert len(link.submitted) == 1


async def test_a_fill_is_told_and_closes_the_ticket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optconsole.screens.ticket.CLOSE_AFTER_FILL", 0.05)
    link = StageLink(straddle_day())
    link.replies[cmd.PlaceOrder] = cmd.Reply(ok=True, ids=("O7",))
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot, "b")
        await pilot.press("enter")
        await settled(pilot)
        for event in placed(7, CALL, Side.BUY, 1, 15_155):
            link.happen(event)
        await settled(pilot)
        await rested(pilot)
        assert pilot.app.screen is not ticket
        assert pilot.app.deck.mirror.state.orders["O7"].status is OrderStatus.FILLED  # type: ignore[attr-defined]


async def test_a_refusal_keeps_the_ticket_with_its_sentence_and_the_next_try_is_another_command() -> None:
    link = StageLink(straddle_day())
    link.replies[cmd.PlaceOrder] = cmd.Reply(ok=False, code="MAX_LOTS", text="60 lots is above your limit.")
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert pilot.app.screen is ticket
        assert "60 lots is above your limit." in text_of(ticket)
        ticket.deck.monotonic = lambda: 1e9
        await pilot.press("2")
        await rested(pilot)
        await pilot.press("enter")
        await settled(pilot)
        first, second = orders_of(link)
        assert first.id != second.id
        assert second.terms.qty == 2 * LOT


async def test_a_held_enter_repeats_no_refused_order() -> None:
    link = StageLink(straddle_day())
    link.replies[cmd.PlaceOrder] = cmd.Reply(ok=False, code="X", text="No.")
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        ticket.deck.monotonic = lambda: 5.0
        for _ in range(10):
            await pilot.press("enter")
            await settled(pilot)
        assert len(link.submitted) == 1


async def test_a_rejection_after_the_send_is_told_with_its_reason() -> None:
    link = StageLink(straddle_day())
    link.replies[cmd.PlaceOrder] = cmd.Reply(ok=True, ids=("O7",))
    hostile = "[/] [@click=app.quit]no[/] \x1b[2J \u202etfel"
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await pilot.press("enter")
        await settled(pilot)
        for event in placed(7, CALL, Side.SELL, 1, 15_155, fill=False)[:2]:
            link.happen(event)
        link.happen(ev.OrderRejected(order_id="O7", code="RMS", reason=hostile))
        await settled(pilot)
        text = text_of(ticket)
        assert "[/] [@click=app.quit]no[/]" in text.replace("\n  ", " ").replace("\n", " ")
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert ticket.phase is Phase.WRITING


@pytest.mark.parametrize(
    ("keys", "kind", "priced", "stopped"),
    [
        ("", OrderType.LIMIT, True, False),
        ("t", OrderType.MARKET, False, False),
        ("tt", OrderType.SL, True, True),
        ("ttt", OrderType.SL_M, False, True),
    ],
)
async def test_each_type_is_sent_with_its_own_prices(keys: str, kind: OrderType, priced: bool, stopped: bool) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        await ticket_on(pilot)
        await pilot.press("3", *keys, "p", "v")
        await rested(pilot)
        await pilot.press("enter")
        await settled(pilot)
        (order,) = orders_of(link)
        terms = order.terms
        assert (terms.type, terms.qty, terms.product, terms.validity) == (kind, 3 * LOT, Product.MIS, Validity.IOC)
        assert (terms.price is not None, terms.trigger is not None) == (priced, stopped)


async def test_keys_of_the_price() -> None:
    link = StageLink(straddle_day())
    quote = link.quotes[CALL]
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        for key, price in (("a", quote.ask), ("b", quote.bid)):
            await pilot.press(key)
            assert ticket.draft.price == price
        await pilot.press("up", "plus", "shift+up")
        assert ticket.draft.price == (quote.bid or 0) + 7 * 5
        await pilot.press("equals_sign", "tab", "shift+up")
        assert ticket.draft.lots == 6


async def test_a_paste_fills_the_field_and_presses_no_key() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        before = ticket.draft
        for text in ("\r\n", "t\ry\r", "bbb\n", "1\n"):
            ticket.post_message(Paste(text))
            await settled(pilot)
        assert ticket.draft.type is before.type
        assert ticket.draft.price == before.price
        assert ticket.draft.lots == 1
        ticket.post_message(Paste("7\n"))
        await settled(pilot)
        assert ticket.draft.lots == 7
        assert not link.submitted


async def test_the_mouse_reaches_fields_and_choices() -> None:
    async with stage_app(StageLink(straddle_day()), "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        text = ticket.query_one("#dialog-text", Ribbon)
        await pilot.click(text, offset=(12, 3))
        assert ticket.draft.field is Field.PRICE
        await pilot.click(text, offset=(text.size.width - 4, 2))
        assert ticket.draft.type is OrderType.MARKET
        await pilot.click(text, offset=(text.size.width - 4, 3))
        assert ticket.draft.product is Product.MIS
        await pilot.click(text, offset=(12, 2))
        assert ticket.draft.field is Field.LOTS


async def test_live_asks_for_y_and_any_other_key_goes_back() -> None:
    link = StageLink(straddle_day(), mode=Mode.LIVE)
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await pilot.press("enter")
        assert ticket.phase is Phase.ASKING
        assert "LIVE" in text_of(ticket)
        await pilot.press("enter")
        assert ticket.phase is Phase.WRITING
        assert not link.submitted
        ticket.deck.monotonic = lambda: 1e9
        await pilot.press("enter", "y")
        await settled(pilot)
        assert len(orders_of(link)) == 1


async def test_a_large_live_order_wants_its_lots_typed() -> None:
    link = StageLink(straddle_day(), mode=Mode.LIVE)
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        await ticket_on(pilot)
        await pilot.press("2", "5")
        await rested(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, Confirm)
        await pilot.press("y", "enter")
        assert not link.submitted
        await pilot.press("2", "5", "enter")
        await settled(pilot)
        assert orders_of(link)[0].terms.qty == 25 * LOT


async def test_a_lost_link_leaves_the_ticket_locked_and_says_so() -> None:
    link = StageLink(straddle_day())
    link.replies[cmd.PlaceOrder] = cmd.Reply(ok=False, code="LINK_LOST", text="The link is lost.")
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert "unknown" in text_of(ticket)
        ticket.deck.monotonic = lambda: 1e9
        await pilot.press("enter")
        assert len(link.submitted) == 1
        await pilot.press("escape")
        assert pilot.app.screen is not ticket


async def test_a_preview_of_other_terms_is_dim_until_the_engine_has_answered() -> None:
    async with stage_app(StageLink(straddle_day()), "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await rested(pilot)
        assert ticket.face().fresh
        await pilot.press("9")
        assert not ticket.face().fresh
        await rested(pilot)
        assert ticket.face().fresh


async def test_the_ladder_marks_what_is_mine() -> None:
    contract = name(24550, "CE")
    link = StageLink(straddle_day())
    bid = link.quotes[contract].bid
    assert bid is not None
    for event in placed(7, contract, Side.BUY, 3, bid, fill=False):
        link.happen(event)
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert app.deck is not None
        app.push_screen(TicketScreen(app.deck, contract, Side.BUY))
        await settled(pilot)
        await pilot.press("l")
        await rested(pilot)
        assert isinstance(app.screen, TicketScreen)
        assert "  3L" in text_of(app.screen)
        await pilot.press("l")
        await settled(pilot)
        assert "3L" not in text_of(app.screen)


async def test_the_price_follows_the_preview_of_a_market_order() -> None:
    link = StageLink(straddle_day())
    link.answers[q.PreviewOrder] = q.OrderPreview(
        ok=True, checks=(), protection=14_690, margin=1, free_after=1, charges=1, band_low=1, band_high=2, orders=1,
        max_loss=None, unlimited=True,
    )  # fmt: skip
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await pilot.press("t")
        await rested(pilot)
        assert "no worse than 146.90" in text_of(ticket)


async def test_a_working_order_is_changed_with_m() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("m")
        await settled(pilot)
        ticket = app.screen
        assert isinstance(ticket, TicketScreen)
        assert "CHANGE O6 SELL" in text_of(ticket)
        await pilot.press("up")
        await rested(pilot)
        await pilot.press("enter")
        await settled(pilot)
        (change,) = [command for command in link.submitted if isinstance(command, cmd.ModifyOrder)]
        assert (change.order_id, change.price, change.qty) == ("O6", 14_005, None)
        asked = [query for query in link.asked if isinstance(query, q.PreviewOrder)]
        assert not asked or asked[-1].replacing == "O6"


async def test_a_refused_change_comes_back_with_its_reason() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("m", "up")
        await rested(pilot)
        await pilot.press("enter")
        await settled(pilot)
        ticket = app.screen
        assert isinstance(ticket, TicketScreen)
        link.happen(ev.OrderChangeAsked(order_id="O6", terms=ticket.draft.terms()))
        link.happen(ev.OrderChangeRefused(order_id="O6", code="RMS", reason="Not now."))
        await settled(pilot)
        assert "Not now." in text_of(ticket)
        assert ticket.phase is Phase.WRITING
        ticket.deck.monotonic = lambda: 1e9
        await pilot.press("up")
        await rested(pilot)
        await pilot.press("enter")
        await settled(pilot)
        # the order still carries the old reason: that is no answer to the new question
        assert ticket.phase is Phase.SENT
        assert len(link.submitted) == 2


async def test_an_answer_that_comes_after_the_ticket_left_is_no_fault() -> None:
    class LateLink(StageLink):
        gate = asyncio.Event()

        async def query(self, query: q.AnyQuery) -> q.AnyAnswer:
            if isinstance(query, q.PreviewOrder):
                await self.gate.wait()
            return await super().query(query)

    link = LateLink(straddle_day())
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await rested(pilot)
        await pilot.press("escape")
        link.gate.set()
        ticket.on_pulse(set())
        await settled(pilot)
        assert ticket.gone
        assert pilot.app.screen.name == "chain"


async def test_enter_before_the_checks_of_these_terms_only_shows_them() -> None:
    class LateLink(StageLink):
        gate = asyncio.Event()

        async def query(self, query: q.AnyQuery) -> q.AnyAnswer:
            if isinstance(query, q.PreviewOrder):
                await self.gate.wait()
            return await super().query(query)

    link = LateLink(straddle_day())
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await pilot.press("enter")
        await rested(pilot)
        assert "Checking" in text_of(ticket)
        assert not link.submitted
        link.gate.set()
        await rested(pilot)
        assert "every check passes" in text_of(ticket)
        assert not link.submitted
        ticket.deck.monotonic = lambda: 1e9
        await pilot.press("b", "enter")
        assert not link.submitted
        await rested(pilot)
        ticket.deck.monotonic = lambda: 2e9
        await pilot.press("enter")
        await settled(pilot)
        assert len(orders_of(link)) == 1


def refusing(text: str) -> q.OrderPreview:
    check = q.Check(code="KILLED", severity="refuse", text=text)
    return q.OrderPreview(
        ok=False, checks=(check,), protection=None, margin=None, free_after=None, charges=None, band_low=None,
        band_high=None, orders=1, max_loss=None, unlimited=False,
    )  # fmt: skip


async def test_what_was_missing_is_not_said_any_more_once_the_market_has_given_it() -> None:
    link = StageLink(straddle_day())
    late = link.quotes.pop(CALL)
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.push_screen(TicketScreen(app.deck, CALL, Side.BUY))
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        ticket = app.screen
        assert isinstance(ticket, TicketScreen)
        assert "The price is empty" in text_of(ticket)
        link.quote(late)
        await rested(pilot)
        assert "151.60" in text_of(ticket)
        assert "The price is empty" not in text_of(ticket)
        assert "every check passes" in text_of(ticket)
        assert not link.submitted


async def test_what_the_checks_refuse_is_neither_offered_nor_sent() -> None:
    link = StageLink([*straddle_day(), ev.KillEngaged(why="mad market")], mode=Mode.LIVE)
    link.answers[q.PreviewOrder] = refusing("The kill switch is engaged.")
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await rested(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert ticket.phase is Phase.WRITING
        assert "sends it" not in text_of(ticket)
        assert "Not sent. The kill switch is engaged." in text_of(ticket)
        await pilot.press("y")
        await settled(pilot)
        assert not link.submitted


async def test_a_kill_takes_the_offer_back() -> None:
    link = StageLink(straddle_day(), mode=Mode.LIVE)
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await rested(pilot)
        await pilot.press("enter")
        assert ticket.phase is Phase.ASKING
        link.answers[q.PreviewOrder] = refusing("The kill switch is engaged.")
        link.happen(ev.KillEngaged(why="mad market"))
        await rested(pilot)
        assert ticket.phase is Phase.WRITING
        assert "sends it" not in text_of(ticket)


async def test_a_fill_asks_for_money_and_checks_again() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        await rested(pilot)
        now = ticket.deck.monotonic()
        ticket.deck.monotonic = lambda: now
        link.answers[q.GetFunds] = q.FundsAnswer(account="PAPER1", cash=100_000_000, margin_used=0, free=12_300_000)
        link.asked.clear()
        for event in placed(7, name(24600, "CE"), Side.SELL, 1, 10_000):
            link.happen(event)
        await rested(pilot)
        assert "1.23 L" in text_of(ticket)
        await rested(pilot)
        # the five facts of the fill and the money that followed rest into few questions
        assert 1 <= [type(query) for query in link.asked].count(q.PreviewOrder) <= 3


@pytest.mark.parametrize(
    ("field", "keys", "shown"),
    [
        (Field.LOTS, ("2", "full_stop", "5"), "2.5"),
        (Field.LOTS, ("3", "8", "full_stop", "0", "3"), "38.03"),
        (Field.PRICE, ("1", "e", "9"), "1e9"),
        (Field.PRICE, ("1", "full_stop", "2", "full_stop", "3"), "1.2.3"),
    ],
)
async def test_what_is_no_number_stays_as_typed_and_is_not_sent(
    field: Field, keys: tuple[str, ...], shown: str
) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        ticket.draft = ticket.draft.focus(field)
        await pilot.press(*keys)
        await rested(pilot)
        assert f"'{shown}' is not a" in text_of(ticket)
        await pilot.press("enter")
        await settled(pilot)
        assert not link.submitted


async def test_the_ladder_and_the_line_are_of_one_moment() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        ticket = await ticket_on(pilot)
        now = ticket.deck.monotonic()
        ticket.deck.monotonic = lambda: now
        await pilot.press("l")
        await settled(pilot)
        for by in (5, 15, 10):
            old = link.quotes[CALL]
            assert old.bid is not None
            assert old.ask is not None
            link.quote(msgspec.structs.replace(old, bid=old.bid + by, ask=old.ask + by, bid_qty=1_300))
            await settled(pilot)
            face = ticket.face()
            assert face.book is not None
            depth, _ = face.book
            assert depth is not None
            assert face.quote is not None
            assert depth.bids[0] == (face.quote.bid, 1_300)
            assert depth.asks[0] == (face.quote.ask, face.quote.ask_qty)
            assert sorted(depth.bids, reverse=True) == list(depth.bids)


async def test_leaving_with_a_ticket_open_leaves_no_work_behind() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        async with stage_app(StageLink(straddle_day()), "chain").run_test(size=(120, 36)) as pilot:
            ticket = await ticket_on(pilot)
            await pilot.press("l")
            await settled(pilot)
        ticket.deck.monotonic = lambda: 1e9
        ticket.on_pulse(set())
        gc.collect()
    assert not [str(each.message) for each in told if "never awaited" in str(each.message)]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_stop_a_target_and_parts_travel_with_the_order(size: tuple[int, int]) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=size) as pilot:
        app = await opened(pilot)
        await pilot.press("s", "g")
        await settled(pilot, 0.3)
        assert "stop" in line(app, "dialog-text")
        assert "parts" in line(app, "dialog-text")
        await pilot.press(*"180", "tab", *"90", "tab", "up", "up")
        await settled(pilot, 0.4)
        text = line(app, "dialog-text")
        assert "90.00" in text
        await pilot.press("enter")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.PlaceOrder)
        assert (command.stop, command.target, command.parts) == (18_000, 9_000, 3)
