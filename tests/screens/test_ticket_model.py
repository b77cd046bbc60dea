"""The ticket's arithmetic: typing over, stepping by lot and tick, kinds, pastes, and what it asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Product, RiskClass, Side, Validity
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST
from optconsole.screens.ticket_model import LONGEST, Draft, Field, draft_of, first_price, on_tick, step_ticks
from tests.screens.stage import StageLink, placed

QUOTE = Quote(name="NIFTY 25NOV26 24500 CE", ts=0, bid=10_120, bid_qty=650, ask=10_130, ask_qty=1_235, ltp=10_125)
DRAFT = Draft(account="A", contract=QUOTE.name, side=Side.SELL, lot=65, tick=5, price=10_125)


def typed(draft: Draft, text: str) -> Draft:
    for character in text:
        draft = draft.type_in(character)
    return draft


def test_the_first_digit_replaces_the_field_and_the_next_ones_add() -> None:
    draft = typed(DRAFT, "12")
    assert (draft.lots, draft.qty) == (12, 780)


def test_a_price_is_typed_in_rupees() -> None:
    draft = typed(DRAFT.tab(), "99.5")
    assert draft.price == 9_950
    assert draft.text(Field.PRICE) == "99.5"
    assert draft.tab().text(Field.PRICE) == "99.50"


@pytest.mark.parametrize("key", ["a", "-", "e", "١", " ", "\n", "+"])
def test_what_cannot_belong_to_a_number_changes_nothing(key: str) -> None:
    assert DRAFT.type_in(key) == DRAFT
    assert DRAFT.tab().type_in(key) == DRAFT.tab()


@given(text=st.text("0123456789.,e_ -", min_size=1, max_size=14), field=st.sampled_from([Field.LOTS, Field.PRICE]))
def test_a_number_is_read_only_from_all_that_was_typed(text: str, field: Field) -> None:
    draft = typed(replace(DRAFT, lots=None, price=None, field=field, typed=""), text)
    value = draft.value(field)
    whole = text.isdigit() if field is Field.LOTS else text.replace(".", "", 1).isdigit()
    assert draft.text(field) == text[: LONGEST + 1]
    if value is not None:
        assert whole
        assert value == (int(text) if field is Field.LOTS else round(float(text) * 100))


@pytest.mark.parametrize("text", ["2.5", "38.03", ".", "1,000", "1_0"])
def test_lots_are_whole_and_what_is_typed_else_stays_and_is_refused(text: str) -> None:
    draft = typed(DRAFT, text)
    assert draft.text(Field.LOTS) == text
    with pytest.raises(Refusal, match="is not a number of lots"):
        draft.terms()


@pytest.mark.parametrize(("text", "code"), [("101.253", "BAD_AMOUNT"), ("0", "BAD_AMOUNT"), (".", "BAD_AMOUNT")])
def test_an_unreadable_price_is_refused_in_words_when_sent(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        typed(DRAFT.tab(), text).terms()
    assert refused.value.code == code
    assert text in refused.value.text


def test_no_lots_are_no_order() -> None:
    with pytest.raises(Refusal, match="lots"):
        typed(DRAFT, "0").terms()
    with pytest.raises(Refusal, match="empty"):
        DRAFT.erase().terms()


def test_erasing_begins_with_what_stands_in_the_field() -> None:
    assert DRAFT.tab().erase().text(Field.PRICE) == "101.2"


def test_tab_goes_round_the_fields_of_the_type() -> None:
    stop = DRAFT.with_type(OrderType.SL, QUOTE)
    seen = [stop.tab(n).field for n in range(4)]
    assert seen == [Field.LOTS, Field.PRICE, Field.TRIGGER, Field.LOTS]
    assert DRAFT.with_type(OrderType.MARKET, QUOTE).tab().field is Field.LOTS


def test_arrows_step_lots_by_a_lot_and_prices_by_a_tick() -> None:
    assert DRAFT.nudge(1).lots == 2
    assert DRAFT.nudge(-5).lots == 1
    assert DRAFT.tab().nudge(1).price == 10_130
    assert DRAFT.tab().nudge(-5).price == 10_100


@given(price=st.integers(1, 10**7), steps=st.integers(-50, 50).filter(bool), tick=st.sampled_from([1, 5, 10, 25]))
def test_a_step_always_lands_on_a_tick_above_zero(price: int, steps: int, tick: int) -> None:
    stepped = step_ticks(price, steps, tick)
    assert stepped % tick == 0
    assert stepped >= tick
    assert (stepped - price) * steps >= 0 or stepped == tick


@given(price=st.integers(1, 10**7), tick=st.sampled_from([1, 5, 10, 25]), side=st.sampled_from(list(Side)))
def test_the_tick_chosen_is_never_worse_for_the_side(price: int, tick: int, side: Side) -> None:
    chosen = on_tick(price, tick, side)
    assert chosen % tick == 0
    assert (chosen - price) * side.sign <= 0 or chosen == tick
    assert abs(chosen - price) < tick


def test_a_ticket_opens_in_the_middle_of_the_spread() -> None:
    assert first_price(QUOTE, Side.SELL, 5) == 10_125
    wide = Quote(name="X", ts=0, bid=100, ask=105, ltp=300)
    assert (first_price(wide, Side.BUY, 5), first_price(wide, Side.SELL, 5)) == (100, 105)
    assert first_price(Quote(name="X", ts=0, ltp=302, booked=False), Side.BUY, 5) == 300
    assert first_price(None, Side.BUY, 5) is None


def test_joining_a_price_goes_to_the_price_field_or_the_focused_trigger() -> None:
    joined = DRAFT.take_price(10_130)
    assert (joined.price, joined.field) == (10_130, Field.PRICE)
    stop = DRAFT.with_type(OrderType.SL_M, QUOTE).focus(Field.TRIGGER)
    assert stop.take_price(9_000).trigger == 9_000
    assert DRAFT.with_type(OrderType.MARKET, QUOTE).take_price(10_130).type is OrderType.MARKET


def test_the_types_go_round_and_a_stop_begins_beyond_the_market() -> None:
    kinds = [DRAFT.type]
    draft = DRAFT
    for _ in range(4):
        draft = draft.next_type(QUOTE)
        kinds.append(draft.type)
    assert kinds == [OrderType.LIMIT, OrderType.MARKET, OrderType.SL, OrderType.SL_M, OrderType.LIMIT]
    for side in Side:
        stop = replace(DRAFT, side=side).with_type(OrderType.SL, QUOTE)
        assert stop.trigger is not None
        assert stop.price is not None
        assert (stop.trigger - 10_125) * side.sign > 0
        assert (stop.price - stop.trigger) * side.sign > 0


def test_terms_carry_only_the_prices_of_their_type() -> None:
    market = DRAFT.with_type(OrderType.MARKET, QUOTE).terms()
    assert (market.price, market.trigger) == (None, None)
    stop = DRAFT.with_type(OrderType.SL_M, QUOTE).terms()
    assert stop.price is None
    assert stop.trigger is not None


@pytest.mark.parametrize(("text", "price"), [("101.25", 10_125), (" 1,01.25\n", 10_125), ("₹ 99", 9_900)])
def test_a_pasted_number_fills_the_focused_field(text: str, price: int) -> None:
    assert DRAFT.tab().paste(text).price == price


@pytest.mark.parametrize(
    "text",
    ["", "\n", "buy", "1\n2", "\x1b[A", "b\r", "12x", "9" * 40, "1e5", "-5", "١٢", "\u202e12", "1.2.3", "101.255"],
)
def test_any_other_paste_is_refused_and_changes_nothing(text: str) -> None:
    with pytest.raises(Refusal):
        DRAFT.tab().paste(text)


def order(**changes: object) -> Order:
    terms = OrderTerms(account="A", contract=QUOTE.name, side=Side.SELL, qty=130, type=OrderType.LIMIT, price=10_125)
    at = datetime(2026, 11, 23, 9, 20, tzinfo=IST)
    fields: dict[str, object] = {
        "id": "O1", "tag": "T", "terms": terms, "status": OrderStatus.OPEN, "risk": RiskClass.INCREASE, "lot": 65,
        "intended_at": at, "updated_at": at,
    }  # fmt: skip
    return Order(**(fields | changes))  # type: ignore[arg-type]


def test_a_change_names_only_what_differs() -> None:
    draft = draft_of(order(), 5)
    command = draft.nudge(2).change("c1", "key")
    assert (command.order_id, command.qty, command.price, command.trigger) == ("O1", None, 10_135, None)
    assert draft.focus(Field.LOTS).nudge(1).change("c1", "key").qty == 195


def test_a_change_of_nothing_is_refused_here() -> None:
    with pytest.raises(Refusal, match="Nothing has changed"):
        draft_of(order(), 5).change("c1", "key")


def test_a_working_order_keeps_its_type_product_and_validity() -> None:
    draft = draft_of(order(), 5)
    assert draft.next_type(QUOTE) == draft.next_product() == draft.next_validity() == draft


def test_product_and_validity_are_switched() -> None:
    assert DRAFT.next_product().terms().product is Product.MIS
    assert DRAFT.next_validity().terms().validity is Validity.IOC
    assert DRAFT.next_product().next_product() == DRAFT


def test_a_contract_without_a_lot_is_not_sent() -> None:
    with pytest.raises(Refusal, match="not listed"):
        replace(DRAFT, lot=0).terms()


def extended() -> Draft:
    return Draft(account="A", contract="C", side=Side.SELL, lot=65, price=10_000).toggle_extras()


def test_a_guard_begins_a_quarter_against_the_position_and_all_three_fields_are_tabbed_through() -> None:
    draft = extended()
    assert (draft.field, draft.stop, draft.target, draft.parts) == (Field.STOP, 12_500, None, None)
    assert draft.tab().nudge(1).target == 7_500
    assert draft.tab().tab().nudge(2).parts == 3
    assert draft.tab(3).field is Field.LOTS
    assert draft.terms() == Draft(account="A", contract="C", side=Side.SELL, lot=65, price=10_000).terms()


def test_taking_the_guard_away_empties_it() -> None:
    gone = extended().toggle_extras()
    assert (gone.stop, gone.extras, gone.field) == (None, False, Field.LOTS)


def test_an_empty_guard_is_none_and_a_half_typed_one_is_refused() -> None:
    draft = extended()
    for _ in range(6):
        draft = draft.erase()
    assert draft.stop is None
    assert draft.terms().qty == 65
    with pytest.raises(Refusal, match="is not a stop"):
        draft.type_in(".").type_in(".").terms()
    with pytest.raises(Refusal, match="number of parts"):
        draft.tab().tab().type_in("0").terms()


def test_a_change_of_a_working_order_has_no_guard_of_its_own() -> None:
    order = StageLink(placed(1, "NIFTY 25NOV26 24500 CE", Side.BUY, 1, 10_000, fill=False)).state.orders["O1"]
    assert not draft_of(order, 5).toggle_extras().extras
