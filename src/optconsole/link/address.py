"""The engine's socket file: where it lies, whose it is, and whether anyone still listens."""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from optconsole.engine.model.errors import Refusal

SOCKET_NAME: Final = "engine.sock"
_LONGEST: Final = 103
"""Bytes of a socket path that every system takes (Linux 107, others 103)."""


def socket_path(home: Path) -> Path:
    """Where the engine of a home listens."""
    return home / SOCKET_NAME


@contextmanager
def address(path: Path) -> Iterator[str]:
    """``path`` in a form short enough for the kernel: a long one is reached through its folder's descriptor.

    Raises Refusal(SOCKET_PATH_TOO_LONG) where the system has no such way.
    """
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    if not sys.platform.startswith("linux"):
        raise Refusal(
            "SOCKET_PATH_TOO_LONG",
            f"The folder name {path.parent} is too long for a socket; choose a shorter --home.",
        )
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen(path: Path) -> socket.socket:
    """Bind and listen at ``path``, readable and writable by this user only.

    A socket file that nobody answers is replaced; anything else in the way is left alone.
    Raises Refusal(ENGINE_RUNNING | FOREIGN_SOCKET | SOCKET_IN_THE_WAY | SOCKET_PATH_TOO_LONG | SOCKET_FAILED).
    """
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with address(path) as name:
            listener.bind(name)
            # nobody can connect between bind and listen, so there is no moment with a wider mode
            os.chmod(name, 0o600)
        listener.listen(16)
    except OSError as error:
        listener.close()
        raise Refusal("SOCKET_FAILED", f"The socket {path} cannot be opened: {error.strerror}.") from None
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _clear(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise Refusal("SOCKET_IN_THE_WAY", f"{path} is not a socket; move it away, the engine listens there.")
    if found.st_uid != os.getuid():
        raise foreign(path)
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(2)
    try:
        with address(path) as name:
            probe.connect(name)
    except ConnectionRefusedError:
        with suppress(FileNotFoundError):
            path.unlink()
        return
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refusal(
            "SOCKET_IN_THE_WAY",
            f"{path} does not tell whether an engine still listens ({error}); stop that engine or use another --home.",
        ) from None
    finally:
        probe.close()
    raise Refusal(
        "ENGINE_RUNNING",
        f"An engine already runs on {path.parent}; open it with `optconsole attach`, or use another --home.",
    )


def foreign(path: Path) -> Refusal:
    """The refusal for a socket that belongs to somebody else."""
    return Refusal(
        "FOREIGN_SOCKET", f"{path} belongs to another user; use your own --home, or ask for the engine's own account."
    )


def knock(path: Path) -> None:
    """Return when somebody listens at ``path``; what it is, only a greeting tells.

    Raises Refusal(NO_ENGINE | FOREIGN_SOCKET | ENGINE_SILENT | SOCKET_PATH_TOO_LONG).
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            check_owner(path)
            with address(path) as name:
                probe.connect(name)
        except PermissionError:
            raise foreign(path) from None
        except BlockingIOError:
            raise silent(path) from None
        except OSError:
            raise no_engine(path) from None
        if peer_uid(probe) not in (None, os.getuid()):
            raise foreign(path)


def check_owner(path: Path) -> None:
    """Raises Refusal(FOREIGN_SOCKET) when the file is another user's, FileNotFoundError when there is none."""
    if path.stat().st_uid != os.getuid():
        raise foreign(path)


def no_engine(path: Path) -> Refusal:
    """The refusal for a home where nobody listens."""
    return Refusal("NO_ENGINE", f"No engine runs on {path.parent}; start one with `optconsole engine`.")


def silent(path: Path) -> Refusal:
    """The refusal for an engine too busy to be reached."""
    return Refusal("ENGINE_SILENT", f"The engine on {path.parent} takes no more connections now.")


def peer_uid(peer: socket.socket) -> int | None:
    """User id of the process at the other end; None where the system does not tell (the file's mode then guards)."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    _pid, uid, _gid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return int(uid)
