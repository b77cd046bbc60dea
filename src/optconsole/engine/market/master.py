"""The instrument master: what is listed, found by name, by chain, by a few letters."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import (
    ContractName,
    Instrument,
    Kind,
    Right,
    expiry_code,
    parse_contract,
    with_year,
)

ChainRow = tuple[int, Instrument | None, Instrument | None]
"""(strike in paise, call, put)."""
_SUGGESTIONS: Final = 3


class InstrumentMaster:
    """The contracts of one day, immutable. A new day or a new file makes a new master."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._by_name = {instrument.name: instrument for instrument in instruments}
        self._indices: dict[str, Instrument] = {}
        self._futures: dict[tuple[str, date], Instrument] = {}
        options: defaultdict[tuple[str, date], dict[int, dict[Right, Instrument]]] = defaultdict(dict)
        expiries: defaultdict[str, set[date]] = defaultdict(set)
        for instrument in self._by_name.values():
            underlying, expiry = instrument.underlying, instrument.expiry
            if instrument.kind is Kind.INDEX or expiry is None:
                self._indices[underlying] = instrument
                continue
            expiries[underlying].add(expiry)
            if instrument.strike is None or instrument.right is None:
                self._futures[underlying, expiry] = instrument
            else:
                options[underlying, expiry].setdefault(instrument.strike, {})[instrument.right] = instrument
        self._expiries = {underlying: sorted(days) for underlying, days in expiries.items()}
        self._chains = {
            key: [(strike, pair.get(Right.CALL), pair.get(Right.PUT)) for strike, pair in sorted(strikes.items())]
            for key, strikes in options.items()
        }

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def get(self, name: str) -> Instrument | None:
        """The instrument of a canonical name."""
        return self._by_name.get(name)

    def instruments(self) -> list[Instrument]:
        """Every instrument, in the order it was given."""
        return list(self._by_name.values())

    def underlyings(self) -> list[str]:
        """Underlyings with an index or a contract, in the order they were given."""
        return list(dict.fromkeys(instrument.underlying for instrument in self._by_name.values()))

    def index(self, underlying: str) -> Instrument | None:
        """The index itself; None where only its contracts are listed."""
        return self._indices.get(underlying)

    def future(self, underlying: str, expiry: date) -> Instrument | None:
        """The future of an expiry; None where there is none."""
        return self._futures.get((underlying, expiry))

    def expiries(self, underlying: str) -> list[date]:
        """Expiries with any contract, nearest first."""
        return list(self._expiries.get(underlying, ()))

    def chain(self, underlying: str, expiry: date) -> list[ChainRow]:
        """Strikes in rising order; empty where no options are listed."""
        return list(self._chains.get((underlying, expiry), ()))

    def resolve(self, text: str) -> Instrument:
        """The instrument a person named, case, spacing and the expiry's year forgiven.

        Raises Refusal: BAD_CONTRACT or BAD_EXPIRY for text that names no contract, EXPIRED_CONTRACT for one before
        the nearest listed expiry, UNKNOWN_EXPIRY for a day without a year that is none, NOT_LISTED with the nearest
        that is listed.
        """
        asked = parse_contract(with_year(text, self.expiries))
        found = self._by_name.get(str(asked))
        if found is None:
            raise self._refusal(asked)
        return found

    def search(self, text: str, limit: int = 20) -> list[Instrument]:
        """Instruments whose name holds every word of ``text``, those that begin with the first word in front.

        Nearer expiries come first, then strikes in order.
        """
        words = text.upper().split()
        if not words or limit <= 0:
            return []
        hits = [instrument for instrument in self._by_name.values() if all(word in instrument.name for word in words)]
        hits.sort(key=lambda instrument: _rank(instrument, words[0]))
        return hits[:limit]

    def _refusal(self, asked: ContractName) -> Refusal:
        listed = self._expiries.get(asked.underlying, [])
        if not listed and asked.underlying not in self._indices:
            known = ", ".join(self.underlyings()) or "none"
            return Refusal("NOT_LISTED", f"{asked.underlying} is not an underlying here; listed: {known}.")
        if asked.expiry is None:
            return Refusal("NOT_LISTED", f"{asked.underlying} has contracts but no index quote here; name a contract.")
        if listed and asked.expiry < listed[0]:
            return Refusal("EXPIRED_CONTRACT", f"{asked} has expired; the nearest expiry is {expiry_code(listed[0])}.")
        if asked.expiry not in listed:
            near = _nearest(listed, asked.expiry)
            return Refusal(
                "NOT_LISTED",
                f"{asked.underlying} {expiry_code(asked.expiry)} is not an expiry; listed: {_some(near, len(listed))}.",
            )
        if asked.strike is None:
            dates = [day for day in listed if (asked.underlying, day) in self._futures]
            futures = ", ".join(expiry_code(day) for day in dates) or "none"
            return Refusal("NOT_LISTED", f"{asked} is not listed; {asked.underlying} futures expire: {futures}.")
        return self._strike_refusal(asked, asked.expiry, asked.strike)

    def _strike_refusal(self, asked: ContractName, expiry: date, strike: int) -> Refusal:
        column = 1 if asked.right is Right.CALL else 2
        strikes = [row[0] for row in self._chains.get((asked.underlying, expiry), ()) if row[column] is not None]
        if not strikes:
            return Refusal("NOT_LISTED", f"{asked} is not listed; that expiry has no such options.")
        place = bisect_left(strikes, strike)
        around = " and ".join(_figure(near) for near in strikes[max(place - 1, 0) : place + 1])
        return Refusal("NOT_LISTED", f"{asked} is not listed; the nearest strikes are {around}.")


def _rank(instrument: Instrument, word: str) -> tuple[bool, bool, str, date, bool, int, str]:
    return (
        instrument.underlying != word,
        not instrument.name.startswith(word),
        instrument.underlying,
        instrument.expiry or date.min,
        instrument.kind is Kind.OPTION,
        instrument.strike or 0,
        instrument.name,
    )


def _nearest(listed: list[date], day: date) -> list[date]:
    return sorted(sorted(listed, key=lambda each: abs((each - day).days))[:_SUGGESTIONS])


def _some(days: list[date], total: int) -> str:
    text = ", ".join(expiry_code(day) for day in days)
    return f"{text} …" if total > len(days) else text


def _figure(strike: int) -> str:
    whole, part = divmod(strike, 100)
    return str(whole) if part == 0 else f"{whole}.{part:02d}"
