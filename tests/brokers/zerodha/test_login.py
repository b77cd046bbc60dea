"""Logging in by paste, over real loopback HTTP: nothing secret leaves but where the broker wants it."""

from __future__ import annotations

from datetime import datetime

import pytest

from optconsole.brokers.zerodha.login import expiry, log_in, log_out, login_url, request_token
from optconsole.brokers.zerodha.settings import KiteSettings
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import IST
from tests.brokers.zerodha.loopback import Kite, Vault, error, good, kite, settings_of

GIVEN = {"user_id": "AB1234", "access_token": "fresh_access", "refresh_token": "", "login_time": "2026-11-24 08:31:00"}
PASTED = "https://127.0.0.1/back?action=login&type=login&status=success&request_token=demo_request_token"


class Person:
    """Answers every question alike and keeps them."""

    def __init__(self, answer: str = PASTED) -> None:
        self.answer = answer
        self.asked: list[tuple[str, bool]] = []

    def __call__(self, question: str, secret: bool) -> str:
        self.asked.append((question, secret))
        return self.answer


def vault(**more: str) -> Vault:
    return Vault(api_key="demo_api_key", api_secret="demo_secret", **more)


def ready(server: Kite) -> None:
    server.answers["POST /session/token"] = good(GIVEN)


async def test_a_pasted_address_becomes_a_login_until_six() -> None:
    async with kite() as server:
        ready(server)
        person = Person()
        login = await log_in(settings_of(server), vault(), WallClock(), person)
        assert login.user == "AB1234"
        assert {name: secret.reveal() for name, secret in login.secrets.items()} == {"access_token": "fresh_access"}
        assert (login.expires_at.hour, login.expires_at.minute) == (6, 0)
        (asked,) = server.calls("POST", "/session/token")
        assert asked.form == {
            "api_key": "demo_api_key",
            "request_token": "demo_request_token",
            "checksum": "ab3ec266127b914240219ce7c234276e000d066a32c1d64625416c470b698024",
        }
        assert "authorization" not in asked.headers
        (proof,) = server.calls("GET", "/user/profile")
        assert proof.headers["authorization"] == "token demo_api_key:fresh_access"
        ((question, secret),) = person.asked
        assert secret
        assert "https://kite.zerodha.com/connect/login?v=3&api_key=demo_api_key" in question
        assert "demo_secret" not in question


@pytest.mark.parametrize(
    "pasted", ["demo_request_token", "  demo_request_token\n", PASTED, PASTED.partition("?")[2], PASTED + "&x=1#top"]
)
def test_the_token_is_found_in_whatever_was_copied(pasted: str) -> None:
    assert request_token(pasted).reveal() == "demo_request_token"


@pytest.mark.parametrize(
    "pasted",
    ["", "short", "https://127.0.0.1/back?status=error", "two words", PASTED.replace("success", "error"), "x" * 500],
)
async def test_what_holds_no_token_is_refused_before_anything_is_sent(pasted: str) -> None:
    async with kite() as server:
        with pytest.raises(Refusal) as refused:
            await log_in(settings_of(server), vault(), WallClock(), Person(pasted))
        assert refused.value.code == "BAD_REQUEST_TOKEN"
        assert pasted not in refused.value.text or not pasted
        assert server.asked == []


@pytest.mark.parametrize(
    ("path", "answer", "code"),
    [
        ("POST /session/token", error(403, "TokenException", "Token is invalid or has expired."), "LOGIN_REFUSED"),
        ("POST /session/token", (502, b"<html>"), "LOGIN_UNREACHABLE"),
        ("POST /session/token", good({"user_id": "AB1234"}), "LOGIN_UNREACHABLE"),
        ("GET /user/profile", error(403, "TokenException", "Incorrect"), "LOGIN_REFUSED"),
        ("GET /user/profile", good({"user_id": "ZZ9999"}), "LOGIN_REFUSED"),
    ],
)
async def test_a_login_that_does_not_hold_is_none(path: str, answer: tuple[int, bytes], code: str) -> None:
    async with kite() as server:
        ready(server)
        server.answers[path] = answer
        with pytest.raises(Refusal) as refused:
            await log_in(settings_of(server), vault(), WallClock(), Person())
        assert refused.value.code == code
        for secret in ("demo_secret", "demo_request_token", "fresh_access"):
            assert secret not in str(refused.value)
        assert len(server.calls("POST", "/session/token")) == 1


async def test_without_the_apps_secret_nobody_is_asked_anything() -> None:
    async with kite() as server:
        person = Person()
        with pytest.raises(Refusal) as refused:
            await log_in(settings_of(server), Vault(api_key="demo_api_key"), WallClock(), person)
        assert refused.value.code == "NO_API_KEY"
        assert person.asked == []


@pytest.mark.parametrize(
    ("now", "dies"),
    [
        ("2026-11-24T08:30", "2026-11-25T06:00"),
        ("2026-11-24T05:59", "2026-11-24T06:00"),
        ("2026-11-24T06:00", "2026-11-25T06:00"),
        ("2026-11-30T23:59", "2026-12-01T06:00"),
    ],
)
def test_a_token_dies_at_the_next_six_in_india(now: str, dies: str) -> None:
    assert expiry(datetime.fromisoformat(now).replace(tzinfo=IST)) == datetime.fromisoformat(dies).replace(tzinfo=IST)


async def test_logging_out_ends_the_token_at_the_broker() -> None:
    async with kite() as server:
        settings, secrets = settings_of(server), vault(access_token="demo_access")
        server.answers["DELETE /session/token"] = good(True)
        assert await log_out(settings, secrets, WallClock())
        (asked,) = server.calls("DELETE", "/session/token")
        assert asked.query == {"api_key": ["demo_api_key"], "access_token": ["demo_access"]}
        server.answers["DELETE /session/token"] = error(403, "TokenException", "Incorrect")
        assert await log_out(settings, secrets, WallClock())
        server.answers["DELETE /session/token"] = (502, b"<html>")
        assert not await log_out(settings, secrets, WallClock())
        assert await log_out(settings, vault(), WallClock())


def test_a_key_with_odd_characters_stays_one_parameter() -> None:
    assert login_url(KiteSettings(), "a&b=c").endswith("?v=3&api_key=a%26b%3Dc")
