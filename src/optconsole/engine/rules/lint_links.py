"""What legs say about one another: which are armed, which protect, which strike is measured from which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from optconsole.engine.model.strategies import MOST_LEGS, Leg, Strategy
from optconsole.engine.model.strikes import MatchStrike, RelativeStrike
from optconsole.engine.rules.faults import Fault, Faults


def count(strategy: Strategy) -> Faults:
    """One to ten legs, of which at least one enters by itself; a plug-in may have none."""
    if len(strategy.legs) > MOST_LEGS:
        yield Fault("TOO_MANY_LEGS", "legs", f"{len(strategy.legs)} legs are too many; give at most {MOST_LEGS}.")
    if strategy.plugin:
        return
    if not strategy.legs:
        yield Fault("NO_LEGS", "legs", "A strategy needs a leg, or a plug-in that decides in place of legs.")
    elif all(leg.lazy for leg in strategy.legs):
        yield Fault("NEVER_ENTERED", "legs", "All legs are lazy, so none would ever arm the others; make one not lazy.")


def names(strategy: Strategy) -> Faults:
    """No two legs of one name."""
    seen: set[str] = set()
    for place, leg in enumerate(strategy.legs):
        if leg.id in seen:
            yield Fault("DUPLICATE_ID", f"legs[{place}].id", f"Another leg is called {leg.id} already.")
        seen.add(leg.id)


def hedges(strategy: Strategy) -> Faults:
    """Hedges protect other legs that are there, and never one another in a circle."""
    graph = {leg.id: leg.hedges for leg in strategy.legs}
    for place, leg in enumerate(strategy.legs):
        path = f"legs[{place}].hedges"
        yield from _unknown(strategy, leg, leg.hedges, path)
        if leg.id in _reached(graph, leg.id):
            yield Fault("CIRCLE", path, f"Leg {leg.id} would protect itself by way of other legs; end the circle.")
        if leg.with_hedge and not any(leg.id in other.hedges for other in strategy.legs):
            yield Fault(
                "NO_HEDGE", f"legs[{place}].with_hedge", f"No leg protects {leg.id}, so there is none to close."
            )


def arms(strategy: Strategy) -> Faults:
    """Re-entries arm lazy legs, each lazy leg is armed by some other leg, and none arms itself in a circle."""
    lazy = {leg.id for leg in strategy.legs if leg.lazy}
    graph = {leg.id: _armed(leg) for leg in strategy.legs}
    for place, leg in enumerate(strategy.legs):
        for field, again in (("on_stop", leg.on_stop), ("on_target", leg.on_target)):
            armed = again.arms if again is not None else ()
            path = f"legs[{place}].{field}.arms"
            yield from _unknown(strategy, leg, armed, path)
            for other in armed:
                if other != leg.id and strategy.leg(other) is not None and other not in lazy:
                    yield Fault("NOT_LAZY", path, f"Leg {other} is entered by itself; only lazy legs can be armed.")
        if leg.id in _reached(graph, leg.id):
            yield Fault("CIRCLE", f"legs[{place}]", f"Leg {leg.id} arms itself by way of other legs; end the circle.")
    if strategy.plugin:
        return  # a registered strategy enters lazy legs itself
    awake = _reached(graph, *(leg.id for leg in strategy.legs if not leg.lazy))
    for place, leg in enumerate(strategy.legs):
        if leg.lazy and leg.id not in awake:
            yield Fault("NEVER_ENTERED", f"legs[{place}].lazy", f"No leg that is entered arms the lazy leg {leg.id}.")


def references(strategy: Strategy) -> Faults:
    """A strike is measured from an option leg that has its strike before."""
    places = {leg.id: place for place, leg in enumerate(strategy.legs)}
    for place, leg in enumerate(strategy.legs):
        if leg.right is None or not isinstance(leg.strike, RelativeStrike | MatchStrike):
            continue
        path = f"legs[{place}].strike.leg"
        name = leg.strike.leg
        yield from _unknown(strategy, leg, (name,), path)
        other = strategy.leg(name)
        if other is None or name == leg.id:
            continue
        if other.right is None:
            yield Fault("NO_STRIKE", path, f"Leg {name} is a future and has no strike; name an option.")
        elif other.lazy and not leg.lazy:
            yield Fault("LAZY_REFERENCE", path, f"Leg {name} is lazy and has no strike when this one is entered.")
        elif other.lazy == leg.lazy and places[name] > place:
            yield Fault("LATER_LEG", path, f"Leg {name} comes later; legs get their strikes in order, so move it up.")


def indicator_legs(strategy: Strategy) -> Faults:
    """An indicator looks at a leg that is there and is entered by itself."""
    for place, indicator in enumerate(strategy.entry.indicators):
        leg = strategy.leg(indicator.leg) if indicator.leg else None
        if indicator.leg and (leg is None or leg.lazy):
            yield Fault(
                "UNKNOWN_LEG",
                f"entry.indicators[{place}].leg",
                f"No leg {indicator.leg} is entered by itself; {_there(strategy)}.",
            )


LINK_RULES: Final[tuple[Callable[[Strategy], Faults], ...]] = (
    count,
    names,
    hedges,
    arms,
    references,
    indicator_legs,
)


def _armed(leg: Leg) -> tuple[str, ...]:
    return tuple(name for again in (leg.on_stop, leg.on_target) if again is not None for name in again.arms)


def _unknown(strategy: Strategy, leg: Leg, named: Iterable[str], path: str) -> Faults:
    for name in named:
        if name == leg.id:
            yield Fault("SELF_REFERENCE", path, f"Leg {name} names itself; {_there(strategy)}.")
        elif strategy.leg(name) is None:
            yield Fault("UNKNOWN_LEG", path, f"There is no leg {name}; {_there(strategy)}.")


def _reached(graph: Mapping[str, tuple[str, ...]], *starts: str) -> set[str]:
    """All that is named from the starts, directly or by way of others; naming oneself directly does not count."""
    found: set[str] = set()
    waiting = [(start, name) for start in starts for name in graph.get(start, ()) if name != start]
    while waiting:
        _, name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [(name, other) for other in graph.get(name, ()) if other != name]
    return found


def _there(strategy: Strategy) -> str:
    return "the legs are " + ", ".join(leg.id for leg in strategy.legs)
