"""What became of an order call by its reply. Only what is on the list is a refusal; all else stays in doubt."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from optconsole.brokers.shoonya.replies import Said, bare
from optconsole.engine.model.text import display
from optconsole.engine.ports import LOGIN_LOST, Accepted, Doubtful, PlaceOutcome, Rejected

Judge = Callable[[Said], PlaceOutcome]
_ORDER_NUMBER: Final = re.compile(r"[0-9]{8,20}", re.ASCII)
_ANY: Final = (
    ("RATE_LIMITED", re.compile(r"^invalid input : .*\bexceeds limit\b")),
    ("INVALID_INPUT", re.compile(r"^invalid input\b")),
    ("INVALID_INPUT", re.compile(r'^error occurr?ed : 2 "invalid input"$')),
)
"""Refusals of any order call before it reaches an exchange: code, and the text in lower case without escapes."""
_OF_CHANGES: Final = (
    ("ORDER_UNKNOWN", re.compile(r"^rejected : ora:order not found\b")),
    ("ORDER_ENDED", re.compile(r"^rejected : ora:.*\bto (cancel|modify)$")),
    ("BAD_TRIGGER", re.compile(r"^trigger price invalid\b")),
)
"""Refusals of a change or a cancel: the order itself is untouched."""


def order_number(value: object) -> str | None:
    """A well-formed order number, None for anything else."""
    return value if isinstance(value, str) and _ORDER_NUMBER.fullmatch(value) else None


def placed(said: Said) -> PlaceOutcome:
    """The outcome of PlaceOrder. An accepted order may still be refused by the risk desk: its book row says so."""
    if said.fault or not isinstance(said.value, dict):
        return _refused(said, _ANY)
    number = order_number(said.value.get("norenordno"))
    if number is None or str(said.value.get("stat", "")).lower() != "ok":
        return Doubtful("Shoonya answered without an order number.")
    return Accepted(number)


def changed(said: Said, broker_id: str) -> PlaceOutcome:
    """The outcome of ModifyOrder and CancelOrder of one order."""
    if said.fault or not isinstance(said.value, dict):
        return _refused(said, _ANY + _OF_CHANGES)
    if str(said.value.get("stat", "")).lower() != "ok" or said.value.get("result") != broker_id:
        return Doubtful("Shoonya's answer names another order or none.")
    return Accepted(broker_id)


def _refused(said: Said, listed: tuple[tuple[str, re.Pattern[str]], ...]) -> PlaceOutcome:
    words = display(said.fault)
    if said.login_dead:
        return Rejected(LOGIN_LOST, f"Shoonya ended the login: {words}")
    text = bare(said.fault)
    if said.status in (200, 400):
        for code, pattern in listed:
            if pattern.search(text):
                return Rejected(code, f"Shoonya refused it: {words}")
    return Doubtful(f"Shoonya gave no clear answer: {words or 'an empty one'}")


def converted(said: Said) -> PlaceOutcome:
    """The outcome of ProductConversion, which has no number of its own."""
    if said.fault or not isinstance(said.value, dict):
        return _refused(said, _ANY)
    return Accepted("") if str(said.value.get("stat", "")).lower() == "ok" else Doubtful("Shoonya did not say Ok.")


def kept(said: Said, word: str) -> PlaceOutcome:
    """The outcome of a call about a waiting order or alert, which says what it did in a sentence such as
    ``Oi created``."""
    if bare(said.fault).startswith("invalid oi"):
        return Rejected("ORDER_UNKNOWN", "Shoonya keeps no such waiting order.")
    if said.fault or not isinstance(said.value, dict):
        return _refused(said, _ANY)
    sentence, number = str(said.value.get("stat", "")).lower(), said.value.get("al_id") or said.value.get("Al_id")
    if sentence.startswith("invalid oi"):
        return Rejected("ORDER_UNKNOWN", "Shoonya keeps no such waiting order.")
    if word not in sentence or not (number or word != "created"):
        return Doubtful(f"Shoonya answered {display(sentence, 60)!r}.")
    return Accepted(str(number or ""))
