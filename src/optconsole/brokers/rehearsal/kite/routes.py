"""Which path is which call of Kite, and in which rate bucket it counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from optconsole.brokers.rehearsal.kite.replies import INPUT, KiteError
from optconsole.brokers.rehearsal.wire import Request

Answer = Callable[[Request, tuple[str, ...]], Awaitable[object]]
METHODS = ("GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Route:
    """One call: the method, the path with ``*`` for a part that varies, its name to faults, and its rate bucket."""

    method: str
    path: tuple[str, ...]
    op: str
    answer: Answer
    bucket: str = "others"
    open: bool = False
    """Answered without a login."""

    def match(self, method: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
        """The varying parts; None where it is another call."""
        if method != self.method or len(path) != len(self.path):
            return None
        pairs = list(zip(self.path, path, strict=True))
        if any(want not in ("*", given) for want, given in pairs):
            return None
        return tuple(given for want, given in pairs if want == "*")


def route(call: str, op: str, answer: Answer, bucket: str = "others", open: bool = False) -> Route:
    """A route of ``METHOD /path``."""
    method, _, path = call.partition(" ")
    return Route(method, _parts(path), op, answer, bucket, open)


def found(routes: Sequence[Route], request: Request) -> tuple[Route | None, tuple[str, ...]]:
    """The route of a request with the varying parts of its path."""
    path = _parts(request.path)
    for each in routes:
        parts = each.match(request.method, path)
        if parts is not None:
            return each, parts
    return None, ()


def unknown(routes: Sequence[Route], request: Request) -> KiteError:
    """Why a request has no route."""
    path = _parts(request.path)
    if any(each.match(method, path) is not None for each in routes for method in METHODS):
        return KiteError(INPUT, "Method not allowed.", 405)
    return KiteError(INPUT, "Route not found.", 404)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)
