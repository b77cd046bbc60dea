"""OE-3: a refusal over a circuit limit says which band was meant, and what would pass."""

from __future__ import annotations

import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import Rejected
from optconsole.engine.trading import outcomes
from optconsole.engine.trading.band_words import in_words
from optconsole.engine.trading.decision import Decision
from tests.engine.facts import Story, option, terms


def refused(reason: str, code: str = "RMS", reference: int | None = 100_00) -> Decision:
    story = Story()
    order = story.order(terms(Side.BUY, price=150_00), acknowledged=False)
    decision = outcomes.placed(story.state, "zerodha", order, Rejected(code, reason))
    return in_words(story.state, decision, lambda _name: option(), lambda _name: reference)


@pytest.mark.parametrize(
    "reason",
    [
        "RMS: Order price is beyond LPP limit.",
        "Your order price is higher than the current upper circuit limit of 139.95.",
        "16283 : ORDER REJECTED: PRICE OUT OF PRICE BAND",
    ],
)
def test_it_is_told_with_our_band_after_the_broker_s_own_words(reason: str) -> None:
    fact, notice = refused(reason).facts
    assert isinstance(fact, ev.OrderRejected)
    assert isinstance(notice, ev.NoticeRaised)
    assert fact.reason.startswith(reason)
    assert "60.00 to 140.00 around 100.00 here; the limit was 150.00 and at most 140.00 passes" in fact.reason
    assert notice.text == f"O1 was rejected: {fact.reason}"


@pytest.mark.parametrize(("reason", "reference"), [("RMS: Margin exceeds", 100_00), ("beyond LPP limit", None)])
def test_other_refusals_and_a_band_we_do_not_know_are_told_as_they_came(reason: str, reference: int | None) -> None:
    fact = refused(reason, reference=reference).facts[0]
    assert isinstance(fact, ev.OrderRejected)
    assert fact.reason == reason


def test_a_code_alone_is_enough_for_an_adapter_that_knows_the_exchange() -> None:
    fact = refused("price refused", "LPP").facts[0]
    assert isinstance(fact, ev.OrderRejected)
    assert "limit price protection" in fact.reason
