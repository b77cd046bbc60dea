"""What passes between a client and a rehearsed broker over HTTP: requests, answers, and the manner of answering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl

import msgspec


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole. Header names are lower case; ``query`` and forms keep repeated keys, in order."""

    method: str
    target: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    client: str
    """The address it came from."""

    def asked(self, name: str, otherwise: str = "") -> str:
        """The last value of a query key."""
        return dict(self.query).get(name, otherwise)

    def all(self, name: str) -> list[str]:
        """Every value of a repeated query key."""
        return [value for key, value in self.query if key == name]

    def form(self) -> dict[str, str]:
        """The body as an urlencoded form; empty for a body of another kind."""
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        except UnicodeDecodeError:
            return {}


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer leaves, for faults. The default is as it should.

    ``wait`` seconds pass before its first byte; ``gap`` seconds between any two bytes; after ``cut`` bytes of the body
    the connection is closed; ``drop`` closes it with no answer at all; ``hang`` never answers and keeps it open.
    """

    wait: float = 0.0
    gap: float = 0.0
    cut: int | None = None
    drop: bool = False
    hang: bool = False


PLAIN: Final = Manner()
JSON: Final = (("content-type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. Content-Length is added on the way out."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = JSON
    manner: Manner = field(default=PLAIN)

    def so(self, manner: Manner) -> Response:
        """The same answer in another manner."""
        return replace(self, manner=manner)


def as_json(value: object, status: int = 200) -> Response:
    """An answer of JSON."""
    return Response(status, msgspec.json.encode(value))


def plain(text: str, status: int = 200, kind: str = "text/plain; charset=utf-8") -> Response:
    """An answer of text."""
    return Response(status, text.encode(), (("content-type", kind),))
