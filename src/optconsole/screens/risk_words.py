"""Facts about limits and trading states as a trader would say them."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.model.limits import UNITS, Limit, Standing, scope_key
from optconsole.engine.model.positions import Basis
from optconsole.screens.formats import Formats
from optconsole.screens.limit_words import value_text


def risk_text(event: ev.Event, fmt: Formats) -> tuple[str, str] | None:
    """Text and colour role; None for facts about something else."""
    match event:
        case ev.LimitsSeeded():
            return f"Begins with {len(event.limits)} limits from the configuration", "dim"
        case ev.LimitSet():
            return _set(event, fmt), "warn" if event.loosened else ""
        case ev.LimitRemoved():
            return f"Limit taken away: {_limit(event.before, fmt)}{_why(event.why, fmt)}", "warn"
        case ev.LimitWarned():
            return f"{event.step} % of the {_named(event, fmt)} are used", "warn"
        case ev.LimitBroken():
            return f"The {_named(event, fmt)} is reached: {event.action.value}", "bad"
        case ev.ContractsMarked() | ev.ProfitPeaked():
            return _profit_text(event, fmt), "dim"
        case ev.ProfitLost():
            scope = fmt.text(scope_key(event.level, event.name))
            return f"The profit of {scope} is unknown: no price of {fmt.text(event.contract)}", "bad"
        case ev.ProfitSeen():
            return f"The profit of {fmt.text(scope_key(event.level, event.name))} is known again", ""
        case ev.TradingStateChanged():
            until = "" if event.until is None else f" until {event.until:%H:%M}"
            scope = fmt.text(scope_key(event.level, event.name))
            role = "good" if event.standing is Standing.ACTIVE else "bad"
            return f"{scope} is {event.standing.value}{until}{_why(event.why, fmt)}", role
        case _:
            return None


def _profit_text(event: ev.ContractsMarked | ev.ProfitPeaked, fmt: Formats) -> str:
    if isinstance(event, ev.ProfitPeaked):
        return f"The profit of {fmt.text(scope_key(event.level, event.name))} is {fmt.money(event.profit)}"
    count = len(event.prices)
    contracts = "1 contract" if count == 1 else f"{count} contracts"
    match event.basis:
        case Basis.CLOSE:
            return f"The day ends for {contracts}: tomorrow's profit counts from here"
        case Basis.PREVIOUS:
            return f"Today's profit of {contracts} counts from the exchange's close"
        case Basis.FIRST:
            return f"No close of {contracts} is known: today's profit counts from the first price"


def _set(event: ev.LimitSet, fmt: Formats) -> str:
    before = "" if event.before is None else f", was {_value(event.before, fmt)}"
    verb = "Limit loosened" if event.loosened else "Limit set"
    return f"{verb}: {_limit(event.limit, fmt)}{before}{_why(event.why, fmt)}"


def _limit(limit: Limit, fmt: Formats) -> str:
    return f"{fmt.text(limit.scope)} {limit.kind.value} {_value(limit, fmt)}, {limit.action.value}"


def _value(limit: Limit, fmt: Formats) -> str:
    return value_text(UNITS[limit.kind], limit.value, limit.second, fmt)


def _named(event: ev.LimitEvent, fmt: Formats) -> str:
    return f"{event.kind.value} of {fmt.text(scope_key(event.level, event.name))}"


def _why(why: str, fmt: Formats) -> str:
    return f" ({fmt.text(why)})" if why else ""
