"""What is different between two versions of a basket, field by field, in the words of its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optconsole.engine.model.baskets import Basket
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.text import display
from optconsole.engine.strategies.files import written
from optconsole.engine.strategies.tables import BASKET, LEG, STRATEGY

NOT_SET = "not set"


def differences(before: Basket, after: Basket) -> tuple[str, ...]:
    """One sentence for each field that changes; none where both mean the same. Accounts are not compared."""
    return tuple(_all(before, after))


def _all(before: Basket, after: Basket) -> Iterator[str]:
    yield from _fields("basket", written(before, "basket", BASKET), written(after, "basket", BASKET))
    old, new = ({each.name: each for each in basket.strategies} for basket in (before, after))
    for name in [each for each in old if each not in new]:
        yield f"strategy {name} is gone"
    for name, strategy in new.items():
        if name in old:
            yield from _of_strategy(old[name], strategy)
        else:
            yield f"strategy {name} is new: {strategy.underlying}, {len(strategy.legs)} legs, {_times(strategy)}"


def _times(strategy: Strategy) -> str:
    return f"{strategy.schedule.entry_at:%H:%M:%S} to {strategy.schedule.exit_at:%H:%M:%S}"


def _of_strategy(before: Strategy, after: Strategy) -> Iterator[str]:
    place = f"strategy {after.name}"
    yield from _fields(place, written(before, "strategy", STRATEGY), written(after, "strategy", STRATEGY))
    old, new = ({leg.id: written(leg, "leg", LEG) for leg in each.legs} for each in (before, after))
    for leg in [each for each in old if each not in new]:
        yield f"{place}, leg {leg} is gone: {_leg(old[leg])}"
    for leg, table in new.items():
        if leg in old:
            yield from _fields(f"{place}, leg {leg}", old[leg], table)
        else:
            yield f"{place}, leg {leg} is new: {_leg(table)}"
    kept = [leg for leg in old if leg in new]
    if kept != [leg for leg in new if leg in old]:
        yield f"{place}: its legs are in another order: {', '.join(new)}"


def _leg(table: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {_value(value)}" for key, value in table.items() if key != "id")


def _fields(place: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key in [*before, *(key for key in after if key not in before)]:
        if key in ("name", "id") or before.get(key) == after.get(key):
            continue
        yield f"{place}, {key}: {_value(before.get(key))} → {_value(after.get(key))}"


def _value(value: object) -> str:
    if value is None:
        return NOT_SET
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_value(each) for each in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(each)}" for key, each in value.items()) or "none"
    return display(str(value), 120)
