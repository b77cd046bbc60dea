"""The terminal as something that can go away: the signals that say so, and looking for oneself."""

from __future__ import annotations

import asyncio
import signal
import sys
import termios
from collections.abc import Callable, Mapping
from typing import Final

CHECK_EVERY: Final = 0.25
"""Seconds between looks: is the terminal still there, and does it read again."""
HUNG_UP: Final = 129
TERMINATED: Final = 143
"""Exit codes as a shell reports an end by SIGHUP and SIGTERM."""


def is_remote(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is at the far end of a network."""
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))


def terminal_gone() -> bool:
    """Whether the terminal at standard input has been closed: a console that ignores SIGHUP would spin on it."""
    try:
        termios.tcgetattr(sys.__stdin__.fileno() if sys.__stdin__ else 0)
    except (termios.error, ValueError, OSError):
        return True
    return False


def on_signals(terminate: Callable[[], object], hang_up: Callable[[], object]) -> None:
    """Call ``terminate`` on SIGTERM and ``hang_up`` on SIGHUP, which stays ignored where it was (nohup)."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, terminate)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, hang_up)
