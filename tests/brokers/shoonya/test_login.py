from __future__ import annotations

import json
from datetime import datetime

import pytest

from optconsole.brokers.shoonya.login import code_of, log_in, log_out, login_url
from optconsole.brokers.shoonya.settings import ShoonyaSettings
from optconsole.brokers.transport.gateway import Login
from optconsole.engine.clock import MarketClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import IST
from tests.brokers.shoonya.loopback import DEAD, Shoonya, settings, shoonya
from tests.brokers.shoonya.stage import NOW, Keys

GRANTED = {
    "request_time": "08:45:10 24-11-2026",
    "stat": "Ok",
    "access_token": "acc-demo",
    "refresh_token": "ref-demo",
    "susertoken": "sus-demo",
    "expires_in": "1795555800",
    "USERID": "FA1234",
    "actid": "FA1234",
    "uname": "DEMO USER",
}
SECRETS = {"api_key": "FA1234_U", "api_secret": "demo_secret"}


async def granted(house: Shoonya, pasted: str = "demo_code", reply: bytes | None = None, user: str = "") -> Login:
    house.answer("GenAcsTok", json.dumps(GRANTED).encode() if reply is None else reply)
    clock = MarketClock(NOW, 0.0)
    return await log_in(settings(house, user=user), Keys(**SECRETS), clock, lambda _question, _secret: pasted)


async def test_the_code_is_changed_for_a_token_as_published() -> None:
    async with shoonya() as house:
        login = await granted(house, "https://127.0.0.1/back?code=demo_code&state=x")
        (sent,) = house.asked("GenAcsTok")
        assert sent.body == (
            b'jData={"code":"demo_code","checksum":"a6e3bb6eab0ade021a8b2f4051c25f986aacb9511cef569b1f94143fe53da9f0"}'
        )
        assert "authorization" not in sent.headers
        assert {name: secret.reveal() for name, secret in login.secrets.items()} == {
            "access_token": "acc-demo",
            "user_id": "FA1234",
            "account_id": "FA1234",
        }
        assert login.user == "FA1234"
        assert "acc-demo" not in repr(login)


@pytest.mark.parametrize("stated", ["1795555800", "soon", None, "0", "99999999999999"])
async def test_a_token_is_taken_to_die_when_all_are_cleared_in_the_morning_at_the_latest(stated: str | None) -> None:
    async with shoonya() as house:
        login = await granted(house, reply=json.dumps({**GRANTED, "expires_in": stated}).encode())
        assert login.expires_at == datetime(2026, 11, 25, 3, 0, tzinfo=IST)


async def test_a_token_that_dies_earlier_dies_when_it_says() -> None:
    async with shoonya() as house:
        dies = datetime(2026, 11, 24, 18, 0, tzinfo=IST)
        login = await granted(house, reply=json.dumps({**GRANTED, "expires_in": str(int(dies.timestamp()))}).encode())
        assert login.expires_at == dies


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (b'{"stat":"Not_Ok","emsg":"Invalid Input : INVALID_VERIFIER"}', "LOGIN_REFUSED"),
        (b"<html>", "LOGIN_REFUSED"),
        (b'{"stat":"Not_Ok","emsg":"no such demo_code of demo_secret"}', "LOGIN_REFUSED"),
        (b'{"stat":"Ok"}', "LOGIN_REFUSED"),
        (b"[]", "LOGIN_REFUSED"),
    ],
)
async def test_a_login_without_a_token_is_refused_in_words(reply: bytes, code: str) -> None:
    async with shoonya() as house:
        with pytest.raises(Refusal) as refused:
            await granted(house, reply=reply)
        assert refused.value.code == code
        assert "demo" not in refused.value.text


async def test_a_broker_that_is_away_is_said_to_be_away() -> None:
    async with shoonya() as house:
        house.answer("GenAcsTok", b"<html>", status=502)
        with pytest.raises(Refusal) as refused:
            await log_in(settings(house), Keys(**SECRETS), MarketClock(NOW, 0.0), lambda _q, _s: "demo_code")
        assert refused.value.code == "LOGIN_UNREACHABLE"


async def test_the_login_of_another_user_is_refused() -> None:
    async with shoonya() as house:
        assert (await granted(house, user="fa1234")).user == "FA1234"
        with pytest.raises(Refusal) as refused:
            await granted(house, user="FA9999")
        assert refused.value.code == "WRONG_USER"


async def test_without_the_secret_code_nothing_is_asked() -> None:
    async with shoonya() as house:
        with pytest.raises(Refusal) as refused:
            await log_in(settings(house), Keys(api_key="FA1234_U"), MarketClock(NOW), lambda _q, _s: "x")
        assert refused.value.code == "SECRET_MISSING"
        assert house.requests == []


@pytest.mark.parametrize(
    "pasted",
    [
        "demo_code",
        " demo_code\n",
        "https://x.in/?code=demo_code",
        "http://127.0.0.1/shoonya?a=b&code=demo_code#frag",
        "code=demo_code",
    ],
)
def test_a_code_is_found_in_what_people_paste(pasted: str) -> None:
    assert code_of(pasted) == "demo_code"


@pytest.mark.parametrize(
    "pasted", ["", "https://x.in/?state=1", "two words", "https://x.in/?code=a&code=b", "http://[", "a\x1bbcdef"]
)
def test_what_holds_no_code_is_refused_without_repeating_it(pasted: str) -> None:
    with pytest.raises(Refusal) as refused:
        code_of(pasted)
    assert refused.value.code == "BAD_LOGIN_CODE"
    assert not pasted or pasted not in refused.value.text


def test_the_page_to_log_in_at_names_the_client_and_no_secret() -> None:
    assert login_url(ShoonyaSettings(), "FA1234_U").endswith("/login?api_key=FA1234_U&route_to=FA1234")


@pytest.mark.parametrize("reply", [b'{"stat":"Ok"}', DEAD])
async def test_a_logout_is_done_when_the_broker_says_so_or_knows_us_no_more(reply: bytes) -> None:
    async with shoonya() as house:
        house.answer("Logout", reply)
        await log_out(settings(house), Keys(), MarketClock(NOW))
        (sent,) = house.asked("Logout")
        assert sent.headers["authorization"] == "bearer acc-demo"
        assert sent.body == b'jData={"uid":"FA1234"}'


async def test_a_logout_that_is_not_confirmed_is_said_to_be_open() -> None:
    async with shoonya() as house:
        house.answer("Logout", b"<html>", status=502)
        with pytest.raises(Refusal) as refused:
            await log_out(settings(house), Keys(), MarketClock(NOW))
        assert refused.value.code == "LOGOUT_UNPROVEN"
