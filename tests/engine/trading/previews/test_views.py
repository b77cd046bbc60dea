"""A basket looked at before it is sent: the same contracts and money as its entry, and nothing changed by looking."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.market.tariffs import margin_params_on
from optconsole.engine.model.baskets import Allocation, Pace
from optconsole.engine.model.orders import Side
from optconsole.engine.model.runs import RunStatus
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.previewing import BUDGET
from optconsole.engine.pricing.margin import MarginLeg, portfolio_margin
from optconsole.engine.trading.previews.views import Preview
from optconsole.runtime.rates import order_charges
from tests.engine.facts import PAPER as PAPER_ACCOUNT
from tests.engine.trading.previews.previews import (
    HEAD,
    PAPER,
    basket,
    condor,
    looked,
    only,
    previewed,
    scene_of,
    straddle,
)
from tests.engine.trading.runs.stage import SPOT, Stage, name, strategy


def test_looking_changes_nothing() -> None:
    stage = Stage()
    before, facts = msgspec.json.encode(stage.state), len(stage.facts)
    looked(stage, straddle(), condor())
    assert msgspec.json.encode(stage.state) == before
    assert len(stage.facts) == facts
    assert stage.effects == []


def test_the_contracts_are_those_that_an_entry_of_this_instant_trades() -> None:
    stage = Stage()
    written = strategy(
        HEAD,
        ce='sell CE strike = "premium 60"',
        pe='sell PE strike = "leg ce -5"',
        hce='buy CE strike = "leg ce +4"',
    )
    stage.to("09:19:59")
    view, share, _ = only(looked(stage, written))
    seen = {leg.leg: (leg.contract, leg.premium) for leg in view.legs}
    stage.start(written)
    stage.to("09:20:00")
    run = stage.run()
    assert seen == {leg.id: (leg.contract, _chosen_premium(stage, leg.id)) for leg in run.legs.values()}
    orders = {order.terms.contract: order.terms.qty for order in stage.state.orders.values()}
    assert share.orders == len(orders)
    assert {contract: 65 * share.lots[leg] for leg, (contract, _) in seen.items()} == orders


def _chosen_premium(stage: Stage, leg: str) -> int:
    (chosen,) = [
        fact.event
        for fact in stage.facts
        if isinstance(fact.event, ev.LegMoved) and fact.event.what == "chosen" and fact.event.leg.id == leg
    ]
    premium = chosen.why["premium"]
    assert isinstance(premium, int)
    return premium


def test_a_straddle_shows_its_premium_break_evens_and_open_end() -> None:
    view, share, _ = only(looked(Stage(), straddle()))
    assert view.picture is not None
    assert view.picture.break_evens == (SPOT - 200_00, SPOT + 200_00)
    assert (share.max_profit, share.max_loss, share.endless_loss) == (65 * 200_00, None, True)
    assert share.paid == -65 * 200_00
    assert view.text == "Enters today at 09:20:00."
    assert view.legs[0].why.startswith("ATM is 24500; the money is 24500 with 24500.00")


def test_money_grows_with_the_lots_of_the_account() -> None:
    once, many = (
        looked(Stage(), condor()),
        looked(Stage(), condor(), accounts=(Allocation(account="paper", multiplier=300),)),
    )
    (_, one, margin), (_, three, more) = only(once), only(many)
    assert three.lots == {leg: 3 * lots for leg, lots in one.lots.items()}
    assert three.max_loss == 3 * (one.max_loss or 0) > 0
    assert more.after == pytest.approx(3 * (margin.after or 0), abs=3)


def test_margin_on_the_way_knows_that_hedges_leave_first() -> None:
    _, _, margin = only(looked(Stage(), condor()))
    assert [contract.split(" ", 2)[2] for contract, _ in margin.steps] == [
        "24800 CE",
        "24200 PE",
        "24650 CE",
        "24350 PE",
    ]
    assert margin.peak == margin.after
    naked = strategy(HEAD + "\nhedge_first = false", ce='sell CE strike = "OTM 3"', hce='buy CE strike = "OTM 6"')
    _, _, way = only(looked(Stage(), naked))
    assert (way.peak or 0) > 2 * (way.after or 0)


def test_what_the_account_holds_is_its_margin_before() -> None:
    stage = Stage()
    stage.start(straddle())
    stage.to("09:20:00")
    _, _, margin = only(looked(stage, condor()))
    params = margin_params_on(stage.now.date())
    held = [
        MarginLeg(instrument=contract, qty=-65, price=100_00)
        for right in ("CE", "PE")
        if (contract := stage.master.get(name(24500, right))) is not None
    ]
    spot = {"NIFTY": SPOT}
    assert margin.before == portfolio_margin(held, {"NIFTY": SPOT}, spot, stage.now, params).total
    assert (margin.after or 0) > (margin.before or 0) > 0


def test_charges_are_those_of_the_day_order_by_order() -> None:
    stage = Stage()
    big = Allocation(account="paper", multiplier=3000)  # 30 lots: 1,950 units leave in two orders
    _, share, _ = only(looked(stage, straddle(), accounts=(big,)))
    assert share.orders == 4
    contract = stage.master.get(name(24500, "CE"))
    assert contract is not None
    day = stage.now.date()
    leg = sum(order_charges(day, contract, side, units * 100_00) for side in Side for units in (27 * 65, 3 * 65))
    assert share.charges == 2 * leg
    assert sum(cost.entry.total + cost.exit.total for cost in share.costs) == share.charges


def test_an_account_that_cannot_take_its_part_says_why_and_trades_nothing() -> None:
    found = looked(
        Stage(), straddle(), accounts=(PAPER, Allocation(account="nobody"), Allocation(account="paper", multiplier=150))
    )
    shares = found.strategies[0].shares
    assert [share.code for share in shares] == ["", "UNKNOWN_ACCOUNT", "RATIO_BROKEN"]
    assert shares[1].orders == shares[2].orders == 0


def test_without_accounts_the_lots_as_written_are_looked_at() -> None:
    view, share, margin = only(looked(Stage(), straddle(), accounts=()))
    assert (share.account, share.lots, share.code) == ("", {"ce": 1, "pe": 1}, "")
    assert margin.account == ""
    assert (margin.before, margin.free, margin.short) == (0, None, None)
    assert view.picture is not None


def test_a_leg_without_a_contract_leaves_the_rest_visible() -> None:
    written = strategy(HEAD, ce="sell CE", pe='sell PE strike = "24512"')
    view, share, margin = only(looked(Stage(), written))
    assert [leg.code for leg in view.legs] == ["", "NOT_LISTED"]
    assert view.picture is None
    assert share.code == "NO_CONTRACT"
    assert margin.after == 0


def test_what_is_not_entered_today_says_so_and_is_priced_all_the_same() -> None:
    view, _, _ = only(looked(Stage(), straddle(HEAD + '\nweekdays = ["fri"]')))
    assert view.code
    assert view.picture is not None
    stage = Stage()
    stage.to("10:00:00")
    assert looked(stage, straddle()).strategies[0].code == "PASSED"


def test_a_closed_market_is_looked_at_with_its_last_prices() -> None:
    stage = Stage()
    stage.age = 40_000.0
    assert looked(stage, straddle()).strategies[0].picture is None
    stage.phase = MarketPhase.CLOSED
    assert looked(stage, straddle()).strategies[0].picture is not None


def test_the_order_rate_is_of_the_whole_day_with_what_is_planned_already() -> None:
    stage = Stage()
    stage.start(*(msgspec.structs.replace(straddle(), name=f"s{number}") for number in range(10)))
    assert stage.said(RunStatus.SCHEDULED) == ""
    new = previewed(stage, basket("new", condor())).rate
    assert new.busiest == 24
    assert new.requests == 48
    assert new.slowest == pytest.approx(3 * 1.1)
    assert new.delays[0].at.strftime("%H:%M:%S") == "09:20:00"
    assert new.late
    # the saved basket itself is looked at as it would be, not counted twice
    again = previewed(stage, stage.state.baskets["day"].basket).rate
    assert again.requests == 40


def test_staggered_accounts_leave_at_their_turn() -> None:
    stage = Stage()
    stage.tell(ev.AccountOpened(account=msgspec.structs.replace(PAPER_ACCOUNT, id="second")))
    big = Allocation(account="paper", multiplier=9900)  # 99 lots of two legs: 8 orders
    other = Allocation(account="second", multiplier=9900)
    together = looked(stage, straddle(), accounts=(big, other)).rate
    assert together.slowest == pytest.approx(2 * 1.1)
    apart = looked(stage, straddle(), accounts=(big, other), pace=Pace.STAGGERED, stagger_ms=5_000).rate
    assert apart.slowest == pytest.approx(1.1)
    entries = [each.at.second for each in apart.delays if each.entries]
    assert entries == [0, 5]


def test_all_figures_are_of_one_instant_though_the_market_moves_meanwhile() -> None:
    stage = Stage()
    making = Preview(scene_of(stage), basket("b", straddle(), straddle()), BUDGET)
    making.look(straddle())
    stage.market(SPOT + 200_00)
    making.look(straddle())
    first, second = making.answer().strategies
    assert first == second


def test_a_leg_priced_by_minute_closes_is_shown_at_the_price_of_now() -> None:
    now, close = (
        only(looked(Stage(), strategy(HEAD, ce=f'sell CE strike = "premium 60"\n{price}')))[0].legs[0]
        for price in ("", 'price = "minute"')
    )
    assert close.premium == now.premium
    assert close.contract == now.contract
