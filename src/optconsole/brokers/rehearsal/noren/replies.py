"""Shapes of what Noren answers: an object with ``stat``, or a bare array where a list was asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from optconsole.brokers.rehearsal.noren.words import noren_time

Row = dict[str, object]

NO_DATA: Final = 'Error Occurred : 5 "no data"'
SESSION_EXPIRED: Final = "Session Expired : Invalid Session Key"
BAD_VERIFIER: Final = "Invalid Input : INVALID_VERIFIER"
NOT_FOUND: Final = "Rejected : ORA:Order not found"
NOT_FOUND_TO_CANCEL: Final = "Rejected : ORA:Order not found to Cancel"
TIMEOUT: Final = "Server Timeout :"
BAD_INPUT: Final = 'Error Occured : 2 "invalid input"'
BAD_SYMBOL: Final = "Invalid Input : Invalid Trading Symbol"
BAD_GATEWAY: Final = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def ok(now: datetime, fields: Mapping[str, object] | None = None, stat: str = "Ok") -> Row:
    """Success: ``stat``, the time, and what was asked."""
    return {"request_time": noren_time(now), "stat": stat, **(fields or {})}


def not_ok(now: datetime, emsg: str) -> Row:
    """Failure, which list endpoints answer as an object too."""
    return {"stat": "Not_Ok", "request_time": noren_time(now), "emsg": emsg}


def listing(now: datetime, rows: Sequence[Row]) -> Row | list[Row]:
    """An array, or the "no data" object where there is nothing: an empty book looks like an error."""
    return list(rows) if rows else not_ok(now, NO_DATA)


def encoded(reply: object) -> bytes:
    """As Noren writes JSON: no blanks."""
    return json.dumps(reply, separators=(",", ":")).encode()


def page(title: str) -> str:
    """What the server in front of the API says by itself."""
    return f"<html><body><h1>{title}</h1></body></html>"
