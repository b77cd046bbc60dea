"""What ends a run as a whole (features SX-1 to SX-10)."""

from __future__ import annotations

import pytest

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.runs import RunStatus
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\n'
CE, PE = name(24500, "CE"), name(24500, "PE")


def begun(head: str, lots: int = 1, **legs: str) -> Stage:
    """A straddle sold at 99.90 each, with no stop of its own."""
    stage = Stage()
    both = {"ce": f"sell CE lots = {lots}", "pe": f"sell PE lots = {lots}"}
    stage.start(strategy(HEAD + head, **(legs or both)))
    stage.to("09:20:00")
    return stage


def both(stage: Stage, *rupees: float, gap: float = 2) -> None:
    """Both legs at one price: each rupee above 99.90 loses 130 a lot of straddles."""
    for price in rupees:
        stage.settle(gap)
        stage.quote(PE, round(price * 100))
        stage.price(CE, price)


@pytest.mark.parametrize(
    ("head", "safe", "out", "code"),
    [
        ('stop = "1300"', 109.85, 109.90, "OVR_SL"),
        ('target = "1300"', 89.95, 89.90, "OVR_TGT"),
        ('stop = "30%"', 129.85, 129.90, "OVR_SL"),
        ('target = "50%"', 50.00, 49.95, "OVR_TGT"),
    ],
)
def test_money_and_percent_of_the_premium(head: str, safe: float, out: float, code: str) -> None:
    stage = begun(head)
    both(stage, safe)
    assert stage.held()
    both(stage, out)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == code


def test_a_net_percent_is_of_the_credit_alone() -> None:
    stage = begun('stop = "50% net"', ce="sell CE", wing='buy CE strike = "24600"')
    wing = name(24600, "CE")
    sold, bought = stage.run().legs["ce"].entry, stage.run().legs["wing"].entry
    assert sold is not None
    assert bought is not None
    stage.settle(2)
    loss = (sold - bought) // 2
    stage.quote(wing, bought)
    stage.price(CE, (sold + loss - 5) / 100)
    assert stage.held()
    stage.price(CE, (sold + loss + 5) / 100)
    assert stage.held() == {}


def test_the_trailed_stop_of_the_golden_example() -> None:
    stage = begun('stop = "4000"\ntrail = "1000/500"')
    both(stage, 79.90)
    assert stage.run().watch.floor.level == -300_000
    both(stage, 122)
    assert stage.held()
    both(stage, 123)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "OVR_TSL"


def test_a_lock_of_the_golden_example() -> None:
    stage = begun('lock = "5000: 3000"')
    both(stage, 62.20, 60.60, 73, 76.90)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "LOCK"


def test_lock_and_trail_of_the_golden_example() -> None:
    stage = begun('lock = "5000: 3000 then 1000: 500"')
    both(stage, 43.70)
    assert stage.run().watch.floor.level == 400_000


def test_overall_rules_wait_for_every_leg_or_their_time() -> None:
    stage = Stage()
    stage.dry = {PE}
    stage.start(strategy(HEAD + 'stop = "500"\nsettle = 20\npatience = 60', ce="sell CE", pe="sell PE"))
    stage.to("09:20:00")
    stage.settle(5)
    stage.price(CE, 120)
    assert stage.held() == {"24500 CE": -65}, "half a straddle is not judged"
    stage.settle(20)
    assert stage.held() == {}


def test_the_ladder_closes_part_of_each_leg_and_the_stops_outside_shrink_with_it() -> None:
    stage = begun('ladder = ["2000: 50%", "4000: 25%"]', ce='sell CE lots = 4; stop = "90%"', pe="sell PE lots = 4")
    both(stage, 95)
    assert stage.held() == {"24500 CE": -130, "24500 PE": -130}
    assert stage.run().watch.floor.rung == 1
    assert stage.stops()["24500 CE"][1] == 130
    assert stage.run().status is RunStatus.ACTIVE
    both(stage, 80)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    both(stage, 60)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    stage.to("15:15:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "TIME"
    assert stage.working() == []


def test_two_rungs_at_once_close_both_parts() -> None:
    stage = begun('ladder = ["2000: 50%", "4000: 25%"]', lots=4)
    both(stage, 80)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}


def test_a_second_rung_before_the_first_has_filled_closes_neither_more_nor_less() -> None:
    stage = begun('ladder = ["2000: 50%", "4000: 25%"]', lots=4)
    stage.dry = {CE, PE}
    both(stage, 95, 80)
    stage.dry = set()
    for _ in range(4):
        stage.settle(3)
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}


def test_the_ladder_of_a_part_that_another_run_holds_against() -> None:
    import msgspec

    stage = Stage()
    seller = strategy(HEAD + 'ladder = ["500: 50%"]', ce="sell CE lots = 2")
    buyer = msgspec.structs.replace(strategy(HEAD, ce="buy CE lots = 2"), name="buyer")
    stage.start(seller, buyer)
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -130}, "the other would trade with it, and waits a moment"
    stage.settle(2)
    assert stage.held() == {}
    stage.price(CE, 90)
    assert stage.held() == {"24500 CE": 65}


@pytest.mark.parametrize(
    ("band", "safe", "out"),
    [
        ("24400..24600", 24_600, 24_600.05),
        ("1%", 24_744, 24_745),
        ("break-even", 24_698, 24_700),
    ],
)
def test_the_underlying_leaving_its_band_ends_the_run(band: str, safe: float, out: float) -> None:
    stage = begun(f'band = "{band}"')
    stage.settle(2)
    stage.price("NIFTY", safe)
    assert stage.held()
    stage.price("NIFTY", out)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "BAND"


def test_the_underlying_at_entry_and_the_break_evens_are_kept() -> None:
    stage = begun('band = "break-even"')
    assert stage.run().watch.index == 2_450_000
    assert stage.run().watch.break_evens == (2_430_020, 2_469_980)


def test_too_much_delta_ends_the_run() -> None:
    stage = begun('greeks = "delta 0.5"')
    both(stage, 100)
    assert stage.held()
    stage.settle(2)
    stage.market(2_480_000)
    stage.settle(1)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "GREEKS"


def test_unknown_greeks_are_told_and_end_nothing() -> None:
    stage = begun('greeks = "delta 0.5, gamma 0.5"')
    stage.quotes = {key: quote for key, quote in stage.quotes.items() if key in (CE, "NIFTY")}
    stage.settle(2)
    assert stage.held()
    assert "GUARD_BLIND" in stage.codes()


def test_premium_that_has_decayed_ends_the_run() -> None:
    stage = begun('greeks = "decayed 80%"')
    both(stage, 20.05)
    assert stage.held()
    both(stage, 19.95)
    assert stage.held() == {}


def test_an_edit_says_what_it_would_fire() -> None:
    stage = begun('stop = "4000"')
    both(stage, 115)
    with pytest.raises(Refusal) as refused:
        stage.edit("R1", strategy(HEAD + 'stop = "1000"', ce="sell CE", pe="sell PE"))
    assert refused.value.code == "WOULD_FIRE"
    stage.edit("R1", strategy(HEAD + 'stop = "3000"', ce="sell CE", pe="sell PE"))
    assert stage.held()
    both(stage, 124)
    assert stage.held() == {}


def test_an_unpriced_leg_is_told_and_no_rule_of_money_decides() -> None:
    stage = begun('stop = "1000"')
    stage.quotes.pop(PE)
    stage.settle(2)
    stage.price(CE, 150)
    assert stage.held()
    assert "GUARD_BLIND" in stage.codes()


def test_a_hand_ends_the_run_and_nothing_follows() -> None:
    from optconsole.engine import commands as cmd

    stage = begun('stop = "1000"\non_stop = "run x2"')
    stage.steer("R1", cmd.RunAction.EXIT)
    stage.settle(5)
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "MANUAL"
