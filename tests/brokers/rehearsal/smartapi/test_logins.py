"""Logins, tokens and their deaths, headers, and the budgets of calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.rehearsal.smartapi import totp
from optconsole.brokers.rehearsal.smartapi.dialect import SmartApi
from optconsole.brokers.rehearsal.smartapi.limits import CAPS, Limits
from tests.brokers.paper.stage import at
from tests.brokers.rehearsal.smartapi.trader import ORDER, USER, Wire

LOGIN = "/rest/auth/angelbroking/user/v1/loginByPassword"
TOKENS = "/rest/auth/angelbroking/jwt/v1/generateTokens"
DEAD = {"AG8001", "AG8002", "AG8003"}


def credentials(served: Served, **changes: str) -> dict[str, str]:
    given = served.credentials
    code = totp.code(given["totp_seed"], at("12:00"))
    return {"clientcode": given["client_code"], "password": given["pin"], "totp": code, "state": "s"} | changes


@pytest.mark.parametrize(("seconds", "expected"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_the_codes_of_the_rfc(seconds: int, expected: str) -> None:
    assert totp.code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", datetime.fromtimestamp(seconds, UTC)) == expected


def test_a_code_is_good_for_the_half_minutes_beside_it() -> None:
    seed, now = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at("12:00")
    codes = [totp.code(seed, now, step) for step in (-2, -1, 0, 1, 2)]
    assert [totp.matches(seed, code, now) for code in codes] == [False, True, True, True, False]


async def test_a_login_gives_three_tokens_that_work(wire: Wire, served: Served) -> None:
    del wire.headers["Authorization"]
    said = await wire.post(LOGIN, credentials(served))
    assert set(said["data"]) == {"jwtToken", "refreshToken", "feedToken", "state"}
    wire.headers["Authorization"] = "Bearer " + said["data"]["jwtToken"]
    profile = (await wire.get(USER + "getProfile"))["data"]
    assert profile["clientcode"] == served.credentials["client_code"]
    assert "NFO" in profile["exchanges"]


@pytest.mark.parametrize(
    ("wrong", "code"), [({"clientcode": "X"}, "AB1031"), ({"password": "x"}, "AB1000"), ({"totp": "1"}, "AB1050")]
)
async def test_wrong_credentials_have_codes_of_their_own(
    wire: Wire, served: Served, wrong: dict[str, str], code: str
) -> None:
    assert (await wire.post(LOGIN, credentials(served, **wrong)))["errorcode"] == code


async def test_a_renewal_ends_the_tokens_before_it(wire: Wire, served: Served) -> None:
    renewed = (await wire.post(TOKENS, {"refreshToken": served.credentials["refresh_token"]}))["data"]
    assert (await wire.get(USER + "getRMS"))["errorCode"] == "AG8002"
    wire.headers["Authorization"] = "Bearer " + renewed["jwtToken"]
    assert (await wire.get(USER + "getRMS"))["status"] is True
    assert (await wire.post(TOKENS, {"refreshToken": "x"}))["errorcode"] == "AB8050"


async def test_a_logout_and_a_missing_or_forged_token_are_the_gateways_refusals(wire: Wire, served: Served) -> None:
    code = served.credentials["client_code"]
    assert (await wire.post(USER + "logout", {"clientcode": code}))["data"] == ""
    said = await wire.get(USER + "getRMS")
    assert (said["success"], said["errorCode"], said["data"]) == (False, "AG8001", "")
    del wire.headers["Authorization"]
    assert (await wire.get(USER + "getRMS"))["errorCode"] == "AG8003"


async def test_tokens_die_at_midnight_and_the_sockets_with_them(wire: Wire, market: Market) -> None:
    midnight = (market.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    market.clock.set(midnight - timedelta(seconds=1), speed=0.0)
    assert (await wire.get(USER + "getRMS"))["status"] is True
    market.clock.set(midnight)
    assert (await wire.get(USER + "getRMS"))["errorCode"] == "AG8002"


async def test_a_revoked_login_is_refused_until_the_next_one(wire: Wire, served: Served) -> None:
    served.plan.add(decode_faults(b'[{"verb":"auth.revoke","op":"book","nth":1}]'))
    assert (await wire.get(ORDER + "getOrderBook"))["errorCode"] in DEAD
    wire.headers["Authorization"] = "Bearer " + served.dialect.login()["access_token"]
    assert (await wire.get(ORDER + "getOrderBook"))["status"] is True


async def test_every_header_must_be_there_and_the_key_must_be_right(wire: Wire) -> None:
    wire.headers["X-PrivateKey"] = "other"
    assert (await wire.get(USER + "getRMS"))["errorCode"] == "AG8004"
    del wire.headers["X-MACAddress"]
    assert "x-macaddress" in (await wire.get(USER + "getRMS"))["message"]


async def test_what_is_not_served_is_a_page(wire: Wire) -> None:
    answer = await wire.send("GET", ORDER + "placeOrder")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html")


async def test_a_query_on_a_get_is_ignored(wire: Wire) -> None:
    assert (await wire.get(ORDER + "getOrderBook?%7B%7D"))["status"] is True


class Hand:
    """A machine's second that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_orders_of_all_kinds_share_nine_a_second_and_a_window_that_slides() -> None:
    hand = Hand()
    limits = Limits(hand)
    assert [limits.allows("orders") for _each in range(10)] == [True] * 9 + [False]
    hand.at += 0.9
    assert not limits.allows("orders")
    hand.at += 0.2
    assert limits.allows("orders")


def test_a_spent_minute_blocks_the_rest_of_it() -> None:
    hand = Hand()
    limits = Limits(hand, {"candles": ((3, 1.0), (4, 60.0))})
    assert [limits.allows("candles") for _each in range(4)] == [True, True, True, False]
    hand.at += 1.0
    assert [limits.allows("candles") for _each in range(2)] == [True, False]
    hand.at += 58.9
    assert not limits.allows("candles")
    hand.at += 0.2
    assert limits.allows("candles")


@pytest.fixture
async def limited(market: Market) -> AsyncIterator[Wire]:
    served = await serve(SmartApi(market, caps=CAPS), market)
    async with httpx.AsyncClient(base_url=served.url, trust_env=False) as http:
        yield Wire(served, http)
    await served.close()


async def test_one_call_too_many_is_answered_in_plain_text(limited: Wire) -> None:
    answers = [await limited.send("GET", ORDER + "getOrderBook") for _each in range(2)]
    assert answers[0].status_code == 200
    assert (answers[1].status_code, answers[1].text) == (403, "Access denied because of exceeding access rate")
    assert (await limited.get(ORDER + "getTradeBook"))["status"] is True
