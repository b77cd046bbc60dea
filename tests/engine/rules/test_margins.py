"""OE-10: an order that needs more margin than is free is refused with the numbers, the whole account weighed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.market.margins import KEPT, MarginSight
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.market.tariffs import margin_params_on
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import OrderTerms, Product, RiskClass, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.pricing.margin import MarginLeg, portfolio_margin
from optconsole.engine.queries import Check
from optconsole.engine.rules.limits import FundsSeen
from optconsole.engine.rules.margins import AMPLE
from optconsole.engine.rules.pretrade import Situation, checks, refusal, risk_class
from tests.engine.facts import CALL, DAY, EXPIRY, START, Story, index, option, terms
from tests.engine.virtual import play
from tests.simulation.kernel import SimClock

SPOT = 24_500_00
FUTURE = Instrument(
    name=contract_name("NIFTY", EXPIRY),
    underlying="NIFTY",
    exchange="NSE",
    kind=Kind.FUTURE,
    lot=65,
    tick=5,
    freeze=1800,
    expiry=EXPIRY,
    last_trade=option().last_trade,
)
WING = option(2_500_000)
LISTED = [index(), FUTURE, option(), WING, option(right=Right.PUT)]
PRICES = {"NIFTY": SPOT, FUTURE.name: 24_560_00, CALL: 100_00, WING.name: 20_00, option(right=Right.PUT).name: 100_00}


def quoted(name: str, price: int) -> Quote:
    return Quote(name=name, ts=0, bid=price - 5, bid_qty=650, ask=price + 5, ask_qty=650, ltp=price)


class Market:
    """Quotes, the contracts, and the margin that the engine itself would find for them."""

    def __init__(self, clock: SimClock) -> None:
        self.board = QuoteBoard()
        self.board.update([quoted(name, price) for name, price in PRICES.items()])
        master = InstrumentMaster(LISTED)
        self.asked = 0
        self.sight = MarginSight(clock, self.board.get, lambda: master)

    def margin(self, units: Mapping[str, int]) -> int | None:
        self.asked += 1
        return self.sight.margin(units)

    def situation(self, free: int | None, read_at: datetime = START + timedelta(hours=1)) -> Situation:
        seen = None if free is None else FundsSeen(Funds(account="paper", cash=free, margin_used=0), read_at)
        return Situation(
            now=START,
            phase=MarketPhase.OPEN,
            quote=self.board.get,
            limits=OrderLimits(),
            funds=lambda _account: seen,
            margin=self.margin,
        )


def market() -> Market:
    async def made(clock: SimClock) -> Market:
        return Market(clock)

    return play(made)


def judged(story: Story, wanted: OrderTerms, at: Situation) -> Check | None:
    contract = next(each for each in LISTED if each.name == wanted.contract)
    return refusal(checks(story.state, wanted, contract, at))


def holding(contract: str, side: Side, qty: int = 65, price: int = 10_000) -> Story:
    story = Story()
    return story.fill(story.order(terms(side, qty, price, contract=contract)), qty, price, "t1")


def of(place: Market, *held: tuple[str, int]) -> int:
    found = place.margin(dict(held))
    assert found is not None
    return found


def test_a_short_beyond_what_is_free_is_refused_with_what_it_needs_what_is_free_and_the_lots_that_pass() -> None:
    place = market()
    one, three = of(place, (CALL, -65)), of(place, (CALL, -195))
    found = judged(Story(), terms(qty=195), place.situation(three - 1))
    assert found is not None
    assert found.code == "INSUFFICIENT_MARGIN"
    assert f"{three / 100:.2f} rupees more of margin" in found.text
    assert f"{(three - 1) / 100:.2f} are free on paper; 2 lots would pass" in found.text
    assert judged(Story(), terms(qty=195), place.situation(three)) is None
    broke = judged(Story(), terms(), place.situation(one - 1))
    assert broke is not None
    assert "no lots would pass" in broke.text


def test_a_future_needs_margin_either_way() -> None:
    place = market()
    need = of(place, (FUTURE.name, 65))
    for side in Side:
        wanted = terms(side, price=PRICES[FUTURE.name], contract=FUTURE.name)
        found = judged(Story(), wanted, place.situation(need - 1))
        assert found is not None
        assert found.code == "INSUFFICIENT_MARGIN"
        assert judged(Story(), wanted, place.situation(need)) is None


def test_a_hedge_that_is_held_makes_a_short_cheap_and_one_that_only_works_does_not() -> None:
    place = market()
    spread, bare = of(place, (CALL, -65), (WING.name, 65)), of(place, (CALL, -65))
    assert spread < bare // 2
    held = holding(WING.name, Side.BUY, price=20_00)
    assert judged(held, terms(), place.situation(spread)) is None
    waiting = Story()
    waiting.order(terms(Side.BUY, price=15_00, contract=WING.name))
    found = judged(waiting, terms(), place.situation(spread))
    assert found is not None
    assert found.code == "INSUFFICIENT_MARGIN"


def test_a_working_sale_of_the_hedge_leaves_the_short_bare() -> None:
    place = market()
    held = holding(WING.name, Side.BUY, price=20_00)
    held.order(terms(Side.SELL, price=25_00, contract=WING.name))
    bare = of(place, (CALL, -65))
    found = judged(held, terms(), place.situation(bare - 1))
    assert found is not None
    assert found.code == "INSUFFICIENT_MARGIN"


def test_what_lowers_the_margin_or_the_position_is_never_refused() -> None:
    place = market()
    short = holding(CALL, Side.SELL)
    assert judged(short, terms(Side.BUY), place.situation(0)) is None
    long = holding(FUTURE.name, Side.BUY, price=PRICES[FUTURE.name])
    against = terms(Side.SELL, price=PRICES[FUTURE.name], contract=FUTURE.name, product=Product.MIS)
    assert risk_class(long.state, against) is RiskClass.INCREASE
    assert judged(long, against, place.situation(-1)) is None


def test_what_was_sent_since_the_money_was_read_is_not_free_any_more() -> None:
    place = market()
    one, two = of(place, (CALL, -65)), of(place, (CALL, -130))
    story = Story()
    story.order(terms())
    assert judged(story, terms(), place.situation(two - one, START + timedelta(hours=1))) is None
    found = judged(story, terms(), place.situation(two - 1, START))
    assert found is not None
    assert f"{(two - 1 - one) / 100:.2f} are free" in found.text
    assert judged(story, terms(), place.situation(two, START)) is None


def test_unknown_money_or_an_unknown_price_refuses_nothing() -> None:
    assert judged(Story(), terms(), market().situation(None)) is None
    held = holding("NIFTY 01DEC26 26000 CE", Side.SELL)
    assert market().margin({"NIFTY 01DEC26 26000 CE": -65}) is None
    assert judged(held, terms(), market().situation(1_00)) is None


def test_a_change_to_more_is_weighed_as_the_order_it_becomes() -> None:
    place = market()
    story = Story()
    name = story.order(terms())
    two = of(place, (CALL, -130))
    order = story.state.orders[name]
    contract = option()
    found = refusal(checks(story.state, terms(qty=130), contract, place.situation(two - 1, START), order))
    assert found is not None
    assert found.code == "INSUFFICIENT_MARGIN"


def test_far_more_than_enough_costs_no_margin_to_be_worked_out() -> None:
    place = market()
    assert judged(Story(), terms(), place.situation(10**12)) is None
    assert place.asked == 0


def test_options_are_always_worth_what_they_are_now() -> None:
    place = market()
    before = of(place, (CALL, -65))
    place.board.update([quoted(CALL, 130_00)])
    assert of(place, (CALL, -65)) == before + 65 * 30_00


def test_rows_are_kept_for_some_minutes_and_made_anew_when_the_index_moves() -> None:
    async def scene(clock: SimClock) -> list[int | None]:
        place, held = Market(clock), {FUTURE.name: 65}
        found = [place.margin(held)]
        place.board.update([quoted(FUTURE.name, 24_600_00)])
        found.append(place.margin(held))
        await clock.sleep(KEPT + 0.1)
        found.append(place.margin(held))
        place.board.update([quoted("NIFTY", SPOT + 60_00)])
        found.append(place.margin(held))
        return found

    first, kept, anew, moved = play(scene)
    assert first == kept
    assert len({first, anew, moved}) == 3


@given(
    legs=st.lists(st.tuples(st.sampled_from(range(len(LISTED) - 1)), st.integers(-40, 40)), max_size=6),
    chosen=st.sampled_from(range(len(LISTED) - 1)),
    lots=st.integers(1, 20),
    sells=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_no_order_adds_more_margin_than_the_most_it_is_taken_for(
    legs: list[tuple[int, int]], chosen: int, lots: int, sells: bool
) -> None:
    contracts = LISTED[1:]
    params = margin_params_on(DAY)

    def margin(held: dict[str, int]) -> int:
        rows = [MarginLeg(instrument=each, qty=held.get(each.name, 0), price=PRICES[each.name]) for each in contracts]
        return portfolio_margin(rows, {}, {"NIFTY": SPOT}, START, params).total

    held: dict[str, int] = {}
    for place, qty in legs:
        name = contracts[place].name
        held[name] = held.get(name, 0) + qty * 65
    contract, units = contracts[chosen], lots * 65
    after = {**held, contract.name: held.get(contract.name, 0) + (-units if sells else units)}
    if contract.kind is Kind.OPTION and not sells:
        return
    assert margin(after) - margin(held) <= units * (SPOT // AMPLE + PRICES[contract.name])
