"""Noren's words for what the exchange means, and its ways of writing money and time. Every value is a string."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.timeline import IST, from_millis

SIDES: Final = {"B": Side.BUY, "S": Side.SELL}
PRICE_TYPES: Final = {"LMT": OrderType.LIMIT, "SL-LMT": OrderType.SL}
MARKET_TYPES: Final = frozenset({"MKT", "SL-MKT"})
OTHER_TYPES: Final = frozenset({"DS", "2L", "3L"})
PRODUCTS: Final = {"M": Product.NRML, "I": Product.MIS}
OTHER_PRODUCTS: Final = frozenset({"C", "H", "B", "F"})
RETENTIONS: Final = {"DAY": Validity.DAY, "EOS": Validity.DAY, "IOC": Validity.IOC}

SIDE_WORD: Final = {side: word for word, side in SIDES.items()}
TYPE_WORD: Final = {kind: word for word, kind in PRICE_TYPES.items()}
PRODUCT_WORD: Final = {product: word for word, product in PRODUCTS.items()}
PRODUCT_ALIAS: Final = {"M": "NRML", "I": "MIS", "C": "CNC", "H": "CO", "B": "BO"}
RETENTION_WORD: Final = {Validity.DAY: "DAY", Validity.IOC: "IOC"}
RIGHT_LETTER: Final = {Right.CALL: "C", Right.PUT: "P"}

STATUS_WORD: Final = {
    OrderStatus.OPEN: "OPEN",
    OrderStatus.PARTIAL: "OPEN",
    OrderStatus.TRIGGER_PENDING: "TRIGGER_PENDING",
    OrderStatus.FILLED: "COMPLETE",
    OrderStatus.CANCELLED: "CANCELED",
    OrderStatus.EXPIRED: "CANCELED",
    OrderStatus.REJECTED: "REJECTED",
}
"""A partly filled order is OPEN with fillshares; what the exchange expires it cancels."""

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
NO_EXCHANGE_TIME: Final = "01-01-1980 00:00:00"


def money(paise: int) -> str:
    """Paise as rupees with two decimals."""
    sign = "-" if paise < 0 else ""
    return f"{sign}{abs(paise) // 100}.{abs(paise) % 100:02d}"


def strike_text(paise: int) -> str:
    """A strike in rupees without needless decimals."""
    return str(paise // 100) if paise % 100 == 0 else money(paise)


def percent(value: int, base: int) -> str:
    """How far ``value`` is from ``base`` in percent, two decimals."""
    return f"{(value - base) * 100 / base:.2f}" if base else "0.00"


def noren_time(moment: datetime) -> str:
    """``HH:MM:SS DD-MM-YYYY``, the form of request_time and norentm."""
    return f"{moment.astimezone(IST):%H:%M:%S %d-%m-%Y}"


def exchange_time(moment: datetime) -> str:
    """``DD-MM-YYYY HH:MM:SS``, the form of exch_tm and fltm."""
    return f"{moment.astimezone(IST):%d-%m-%Y %H:%M:%S}"


def epoch(moment: datetime) -> str:
    """Whole epoch seconds."""
    return str(int(moment.timestamp()))


def epoch_of(stamp: int) -> str:
    """Whole epoch seconds of epoch milliseconds."""
    return str(stamp // 1000)


def clock_of(stamp: int) -> str:
    """``HH:MM:SS`` in India of epoch milliseconds."""
    return f"{from_millis(stamp):%H:%M:%S}"


def day_text(day: date) -> str:
    """``24-NOV-2026``."""
    return f"{day.day:02d}-{MONTHS[day.month - 1]}-{day.year}"


def short_day(day: date) -> str:
    """``24NOV26``, as in symbols of NFO."""
    return f"{day.day:02d}{MONTHS[day.month - 1]}{day.year % 100:02d}"
