"""One heap for all threads of an engine."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

M_ARENA_MAX: Final = -8
"""glibc's name of the setting, from malloc.h."""


def one_heap() -> None:
    """Have threads share the heap of the first, before any of them has taken its own.

    glibc gives each thread a heap that never shrinks below what the thread once needed: the threads that lay out days,
    write files and commit held 17 MiB after minutes. Threads of Python take turns anyway. Does nothing
    where there is no glibc.
    """
    if sys.platform == "linux":
        setting = getattr(ctypes.CDLL(None), "mallopt", None)
        if setting is not None:
            setting(M_ARENA_MAX, 1)
