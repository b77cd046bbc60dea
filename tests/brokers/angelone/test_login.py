"""A day's login by PIN and authenticator, its renewal and its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from optconsole.brokers.angelone.login import dies_at, login, logout, renew
from optconsole.brokers.angelone.settings import AngelSettings
from optconsole.brokers.angelone.totp import totp, window_ends_in
from optconsole.brokers.rehearsal.wire import plain
from optconsole.engine.clock import MarketClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST, millis
from tests.brokers.angelone.peer import LIMITED, LOST, Bench, failure, success
from tests.brokers.angelone.stage import NOW, StageCredentials

LOGIN = "/rest/auth/angelbroking/user/v1/loginByPassword"
RENEW = "/rest/auth/angelbroking/jwt/v1/generateTokens"
LOGOUT = "/rest/secure/angelbroking/user/v1/logout"
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The key of RFC 6238's test vectors, 12345678901234567890, in base 32."""
TOKENS = success({"jwtToken": "Bearer J2", "refreshToken": "R2", "feedToken": "F2", "state": ""})


class Hurried:
    """A clock whose sleeps pass at once and move its time on."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._inner = MarketClock(now)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    found = Bench()
    await found.server.start()
    yield found
    await found.server.close()


def settings(bench: Bench) -> AngelSettings:
    return AngelSettings(rest_url=f"http://127.0.0.1:{bench.server.port}", budgets={}, deadline=2.0)


def typed(*answers: str) -> Callable[[str, bool], str]:
    left = list(answers)
    return lambda _question, _secret: left.pop(0)


def stored(**more: str) -> StageCredentials:
    return StageCredentials({"api_key": "demo_key", "client_code": "A1", **more})


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_codes_of_the_standard(seconds: int, code: str) -> None:
    assert totp(Secret(SEED), seconds) == code
    assert totp(Secret(" gezd-gnbv gy3t qojq gezd gnbv gy3t qojq "), seconds) == code


@pytest.mark.parametrize("seed", ["", "not base 32!", "1", "===="])
def test_a_seed_that_is_none_is_refused_without_showing_it(seed: str) -> None:
    with pytest.raises(Refusal) as refused:
        totp(Secret(seed), 0)
    assert refused.value.code == "BAD_SEED"


def test_tokens_die_at_midnight_in_india() -> None:
    assert dies_at(datetime(2026, 11, 24, 23, 59, tzinfo=IST)) == datetime(2026, 11, 25, tzinfo=IST)
    assert dies_at(datetime(2026, 11, 24, 0, 0, tzinfo=IST)) == datetime(2026, 11, 25, tzinfo=IST)


async def test_a_login_types_what_is_not_stored_and_gives_three_tokens(bench: Bench) -> None:
    bench.tell(LOGIN, TOKENS)
    done = await login(settings(bench), stored(), typed("1234", " 654321 "), MarketClock(NOW))
    assert bench.bodies(LOGIN) == [{"clientcode": "A1", "password": "1234", "totp": "654321"}]
    assert "authorization" not in bench.calls[0].headers
    assert {name: secret.reveal() for name, secret in done.secrets.items()} == {
        "access_token": "J2",
        "refresh_token": "R2",
        "feed_token": "F2",
    }
    assert (done.user, done.expires_at) == ("A1", datetime(2026, 11, 25, tzinfo=IST))


async def test_a_stored_seed_computes_the_code_and_asks_nothing(bench: Bench) -> None:
    bench.tell(LOGIN, TOKENS)
    await login(settings(bench), stored(pin="1234", totp_seed=SEED), typed(), Hurried(NOW))
    assert bench.bodies(LOGIN)[0]["totp"] == totp(Secret(SEED), millis(NOW) / 1000)


async def test_a_computed_code_that_came_too_late_is_tried_once_more_in_the_next_window(bench: Bench) -> None:
    bench.tell(LOGIN, failure("AB1050", "Invalid totp"), TOKENS)
    clock = Hurried(NOW + timedelta(seconds=29))
    await login(settings(bench), stored(pin="1234", totp_seed=SEED), typed(), clock)
    assert clock.slept == [window_ends_in(millis(NOW) / 1000 + 29) + 0.5]
    first, second = (body["totp"] for body in bench.bodies(LOGIN))
    assert first != second


@pytest.mark.parametrize(
    ("answer", "secrets", "calls"),
    [
        (failure("AB1050", "Invalid totp"), {"pin": "1234", "totp_seed": SEED}, 2),
        (failure("AB1050", "Invalid totp"), {"pin": "1234"}, 1),
        (failure("AB1007", "Invalid clientcode parameter name"), {"pin": "1", "totp_seed": SEED}, 1),
        (LIMITED, {"pin": "1", "totp_seed": SEED}, 1),
        (plain("<html>", 502), {"pin": "1", "totp_seed": SEED}, 1),
        (success({"jwtToken": "J"}), {"pin": "1", "totp_seed": SEED}, 1),
        (success(None), {"pin": "1", "totp_seed": SEED}, 1),
    ],
)
async def test_a_login_that_is_refused_says_so_and_never_tries_a_pin_again(
    bench: Bench, answer: Any, secrets: dict[str, str], calls: int
) -> None:
    bench.tell(LOGIN, answer)
    with pytest.raises(Refusal) as refused:
        await login(settings(bench), stored(**secrets), typed("654321"), Hurried(NOW))
    assert (refused.value.code, bench.count(LOGIN)) == ("LOGIN_REFUSED", calls)
    assert "1234" not in refused.value.text


async def test_a_login_nobody_answers_is_unreachable(bench: Bench) -> None:
    bench.tell(LOGIN, LOST)
    with pytest.raises(Refusal) as refused:
        await login(settings(bench), stored(pin="1", totp_seed=SEED), typed(), Hurried(NOW))
    assert refused.value.code == "LOGIN_UNREACHABLE"


async def test_without_an_api_key_nothing_is_asked(bench: Bench) -> None:
    with pytest.raises(Refusal) as refused:
        await login(settings(bench), StageCredentials({}), typed(), Hurried(NOW))
    assert refused.value.code == "NO_API_KEY"


async def test_tokens_are_renewed_with_the_old_ones(bench: Bench) -> None:
    bench.tell(RENEW, TOKENS)
    done = await renew(settings(bench), StageCredentials(), MarketClock(NOW))
    assert (bench.bodies(RENEW), bench.calls[0].headers["authorization"]) == ([{"refreshToken": "R.T"}], "Bearer J.W.T")
    assert (done.user, done.secrets["access_token"].reveal()) == ("A1", "J2")
    for answer in (failure("AB8051", "Refresh Token Expired"), LOST):
        bench.tell(RENEW, answer)
        with pytest.raises(Refusal):
            await renew(settings(bench), StageCredentials(), MarketClock(NOW))
    with pytest.raises(Refusal):
        await renew(settings(bench), stored(), MarketClock(NOW))


async def test_a_logout_names_the_client_and_an_unknown_token_is_logged_out_already(bench: Bench) -> None:
    bench.tell(LOGOUT, success(""))
    await logout(settings(bench), StageCredentials(), MarketClock(NOW))
    assert bench.bodies(LOGOUT) == [{"clientcode": "A1"}]
    bench.tell(LOGOUT, failure("AG8001"))
    await logout(settings(bench), StageCredentials(), MarketClock(NOW))
    await logout(settings(bench), stored(), MarketClock(NOW))
    for answer in (LIMITED, LOST):
        bench.tell(LOGOUT, answer)
        with pytest.raises(Refusal) as refused:
            await logout(settings(bench), StageCredentials(), MarketClock(NOW))
        assert refused.value.code == "LOGOUT_FAILED"
