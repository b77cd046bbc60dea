"""The body of a Noren request, read as the server reads it: as text.

What follows ``jData=`` up to the next ``&`` is JSON and is never URL-decoded: a percent-encoded body is refused, and a
bare ``&`` inside a value cuts the JSON short.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

BAD_BODY: Final = "Invalid Input : jData is not valid json object"
_MARK: Final = "jData="
_BLANK: Final = frozenset({"", "None", "null"})
_DIGITS: Final = re.compile(r"\d{1,12}", re.ASCII)
_PRICE: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,6}))?", re.ASCII)


class BadRequest(Exception):
    """A request the server refuses; the text is its ``emsg``."""


@dataclass(frozen=True, slots=True)
class Body:
    """The fields of jData, and the token of ``jKey`` where one was sent."""

    fields: dict[str, object]
    key: str

    def word(self, name: str) -> str:
        """A field as text; the clients' ``None`` and null are no text."""
        value = self.fields.get(name)
        if value is None or isinstance(value, (dict, list)):
            return ""
        text = str(value)
        return "" if text in _BLANK else text

    def need(self, *names: str) -> None:
        """Raises BadRequest for the first field that is missing, in the server's words."""
        if any(not self.word(name) for name in names):
            raise BadRequest(f"Invalid Input : Missing {' or '.join(names)}")

    def units(self, name: str) -> int:
        """A whole number. Raises BadRequest."""
        text = self.word(name)
        whole = text.removesuffix(".0")
        if not _DIGITS.fullmatch(whole):
            raise BadRequest(f"Invalid Input : {name} is not a number")
        return int(whole)

    def price(self, name: str) -> int:
        """Rupees as paise. Raises BadRequest; an empty text trips the server itself."""
        if self.fields.get(name) == "":
            raise BadRequest("Invalid Input : basic_string::at: __n (which is 0) >= this->size() (which is 0)")
        text = self.word(name)
        match = _PRICE.fullmatch(text)
        if match is None:
            raise BadRequest(f"Invalid Input : {name} is not a price")
        part = (match[2] or "").rstrip("0")
        if len(part) > 2:
            raise BadRequest(f"Invalid Input : {name} has too many decimals")
        return int(match[1]) * 100 + int(part.ljust(2, "0"))

    def optional_price(self, name: str) -> int:
        """Rupees as paise, 0 where the field is missing or says none. Raises BadRequest."""
        if name in self.fields and (self.fields[name] == "" or self.word(name)):
            return self.price(name)
        return 0


def read(raw: bytes) -> Body:
    """The body's fields. Raises BadRequest."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadRequest(BAD_BODY) from None
    start = text.find(_MARK)
    if start < 0:
        raise BadRequest(BAD_BODY)
    data, _, rest = text[start + len(_MARK) :].partition("&")
    try:
        fields = json.loads(data)
    except ValueError:
        raise BadRequest(BAD_BODY) from None
    if not isinstance(fields, dict):
        raise BadRequest(BAD_BODY)
    keys = [part.removeprefix("jKey=") for part in rest.split("&") if part.startswith("jKey=")]
    return Body(fields, keys[0].strip() if keys else "")
