"""The price that an exchange's limit price protection is measured from (features OE-3).

The simple average of a contract's trades in the last thirty seconds, made anew every thirty; it stands while nothing
trades. At the open, and after a quarter of an hour without a trade, the exchange takes a theoretical price instead.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from optconsole.engine.model.instruments import ContractName, Right, contract_name, parse_contract
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import millis

SPAN_MS: Final = 30_000
"""Milliseconds of trades in one average, and from one to the next."""
SILENT_MS: Final = 15 * 60_000
"""Milliseconds without a trade after which the last average is none any more."""


class Traded:
    """The averages of one contract's trades; three numbers, however much trades."""

    __slots__ = ("_average", "_count", "_last", "_span", "_total")

    def __init__(self) -> None:
        self._span = self._last = self._total = self._count = 0
        self._average: int | None = None

    def saw(self, ts: int, price: int) -> None:
        """Take in a trade in paise, seen at an epoch millisecond."""
        self._close(ts)
        self._total += price
        self._count += 1
        self._last = max(self._last, ts)

    def average(self, now: int) -> int | None:
        """Paise; None before the first thirty seconds with a trade are over, and after long silence."""
        self._close(now)
        return None if now - self._last > SILENT_MS else self._average

    def _close(self, now: int) -> None:
        span = now // SPAN_MS
        if span <= self._span:
            return
        if self._count:
            self._average = self._total // self._count
        self._span, self._total, self._count = span, 0, 0


def reference(
    name: str, now: datetime, traded: Callable[[str, int], int | None], quote: Callable[[str], Quote | None]
) -> int | None:
    """Paise that the band of a contract is measured from; None while nothing is known of it."""
    average = traded(name, millis(now))
    if average is not None:
        return average
    own = quote(name)
    if own is not None and own.bid is not None and own.ask is not None:
        return own.mark
    parity = _parity(parse_contract(name), quote)
    return parity if parity is not None else None if own is None else own.mark


def _parity(asked: ContractName, quote: Callable[[str], Quote | None]) -> int | None:
    """What an option that nobody quotes is worth by the other one of its strike and the underlying."""
    if asked.strike is None or asked.right is None or asked.expiry is None:
        return None
    call = asked.right is Right.CALL
    other = quote(contract_name(asked.underlying, asked.expiry, asked.strike, Right.PUT if call else Right.CALL))
    forward = quote(contract_name(asked.underlying, asked.expiry)) or quote(asked.underlying)
    if other is None or other.mid is None or forward is None or forward.mark is None:
        return None
    worth = other.mid + (forward.mark - asked.strike) * (1 if call else -1)
    return worth if worth > 0 else None
