"""The paper broker's ground truth: one SQLite file that survives a kill at any moment.

A step's orders, trades, positions, cash and counters go into one synchronous transaction; nothing is
acknowledged before it is committed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from optconsole.brokers.paper.orders import Batch, PaperOrder
from optconsole.brokers.paper.schema import (
    FINAL,
    ORDER,
    SCHEMA,
    SCHEMA_VERSION,
    SETTLEMENT,
    TRADE,
    bounds,
    insert_into,
    marks,
    order_of,
    settlement_of,
    trade_of,
    values_of,
)
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Product
from optconsole.engine.ports import BrokerTrade, Settlement


class LedgerBroken(Exception):
    """The ledger cannot be read or written; a step it did not take did not happen."""


class Ledger:
    """One connection, used from one thread. Raises Refusal(PAPER_LEDGER) when the file cannot serve.

    ``fault`` says why the last write failed; empty after one that did not.
    """

    def __init__(self, path: Path, account: str) -> None:
        self._path = path
        self.fault = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None)
            self._prepare(account)
        except (sqlite3.Error, OSError) as error:
            raise Refusal(
                "PAPER_LEDGER", f"The paper ledger {path} cannot be used ({error}); move it away or repair the disk."
            ) from error

    def _prepare(self, account: str) -> None:
        db = self._db
        # a ledger is read at its start and then only added to: 512 KiB of pages are all it may keep in memory
        settings = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=2000", "cache_size=-512")
        for pragma in settings:
            db.execute(f"PRAGMA {pragma}")
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version == 0:
            db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
        elif version != SCHEMA_VERSION:
            raise Refusal(
                "PAPER_LEDGER",
                f"The paper ledger {self._path} has format {version}, this program reads {SCHEMA_VERSION};"
                " use the program that wrote it or move the file away.",
            )
        db.execute("INSERT OR IGNORE INTO owner VALUES (1, ?)", (account,))
        owner = db.execute("SELECT account FROM owner").fetchone()[0]
        if owner != account:
            raise Refusal(
                "PAPER_LEDGER", f"The paper ledger {self._path} belongs to account {owner!r}, not {account!r}."
            )

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def commit(self, batch: Batch) -> None:
        """Make one step durable. Raises LedgerBroken; the step is then undone."""
        self._transact(lambda: self._write(batch))

    def _transact(self, write: Callable[[], object]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            write()
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self.fault = f"The paper ledger {self._path} cannot be written: {error}."
            raise LedgerBroken(self.fault) from error
        self.fault = ""

    def _write(self, batch: Batch) -> None:
        db = self._db
        assignments = ",".join(f"{field}=excluded.{field}" for field in ORDER[1:])
        db.executemany(
            f"INSERT INTO orders ({','.join(ORDER)}) VALUES ({marks(ORDER)})"  # noqa: S608 - constant names
            f" ON CONFLICT (broker_id) DO UPDATE SET {assignments}",
            [values_of(order, ORDER) for order in batch.orders],
        )
        db.executemany(insert_into("trades", TRADE), [values_of(row, TRADE) for row in batch.trades])
        db.executemany(
            insert_into("settlements", SETTLEMENT), [values_of(row, SETTLEMENT) for row in batch.settlements]
        )
        db.executemany(
            "INSERT OR REPLACE INTO positions VALUES (?,?,?,?)",
            [(name, product.value, qty, cost) for (name, product), (qty, cost) in batch.positions.items()],
        )
        db.executemany(
            "INSERT INTO cash (at, kind, ref, amount) VALUES (?,?,?,?)",
            [(entry.at.isoformat(), entry.kind, entry.ref, entry.amount) for entry in batch.cash],
        )
        db.executemany("INSERT OR REPLACE INTO counters VALUES (?,?)", batch.counters.items())
        db.executemany(
            "INSERT OR REPLACE INTO contracts VALUES (?,?)",
            [(contract.name, msgspec.json.encode(contract).decode()) for contract in batch.contracts],
        )
        db.executemany(
            "INSERT OR REPLACE INTO index_minutes VALUES (?,?,?,?)",
            [(name, minute.isoformat(), total, count) for (name, minute), (total, count) in batch.minutes.items()],
        )

    def _rows(self, sql: str, values: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a question; their columns are typed where they are unpacked. Raises LedgerBroken."""
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self.fault = f"The paper ledger {self._path} cannot be read: {error}."
            raise LedgerBroken(self.fault) from error

    def mark_time(self, moment: datetime) -> None:
        """Remember how far the market's time has run. Raises LedgerBroken."""
        row = (moment.isoformat(),)
        self._transact(lambda: self._db.execute("INSERT OR REPLACE INTO clock_mark VALUES (1, ?)", row))

    def last_time(self) -> datetime | None:
        """The latest of the market time marked and of what happened on it; None in a new ledger.

        A mark is written now and then only, and after a kill time must not run again where orders have traded.
        """
        rows = self._rows(
            "SELECT moment FROM clock_mark UNION ALL SELECT MAX(updated_at) FROM orders"
            " UNION ALL SELECT MAX(at) FROM trades UNION ALL SELECT MAX(at) FROM settlements"
        )
        return max((datetime.fromisoformat(moment) for (moment,) in rows if moment is not None), default=None)

    def orders_of(self, day: date) -> list[PaperOrder]:
        """Orders entered or changed on ``day`` and all that still work, in order of entry."""
        rows = self._rows(
            f"SELECT {','.join(ORDER)} FROM orders WHERE day = ? OR (updated_at >= ? AND updated_at < ?)"  # noqa: S608 - constant names
            f" OR status NOT IN ({marks(FINAL)}) ORDER BY broker_id",
            (day.isoformat(), *bounds(day), *FINAL),
        )
        return [order_of(row) for row in rows]

    def trades_of(self, day: date) -> list[BrokerTrade]:
        """Executions of ``day``, oldest first."""
        rows = self._rows(
            f"SELECT {','.join(TRADE)} FROM trades WHERE at >= ? AND at < ? ORDER BY trade_id",  # noqa: S608 - constant names
            bounds(day),
        )
        return [trade_of(row) for row in rows]

    def settlements_since(self, day: date) -> list[Settlement]:
        """Expiry settlements from ``day`` on, oldest first."""
        rows = self._rows(
            f"SELECT {','.join(SETTLEMENT)} FROM settlements WHERE at >= ? ORDER BY settlement_id",  # noqa: S608 - constant names
            (day.isoformat(),),
        )
        return [settlement_of(row) for row in rows]

    def positions(self) -> dict[tuple[str, Product], tuple[int, int]]:
        """Open (quantity, cost) by contract and product."""
        rows = self._rows("SELECT contract, product, qty, cost FROM positions WHERE qty <> 0 ORDER BY 1, 2")
        return {(name, Product(product)): (qty, cost) for name, product, qty, cost in rows}

    def cash(self, kind: str | None = None) -> int:
        """Paise of all movements, or of one kind."""
        where = "" if kind is None else " WHERE kind = ?"
        ((total,),) = self._rows(
            f"SELECT COALESCE(SUM(amount), 0) FROM cash{where}",  # noqa: S608 - constant text
            () if kind is None else (kind,),
        )
        return int(total)

    def counters(self) -> dict[str, int]:
        """The last numbers given out."""
        return dict(self._rows("SELECT name, value FROM counters"))

    def contracts(self, names: Iterable[str]) -> dict[str, Instrument]:
        """Terms of contracts that were ever ordered, as they were then."""
        found: dict[str, Instrument] = {}
        for name in names:
            for (body,) in self._rows("SELECT body FROM contracts WHERE name = ?", (name,)):
                found[name] = msgspec.json.decode(body, type=Instrument)
        return found

    def minutes(self, name: str, day: date) -> list[tuple[datetime, int, int]]:
        """Stored minutes of an index on ``day``: (start, sum, number of values)."""
        rows = self._rows(
            "SELECT minute, total, count FROM index_minutes WHERE name = ? AND minute >= ? AND minute < ? ORDER BY 1",
            (name, *bounds(day)),
        )
        return [(datetime.fromisoformat(minute), total, count) for minute, total, count in rows]

    def knows_tag(self, tag: str) -> bool:
        """Whether any order, of any day, came under this tag."""
        return bool(self._rows("SELECT 1 FROM orders WHERE tag = ?", (tag,)))

    def order(self, broker_id: str) -> PaperOrder | None:
        """One order of any day."""
        rows = self._rows(
            f"SELECT {','.join(ORDER)} FROM orders WHERE broker_id = ?",  # noqa: S608 - constant names
            (broker_id,),
        )
        return order_of(rows[0]) if rows else None
