"""What leaving stops: asked before an engine of our own ends while an order works or a short is open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.positions import Position
from optconsole.screens.closing import counted
from optconsole.screens.dialogs import Confirm
from optconsole.screens.formats import Formats
from optconsole.screens.guard_face import NOWHERE, AtExchange, stops_at_exchange
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line

SHOWN: Final = 5
"""Shorts named one by one, those that nothing guards first."""


class LeavingQuestion(Confirm):
    """Asked once: leaving again while it stands changes nothing."""


def leaving_question(state: TradingState, fmt: Formats) -> LeavingQuestion | None:
    """What goes on without this console and what does not; None where nothing works and nothing is short."""
    working = sum(not order.status.final for order in state.orders.values())
    shorts = [position for position in state.positions.values() if position.qty < 0]
    if not working and not shorts:
        return None
    lines: list[Line] = []
    if working:
        verb = "is" if working == 1 else "are"
        lines += [
            ([Part(f"{counted(working, 'order')} {verb} working. The engine stops with this console;")], []),
            ([Part("what is working stays with the broker until you come back.")], []),
        ]
    else:
        lines.append(([Part("The engine stops with this console, and with it all that it watches.")], []))
    standing = stops_at_exchange(state)
    shorts.sort(key=lambda position: guarded_without_us(position, standing))
    lines += [_told(position, state, standing, fmt) for position in shorts[:SHOWN]]
    if len(shorts) > SHOWN:
        lines.append(([Part(f"{fmt.ellipsis} and {counted(len(shorts) - SHOWN, 'short')} more", "dim")], []))
    bare = sum(not guarded_without_us(position, standing) for position in shorts)
    if bare:
        lines.append(([Part(f"Nothing will stop {counted(bare, 'short')} from losing while you are away.", "bad")], []))
    return LeavingQuestion("Leave with working orders?" if working else "Leave with open shorts?", lines)


def guarded_without_us(position: Position, standing: Mapping[str, AtExchange]) -> bool:
    """Whether stops at the exchange close all of the position though no engine runs."""
    return standing.get(str(position.key), NOWHERE).units >= abs(position.qty)


def _told(position: Position, state: TradingState, standing: Mapping[str, AtExchange], fmt: Formats) -> Line:
    """One short and what stands for it at the exchange once this engine is gone."""
    key = str(position.key)
    guard, stop = state.protections.get(key), standing.get(key, NOWHERE)
    if stop.units >= abs(position.qty):
        told, role = f"stop {fmt.price(stop.trigger)} stays", "good"
    elif stop.units:
        told, role = f"stop for only {fmt.grouped(stop.units)} stays", "bad"
    elif guard is not None and guard.stop is not None:
        told, role = f"stop {fmt.price(guard.stop)} ends with it", "bad"
    else:
        told, role = "no stop", "bad"
    size = Part(fmt.lots(position.qty, position.lot).rjust(11), "sell")
    return [size, Part(f"  {fmt.contract(position.key.contract)}")], [Part(told, role)]
