"""A disk in memory under SQLite itself: it keeps what was written apart from what was synced, and fails when told to.

The journal's own settings, statements and writer run on it; only Python's sqlite3 module is replaced, by apsw.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import apsw

from optconsole.engine.store import sqlite
from optconsole.engine.store.database import Database
from optconsole.engine.store.statements import Statements

NAME: Final = "platter"
DB: Final = "/platter/journal.db"
SECTOR: Final = 512
"""What a disk writes whole; a longer write may be torn between two."""
Image = dict[str, bytes]


class Op(NamedTuple):
    """A call that changes a file: write, truncate, delete, sync; or ack, a promise given to the engine."""

    kind: str
    file: str
    at: int = 0
    data: bytes = b""


class Platter:
    """Files by name. ``fails`` is asked before every read, write, truncate and sync, and may raise."""

    def __init__(self, image: Image | None = None) -> None:
        self.files = {name: bytearray(content) for name, content in (image or {}).items()}
        self.log: list[Op] = []
        self.fails: Callable[[str], None] = lambda _kind: None

    def note(self, kind: str, file: str, at: int = 0, data: bytes = b"") -> None:
        self.log.append(Op(kind, file, at, data))

    def synced(self, base: Image) -> Image:
        """What is surely there when the power goes now."""
        _, _, left = next(cuts(base, [*self.log, Op("end", "")], {len(self.log)}, _Nothing()))
        return left

    def image(self) -> Image:
        return {name: bytes(content) for name, content in self.files.items()}


class _File:
    def __init__(self, platter: Platter, name: str) -> None:
        self._platter, self._name = platter, name
        self._data = platter.files.setdefault(name, bytearray())

    def xRead(self, amount: int, offset: int) -> bytes:
        self._platter.fails("read")
        return bytes(self._data[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._platter.fails("write")
        self._platter.note("write", self._name, offset, bytes(data))
        put(self._data, offset, data)

    def xTruncate(self, size: int) -> None:
        self._platter.fails("truncate")
        self._platter.note("truncate", self._name, size)
        cut(self._data, size)

    def xSync(self, _flags: int) -> None:
        self._platter.fails("sync")
        self._platter.note("sync", self._name)

    def xFileSize(self) -> int:
        return len(self._data)

    def xLock(self, _level: int) -> None: ...

    def xUnlock(self, _level: int) -> None: ...

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, _op: int, _ptr: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return int(apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE)

    def xClose(self) -> None: ...


class _Vfs(apsw.VFS):
    def __init__(self) -> None:
        super().__init__(NAME, "")
        self.platter = Platter()

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        text = name.filename() if isinstance(name, apsw.URIFilename) else str(name or "/platter/temp")
        flags[1] = flags[0]
        return _File(self.platter, text)

    def xFullPathname(self, name: str) -> str:
        return name

    def xAccess(self, name: str, _flags: int) -> bool:
        # SQLite takes an empty log for none
        return bool(self.platter.files.get(name))

    def xDelete(self, name: str, _sync: bool) -> None:
        self.platter.note("delete", name)
        self.platter.files.pop(name, None)


VFS: Final = _Vfs()


def put(data: bytearray, offset: int, content: bytes) -> None:
    """Write into a file, zeros where it had none."""
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(content)] = content


def cut(data: bytearray, size: int) -> None:
    """Truncate or extend a file."""
    del data[size:]
    data.extend(bytes(size - len(data)))


# ---------------------------------------------------------------- the driver as the store uses it


class _Cursor:
    def __init__(self, connection: apsw.Connection) -> None:
        self._connection, self._cursor = connection, connection.cursor()

    def execute(self, text: str, values: tuple[Any, ...] = ()) -> _Cursor:
        self._run(self._cursor.execute, text, values)
        return self

    def executemany(self, text: str, rows: Any) -> _Cursor:
        self._run(self._cursor.executemany, text, rows)
        return self

    def _run(self, call: Callable[..., Any], *arguments: Any) -> None:
        with _translated():
            call(*arguments)

    def fetchone(self) -> Any:
        with _translated():
            return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        with _translated():
            return self._cursor.fetchall()

    @property
    def rowcount(self) -> int:
        return self._connection.changes()

    def close(self) -> None:
        self._cursor.close(True)


class _translated:
    """apsw's errors as sqlite3's."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, apsw.ConstraintError):
            raise sqlite3.IntegrityError(str(error)) from error
        if isinstance(error, apsw.CorruptError | apsw.NotADBError):
            raise sqlite3.DatabaseError(str(error)) from error
        if isinstance(error, apsw.Error | OSError):
            raise sqlite3.OperationalError(str(error)) from error


class Driver:
    """What ``Database`` and ``sqlite`` use of a sqlite3 connection, over apsw on the platter."""

    isolation_level: str | None = None

    def __init__(self) -> None:
        with _translated():
            self.connection = apsw.Connection(DB, vfs=NAME)

    def cursor(self) -> _Cursor:
        return _Cursor(self.connection)

    def execute(self, text: str, values: tuple[Any, ...] = ()) -> _Cursor:
        return self.cursor().execute(text, values)

    def commit(self) -> None:
        if self.connection.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.connection.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        try:
            self.connection.close(True)
        except (apsw.Error, OSError):
            return  # a log that could not be brought in at the close is brought in at the next start


class OnPlatter(Database):
    """The store's own ``Database`` with the driver exchanged; settings made and proven by its own code."""

    def __init__(self, *extra: str, proven: bool = True) -> None:
        self._sqlite = True
        self.sql = Statements("?")
        self._in_log, self.checked_whole = 0, True
        self._driver = Driver()
        try:
            sqlite._settle(self._driver, None)  # type: ignore[arg-type]
            if proven:
                sqlite.prove(self._driver)  # type: ignore[arg-type]
            for statement in extra:
                self._driver.execute(statement).fetchall()
        except BaseException:
            self._driver.close()
            raise

    def close(self) -> None:
        self._driver.close()


# ---------------------------------------------------------------- what is left after the power went


class _Nothing(random.Random):
    """Chooses that nothing unsynced survives."""

    def choice(self, seq: Any) -> Any:
        return seq[0]


def cuts(base: Image, log: list[Op], at: set[int], draw: random.Random) -> Iterator[tuple[int, int, Image]]:
    """For each chosen place in the log: that place, the promises given until there, and what the platter may hold.

    What was synced is there. Of what was not, any sectors may be, in any order; a truncation may or may not.
    """
    synced = {name: bytearray(content) for name, content in base.items()}
    pending: dict[str, list[Op]] = {}
    acked = 0
    for place, op in enumerate(log):
        if place in at:
            yield place, acked, _survivor(synced, pending, draw)
        match op.kind:
            case "ack":
                acked = op.at
            case "sync":
                for waiting in pending.pop(op.file, []):
                    _apply(synced, waiting)
            case "delete":
                pending.pop(op.file, None)
                synced.pop(op.file, None)
            case _:
                pending.setdefault(op.file, []).append(op)


def _survivor(synced: dict[str, bytearray], pending: dict[str, list[Op]], draw: random.Random) -> Image:
    files = {name: bytearray(content) for name, content in synced.items()}
    share = draw.choice((0.0, 0.5, 0.9, 1.0))
    for name, ops in pending.items():
        for op in ops:
            if op.kind == "truncate":
                if draw.random() < share:
                    _apply(files, op)
                continue
            for start in range(0, len(op.data), SECTOR):
                if draw.random() < share:
                    put(files.setdefault(name, bytearray()), op.at + start, op.data[start : start + SECTOR])
    return {name: bytes(content) for name, content in files.items()}


def _apply(files: dict[str, bytearray], op: Op) -> None:
    data = files.setdefault(op.file, bytearray())
    if op.kind == "truncate":
        cut(data, op.at)
    else:
        put(data, op.at, op.data)
