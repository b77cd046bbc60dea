"""What the vitals say of a broker: its own word, or worse where our own requests know better."""

from __future__ import annotations

import pytest

from optconsole.engine.model.health import AccountHealth
from optconsole.engine.model.vitals import BrokerVitals, LinkState
from optconsole.engine.reading import with_health
from optconsole.engine.rules.pretrade import BOOK_OLD


def broker(state: LinkState = LinkState.LIVE) -> BrokerVitals:
    return BrokerVitals(name="zed", quotes=LinkState.LIVE, order_read=state, order_write=state)


@pytest.mark.parametrize(
    ("health", "read", "write"),
    [
        (AccountHealth(), LinkState.LIVE, LinkState.LIVE),
        (AccountHealth(book_age=BOOK_OLD + 1), LinkState.DEAD, LinkState.LIVE),
        (AccountHealth(book_age=None), LinkState.DEAD, LinkState.LIVE),
        (AccountHealth(refusing_for=4.0, failures=3), LinkState.LIVE, LinkState.STALE),
        (AccountHealth(lost="token expired"), LinkState.DEAD, LinkState.DEAD),
    ],
)
def test_a_capability_is_worse_where_our_requests_say_so(
    health: AccountHealth, read: LinkState, write: LinkState
) -> None:
    seen = with_health(broker(), "Z1", health)
    assert (seen.order_read, seen.order_write) == (read, write)
    assert (seen.account, seen.book_age, seen.refusing_for) == ("Z1", health.book_age, health.refusing_for)
    assert (seen.failures, seen.lost) == (health.failures, health.lost)


def test_what_the_broker_itself_calls_closed_stays_closed() -> None:
    seen = with_health(broker(LinkState.CLOSED), "Z1", AccountHealth(book_age=None, refusing_for=9.0))
    assert (seen.order_read, seen.order_write) == (LinkState.CLOSED, LinkState.CLOSED)
