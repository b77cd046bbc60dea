"""Levels of a guard: what may be set, where the stop at the exchange stands, and what counts as reached. Pure."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Side
from optconsole.engine.model.protection import Protection, StopMode
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.bands import nearest_ticks, on_tick, price_band, protected_limit
from optconsole.engine.rules.pretrade import price_in

WIDER: Final = (3, 2)
"""The stop at the exchange stands at one and a half times the distance of the tight one."""
STOP, TARGET = "stop", "target"


def wide_trigger(sign: int, stop: int, mark: int, tick: int) -> int:
    """Where the wide stop of a position stands by default, on tick and away from the market; at least one tick."""
    reach = abs(stop - mark) * WIDER[0] // WIDER[1]
    level = max(mark - sign * reach, tick)
    below, above = nearest_ticks(level, tick)
    return max(below if sign > 0 else above, tick)


def stop_limit(side: Side, trigger: int, instrument: Instrument) -> int:
    """The worst price of a stop, inside the band as it will stand when the trigger is reached (reliability O04).

    Twice the usual protection: a stop meets a market that runs, but one too far from it is refused when it triggers.
    """
    near = protected_limit(side, trigger, instrument.tick)
    far = max(trigger + 2 * (near - trigger), instrument.tick)
    low, high = price_band(instrument, trigger)
    return min(far, high) if side is Side.BUY else max(far, low)


def beyond(sign: int, level: int, price: int, what: str) -> bool:
    """Whether a price has reached a stop or a target of a position of this direction."""
    gone = sign if what == TARGET else -sign
    return (price - level) * gone >= 0


def crossing(guard: Protection, quote: Quote | None) -> str:
    """Which level a quote has reached: stop, target, or none (empty). A quote beyond both is a stop.

    A stop looks at the mark. A target needs a price that can be had: the bid for a long position, the ask for a short.
    """
    mark = None if quote is None else quote.mark
    if quote is None or mark is None:
        return ""
    if guard.stop is not None and beyond(guard.sign, guard.stop, mark, STOP):
        return STOP
    facing = quote.bid if guard.sign > 0 else quote.ask
    if not quote.booked:
        facing = mark
    if guard.target is not None and facing is not None and beyond(guard.sign, guard.target, facing, TARGET):
        return TARGET
    return ""


def check_levels(
    sign: int,
    stop: int | None,
    target: int | None,
    wide: int | None,
    mode: StopMode,
    mark: int,
    instrument: Instrument,
) -> None:
    """Raises Refusal for levels that cannot guard a position of this direction at this mark."""
    if stop is None and target is None:
        raise Refusal("NO_LEVEL", "Give a stop, a target, or both.")
    if wide is not None and (stop is None or mode is not StopMode.BOTH):
        raise Refusal("WIDE_ALONE", "A wide stop goes with a stop in mode both; give the stop, or leave out the wide.")
    for word, level in ((STOP, stop), (TARGET, target), ("wide stop", wide)):
        if level is None:
            continue
        if level <= 0 or not on_tick(level, instrument.tick):
            below, above = nearest_ticks(level, instrument.tick)
            raise Refusal(
                "TICK_SIZE",
                f"The {word} {price_in(level)} is not a multiple of {price_in(instrument.tick)}; "
                f"{price_in(max(below, instrument.tick))} or {price_in(max(above, instrument.tick))} would pass.",
            )
    holding = "long" if sign > 0 else "short"
    for what, level in ((STOP, stop), (TARGET, target)):
        if level is not None and beyond(sign, level, mark, what):
            word = "below" if (sign > 0) == (what == STOP) else "above"
            raise Refusal(
                "LEVEL_PASSED",
                f"The {what} {price_in(level)} of a {holding} position must be {word} the market, now "
                f"{price_in(mark)}.",
            )
    if wide is not None and stop is not None and not beyond(sign, stop, wide, STOP):
        raise Refusal(
            "WIDE_TIGHT",
            f"The wide stop {price_in(wide)} must be further from the market than the stop {price_in(stop)}.",
        )
