"""Every shape in which Angel One answers: success, a business failure, the gateway's failure, and plain text."""

from __future__ import annotations

from typing import Any, Final

from optconsole.brokers.rehearsal.wire import Response, as_json, plain

TOO_FAST: Final = "Access denied because of exceeding access rate"
SOMETHING_WRONG: Final = ("AB1004", "Something Went Wrong, Please Try After Sometime")
UNREGISTERED: Final = ("AG7002", "Request from an unregistered IP address")


def success(data: Any, message: str = "SUCCESS") -> Response:
    """``data`` may be null: an empty book is."""
    return as_json({"status": True, "message": message, "errorcode": "", "data": data})


def failure(code: str, message: str, *, worded: bool = False, status: int = 200) -> Response:
    """A refusal by the business: ``worded`` prints false and null as strings, as its documentation does."""
    said: dict[str, Any] = {"status": False, "message": message, "errorcode": code, "data": None}
    return as_json(said | {"status": "false", "data": "null"} if worded else said, status)


def gateway_failure(code: str, message: str, status: int = 401) -> Response:
    """A refusal by the gateway in front of the business: other keys, and the code's own in camel case."""
    return as_json({"success": False, "message": message, "errorCode": code, "data": ""}, status)


def too_fast() -> Response:
    """The answer to one request too many: 403 without JSON, though the token is good."""
    return plain(TOO_FAST, 403)
