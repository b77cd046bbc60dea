"""A note in the kernel's memory: outlives the process, not the machine's boot, and never touches a disk."""

from __future__ import annotations

import ctypes
import platform
import sys
from typing import Final

_CALLS: Final = {"x86_64": (248, 250), "aarch64": (217, 219)}
"""The numbers of add_key and keyctl, which no library of Python's knows."""
_PROCESS_RING: Final = -2
_USER_RING: Final = -4
_LINK, _SEARCH, _READ, _TIMEOUT, _INVALIDATE = 8, 10, 11, 15, 21
LARGEST: Final = 16_000
"""Bytes; a user may hold 20,000 in all."""


class KernelNote:
    """One value under a name in the user's keyring. Where the system has none, nothing is kept and nothing is found.

    Other users cannot read it; other processes of the same user can, as they could read this process's memory before
    it was hardened.
    """

    def __init__(self, name: str) -> None:
        self._name = name.encode()

    def write(self, value: bytes, seconds: int) -> bool:
        """Replace what is there; it disappears after ``seconds``. Whether the system took it."""
        if len(value) > LARGEST or seconds <= 0:
            return False
        key = _add(self._name, value)
        return key > 0 and _control(_TIMEOUT, key, seconds) == 0

    def read(self) -> bytes | None:
        """What is there; None for nothing."""
        key = self._key()
        if key <= 0:
            return None
        buffer = ctypes.create_string_buffer(LARGEST)
        size = _control(_READ, key, buffer, LARGEST)
        found = buffer.raw[:size] if 0 < size <= LARGEST else None
        ctypes.memset(buffer, 0, LARGEST)
        return found

    def clear(self) -> None:
        """Take it away at once."""
        key = self._key()
        if key > 0:
            _control(_INVALIDATE, key)

    def _key(self) -> int:
        return _control(_SEARCH, _USER_RING, b"user", self._name, 0)


def _add(name: bytes, value: bytes) -> int:
    return _system(0, b"user", name, value, ctypes.c_size_t(len(value)), ctypes.c_int(_USER_RING))


def _control(operation: int, *words: object) -> int:
    # a service is started without its user's ring in hand; what hangs in the process's own ring may be read
    _system(1, _LINK, ctypes.c_int(_USER_RING), ctypes.c_int(_PROCESS_RING))
    return _system(1, operation, *words)


def _system(which: int, *words: object) -> int:
    numbers = _CALLS.get(platform.machine())
    if sys.platform != "linux" or numbers is None:
        return -1
    return int(ctypes.CDLL(None, use_errno=True).syscall(numbers[which], *words))
