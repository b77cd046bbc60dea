"""The contracts of the day under Angel One's names and tokens, and the scrip master made of them."""

from __future__ import annotations

from typing import Final

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.smartapi import strangers
from optconsole.brokers.rehearsal.smartapi.symbols import (
    INDEX_TOKENS,
    STREAM_SEGMENTS,
    Scrip,
    master,
    scrips,
    segment_of,
)
from optconsole.brokers.rehearsal.tokens import Tokens

_SEGMENTS: Final = {number: segment for segment, number in STREAM_SEGMENTS.items()}
_FIXED: Final = {name: int(token) for name, token in INDEX_TOKENS.items()}


class Catalogue:
    """Reads the market's list of contracts; ``load`` again on another day."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._by_name: dict[str, Scrip] = {}
        self._by_token: dict[tuple[str, str], Scrip] = {}
        self._master = b""
        self.load()

    def load(self) -> None:
        """Take the contracts that the market lists now."""
        listed = self._market.instruments()
        tokens = Tokens(((item, segment_of(item)) for item in listed), _FIXED)
        found = scrips(listed, {item.name: str(tokens.of(item.name)) for item in listed})
        self._by_name = {scrip.instrument.name: scrip for scrip in found}
        self._by_token = {(scrip.segment, scrip.token): scrip for scrip in found}
        self._master = b""

    def of(self, name: str) -> Scrip | None:
        """By our canonical name."""
        return self._by_name.get(name)

    def at(self, segment: str, token: str) -> Scrip | None:
        """By exchange segment and token."""
        return self._by_token.get((segment, token))

    def streamed(self, number: int, token: str) -> Scrip | None:
        """By the stream's number of the segment, and token."""
        return self.at(_SEGMENTS.get(number, ""), token)

    def all(self) -> list[Scrip]:
        """Every contract of the day."""
        return list(self._by_name.values())

    def found(self, segment: str, part: str) -> list[Scrip]:
        """Contracts of a segment whose symbol holds ``part``, case aside."""
        wanted = part.upper().replace(" ", "")
        return [
            scrip
            for scrip in self._by_name.values()
            if scrip.segment == segment and wanted in scrip.symbol.upper().replace(" ", "")
        ]

    def master(self) -> bytes:
        """The scrip master of the day."""
        if not self._master:
            self._master = master(self._by_name.values(), strangers.ROWS)
        return self._master
