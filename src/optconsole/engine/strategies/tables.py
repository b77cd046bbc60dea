"""The fields of a basket's file, table by table. Their order is the order in which they are written."""

from __future__ import annotations

from datetime import time
from typing import Any, Final

from optconsole.engine.model.baskets import Allocation, Basket, Pace, Rounding
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.strategies import (
    CostShift,
    ExitOnExpiry,
    Holding,
    Leg,
    Misfire,
    OnFailure,
    Schedule,
    SquareOff,
    Strategy,
)
from optconsole.engine.model.strikes import PriceKind, Reference
from optconsole.engine.strategies import leg_text, overall_text, strike_text, trigger_text
from optconsole.engine.strategies.amounts import MEASURE_HINT, BadText, read_measure, write_measure
from optconsole.engine.strategies.fields import (
    Field,
    as_text,
    clock_time,
    days,
    decimal,
    flag,
    many,
    name,
    note,
    numbers,
    span,
    text,
    weekdays,
    whole,
    word,
)

LEG_NAME: Final = r"(?!(?:x\d*|after|from|until|wait|reverse|all)$)[a-z0-9][a-z0-9-]{0,15}"
"""Not one of the words that follow a leg's name in a re-entry."""
_LEG_HINT: Final = "a leg is called by up to 16 of a-z, 0-9 and -, and not after, from, until, wait, reverse, all or x1"
_NAME_HINT: Final = "use up to 40 letters, digits, spaces and . _ & -"
_UNDERLYING: Final = r"[A-Z0-9&-]{1,20}"


def _right(given: object) -> Right | None:
    spelled = as_text(given).strip().upper()
    if spelled == "FUT":
        return None
    if spelled not in tuple(Right):
        raise BadText(f"{spelled[:20]!r} is no kind of contract; write CE, PE or FUT")
    return Right(spelled)


def _leg_name(spelled: str) -> str:
    found: str = name("", "", _LEG_HINT, LEG_NAME).read(spelled)
    return found


def _span_percent(low: int | None, high: int | None) -> str:
    return trigger_text.write_span(low, high, "%")


BASKET: Final[tuple[Field, ...]] = (
    name("name", "name", _NAME_HINT),
    decimal("capital", "capital", "give rupees"),
    decimal("max_loss", "max_loss", "give rupees a day"),
    word("pace", "pace", Pace),
    whole("stagger_ms", "stagger_ms", 0, 60_000),
    note("note", "note"),
)


def _lots(given: object) -> dict[str, int]:
    if not isinstance(given, dict):
        raise BadText("write a table of legs and lots, like { ce = 2 }")
    single = whole("lots", "lots", 0, 1000)
    return {_leg_name(leg): single.read(lots) for leg, lots in given.items()}


ACCOUNT: Final[tuple[Field, ...]] = (
    name("name", "account", _NAME_HINT),
    decimal("multiplier", "multiplier", "give a number such as 1 or 1.5"),
    whole("priority", "priority", 1, 99),
    whole("max_lots", "max_lots", 1, 10_000),
    word("rounding", "rounding", Rounding),
    Field("lots", ("lots",), _lots, dict, "write a table of legs and lots, like { ce = 2 }"),
    name("group", "group", _NAME_HINT),
    flag("enabled", "enabled"),
)

_SCHEDULE: Final[tuple[Field, ...]] = (
    clock_time("entry", "schedule.entry_at"),
    clock_time("exit", "schedule.exit_at"),
    word("holding", "schedule.holding", Holding),
    whole("grace", "schedule.grace", 1, 3600),
    word("misfire", "schedule.misfire", Misfire),
    weekdays("weekdays", "schedule.weekdays"),
    numbers("dte", "schedule.dte", 0, 250),
    days("dates", "schedule.dates"),
    days("except_dates", "schedule.except_dates"),
    numbers("months", "schedule.months", 1, 12),
    flag("non_expiry_only", "schedule.non_expiry_only"),
    flag("expiry_only", "schedule.expiry_only"),
    flag("first_day_of_month", "schedule.first_day_of_month"),
    flag("last_day_of_month", "schedule.last_day_of_month"),
    whole("entry_dte", "schedule.entry_dte", 0, 250),
    whole("exit_dte", "schedule.exit_dte", 0, 250),
    word("exit_on_expiry", "schedule.exit_on_expiry", ExitOnExpiry),
    clock_time("watch_from", "schedule.watch_from"),
    clock_time("no_entry_after", "schedule.no_entry_after"),
    clock_time("no_reentry_after", "schedule.no_reentry_after"),
)
_ENTRY: Final[tuple[Field, ...]] = (
    text("momentum", "entry.momentum", trigger_text.read_momentum, trigger_text.write_momentum, "write +20 or -5%"),
    text("range", "entry.range", trigger_text.read_range, trigger_text.write_range, trigger_text.RANGE_HINT),
    text("level", "entry.level", trigger_text.read_level_trigger, trigger_text.write_level_trigger),
    text("straddle", "entry.straddle", trigger_text.read_straddle, trigger_text.write_straddle),
    many(
        "indicators",
        "entry.indicators",
        trigger_text.read_indicator,
        trigger_text.write_indicator,
        trigger_text.INDICATOR_HINT,
    ),
    span("vix", "entry.filters.vix_min", "entry.filters.vix_max", trigger_text.read_span, trigger_text.write_span),
    span("gap", "entry.filters.gap_min", "entry.filters.gap_max", trigger_text.read_span, _span_percent),
    span("moved", "entry.filters.move_min", "entry.filters.move_max", trigger_text.read_span, _span_percent),
    days("blackout", "entry.filters.blackout"),
    flag("only_if_flat", "entry.filters.only_if_flat"),
    decimal("min_free_margin", "entry.filters.min_free_margin", "give rupees"),
    decimal("max_spread", "entry.filters.max_spread", "give percent of the middle"),
    name("signal", "entry.signal", _NAME_HINT),
    whole("approve_within", "entry.approve_within", 1, 86_400),
)


def _pnl(given: object) -> bool:
    spelled = as_text(given).strip().lower()
    if spelled not in ("gross", "net"):
        raise BadText(f"{spelled[:20]!r} is not known; write gross or net")
    return spelled == "net"


_OVERALL: Final[tuple[Field, ...]] = (
    text("stop", "overall.stop", overall_text.read_level, overall_text.write_level, overall_text.LEVEL_HINT),
    text("target", "overall.target", overall_text.read_level, overall_text.write_level, overall_text.LEVEL_HINT),
    text("trail", "overall.trail", overall_text.read_overall_trail, overall_text.write_overall_trail),
    text("lock", "overall.lock", overall_text.read_profit_lock, overall_text.write_profit_lock, overall_text.LOCK_HINT),
    many("ladder", "overall.ladder", overall_text.read_rung, overall_text.write_rung, "write 5000: 50%"),
    text("band", "overall.band", overall_text.read_band, overall_text.write_band, overall_text.BAND_HINT),
    text("greeks", "overall.greeks", overall_text.read_greeks, overall_text.write_greeks),
    text("on_stop", "overall.on_stop", overall_text.read_again, overall_text.write_again, overall_text.AGAIN_HINT),
    text("on_target", "overall.on_target", overall_text.read_again, overall_text.write_again, overall_text.AGAIN_HINT),
    Field("pnl", ("overall.net",), _pnl, lambda net: "net" if net else "gross", "write gross or net"),
    whole("settle", "overall.settle", 0, 3600),
)
_EXECUTION: Final[tuple[Field, ...]] = (
    whole("patience", "execution.patience", 1, 3600),
    whole("retries", "execution.retries", 0, 20),
    word("on_failure", "execution.on_failure", OnFailure),
    flag("hedge_first", "execution.hedge_first"),
    flag("broker_stop", "execution.broker_stop"),
)


def _params(given: object) -> dict[str, Any]:
    if not isinstance(given, dict) or not all(isinstance(each, str | int | float | bool) for each in given.values()):
        raise BadText("write a table of numbers, words, true or false")
    return dict(given)


STRATEGY: Final[tuple[Field, ...]] = (
    name("name", "name", _NAME_HINT),
    name("underlying", "underlying", "write an underlying such as NIFTY", _UNDERLYING),
    *_SCHEDULE,
    word("reference", "reference", Reference),
    word("product", "product", Product),
    *_ENTRY,
    *_OVERALL,
    word("square_off", "square_off", SquareOff),
    word("move_to_cost", "move_to_cost", CostShift),
    *_EXECUTION,
    whole("reentry_shared_max", "reentry_shared_max", 1, 100),
    note("note", "note"),
    name("plugin", "plugin", "name a registered strategy", r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}"),
    Field("params", ("params",), _params, dict, "write a table of numbers, words, true or false"),
)

LEG: Final[tuple[Field, ...]] = (
    name("id", "id", _LEG_HINT, LEG_NAME),
    word("side", "side", Side, {"buy": "BUY", "sell": "SELL"}),
    Field("right", ("right",), _right, lambda right: "FUT" if right is None else right.value, "write CE, PE or FUT"),
    whole("lots", "lots", 1, 1000),
    text("strike", "strike", strike_text.read_strike, strike_text.write_strike, strike_text.STRIKE_HINT),
    text("expiry", "expiry", strike_text.read_expiry, strike_text.write_expiry, strike_text.EXPIRY_HINT),
    word("price", "price", PriceKind),
    text("liquidity", "liquidity", strike_text.read_liquidity, strike_text.write_liquidity, strike_text.LIQUIDITY_HINT),
    name("account", "account", _NAME_HINT),
    flag("lazy", "lazy"),
    many("hedges", "hedges", _leg_name, str, _LEG_HINT),
    text("wait", "wait", leg_text.read_wait, leg_text.write_wait, leg_text.WAIT_HINT),
    text("breakout", "breakout", leg_text.read_breakout, leg_text.write_breakout, "write high or low"),
    text("stop", "stop", leg_text.read_stop, leg_text.write_stop, leg_text.STOP_HINT),
    text("target", "target", read_measure, write_measure, MEASURE_HINT),
    text("trail", "trail", leg_text.read_trail, leg_text.write_trail, leg_text.TRAIL_HINT),
    text("breakeven", "breakeven", read_measure, write_measure, MEASURE_HINT),
    many("locks", "locks", leg_text.read_lock, leg_text.write_lock, "write 20: 10"),
    text("watch", "watch", leg_text.read_watch, leg_text.write_watch, "write ltp, mid or minute-close"),
    text("spike", "spike", leg_text.read_spike, leg_text.write_spike, "write 5% 1500ms"),
    clock_time("exit", "exit_at"),
    text("on_stop", "on_stop", leg_text.read_reentry, leg_text.write_reentry, leg_text.REENTRY_HINT),
    text("on_target", "on_target", leg_text.read_reentry, leg_text.write_reentry, leg_text.REENTRY_HINT),
    flag("with_hedge", "with_hedge"),
)

PLAIN_SCHEDULE: Final = Schedule(entry_at=time(), exit_at=time())
PLAIN: Final[dict[str, object]] = {
    "basket": Basket(name=""),
    "account": Allocation(account=""),
    "strategy": Strategy(name="", underlying="", schedule=PLAIN_SCHEDULE),
    "leg": Leg(id="", side=Side.BUY),
}
"""What a table with nothing in it means."""
NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "basket": ("name",),
    "account": ("name",),
    "strategy": ("name", "underlying", "entry", "exit"),
    "leg": ("id", "side", "right"),
}
"""Keys that a table cannot do without; they are always written."""
