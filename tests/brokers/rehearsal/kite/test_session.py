"""Kite's login, token death and rate limits."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from optconsole.brokers.rehearsal.kite.limits import Limits
from optconsole.brokers.rehearsal.kite.sessions import checksum
from optconsole.brokers.rehearsal.kite.wire import KiteSettings, open_kite
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.serve import serve
from tests.brokers.rehearsal.kite.conftest import Desk


async def request_token(desk: Desk) -> str:
    login = desk.served.credentials
    page = await desk.http.get(
        "/connect/login", params={"v": 3, "api_key": login["api_key"], "redirect_params": "state=a%26b"}
    )
    assert page.status_code == 302
    query = parse_qs(urlsplit(page.headers["location"]).query)
    assert (query["status"], query["state"]) == (["success"], ["a&b"])
    return query["request_token"][0]


async def exchanged(desk: Desk, token: str, signed: str) -> httpx.Response:
    form = {"api_key": desk.served.credentials["api_key"], "request_token": token, "checksum": signed}
    return await desk.http.post("/session/token", data=form)


def test_the_checksum_is_the_documented_one() -> None:
    expected = "ab3ec266127b914240219ce7c234276e000d066a32c1d64625416c470b698024"
    assert checksum("demo_api_key", "demo_request_token", "demo_secret") == expected


async def test_a_request_token_buys_one_login_and_the_old_one_dies(desk: Desk) -> None:
    login, token = desk.served.credentials, await request_token(desk)
    signed = sha256((login["api_key"] + token + login["api_secret"]).encode()).hexdigest()
    session = (await exchanged(desk, token, signed)).json()["data"]
    assert session["user_id"] == login["user_id"]
    assert (await desk.http.get("/orders")).status_code == 403
    new = {"Authorization": f"token {login['api_key']}:{session['access_token']}"}
    assert (await desk.http.get("/orders", headers=new)).status_code == 200
    again = await exchanged(desk, token, signed)
    assert (again.status_code, again.json()["error_type"]) == (403, "TokenException")


async def test_a_wrong_checksum_is_refused(desk: Desk) -> None:
    answer = await exchanged(desk, await request_token(desk), "0" * 64)
    assert (answer.status_code, answer.json()["error_type"]) == (403, "TokenException")


async def test_the_token_dies_at_six_in_the_morning_on_both_wires(desk: Desk) -> None:
    await desk.market.advance(19 * 3600)
    assert (await desk.http.get("/orders")).status_code == 200
    await desk.market.advance(3600)
    answer = await desk.http.get("/orders")
    assert (answer.status_code, answer.json()["message"]) == (403, "Incorrect `api_key` or `access_token`.")
    login = desk.served.credentials
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{desk.served.ws_url}?api_key={login['api_key']}&access_token={login['access_token']}")
    assert refused.value.response.status_code == 403


async def test_logging_out_ends_the_token(desk: Desk) -> None:
    login = desk.served.credentials
    query = {"api_key": login["api_key"], "access_token": login["access_token"]}
    assert (await desk.http.delete("/session/token", params=query)).json()["data"] is True
    assert (await desk.http.get("/user/profile")).status_code == 403


async def test_each_kind_of_call_has_its_own_limit(market: Market) -> None:
    kite = await open_kite(market, KiteSettings(limits=Limits(quote=1, others=3)))
    served = await serve(kite, market)
    login = served.credentials
    headers = {"Authorization": f"token {login['api_key']}:{login['access_token']}"}
    async with httpx.AsyncClient(base_url=served.url, headers=headers, trust_env=False) as http:
        assert [(await http.get("/quote/ltp")).status_code for _ in range(2)] == [200, 429]
        answers = [await http.get("/orders") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].json()["error_type"] == "NetworkException"
    await served.close()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("PATCH", "/orders", 405), ("DELETE", "/orders", 405)]
)
async def test_what_is_no_route_is_an_error_in_kite_s_envelope(desk: Desk, method: str, path: str, status: int) -> None:
    answer = await desk.http.request(method, path)
    assert answer.status_code == status
    assert answer.json()["status"] == "error"
