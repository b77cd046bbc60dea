"""Keep what is in this process's memory from dumps and from other processes, as far as the system lets one."""

from __future__ import annotations

import ctypes
import resource
import sys
from contextlib import suppress
from typing import Final

_SET_DUMPABLE: Final = 4
_GET_DUMPABLE: Final = 3


def harden() -> None:
    """No core file, and on Linux no debugger and no ``/proc/PID/mem`` for other processes of this user.

    Root is not kept out, nor is a kernel; a system that refuses leaves things as they were.
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _prctl(_SET_DUMPABLE, 0)


def hardened() -> bool:
    """Whether this process may be neither dumped nor looked into; where the system has no such switch, not dumped."""
    cores = resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
    return cores and (sys.platform != "linux" or _prctl(_GET_DUMPABLE, 0) == 0)


def _prctl(option: int, value: int) -> int:
    return int(ctypes.CDLL(None).prctl(option, value, 0, 0, 0))
