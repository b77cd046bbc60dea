"""The contracts of a source that brings no master: terms from the dated tables, corrected by what the book proves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from optconsole.brokers.replay.rows import OptionRows, day_of_number
from optconsole.engine.market import contracts, facts
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name


def lots_by_expiry(underlying: str, rows: OptionRows) -> dict[int, int]:
    """Units a lot for each expiry (days since 1970), as of the day of the rows.

    The tables know the lot a contract expires with. Far contracts may be traded before their lot is revised, and then
    the sizes in the book, which are whole lots, prove the older one.
    """
    numbers = np.unique(rows.expiry).tolist()
    other = [rule.lot for rule in reversed(facts.lot_rules()) if rule.underlying == underlying]
    found: dict[int, int] = {}
    for number in numbers:
        mine = rows.expiry == number
        step = int(np.gcd.reduce(np.concatenate([rows.bid_qty[mine], rows.ask_qty[mine]])))
        known = contracts.lot(underlying, day_of_number(number))
        nearby = list(found.values())[:1]
        found[number] = next((lot for lot in (known, *nearby, *other) if step % lot == 0), known)
    return found


def options(
    underlying: str, day: date, lots: Mapping[int, int], rows: OptionRows, calendar: Calendar
) -> list[Instrument]:
    """One instrument a contract, in the order of ``rows``, which hold each contract once."""
    exchange = contracts.index_of(underlying).exchange
    tick = contracts.tick(underlying, Kind.OPTION, day)
    freeze = contracts.freeze(underlying, day)
    found = []
    for number, strike, call in zip(rows.expiry.tolist(), rows.strike.tolist(), rows.call.tolist(), strict=True):
        expiry, right = day_of_number(number), Right.CALL if call else Right.PUT
        found.append(
            Instrument(
                name=contract_name(underlying, expiry, strike, right),
                underlying=underlying,
                exchange=exchange,
                kind=Kind.OPTION,
                lot=lots[number],
                tick=tick,
                freeze=freeze,
                expiry=expiry,
                strike=strike,
                right=right,
                last_trade=calendar.last_trade(underlying, expiry),
            )
        )
    return found


def guessed_underlying(rows: OptionRows, day: date) -> str:
    """The first index whose expiry days and strike steps these are. Raises Refusal(WHICH_UNDERLYING)."""
    near = int(rows.expiry.min())
    expiry = day_of_number(near)
    strikes = np.unique(rows.strike[rows.expiry == near])
    step = int(np.diff(strikes).min()) if len(strikes) > 1 else 0
    for underlying in contracts.UNDERLYINGS:
        try:
            listed = [each for each, _monthly in contracts.expiries(underlying, day)]
            fits = expiry in listed and contracts.strike_step(underlying, expiry, day) == step
        except Refusal:
            continue
        if fits:
            return underlying
    raise Refusal("WHICH_UNDERLYING", "The file does not say which index its options are on; name it, such as NIFTY.")
