"""OAuth as documented, and every way in which a login dies."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.brokers.rehearsal.noren.hazards import Hazards
from optconsole.brokers.rehearsal.noren.logins import Client, checksum, death_after
from optconsole.engine.model.timeline import IST
from tests.brokers.rehearsal.noren.stage import Noren, ears

DEAD = "Session Expired : Invalid Session Key"


def test_the_checksum_is_the_published_example_s() -> None:
    client = Client(client_id="FA1234_U", secret="demo_secret")
    assert checksum(client, "demo_code") == "a6e3bb6eab0ade021a8b2f4051c25f986aacb9511cef569b1f94143fe53da9f0"


@given(st.integers(0, 365 * 86_400))
def test_a_token_dies_at_the_next_time_between_three_and_six(second: int) -> None:
    given_at = datetime(2026, 1, 1, tzinfo=IST) + timedelta(seconds=second)
    death = death_after(given_at)
    assert timedelta() < death - given_at <= timedelta(days=1, hours=3)
    assert time(3) <= death.time() < time(6)


async def code_of(noren: Noren) -> str:
    page = await noren.http.get("/OAuthlogin/investor-entry-level/login?api_key=FA1234_U&route_to=FA1234")
    assert page.status_code == 302
    return httpx.URL(page.headers["location"]).params["code"]


async def test_a_code_from_the_page_buys_one_token(noren: Noren) -> None:
    code = await code_of(noren)
    proof = {"code": code, "checksum": checksum(noren.dialect.client, code)}
    granted = await noren.raw("GenAcsTok", f"jData={json.dumps(proof)}", token="")
    assert (granted["stat"], granted["USERID"], granted["actid"]) == ("Ok", "FA1234", "FA1234")
    noren.token = granted["access_token"]
    assert (await noren.call("UserDetails"))["stat"] == "Ok"
    again = await noren.raw("GenAcsTok", f"jData={json.dumps(proof)}", token="")
    assert again["emsg"] == "Invalid Input : INVALID_VERIFIER"


async def test_a_wrong_checksum_spends_the_code(noren: Noren) -> None:
    code = await code_of(noren)
    for proof in ("0" * 64, checksum(noren.dialect.client, code)):
        answer = await noren.raw("GenAcsTok", f'jData={{"code":"{code}","checksum":"{proof}"}}', token="")
        assert answer["emsg"] == "Invalid Input : INVALID_VERIFIER"


async def test_the_page_knows_only_its_client(noren: Noren) -> None:
    page = await noren.http.get("/OAuthlogin/authorize/oauth?client_id=SOMEBODY_U")
    assert "Access Restricted" in page.text


@pytest.mark.parametrize("token", ["", "acc-wrong"])
async def test_without_a_living_token_every_call_says_session_expired(noren: Noren, token: str) -> None:
    answer = await noren.raw("OrderBook", 'jData={"uid":"FA1234"}', token=token)
    assert (answer["stat"], answer["emsg"]) == ("Not_Ok", DEAD)


async def test_a_dead_session_may_answer_403(noren: Noren) -> None:
    noren.dialect.hazards = Hazards(dead_status=403)
    await noren.raw("OrderBook", 'jData={"uid":"FA1234"}', token="acc-wrong")
    assert noren.status == 403


async def test_logout_kills_the_token(noren: Noren) -> None:
    assert (await noren.call("Logout"))["stat"] == "Ok"
    assert (await noren.call("OrderBook"))["emsg"] == DEAD


async def test_the_night_kills_every_token(noren: Noren) -> None:
    assert (await noren.call("UserDetails"))["stat"] == "Ok"
    await noren.served.market.advance(20 * 3600)
    assert (await noren.call("OrderBook"))["emsg"] == DEAD
    refused = await ears(noren, login=False)
    assert (await refused.connect(noren.token))["s"].upper() == "NOT_OK"
    await refused.socket.close()


async def test_a_rollover_ends_the_streams_too(noren: Noren) -> None:
    stream = await ears(noren)
    noren.served.plan.add(decode_faults(b'[{"verb":"auth.rollover","nth":1}]'))
    assert (await noren.call("OrderBook"))["emsg"] == DEAD
    with pytest.raises(ConnectionClosed):
        await stream.next()


async def test_a_revoked_login_keeps_its_stream_and_may_not_open_another(noren: Noren) -> None:
    stream = await ears(noren)
    noren.served.plan.add(decode_faults(b'[{"verb":"auth.revoke","nth":1}]'))
    assert (await noren.call("OrderBook"))["emsg"] == DEAD
    await stream.say(t="t", k="NSE|26000")
    assert (await stream.next())["t"] == "tk"
    second = await ears(noren, login=False)
    assert (await second.connect(noren.token))["s"].upper() == "NOT_OK"
    for each in (stream, second):
        await each.socket.close()


async def test_the_old_hosts_are_gone(noren: Noren) -> None:
    answer = await noren.http.post("/NorenWClientTP/QuickAuth", content="jData={}")
    assert answer.status_code == 502
    assert "<html>" in answer.text
