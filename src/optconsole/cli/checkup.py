"""What `doctor` looks at: each check answers ok, warn or fail, in words, with what to do."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from optconsole.config import FILE_NAME, Settings, read, redacted
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.store.home import NETWORK, OTHERS_WRITE, file_system
from optconsole.engine.store.lock import FILE as LOCK_FILE
from optconsole.engine.store.sqlite import OLDEST

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"
_GIGABYTE: Final = 1 << 30
_LITTLE_DISK: Final = 100 << 20
_OLDEST_YEAR: Final = 2025
_SMALLEST: Final = (80, 24)
_WAL_FIXED: Final = (3, 51, 3)
_WAL_BACKPORTS: Final = ((3, 44, 6), (3, 50, 7))


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check. ``advice`` is empty when all is well."""

    name: str
    verdict: str
    text: str
    advice: str = ""


def python(_home: Path) -> Finding:
    """The interpreter."""
    return Finding("python", OK, f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def sqlite(_home: Path) -> Finding:
    """The SQLite library that this Python carries."""
    version = sqlite3.sqlite_version_info
    if version < OLDEST:
        return Finding("sqlite", FAIL, sqlite3.sqlite_version, "Use a newer Python build; the store needs SQLite 3.35.")
    if not _wal_reset_safe(version):
        return Finding(
            "sqlite",
            WARN,
            f"{sqlite3.sqlite_version}: its WAL reset can corrupt a database that two programs open",
            "The engine keeps the database to itself; open its file with no other program while it runs.",
        )
    return Finding("sqlite", OK, sqlite3.sqlite_version)


def _wal_reset_safe(version: tuple[int, int, int]) -> bool:
    """Whether two connections may share a WAL database. Source: SQLite's release notes of 3.51.3 and its backports."""
    return version >= _WAL_FIXED or any(version[:2] == fixed[:2] and version >= fixed for fixed in _WAL_BACKPORTS)


def home(folder: Path) -> Finding:
    """The folder of all state."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return _unmade(folder)
    except OSError as failed:
        return Finding("home", FAIL, f"{folder}: {failed.strerror}", "Choose another with --home.")
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        return Finding("home", FAIL, f"{folder} is not a folder itself", "Name the folder itself with --home.")
    if found.st_uid != os.geteuid():
        advice = f"Run: chown -R {os.geteuid()} {folder}"
        return Finding("home", FAIL, f"{folder} belongs to user {found.st_uid}", advice)
    if found.st_mode & OTHERS_WRITE:
        return Finding("home", FAIL, f"{folder} can be written by others", f"Run: chmod 700 {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("home", FAIL, f"{folder} cannot be written", f"Run: chmod u+rwx {folder}")
    kind = file_system(folder)
    if kind in NETWORK:
        return Finding("home", FAIL, f"{folder} is on {kind}, where locks do not hold", "Choose a local folder.")
    return Finding("home", OK, str(folder))


def _unmade(folder: Path) -> Finding:
    nearest = next(parent for parent in folder.absolute().parents if parent.exists())
    if os.access(nearest, os.W_OK | os.X_OK):
        return Finding("home", OK, f"{folder} will be made at the first start")
    return Finding("home", FAIL, f"{folder} cannot be made in {nearest}", "Choose another with --home.")


def disk(folder: Path) -> Finding:
    """Room for the journal."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / _GIGABYTE:.1f} GB free"
    if free < _LITTLE_DISK:
        return Finding("disk", FAIL, text, "Free some space: without it no order can be written down, so none is sent.")
    if free < _GIGABYTE:
        return Finding("disk", WARN, text, "Free some space soon.")
    return Finding("disk", OK, text)


def terminal(_home: Path) -> Finding:
    """Size of the terminal."""
    if not sys.stdout.isatty():
        return Finding("terminal", OK, "none here; commands and the engine need none")
    size = shutil.get_terminal_size()
    text = f"{size.columns}×{size.lines}"
    if size.columns < _SMALLEST[0] or size.lines < _SMALLEST[1]:
        return Finding("terminal", WARN, text, "The console needs 80×24; enlarge the window.")
    return Finding("terminal", OK, text)


def colours(_home: Path) -> Finding:
    """How many colours the terminal says it has."""
    term, depth = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "")
    if os.environ.get("NO_COLOR"):
        return Finding("colours", OK, "none, as NO_COLOR asks")
    if depth in ("truecolor", "24bit"):
        return Finding("colours", OK, "16 million")
    if "256color" in term:
        return Finding("colours", OK, "256")
    if term in ("", "dumb"):
        advice = "The console needs a terminal that understands cursor movement; set TERM, such as xterm-256color."
        return Finding("colours", WARN, f"TERM is {term or 'unset'}", advice)
    return Finding("colours", OK, f"16 ({term})")


def unicode(_home: Path) -> Finding:
    """Whether box characters and ₹ can be shown."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    if encoding.replace("-", "") == "utf8":
        return Finding("unicode", OK, encoding)
    return Finding("unicode", WARN, f"the output is {encoding}", "Set LANG=C.UTF-8, or start the console with --ascii.")


def locale(_home: Path) -> Finding:
    """The locale; nothing the program prints depends on it."""
    chosen = next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "")
    return Finding("locale", OK, chosen or "none set")


def clock(_home: Path) -> Finding:
    """The machine's clock, in market time."""
    now = WallClock().now()
    text = f"{now:%Y-%m-%d %H:%M:%S} IST"
    if now.year < _OLDEST_YEAR:
        return Finding("clock", FAIL, text, "Set the machine's clock; expiries and sessions depend on it.")
    return Finding("clock", OK, text)


def lock(folder: Path) -> Finding:
    """Whether an engine holds the home."""
    try:
        with (folder / LOCK_FILE).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = file.read(32).decode("ascii", "replace").strip()
                return Finding("lock", OK, f"held by the engine (process {pid or 'unknown'})")
    except (FileNotFoundError, NotADirectoryError):
        return Finding("lock", OK, "free; no engine has run here yet")
    except OSError as failed:
        return Finding("lock", FAIL, f"{LOCK_FILE}: {failed.strerror}", f"Check the permissions of {folder}.")
    return Finding("lock", OK, "free; no engine runs")


def configuration(folder: Path) -> Finding:
    """The settings."""
    try:
        found = read(folder)
    except Refusal as refusal:
        return Finding("config", FAIL, refusal.text, "`optconsole config check` says the same after each change.")
    return Finding("config", OK, str(found.path) if found.text else f"no {FILE_NAME}; defaults")


def database(folder: Path, settings: Settings, engine_runs: bool) -> Finding:
    """Whether the journal's database answers. Left alone while an engine has it."""
    url = settings.store.url
    if engine_runs:
        return Finding("database", OK, "in the engine's hands")
    if url and not url.startswith("sqlite"):
        return _postgres(url)
    path = Path(url.partition("///")[2]) if url else folder
    files = [file for file in ([path] if url else sorted(folder.glob("**/journal.db"))) if file.is_file()]
    if not files:
        return Finding("database", OK, "made at the first start")
    for file in files:
        damage = _damage(file)
        if damage:
            return Finding("database", FAIL, f"{file}: {damage}", "Restore it from its last good copy.")
    return Finding("database", OK, f"{len(files)} SQLite files are whole")


def _damage(file: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=2)) as connection:
            verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return "" if verdict == "ok" else verdict


def _postgres(url: str) -> Finding:
    import psycopg  # the driver's library takes its time to load; only this store needs it

    try:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), connect_timeout=3) as connection:
            version = connection.info.server_version // 10_000
    except psycopg.Error as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return Finding("database", FAIL, f"{redacted(url)}: {first}", "Start the server or correct store.url.")
    return Finding("database", OK, f"PostgreSQL {version} at {redacted(url)}")


CHECKS: Final[tuple[Callable[[Path], Finding], ...]] = (
    python,
    sqlite,
    home,
    disk,
    configuration,
    lock,
    clock,
    terminal,
    colours,
    unicode,
    locale,
)
"""The checks that need nothing but the machine and the home, in the order they are shown."""
