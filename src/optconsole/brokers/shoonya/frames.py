"""Frames of the socket. All are JSON text with strings for numbers; an update carries only what changed.

The common frame is decoded straight into a struct, numbers included. One value that is no number ("NA", an empty
string) makes the whole frame go the slow way, field by field, so that the others are not lost with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

HIGHEST: Final = 1e11
"""Above it any figure of a frame is noise, be it rupees, units or seconds."""


class Frame(msgspec.Struct, gc=False):
    """What frames of every kind may carry, prices in rupees; None is missing, which is never zero."""

    t: str
    e: str = ""
    tk: str = ""
    s: str = ""
    k: str = ""
    ts: str = ""
    lp: float | None = None
    v: float | None = None
    c: float | None = None
    oi: float | None = None
    poi: float | None = None
    ft: float | None = None
    lc: float | None = None
    uc: float | None = None
    bp1: float | None = None
    bq1: float | None = None
    sp1: float | None = None
    sq1: float | None = None
    bp2: float | None = None
    bq2: float | None = None
    sp2: float | None = None
    sq2: float | None = None
    bp3: float | None = None
    bq3: float | None = None
    sp3: float | None = None
    sq3: float | None = None
    bp4: float | None = None
    bq4: float | None = None
    sp4: float | None = None
    sq4: float | None = None
    bp5: float | None = None
    bq5: float | None = None
    sp5: float | None = None
    sq5: float | None = None


_TEXTS: Final = ("e", "tk", "s", "k", "ts")
_FIRST: Final = 1 + len(_TEXTS)
_NAMES: Final = Frame.__struct_fields__[_FIRST:]
_PRICES: Final = frozenset({"lp", "c", "lc", "uc", *(f"{side}p{level}" for side in "bs" for level in range(1, 6))})
_SCALES: Final = tuple(100 if name in _PRICES else 1 for name in _NAMES)
_DECODER: Final = msgspec.json.Decoder(Frame, strict=False)


class BadFrame(ValueError):
    """Not a frame at all."""


def decode(text: str | bytes) -> Frame:
    """One frame. Raises BadFrame for what is no JSON object with a type."""
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError:
        return _slowly(fields(text))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as broken:
        raise BadFrame("no JSON") from broken


def fields(text: str | bytes) -> dict[str, Any]:
    """A frame as it is. Raises BadFrame."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as broken:
        raise BadFrame("no JSON") from broken
    if not isinstance(value, dict) or not isinstance(value.get("t"), str):
        raise BadFrame("no object with a type")
    return value


def of_reply(row: Mapping[str, Any]) -> Frame:
    """The frame that a reply of GetQuotes amounts to: the same names but for the contract's own."""
    return _slowly({**row, "t": "tk", "e": row.get("exch"), "tk": row.get("token"), "ts": row.get("tsym")})


def _slowly(value: dict[str, Any]) -> Frame:
    frame = Frame(value["t"])
    for name in _TEXTS:
        if isinstance(value.get(name), str):
            setattr(frame, name, value[name])
    for name in _NAMES:
        setattr(frame, name, _number(value.get(name)))
    return frame


def _number(value: object) -> float | None:
    """A number or the text of one; "NA", "" and all else are missing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


class Scrip:
    """One stream of one contract, seeded by its acknowledgement and overlaid by each update.

    Prices are paise, sizes units, ``ft`` epoch seconds. A field nobody has sent yet is not in ``values``.
    """

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    def read(self, frame: Frame) -> tuple[dict[str, int], list[str]]:
        """What a frame would change, and the names of fields that hold no possible value."""
        found: dict[str, int] = {}
        bad: list[str] = []
        for name, scale, value in zip(_NAMES, _SCALES, msgspec.structs.astuple(frame)[_FIRST:], strict=True):
            if value is None:
                continue
            if 0.0 <= value < HIGHEST:  # false for a NaN too
                found[name] = round(value * scale)
            else:
                bad.append(name)
        return found, bad

    def overlay(self, frame: Frame) -> None:
        """Take over what a frame carries; what it leaves out stays."""
        self.values.update(self.read(frame)[0])

    def traded(self) -> tuple[int | None, ...]:
        """What changes with every trade."""
        return tuple(self.values.get(name) for name in ("lp", "v"))

    def price(self, name: str) -> int | None:
        """A price, None where it is unknown or zero, by which the wire says that there is none."""
        return self.values.get(name) or None
