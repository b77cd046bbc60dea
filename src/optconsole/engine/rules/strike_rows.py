"""What a strike is chosen from: the options of one right of one expiry, a reference price, and ATM (features OC-2).

Strikes, prices and the reference are paise, deltas thousandths. Unknown is None, never 0.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.money import rupees
from optconsole.engine.model.strikes import Liquidity, PriceKind, Reference


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One option that could be chosen. ``minute`` is the close of the last whole minute."""

    strike: int
    contract: str
    ltp: int | None = None
    bid: int | None = None
    ask: int | None = None
    minute: int | None = None
    oi: int | None = None
    volume: int | None = None
    delta: int | None = None

    def premium(self, kind: PriceKind) -> int | None:
        """The price that rules look at; a price that is not positive says nothing and counts as unknown."""
        if kind is PriceKind.LTP:
            price = self.ltp
        elif kind is PriceKind.MINUTE:
            price = self.minute
        elif self.bid is None or self.ask is None or self.bid <= 0:
            return None
        else:
            price = (self.bid + self.ask) // 2
        return price if price is not None and price > 0 else None


class Slate(msgspec.Struct, frozen=True, kw_only=True):
    """All that a choice of strike looks at, taken at one instant.

    ``rows`` rise by strike. ``straddle`` is the premium of the ATM call and put together; ``other_strike`` and
    ``other_premium`` are those of the leg that a rule names; ``atr`` (paise) and ``vix`` (hundredths) the gauges,
    ``days`` calendar days to expiry.
    """

    right: Right
    rows: tuple[Candidate, ...]
    reference: int | None
    price: PriceKind = PriceKind.LTP
    liquidity: Liquidity = Liquidity()
    straddle: int | None = None
    other_strike: int | None = None
    other_premium: int | None = None
    atr: int | None = None
    vix: int | None = None
    days: float | None = None

    @property
    def outward(self) -> int:
        """Which way is out of the money: +1 for calls, -1 for puts."""
        return 1 if self.right is Right.CALL else -1


def nearest(rows: Sequence[Candidate], price: int) -> int:
    """Index of the listed strike nearest to ``price``; a tie goes to the lower strike. ``rows`` must not be empty."""
    above = bisect_left(rows, price, key=lambda row: row.strike)
    if above == 0:
        return 0
    if above == len(rows) or price - rows[above - 1].strike <= rows[above].strike - price:
        return above - 1
    return above


def within_list(rows: Sequence[Candidate], price: int) -> bool:
    """Whether a price lies among the listed strikes, or beyond an end by no more than the gap there."""
    if len(rows) < 2:
        return bool(rows) and rows[0].strike == price
    low, high = rows[0].strike, rows[-1].strike
    return 2 * low - rows[1].strike <= price <= 2 * high - rows[-2].strike


def at_the_money(slate: Slate) -> int:
    """Index of the ATM strike: the listed one nearest to the reference.

    Raises Refusal: NO_STRIKES for an empty list, NO_REFERENCE while the reference is unknown, OFF_THE_LIST when it
    lies so far outside the list that its end is not at the money.
    """
    if not slate.rows:
        raise Refusal("NO_STRIKES", "No option of this right and expiry is listed; choose an expiry that is.")
    if slate.reference is None or slate.reference <= 0:
        raise Refusal("NO_REFERENCE", "The price that ATM is measured by is unknown; a quote of it is needed first.")
    if not within_list(slate.rows, slate.reference):
        raise Refusal(
            "OFF_THE_LIST",
            f"The reference {rupees(slate.reference)} lies outside the listed strikes {span(slate.rows)},"
            " so none of them is at the money.",
        )
    return nearest(slate.rows, slate.reference)


def span(rows: Sequence[Candidate]) -> str:
    """``22000 to 27000``: the ends of a list in words."""
    return f"{strike_text(rows[0].strike)} to {strike_text(rows[-1].strike)}"


def strike_text(strike: int) -> str:
    """A strike as contract names write it: ``24500``, ``102.50``."""
    whole, part = divmod(strike, 100)
    return str(whole) if part == 0 else f"{whole}.{part:02d}"


def atm_straddle(
    calls: Sequence[Candidate], puts: Sequence[Candidate], strike: int, price: PriceKind = PriceKind.LTP
) -> int | None:
    """Premium in paise of the call and put of one strike together; None unless both are listed and priced."""
    found = [_at(rows, strike) for rows in (calls, puts)]
    premiums = [row.premium(price) for row in found if row is not None]
    known = [premium for premium in premiums if premium is not None]
    return sum(known) if len(known) == 2 else None


def reference_value(
    kind: Reference,
    *,
    spot: int | None,
    future: int | None,
    calls: Sequence[Candidate] = (),
    puts: Sequence[Candidate] = (),
    price: PriceKind = PriceKind.LTP,
) -> int | None:
    """What ATM is measured by, in paise; None while what it needs is unknown.

    SYNTHETIC is the strike nearest to spot (to the future where no spot is known) plus its call minus its put.
    """
    if kind is Reference.SPOT:
        return spot
    if kind is Reference.FUTURE:
        return future
    anchor = spot if spot is not None else future
    if anchor is None or not calls or not within_list(calls, anchor):
        return None
    call = calls[nearest(calls, anchor)]
    put = _at(puts, call.strike)
    paid, got = call.premium(price), put.premium(price) if put is not None else None
    return None if paid is None or got is None else call.strike + paid - got


def _at(rows: Sequence[Candidate], strike: int) -> Candidate | None:
    place = bisect_left(rows, strike, key=lambda row: row.strike)
    return rows[place] if place < len(rows) and rows[place].strike == strike else None
