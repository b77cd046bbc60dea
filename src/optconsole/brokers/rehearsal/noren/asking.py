"""What a request asks for: the endpoint in its path, the token in its header, the operation faults know it by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from optconsole.brokers.rehearsal.dialect import Call
from optconsole.brokers.rehearsal.noren.body import BadRequest, read
from optconsole.brokers.rehearsal.noren.door import is_page
from optconsole.brokers.rehearsal.noren.endpoints import Endpoint
from optconsole.brokers.rehearsal.wire import Request

_LOGINS: Final = {"GenAcsTok": "login", "Logout": "logout"}


def endpoint_of(request: Request) -> str:
    """The last part of the path; clients that write ``//PlaceOrder`` are understood."""
    return request.path.rstrip("/").rpartition("/")[2]


def bearer(request: Request) -> str:
    """The token of the Authorization header; empty where there is none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def call_of(request: Request, table: Mapping[str, Endpoint]) -> Call:
    """The operation, and the fields of a body that reads as one."""
    try:
        fields = read(request.body).fields
    except BadRequest:
        fields = {}
    return Call(_operation(request, table), {key: str(value) for key, value in fields.items()})


def _operation(request: Request, table: Mapping[str, Endpoint]) -> str:
    name = endpoint_of(request)
    if name in table:
        return table[name].op
    if request.path.endswith(".zip"):
        return "instruments"
    return "login" if is_page(request) else _LOGINS.get(name, name or "root")
