"""One request to a broker: sent once, over a verified connection, within a deadline, with an answer or a cause.

Nothing here repeats a request, follows a redirect or reads the environment's proxies. What only reads the market may
ask again through ``read``; orders and books are repeated by the engine, which knows what that means.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from optconsole.brokers.transport.pace import Budget, Pace
from optconsole.brokers.transport.tls import checked, trust
from optconsole.engine.clock import Clock, seeded
from optconsole.engine.model.text import display

DEADLINE: Final = 8.0
CONNECT_DEADLINE: Final = 4.0
TRIES: Final = 3
LONGEST_PAUSE: Final = 8.0
KEPT: Final = 100
MOST_BYTES: Final = 96 * 1024 * 1024
"""The largest instrument file is half of this; what is larger is no answer."""
ANY_IPV4: Final = "0.0.0.0"  # noqa: S104 - where a connection leaves from, not where one listens


class Unanswered(Exception):
    """No whole answer came. ``sent`` is False only where no byte of the request left: nothing can have happened."""

    def __init__(self, cause: str, sent: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, unread. ``headers`` are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def text(self, limit: int = 200) -> str:
        """The beginning of the body, safe to show."""
        return display(self.body[: limit * 4].decode("utf-8", "replace").strip(), limit)


class RestClient:
    """One broker's REST address. Raises Refusal(PLAIN_TEXT | BAD_URL | BAD_ROOTS).

    ``budgets`` are calls allowed by bucket; a call of a bucket waits for its turn. Connections leave over IPv4, since
    brokers register the address that orders come from.
    """

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        deadline: float = DEADLINE,
        budgets: Mapping[str, Budget | tuple[Budget, ...]] | None = None,
        roots: Path | None = None,
    ) -> None:
        self._base = checked(base_url).rstrip("/")
        self._clock = clock
        self._deadline = deadline
        self._paces = {
            bucket: Pace(clock, *(each if isinstance(each, tuple) else (each,)))
            for bucket, each in (budgets or {}).items()
        }
        self._jitter = seeded(f"rest {base_url}")
        self._latencies: deque[float] = deque(maxlen=KEPT)
        limits = httpx.Limits(max_connections=16, max_keepalive_connections=8, keepalive_expiry=30.0)
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(verify=trust(roots), local_address=ANY_IPV4, retries=0, limits=limits),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "optconsole", "Accept-Encoding": "gzip"},
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        bucket: str = "",
        params: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        timed: bool = False,
    ) -> Reply:
        """Send once and wait for the whole answer. Raises Unanswered; cancelling it leaves the outcome unknown.

        ``path`` may be a whole URL of another host that serves files. ``timed`` counts it among the order calls.
        """
        if bucket in self._paces:
            await self._paces[bucket].turn()
        url = checked(path) if "://" in path else f"{self._base}{path}"
        request = self._client.build_request(
            method, url, params=params, data=form, json=json, content=content, headers=headers
        )
        traced = _Traced()
        request.extensions["trace"] = traced
        limit = self._deadline if deadline is None else deadline
        request.extensions["timeout"] = httpx.Timeout(limit, connect=min(limit, CONNECT_DEADLINE)).as_dict()
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(limit):
                reply = await self._exchange(request)
        except TimeoutError:
            raise Unanswered(f"no answer within {limit:g} s", traced.sent) from None
        except httpx.HTTPError as error:
            raise Unanswered(_cause(error), traced.sent) from None
        if timed:
            self._latencies.append((self._clock.monotonic() - began) * 1000)
        return reply

    async def _exchange(self, request: httpx.Request) -> Reply:
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    raise httpx.ReadError("the answer is larger than any that could be meant")
        finally:
            await response.aclose()
        found = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, found, bytes(body))

    async def read(self, method: str, path: str, *, tries: int = TRIES, **words: Any) -> Reply:
        """``call`` for what changes nothing: asked again where no answer or a passing failure came.

        Raises Unanswered after the last try; a last reply of 429 or 5xx is given as it is.
        """
        reply: Reply | None = None
        again = AsyncRetrying(
            stop=stop_after_attempt(tries),
            wait=self._pause,
            retry=retry_if_exception(lambda error: isinstance(error, (Unanswered, _Passing))),
            sleep=self._clock.sleep,
            reraise=True,
        )
        try:
            async for attempt in again:
                with attempt:
                    reply = await self.call(method, path, **words)
                    if reply.status == httpx.codes.TOO_MANY_REQUESTS or reply.status >= 500:
                        raise _Passing
        except _Passing:
            pass  # the last answer is the caller's to read
        assert reply is not None
        return reply

    def _pause(self, attempt: RetryCallState) -> float:
        return self._jitter.uniform(0, min(LONGEST_PAUSE, 0.5 * 2.0**attempt.attempt_number))

    def latencies(self) -> tuple[float, float] | None:
        """Median and 99th percentile in milliseconds of the last timed calls; None before the first."""
        if not self._latencies:
            return None
        ordered = sorted(self._latencies)
        return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]

    async def close(self) -> None:
        await self._client.aclose()


class _Passing(Exception):
    """An answer that another try may better."""


class _Traced:
    """Whether a connection stood when a request failed, told by the transport itself."""

    def __init__(self) -> None:
        self.sent = False

    async def __call__(self, event: str, _info: Mapping[str, Any]) -> None:
        # from the first byte of the request on, anything may have happened; a handshake is none
        if event.endswith("send_request_headers.started"):
            self.sent = True


def _cause(error: httpx.HTTPError) -> str:
    """What went wrong in words of ours, without the URL that some errors quote."""
    known: dict[type[httpx.HTTPError], str] = {
        httpx.ConnectTimeout: "no connection in time",
        httpx.ConnectError: "no connection",
        httpx.ReadTimeout: "no answer in time",
        httpx.WriteTimeout: "the request could not be sent in time",
        httpx.PoolTimeout: "every connection was busy",
        httpx.RemoteProtocolError: "the answer broke off or was no HTTP",
        httpx.ReadError: "the connection broke while reading",
        httpx.WriteError: "the connection broke while sending",
        httpx.DecodingError: "the answer could not be decompressed",
    }
    kind = known.get(type(error), type(error).__name__)
    said = display(str(error), 120)
    return f"{kind} ({said})" if isinstance(error, httpx.ConnectError) and said else kind
