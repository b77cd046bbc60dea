"""Numbers as text: the only formatting code. Pure, and without a terminal.

Indian grouping, prices with two decimals, a sign on every profit, zero as ``0``, unknown as ``–`` (never 0.00).
Every amount of money comes in as integer paise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import ContractName, parse_contract
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import IST

LAKH: Final = 100_000
CRORE: Final = 10_000_000
_EIGHTHS: Final = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def sign_role(value: float | None) -> str:
    """The colour role of a signed figure: ``up``, ``down``, or plain for zero and unknown."""
    if value is None:
        return "unknown"
    return "up" if value > 0 else "down" if value < 0 else "dim"


def age_role(seconds: float | None, stale_after: float = 5.0) -> str:
    """The colour role of an age: quiet while fresh, ``stale`` beyond ``stale_after`` seconds."""
    if seconds is None:
        return "unknown"
    return "stale" if seconds > stale_after else "dim"


def known_role(value: object) -> str:
    """Plain for a value, ``unknown`` for None."""
    return "unknown" if value is None else ""


@dataclass(frozen=True, slots=True)
class Formats:
    """Formatting in one of two alphabets: the full one, or ASCII for terminals without Unicode."""

    ascii: bool = False

    @property
    def minus(self) -> str:
        return "-" if self.ascii else "\u2212"

    @property
    def unknown(self) -> str:
        return "-" if self.ascii else "–"

    @property
    def ellipsis(self) -> str:
        return "~" if self.ascii else "…"

    def glyph(self, full: str, plain: str) -> str:
        """``full``, or ``plain`` where the terminal knows only ASCII."""
        return plain if self.ascii else full

    # ------------------------------------------------------------ whole numbers

    def grouped(self, number: int) -> str:
        """``12,34,567``: the last three digits, then pairs."""
        digits = str(abs(number))
        if len(digits) > 3:
            head, tail = digits[:-3], digits[-3:]
            pairs = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)]
            digits = ",".join([*reversed(pairs), tail])
        return self.minus + digits if number < 0 else digits

    def count(self, number: int | None) -> str:
        """A quantity in full below one lakh, else compact: ``98,750``, ``4.56 L``, ``1.23 Cr``."""
        if number is None:
            return self.unknown
        return self._compact(number) if abs(number) >= LAKH else self.grouped(number)

    def change(self, number: int | None) -> str:
        """A signed quantity, compact above one lakh."""
        if number is None:
            return self.unknown
        return f"+{self.count(number)}" if number > 0 else self.count(number)

    def _compact(self, number: float) -> str:
        size, unit = (CRORE, "Cr") if abs(number) >= CRORE else (LAKH, "L")
        shown = f"{abs(number) / size:.2f} {unit}"
        return self.minus + shown if number < 0 else shown

    # ------------------------------------------------------------ money

    def amount(self, paise: int | None) -> str:
        """``12,34,567.80``."""
        if paise is None:
            return self.unknown
        whole, part = divmod(abs(paise), 100)
        shown = f"{self.grouped(whole)}.{part:02d}"
        return self.minus + shown if paise < 0 else shown

    def price(self, paise: float | None) -> str:
        """A price, always with two decimals. An average may be a fraction of a paisa; it is rounded."""
        return self.unknown if paise is None else self.amount(round(paise))

    def money(self, paise: int | None) -> str:
        """Rupees without paise, compact from one lakh: ``98,750``, ``4.56 L``."""
        if paise is None:
            return self.unknown
        return self._compact(paise / 100) if abs(paise) >= LAKH * 100 else self.grouped(_rupees(paise))

    def pnl(self, paise: int | None) -> str:
        """Profit in whole rupees with its sign: ``+12,345``, ``−1,05,000``; zero is ``0``."""
        if paise is None:
            return self.unknown
        rupees = _rupees(paise)
        return f"+{self.grouped(rupees)}" if rupees > 0 else self.grouped(rupees)

    def pnl_compact(self, paise: int | None) -> str:
        """Profit with its sign, compact from one lakh: ``−1.05 L``."""
        if paise is None:
            return self.unknown
        shown = self.money(paise)
        return f"+{shown}" if _rupees(paise) > 0 else shown

    def points(self, paise: int | None) -> str:
        """A signed price difference: ``+3.25``."""
        if paise is None:
            return self.unknown
        if paise == 0:
            return "0.00"
        return f"+{self.amount(paise)}" if paise > 0 else self.amount(paise)

    # ------------------------------------------------------------ ratios and Greeks

    def fixed(self, value: float | None, decimals: int = 2) -> str:
        """A plain figure with fixed decimals; NaN is as unknown as None. Never ``-0.00``."""
        if value is None or math.isnan(value):
            return self.unknown
        shown = f"{abs(value):.{decimals}f}"
        return self.minus + shown if value < 0 and float(shown) else shown

    def percent(self, ratio: float | None, decimals: int = 2) -> str:
        """``+0.42%`` of 0.0042."""
        if ratio is None or math.isnan(ratio):
            return self.unknown
        shown = self.fixed(ratio * 100, decimals)
        return f"+{shown}%" if ratio > 0 else f"{shown}%"

    def trend(self, ratio: float | None) -> str:
        """``▲0.42%``: the arrow says what the colour says."""
        if ratio is None or math.isnan(ratio):
            return self.unknown
        return f"{self.arrow(ratio)}{abs(ratio) * 100:.2f}%"

    def arrow(self, value: float) -> str:
        if value > 0:
            return self.glyph("▲", "^")
        return self.glyph("▼", "v") if value < 0 else self.glyph("·", "=")

    def iv(self, volatility: float | None) -> str:
        """Volatility in percent with two decimals and no sign: ``13.42`` of 0.1342."""
        return self.fixed(None if volatility is None else volatility * 100)

    def delta(self, value: float | None) -> str:
        return self.fixed(value)

    def gamma(self, value: float | None) -> str:
        return self.fixed(value, 5)

    def theta(self, value: float | None) -> str:
        return self.fixed(value)

    def vega(self, value: float | None) -> str:
        return self.fixed(value)

    # ------------------------------------------------------------ quantity and contracts

    def lots(self, qty: int | None, lot: int) -> str:
        """``2L (130)``: lots first, units in brackets; the sign is on the lots. Odd units show as a remainder."""
        if qty is None:
            return self.unknown
        if qty == 0 or lot <= 0:
            return self.grouped(qty)
        whole, rest = divmod(abs(qty), lot)
        text = f"{whole}L+{rest}" if rest else f"{whole}L"
        return f"{self.minus if qty < 0 else ''}{text} ({self.grouped(abs(qty))})"

    def strike(self, paise: int) -> str:
        """``24500``, or ``24500.50`` where the strike has paise: never grouped, as in the contract's name."""
        whole, part = divmod(paise, 100)
        return str(whole) if part == 0 else f"{whole}.{part:02d}"

    def expiry(self, day: date, this_year: int | None = None) -> str:
        """``18Nov``; with the year where it is not ``this_year``."""
        short = f"{day.day:02d}{_MONTHS[day.month - 1]}"
        return short if this_year is None or day.year == this_year else f"{short}{day.year % 100:02d}"

    def contract(self, name: str, this_year: int | None = None) -> str:
        """``NIFTY 18Nov 24500 CE`` of a canonical name; any other text is shown as it is, made safe."""
        read = _read(name)
        if read is None or read.expiry is None:
            return display(name)
        tail = "FUT" if read.strike is None or read.right is None else f"{self.strike(read.strike)} {read.right}"
        return f"{read.underlying} {self.expiry(read.expiry, this_year)} {tail}"

    def dte(self, days: int) -> str:
        """``D0`` on the day of expiry."""
        return f"D{days}"

    # ------------------------------------------------------------ time

    def age(self, seconds: float | None) -> str:
        """``0.2s``, ``12s``, ``3m``, ``2h``, ``4d``: an age in the coarsest unit that still tells."""
        if seconds is None:
            return self.unknown
        seconds = max(seconds, 0.0)
        if seconds < 9.95:
            return f"{seconds:.1f}s"
        for limit, size, unit in ((120, 1, "s"), (7_200, 60, "m"), (172_800, 3_600, "h")):
            if seconds < limit:
                return f"{int(seconds // size)}{unit}"
        return f"{int(seconds // 86_400)}d"

    def clock(self, moment: datetime | None) -> str:
        """``09:20:07``, always IST."""
        return self.unknown if moment is None else moment.astimezone(IST).strftime("%H:%M:%S")

    def calendar(self, moment: datetime) -> str:
        """``Mon 23 Nov 09:20:07 IST``; English whatever the locale."""
        at = moment.astimezone(IST)
        return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at:%H:%M:%S} IST"

    def countdown(self, seconds: float | None) -> str:
        """``−6:19:53``: what is left."""
        if seconds is None:
            return self.unknown
        left = max(math.ceil(seconds), 0)
        hours, rest = divmod(left, 3600)
        return f"{self.minus}{hours}:{rest // 60:02d}:{rest % 60:02d}"

    def latency(self, millis: float | None) -> str:
        """``3ms``; below ten with one decimal, from a second on in seconds."""
        if millis is None:
            return self.unknown
        if millis < 9.95:
            return f"{millis:.1f}ms"
        return f"{millis:.0f}ms" if millis < 1000 else f"{millis / 1000:.1f}s"

    # ------------------------------------------------------------ shapes and text

    def bar(self, share: float | None, width: int, *, rightward: bool = True) -> str:
        """A bar of ``share`` (0..1) of ``width`` cells, growing to the right or, padded, to the left."""
        if share is None or width <= 0:
            return " " * max(width, 0)
        eighths = round(min(max(share, 0.0), 1.0) * width * 8)
        if self.ascii or not rightward:
            # blocks that grow leftwards exist as halves only
            halves = round(eighths / 4)
            full, half = divmod(halves, 2)
            body, edge = ("#", "") if self.ascii else ("█", "▐")
            drawn = (edge if half else "") + body * full
            return drawn.ljust(width) if rightward else drawn.rjust(width)
        full, rest = divmod(eighths, 8)
        return ("█" * full + _EIGHTHS[rest]).ljust(width)

    def text(self, outside: str) -> str:
        """Text from outside: control, bidirectional and invisible characters become marks."""
        shown = display(outside)
        return shown.encode("ascii", "replace").decode() if self.ascii else shown


@lru_cache(maxsize=4096)
def _read(name: str) -> ContractName | None:
    """The parts of a canonical name of a contract that expires; None for any other text."""
    if name.count(" ") not in (2, 3):
        return None
    try:
        return parse_contract(name)
    except Refusal:
        return None


def _rupees(paise: int) -> int:
    """Whole rupees, halves away from zero: what a trader expects of 0.50."""
    rupees = (abs(paise) + 50) // 100
    return -rupees if paise < 0 else rupees


FULL: Final = Formats()
