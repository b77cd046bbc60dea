"""Accounts that belong together are limited together."""

from __future__ import annotations

from datetime import datetime

import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import Level, Limit, LimitAction, LimitKind, Standing
from optconsole.engine.model.orders import OrderTerms, OrderType, Side
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.exposure import groups_of
from optconsole.engine.rules.limit_terms import checked
from optconsole.engine.rules.limits import Usage, capital, day_profit, restriction
from optconsole.engine.trading.limit_actions import consequences
from tests.engine.facts import Story

CALL = "NIFTY 25NOV26 24500 CE"


def family() -> Story:
    """Two accounts of one group and one outside it; each of the three bought a lot at 100 rupees."""
    story = Story()
    for name, group in (("mother", "family"), ("father", "family"), ("client", "pms")):
        story.tell(
            ev.AccountOpened(
                account=Account(id=name, broker="zerodha", mode=Mode.LIVE, capital=10_00_000_00, group=group)
            )
        )
        terms = OrderTerms(account=name, contract=CALL, side=Side.BUY, qty=65, type=OrderType.LIMIT, price=100_00)
        story.fill(story.order(terms, tag=f"TAG{name}"), 65, 100_00, f"T{name}")
    return story


def mark(_contract: str) -> int:
    return 90_00


def test_a_group_s_profit_and_capital_are_those_of_its_accounts_together() -> None:
    state = family().state
    assert groups_of(state) == {"family", "pms"}
    assert day_profit(state, Level.GROUP, "family", mark) == (2 * 65 * -10_00, "")
    assert day_profit(state, Level.GROUP, "pms", mark) == (65 * -10_00, "")
    assert capital(state, Level.GROUP, "family") == 20_00_000_00


def test_a_group_that_may_only_reduce_restrains_its_accounts_and_no_other() -> None:
    story = family()
    story.tell(ev.TradingStateChanged(level=Level.GROUP, name="family", standing=Standing.REDUCING, why="a loss"))
    held = restriction(story.state, "mother", CALL, "")
    assert held is not None
    assert held.standing is Standing.REDUCING
    assert restriction(story.state, "client", CALL, "") is None


def test_reaching_a_group_s_limit_closes_every_account_of_it() -> None:
    limit = Limit(
        level=Level.GROUP, name="family", kind=LimitKind.MAX_LOSS, value=1_000_00, action=LimitAction.EXIT_SCOPE
    )
    told = consequences(
        family().state, limit, Usage(1_300_00, 130.0, broken=True), datetime(2026, 11, 23, 11, tzinfo=IST)
    )
    wishes = [fact for fact in told if isinstance(fact, ev.FlattenBegun)]
    assert [(wish.kind, wish.name, wish.why) for wish in wishes] == [
        ("account", "father", "GROUP_LIMIT"),
        ("account", "mother", "GROUP_LIMIT"),
    ]
    assert len({wish.flatten_id for wish in wishes}) == 2


def test_a_limit_of_a_group_that_no_account_is_in_is_refused_with_those_that_are_known() -> None:
    limit = Limit(level=Level.GROUP, name="famly", kind=LimitKind.MAX_LOSS, value=1_000_00)
    with pytest.raises(Refusal, match=r"known: family, pms") as refused:
        checked(limit, ["mother"], {"family", "pms"})
    assert refused.value.code == "UNKNOWN_GROUP"
