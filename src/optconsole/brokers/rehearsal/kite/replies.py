"""Kite's envelope and its errors, as they leave on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from optconsole.brokers.rehearsal.wire import Response, as_json

STAMP: Final = "%Y-%m-%d %H:%M:%S"
TOKEN: Final = "TokenException"  # noqa: S105 - an error's name
INPUT: Final = "InputException"
ORDER: Final = "OrderException"
MARGIN: Final = "MarginException"
NETWORK: Final = "NetworkException"
PERMISSION: Final = "PermissionException"
GENERAL: Final = "GeneralException"
DEAD_LOGIN: Final = "Incorrect `api_key` or `access_token`."
UNPROTECTED: Final = (
    "Market orders without market protection are not allowed via API. "
    "Please set market protection or use a Limit order."
)
TOO_OFTEN_CHANGED: Final = "Maximum allowed order modifications exceeded"
TOO_MANY: Final = "Too many requests"
NO_SUCH_ORDER: Final = "Couldn't find that `order_id`."


class KiteError(Exception):
    """A refusal with Kite's own type and HTTP status."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind, self.message, self.status = kind, message, status

    def response(self) -> Response:
        body = {"status": "error", "message": self.message, "data": None, "error_type": self.kind}
        return as_json(body, self.status)


def data(value: object) -> Response:
    """A success."""
    return as_json({"status": "success", "data": value})


def stamp(moment: datetime | None) -> str | None:
    """IST without a zone, to the second."""
    return None if moment is None else moment.strftime(STAMP)


def rupees(paise: int) -> int | float:
    """A number as Kite writes prices: whole ones without a fraction."""
    whole, part = divmod(paise, 100)
    return whole if part == 0 else paise / 100
