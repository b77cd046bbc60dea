"""What Kite calls the day's contracts: exchange, symbol, token, and the file that lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from optconsole.brokers.rehearsal.tokens import Tokens
from optconsole.engine.model.instruments import Instrument, Kind

HEADER: Final = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)
INDICES: Final = {
    "NIFTY": ("NIFTY 50", 1001),
    "BANKNIFTY": ("NIFTY BANK", 1016),
    "FINNIFTY": ("NIFTY FIN SERVICE", 1007),
    "MIDCPNIFTY": ("NIFTY MID SELECT", 1125),
    "NIFTYNXT50": ("NIFTY NEXT 50", 1054),
    "INDIAVIX": ("INDIA VIX", 1035),
    "SENSEX": ("SENSEX", 1),
    "BANKEX": ("BANKEX", 1073),
}
"""Symbol and exchange token as the broker's own file has them."""
_DERIVATIVES: Final = {"NSE": "NFO", "BSE": "BFO"}
_CODES: Final = {"NFO": 2, "BFO": 5}
_INDEX_CODE: Final = 9
_WEEK_MONTHS: Final = "123456789OND"
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True, slots=True)
class KiteContract:
    """One row of the file. ``token`` is the number of streams and candles."""

    instrument: Instrument
    exchange: str
    symbol: str
    exchange_token: int
    token: int
    segment: str

    @property
    def key(self) -> str:
        """As the quote calls name it."""
        return f"{self.exchange}:{self.symbol}"

    @property
    def kind(self) -> str:
        right, kind = self.instrument.right, self.instrument.kind
        return right.value if right is not None else "FUT" if kind is Kind.FUTURE else "EQ"


class KiteContracts:
    """The day's contracts by our name, by Kite's key and by token."""

    def __init__(self, listed: Iterable[Instrument]) -> None:
        instruments = list(listed)
        last = _month_ends(instruments)
        tokens = Tokens(
            [(each, _exchange(each)) for each in instruments], {name: token for name, (_, token) in INDICES.items()}
        )
        self.rows: list[KiteContract] = []
        for each in instruments:
            number = tokens.of(each.name)
            assert number is not None
            self.rows.append(_row(each, number, last))
        self._named = {row.instrument.name: row for row in self.rows}
        self._keyed = {row.key: row for row in self.rows}
        self._numbered = {row.token: row for row in self.rows}

    def of(self, name: str) -> KiteContract | None:
        return self._named.get(name)

    def at(self, exchange: str, symbol: str) -> KiteContract | None:
        return self._keyed.get(f"{exchange}:{symbol}")

    def keyed(self, key: str) -> KiteContract | None:
        return self._keyed.get(key)

    def numbered(self, token: int) -> KiteContract | None:
        return self._numbered.get(token)

    def csv(self, exchange: str | None, last_price: dict[str, int]) -> str:
        """The file, of one exchange or all; ``last_price`` in paise by our names."""
        rows = [row for row in self.rows if exchange is None or row.exchange == exchange]
        lines = [_line(row, last_price.get(row.instrument.name, 0)) for row in rows]
        return "\n".join((HEADER, *lines)) + "\n"


def _exchange(instrument: Instrument) -> str:
    if instrument.kind is Kind.INDEX:
        return instrument.exchange
    return _DERIVATIVES[instrument.exchange]


def _month_ends(instruments: Iterable[Instrument]) -> set[tuple[str, date]]:
    """The last expiry of each month of each underlying: those are named by the month alone."""
    ends: dict[tuple[str, int, int], date] = {}
    for each in instruments:
        if each.expiry is not None:
            month = (each.underlying, each.expiry.year, each.expiry.month)
            ends[month] = max(each.expiry, ends.get(month, each.expiry))
    return {(underlying, expiry) for (underlying, _, _), expiry in ends.items()}


def _row(instrument: Instrument, number: int, monthly: set[tuple[str, date]]) -> KiteContract:
    exchange = _exchange(instrument)
    if instrument.expiry is None:
        symbol, _ = INDICES.get(instrument.underlying, (instrument.underlying, 0))
        return KiteContract(instrument, exchange, symbol, number, number * 256 + _INDEX_CODE, "INDICES")
    day = instrument.expiry
    if (instrument.underlying, day) in monthly:
        expiry = f"{day.year % 100:02d}{_MONTHS[day.month - 1]}"
    else:
        expiry = f"{day.year % 100:02d}{_WEEK_MONTHS[day.month - 1]}{day.day:02d}"
    kind = "FUT" if instrument.right is None else f"{_plain(instrument.strike or 0)}{instrument.right.value}"
    segment = f"{exchange}-{'FUT' if instrument.right is None else 'OPT'}"
    symbol = f"{instrument.underlying}{expiry}{kind}"
    return KiteContract(instrument, exchange, symbol, number, number * 256 + _CODES[exchange], segment)


def _line(row: KiteContract, last: int) -> str:
    each = row.instrument
    name = row.symbol if each.kind is Kind.INDEX else f'"{each.underlying}"'
    expiry = "" if each.expiry is None else each.expiry.isoformat()
    strike = "0.0" if each.strike is None else _plain(each.strike)
    lot = 0 if each.kind is Kind.INDEX else each.lot
    tick = 0 if each.kind is Kind.INDEX else each.tick / 100
    cells = (row.token, row.exchange_token, row.symbol, name, last / 100, expiry, strike, tick, lot, row.kind)
    return ",".join(map(str, (*cells, row.segment, row.exchange)))


def _plain(paise: int) -> str:
    whole, part = divmod(paise, 100)
    return str(whole) if part == 0 else f"{paise / 100:.2f}".rstrip("0")
